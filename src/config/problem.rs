//! What is wrong with a setting, where, and what was probably meant.

use std::{fmt, ops::Range};

/// One thing wrong in one layer. Displayed as a message with the place, and below it the line with a caret:
///
/// ```text
/// .autodo/config.toml:3:1: unknown setting "paralel"; did you mean "parallel"?
///   3 | paralel = 3
///     | ^^^^^^^
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigProblem {
    /// The file's path, or the variable or flag as typed.
    pub place: String,
    /// What is wrong, without the place.
    pub message: String,
    /// Where in the file; `None` for variables and flags.
    pub spot: Option<Spot>,
}

/// A part of one line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Length in characters, at least 1.
    pub length: usize,
    /// The line, with tabs and control characters each replaced by one harmless character.
    pub text: String,
}

impl Spot {
    /// The line in which `span` (bytes of `text`) begins; a span over several lines is cut at the first one's end.
    #[must_use]
    pub fn of(text: &str, span: &Range<usize>) -> Self {
        let bytes = text.as_bytes();
        let at = span.start.min(bytes.len());
        let before = bytes.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
        let end = bytes.iter().skip(at).position(|b| *b == b'\n').map_or(bytes.len(), |i| at + i);
        let chars = |from: usize, to: usize| {
            String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default()).trim_end_matches('\r').chars().count()
        };
        let line = String::from_utf8_lossy(bytes.get(start..end).unwrap_or_default()).trim_end_matches('\r').to_owned();
        Self {
            line: before.iter().filter(|b| **b == b'\n').count() + 1,
            column: chars(start, at) + 1,
            length: chars(at, span.end.clamp(at, end)).max(1),
            text: line.chars().map(harmless).collect(),
        }
    }
}

/// A file may come with a repository from elsewhere: its escape sequences must not reach a terminal.
fn harmless(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(spot) = &self.spot else { return write!(f, "{}: {}", self.place, self.message) };
        let number = spot.line.to_string();
        writeln!(f, "{}:{}:{}: {}", self.place, spot.line, spot.column, self.message)?;
        writeln!(f, "  {number} | {}", spot.text)?;
        let gap = " ".repeat(number.len());
        write!(f, "  {gap} | {}{}", " ".repeat(spot.column - 1), "^".repeat(spot.length))
    }
}

/// The known name that `typed` was probably meant to be: the nearest within a third of its length, or the only one
/// whose last part (after a `.`) is the same.
#[must_use]
pub fn meant<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let last = |name: &str| name.rsplit(['.', ':']).next().unwrap_or_default().to_ascii_lowercase();
    let mut nearest: Option<(usize, &'a str)> = None;
    let mut same_end = Vec::new();
    for name in known {
        let far = distance(&typed.to_ascii_lowercase(), &name.to_ascii_lowercase());
        if far <= (typed.chars().count() / 3).clamp(1, 3) && nearest.is_none_or(|(best, _)| far < best) {
            nearest = Some((far, name));
        }
        if last(name) == last(typed) {
            same_end.push(name);
        }
    }
    match (nearest, same_end.as_slice()) {
        (Some((_, name)), _) => Some(name),
        (None, [name]) => Some(*name),
        (None, _) => None,
    }
}

/// Edits (insert, delete, replace, swap of neighbours) from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (rows[i][j] + usize::from(x != y)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_span() {
        let text = "a = 1\n\té = \"x\"\n";
        let at = text.find('"').unwrap();
        let problem = ConfigProblem {
            place: "config.toml".to_owned(),
            message: "wrong".to_owned(),
            spot: Some(Spot::of(text, &(at..at + 3))),
        };
        assert_eq!(problem.to_string(), "config.toml:2:6: wrong\n  2 |  é = \"x\"\n    |      ^^^");
    }

    #[test]
    fn a_span_at_the_end_or_over_lines_still_has_a_line() {
        for text in ["", "a", "a\n", "a = [\n1\n]", "é", "a\r\n"] {
            for start in 0..=text.len() + 1 {
                let spot = Spot::of(text, &(start..start + 9));
                assert!(spot.length >= 1 && spot.column >= 1, "{text:?} {start}");
                assert!(!spot.text.contains(['\n', '\r']), "{text:?} {start}");
            }
        }
    }

    #[test]
    fn escape_sequences_of_a_file_never_reach_the_terminal() {
        let spot = Spot::of("x = \u{1b}[31m", &(0..1));
        assert!(!spot.text.contains('\u{1b}'));
    }

    #[test]
    fn the_nearest_name_is_meant() {
        let known = ["parallel", "profile", "worktree.copy", "limits.run", "limits.start"];
        assert_eq!(meant("paralel", known), Some("parallel"));
        assert_eq!(meant("profiel", known), Some("profile"));
        assert_eq!(meant("copy", known), Some("worktree.copy"));
        assert_eq!(meant("limit.run", known), Some("limits.run"));
        assert_eq!(meant("zzz", known), None);
    }
}
