//! Telling a person: channels by the programs that speak to them, the badge on autodo's tmux server, `TODO.md`, and the
//! file of what is still to be told.
//!
//! HTTP is done by `curl`, which has the TLS and the proxies of the machine: address and secret come to it on its
//! standard input, never in its argument list. A channel's program is ended with all it started when its time is up.

mod program;
mod send;
mod terminal;
mod todo;

pub use send::{Post, secret};
