//! Reading without the lock. Nothing here writes, so it may run beside a supervisor, or beside a crash.

use std::collections::BTreeMap;

use super::{
    archive,
    open::{nothing_left, read_journal, read_queue_file},
    recover::QueueSeen,
};
use crate::{
    adapters::{fs, home::Home},
    domain::{entry::Entry, glance::Glance, id::TicketId, observed::Observed, row::Row},
    format::{
        glances,
        journal::{Line, decode_line},
        queue::Queue,
    },
    ports::store::StoreError,
};

/// Bytes at the end of the journal among which steps after the published queue are looked for, before all is read: most
/// often there are none, or a few.
const TAILS: [u64; 2] = [64 * 1024, 1024 * 1024];

/// The queue as it is now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueueRead {
    /// The rows: those of `queue.toml` in its order, then tickets that came after it.
    pub rows: Vec<Row>,
    /// The step that they reflect.
    pub seq: u64,
    /// What is wrong with the files, for people.
    pub notices: Vec<String>,
}

/// Reads the queue: `queue.toml`, and the journal's steps after it. Where it cannot be used, the journal.
///
/// # Errors
/// A file is of a newer version, or the journal is needed and cannot be read or is gone.
pub fn read_queue(home: &Home) -> Result<QueueRead, StoreError> {
    let mut unusable = None;
    let (queue, mut notices) = match read_queue_file(home)? {
        QueueSeen::Good(queue) => {
            if let Some(read) = brought_up(home, &queue) {
                return Ok(read);
            }
            (queue, Vec::new())
        }
        QueueSeen::Absent => (Queue::default(), Vec::new()),
        QueueSeen::Bad { why, is_blank } => {
            let notice = format!("queue.toml cannot be used: {why}");
            unusable = (!is_blank).then_some(why);
            (Queue::default(), vec![notice])
        }
    };
    let journal = read_journal(home)?.map(|(_, loaded)| loaded).unwrap_or_default();
    if let Some(why) = unusable.filter(|_| journal.seq == 0) {
        // No rows is not what the files say: nobody knows the rows.
        return Err(nothing_left(home, &why));
    }
    if journal.seq < queue.seq {
        notices.push(format!("the journal is gone or behind queue.toml, which is of step {}", queue.seq));
        return Ok(QueueRead { rows: queue.rows, seq: queue.seq, notices });
    }
    Ok(QueueRead { rows: merged(&queue, journal.rows), seq: journal.seq, notices })
}

/// The queue at a glance: from `list.jsonl` and the journal's steps after it; where that is not enough, from the rows.
/// Oldest first; with it comes what is wrong with the files, for people.
///
/// # Errors
/// As [`read_queue`].
pub fn read_glances(home: &Home) -> Result<(Vec<Glance>, Vec<String>), StoreError> {
    let (mut glances, notices) = match quick_glances(home) {
        Some(glances) => (glances, Vec::new()),
        None => {
            let read = read_queue(home)?;
            (read.rows.iter().map(Glance::from).collect(), read.notices)
        }
    };
    glances.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    Ok((glances, notices))
}

fn quick_glances(home: &Home) -> Option<Vec<Glance>> {
    let Observed::Present(version) = fs::look_version(&home.queue()) else { return None };
    let Observed::Present(bytes) = fs::look(&home.list()) else { return None };
    let (seq, mut glances) = glances::parse(&bytes, &version)?;
    for entry in steps_after(home, seq)? {
        let at = glances.iter().position(|glance| glance.id == entry.ticket);
        match (entry.row.as_ref().map(Glance::from), at) {
            (Some(new), Some(at)) => glances[at] = new,
            (Some(new), None) => glances.push(new),
            (None, Some(at)) => drop(glances.remove(at)),
            (None, None) => {}
        }
    }
    Some(glances)
}

