//! What a shell asks while a command line is typed: which words could come next, tickets and profiles among them.
//!
//! `main` comes here before all else when the script that `autodo completions` prints sets [`VARIABLE`]. Nothing is
//! ever said but the words: what cannot be read is not offered.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use clap::{Arg, Command, ValueHint};
use clap_complete::{
    engine::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter},
    env::Shells,
};

use crate::{
    adapters::{env, fs, home::Home, store},
    app::{open::home_folder, profiles::LayeredProfiles},
    cli::ui,
    domain::{glance::Glance, observed::Observed},
};

/// The variable that holds the shell's name while it asks.
pub const VARIABLE: &str = "_AUTODO_COMPLETE";

/// Answers a shell that asks; `None`: none does, the command line is to be run.
#[must_use]
pub fn answer() -> Option<()> {
    let shell = env::var(VARIABLE)?;
    let mut arguments: Vec<std::ffi::OsString> = env::arguments().collect();
    let words = arguments.iter().position(|word| word == "--").map(|at| arguments.split_off(at + 1));
    let shells = Shells::builtins();
    if let (Some(words), Some(shell)) = (words, shell.to_str().and_then(|name| shells.completer(name))) {
        let mut line = Line::of(&words);
        // What is being typed may be whole already: it is offered, and a space after it.
        line.typed.remove(&*begun(&words).to_string_lossy());
        let folder = line.folder.clone();
        let mut text = Vec::new();
        // Ignored: a shell that gets no words offers none.
        let mut command = command(&line);
        if !begun(&words).as_encoded_bytes().starts_with(b"-") {
            command.build();
            command = without_options(command);
        }
        if shell.write_complete(&mut command, words, folder.as_deref(), &mut text).is_ok() {
            // As it is: between the words stand characters that are no text.
            ui::out_bytes(&text);
        }
    }
    Some(())
}

/// The word that is being typed.
fn begun(words: &[OsString]) -> &OsStr {
    // Some shells hand over all words and a place, others those up to the one that is being typed.
    let index = env::var("_CLAP_COMPLETE_INDEX").and_then(|index| index.to_str()?.parse::<usize>().ok());
    let word = index.map_or_else(|| words.last(), |index| words.get(index));
    word.map_or(OsStr::new(""), OsString::as_os_str)
}

/// `command` with its options behind all else that could come next: the only blocked ticket is what a person means who
/// has typed no dash.
fn without_options(command: Command) -> Command {
    let hidden = |arg: Arg| if arg.is_positional() { arg } else { arg.hide(true) };
    command.mut_args(hidden).mut_subcommands(without_options)
}

/// What an argument takes.
#[derive(Clone, Copy)]
enum Takes {
    /// Tickets of the queue with one of these statuses; all where none is named.
    Tickets(&'static [&'static str]),
    /// Tickets that have been worked on.
    Worked,
    /// Files of tickets, or their names in the project's folder of tickets.
    TicketFiles,
    /// Names of tickets in the project's folder of tickets.
    TicketNames,
    /// Profiles.
    Profiles,
    /// One of these words, or anything else.
    Words(&'static [&'static str]),
    /// A folder.
    Folder,
}

/// The arguments for which there is something to offer, as `verb argument`; those of every verb have no verb.
const TABLE: &[(&str, Takes)] = {
    use Takes::{Folder, Profiles, TicketFiles, TicketNames, Tickets, Words, Worked};
    &[
        ("home", Folder),
        ("folder", Folder),
        ("add after", Tickets(&["queued", "running", "blocked", "parked", "needs_review", "reviewed"])),
        ("add profile", Profiles),
        ("import paths", TicketFiles),
        ("import only", TicketNames),
        ("dispatch paths", TicketFiles),
        ("dispatch only", TicketNames),
        ("show id", Tickets(&[])),
        ("review id", Worked),
        ("review tier", Words(&["low", "medium", "high", "blocked"])),
        ("diff id", Worked),
        ("logs id", Tickets(&[])),
        ("path id", Tickets(&[])),
        ("approve ids", Tickets(&["needs_review"])),
        ("reject id", Tickets(&["needs_review", "reviewed"])),
        ("answer id", Tickets(&["blocked"])),
        ("answer text", Words(&["allow", "deny", "always"])),
        ("send id", Tickets(&["running"])),
        ("attach id", Tickets(&["running", "blocked"])),
        ("stop ids", Tickets(&["running", "blocked", "queued"])),
        ("resume ids", Tickets(&["parked"])),
        ("retry ids", Tickets(&["failed", "parked", "blocked", "needs_review", "reviewed", "cancelled"])),
        ("cancel ids", Tickets(&["queued", "running", "blocked", "parked", "needs_review", "failed"])),
        ("wait ids", Tickets(&["queued", "running"])),
        ("clean ids", Tickets(&["reviewed", "landed", "failed", "cancelled"])),
        ("rescue restore into", Folder),
        ("profile show name", Profiles),
        ("debug bundle id", Tickets(&[])),
        ("debug screen profile", Profiles),
    ]
};

