//! What is still to be told, and to whom: every notice once for each channel, several at once as a digest, again after a
//! pause where a channel failed. Pure; kept in a file, so that a restart loses none.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    id::TicketId,
    notice::{Notice, Severity},
};

/// Version of the file.
pub const VERSION: u32 = 1;

/// How long a notice waits, so that what passes at once is not told, and what comes together is told together.
const SETTLES: SignedDuration = SignedDuration::from_secs(2);

/// The least time between two notices of one ticket about the same status: a question that flickers is told once.
const AGAIN: SignedDuration = SignedDuration::from_mins(10);

/// The first pause after a failure; doubled each time.
const PAUSE_S: i64 = 10;

/// The longest pause.
const LONGEST_PAUSE_S: i64 = 600;

/// Failures in a row after which what waits for a channel is given up: about two days.
const MOST_TRIES: u32 = 300;

/// Most ids that are remembered.
const MOST_KNOWN: usize = 4_000;

/// A way to tell a person, as the mailbox sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its name.
    pub name: String,
    /// From which severity on it is told.
    pub from: Severity,
}

/// A notice that was taken in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    id: String,
    /// When it was sent to some channel; `None`: it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sent: Option<Timestamp>,
}

/// What waits for one channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    notices: Vec<Held>,
    /// Failures in a row.
    #[serde(default)]
    tries: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    /// Why it failed last, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trouble: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    due: Timestamp,
    notice: Notice,
}

/// All that is still to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// Version of the file.
    pub version: u32,
    known: Vec<Known>,
    waiting: BTreeMap<String, Waiting>,
}

impl Default for Mailbox {
    fn default() -> Self {
        Self { version: VERSION, known: vec![], waiting: BTreeMap::new() }
    }
}

/// `at`, `by` later; the same where that is no time.
fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(at)
}

impl Mailbox {
    /// Takes a notice in for every channel that is to be told of it. False: it was taken in before. What the same ticket
    /// had still to tell is no longer so.
    pub fn put(&mut self, notice: &Notice, to: &[Address], now: Timestamp) -> bool {
        if self.known.iter().any(|known| known.id == notice.id) {
            return false;
        }
        if let Some(ticket) = &notice.ticket {
            self.withdraw(ticket, None);
        }
        let same = |known: &&Known| known.id.rsplit_once('#').is_some_and(|(spell, _)| spell == notice.spell());
        let last = self.known.iter().filter(same).filter_map(|known| known.sent).max();
        let due = last.map_or(now, |sent| later(sent, AGAIN)).max(later(now, SETTLES));
        self.remember(&notice.id);
        for address in to.iter().filter(|address| notice.kind.severity() >= address.from) {
            let waiting = self.waiting.entry(address.name.clone()).or_default();
            waiting.notices.push(Held { due, notice: notice.clone() });
        }
        true
    }

    /// Takes a notice for known that nobody is told.
    pub fn remember(&mut self, id: &str) {
        if !self.known.iter().any(|known| known.id == id) {
            self.known.push(Known { id: id.to_owned(), sent: None });
        }
        if self.known.len() > MOST_KNOWN {
            self.known.drain(..self.known.len() - MOST_KNOWN);
        }
    }

    /// What was to be told of a ticket is no longer so, but for the notice `keep`. True: something was taken out.
    pub fn withdraw(&mut self, ticket: &TicketId, keep: Option<&str>) -> bool {
        let mut taken = false;
        for waiting in self.waiting.values_mut() {
            let before = waiting.notices.len();
            let stays =
                |held: &Held| held.notice.ticket.as_ref() != Some(ticket) || Some(held.notice.id.as_str()) == keep;
            waiting.notices.retain(stays);
            taken |= waiting.notices.len() < before;
        }
        taken
    }

    /// Forgets channels that are no more.
    pub fn keep_only(&mut self, to: &[Address]) {
        self.waiting.retain(|name, waiting| {
            to.iter().any(|address| address.name == *name) && !(waiting.notices.is_empty() && waiting.tries == 0)
        });
    }

