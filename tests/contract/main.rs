//! The contract with the real agents: Claude Code and Codex as they are installed, in a private world, against a
//! scripted model on loopback. Run by `scripts/contract`, which installs them; it needs no account and no network.
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

/// A test of each name for each agent: a function that takes the agent.
macro_rules! with_each_agent {
    ($($name:ident),+ $(,)?) => {
        mod claude {
            $(#[test] fn $name() { super::$name(crate::stage::Agent::Claude); })+
        }
        mod codex {
            $(#[test] fn $name() { super::$name(crate::stage::Agent::Codex); })+
        }
    };
}

mod asks;
mod bare;
mod faults;
mod further;
mod limits;
mod model;
mod people;
mod permissions;
mod prompts;
mod quick;
mod records;
mod setup;
mod stage;
