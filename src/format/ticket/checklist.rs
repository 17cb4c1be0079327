//! A Markdown checklist as a backlog: each open box at the margin is a ticket, the indented text below it its body.
//!
//! ```markdown
//! - [ ] Refactor resolve.py   <!-- for readers only -->
//!       what is to be done, in Markdown
//! - [ ] Speed it up {#T-7 .perf priority=1 after=T-3,T-4 profile=claude limit=2h}
//! - [x] done already
//! ```
//!
//! The id comes from the title, so that it stays whatever moves and whatever becomes of the body; `{#T-7}` fixes it
//! while the title changes. All else in the file is its author's own and means nothing here.

use super::{
    Ticket,
    keys::{Field, Reader},
    list::Listed,
    name::id_of_name,
    ticket_of, whole,
};
use crate::{
    domain::id::TicketId,
    format::{
        markdown::{self, Kind, Line},
        problem::{Place, Problem},
        yaml::{Node, Value},
    },
};

/// Keys that can stand between the braces, beside `#id` and `.label`.
const ATTRIBUTES: [&str; 5] = ["priority", "after", "profile", "limit", "budget"];

/// Columns that a tab counts for.
const TAB: usize = 4;

/// True if a text is a checklist rather than one ticket: it has no front matter, and a box at the margin that is no
/// acceptance criterion.
#[must_use]
pub fn is_checklist(text: &str) -> bool {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let has_front_matter = text.lines().next().is_some_and(|line| line.trim_end() == "---");
    let criteria: Vec<usize> = markdown::section(text, "acceptance").iter().map(|line| line.number).collect();
    !has_front_matter && items(text).iter().any(|item| !criteria.contains(&item.line))
}

/// Reads the open tickets of a checklist. What depends on a ticked one depends on nothing any more.
///
/// # Errors
/// Every mistake, in the order of the lines.
pub fn parse_checklist(file: &str, text: &str) -> Result<Vec<Listed>, Vec<Problem>> {
    let mut reader = Reader::new(file, text, 0);
    let mut open = Vec::new();
    let mut done = Vec::new();
    let mut all_read = Some(());
    for item in items(text) {
        match item.read(&mut reader) {
            Some(ticket) if item.ticked => done.push(ticket.id),
            Some(ticket) => open.push(Listed { line: item.line, ticket }),
            // What is ticked was right for somebody.
            None if item.ticked => {}
            None => all_read = None,
        }
    }
    for listed in &mut open {
        listed.ticket.after.retain(|after| !done.iter().any(|id| id.folded() == after.folded()));
    }
    whole(all_read.map(|()| open), reader)
}

/// The text with the box of the ticket `id` ticked, the rest byte for byte as it was; `None`: no open box is its.
#[must_use]
pub fn tick(text: &str, id: &TicketId) -> Option<String> {
    let is_its = |item: &Item<'_>| {
        let mut reader = Reader::new("", text, 0);
        item.read(&mut reader).is_some_and(|ticket| ticket.id.folded() == id.folded())
    };
    let item = items(text).into_iter().find(|item| !item.ticked && is_its(item))?;
    let start: usize = text.split_inclusive('\n').take(item.line - 1).map(str::len).sum();
    let at = start + text[start..].find("[ ]")?;
    Some(format!("{}[x]{}", &text[..at], &text[at + 3..]))
}

/// A box at the margin, and what belongs to it.
struct Item<'a> {
    line: usize,
    ticked: bool,
    /// The line as it stands.
    text: &'a str,
    /// What stands behind the box.
    head: &'a str,
    body: Vec<&'a str>,
}

fn items(text: &str) -> Vec<Item<'_>> {
    let mut all: Vec<Item<'_>> = Vec::new();
    // True while lines can belong to the last item; and while a fence is open that does.
    let (mut open, mut fenced) = (false, false);
    for line in markdown::lines(text) {
        let Line { number, text, kind } = line;
        let indented = text.starts_with("  ") || text.starts_with('\t');
        let follows = all.last().is_some_and(|item| item.body.last().is_none_or(|last| !last.trim().is_empty()));
        let belongs = match kind {
            Kind::Code(_) | Kind::FenceClose => fenced,
            Kind::FenceOpen(_) => {
                fenced = open && indented;
                fenced
            }
            Kind::Heading(..) => open && indented,
            Kind::Comment => {
                // At the margin it is a remark between the lines, and ends nothing.
                if open && !indented {
                    continue;
                }
                open
            }
            Kind::Text => {
                if let Some((ticked, head)) = boxed(text) {
                    all.push(Item { line: number, ticked, text, head, body: Vec::new() });
                    (open, fenced) = (true, false);
                    continue;
                }
                // Markdown takes a line that follows at once for a part of the item, however it begins.
                open && (indented || text.trim().is_empty() || (follows && !is_list(text)))
            }
        };
        open = belongs || (open && matches!(kind, Kind::Comment));
        if let Some(item) = all.last_mut().filter(|_| belongs) {
            item.body.push(text);
        }
    }
    all
}

