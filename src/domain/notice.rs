//! What a person is told beside the command line: that a ticket needs them, and why.

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{
    id::TicketId,
    row::{Row, Status},
};

/// Longest text of a notice, in characters: the question itself, cut above that.
const LONGEST: usize = 1_500;

/// What it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A result waits for a review.
    Review,
    /// A ticket asks.
    Blocked,
    /// A ticket was set aside until a person says so.
    Parked,
    /// A ticket failed.
    Failed,
    /// A dispatch has ended.
    Summary,
    /// A person tries out a channel.
    Test,
}

/// How soon a person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// When they look the next time.
    Review,
    /// Now: work stands still without them.
    Urgent,
}

impl Kind {
    /// The word in JSON and in the environment of a command.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Blocked => "blocked",
            Self::Parked => "parked",
            Self::Failed => "failed",
            Self::Summary => "summary",
            Self::Test => "test",
        }
    }

    /// How soon a person should know.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::Review | Self::Summary => Severity::Review,
            Self::Blocked | Self::Parked | Self::Failed | Self::Test => Severity::Urgent,
        }
    }

    /// One line with `title` in it, as a badge shows it.
    #[must_use]
    pub fn headline(self, title: &str) -> String {
        match self {
            Self::Review => format!("REVIEW: {title} ✅"),
            Self::Blocked => format!("BLOCKED: {title} ⚠️"),
            Self::Parked => format!("PARKED: {title} ⏸️"),
            Self::Failed => format!("FAILED: {title} ❌"),
            Self::Summary | Self::Test => title.to_owned(),
        }
    }
}

impl Severity {
    /// The word in settings and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Urgent => "urgent",
        }
    }
}

/// One thing to tell. Its texts are as others wrote them: whoever shows them makes them harmless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What tells it from every other: the same thing has the same id after a restart.
    pub id: String,
    /// What it is about.
    pub kind: Kind,
    /// The ticket; `None`: of none.
    pub ticket: Option<TicketId>,
    /// Its title, or what there is to say in a line.
    pub title: String,
    /// Its project; empty: of none.
    pub project: String,
    /// The question, the reason, or how the result stands.
    pub text: String,
    /// What to type; empty: nothing.
    pub command: String,
    /// Since when it is so.
    pub at: Timestamp,
}

impl Notice {
    /// What a person should know of this row as it is; `None`: nothing.
    #[must_use]
    pub fn of(row: &Row) -> Option<Self> {
        let id = &row.id;
        let (kind, text, command) = match &row.status {
            Status::NeedsReview => (Kind::Review, standing(row), format!("autodo review {id}")),
            Status::Blocked(blocked) => (Kind::Blocked, blocked.words(), format!("autodo answer {id} \"…\"")),
            Status::Parked(parked) if parked.until.is_none() && parked.reason != "stopped" => {
                (Kind::Parked, format!("{}: {}", parked.reason, parked.detail), format!("autodo resume {id}"))
            }
            Status::Failed { reason } => (Kind::Failed, reason.clone(), format!("autodo logs {id}")),
            // A person stopped it, or it goes on by itself.
            Status::Parked(_)
            | Status::Queued { .. }
            | Status::Running(_)
            | Status::Reviewed { .. }
            | Status::Landed
            | Status::Cancelled { .. } => return None,
        };
        let text = cut(text.trim(), LONGEST);
        // Another question of the same ticket is another thing to tell.
        let mark = if kind == Kind::Blocked { hash(&text) } else { 0 };
        Some(Self {
            id: format!("{}{mark:08x}", spell(id, kind, row.changed)),
            kind,
            ticket: Some(id.clone()),
            title: row.title.clone(),
            project: row.project.clone(),
            text,
            command,
            at: row.changed,
        })
    }

    /// The part of the id that stays the same while the ticket's status does.
    #[must_use]
    pub fn spell(&self) -> &str {
        self.id.rsplit_once('#').map_or(self.id.as_str(), |(spell, _)| spell)
    }

    /// One line for a badge or a title.
    #[must_use]
    pub fn headline(&self) -> String {
        self.kind.headline(&self.title)
    }
}

fn spell(id: &TicketId, kind: Kind, changed: Timestamp) -> String {
    format!("{id}/{}@{}#", kind.word(), changed.as_millisecond())
}

