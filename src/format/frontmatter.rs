//! Splits Markdown from the YAML front matter above it, and writes front matter in which keys of others survive.
//!
//! Front matter begins with `---` on the first line (a byte order mark may stand before it) and ends with the next
//! line that is `---`. Everything behind that line is the body, byte for byte; `---` in the body means nothing.

use serde::Serialize;

use super::{
    problem::Place,
    yaml::{self, Node, Value, YamlError},
};

/// Why front matter cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontError {
    /// The first line is `---`, and no other line is.
    #[error("the front matter is never closed")]
    Unclosed,
    /// It is not YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// It is YAML, but not keys and values.
    #[error("front matter must be keys and values, not {kind}")]
    NotAMap {
        /// Where.
        place: Place,
        /// What it is instead.
        kind: &'static str,
    },
}

impl FrontError {
    /// Where, counted from the first line of the file.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            Self::Unclosed => Place { line: 1, column: 1, len: 3 },
            Self::Yaml(error) => error.place.below(1),
            Self::NotAMap { place, .. } => place.below(1),
        }
    }
}

/// A text in two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// The YAML between the two `---`; its first line is line 2 of the file. `None`: there is no front matter.
    pub yaml: Option<&'a str>,
    /// All behind it.
    pub body: &'a str,
    /// Line of the file on which the body begins, from 1.
    pub body_line: usize,
}

/// One key of front matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where it stands in the file.
    pub place: Place,
    /// Its value; places count from the first line of the YAML.
    pub value: Node,
    /// Lines that say the same on their own, ended by a line feed: as written where that is possible.
    pub raw: String,
}

/// Splits a text.
///
/// # Errors
/// [`FrontError::Unclosed`].
pub fn split(text: &str) -> Result<Split<'_>, FrontError> {
    let whole = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = whole.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| is_fence(line)) else {
        return Ok(Split { yaml: None, body: whole, body_line: 1 });
    };
    let (start, mut at) = (first.len(), first.len());
    for (index, line) in lines.enumerate() {
        let next = at + line.len();
        if is_fence(line) {
            return Ok(Split { yaml: Some(&whole[start..at]), body: &whole[next..], body_line: index + 3 });
        }
        at = next;
    }
    Err(FrontError::Unclosed)
}

fn is_fence(line: &str) -> bool {
    line.trim_end_matches(['\n', '\r', ' ', '\t']) == "---"
}

/// Reads the keys of front matter, in order; a key may occur twice.
///
/// # Errors
/// [`FrontError::Yaml`] or [`FrontError::NotAMap`].
pub fn entries(yaml: &str) -> Result<Vec<Entry>, FrontError> {
    let root = yaml::parse(yaml)?;
    let map = match root.value {
        Value::Map(map) => map,
        Value::Null => return Ok(Vec::new()),
        Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
            return Err(FrontError::NotAMap { place: root.place, kind: root.value.kind() });
        }
    };
    let lines: Vec<&str> = yaml.split_inclusive('\n').collect();
    let starts: Vec<usize> = map.iter().map(|(key, _)| first_line(&lines, key.place.line)).collect();
    let ends = starts.iter().skip(1).copied().chain([lines.len()]).collect::<Vec<_>>();
    let mut all = Vec::new();
    for ((key, value), (start, end)) in map.into_iter().zip(starts.into_iter().zip(ends)) {
        let name = key.as_text().map_or_else(|| format!("({})", key.value.kind()), str::to_owned);
        let written = lines.get(start..end).map(<[&str]>::concat).unwrap_or_default();
        let raw = standing_alone(&written, &key, &value);
        all.push(Entry { key: name, place: key.place.below(1), value, raw });
    }
    Ok(all)
}

/// Index of the line on which a key begins, comments right above it included.
fn first_line(lines: &[&str], line: usize) -> usize {
    let mut start = line.saturating_sub(1).min(lines.len());
    while start > 0 && lines[start - 1].trim_start().starts_with('#') {
        start -= 1;
    }
    start
}

/// The lines as written where they say the same on their own; otherwise key and value written anew; where even that
/// would say something else, the lines as comments.
fn standing_alone(written: &str, key: &Node, value: &Node) -> String {
    let same = |text: &str| match yaml::parse(text) {
        Ok(Node { value: Value::Map(map), .. }) => {
            matches!(map.as_slice(), [(k, v)] if k.says_the_same(key) && v.says_the_same(value))
        }
        _ => false,
    };
    let ended = |text: &str| if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    if same(written) {
        return ended(written);
    }
    let map = Node { value: Value::Map(vec![(key.clone(), value.clone())]), place: key.place };
    match yaml::write(&map) {
        Ok(anew) if same(&anew) => ended(&anew),
        _ => written.lines().map(|line| format!("# {line}\n")).collect(),
    }
}