/// The command line with what its arguments take.
fn command(line: &Line) -> Command {
    let mut command = crate::cli::command();
    for (name, takes) in TABLE {
        let path: Vec<&str> = name.split(' ').collect();
        command = set(command, &path, &|arg| taking(arg, *takes, line));
    }
    command
}

/// `command` with the argument at `path` changed.
fn set(command: Command, path: &[&str], change: &dyn Fn(Arg) -> Arg) -> Command {
    match path {
        [arg] if command.get_arguments().any(|known| known.get_id() == *arg) => command.mut_arg(*arg, change),
        [verb, rest @ ..] if command.find_subcommand(verb).is_some() => {
            command.mut_subcommand(*verb, |below| set(below, rest, change))
        }
        _ => command,
    }
}

fn taking(arg: Arg, takes: Takes, line: &Line) -> Arg {
    let line = line.clone();
    match takes {
        Takes::Folder => arg.value_hint(ValueHint::DirPath),
        Takes::Words(words) => {
            arg.add(ArgValueCandidates::new(move || words.iter().map(CompletionCandidate::new).collect()))
        }
        Takes::Tickets(statuses) => arg.add(ArgValueCandidates::new(move || {
            line.tickets(|glance| statuses.is_empty() || statuses.contains(&glance.status.as_str()))
        })),
        Takes::Worked => arg.add(ArgValueCandidates::new(move || line.tickets(|glance| glance.worked_s.is_some()))),
        Takes::Profiles => arg.add(ArgValueCandidates::new(move || line.profiles())),
        Takes::TicketNames => arg.add(ArgValueCandidates::new(move || line.ticket_names())),
        Takes::TicketFiles => arg.add(ArgValueCompleter::new(move |begun: &OsStr| {
            let names = line.ticket_names().into_iter();
            let fits =
                |name: &CompletionCandidate| name.get_value().as_encoded_bytes().starts_with(begun.as_encoded_bytes());
            let mut found: Vec<CompletionCandidate> = names.filter(fits).collect();
            found.extend(PathCompleter::any().complete(begun));
            found
        })),
    }
}

/// What the words typed so far say of where to look.
#[derive(Clone, Default)]
struct Line {
    home: Option<PathBuf>,
    folder: Option<PathBuf>,
    typed: BTreeSet<String>,
}

impl Line {
    fn of(words: &[OsString]) -> Self {
        let mut line = Self { folder: env::current_dir().ok(), ..Self::default() };
        // Ignored above: without a current folder its project is not known.
        let mut words = words.iter().skip(1);
        while let Some(word) = words.next() {
            let text = word.to_string_lossy();
            let (option, value) = match text.split_once('=') {
                Some(("--home", value)) => ("--home", Some(OsString::from(value))),
                _ if text == "--home" || text == "-C" => (&*text, words.next().cloned()),
                _ if text.starts_with("-C") => ("-C", Some(OsString::from(&text[2..]))),
                _ => {
                    line.typed.insert(text.into_owned());
                    continue;
                }
            };
            match (option, value.map(|value| unfolded(Path::new(&value)))) {
                ("--home", Some(home)) => line.home = Some(home),
                (_, Some(folder)) => line.folder = line.folder.map(|current| current.join(folder)),
                (_, None) => {}
            }
        }
        line
    }

    /// Where the home is, without making it.
    fn home(&self) -> Option<Home> {
        // Ignored below: where there is no home there are no tickets.
        Home::look(&home_folder(self.home.clone()).ok()?).ok()
    }

