//! What differs per agent, all of it data in `profiles/*.toml`; and what is made of that data.
//!
//! [`profile`] reads the files, [`launch`] makes argv and environment of them, [`classify`] says what a screen means,
//! [`stability`] when a reading counts; [`prompt`] and [`sanitize`] make the texts that go into a pane.

pub mod classify;
pub mod launch;
pub mod limit;
pub mod placeholder;
pub mod profile;
pub mod prompt;
pub mod sanitize;
pub mod stability;
