//! A screen as captured, and the states it can mean.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::permission::Asked;

/// What `capture-pane` shows: the visible rows, top first, without escape sequences.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// The rows, trailing blanks removed.
    pub rows: Vec<String>,
    /// Columns of the pane.
    pub width: u16,
    /// Cursor column and row, from 0.
    pub cursor: (u16, u16),
    /// The pane's title as the program set it.
    pub title: String,
}

impl Screen {
    /// Builds a screen of captured text. Blank lines at the end stay: rows are addressed from the top.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        let rows: Vec<String> = text.lines().map(|l| l.trim_end().to_owned()).collect();
        let width = rows.iter().map(|r| r.chars().count()).max().unwrap_or(0);
        Self { rows, width: u16::try_from(width).unwrap_or(u16::MAX), cursor: (0, 0), title: String::new() }
    }

    /// All rows as one text, each ended by a line feed.
    #[must_use]
    pub fn text(&self) -> String {
        self.rows.iter().fold(String::new(), |mut all, row| {
            all.push_str(row);
            all.push('\n');
            all
        })
    }
}

/// What a screen means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScreenState {
    /// The agent is starting.
    Booting,
    /// Its input box is visible and it waits for a prompt.
    Ready,
    /// It works.
    Busy,
    /// A start-up question: trust, update, bypass.
    Dialog,
    /// It asks whether it may do something.
    Permission,
    /// It asks a question.
    Question,
    /// A usage limit holds it.
    Limited,
    /// It is not logged in.
    LoggedOut,
    /// It has given up on an error that passes: its service is overloaded, or cannot be reached.
    Overloaded,
    /// It shows a final error.
    Error,
    /// No rule matches. A real answer, never "idle".
    Unknown,
}

impl ScreenState {
    /// True for what a turn ends with. Where a conversation is opened again, these words of its last turn stand above the
    /// empty box once more, and say nothing of now.
    #[must_use]
    pub fn ends_a_turn(self) -> bool {
        matches!(self, Self::Limited | Self::LoggedOut | Self::Overloaded | Self::Error | Self::Question)
    }

    /// All states, in the order in which documents list them.
    pub const ALL: [Self; 11] = [
        Self::Booting,
        Self::Ready,
        Self::Busy,
        Self::Dialog,
        Self::Permission,
        Self::Question,
        Self::Limited,
        Self::LoggedOut,
        Self::Overloaded,
        Self::Error,
        Self::Unknown,
    ];

    /// The word in profiles, files and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Booting => "booting",
            Self::Ready => "ready",
            Self::Busy => "busy",
            Self::Dialog => "dialog",
            Self::Permission => "permission",
            Self::Question => "question",
            Self::Limited => "limited",
            Self::LoggedOut => "logged_out",
            Self::Overloaded => "overloaded",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// What the agent claims by a marker on its screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marker {
    /// `AUTODO-DONE-<key>`.
    Done,
    /// `AUTODO-BLOCKED-<key>`.
    Blocked,
}

/// The answer to a dialog that closes it, so that words can be typed.
pub const WORDS: &str = "(words)";

/// A stable reading of a screen: the same over two looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// What it means.
    pub state: ScreenState,
    /// Name of the profile's rule that decided; empty for unknown.
    pub rule: String,
    /// The row that decided, from 0.
    pub row: Option<u32>,
    /// What a person should read: the question, the error, the limit.
    pub text: String,
    /// A marker of this run, on a line of its own.
    pub marker: Option<Marker>,
    /// True if the profile's input box is visible and holds nothing.
    pub box_empty: bool,
    /// Answers that are given by keys, where the screen asks something: names of the profile, and what is to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// What the agent wants to do, where the screen says it whole, with what the rules say to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<Asked>>,
    /// The dialog can be closed, so that words are taken instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takes_words: bool,
    /// When the usage limit lifts that the screen tells of; `None`: it tells of none, or not when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifts: Option<Timestamp>,
}
