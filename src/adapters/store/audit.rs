//! Audit trails: `<ticket>/events.jsonl`, one line for each thing that happened.
//!
//! A line is a JSON object that begins with `seq` (the journal's step that it belongs to), `at` and `kind`. Lines of
//! one step share its number; from step to step it rises.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::{
    adapters::{
        fs::{self, FsError, Sync},
        home::Home,
    },
    domain::{audit, id::TicketId, observed::Observed, row::Row},
    format::journal::{Line, Loaded, Placed, decode_line},
};

/// Bytes at the end of a trail among which its last line is looked for.
const TAIL: u64 = 256 * 1024;

/// Appends `line`, an object, to a ticket's trail, with `seq` and `at` put in where it has none.
pub(super) fn append(
    home: &Home,
    ticket: &TicketId,
    line: &Value,
    seq: u64,
    at: Option<Timestamp>,
) -> Result<(), FsError> {
    let path = home.events(ticket);
    let Value::Object(given) = line else {
        return Err(FsError::refused("append to", &path, "the line is not an object"));
    };
    let mut ordered = Map::new();
    ordered.insert("seq".to_owned(), seq.into());
    ordered.insert("at".to_owned(), at.map_or(Value::Null, |at| at.to_string().into()));
    ordered.insert("kind".to_owned(), "note".into());
    // A key that is there keeps its place and takes the given value.
    ordered.extend(given.clone());
    let mut text = Value::Object(ordered).to_string();
    text.push('\n');
    fs::create_dir_private(&home.ticket(ticket))?;
    fs::append(&path, text.as_bytes(), Sync::None)
}

/// Takes a line that a crash cut off away from the end of a trail.
pub(super) fn mend(path: &Path) -> Result<(), FsError> {
    let Observed::Present((start, tail)) = fs::look_tail(path, TAIL) else { return Ok(()) };
    match tail.iter().rposition(|b| *b == b'\n') {
        Some(end) if end + 1 == tail.len() => Ok(()),
        Some(end) => fs::truncate(path, start + end as u64 + 1),
        None if tail.is_empty() => Ok(()),
        None if start == 0 => fs::truncate(path, 0),
        // A line longer than any of autodo's own: not ours to cut. It is ended, so that the next one stands alone.
        None => fs::append(path, b"\n", Sync::None),
    }
}

/// The number of a trail's last line; `Absent`: it has none.
fn last_seq(path: &Path) -> Observed<u64> {
    match fs::look_tail(path, TAIL) {
        Observed::Present((_, tail)) => {
            let complete = tail.split_inclusive(|b| *b == b'\n').filter(|line| line.ends_with(b"\n"));
            let seq = |line: &[u8]| serde_json::from_slice::<Value>(line).ok()?.get("seq")?.as_u64();
            // Ignored above: a line that is no JSON has no number; the ones before it have.
            complete.filter_map(seq).next_back().map_or(Observed::Absent, Observed::Present)
        }
        Observed::Absent => Observed::Absent,
        Observed::Unknown(why) => Observed::Unknown(why),
    }
}

/// Adds the transitions that the journal has and the trails have not. Returns what could not be done, for people: a
/// trail is no reason not to start.
pub(super) fn repair(home: &Home, journal: &Loaded, bytes: &[u8]) -> Vec<String> {
    let mut by_ticket: BTreeMap<&TicketId, Vec<&Placed>> = BTreeMap::new();
    for step in &journal.steps {
        by_ticket.entry(&step.ticket).or_default().push(step);
    }
    let repaired = by_ticket.into_iter().map(|(ticket, steps)| repair_one(home, ticket, &steps, bytes));
    repaired.filter_map(Result::err).map(|e| e.to_string()).collect()
}

fn repair_one(home: &Home, ticket: &TicketId, steps: &[&Placed], bytes: &[u8]) -> Result<(), FsError> {
    let path = home.events(ticket);
    let known = match last_seq(&path) {
        Observed::Present(seq) => seq,
        Observed::Absent => 0,
        Observed::Unknown(_) => return Ok(()),
    };
    let first_missing = steps.partition_point(|step| step.seq <= known);
    if first_missing == steps.len() {
        return Ok(());
    }
    mend(&path)?;
    let entry = |step: &Placed| match bytes.get(step.bytes.clone()).map(decode_line) {
        Some(Ok(Line::Entry(entry))) => Some(entry),
        // An event of another version: its row counts, its line is not written.
        Some(Ok(Line::Snapshot(_)) | Err(_)) | None => None,
    };
    let mut before: Option<Row> = first_missing.checked_sub(1).and_then(|n| entry(steps[n])).and_then(|e| e.row);
    for step in &steps[first_missing..] {
        let Some(entry) = entry(step) else { continue };
        append(home, ticket, &audit::line(&entry, before.as_ref()), entry.seq, Some(entry.at))?;
        before = entry.row;
    }
    Ok(())
}

/// Trails that are known to end with a whole line.
#[derive(Debug, Default)]
pub(super) struct Trails(BTreeSet<TicketId>);

impl Trails {
    /// Mends a trail before the first line of this process.
    pub(super) fn ready(&mut self, home: &Home, ticket: &TicketId) -> Result<(), FsError> {
        if !self.0.contains(ticket) {
            mend(&home.events(ticket))?;
            self.0.insert(ticket.clone());
        }
        Ok(())
    }
}
