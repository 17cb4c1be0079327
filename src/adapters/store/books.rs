//! The books while they are open: every step goes into the journal first, then into what is projected from it.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};
use tracing::warn;

use super::{
    archive,
    archive_ids::IdSet,
    audit::{self, Trails},
    journal_file::JournalFile,
    review, unreadable,
};
use crate::{
    adapters::{
        crash,
        fs::{self, FsError, PRIVATE, Sync},
        home::Home,
    },
    domain::{entry::Entry, glance::Glance, id::TicketId, review::Review, row::Row, schedule::Rows},
    format::{
        glances,
        journal::{JournalError, encode_entry, encode_snapshot},
        queue::{QueueError, block, render_blocks},
    },
    ports::store::{Store, StoreError},
};

/// Bytes above which the journal is rewritten as one snapshot.
pub const COMPACT_ABOVE: u64 = 16 * 1024 * 1024;

/// The books of a home. Made by [`super::open`]; to be used only while the lock is held.
#[derive(Debug)]
pub struct Books {
    home: Home,
    journal: JournalFile,
    rows: Rows,
    archived: IdSet,
    seq: u64,
    at: Option<Timestamp>,
    trails: Trails,
    drawn: BTreeMap<TicketId, Drawn>,
    compact_above: u64,
    /// The next rewriting is due at this length.
    compact_at: u64,
}

/// A row as `queue.toml` and `list.jsonl` have it, kept until the row changes.
#[derive(Debug)]
struct Drawn {
    block: String,
    glance: String,
}

impl Drawn {
    fn of(home: &Home, row: &Row) -> Result<Self, StoreError> {
        let block = block(row).map_err(|e| unreadable(&home.queue(), &e))?;
        let glance = glances::line(&Glance::from(row))
            .map_err(|e| unreadable(&home.list(), &QueueError::Unreadable(e.to_string())))?;
        Ok(Self { block, glance })
    }
}

/// What the books begin with.
pub(super) struct State {
    pub rows: Rows,
    pub archived: IdSet,
    pub seq: u64,
    pub at: Option<Timestamp>,
}

impl Books {
    pub(super) fn new(home: Home, journal: JournalFile, state: State) -> Self {
        let State { rows, archived, seq, at } = state;
        let (trails, drawn) = (Trails::default(), BTreeMap::new());
        let (compact_above, compact_at) = (COMPACT_ABOVE, COMPACT_ABOVE);
        Self { home, journal, rows, archived, seq, at, trails, drawn, compact_above, compact_at }
    }

    /// Rewrites the journal above `bytes` instead of [`COMPACT_ABOVE`].
    #[must_use]
    pub fn compacting_above(mut self, bytes: u64) -> Self {
        (self.compact_above, self.compact_at) = (bytes, bytes);
        self
    }

    /// Bytes in the journal.
    #[must_use]
    pub fn journal_length(&self) -> u64 {
        self.journal.length()
    }

    fn journal_error(&self, error: &JournalError) -> StoreError {
        let hint = "every path of a ticket must be UTF-8: look at the names of its folders".to_owned();
        StoreError { what: "append to", path: self.home.journal(), why: error.to_string(), hint }
    }

    fn snapshot_line(&self) -> Result<Vec<u8>, StoreError> {
        let rows: Vec<&Row> = self.rows.values().collect();
        let at = self.at.unwrap_or_else(Timestamp::now);
        encode_snapshot(self.seq, at, &rows).map_err(|e| self.journal_error(&e))
    }

    /// Appends a snapshot of the rows.
    pub(super) fn append_snapshot(&mut self) -> Result<(), StoreError> {
        let line = self.snapshot_line()?;
        Ok(self.journal.append(&line)?)
    }

    /// Replaces the journal by a snapshot of the rows.
    fn compact(&mut self) -> Result<(), StoreError> {
        let line = self.snapshot_line()?;
        self.journal.rewrite(&line)?;
        self.compact_at = self.compact_above.max(2 * line.len() as u64);
        Ok(())
    }

