//! The command line: one file for each verb, or for a few that belong together.

mod add;
mod approve;
mod ask;
mod attach;
mod clean;
mod completions;
mod config;
mod context;
mod debug;
mod detach;
mod dispatch;
mod doctor;
mod find;
mod follow;
mod init;
mod list;
mod logs;
mod plan;
mod profile;
mod progress;
pub mod reference;
mod report;
mod rescue;
mod show;
mod summary;
mod text;
mod ui;
mod verbs;
mod wait;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
pub use verbs::Cli;

use crate::adapters::env;

/// Parses the command line and runs it.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Ignored: a terminal that is gone reads no help.
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    logging();
    let exit = match verbs::run(cli) {
        Ok(exit) => exit,
        Err(error) => {
            ui::error(&error);
            error.exit
        }
    };
    ExitCode::from(exit.code())
}

/// The command line, for documents and completions.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Logs go to standard error, and only warnings unless `AUTODO_LOG` asks for more.
fn logging() {
    let filter = env::var("AUTODO_LOG").and_then(|v| v.into_string().ok()).unwrap_or_else(|| "warn".into());
    let filter = tracing_subscriber::EnvFilter::try_new(filter).unwrap_or_else(|_| "warn".into());
    // Ignored: it is set already where a test calls this twice.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().try_init().ok();
}
