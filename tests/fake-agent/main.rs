//! The scripted fake agent of the tests: a terminal program that looks like a coding agent, does what its scenario says,
//! and logs every byte that it receives.
//!
//! # Files
//!
//! - `FAKE_SCENARIO`, or the first argument: the scenario; its language is described in `scenario.rs`.
//! - `FAKE_LOG`: every byte from the terminal, as it came, appended before anything else is done with it.
//! - `FAKE_PROMPTS`: one JSON object per line, appended: `{"prompt": text}` for what was submitted (pasted text as it
//!   came, with its control characters), `{"dialog": name, "key": "1" | "2" | "enter" | "escape"}` for an answered
//!   dialog, `{"command": [..], "code": n, "output": text}` for what `run`, `report` and the like did, and
//!   `{"background": pid}` for a child that was left behind, and `{"stamp": words, "at_ns": n}`: nanoseconds since 1970.
//!
//! # Screen
//!
//! Below the output, in the normal screen unless `alt-screen` was said:
//!
//! ```text
//! ──────────────────────────────   over the width, at most 100 columns
//! > text in the box                further rows are indented by two blanks; of more than 5 rows the first 3,
//!                                  then `  … (+N lines)`
//! ──────────────────────────────
//!  fake · ready
//! ```
//!
//! Status: ` fake · booting` until the first `ready`, `busy` or `status`; ` fake · ready`; ` fake · busy ⠋ 3s`;
//! ` fake · question`; ` fake · limited`; or any other words. A dialog stands in place of box and status:
//!
//! ```text
//! ──────────────────────────────
//!  Do you want to proceed?          or: Do you trust the files in this folder?
//!  <text>
//!  ❯ 1. Yes                         ❯ marks what Enter picks
//!    2. No
//!  fake · permission                or: fake · trust
//! ```
//!
//! In a dialog, text and pastes are ignored, `1` and `2` pick, Enter picks what is marked, Escape picks No.
//! Keys: Enter submits, Ctrl-C empties the box, Ctrl-D at an empty box exits 0, `/exit` exits 0.
//! Exit 99: the scenario or a file is wrong; what is wrong stands on the last line.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    reason = "a program of its own, for tests only"
)]

mod face;
mod input;
mod log;
mod play;
mod scenario;

use std::process::ExitCode;

fn main() -> ExitCode {
    let file = std::env::args().nth(1).or_else(|| std::env::var("FAKE_SCENARIO").ok());
    let Some(file) = file else { return wrong("FAKE_SCENARIO is not set, and no file was given") };
    let scenario = match std::fs::read_to_string(&file).map_err(|why| why.to_string()) {
        Ok(text) => scenario::parse(&text),
        Err(why) => Err(why),
    };
    match scenario.and_then(|scenario| play::play(&scenario)) {
        Ok(code) => ExitCode::from(code),
        Err(why) => wrong(&format!("{file}: {why}")),
    }
}

fn wrong(why: &str) -> ExitCode {
    eprintln!("\r\nfake-agent: {why}\r");
    ExitCode::from(99)
}
