//! Markdown tickets: text to ticket, with every error at its line.
//!
//! A ticket is YAML front matter, which may be missing, and a body in Markdown. All mistakes of a file are found in
//! one go, so that its author mends them in one go.

mod checklist;
mod keys;
mod list;
mod name;
mod sections;

use crate::domain::{
    id::TicketId,
    ticket::{DEFAULT_PRIORITY, Ticket},
};

use super::{
    frontmatter::{self, FrontError},
    problem::Problem,
};
use keys::{Field, Reader};

pub use checklist::{is_checklist, parse_checklist, tick};
pub use list::{Listed, parse_lines, parse_list};
pub use name::id_of_name;
pub use sections::{RunBlock, acceptance, run_blocks, run_blocks_of};

/// The keys of a ticket's front matter, in the order in which they are written.
pub const KEYS: [&str; 10] =
    ["id", "title", "priority", "after", "profile", "labels", "accept", "limit", "budget", "unattended"];

/// Reads a ticket. `file` is the file as shown to people, `stem` its name without `.md`, from which an id and a title
/// are made where the ticket names none.
///
/// # Errors
/// Every mistake of the file, in the order of its lines.
pub fn parse_ticket(file: &str, stem: &str, text: &str) -> Result<Ticket, Vec<Problem>> {
    // Lines of the snippets are those of the text without its byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::new(file, text, 1);
    let split = match frontmatter::split(text) {
        Ok(split) => split,
        Err(error) => return Err(vec![front_problem(file, text, &error)]),
    };
    let entries = match split.yaml.map(frontmatter::entries) {
        None => Vec::new(),
        Some(Ok(entries)) => entries,
        Some(Err(error)) => return Err(vec![front_problem(file, text, &error)]),
    };
    let fields: Vec<Field> =
        entries.into_iter().map(|e| Field { key: e.key, place: e.place, value: e.value }).collect();
    reader.known_once(&fields, &KEYS);
    let title = match fields.iter().find(|field| field.key == "title") {
        Some(field) => reader.title(&field.value),
        None => Some(title_of(split.body, stem)),
    };
    let ticket = ticket_of(&mut reader, &fields, title, |_| id_of_name(stem), split.body.to_owned());
    whole(ticket, reader)
}

/// The ticket, if nothing in its file was wrong.
fn whole<T>(read: Option<T>, mut reader: Reader<'_>) -> Result<T, Vec<Problem>> {
    match read {
        Some(read) if reader.problems.is_empty() => Ok(read),
        _ => {
            reader.problems.sort_by_key(|p| (p.line, p.column));
            Err(reader.problems)
        }
    }
}

/// A ticket of its keys; `id` makes one of its title where none is given.
fn ticket_of(
    reader: &mut Reader<'_>,
    fields: &[Field],
    title: Option<String>,
    id: impl FnOnce(&str) -> TicketId,
    body: String,
) -> Option<Ticket> {
    let find = |key: &str| fields.iter().find(|field| field.key == key);
    let id = match (find("id"), &title) {
        (Some(field), _) => reader.id(&field.value),
        (None, Some(title)) => Some(id(title)),
        (None, None) => None,
    };
    let priority = find("priority").map_or(Some(DEFAULT_PRIORITY), |e| reader.priority(&e.value));
    let after = find("after").map_or_else(Vec::new, |e| reader.ids("after", &e.value));
    let profile = find("profile").and_then(|e| reader.profile(&e.value));
    let labels = find("labels").map_or_else(Vec::new, |e| reader.words("labels", &e.value));
    let accept = find("accept").map_or_else(Vec::new, |e| reader.commands("accept", &e.value));
    let limit_s = find("limit").and_then(|e| reader.limit(&e.value));
    let budget = find("budget").and_then(|e| reader.budget(&e.value));
    let unattended = find("unattended").is_none_or(|e| reader.truth("unattended", &e.value).unwrap_or(true));

    Some(Ticket {
        id: id?,
        title: title?,
        body,
        priority: priority?,
        after,
        profile,
        labels,
        accept,
        limit_s,
        budget,
        unattended,
    })
}

/// The problem that a front matter which cannot be read at all is.
pub(in crate::format) fn front_problem(file: &str, text: &str, error: &FrontError) -> Problem {
    let hint = match error {
        FrontError::Unclosed => "write a line `---` below the keys, or begin the file with something else",
        FrontError::Yaml(_) => "write each key as `key: value`; put text with `:`, `#` or quotes between quotes",
        FrontError::NotAMap { .. } => "write each key as `key: value`",
    };
    Problem::new(file, text, error.place(), &error.to_string(), hint)
}

/// The first heading of level 1 that says something, else the name; control characters become spaces.
fn title_of(body: &str, stem: &str) -> String {
    let heading = sections::first_heading(body).unwrap_or(stem);
    let title: String = heading.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
    match title.trim() {
        "" => "untitled".to_owned(),
        title => title.to_owned(),
    }
}

/// True for characters that cannot stand in one line of text: control characters and Unicode's own line ends.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
