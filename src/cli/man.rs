//! `autodo man`: the manual page, made of the parser itself.

use std::io;

use clap::{Arg, ArgAction, Args, Command};
use clap_mangen::{
    Man,
    roff::{Inline, Roff, bold, italic, roman},
};

use super::ui;
use crate::app::{AppError, Exit};

/// `man`.
#[derive(Args)]
pub struct ManArgs {}

/// Prints it.
///
/// # Errors
/// None.
pub fn run(_args: &ManArgs) -> Result<Exit, AppError> {
    let page = page().map_err(|e| {
        AppError::new(format!("cannot make the manual page: {e}")).hint("autodo help VERB says the same")
    })?;
    ui::out_bytes(page.as_bytes());
    if ui::is_terminal() {
        ui::say_hint("to read it: autodo man | man -l -");
    }
    Ok(Exit::Ok)
}

/// The page, in the language of man(7).
///
/// # Errors
/// Never, for what is written into memory.
pub fn page() -> io::Result<String> {
    let mut autodo = super::command();
    autodo.build();
    let man = Man::new(super::command()).title("AUTODO").section("1").manual("autodo");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    let option = |name: &str| [roman(" ["), bold(name), roman(" "), italic("DIR"), roman("]")];
    let line = [bold("autodo")].into_iter().chain(option("--home")).chain(option("-C"));
    roff.text(line.chain([roman(" "), italic("VERB"), roman(" …")]).collect::<Vec<_>>());
    roff.control("SH", ["DESCRIPTION"]);
    paragraphs(&mut roff, DESCRIPTION);
    roff.control("SH", ["VERBS"]);
    let (hidden, shown): (Vec<&Command>, Vec<&Command>) =
        autodo.get_subcommands().filter(|verb| verb.get_name() != "help").partition(|verb| verb.is_hide_set());
    for verb in shown.into_iter().chain(hidden) {
        section(&mut roff, verb, "autodo");
    }
    roff.control("SH", ["OPTIONS OF EVERY VERB"]);
    arguments(&mut roff, autodo.get_arguments().filter(|arg| arg.is_global_set()));
    roff.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        entry(&mut roff, vec![bold(exit.code().to_string())], exit.meaning());
    }
    for (title, entries) in [("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)] {
        roff.control("SH", [title]);
        for (name, text) in entries {
            entry(&mut roff, vec![bold(*name)], text);
        }
    }
    roff.control("SH", ["EXAMPLES"]);
    for (line, text) in EXAMPLES {
        entry(&mut roff, vec![bold(*line)], text);
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([bold("tmux"), roman("(1), "), bold("git-worktree"), roman("(1)")]);
    roff.to_writer(&mut page)?;
    // Not every formatter of manual pages reads more than ASCII.
    Ok(String::from_utf8_lossy(&page).replace('…', "...").replace(['—', '–'], "\\-"))
}

/// A verb, and its own verbs below it.
fn section(roff: &mut Roff, verb: &Command, above: &str) {
    let name = format!("{above} {}", verb.get_name());
    roff.control("SS", [name.as_str()]);
    let usage = verb.clone().bin_name(name.as_str()).render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim().to_owned();
    roff.text([bold(usage.lines().map(str::trim).collect::<Vec<_>>().join(" "))]);
    let about = verb.get_long_about().or_else(|| verb.get_about()).map(ToString::to_string).unwrap_or_default();
    roff.control("PP", []);
    paragraphs(roff, &about);
    arguments(roff, verb.get_arguments().filter(|arg| !arg.is_global_set()));
    for below in verb.get_subcommands().filter(|below| below.get_name() != "help") {
        section(roff, below, &name);
    }
}

/// Paragraphs between blank lines; the last ends with a full stop.
fn paragraphs(roff: &mut Roff, text: &str) {
    let all: Vec<&str> = text.split("\n\n").map(str::trim).collect();
    for (n, paragraph) in all.iter().enumerate() {
        if n > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(sentence(&paragraph.lines().collect::<Vec<_>>().join(" ")))]);
    }
}

fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', ':', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// What an entry of a list is called, and what it is.
fn entry(roff: &mut Roff, name: Vec<Inline>, text: &str) {
    roff.control("TP", []);
    roff.text(name);
    roff.text([roman(sentence(text))]);
}

fn arguments<'a>(roff: &mut Roff, all: impl Iterator<Item = &'a Arg>) {
    let is_own = |arg: &&Arg| {
        !arg.is_hide_set()
            && !matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            )
    };
    for arg in all.filter(is_own) {
        let takes = arg.get_action().takes_values();
        let values = arg.get_value_names().unwrap_or_default();
        let value = values.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" ");
        let mut name: Vec<Inline> = Vec::new();
        let options = arg.get_short().map(|c| format!("-{c}")).into_iter();
        for option in options.chain(arg.get_long().map(|long| format!("--{long}"))) {
            if !name.is_empty() {
                name.push(roman(", "));
            }
            name.push(bold(option));
        }
        if takes {
            if !name.is_empty() {
                name.push(roman(" "));
            }
            name.push(italic(value));
        }
        let mut text = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
        if takes && !arg.is_hide_possible_values_set() {
            let words: Vec<String> =
                arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
            if !words.is_empty() {
                text = format!("{}: {}", text.trim_end_matches('.'), words.join(", "));
            }
        }
        entry(roff, name, &text.split_whitespace().collect::<Vec<_>>().join(" "));
    }
}

const DESCRIPTION: &str = "For every ticket of a backlog autodo makes one git worktree and one tmux session, starts an \
agent in it, gives it the prompt, watches its screen until it reports that it is done or blocked, runs the project's \
checks itself, and writes a review that a person reads in a minute.

In the evening: autodo dispatch. In the morning: autodo list, autodo summary, autodo review ID, autodo approve-low.

Data goes to standard output, everything else to standard error. With --json, objects carry \"version\": 1; keys are only \
ever added, and null stands for what is not known. An id may be given by a unique beginning.";

const ENVIRONMENT: &[(&str, &str)] = &[
    ("AUTODO_HOME", "The folder with the queue, reviews and logs; ~/.claude/autodo where it is not set."),
    ("AUTODO_…", "Settings, above those of the project: autodo config lists them, each with its origin."),
    (
        "AUTODO_LOG",
        "What is logged to standard error: warn, info, debug, trace, or a filter such as autodo::supervisor=debug.",
    ),
    ("NO_COLOR", "Set to anything, it keeps colours out of the output."),
];

const FILES: &[(&str, &str)] = &[
    (".autodo/config.toml", "The settings of a project."),
    (".autodo/tickets/*.md", "Its tickets."),
    ("PROJECT.worktrees/ID", "The worktree of a ticket, beside the checkout."),
    ("~/.claude/autodo/ID/review.md", "What a person reads of a ticket."),
    ("~/.claude/autodo/queue.toml", "The queue, to be read and not to be edited."),
];

const EXAMPLES: &[(&str, &str)] = &[
    ("autodo init", "Makes the project of this folder ready."),
    (
        "autodo dispatch --parallel 3 --until 06:00",
        "Works through its tickets, three at a time, and starts none after six.",
    ),
    ("autodo list --watch", "Shows how it goes."),
    ("autodo logs -f T-12", "Shows what the agent of T-12 writes, as it writes it."),
    ("autodo answer T-12 \"the second one\"", "Answers the question of a blocked ticket."),
    ("autodo reject T-12 -m \"keep the old name\"", "Sends work back with a correction."),
];