/// One key and its value as lines of front matter. For values whose serialisation cannot fail: text, numbers, maps
/// and lists of them.
#[must_use]
pub fn line<T: Serialize>(key: &str, value: &T) -> String {
    let map = std::collections::BTreeMap::from([(key, value)]);
    // Ignored: such values have no serialisation that fails, and a null keeps the file readable.
    yaml::write(&map).unwrap_or_else(|_| format!("{key}: null\n"))
}

/// Front matter with its fences.
#[must_use]
pub fn fenced(lines: &str) -> String {
    format!("---\n{lines}---\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn front_matter_is_split_whatever_the_line_ends() {
        for (text, yaml, body, line) in [
            ("---\na: 1\n---\nbody\n---\nmore", Some("a: 1\n"), "body\n---\nmore", 4),
            ("\u{feff}---\r\na: 1\r\n---\r\nbody\r\n", Some("a: 1\r\n"), "body\r\n", 4),
            ("---\na: 1\n---", Some("a: 1\n"), "", 4),
            ("---\n---\n\nx", Some(""), "\nx", 3),
            ("--- \na: 1\n---\t\n", Some("a: 1\n"), "", 4),
            ("# no\n---\n---\n", None, "# no\n---\n---\n", 1),
            ("\n---\n---\n", None, "\n---\n---\n", 1),
            ("----\n---\n", None, "----\n---\n", 1),
            ("", None, "", 1),
        ] {
            assert_eq!(split(text), Ok(Split { yaml, body, body_line: line }), "{text:?}");
        }
        assert_eq!(split("---\na: 1\n"), Err(FrontError::Unclosed));
        assert_eq!(split("---"), Err(FrontError::Unclosed));
    }

    #[test]
    fn an_entry_keeps_its_own_lines_and_the_comment_above_them() {
        let yaml = "a: 1\n# mine\nb:   [x,   y]  # kept\nc: |\n  # text\n  more\n\nd: 2";
        let all = entries(yaml).unwrap();
        let raw: Vec<&str> = all.iter().map(|e| e.raw.as_str()).collect();
        assert_eq!(raw, ["a: 1\n", "# mine\nb:   [x,   y]  # kept\n", "c: |\n  # text\n  more\n\n", "d: 2\n"]);
        assert_eq!(all[1].place.line, 4, "lines count in the file, below the fence");
    }

    #[test]
    fn an_entry_that_cannot_stand_alone_is_written_anew() {
        let all = entries("{a: 1, b: [2, x]}\n").unwrap();
        assert_eq!(all[1].raw, "b:\n- 2\n- x\n");
        let all = entries("a: &x {k: v}\nb: *x\n").unwrap();
        assert_eq!(all[1].raw, "b:\n  k: v\n");
    }

    #[test]
    fn what_is_not_a_map_is_refused_with_its_place() {
        assert_eq!(entries("# only a comment\n"), Ok(Vec::new()));
        let Err(FrontError::NotAMap { place, kind }) = entries("\n- a\n") else { panic!() };
        assert_eq!((place.line, kind), (2, "a list"));
        assert!(matches!(entries("a: ["), Err(FrontError::Yaml(_))));
    }

    proptest! {
        #[test]
        fn every_raw_entry_says_what_the_whole_said(text in "([a-d]|'x y'): ?[-\\[\\]{}:,&*#!|>'\" \ta-c0-9]{0,20}\n([a-d]: [a-c0-9 ]{0,9}\n){0,3}") {
            if let Ok(all) = entries(&text) {
                for entry in &all {
                    let alone = entries(&entry.raw).unwrap();
                    prop_assert_eq!(alone.len(), 1);
                    prop_assert!(alone[0].value.says_the_same(&entry.value));
                }
            }
        }

        #[test]
        fn any_text_splits_or_is_an_error(text in any::<String>(), lump in "(---|\r?\n|[ab: ]|\u{feff}){0,20}") {
            for text in [text, lump] {
                if let Ok(split) = split(&text) {
                    prop_assert!(text.ends_with(split.body));
                }
            }
        }
    }
}
