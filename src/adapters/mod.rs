//! The only code that touches the world: tmux, git, processes, files, sockets, clock.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the walls stand so that these live here")]

pub mod archive;
pub mod backlog;
pub mod changes;
pub mod clock;
pub mod control;
pub mod crash;
pub mod display;
pub mod env;
pub mod files;
pub mod fs;
pub mod git;
pub mod home;
pub mod interrupt;
pub mod machine;
pub mod memory;
pub mod notify;
pub mod outbox;
pub mod process;
pub mod records;
pub mod slots;
pub mod stdin;
pub mod stdout;
pub mod store;
pub mod tmux;
pub mod user;
pub mod wake;
