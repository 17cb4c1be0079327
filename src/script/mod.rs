//! The script agent (`autodo script-agent`): a terminal program that behaves as a coding agent in its pane and does a
//! ticket's work by running the `sh` blocks of its `## Run` section. Mechanical tickets need no model.
//!
//! # Screen
//!
//! In the normal screen (so that scrollback works), right below the last output:
//!
//! ```text
//! ──────────────────────────────   a rule over the width, at most 100 columns
//! > typed or pasted text           wrapped; further rows are indented by two blanks; more than 5 rows: the first 3,
//!                                  then `  … (+N lines)`
//! ──────────────────────────────
//!  script · ready
//! ```
//!
//! Status: ` script · booting`, ` script · ready`, ` script · busy ⠋ block 2/5 3s` (also `prompt`, `report` and
//! `commit` in place of `block 2/5`; the spinner moves four times a second), ` script · waiting for an answer`,
//! ` script · failed: <why>`. Output of blocks stands behind `  │ `, so that nothing in it can pass for anything else;
//! a submitted text is repeated as the box showed it; a question stands right above the box in lines that begin with
//! `? `; `AUTODO-DONE-<key>` or `AUTODO-BLOCKED-<key>` stands alone on a line, after the report.
//!
//! # Keys
//!
//! Enter submits, Enter inside a bracketed paste is text, Ctrl-J is a line end. Backspace; Ctrl-C and Ctrl-U empty the
//! box and do nothing else. Ctrl-D at an empty box exits 0 unless a block runs; `/exit` exits 0 and ends what runs.
//! SIGTERM, SIGHUP and SIGINT end what runs, put the terminal back and exit with 128 + the signal's number.
//!
//! # Texts
//!
//! A text that names a file `.autodo/run/<name>.md` with blocks in it is a prompt; of a file without, what it holds is
//! the text. Any other text is the answer to the open question (`skip…`, `start over…`, everything else: go on at the
//! block in question); or it has the work go on where it stands; or, where all is done, what is left is committed and done is reported again.
//! While something runs, a prompt waits for its turn, and any other text is refused in words: it can't be an answer to
//! a question that was not asked yet.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a program of its own: it is the agent, not the supervisor"
)]

pub mod blocks;
mod event;
mod keys;
mod ledger;
mod runner;
mod screen;
mod terminal;
mod text;
mod trouble;
mod ui;
mod words;
mod work;
mod world;

use event::{Event, Status};
use trouble::Trouble;

/// Runs the agent in this terminal until it is told to go; returns its exit code.
#[must_use]
pub fn main() -> i32 {
    match ui::run() {
        Ok(code) => code,
        Err(why) => {
            use std::io::Write;
            // Ignored: there is nowhere else to say it.
            writeln!(std::io::stderr(), "autodo script-agent: {why}").ok();
            1
        }
    }
}
