//! Lines of `journal.jsonl`.
//!
//! A line is `{"v":1,"crc":"` + 8 lower-case hexadecimal digits + `",` + rest + a line feed. The checksum is the CRC-32
//! (IEEE, as in gzip) of the bytes of rest, that is of all after the comma up to and with the closing brace, without
//! the line feed. The rest is one of
//!
//! - a step: `"seq":…,"at":…,"ticket":…,"event":…,"effects":…,"row":…}`, see [`Entry`];
//! - a snapshot: `"snapshot":{"seq":…,"at":…,"rows":[…]}}`, which replaces all that stands before it.
//!
//! `seq` rises by one from line to line, from 1 or from the last snapshot, which may jump ahead but never back.
//! Reading needs only the last row of each ticket; events of older lines are not interpreted, so a journal outlives
//! changes to them. Any bytes give a result or an error, never a panic.

use std::{collections::BTreeMap, ops::Range};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{entry::Entry, id::TicketId, row::Row};

/// Version of the lines that are written.
pub const JOURNAL_VERSION: u64 = 1;

const HEAD: &[u8] = br#"{"v":1,"crc":""#;
const CRC_DIGITS: usize = 8;

/// All open rows at one `seq`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The step that it reflects.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One line, decoded.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A step.
    Entry(Box<Entry>),
    /// The state of all open tickets.
    Snapshot(Snapshot),
}

/// Why a line, or a journal, is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// A newer autodo wrote it.
    #[error("it was written by a newer autodo (journal version {0}, this one knows {JOURNAL_VERSION})")]
    Newer(u64),
    /// It is not a line of a journal, or was damaged.
    #[error("{0}")]
    Bad(String),
    /// A line in the middle is bad: what follows it cannot be trusted.
    #[error("line {line} is damaged: {why}")]
    BadLine {
        /// Counted from 1.
        line: usize,
        /// In which way.
        why: String,
    },
    /// A line is missing.
    #[error("line {line} has the number {found} where {expected} should be")]
    Gap {
        /// Counted from 1.
        line: usize,
        /// The `seq` that was due.
        expected: u64,
        /// The `seq` that stands there.
        found: u64,
    },
}

/// Where a step stands in the journal's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its `seq`.
    pub seq: u64,
    /// Its ticket.
    pub ticket: TicketId,
    /// Its bytes, without the line feed.
    pub bytes: Range<usize>,
}

/// What a journal says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The rows after its last line.
    pub rows: BTreeMap<TicketId, Row>,
    /// The `seq` of its last line; 0: it has none.
    pub seq: u64,
    /// When that was written.
    pub last_at: Option<Timestamp>,
    /// True: the last line was cut off or damaged, and is not counted.
    pub dropped_tail: bool,
    /// Bytes up to the end of the last good line.
    pub valid_len: usize,
    /// The steps after the last snapshot, in order.
    pub steps: Vec<Placed>,
}

/// Renders a step as one line, with its line feed.
///
/// # Errors
/// A path in the row is not UTF-8.
pub fn encode_entry(entry: &Entry) -> Result<Vec<u8>, JournalError> {
    seal(entry)
}

/// Renders a snapshot as one line, with its line feed.
///
/// # Errors
/// A path in a row is not UTF-8.
pub fn encode_snapshot(seq: u64, at: Timestamp, rows: &[&Row]) -> Result<Vec<u8>, JournalError> {
    #[derive(Serialize)]
    struct Body<'a> {
        seq: u64,
        at: Timestamp,
        rows: &'a [&'a Row],
    }
    #[derive(Serialize)]
    struct Outer<'a> {
        snapshot: Body<'a>,
    }
    seal(&Outer { snapshot: Body { seq, at, rows } })
}

fn seal<T: Serialize>(body: &T) -> Result<Vec<u8>, JournalError> {
    let json = serde_json::to_vec(body).map_err(|e| JournalError::Bad(format!("cannot be written as JSON: {e}")))?;
    let rest = json.get(1..).unwrap_or_default();
    let mut line = Vec::with_capacity(HEAD.len() + CRC_DIGITS + 3 + rest.len());
    line.extend_from_slice(HEAD);
    line.extend_from_slice(format!("{:08x}\",", crc32fast::hash(rest)).as_bytes());
    line.extend_from_slice(rest);
    line.push(b'\n');
    Ok(line)
}

/// Decodes one line, without its line feed.
///
/// # Errors
/// [`JournalError::Newer`] or [`JournalError::Bad`].
pub fn decode_line(line: &[u8]) -> Result<Line, JournalError> {
    let bad = |e: serde_json::Error| JournalError::Bad(e.to_string());
    if is_snapshot(checked(line)?) {
        Ok(Line::Snapshot(serde_json::from_slice::<SnapshotLine>(line).map_err(bad)?.snapshot))
    } else {
        Ok(Line::Entry(serde_json::from_slice(line).map_err(bad)?))
    }
}

#[derive(Deserialize)]
struct SnapshotLine {
    snapshot: Snapshot,
}

/// What is needed of a line whose row is overwritten by a later one.
#[derive(Deserialize)]
struct Head {
    seq: u64,
    at: Timestamp,
    ticket: TicketId,
}

#[derive(Deserialize)]
struct Tail {
    row: Option<Row>,
}