    /// What can be sent now: each channel with all that waits for it. `quiet_until`: nothing is, before then. `hurry`:
    /// nothing waits for company any more.
    #[must_use]
    pub fn due(&self, now: Timestamp, quiet_until: Option<Timestamp>, hurry: bool) -> Vec<(String, Vec<Notice>)> {
        if quiet_until.is_some_and(|until| until > now) {
            return vec![];
        }
        let ready = |waiting: &&Waiting| is_past(waiting.not_before, now, LONGEST_PAUSE_S);
        let some = self.waiting.iter().filter(|(_, waiting)| ready(waiting));
        some.filter_map(|(name, waiting)| {
            let is_due = |held: &&Held| hurry || is_past(Some(held.due), now, AGAIN.as_secs());
            let notices: Vec<Notice> = waiting.notices.iter().filter(is_due).map(|held| held.notice.clone()).collect();
            (!notices.is_empty()).then(|| (name.clone(), notices))
        })
        .collect()
    }

    /// When something may be sent next; `None`: nothing waits.
    #[must_use]
    pub fn next(&self, quiet_until: Option<Timestamp>) -> Option<Timestamp> {
        let of = |waiting: &Waiting| {
            let due = waiting.notices.iter().map(|held| held.due).min()?;
            Some(waiting.not_before.map_or(due, |at| at.max(due)))
        };
        let next = self.waiting.values().filter_map(of).min()?;
        Some(quiet_until.map_or(next, |until| until.max(next)))
    }

    /// A channel took these.
    pub fn sent(&mut self, channel: &str, ids: &[String], now: Timestamp) {
        for known in self.known.iter_mut().filter(|known| ids.contains(&known.id)) {
            known.sent = Some(now);
        }
        if let Some(waiting) = self.waiting.get_mut(channel) {
            waiting.notices.retain(|held| !ids.contains(&held.notice.id));
            (waiting.tries, waiting.not_before, waiting.trouble) = (0, None, None);
        }
    }

    /// A channel failed, for a reason without secrets in it. `for_good`: trying again is of no use. True: what waited
    /// was given up.
    pub fn failed(&mut self, channel: &str, ids: &[String], why: &str, for_good: bool, now: Timestamp) -> bool {
        let Some(waiting) = self.waiting.get_mut(channel) else { return false };
        waiting.tries += 1;
        let doubled = PAUSE_S.saturating_mul(1 << (waiting.tries - 1).min(16));
        waiting.not_before = Some(later(now, SignedDuration::from_secs(doubled.min(LONGEST_PAUSE_S))));
        waiting.trouble = Some(why.to_owned());
        let gives_up = for_good || waiting.tries >= MOST_TRIES;
        if gives_up {
            waiting.notices.retain(|held| !ids.contains(&held.notice.id));
        }
        gives_up
    }

    /// How many notices wait, and what was wrong with the channels that failed last.
    #[must_use]
    pub fn troubles(&self) -> Vec<(&str, usize, &str)> {
        self.waiting
            .iter()
            .filter_map(|(name, waiting)| Some((name.as_str(), waiting.notices.len(), waiting.trouble.as_deref()?)))
            .collect()
    }

    /// How many notices wait for their channels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.values().map(|waiting| waiting.notices.len()).sum()
    }

    /// True if none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// True once `at` has come; also if it lies further ahead than any pause: then the clock was set back.
