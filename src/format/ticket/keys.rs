//! Reads the keys of a ticket's front matter and collects what is wrong with them.

use crate::domain::{id::TicketId, usage::MicroUsd};

use crate::format::{
    money,
    problem::{Place, Problem},
    time::parse_duration,
    yaml::{Node, Value},
};

/// Words of other tools for keys of ours.
const SYNONYMS: [(&str, &str); 10] = [
    ("depends_on", "after"),
    ("dependencies", "after"),
    ("depends", "after"),
    ("blocked_by", "after"),
    ("name", "title"),
    ("tags", "labels"),
    ("agent", "profile"),
    ("timeout", "limit"),
    ("checks", "accept"),
    ("acceptance", "accept"),
];

/// A key with its value.
pub(super) struct Field {
    /// The key.
    pub(super) key: String,
    /// Where it stands in the file.
    pub(super) place: Place,
    /// Its value; places count from the first line of the YAML.
    pub(super) value: Node,
}

/// Reads values of one file; each value that is wrong adds a problem.
pub(super) struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    /// Lines of the file above the YAML.
    above: usize,
    /// What is wrong, in the order in which it was found.
    pub(super) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// `above`: lines of the file above the YAML whose values are read.
    pub(super) fn new(file: &'a str, text: &'a str, above: usize) -> Self {
        Self { file, text, above, problems: Vec::new() }
    }

    pub(super) fn wrong(&mut self, place: Place, message: &str, hint: &str) {
        self.problems.push(Problem::new(self.file, self.text, place, message, hint));
    }

    /// Where a node of the YAML stands in the file.
    pub(super) fn place_of(&self, node: &Node) -> Place {
        node.place.below(self.above)
    }

    /// A problem at a value.
    pub(super) fn at<T>(&mut self, node: &Node, message: &str, hint: &str) -> Option<T> {
        self.wrong(node.place.below(self.above), message, hint);
        None
    }

    pub(super) fn not<T>(&mut self, key: &str, wanted: &str, node: &Node, hint: &str) -> Option<T> {
        let message = format!("`{key}` must be {wanted}, not {}", node.value.kind());
        self.at(node, &message, hint)
    }

    /// Every key is one of `known`, and none occurs twice.
    pub(super) fn known_once(&mut self, fields: &[Field], known: &[&str]) {
        for (index, entry) in fields.iter().enumerate() {
            if !known.contains(&entry.key.as_str()) {
                let hint = match nearest(&entry.key, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the keys are {}", known.join(", ")),
                };
                self.wrong(entry.place, &format!("unknown key `{}`", entry.key), &hint);
            }
            if let Some(first) = fields[..index].iter().find(|e| e.key == entry.key) {
                let hint = format!("the first one is on line {}; keep one of them", first.place.line);
                self.wrong(entry.place, &format!("the key `{}` occurs twice", entry.key), &hint);
            }
        }
    }

    pub(super) fn id(&mut self, node: &Node) -> Option<TicketId> {
        const HINT: &str = "an id is 1 to 64 letters, digits, `.`, `_`, `-`, such as T-12; without one it is made from the file's name";
        let Some(text) = node.as_text() else { return self.not("id", "text", node, HINT) };
        match TicketId::parse(text) {
            Ok(id) => Some(id),
            Err(error) => self.at(node, &error.to_string(), HINT),
        }
    }

    pub(super) fn title(&mut self, node: &Node) -> Option<String> {
        const EMPTY: &str = "write a title, or leave the key out: the first `# ` heading or the file's name is taken";
        let text = match node.as_text() {
            Some(text) => text.trim(),
            None if node.value == Value::Null => "",
            None => return self.not("title", "text", node, "put the title between quotes"),
        };
        if text.is_empty() {
            return self.at(node, "the title is empty", EMPTY);
        }
        if text.chars().any(super::is_unprintable) {
            return self.at(
                node,
                "the title holds a line end or a control character",
                "keep the title on one line, and put the rest into the body",
            );
        }
        Some(text.to_owned())
    }

    pub(super) fn priority(&mut self, node: &Node) -> Option<u8> {
        const HINT: &str = "1 comes first, 9 last; without the key it is 3";
        let Value::Number(spelling) = &node.value else {
            return self.not("priority", "a number from 1 to 9", node, HINT);
        };
        match spelling.parse::<u8>() {
            Ok(priority @ 1..=9) => Some(priority),
            _ => self.at(node, &format!("`priority` must be a whole number from 1 to 9, not {spelling}"), HINT),
        }
    }

    fn list<'n>(&mut self, key: &str, node: &'n Node) -> &'n [Node] {
        if let Value::List(items) = &node.value {
            return items;
        }
        let hint = match node.as_text() {
            Some(text) if text.chars().count() <= 60 => format!("write `{key}: [{text}]`"),
            _ => format!("write `{key}: [a, b]`, or leave the key out"),
        };
        let _: Option<()> = self.not(key, "a list", node, &hint);
        &[]
    }

    pub(super) fn ids(&mut self, key: &str, node: &Node) -> Vec<TicketId> {
        let mut ids: Vec<TicketId> = Vec::new();
        for item in self.list(key, node) {
            let Some(text) = item.as_text() else {
                let _: Option<()> = self.not(key, "a list of ticket ids", item, "write `[T-1, T-2]`");
                continue;
            };
            match TicketId::parse(text) {
                Ok(id) if ids.iter().any(|i| i.folded() == id.folded()) => {
                    let _: Option<()> = self.at(item, &format!("`{key}` names {id} twice"), "keep one of them");
                }
                Ok(id) => ids.push(id),
                Err(error) => {
                    let _: Option<()> =
                        self.at(item, &error.to_string(), "name the id of another ticket, such as T-12");
                }
            }
        }
        ids
    }

    pub(super) fn words(&mut self, key: &str, node: &Node) -> Vec<String> {
        const HINT: &str = "write words, such as `[perf, ui]`";
        let mut words = Vec::new();
        for item in self.list(key, node) {
            match item.as_text().map(str::trim) {
                Some(text) if !text.is_empty() && !text.chars().any(super::is_unprintable) => {
                    words.push(text.to_owned());
                }
                Some(_) => {
                    let _: Option<()> = self.at(item, &format!("`{key}` holds an empty or unprintable word"), HINT);
                }
                None => {
                    let _: Option<()> = self.not(key, "a list of words", item, HINT);
                }
            }
        }
        words
    }

    pub(super) fn commands(&mut self, key: &str, node: &Node) -> Vec<String> {
        const HINT: &str = "put each command between quotes, such as `[\"cargo test\"]`";
        let mut commands = Vec::new();
        for item in self.list(key, node) {
            match item.as_text() {
                Some(text) if text.contains('\0') => {
                    let _: Option<()> = self.at(item, &format!("a command of `{key}` holds a NUL"), HINT);
                }
                Some(text) if !text.trim().is_empty() => commands.push(text.to_owned()),
                Some(_) => {
                    let _: Option<()> = self.at(item, &format!("`{key}` holds an empty command"), HINT);
                }
                None => {
                    let _: Option<()> = self.not(key, "a list of commands", item, HINT);
                }
            }
        }
        commands
    }

    pub(super) fn profile(&mut self, node: &Node) -> Option<String> {
        const HINT: &str = "name a profile, such as `claude` or `script`; without the key it is the project's";
        let Some(text) = node.as_text() else { return self.not("profile", "the name of a profile", node, HINT) };
        let good = text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if good {
            Some(text.to_owned())
        } else {
            self.at(node, &format!("{text:?} cannot be the name of a profile"), HINT)
        }
    }

    pub(super) fn limit(&mut self, node: &Node) -> Option<u64> {
        const HINT: &str = "write `2h`, `90m`, `45s` or a number of seconds; 0 means no limit";
        let Some(text) = node.as_text() else { return self.not("limit", "a duration", node, HINT) };
        match parse_duration(text) {
            Ok(seconds) => Some(seconds),
            Err(error) => self.at(node, &format!("`limit`: {error}"), HINT),
        }
    }

    pub(super) fn budget(&mut self, node: &Node) -> Option<MicroUsd> {
        const HINT: &str = "write US dollars, such as `5` or `2.50`; without the key it is the project's";
        let text = match &node.value {
            Value::Number(spelling) => spelling.as_str(),
            Value::Text(text) => text,
            _ => return self.not("budget", "a sum of US dollars", node, HINT),
        };
        match money::parse_usd(text) {
            Ok(sum) => Some(sum),
            Err(why) => self.at(node, &format!("`budget`: {why}"), HINT),
        }
    }

    pub(super) fn truth(&mut self, key: &str, node: &Node) -> Option<bool> {
        match node.value {
            Value::Bool(value) => Some(value),
            _ => self.not(key, "true or false", node, "write `true` or `false`, without quotes"),
        }
    }
}

/// The known key that was probably meant.
fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let folded = key.to_lowercase().replace('-', "_");
    let meant = SYNONYMS.iter().find(|(word, _)| *word == folded).map(|(_, key)| *key);
    if let Some(found) = known.iter().find(|k| Some(**k) == meant) {
        return Some(found);
    }
    known
        .iter()
        .map(|k| (distance(&folded, k), *k))
        .min()
        .filter(|(steps, k)| *steps <= k.len().min(6) / 3)
        .map(|(_, k)| k)
}

/// Letters to add, drop or change to make one word of the other (Levenshtein). Long words are far from everything.
fn distance(a: &str, b: &str) -> usize {
    if a.len() > 40 {
        return usize::MAX;
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
