//! The reference page of the command line, made of the parser itself: `docs/reference/cli.md` is this text.

use clap::{Arg, ArgAction, Command};

/// The page, as Markdown.
#[must_use]
pub fn page() -> String {
    let mut autodo = super::command();
    autodo.build();
    let mut text = INTRODUCTION.to_owned();
    text.push_str("\n## Options of every verb\n\n");
    arguments(&mut text, autodo.get_arguments().filter(|arg| arg.is_global_set()));
    let (hidden, shown): (Vec<&Command>, Vec<&Command>) =
        autodo.get_subcommands().filter(|verb| verb.get_name() != "help").partition(|verb| verb.is_hide_set());
    for verb in shown.into_iter().chain(hidden) {
        section(&mut text, verb, "##", "autodo");
    }
    text
}

/// A verb, and its own verbs below it.
fn section(text: &mut String, verb: &Command, mark: &str, above: &str) {
    let name = format!("{above} {}", verb.get_name());
    let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
    let dot = if about.ends_with('.') { "" } else { "." };
    let usage = verb.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    text.push_str(&format!("\n{mark} `{name}`\n\n{about}{dot}\n\n```text\n{usage}\n```\n"));
    let own: Vec<&Arg> = verb.get_arguments().filter(|arg| !arg.is_global_set() && !is_clap_s_own(arg)).collect();
    if !own.is_empty() {
        text.push('\n');
        arguments(text, own.into_iter());
    }
    for below in verb.get_subcommands().filter(|below| below.get_name() != "help") {
        section(text, below, &format!("{mark}#"), &name);
    }
}

fn is_clap_s_own(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version)
}

/// One line for each.
fn arguments<'a>(text: &mut String, all: impl Iterator<Item = &'a Arg>) {
    for arg in all.filter(|arg| !is_clap_s_own(arg) && !arg.is_hide_set()) {
        let value = || {
            let names = arg.get_value_names().unwrap_or_default();
            names.iter().map(|name| name.to_string()).collect::<Vec<_>>().join(" ")
        };
        let takes = arg.get_action().takes_values();
        let shown = match (arg.get_short(), arg.get_long()) {
            (None, None) => value(),
            (short, long) => {
                let short = short.map(|c| format!("-{c}"));
                let names: Vec<String> = short.into_iter().chain(long.map(|l| format!("--{l}"))).collect();
                let names = names.join(", ");
                if takes { format!("{names} {}", value()) } else { names }
            }
        };
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let default: Vec<String> =
            arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
        let default = match default.join(" ") {
            text if text.is_empty() || !takes => String::new(),
            text => format!(" (default `{text}`)"),
        };
        let words: Vec<String> = match arg.is_hide_possible_values_set() || !takes {
            true => Vec::new(),
            false => arg.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect(),
        };
        let words = if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
        text.push_str(&format!("- `{shown}`: {}{words}{default}\n", help.trim_end_matches('.')));
    }
}

const INTRODUCTION: &str = "# The command line

Made of the program's own parser; `scripts/test` fails where the two differ. `autodo help VERB` says the same.

Data goes to standard output, everything else to standard error. `--json` prints objects with `\"version\": 1`, in which
keys are only ever added, and in which null stands for what is not known. An id may be given by a unique prefix. How
it ended: see [exit codes](exit-codes.md).
";