fn is_past(at: Option<Timestamp>, now: Timestamp, most_s: i64) -> bool {
    at.is_none_or(|at| at <= now || at.duration_since(now) > SignedDuration::from_secs(most_s + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{notice::Kind, samples};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn notice(ticket: &str, kind: Kind, mark: &str) -> Notice {
        Notice {
            id: format!("{ticket}/{}@1#{mark}", kind.word()),
            kind,
            ticket: Some(samples::id(ticket)),
            title: ticket.to_owned(),
            project: String::new(),
            text: String::new(),
            command: String::new(),
            at: at(0),
        }
    }

    fn to() -> Vec<Address> {
        [("all", Severity::Review), ("urgent", Severity::Urgent)]
            .map(|(name, from)| Address { name: name.to_owned(), from })
            .to_vec()
    }

    fn ids(due: &[(String, Vec<Notice>)]) -> Vec<String> {
        due.iter()
            .map(|(name, all)| format!("{name}: {}", all.iter().map(|n| n.title.as_str()).collect::<String>()))
            .collect()
    }

    #[test]
    fn a_notice_is_taken_once_and_goes_to_those_who_want_its_severity() {
        let mut mailbox = Mailbox::default();
        assert!(mailbox.put(&notice("a", Kind::Review, "1"), &to(), at(0)));
        assert!(mailbox.put(&notice("b", Kind::Blocked, "1"), &to(), at(0)));
        assert!(!mailbox.put(&notice("b", Kind::Blocked, "1"), &to(), at(0)));
        assert_eq!(mailbox.due(at(1), None, false), vec![]);
        assert_eq!(ids(&mailbox.due(at(2), None, false)), ["all: ab", "urgent: b"]);
        mailbox.sent("all", &["a/review@1#1".into(), "b/blocked@1#1".into()], at(2));
        assert_eq!(ids(&mailbox.due(at(3), None, false)), ["urgent: b"]);
        let text = serde_json::to_string(&mailbox).unwrap();
        let mut again: Mailbox = serde_json::from_str(&text).unwrap();
        assert_eq!(again, mailbox);
        assert!(!again.put(&notice("a", Kind::Review, "1"), &to(), at(9)), "sent before the restart");
        again.sent("urgent", &["b/blocked@1#1".into()], at(4));
        assert!(again.is_empty() && again.next(None).is_none());
    }

    #[test]
    fn what_is_no_longer_so_is_not_told() {
        let mut mailbox = Mailbox::default();
        mailbox.put(&notice("a", Kind::Blocked, "1"), &to(), at(0));
        assert!(!mailbox.withdraw(&samples::id("a"), Some("a/blocked@1#1")));
        assert!(mailbox.withdraw(&samples::id("a"), None));
        assert!(mailbox.is_empty());
    }

    #[test]
    fn a_question_that_flickers_is_told_again_only_after_a_while() {
        let mut mailbox = Mailbox::default();
        mailbox.put(&notice("a", Kind::Blocked, "1"), &to(), at(0));
        mailbox.put(&notice("a", Kind::Blocked, "2"), &to(), at(1));
        let due = mailbox.due(at(3), None, false);
        assert_eq!(due[0].1.len(), 1, "the newer question alone: {due:?}");
        for channel in ["all", "urgent"] {
            mailbox.sent(channel, &["a/blocked@1#2".into()], at(3));
        }
        mailbox.put(&notice("a", Kind::Blocked, "3"), &to(), at(10));
        assert_eq!(mailbox.due(at(60), None, false), vec![]);
        assert_eq!(mailbox.next(None), Some(at(603)));
        assert_eq!(mailbox.due(at(603), None, false).len(), 2);
    }

    #[test]
    fn quiet_hours_hold_all_and_end_in_one_digest() {
        let mut mailbox = Mailbox::default();
        for ticket in ["a", "b", "c"] {
            mailbox.put(&notice(ticket, Kind::Failed, "1"), &to()[..1], at(0));
        }
        assert_eq!(mailbox.due(at(50), Some(at(100)), true), vec![]);
        assert_eq!(mailbox.next(Some(at(100))), Some(at(100)));
        assert_eq!(ids(&mailbox.due(at(100), None, false)), ["all: abc"]);
    }

    #[test]
    fn a_failure_is_tried_again_later_and_later_and_one_for_good_is_not() {
        let mut mailbox = Mailbox::default();
        mailbox.put(&notice("a", Kind::Failed, "1"), &to()[..1], at(0));
        let id = ["a/failed@1#1".to_owned()];
        for (now, next) in [(2, 12), (12, 32), (32, 72)] {
            assert_eq!(mailbox.due(at(now), None, false).len(), 1, "{now}");
            assert!(!mailbox.failed("all", &id, "no route", false, at(now)));
            assert_eq!(mailbox.next(None), Some(at(next)));
            assert_eq!(mailbox.due(at(next - 1), None, true), vec![]);
        }
        assert_eq!(mailbox.troubles(), [("all", 1, "no route")]);
        // The clock was set back by a day: nothing waits for it to come round again.
        assert_eq!(mailbox.due(at(-86_400), None, false).len(), 1);
        assert!(mailbox.failed("all", &id, "401", true, at(100)));
        assert!(mailbox.is_empty());
    }

    #[test]
    fn channels_that_are_no_more_are_forgotten_and_what_is_known_stays_small() {
        let mut mailbox = Mailbox::default();
        mailbox.put(&notice("a", Kind::Failed, "1"), &to(), at(0));
        mailbox.keep_only(&to()[..1]);
        assert_eq!(mailbox.len(), 1);
        for n in 0..MOST_KNOWN + 10 {
            mailbox.remember(&n.to_string());
        }
        assert_eq!(mailbox.known.len(), MOST_KNOWN);
    }
}
