//! `autodo completions`: what a shell needs to complete autodo's command line.

use clap::Args;
use clap_complete::{Shell, env::Shells};

use super::ui;
use crate::app::{AppError, Exit};

pub mod complete;

/// What the scripts call: the program as it is found when the shell asks.
const PROGRAM: &str = "autodo";

/// `completions`.
#[derive(Args)]
pub struct CompletionsArgs {
    /// Which shell.
    shell: Shell,
}

/// Prints the script. It asks the program itself for what could come next, so that tickets are offered by their ids.
///
/// # Errors
/// The shell is not known.
pub fn run(args: &CompletionsArgs) -> Result<Exit, AppError> {
    let name = args.shell.to_string();
    ui::out_bytes(script(&name)?.as_bytes());
    Ok(Exit::Ok)
}

fn script(shell: &str) -> Result<String, AppError> {
    let cannot = |why: String| {
        AppError::new(format!("cannot write completions for {shell}: {why}"))
            .hint("autodo completions --help names the shells")
    };
    let shells = Shells::builtins();
    let completer = shells.completer(shell).ok_or_else(|| cannot("it is not known".into()))?;
    let mut script = Vec::new();
    completer
        .write_registration(complete::VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)
        .map_err(|e| cannot(e.to_string()))?;
    // A shell that cannot find the program must not say so in the middle of a line.
    let script = String::from_utf8_lossy(&script).trim_start().replace("\" -- ", "\" 2>/dev/null -- ");
    Ok(script)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_shell_has_a_script_that_asks_the_program() {
        for shell in Shell::value_variants() {
            let script = script(&shell.to_string()).unwrap();
            assert!(script.contains(complete::VARIABLE) && script.contains(PROGRAM), "{shell}: {script}");
        }
        for shell in ["bash", "zsh"] {
            assert!(script(shell).unwrap().contains("2>/dev/null"), "{shell}");
        }
    }
}
