//! The rules of the house, as functions of texts, so that each can be shown a breach and must find it.

use super::source::{NamedPath, blanked, paths};

/// Longest source file, in lines.
pub const MOST_LINES: usize = 400;
/// Longest `mod.rs`, in lines of code.
pub const MOST_MOD_LINES: usize = 60;
/// Rooms that act on the world themselves.
pub const ACTING: [&str; 2] = ["adapters", "script"];
/// Rooms that only compute.
pub const PURE: [&str; 4] = ["domain", "format", "config", "agent"];

/// What only acting rooms may name.
const EFFECTS: [&str; 14] = [
    "std::fs",
    "std::env",
    "std::net",
    "std::os::unix::net",
    "std::process::Command",
    "std::process::exit",
    "std::thread::sleep",
    "tokio::fs",
    "tokio::net",
    "tokio::process",
    "nix",
    "git2",
    "getrandom",
    "tmux_interface",
];
/// Modules whose import as a whole would hide one of [`EFFECTS`].
const WHOLE: [&str; 4] = ["std", "std::process", "std::thread", "tokio"];
/// Calls that take the time or sleep, by their last two parts.
const CALLS: [&str; 5] = ["Instant::now", "SystemTime::now", "Timestamp::now", "Zoned::now", "thread::sleep"];
/// Deadlines of the runtime: a file that has this type in scope waits by it, and only by it. It says nothing about the
/// time of day, and a test can pause it; what is decided by time comes from `ports::clock`.
const RUNTIME_INSTANT: &str = "tokio::time::Instant";
/// Crates that pure rooms may not name at all, beside [`EFFECTS`].
const NOT_PURE: [&str; 4] = ["tokio", "tempfile", "indicatif", "anstream"];

/// A room and the rooms it may import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its folder below `src`.
    pub name: String,
    /// What it may import.
    pub may: Vec<String>,
}

/// Reads the table of rooms of `docs/design/house.md`; the error says which row is no row, or that there is none.
pub fn read_table(markdown: &str) -> Result<Vec<Room>, String> {
    let lines = markdown.lines().skip_while(|l| !l.starts_with("| room |")).skip(2).take_while(|l| l.starts_with('|'));
    let mut rooms: Vec<Room> = Vec::new();
    for line in lines {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, may] = cells.as_slice() else { return Err(format!("not three cells: {line}")) };
        let code =
            |cell: &str| cell.split('`').skip(1).step_by(2).map(|n| n.trim_end_matches('/').to_owned()).collect();
        let (names, may): (Vec<String>, Vec<String>) = (code(name), code(may));
        let [name] = names.as_slice() else { return Err(format!("not one room: {line}")) };
        if let Some(below) = may.iter().find(|m| !rooms.iter().any(|r| r.name == **m)) {
            return Err(format!("{name} may import {below}, which no row above it names"));
        }
        rooms.push(Room { name: name.clone(), may });
    }
    match rooms.is_empty() {
        true => Err("no table of rooms".to_owned()),
        false => Ok(rooms),
    }
}

/// What a source file breaks: `path` is relative to `src`, with `/`.
pub fn breaches(rooms: &[Room], path: &str, text: &str) -> Vec<String> {
    let modules: Vec<&str> = path.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
    let room = modules[0];
    if matches!(path, "lib.rs" | "main.rs") {
        return Vec::new();
    }
    let Some(row) = rooms.iter().find(|r| r.name == room) else {
        return vec![format!("src/{path}: there is no room {room} in the table")];
    };
    let tests_file = path.ends_with("/tests.rs");
    let mut found = Vec::new();
    let named_paths = paths(text);
    let waits_by_runtime = named_paths.iter().any(|p| p.text() == RUNTIME_INSTANT)
        && !named_paths.iter().any(|p| p.text() == "std::time::Instant");
    for named in named_paths {
        let runtime_now =
            named.text() == format!("{RUNTIME_INSTANT}::now") || (waits_by_runtime && named.text() == "Instant::now");
        let mut breach = |why: String| found.push(format!("src/{path}:{}: {}: {why}", named.line, named.text()));
        if let Some(why) = wrong_import(rooms, row, &named).or_else(|| wrong_climb(modules.len(), &named)) {
            breach(why);
        }
        if named.in_tests || tests_file {
            continue;
        }
        if !ACTING.contains(&room) && !runtime_now && names_effect(&named) {
            breach("the world is touched only in adapters".to_owned());
        }
        if PURE.contains(&room) && NOT_PURE.contains(&named.names[0].as_str()) {
            breach(format!("{room} only computes"));
        }
    }
    found
}