    /// The project that the folder is in.
    fn project(&self) -> Option<&Path> {
        self.folder
            .as_deref()?
            .ancestors()
            .find(|folder| fs::look_kind(&folder.join(".autodo")) == Observed::Present(fs::Kind::Folder))
    }

    /// The tickets that fit, with their titles; those that stand on the line already are not offered again.
    fn tickets(&self, fits: impl Fn(&Glance) -> bool) -> Vec<CompletionCandidate> {
        let seen = self.home().and_then(|home| store::read_glances(&home).ok());
        let glances = seen.map(|(glances, _)| glances).unwrap_or_default();
        let fitting = glances.iter().filter(|glance| fits(glance) && !self.typed.contains(glance.id.as_str()));
        fitting
            .map(|glance| {
                let title = format!("{} · {}", glance.status, ui::plain(&glance.title));
                CompletionCandidate::new(glance.id.as_str()).help(Some(title.into()))
            })
            .collect()
    }

    fn profiles(&self) -> Vec<CompletionCandidate> {
        let Some(home) = self.home() else { return Vec::new() };
        let (library, _) = LayeredProfiles::new(home.root()).library(self.project());
        library
            .names()
            .into_iter()
            .map(|(name, origin)| CompletionCandidate::new(name).help(Some(origin.to_owned().into())))
            .collect()
    }

    /// The names of the files in the project's folder of tickets.
    fn ticket_names(&self) -> Vec<CompletionCandidate> {
        let Some(project) = self.project() else { return Vec::new() };
        let Observed::Present(files) = fs::list_dir(&project.join(".autodo/tickets")) else { return Vec::new() };
        let names = files.into_iter().map(|file| PathBuf::from(file.name));
        let tickets = names.filter(|name| name.extension().is_some_and(|end| end == "md"));
        let mut names: Vec<OsString> = tickets.filter_map(|name| Some(name.file_stem()?.to_owned())).collect();
        names.sort();
        names.into_iter().map(CompletionCandidate::new).collect()
    }
}

/// `path` as the shell would make it: it hands words over as they were typed.
fn unfolded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), env::home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The arguments of `command` and of its verbs, as the table names them, each with what help calls its value.
    fn arguments(command: &Command, above: &str, all: &mut BTreeMap<String, String>) {
        for arg in command.get_arguments().filter(|arg| arg.is_global_set() == above.is_empty()) {
            let value = arg.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
            all.insert(format!("{above}{}", arg.get_id()), value.unwrap_or_default());
        }
        for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help") {
            arguments(verb, &format!("{above}{} ", verb.get_name()), all);
        }
    }

    #[test]
    fn the_table_names_arguments_that_there_are_and_all_that_take_a_ticket_or_a_profile() {
        let mut all = BTreeMap::new();
        let mut command = crate::cli::command();
        command.build();
        arguments(&command, "", &mut all);
        let named: BTreeSet<&str> = TABLE.iter().map(|(name, _)| *name).collect();
        assert_eq!(named.len(), TABLE.len());
        let gone: Vec<&&str> = named.iter().filter(|name| !all.contains_key(**name)).collect();
        assert!(gone.is_empty(), "{gone:?}");
        // The id of a new ticket is nobody's yet.
        let takes_one = |name: &str, value: &str| (value == "ID" && name != "add id") || name.ends_with("profile");
        let left: Vec<&String> =
            all.iter().filter(|(name, value)| takes_one(name, value)).map(|(name, _)| name).collect();
        assert!(left.len() > 15 && left.iter().all(|name| named.contains(name.as_str())), "{left:?}");
    }

    #[test]
    fn the_line_says_where_to_look() {
        let words = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
        let home = env::home().unwrap();
        let line = Line::of(&words("autodo --home ~/x -C /p show A-1 B"));
        assert_eq!((line.home, line.folder.as_deref()), (Some(home.join("x")), Some(Path::new("/p"))));
        assert_eq!(line.typed, BTreeSet::from(["show".to_owned(), "A-1".to_owned(), "B".to_owned()]));
        let line = Line::of(&words("autodo show --home=/h -C/p/q"));
        assert_eq!((line.home, line.folder.as_deref()), (Some(PathBuf::from("/h")), Some(Path::new("/p/q"))));
        assert_eq!(Line::of(&words("autodo --home")).home, None);
    }
}