/// How a result stands, in a line.
fn standing(row: &Row) -> String {
    let risk = format!("risk {}", row.effective_risk());
    let flags = match row.flags_count() {
        0 => None,
        1 => Some("1 flag".to_owned()),
        n => Some(format!("{n} flags")),
    };
    let proof = row.proof.as_ref().map(|proof| match proof.verified {
        true => format!("checks {}", proof.checks_status.word()),
        false => format!("not verified: {}", proof.reason.as_deref().unwrap_or("unknown")),
    });
    [Some(risk), flags, proof].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `text`, cut to `most` characters with an ellipsis.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// 32-bit FNV-1a: only tells texts of one ticket apart.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

/// Times of day between which nobody is told anything; from `from` on, until before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// When it begins.
    pub from: Time,
    /// When it ends; before `from`: on the next day.
    pub to: Time,
}

impl Quiet {
    /// Reads `22:00-07:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()));
            Time::new(number(hour)?, number(minute)?, 0, 0).ok()
        };
        let (from, to) = text.split_once('-')?;
        let quiet = Self { from: time(from)?, to: time(to)? };
        (quiet.from != quiet.to).then_some(quiet)
    }

    /// When it is over, if `now` lies in it.
    #[must_use]
    pub fn until(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let here = now.to_zoned(zone.clone());
        let time = here.time();
        let is_in = match self.from < self.to {
            true => self.from <= time && time < self.to,
            false => self.from <= time || time < self.to,
        };
        let end =
            |date: jiff::civil::Date| date.to_datetime(self.to).to_zoned(zone.clone()).ok().map(|at| at.timestamp());
        let tomorrow = || here.date().tomorrow().ok().and_then(end);
        // Where the calendar gives no answer, an hour is quiet enough.
        let hour = || now.checked_add(SignedDuration::from_hours(1)).ok();
        is_in.then(|| end(here.date()).filter(|at| *at > now).or_else(tomorrow).or_else(hour)).flatten()
    }
}

impl std::fmt::Display for Quiet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.from, self.to);
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{run::NextRun, samples};

    #[test]
    fn every_row_that_waits_for_a_person_is_told_once_and_no_other() {
        for row in samples::every_row() {
            let told = Notice::of(&row);
            let waits = match &row.status {
                Status::NeedsReview | Status::Blocked(_) | Status::Failed { .. } => true,
                Status::Parked(parked) => parked.until.is_none() && parked.reason != "stopped",
                _ => false,
            };
            assert_eq!(told.is_some(), waits, "{:?}", row.status);
            assert_eq!(told, Notice::of(&row), "the same after a restart");
        }
    }

    #[test]
    fn another_question_is_another_notice_of_the_same_spell() {
        let blocked = samples::every_row().into_iter().find(|row| matches!(row.status, Status::Blocked(_))).unwrap();
        let mut other = blocked.clone();
        if let Status::Blocked(blocked) = &mut other.status {
            blocked.question.push_str(" or blue?");
        }
        let (first, second) = (Notice::of(&blocked).unwrap(), Notice::of(&other).unwrap());
        assert_ne!(first.id, second.id);
        assert_eq!(first.spell(), second.spell());
        other.status = Status::Queued { not_before: None, next: NextRun::Ticket };
        assert_eq!(Notice::of(&other), None);
    }

    #[test]
    fn quiet_hours_end_on_the_day_they_should() {
        let zone = TimeZone::UTC;
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let night = Quiet::parse("22:00-07:00").unwrap();
        assert_eq!(night.until(at("2026-01-01T23:00:00Z"), &zone), Some(at("2026-01-02T07:00:00Z")));
        assert_eq!(night.until(at("2026-01-02T06:59:59Z"), &zone), Some(at("2026-01-02T07:00:00Z")));
        assert_eq!(night.until(at("2026-01-02T07:00:00Z"), &zone), None);
        let noon = Quiet::parse("12:00-13:30").unwrap();
        assert_eq!(noon.until(at("2026-01-02T12:00:00Z"), &zone), Some(at("2026-01-02T13:30:00Z")));
        assert_eq!(noon.until(at("2026-01-02T22:00:00Z"), &zone), None);
        for wrong in ["", "22:00", "22-07", "25:00-07:00", "07:00-07:00", "-1:00-07:00", "a:b-c:d"] {
            assert_eq!(Quiet::parse(wrong), None, "{wrong}");
        }
        assert_eq!(night.to_string(), "22:00-07:00");
    }
}
