//! What can be wrong with a profile, said with its place in the file.

use std::{fmt, ops::Range};

/// Why a profile cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Its text is wrong.
    #[error("{0}")]
    Text(Box<Place>),
    /// There is no profile of this name.
    #[error("there is no agent profile {name:?}; there are: {known}")]
    NotFound {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// It has no argv: a base for others.
    #[error("the agent profile {0:?} has no argv: it is a base; extend it and set launch.argv")]
    NoArgv(String),
    /// It cannot go on with a conversation.
    #[error("the agent profile {0:?} has no launch.resume: its conversation cannot be resumed")]
    NoResume(String),
    /// A place of its argv or environment has no value in this launch.
    #[error("the agent profile {profile:?} wants {{{placeholder}}} in its launch, and this launch has none")]
    NoValue {
        /// The profile.
        profile: String,
        /// The name in braces.
        placeholder: String,
    },
}

/// A fault at a place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, or where else the text comes from.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    excerpt: String,
    width: usize,
}

impl Place {
    /// Finds line and column of `span` (bytes) in `text`.
    pub(super) fn new(origin: &str, text: &str, span: Range<usize>, message: String) -> Self {
        let start = (0..=span.start.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let before = &text[..start];
        let from = before.rfind('\n').map_or(0, |at| at + 1);
        // A file may come with a repository from elsewhere: its escape sequences must not reach a terminal.
        let harmless = |c: char| if c == '\t' { ' ' } else { char::REPLACEMENT_CHARACTER };
        let line = text[from..].lines().next().unwrap_or("");
        let excerpt = line.chars().map(|c| if c.is_control() { harmless(c) } else { c }).collect::<String>();
        let column = before[from..].chars().count() + 1;
        let end = span.end.min(from + line.len()).max(start);
        let width = text.get(start..end).map_or(1, |t| t.chars().count()).max(1);
        Self { origin: origin.to_owned(), line: before.matches('\n').count() + 1, column, message, excerpt, width }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let gap = " ".repeat(number.len());
        writeln!(f, "{}:{}:{}: {}", self.origin, self.line, self.column, self.message)?;
        writeln!(f, "{gap} |")?;
        writeln!(f, "{number} | {}", self.excerpt)?;
        write!(f, "{gap} | {}{}", " ".repeat(self.column - 1), "^".repeat(self.width))
    }
}