fn is_snapshot(rest: &[u8]) -> bool {
    rest.starts_with(br#""snapshot":"#)
}

/// Checks version and checksum of a line and returns the bytes under the checksum.
fn checked(line: &[u8]) -> Result<&[u8], JournalError> {
    let bad = |why: &str| JournalError::Bad(why.to_owned());
    let Some(sealed) = line.strip_prefix(HEAD) else {
        return Err(
            newer(line).map_or_else(|| bad("it does not begin as a line of a journal does"), JournalError::Newer)
        );
    };
    let (digits, rest) = sealed.split_at_checked(CRC_DIGITS).ok_or_else(|| bad("it is cut off"))?;
    let rest = rest.strip_prefix(b"\",").ok_or_else(|| bad("it does not begin as a line of a journal does"))?;
    if format!("{:08x}", crc32fast::hash(rest)).as_bytes() == digits {
        Ok(rest)
    } else {
        Err(bad("its checksum does not match"))
    }
}

/// True: a second line begins inside of this one, so the line feed between them is damaged, and the first of them was
/// acknowledged. Within a line the bytes of its head cannot stand: JSON escapes their quotes.
fn holds_two(line: &[u8]) -> bool {
    line.windows(HEAD.len()).skip(1).any(|window| window == HEAD)
}

/// The version of a line that claims a newer one.
fn newer(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(br#"{"v":"#)?;
    let end = digits.iter().position(|b| !b.is_ascii_digit())?;
    let version = std::str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
    (digits[end] == b',' && version > JOURNAL_VERSION).then_some(version)
}

/// Reads a whole journal. A last line that is cut off (no line feed) or damaged is not counted: it was never
/// acknowledged to anybody.
///
/// # Errors
/// [`JournalError::Newer`], and for every damage that is not at the very end [`JournalError::BadLine`] or
/// [`JournalError::Gap`].
pub fn read_all(bytes: &[u8]) -> Result<Loaded, JournalError> {
    let mut loaded = Loaded::default();
    let mut at = 0;
    let mut line = 0;
    while at < bytes.len() {
        line += 1;
        let rest = &bytes[at..];
        let Some(length) = rest.iter().position(|b| *b == b'\n') else {
            if let Some(version) = newer(rest) {
                return Err(JournalError::Newer(version));
            }
            if holds_two(rest) {
                return Err(JournalError::BadLine { line, why: "its line feed is damaged".to_owned() });
            }
            loaded.dropped_tail = true;
            break;
        };
        let is_last = length + 1 == rest.len();
        match loaded.take(&bytes[at..at + length], at, line) {
            Ok(()) => {}
            Err(JournalError::Bad(_)) if is_last && !holds_two(&bytes[at..at + length]) => {
                loaded.dropped_tail = true;
                break;
            }
            Err(JournalError::Bad(why)) => return Err(JournalError::BadLine { line, why }),
            Err(other) => return Err(other),
        }
        at += length + 1;
        loaded.valid_len = at;
    }
    loaded.finish(bytes)?;
    Ok(loaded)
}

impl Loaded {
    /// Counts one line in; rows of steps are read later, by [`Loaded::finish`].
    fn take(&mut self, text: &[u8], at: usize, line: usize) -> Result<(), JournalError> {
        // A checksum that matches over a text that does not parse is no torn line, wherever it stands.
        let damaged = |e: serde_json::Error| JournalError::BadLine { line, why: e.to_string() };
        if is_snapshot(checked(text)?) {
            let Snapshot { seq, at, rows } = serde_json::from_slice::<SnapshotLine>(text).map_err(damaged)?.snapshot;
            if seq < self.seq {
                return Err(JournalError::Gap { line, expected: self.seq, found: seq });
            }
            (self.seq, self.last_at) = (seq, Some(at));
            self.rows = rows.into_iter().map(|row| (row.id.clone(), row)).collect();
            self.steps.clear();
            return Ok(());
        }
        let head: Head = serde_json::from_slice(text).map_err(damaged)?;
        if head.seq.checked_sub(1) != Some(self.seq) {
            return Err(JournalError::Gap { line, expected: self.seq.saturating_add(1), found: head.seq });
        }
        (self.seq, self.last_at) = (head.seq, Some(head.at));
        self.steps.push(Placed { seq: head.seq, ticket: head.ticket, bytes: at..at + text.len() });
        Ok(())
    }

    /// Reads the last row of each ticket that has one after the last snapshot.
    fn finish(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let last: BTreeMap<&TicketId, &Placed> = self.steps.iter().map(|step| (&step.ticket, step)).collect();
        for (ticket, step) in last {
            let text = bytes.get(step.bytes.clone()).unwrap_or_default();
            let at_line = |why: String| {
                let before = bytes.get(..step.bytes.start).unwrap_or_default();
                JournalError::BadLine { line: 1 + before.iter().filter(|b| **b == b'\n').count(), why }
            };
            let tail: Tail = serde_json::from_slice(text).map_err(|e| at_line(e.to_string()))?;
            match tail.row {
                Some(row) if row.id != *ticket => return Err(at_line(format!("its row is that of {}", row.id))),
                Some(row) => self.rows.insert(ticket.clone(), row),
                None => self.rows.remove(ticket),
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