/// Rows in the order of the queue, then the others.
fn merged(queue: &Queue, mut rows: BTreeMap<TicketId, Row>) -> Vec<Row> {
    let mut ordered: Vec<Row> = queue.rows.iter().filter_map(|row| rows.remove(&row.id)).collect();
    ordered.extend(rows.into_values());
    ordered
}

/// The queue with the steps after it that stand at the end of the journal; `None`: that is not enough to know.
fn brought_up(home: &Home, queue: &Queue) -> Option<QueueRead> {
    let after = steps_after(home, queue.seq)?;
    let seq = after.last().map_or(queue.seq, |entry| entry.seq);
    let mut rows: BTreeMap<TicketId, Row> = queue.rows.iter().map(|row| (row.id.clone(), row.clone())).collect();
    for entry in after {
        match entry.row {
            Some(row) => rows.insert(entry.ticket, row),
            None => rows.remove(&entry.ticket),
        };
    }
    Some(QueueRead { rows: merged(queue, rows), seq, notices: Vec::new() })
}

/// The steps after `known` that stand at the end of the journal; `None`: that is not enough to know them all.
fn steps_after(home: &Home, known: u64) -> Option<Vec<Entry>> {
    TAILS.into_iter().find_map(|bytes| steps_in_tail(home, known, bytes))
}

fn steps_in_tail(home: &Home, known: u64, bytes: u64) -> Option<Vec<Entry>> {
    let (start, tail) = match fs::look_tail(&home.journal(), bytes) {
        Observed::Present(tail) => tail,
        Observed::Absent | Observed::Unknown(_) => return None,
    };
    let mut lines: Vec<&[u8]> = tail.split_inclusive(|b| *b == b'\n').collect();
    // A line without its end is being written, or was cut off: it does not count. The first is whole only at the start.
    lines.retain(|line| line.ends_with(b"\n"));
    if start > 0 && !lines.is_empty() {
        lines.remove(0);
    }
    let mut after = Vec::new();
    for line in lines.iter().rev() {
        match decode_line(line.strip_suffix(b"\n")?) {
            Ok(Line::Entry(entry)) if entry.seq <= known => break,
            Ok(Line::Entry(entry)) => after.push(*entry),
            Ok(Line::Snapshot(snapshot)) if snapshot.seq == known => break,
            Ok(Line::Snapshot(_)) | Err(_) => return None,
        }
    }
    after.reverse();
    if after.first().is_some_and(|first| first.seq != known + 1) || (after.is_empty() && lines.is_empty()) {
        return None;
    }
    Some(after)
}

/// Reads the archive: the newest row of each ticket, in the order of archiving, and what is wrong with the files. A
/// ticket whose archiving was cut off is in the queue as well, until the next start.
///
/// # Errors
/// A file is of a newer version.
pub fn read_archive(home: &Home) -> Result<(Vec<Row>, Vec<String>), StoreError> {
    read_archived(home, |_| true)
}

/// As [`read_archive`], of those tickets only whose ids are wanted; no more than their rows is read.
///
/// # Errors
/// A file is of a newer version.
pub fn read_archived(home: &Home, is_wanted: impl FnMut(&str) -> bool) -> Result<(Vec<Row>, Vec<String>), StoreError> {
    let files = archive::look(home)?;
    let mut notices = files.troubles.clone();
    let mut rows = Vec::new();
    for (file, entry) in files.newest(is_wanted) {
        match file.row(&entry) {
            Ok(row) => rows.push(row),
            Err(error) => notices.push(error.to_string()),
        }
    }
    Ok((rows, notices))
}

/// The ids in the archive that are wanted, without their rows.
///
/// # Errors
/// A file is of a newer version.
pub fn archived_ids(home: &Home, is_wanted: impl FnMut(&str) -> bool) -> Result<Vec<TicketId>, StoreError> {
    let files = archive::look(home)?;
    // Ignored: an index holds ids only.
    Ok(files.newest(is_wanted).into_iter().filter_map(|(_, entry)| TicketId::parse(entry.id).ok()).collect())
}
