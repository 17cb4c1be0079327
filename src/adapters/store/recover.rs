//! What to make of the books as they were found. Pure: decides, and changes nothing.
//!
//! | journal | `queue.toml` | rows come from |
//! |---|---|---|
//! | there | missing, older, as new | the journal |
//! | there | unreadable, edited | the journal; the file is renamed aside |
//! | missing or empty, or older | newer | `queue.toml`; a snapshot goes into the journal |
//! | missing or empty | missing | nowhere: a new home |
//! | missing or empty | unreadable, edited | nowhere: refused |
//!
//! An id in both queue and archive: the archive wins where it holds the very row that the queue holds (its removal was
//! cut off), or was written after the last step that the books know (they are older than it). Otherwise the ticket was
//! taken up again after it was archived: the queue wins, and the archive's block is removed.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    domain::{id::TicketId, row::Row},
    format::{journal, queue::Queue},
};

/// `queue.toml` as found.
pub(super) enum QueueSeen {
    /// It is not there.
    Absent,
    /// As autodo wrote it.
    Good(Queue),
    /// It must not be used.
    Bad {
        /// Why.
        why: String,
        /// True: there is nothing in it that could be lost.
        is_blank: bool,
    },
}

/// An archived row.
pub(super) struct InArchive {
    /// The last step when it was archived.
    pub seq: u64,
    /// The row.
    pub row: Row,
}

/// All that was found.
pub(super) struct Seen<'a> {
    /// The journal; `None`: it is not there.
    pub journal: Option<&'a journal::Loaded>,
    /// The queue.
    pub queue: QueueSeen,
}

/// What the books are, and what must be written so that the files say the same.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// The rows.
    pub rows: BTreeMap<TicketId, Row>,
    /// The last step.
    pub seq: u64,
    /// `queue.toml` must be renamed aside, and why.
    pub queue_aside: Option<String>,
    /// `queue.toml` must be written.
    pub publish: bool,
    /// A snapshot must go into the journal.
    pub snapshot: bool,
    /// Tickets whose blocks must leave the archive.
    pub unarchive: BTreeSet<TicketId>,
    /// Tickets whose other projections may be old.
    pub unprojected: BTreeSet<TicketId>,
    /// What a person should hear.
    pub notices: Vec<String>,
}

/// The journal is gone, and `queue.toml` cannot stand in for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// What is wrong with `queue.toml`.
    pub why: String,
}

/// Decides what the rows are.
pub(super) fn plan(seen: Seen<'_>) -> Result<Plan, Lost> {
    let empty = journal::Loaded::default();
    let journal = seen.journal.unwrap_or(&empty);
    let from_journal = || Plan { rows: journal.rows.clone(), seq: journal.seq, ..Plan::default() };
    let all = |rows: &BTreeMap<TicketId, Row>| rows.keys().cloned().collect::<BTreeSet<_>>();
    let mut plan = match seen.queue {
        QueueSeen::Absent => {
            let mut plan = Plan { publish: true, unprojected: all(&journal.rows), ..from_journal() };
            if journal.seq > 0 {
                plan.notices.push("queue.toml was missing and has been rebuilt from the journal".to_owned());
            }
            plan
        }
        QueueSeen::Bad { why, is_blank } => {
            if journal.seq == 0 && !is_blank {
                return Err(Lost { why });
            }
            Plan { publish: true, unprojected: all(&journal.rows), queue_aside: Some(why), ..from_journal() }
        }
        QueueSeen::Good(queue) => {
            let rows: BTreeMap<_, _> = queue.rows.into_iter().map(|row| (row.id.clone(), row)).collect();
            if queue.seq > journal.seq {
                let is_gone = journal.seq == 0;
                let what = if is_gone { "is gone" } else { "is behind queue.toml" };
                let notice = format!(
                    "the journal {what}: the rows were taken from queue.toml as of step {}, and the journal goes on from there",
                    queue.seq
                );
                Plan {
                    unprojected: all(&rows),
                    rows,
                    seq: queue.seq,
                    snapshot: true,
                    notices: vec![notice],
                    ..Plan::default()
                }
            } else {
                let newer = journal.steps.iter().filter(|step| step.seq > queue.seq);
                let unprojected = newer.map(|step| step.ticket.clone()).collect();
                Plan { publish: queue.seq != journal.seq || rows != journal.rows, unprojected, ..from_journal() }
            }
        }
    };
    if journal.dropped_tail {
        plan.notices.push("the last line of the journal was cut off by a crash and has been dropped".to_owned());
    }
    Ok(plan)
}

