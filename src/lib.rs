//! autodo works through a backlog of tickets with coding agents in tmux.
//!
//! The map of the house is kept in this comment; `docs/design/` says why it is so.

pub mod adapters;
pub mod agent;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod format;
pub mod ports;
pub mod script;
pub mod supervisor;
