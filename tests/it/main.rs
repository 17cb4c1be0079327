//! The single integration test binary: each module is a room or a door of the house.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests touch the world, and a failed expectation is their way to speak"
)]

#[path = "../support/mod.rs"]
mod support;

mod architecture;
mod backlog;
mod cli;
mod crash;
mod docs;
mod e2e;
mod errors;
mod git;
mod json;
mod process;
mod profiles;
mod script;
mod store;
mod supervisor;
mod tmux;