impl Plan {
    /// Resolves ids that are in queue and archive, and takes over the archive's number where it is higher.
    pub(super) fn resolve(&mut self, both: Vec<InArchive>, archive_seq: u64) {
        for InArchive { seq, row } in both {
            let id = &row.id;
            if self.rows.get(id) == Some(&row) || seq > self.seq {
                self.notices.push(format!("{id} was being archived when autodo was interrupted: done now"));
                self.rows.remove(id);
                self.snapshot = true;
                self.publish = true;
            } else {
                self.notices.push(format!("{id} is in the queue again: removed from the archive"));
                self.unarchive.insert(row.id);
            }
        }
        if archive_seq > self.seq {
            // No step is numbered twice, so that audit trails rise.
            let seq = self.seq;
            self.notices.push(format!(
                "the archive knows of step {archive_seq}, the journal only of {seq}: it goes on from there"
            ));
            self.seq = archive_seq;
            self.snapshot = true;
            self.publish = true;
        }
        self.unprojected.retain(|id| self.rows.contains_key(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::samples::{entry, id, row},
        format::journal::{encode_entry, read_all},
    };

    /// A journal of one step a ticket.
    fn journal(tickets: &[&str]) -> journal::Loaded {
        let steps = tickets.iter().enumerate().map(|(n, t)| encode_entry(&entry(n as u64 + 1, row(t))).unwrap());
        read_all(&steps.flatten().collect::<Vec<_>>()).unwrap()
    }

    fn queue(seq: u64, tickets: &[&str]) -> QueueSeen {
        QueueSeen::Good(Queue { seq, rows: tickets.iter().map(|t| row(t)).collect() })
    }

    fn bad(is_blank: bool) -> QueueSeen {
        QueueSeen::Bad { why: "x".to_owned(), is_blank }
    }

    #[test]
    fn rows_come_from_where_the_table_says() {
        let two = journal(&["a", "b"]);
        let none = journal(&[]);
        // journal, queue -> (rows, seq, aside, publish, snapshot, notices) or refused
        type Expected<'a> = Option<(&'a [&'a str], u64, bool, bool, bool, usize)>;
        let table: Vec<(&str, Option<&journal::Loaded>, QueueSeen, Expected<'_>)> = vec![
            ("as new", Some(&two), queue(2, &["a", "b"]), Some((&["a", "b"], 2, false, false, false, 0))),
            ("older", Some(&two), queue(1, &["a"]), Some((&["a", "b"], 2, false, true, false, 0))),
            ("wrong", Some(&two), queue(2, &["a"]), Some((&["a", "b"], 2, false, true, false, 0))),
            ("missing", Some(&two), QueueSeen::Absent, Some((&["a", "b"], 2, false, true, false, 1))),
            ("edited", Some(&two), bad(false), Some((&["a", "b"], 2, true, true, false, 0))),
            ("newer", Some(&two), queue(3, &["c"]), Some((&["c"], 3, false, false, true, 1))),
            ("journal gone", None, queue(3, &["c"]), Some((&["c"], 3, false, false, true, 1))),
            ("journal empty", Some(&none), queue(3, &["c"]), Some((&["c"], 3, false, false, true, 1))),
            ("new home", None, QueueSeen::Absent, Some((&[], 0, false, true, false, 0))),
            ("both empty", Some(&none), queue(0, &[]), Some((&[], 0, false, false, false, 0))),
            ("journal gone, edited", None, bad(false), None),
            ("journal empty, edited", Some(&none), bad(false), None),
            ("journal gone, blank", None, bad(true), Some((&[], 0, true, true, false, 0))),
        ];
        for (name, journal, queue, expected) in table {
            let got = plan(Seen { journal, queue });
            let Some((rows, seq, aside, publish, snapshot, notices)) = expected else {
                assert_eq!(got, Err(Lost { why: "x".to_owned() }), "{name}");
                continue;
            };
            let got = got.unwrap();
            assert_eq!(got.rows.keys().map(TicketId::as_str).collect::<Vec<_>>(), rows, "{name}");
            assert_eq!((got.seq, got.queue_aside.is_some()), (seq, aside), "{name}");
            assert_eq!((got.publish, got.snapshot, got.notices.len()), (publish, snapshot, notices), "{name}");
        }
    }

    #[test]
    fn projections_after_the_queues_step_are_named() {
        let two = journal(&["a", "b"]);
        let got = plan(Seen { journal: Some(&two), queue: queue(1, &["a"]) }).unwrap();
        assert_eq!(got.unprojected, BTreeSet::from([id("b")]));
    }

    #[test]
    fn an_id_in_both_ends_in_one() {
        let two = journal(&["a", "b"]);
        let start = || plan(Seen { journal: Some(&two), queue: queue(2, &["a", "b"]) }).unwrap();
        let other = Row { title: "other".to_owned(), ..row("a") };
        // (row in the archive, its number) -> does the archive win?
        for (archived, seq, archive_wins) in [(row("a"), 1, true), (other.clone(), 2, false), (other, 3, true)] {
            let mut plan = start();
            plan.resolve(vec![InArchive { seq, row: archived }], seq);
            assert_eq!(plan.rows.contains_key(&id("a")), !archive_wins);
            assert_eq!(plan.unarchive.contains(&id("a")), !archive_wins);
            assert_eq!((plan.snapshot, plan.seq), (archive_wins, seq.max(2)));
            assert!(plan.rows.contains_key(&id("b")));
        }
    }
}
