//! Identifiers: parsed once at the door, trusted inside.
//!
//! Branch, worktree folder and session name are functions of the ticket id, so that an effect can be repeated after a
//! crash and finds what the first attempt made.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest ticket id, in characters (all are ASCII).
pub const MAX_ID_LEN: usize = 64;

/// Names that mean something else to autodo's own home or to git.
const RESERVED: &[&str] = &[
    "archive",
    "ids",
    "run",
    "bin",
    "profiles",
    "permissions",
    "summaries",
    "notify.json",
    "config",
    "journal.jsonl",
    "queue.toml",
    "list.jsonl",
    "head",
    "fetch_head",
    "orig_head",
    "merge_head",
    "con",
    "prn",
    "aux",
    "nul",
];

/// A ticket's id: `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`, and nothing that git refuses in a branch name.
///
/// Ids are compared by letter, but are unique without regard to case: see [`TicketId::folded`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TicketId(String);

/// Why a text is not a ticket id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing is left of it.
    #[error("a ticket id must not be empty")]
    Empty,
    /// More than [`MAX_ID_LEN`] characters.
    #[error("the ticket id {0:?} is longer than {MAX_ID_LEN} characters")]
    TooLong(String),
    /// A character outside `[A-Za-z0-9._-]`, or a first one that is not a letter or digit.
    #[error("the ticket id {0:?} may hold only letters, digits, '.', '_' and '-', and begins with a letter or digit")]
    Character(String),
    /// Git refuses it as part of a branch name.
    #[error("the ticket id {0:?} cannot be part of a git branch name ('..', a final '.' or a final '.lock')")]
    Branch(String),
    /// The name is used by autodo or git for something else.
    #[error("the ticket id {0:?} is reserved")]
    Reserved(String),
}

impl TicketId {
    /// Parses an id.
    ///
    /// # Errors
    /// [`IdError`] names the rule that `text` breaks.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        let own = || text.to_owned();
        let Some(first) = text.chars().next() else { return Err(IdError::Empty) };
        if text.len() > MAX_ID_LEN {
            return Err(IdError::TooLong(own()));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !first.is_ascii_alphanumeric() || !text.chars().all(allowed) {
            return Err(IdError::Character(own()));
        }
        let folded = text.to_ascii_lowercase();
        if text.contains("..") || text.ends_with('.') || folded.ends_with(".lock") {
            return Err(IdError::Branch(own()));
        }
        if RESERVED.contains(&folded.as_str()) {
            return Err(IdError::Reserved(own()));
        }
        Ok(Self(own()))
    }

    /// The id as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in lower case: two tickets never share it.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// The git branch of this ticket.
    #[must_use]
    pub fn branch(&self) -> String {
        format!("autodo/{}", self.0)
    }

    /// The tmux session of this ticket. tmux turns `.` into `_` without a word, so a `.` is written as `+`,
    /// which no id holds.
    #[must_use]
    pub fn session(&self) -> String {
        format!("ad-{}", self.0.replace('.', "+"))
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for TicketId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::parse(&text)
    }
}

impl From<TicketId> for String {
    fn from(id: TicketId) -> Self {
        id.0
    }
}

/// A run of a ticket, written `<ticket>/<n>`; runs are numbered from 1. It stands in `AUTODO_RUN` of every process of
/// the run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    /// The ticket.
    pub ticket: TicketId,
    /// The number of the run, from 1.
    pub number: u32,
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ticket, self.number)
    }
}

impl RunId {
    /// Reads `<ticket>/<n>`; `None` where it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ticket, number) = text.rsplit_once('/')?;
        Some(Self { ticket: TicketId::parse(ticket).ok()?, number: number.parse().ok().filter(|n| *n > 0)? })
    }
}

/// A delivery's id: `<run>.<n>`, unique within the ticket. It stands in the injected line, so that the screen proves
/// which prompt it shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(String);

impl DeliveryId {
    /// The id of the `n`th delivery of run `run`.
    #[must_use]
    pub fn new(run: u32, n: u32) -> Self {
        Self(format!("{run}.{n}"))
    }

    /// As written: digits and one dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The secret of one run, 8 hexadecimal digits: markers and reports must carry it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunKey(String);

impl RunKey {
    /// Makes a key of random bits.
    #[must_use]
    pub fn from_bits(bits: u32) -> Self {
        Self(format!("{bits:08x}"))
    }

    /// A key as some program gives it: believed only if it equals that of the run.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A tmux pane id, `%` and a number: never reused while its server lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PaneId(String);

impl PaneId {
    /// Accepts `%<digits>`, a pane of the first server, and `<n>%<digits>`, one of server `n` from 2 to 99; `None` for
    /// anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (server, digits) = text.split_once('%')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let is_server = |text: &str| is_number(text) && !text.starts_with('0') && text != "1" && text.len() <= 2;
        (is_number(digits) && (server.is_empty() || is_server(server))).then(|| Self(text.to_owned()))
    }

    /// Number of the server it is on, from 1.
    #[must_use]
    pub fn server(&self) -> usize {
        // Ignored: without a number it is the first.
        self.0.split('%').next().and_then(|number| number.parse().ok()).unwrap_or(1)
    }

    /// Its id as its own server knows it: `%<digits>`.
    #[must_use]
    pub fn on_its_server(&self) -> Self {
        Self(format!("%{}", self.0.split('%').next_back().unwrap_or_default()))
    }

    /// The pane that server `number`, from 1 to 99, knows by this id.
    #[must_use]
    pub fn of_server(&self, number: usize) -> Self {
        let bare = self.on_its_server();
        if number <= 1 { bare } else { Self(format!("{number}{}", bare.0)) }
    }

    /// As written, with the `%`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_rule() {
        for good in ["T-1", "a", "0", "auto-20260219-143022", "x.y_z-1", &"a".repeat(64)] {
            assert!(TicketId::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            ".a",
            "a b",
            "a/b",
            "a..b",
            "a.",
            "x.lock",
            "X.LOCK",
            "é",
            "a:b",
            "HEAD",
            "archive",
            &"a".repeat(65),
        ] {
            assert!(TicketId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_session_name_never_collides() {
        let name = |t: &str| TicketId::parse(t).unwrap().session();
        assert_eq!(name("a.b"), "ad-a+b");
        assert_ne!(name("a.b"), name("a_b"));
    }

    #[test]
    fn a_pane_id_says_which_server_it_is_on() {
        for (text, server) in [("%0", 1), ("%17", 1), ("2%5", 2), ("12%0", 12)] {
            let pane = PaneId::parse(text).unwrap();
            assert_eq!((pane.server(), pane.on_its_server().of_server(server).as_str()), (server, text));
        }
        assert_eq!(PaneId::parse("3%5").unwrap().on_its_server().as_str(), "%5");
        for bad in ["", "5", "%", "%x", "1%5", "0%5", "02%5", "100%5", "2%", "2%5%", "-2%5", "2 %5"] {
            assert_eq!(PaneId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn run_ids_round_trip() {
        let run = RunId { ticket: TicketId::parse("T-1").unwrap(), number: 3 };
        assert_eq!(RunId::parse(&run.to_string()), Some(run));
        assert_eq!(RunId::parse("T-1/0"), None);
        assert_eq!(RunId::parse("T-1"), None);
    }
}