/// An import from the crate's root that the room's row does not allow.
fn wrong_import(rooms: &[Room], row: &Room, named: &NamedPath) -> Option<String> {
    if !matches!(named.names[0].as_str(), "crate" | "autodo") {
        return None;
    }
    let from = named.names.get(1).map_or("", String::as_str);
    match from {
        "" | "*" | "self" | "super" => Some("the crate as a whole must not be imported".to_owned()),
        from if from == row.name || row.may.iter().any(|m| m == from) => None,
        from if rooms.iter().any(|r| r.name == from) => Some(format!("{} may not import {from}", row.name)),
        from => Some(format!("there is no room {from} in the table")),
    }
}

/// A chain of `super` that leaves the room.
fn wrong_climb(file_depth: usize, named: &NamedPath) -> Option<String> {
    let up = named.names.iter().skip_while(|n| *n == "self").take_while(|n| *n == "super").count();
    (up > 0 && up >= file_depth + named.depth).then(|| "climbs out of its room".to_owned())
}

fn names_effect(named: &NamedPath) -> bool {
    let whole = named.names.last().is_some_and(|last| matches!(last.as_str(), "*" | "self"));
    let names = &named.names[..named.names.len() - usize::from(whole)];
    let text = names.join("::");
    let begins = |effect: &str| text == effect || text.starts_with(&format!("{effect}::"));
    let last_two = names.len().checked_sub(2).map(|from| names[from..].join("::"));
    EFFECTS.iter().any(|e| begins(e))
        || (WHOLE.contains(&text.as_str()) && (whole || names.len() > 1))
        || last_two.is_some_and(|call| CALLS.contains(&call.as_str()))
}

/// What is wrong with a file's shape: `path` is relative to the repository.
pub fn shape(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.starts_with("//!") {
        found.push(format!("{path}: does not begin with //! and what it is for"));
    }
    let lines = text.lines().count();
    if lines > MOST_LINES && !path.ends_with("/tests.rs") {
        found.push(format!("{path}: {lines} lines; at most {MOST_LINES}"));
    }
    let code = blanked(text).lines().filter(|l| !l.trim().is_empty()).count();
    if path.ends_with("/mod.rs") && code > MOST_MOD_LINES {
        found.push(format!("{path}: {code} lines of code; a mod.rs has at most {MOST_MOD_LINES}"));
    }
    found
}

/// True if `parent` (a source) declares the module `name`.
pub fn declares(parent: &str, name: &str) -> bool {
    let text = blanked(parent);
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ';')).filter(|w| !w.is_empty());
    let declared = format!("{name};");
    while let Some(word) = words.next() {
        if word == "mod" && words.clone().next() == Some(declared.as_str()) {
            return true;
        }
    }
    false
}

/// Lines that name a folder of the machine the text was written on: one of `own` (absolute paths), or a home folder
/// of a person who is not one of the usual examples.
pub fn machine_paths(text: &str, own: &[String]) -> Vec<String> {
    let examples = ["me", "you", "user", "u", "a", "ada", "alice", "bob", "dev", "x"];
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut foreign_home = ["home", "Users"].iter().flat_map(|folder| {
            // The folder at the root, not one of that name below another.
            let mark = format!("/{folder}/");
            let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "~_-.".contains(c));
            let at_root = line.match_indices(&mark).filter(|(at, _)| begins(*at));
            let parts: Vec<String> = at_root.map(|(at, _)| line[at + mark.len()..].to_owned()).collect();
            parts
        });
        let names_person = foreign_home.any(|rest| {
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect();
            !name.is_empty() && !examples.contains(&name.as_str())
        });
        if names_person || own.iter().any(|path| contains_path(line, path)) {
            found.push(format!("{}: {}", number + 1, line.trim()));
        }
    }
    found
}

/// True if `line` holds `path` with nothing before or behind it that makes it another path.
fn contains_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let before = line[..at].chars().next_back();
        let behind = line[at + path.len()..].chars().next();
        !before.is_some_and(|c| word(c) || matches!(c, '/' | '~' | '}')) && !behind.is_some_and(word)
    })
}
