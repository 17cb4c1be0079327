//! Opening the books: what a crash, a full disk or a hand left behind is repaired, and said.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Lock, archive,
    archive_ids::IdSet,
    audit,
    books::{Books, State},
    claims,
    journal_file::JournalFile,
    recover::{InArchive, Plan, QueueSeen, Seen, plan},
    unreadable,
};
use crate::{
    adapters::{
        fs::{self, Sync},
        home::Home,
    },
    domain::{id::TicketId, observed::Observed, row::Row},
    format::{
        journal::{self, JournalError},
        queue::{self, QueueError},
    },
    ports::store::StoreError,
};

/// What the books say at the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The rows of the queue.
    pub rows: BTreeMap<TicketId, Row>,
    /// The last step.
    pub seq: u64,
    /// What was repaired or must be known, a sentence each, for people.
    pub notices: Vec<String>,
    /// Tickets with steps after the last published queue: their `review.md` may be old.
    pub unprojected: BTreeSet<TicketId>,
}

/// Opens the books of `home` and repairs them; `lock` must be that home's, and be held for as long as the books are.
///
/// # Errors
/// A file is of a newer version, or the journal is damaged in the middle, or it is gone and `queue.toml` cannot stand
/// in for it: then nothing was touched. Or a repair could not be written: the next start goes on with it.
pub fn open(home: &Home, lock: &Lock) -> Result<(Books, Loaded), StoreError> {
    if !lock.is_of(home) {
        return Err(
            fs::FsError::refused("open the books in", home.root(), "the lock held is that of another home").into()
        );
    }
    // First read everything, so that whatever is refused is refused before anything is touched.
    let journal = read_journal(home)?;
    let queue = read_queue_file(home)?;
    let mut archive = archive::look(home)?;
    let seen = Seen { journal: journal.as_ref().map(|(_, loaded)| loaded), queue };
    let mut plan = plan(seen).map_err(|lost| nothing_left(home, &lost.why))?;
    let (archived, seq) = archive.ids();
    plan.resolve(in_both(&plan, &mut archive), seq);
    plan.notices.extend(archive.troubles.iter().cloned());
    repair(home, plan, journal.as_ref(), archive, archived)
}

/// The journal is gone, and `queue.toml` cannot stand in for it because of `why`: the rows are not known.
pub(super) fn nothing_left(home: &Home, why: &str) -> StoreError {
    StoreError {
        what: "open",
        path: home.journal(),
        why: format!("it is gone or empty, and queue.toml cannot stand in for it: {why}"),
        hint:
            "bring journal.jsonl or queue.toml back from a backup, or move queue.toml away to begin with an empty queue"
                .to_owned(),
    }
}

/// Writes what the plan asks for. Each part can be done again.
fn repair(
    home: &Home,
    mut plan: Plan,
    journal: Option<&(Vec<u8>, journal::Loaded)>,
    mut archive: archive::Files,
    mut archived: IdSet,
) -> Result<(Books, Loaded), StoreError> {
    for folder in [home.root().to_owned(), home.archive_dir(), home.ids()] {
        fs::remove_leftovers(&folder);
    }
    for id in plan.rows.keys() {
        fs::remove_leftovers(&home.ticket(id));
    }
    if let Some(why) = &plan.queue_aside {
        let aside = fs::rename_aside(&home.queue())?;
        plan.notices.push(format!("queue.toml: {why}; renamed to {} and rebuilt from the journal", aside.display()));
    }
    let (valid, at) = journal.map_or((0, None), |(_, loaded)| (loaded.valid_len as u64, loaded.last_at));
    let file = JournalFile::open(&home.journal(), valid)?;
    for id in plan.rows.keys() {
        archived.remove(id.as_str());
    }
    let state = State { rows: plan.rows.clone(), archived: archived.clone(), seq: plan.seq, at };
    let mut books = Books::new(home.clone(), file, state);
    if plan.snapshot {
        books.append_snapshot()?;
    }
    plan.notices.extend(archive.mend()?);
    for ticket in &plan.unarchive {
        archive.remove(ticket)?;
    }
    if plan.publish {
        books.publish_with(Sync::Full)?;
    }
    claims::repair(home, plan.rows.keys(), &archive, &archived, !archive.troubles.is_empty())?;
    if let Some((bytes, loaded)) = journal {
        plan.notices.extend(audit::repair(home, loaded, bytes));
    }
    let Plan { rows, seq, notices, unprojected, .. } = plan;
    Ok((books, Loaded { rows, seq, notices, unprojected }))
}

/// The journal's bytes and what they say; `None`: it is not there.
pub(super) fn read_journal(home: &Home) -> Result<Option<(Vec<u8>, journal::Loaded)>, StoreError> {
    let path = home.journal();
    let error = |why: String, hint: &str| StoreError { what: "read", path: path.clone(), why, hint: hint.to_owned() };
    let bytes = match fs::look(&path) {
        Observed::Present(bytes) => bytes,
        Observed::Absent => return Ok(None),
        Observed::Unknown(why) => return Err(error(why, "mend its permissions; nothing was changed")),
    };
    let loaded = journal::read_all(&bytes).map_err(|e| {
        let hint = match e {
            JournalError::Newer(_) => "use the autodo that wrote it, or a newer one; nothing was changed",
            JournalError::Bad(_) | JournalError::BadLine { .. } | JournalError::Gap { .. } => {
                "bring journal.jsonl back from a backup, or move it away: the rows then come from queue.toml; nothing was changed"
            }
        };
        error(e.to_string(), hint)
    })?;
    Ok(Some((bytes, loaded)))
}

/// `queue.toml` as it is.
pub(super) fn read_queue_file(home: &Home) -> Result<QueueSeen, StoreError> {
    let path = home.queue();
    let bytes = match fs::look(&path) {
        Observed::Present(bytes) => bytes,
        Observed::Absent => return Ok(QueueSeen::Absent),
        Observed::Unknown(why) => return Ok(QueueSeen::Bad { why, is_blank: false }),
    };
    let is_blank = bytes.iter().all(|b| *b == 0 || b.is_ascii_whitespace());
    match queue::parse(&bytes) {
        Ok(queue) => Ok(QueueSeen::Good(queue)),
        Err(error @ QueueError::Newer(_)) => Err(unreadable(&path, &error)),
        Err(error @ (QueueError::Edited | QueueError::Unreadable(_))) => {
            Ok(QueueSeen::Bad { why: error.to_string(), is_blank })
        }
    }
}

/// The archive's rows of tickets that are in the queue too. One that cannot be read is named among the troubles, and
/// does not count: the queue has the ticket.
fn in_both(plan: &Plan, archive: &mut archive::Files) -> Vec<InArchive> {
    let open: BTreeSet<&str> = plan.rows.keys().map(TicketId::as_str).collect();
    let mut troubles = Vec::new();
    let rows = archive.newest(|id| open.contains(id)).into_iter();
    let both = rows.filter_map(|(file, entry)| match file.row(&entry) {
        Ok(row) => Some(InArchive { seq: entry.seq, row }),
        Err(error) => {
            troubles.push(error.to_string());
            None
        }
    });
    let both = both.collect();
    archive.troubles.extend(troubles);
    both
}
