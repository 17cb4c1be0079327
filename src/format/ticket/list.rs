//! Backlogs that are lists of tickets: `queue.yaml`, and JSON with a ticket a line, as commands of trackers print it.

use super::{
    KEYS, Ticket,
    keys::{Field, Reader},
    name::id_of_name,
    ticket_of, whole,
};
use crate::format::{
    problem::{Place, Problem},
    yaml::{self, Node, Value},
};

/// A ticket of a list, and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Line of the file, from 1.
    pub line: usize,
    /// The ticket.
    pub ticket: Ticket,
}

impl Listed {
    /// All that the ticket says, in one text: equal as long as nobody edited it, wherever it stands.
    #[must_use]
    pub fn words(&self) -> String {
        let ticket = &self.ticket;
        let after: Vec<&str> = ticket.after.iter().map(|id| id.as_str()).collect();
        serde_json::json!([
            ticket.id,
            ticket.title,
            ticket.body,
            ticket.priority,
            after,
            ticket.profile,
            ticket.labels,
            ticket.accept,
            ticket.limit_s,
            ticket.budget,
            ticket.unattended,
        ])
        .to_string()
    }
}

/// Reads a list of tickets: YAML, of which JSON is a part. Each has the keys of a ticket's front matter and `body`;
/// a `title` it must have. An id that is not given is made from the title.
///
/// # Errors
/// Every mistake, in the order of the lines.
pub fn parse_list(file: &str, text: &str) -> Result<Vec<Listed>, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    const HINT: &str = "write `- title: …` for each ticket; put text with `:`, `#` or quotes between quotes";
    let root =
        yaml::parse(text).map_err(|error| vec![Problem::new(file, text, error.place, &error.to_string(), HINT)])?;
    let mut reader = Reader::new(file, text, 0);
    let tickets = match &root.value {
        Value::Null => Some(Vec::new()),
        Value::List(items) => {
            let read: Vec<Option<Listed>> = items.iter().map(|item| item_of(&mut reader, item)).collect();
            read.into_iter().collect()
        }
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
            reader.at(&root, &format!("a backlog must be a list of tickets, not {}", root.value.kind()), HINT)
        }
    };
    whole(tickets, reader)
}

/// Reads tickets as JSON, one on each line that is not blank.
///
/// # Errors
/// Every mistake, in the order of the lines.
pub fn parse_lines(file: &str, text: &str) -> Result<Vec<Listed>, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut tickets = Vec::new();
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let mut reader = Reader::new(file, text, index);
        const HINT: &str = "each line is one ticket: {\"title\": \"…\", \"body\": \"…\"}";
        // YAML would take more than JSON: the first to say no is JSON itself.
        let is_json = serde_json::from_str::<serde_json::Value>(line);
        let read = match (is_json, yaml::parse(line)) {
            (Err(error), _) => {
                let place = Place { line: index + 1, column: error.column().max(1), len: 1 };
                let what = error.to_string();
                let what = what.split(" at line ").next().unwrap_or("it is not JSON");
                reader.wrong(place, &format!("it is not JSON: {what}"), HINT);
                None
            }
            (Ok(_), Err(error)) => {
                reader.wrong(error.place.below(index), &error.to_string(), HINT);
                None
            }
            (Ok(_), Ok(node)) => {
                item_of(&mut reader, &node).map(|listed| Listed { line: listed.line + index, ..listed })
            }
        };
        match whole(read, reader) {
            Ok(listed) => tickets.push(listed),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(tickets) } else { Err(problems) }
}

fn item_of(reader: &mut Reader<'_>, node: &Node) -> Option<Listed> {
    const HINT: &str = "write `- title: …`, with the other keys below it";
    let Value::Map(map) = &node.value else {
        return reader.not("ticket", "keys and values", node, HINT);
    };
    let fields: Vec<Field> = map
        .iter()
        .map(|(key, value)| Field {
            key: key.as_text().map_or_else(|| format!("({})", key.value.kind()), str::to_owned),
            place: reader.place_of(key),
            value: value.clone(),
        })
        .collect();
    let known: Vec<&str> = KEYS.into_iter().chain(["body"]).collect();
    reader.known_once(&fields, &known);
    let find = |name: &str| fields.iter().find(|field| field.key == name);
    let title = match find("title") {
        Some(field) => reader.title(&field.value),
        None => reader.at(node, "the ticket has no title", HINT),
    };
    let body = match find("body") {
        None => Some(String::new()),
        Some(field) if field.value.value == Value::Null => Some(String::new()),
        Some(field) => match field.value.as_text() {
            Some(text) if text.is_empty() || text.ends_with('\n') => Some(text.to_owned()),
            Some(text) => Some(format!("{text}\n")),
            None => reader.not("body", "text", &field.value, "write `body: |` with the text indented below it"),
        },
    }?;
    let ticket = ticket_of(reader, &fields, title, id_of_name, body)?;
    Some(Listed { line: node.place.line.max(1), ticket })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_is_read_with_all_keys() {
        let text = "# mine\n- title: Fix the flaky login test\n  priority: 1\n- {id: T-3, title: \"Update: all\", after: \
                    [T-1], body: \"From the last ten commits.\"}\n";
        let read = parse_list("queue.yaml", text).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].line, read[0].ticket.id.as_str()), (2, "Fix-the-flaky-login-test"));
        assert_eq!((read[0].ticket.priority, read[0].ticket.body.as_str()), (1, ""));
        assert_eq!((read[1].line, read[1].ticket.title.as_str()), (4, "Update: all"));
        assert_eq!(read[1].ticket.body, "From the last ten commits.\n");
        assert_eq!(read[1].ticket.after[0].as_str(), "T-1");
        assert_eq!(parse_list("q", "# nothing\n").unwrap(), []);
    }

    #[test]
    fn each_mistake_is_told_at_its_line() {
        let found =
            parse_list("q.yaml", "- title: a\n  prio: 1\n- body: b\n- 7\n- title: c\n  body: [x]\n").unwrap_err();
        let told: Vec<(usize, &str)> = found.iter().map(|p| (p.line, p.message.as_str())).collect();
        assert_eq!(
            told,
            [
                (2, "unknown key `prio`"),
                (3, "the ticket has no title"),
                (4, "`ticket` must be keys and values, not a number"),
                (6, "`body` must be text, not a list")
            ]
        );
        let found = parse_list("q.yaml", "title: a\n").unwrap_err();
        assert!(found[0].message.contains("must be a list of tickets"), "{found:?}");
    }

    #[test]
    fn lines_of_json_are_read_one_by_one() {
        let text = "{\"title\": \"a\", \"body\": \"x\\ny\"}\n\n{\"id\": \"T-2\", \"title\": \"b\"}\n";
        let read = parse_lines("-", text).unwrap();
        assert_eq!(read.iter().map(|l| (l.line, l.ticket.id.as_str())).collect::<Vec<_>>(), [(1, "a"), (3, "T-2")]);
        assert_eq!(read[0].ticket.body, "x\ny\n");
        let found = parse_lines("-", "{\"title\": \"a\"}\ntitle: b\n{\"titel\": 1}\n").unwrap_err();
        let told: Vec<usize> = found.iter().map(|p| p.line).collect();
        assert_eq!(told, [2, 3, 3], "{found:?}");
    }

    proptest! {
        #[test]
        fn any_text_gives_tickets_or_problems(text in any::<String>(), lump in "[-{}:,\"\\[\\] \nabtile]{0,60}") {
            for text in [text, lump] {
                drop(parse_list("f", &text));
                drop(parse_lines("f", &text));
            }
        }
    }
}
