//! The books: the journal, which is the commit, and what is projected from it.

pub use crate::domain::entry::Entry;
use crate::domain::{id::TicketId, review::Review, row::Row, schedule::Rows};

/// Why the books could not be written or read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot {what} {}: {why}", path.display())]
pub struct StoreError {
    /// What was tried.
    pub what: &'static str,
    /// On what.
    pub path: std::path::PathBuf,
    /// Why it failed.
    pub why: String,
    /// What a person can do now.
    pub hint: String,
}

/// The books, held by whoever holds the lock.
pub trait Store: Send {
    /// The open rows after the last step.
    fn rows(&self) -> &Rows;

    /// The number of the last step.
    fn seq(&self) -> u64;

    /// Appends one line and syncs it. When this returns, the step has happened. Returns the row as it was before.
    ///
    /// # Errors
    /// Nothing was committed: the caller must not act.
    fn commit(&mut self, entry: &Entry) -> Result<Option<Row>, StoreError>;

    /// Writes `queue.toml`: all open rows, the oldest first.
    ///
    /// # Errors
    /// The projection is old; it is repaired at the next call or start.
    fn publish(&mut self) -> Result<(), StoreError>;

    /// Appends one line to the ticket's audit trail: `kind` and fields, beside `seq` and `at`.
    ///
    /// # Errors
    /// The line is not there; the journal still has the event.
    fn audit(&mut self, ticket: &TicketId, line: &serde_json::Value) -> Result<(), StoreError>;

    /// Writes `review.md`, keeping what a person wrote into it.
    ///
    /// # Errors
    /// The old review stays.
    fn review(&mut self, review: &Review) -> Result<(), StoreError>;

    /// Moves a row to the archive: append, sync; its removal from the queue is the next commit.
    ///
    /// # Errors
    /// It stays in the queue.
    fn archive(&mut self, row: &Row) -> Result<(), StoreError>;
}
