//! `autodo completions`: what a shell needs to complete autodo's command line.

use clap::Args;
use clap_complete::Shell;

use super::ui;
use crate::app::{AppError, Exit};

/// `completions`.
#[derive(Args)]
pub struct CompletionsArgs {
    /// Which shell.
    shell: Shell,
}

/// Prints the script.
///
/// # Errors
/// None.
pub fn run(args: &CompletionsArgs) -> Result<Exit, AppError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "autodo", &mut script);
    ui::out_text(&String::from_utf8_lossy(&script));
    Ok(Exit::Ok)
}
