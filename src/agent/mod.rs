//! What differs per agent, all of it data in `profiles/*.toml`; and what is made of that data.

pub mod classify;
pub mod launch;
pub mod profile;
pub mod prompt;
pub mod sanitize;
pub mod stability;
