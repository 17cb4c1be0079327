//! The command line: one file for each verb, or for a few that belong together.

mod add;
mod approve;
mod ask;
mod attach;
mod batch;
mod bounds;
mod bundle;
mod clean;
pub mod completions;
mod config;
mod context;
mod cron;
mod debug;
mod detach;
mod dispatch;
mod doctor;
mod find;
mod follow;
mod heavy;
mod init;
pub mod json;
mod list;
mod logging;
mod logs;
pub mod man;
mod notify;
mod plan;
mod profile;
mod progress;
pub mod reference;
mod report;
mod rescue;
mod show;
mod summary;
mod text;
mod tick;
mod ui;
mod verbs;
mod wait;

use std::process::ExitCode;

use clap::CommandFactory;
pub use verbs::Cli;

use crate::adapters::env;

/// Parses the command line and runs it.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(said) = report::quickly(env::arguments()) {
        return ExitCode::from(json::ended(said).code());
    }
    let cli = match verbs::parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(verbs::refuse(&error)),
    };
    logging::begin();
    ExitCode::from(json::ended(verbs::run(cli)).code())
}

/// The command line, for documents and completions.
#[must_use]
pub fn command() -> clap::Command {
    json::offer(Cli::command())
}
