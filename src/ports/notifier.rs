//! Telling a person: by channels outside, on the terminal server, in a project's list of things to do.

use std::path::Path;

use super::Work;
use crate::domain::{channel::Channel, mailbox::Mailbox, notice::Notice, todo::Item};

/// Why something was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{channel}: {why}")]
pub struct NotTold {
    /// The channel's name.
    pub channel: &'static str,
    /// Why, without secrets.
    pub why: String,
    /// Trying again is of no use.
    pub for_good: bool,
}

/// What waits for a person, in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Badge {
    /// The latest headline; empty: nothing waits.
    pub text: String,
    /// Tickets to review.
    pub review: usize,
    /// Tickets that cannot go on without a person.
    pub blocked: usize,
    /// The news is urgent, and new.
    pub rings: bool,
}

/// Tells a person, and remembers what is still to be told. Nothing here may take long: each call has a time limit.
pub trait Notifier: Send + Sync {
    /// Sends all `notices` (not none) as one message.
    fn send<'a>(&'a self, channel: &'a Channel, notices: Vec<Notice>) -> Work<'a, Result<(), NotTold>>;

    /// Shows a badge where people look at autodo's own terminal server.
    fn badge<'a>(&'a self, badge: &'a Badge) -> Work<'a, ()>;

    /// Brings the project's list of things to do up to date.
    ///
    /// # Errors
    /// Its file cannot be read or written: in words.
    fn todo(&self, repo: &Path, items: &[Item]) -> Result<(), String>;

    /// What was still to be told; `None`: nothing was ever.
    ///
    /// # Errors
    /// The file cannot be read: in words.
    fn load(&self) -> Result<Option<Mailbox>, String>;

    /// Keeps what is still to be told.
    ///
    /// # Errors
    /// The file cannot be written: in words.
    fn store(&self, mailbox: &Mailbox) -> Result<(), String>;
}
