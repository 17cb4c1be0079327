//! `--json`: which command prints what for programs, and the one document of commands that do things to tickets.
//!
//! A command that answers a question prints its own document ([`document()`], [`line()`]). What a command *does* is noted
//! (`ui::did`) where a person would read a line of it, and comes as one document at the end.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::{Value, json};

use super::ui;
use crate::app::{AppError, Exit};

/// What a command prints with `--json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// One document, by this schema.
    One(&'static str),
    /// A document a line, each by this schema.
    Lines(&'static str),
    /// Text only, and why: there is no `--json`.
    Text(&'static str),
}

use Output::{Lines, One, Text};

/// Every command with what it prints, by its words. `verb --flag`: the same with that flag.
pub const OUTPUTS: &[(&str, Output)] = &[
    ("init", One("results")),
    ("add", One("results")),
    ("import", One("results")),
    ("add --dry-run", One("plan")),
    ("import --dry-run", One("plan")),
    ("dispatch", Lines("event")),
    ("dispatch --dry-run", One("plan")),
    ("dispatch --detach", One("results")),
    ("tick", Lines("event")),
    ("list", One("list")),
    ("list --watch", Lines("list")),
    ("show", One("show")),
    ("review", One("review")),
    ("review --tier", One("results")),
    ("review --accept-stale", One("results")),
    ("approve", One("results")),
    ("approve-low", One("results")),
    ("reject", One("results")),
    ("answer", One("results")),
    ("send", One("results")),
    ("attach", Text("it takes the terminal; `show --json` names the session")),
    ("diff", One("diff")),
    ("logs", One("logs")),
    ("logs --follow", Lines("log-line")),
    ("path", One("path")),
    ("stop", One("results")),
    ("resume", One("results")),
    ("retry", One("results")),
    ("cancel", One("results")),
    ("drain", One("results")),
    ("wait", One("results")),
    ("summary", One("summary")),
    ("batch install", One("results")),
    ("batch status", One("batches")),
    ("batch remove", One("results")),
    ("notify test", One("results")),
    ("notify flush", One("results")),
    ("heavy", Text("what is printed is the command's own")),
    ("clean", One("results")),
    ("clean --orphans", One("orphans")),
    ("rescue list", One("rescues")),
    ("rescue restore", One("results")),
    ("doctor", One("doctor")),
    ("config", One("config")),
    ("config permissions", One("permissions")),
    ("profile list", One("profiles")),
    ("profile show", One("profile")),
    ("profile check", One("results")),
    ("debug screen", One("screen")),
    ("debug bundle", One("bundle")),
    ("completions", Text("a script for a shell")),
    ("man", Text("a page for man")),
    ("report", Text("for agents: the exit code says whether the report was kept")),
    ("hook", Text("for the hooks of agents: what is printed is what the agent expects")),
];

/// What the command of these words prints; below `report`, that of `report`.
#[must_use]
pub fn output(words: &str) -> Option<Output> {
    let above = words.split(' ').next().unwrap_or_default();
    let of = |words: &str| OUTPUTS.iter().find(|(name, _)| *name == words).map(|(_, output)| *output);
    of(words).or_else(|| of(above).filter(|output| matches!(output, Text(_))))
}

/// The reference page's table: `docs/reference/json.md` holds it between its two marks.
#[must_use]
pub fn table() -> String {
    let mut text = "| command | standard output with `--json` |\n|---|---|\n".to_owned();
    for (words, output) in OUTPUTS {
        let says = match output {
            One(schema) => format!("one document: [{schema}](schemas/{schema}.json)"),
            Lines(schema) => format!("a document a line: [{schema}](schemas/{schema}.json)"),
            Text(why) => format!("text only: {why}"),
        };
        text.push_str(&format!("| `{words}` | {says} |\n"));
    }
    text
}

/// Gives `--json` to every command that has none of its own and prints more than text for people.
pub fn offer(command: Command) -> Command {
    below(command, "")
}

fn below(command: Command, above: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let mut command = command;
    for name in names {
        let words = if above.is_empty() { name.clone() } else { format!("{above} {name}") };
        command = command.mut_subcommand(&name, |sub| {
            let sub = below(sub, &words);
            let has_one = sub.get_arguments().any(|arg| arg.get_id() == "json");
            if has_one || !matches!(output(&words), Some(One(_) | Lines(_))) {
                return sub;
            }
            let help = "JSON, for programs";
            sub.arg(Arg::new("json").long("json").action(ArgAction::SetTrue).help(help))
        });
    }
    command
}

/// True where the command line asks for JSON.
#[must_use]
pub fn is_asked(matches: &ArgMatches) -> bool {
    let here = matches.try_get_one::<bool>("json").ok().flatten().copied().unwrap_or_default();
    here || matches.subcommand().is_some_and(|(_, below)| is_asked(below))
}

static ON: AtomicBool = AtomicBool::new(false);
static PRINTED: AtomicBool = AtomicBool::new(false);
static DONE: Mutex<Vec<Value>> = Mutex::new(Vec::new());

/// From now on, what is done is noted instead of printed, and errors are JSON.
pub fn begin() {
    ON.store(true, Ordering::Relaxed);
}

/// True after [`begin`].
#[must_use]
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Prints a document, indented.
pub fn document(value: &Value) {
    PRINTED.store(true, Ordering::Relaxed);
    ui::print(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// What is printed is lines, even if there are none.
pub fn lines() {
    PRINTED.store(true, Ordering::Relaxed);
}

/// Prints a document in one line, of several.
pub fn line(text: &str) {
    PRINTED.store(true, Ordering::Relaxed);
    ui::print(text);
}

/// Notes what was done to a ticket, or to none: one word, and the line that a person reads.
pub fn note(id: Option<&str>, did: &str, text: &str) {
    let done = json!({ "id": id, "did": did, "text": text });
    DONE.lock().unwrap_or_else(PoisonError::into_inner).push(done);
}

/// An error as programs read it.
#[must_use]
pub fn error(error: &AppError) -> Value {
    let said = json!({ "message": error.message, "hint": error.hint, "exit": error.exit.code() });
    json!({ "version": 1, "error": said })
}

/// Says how a command ended, and gives its exit code.
pub fn ended(result: Result<Exit, AppError>) -> Exit {
    finish(result.is_err());
    result.unwrap_or_else(|error| {
        ui::error(&error);
        error.exit
    })
}

/// Prints what was noted, where the command printed nothing else: nothing at all where an error ended it before it did
/// anything.
fn finish(failed: bool) {
    let done = std::mem::take(&mut *DONE.lock().unwrap_or_else(PoisonError::into_inner));
    if is_on() && !PRINTED.load(Ordering::Relaxed) && !(failed && done.is_empty()) {
        document(&json!({ "version": 1, "results": done }));
    }
}

#[cfg(test)]
mod tests {
    use super::{Output, output};

    fn leaves(command: &clap::Command, above: &str, all: &mut Vec<(String, bool)>) {
        for sub in command.get_subcommands() {
            let words = format!("{above} {}", sub.get_name()).trim().to_owned();
            if !sub.has_subcommands() || sub.get_arguments().any(|arg| arg.get_id() == "json") {
                all.push((words.clone(), sub.get_arguments().any(|arg| arg.get_id() == "json")));
            }
            leaves(sub, &words, all);
        }
    }

    #[test]
    fn every_command_says_what_it_prints_for_programs() {
        let mut all = Vec::new();
        leaves(&crate::cli::command(), "", &mut all);
        assert!(all.len() > 40, "{all:?}");
        for (words, has_json) in all {
            let output = output(&words).unwrap_or_else(|| panic!("{words} is not in OUTPUTS"));
            assert_eq!(has_json, !matches!(output, Output::Text(_)), "{words}");
        }
    }
}