/// What stands behind a box at the margin, and whether it is ticked.
fn boxed(line: &str) -> Option<(bool, &str)> {
    let rest = line.strip_prefix(' ').unwrap_or(line);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = match digits {
        0 => rest.strip_prefix(['-', '*', '+'])?,
        1..=9 => rest[digits..].strip_prefix(['.', ')'])?,
        _ => return None,
    };
    let rest = rest.strip_prefix([' ', '\t'])?.trim_start();
    let (ticked, rest) = match (rest.strip_prefix("[ ]"), rest.strip_prefix("[x]").or(rest.strip_prefix("[X]"))) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return None,
    };
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| (ticked, rest.trim()))
}

fn is_list(line: &str) -> bool {
    let rest = line.trim_start();
    rest.strip_prefix(['-', '*', '+']).is_some_and(|rest| rest.starts_with([' ', '\t']))
}

impl Item<'_> {
    fn read(&self, reader: &mut Reader<'_>) -> Option<Ticket> {
        let head = without_comments(self.head);
        let (title, braces) = split_braces(head.trim());
        let here = |words: &str| Place {
            line: self.line,
            column: self.text.find(words).map_or(1, |at| self.text[..at].chars().count() + 1),
            len: words.chars().count(),
        };
        let title_node = Node { value: Value::Text(title.to_owned()), place: here(title) };
        let title = if title.is_empty() {
            reader.at(
                &Node { value: Value::Null, place: Place::line(self.line, self.text) },
                "the ticket has no title",
                "write what is to be done behind the box",
            )
        } else {
            reader.title(&title_node)
        };
        let fields = self.fields(reader, braces.unwrap_or_default(), here);
        ticket_of(reader, &fields, title, id_of_name, dedented(&self.body))
    }

    fn fields(&self, reader: &mut Reader<'_>, braces: &str, here: impl Fn(&str) -> Place) -> Vec<Field> {
        const HINT: &str =
            "between the braces: #T-7, .label, priority=1, after=T-1,T-2, profile=claude, limit=2h, budget=5";
        let text = |words: &str| Node { value: Value::Text(words.to_owned()), place: here(words) };
        let mut fields = Vec::new();
        let mut labels = Vec::new();
        for word in braces.split_whitespace() {
            let field = |key: &str, value| Field { key: key.to_owned(), place: here(word), value };
            if let Some(id) = word.strip_prefix('#') {
                fields.push(field("id", text(id)));
            } else if let Some(label) = word.strip_prefix('.') {
                labels.push(text(label));
            } else if let Some((key, value)) = word.split_once('=').filter(|(key, _)| ATTRIBUTES.contains(key)) {
                let value = match key {
                    "priority" => Node { value: Value::Number(value.to_owned()), place: here(value) },
                    "after" => Node { value: Value::List(value.split(',').map(text).collect()), place: here(value) },
                    _ => text(value),
                };
                fields.push(field(key, value));
            } else {
                reader.wrong(here(word), &format!("{word:?} says nothing between braces"), HINT);
            }
        }
        reader.known_once(&fields, &super::KEYS);
        if !labels.is_empty() {
            let value = Node { value: Value::List(labels), place: here(braces) };
            fields.push(Field { key: "labels".to_owned(), place: here(braces), value });
        }
        fields
    }
}

/// Title and what stands between the braces at its end. Braces that begin with neither `#`, `.` nor a key are words.
fn split_braces(head: &str) -> (&str, Option<&str>) {
    let split = || {
        let (title, braces) = head.strip_suffix('}')?.rsplit_once('{')?;
        let first = braces.split_whitespace().next()?;
        let key = first.split_once('=').is_some_and(|(key, _)| ATTRIBUTES.contains(&key));
        (first.starts_with(['#', '.']) || key).then(|| (title.trim_end(), braces))
    };
    split().map_or((head, None), |(title, braces)| (title, Some(braces)))
}

/// The words without `<!-- remarks -->`; one that is not closed goes on to the end.
fn without_comments(words: &str) -> String {
    let mut left = String::new();
    let mut rest = words;
    while let Some((before, comment)) = rest.split_once("<!--") {
        left.push_str(before);
        rest = comment.split_once("-->").map_or("", |(_, after)| after);
    }
    left + rest
}

/// The lines without the indentation that they share; blank ones at both ends go.
fn dedented(lines: &[&str]) -> String {
    let expanded: Vec<String> = lines.iter().map(|line| spaced(line)).collect();
    let shared = expanded.iter().filter(|line| line.starts_with(' ') && !line.trim().is_empty());
    let shared = shared.map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or(0);
    let cut = |line: &String| {
        let own = line.len() - line.trim_start_matches(' ').len();
        line[own.min(shared)..].trim_end().to_owned()
    };
    let body = expanded.iter().map(cut).collect::<Vec<_>>().join("\n");
    let body = body.trim_matches('\n');
    if body.is_empty() { String::new() } else { format!("{body}\n") }
}

/// The line with the tabs at its beginning as spaces.
fn spaced(line: &str) -> String {
    let rest = line.trim_start_matches([' ', '\t']);
    let width = line[..line.len() - rest.len()].chars().map(|c| if c == '\t' { TAB } else { 1 }).sum();
    " ".repeat(width) + rest
}

#[cfg(test)]
mod tests;