    /// What follows a commit and cannot undo it.
    fn after_commit(&mut self, entry: &Entry) {
        if entry.row.is_some() && self.archived.contains(entry.ticket.as_str()) {
            // The ticket was taken up again.
            match archive::look(&self.home).and_then(|files| files.remove(&entry.ticket)) {
                Ok(()) => {
                    self.archived.remove(entry.ticket.as_str());
                }
                Err(error) => warn!(%error, "the archive still holds a ticket that is in the queue again"),
            }
        }
        if self.journal.length() > self.compact_at
            && let Err(error) = self.compact()
        {
            warn!(%error, "the journal could not be rewritten and goes on as it is");
            self.compact_at = self.journal.length() + self.compact_above / 16;
        }
    }

    /// Rewrites the journal where its file was removed or replaced behind our back.
    fn restore_if_gone(&mut self) -> Result<(), StoreError> {
        if self.journal.is_gone() {
            warn!("the journal's file was removed while autodo was running: written anew");
            self.compact()?;
        }
        Ok(())
    }

    pub(super) fn publish_with(&mut self, sync: Sync) -> Result<(), StoreError> {
        let seq = self.seq;
        let mut rows: Vec<&Row> = self.rows.values().collect();
        rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        for row in &rows {
            if !self.drawn.contains_key(&row.id) {
                self.drawn.insert(row.id.clone(), Drawn::of(&self.home, row)?);
            }
        }
        let drawn = || rows.iter().filter_map(|row| self.drawn.get(&row.id));
        let text = render_blocks(seq, drawn().map(|drawn| drawn.block.as_str()));
        let aside = fs::write_aside(&self.home.queue(), text.as_bytes(), PRIVATE, sync)?;
        crash::point("fs.queue.before");
        let file = aside.put()?;
        crash::point("fs.queue.after");
        // Ignored: without it, or beside another queue.toml, `list` reads the rows themselves.
        self.publish_list(seq, &file, drawn().map(|drawn| drawn.glance.as_str())).ok();
        Ok(())
    }

    fn publish_list<'a>(
        &self,
        seq: u64,
        queue: &std::fs::File,
        lines: impl Iterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let path = self.home.list();
        let meta = queue.metadata().map_err(|e| FsError::new("look at", &self.home.queue(), &e))?;
        let text = glances::render(seq, &fs::version_of(&meta), lines)
            .map_err(|e| unreadable(&path, &QueueError::Unreadable(e.to_string())))?;
        Ok(fs::write_atomic(&path, text.as_bytes(), PRIVATE, Sync::None)?)
    }
}

impl Store for Books {
    fn rows(&self) -> &Rows {
        &self.rows
    }

    fn seq(&self) -> u64 {
        self.seq
    }

    fn commit(&mut self, entry: &Entry) -> Result<Option<Row>, StoreError> {
        let refuse = |why: String| StoreError::from(FsError::refused("append to", &self.home.journal(), why));
        if entry.seq != self.seq + 1 {
            return Err(refuse(format!("step {} does not follow step {}", entry.seq, self.seq)));
        }
        if let Some(row) = &entry.row
            && row.id != entry.ticket
        {
            return Err(refuse(format!("a step of {} has the row of {}", entry.ticket, row.id)));
        }
        let line = encode_entry(entry).map_err(|e| self.journal_error(&e))?;
        self.restore_if_gone()?;
        self.journal.append(&line)?;
        (self.seq, self.at) = (entry.seq, Some(entry.at));
        self.drawn.remove(&entry.ticket);
        let before = match &entry.row {
            Some(row) => self.rows.insert(row.id.clone(), row.clone()),
            None => self.rows.remove(&entry.ticket),
        };
        self.after_commit(entry);
        Ok(before)
    }

    fn publish(&mut self) -> Result<(), StoreError> {
        self.publish_with(Sync::None)
    }

    fn audit(&mut self, ticket: &TicketId, line: &Value) -> Result<(), StoreError> {
        self.trails.ready(&self.home, ticket)?;
        Ok(audit::append(&self.home, ticket, line, self.seq, self.at)?)
    }

    fn review(&mut self, review: &Review) -> Result<(), StoreError> {
        for note in review::write(&self.home, review, &TimeZone::system())? {
            self.audit(&review.id, &json!({ "at": Timestamp::now(), "kind": "note", "text": note }))?;
        }
        Ok(())
    }

    fn archive(&mut self, row: &Row) -> Result<(), StoreError> {
        archive::append(&self.home, self.seq, row)?;
        self.archived.insert(row.id.as_str());
        Ok(())
    }
}
