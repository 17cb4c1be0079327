//! A ticket as `list` shows it: flat, small, and quick to read by the thousand.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    audit,
    id::TicketId,
    risk::RiskSummary,
    row::{Row, Status},
};

/// Longest part of a question that is kept, in characters.
const QUESTION: usize = 60;

/// Tickets at a glance, by id.
pub type Glances = BTreeMap<TicketId, Glance>;

/// What `list` shows of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    /// The ticket.
    pub id: TicketId,
    /// Its title.
    pub title: String,
    /// The word of its status.
    pub status: String,
    /// Name of its project.
    pub project: String,
    /// The user's checkout.
    pub repo: String,
    /// When it was accepted.
    pub created: Timestamp,
    /// Seconds it has been worked on, those since `since` not counted; `None`: it was not started.
    pub worked_s: Option<u64>,
    /// When the work that goes on began; `None`: none does.
    pub since: Option<Timestamp>,
    /// What it has cost so far, in words; `None`: nothing is known of that.
    pub cost: Option<String>,
    /// Decisions, counted.
    pub risk: RiskSummary,
    /// Why it is where it is, in a few words.
    pub note: Option<String>,
    /// Until when it is set aside.
    pub until: Option<Timestamp>,
    /// Its dependencies.
    pub after: Vec<TicketId>,
    /// True if its dependents can start.
    pub through: bool,
}

impl From<&Row> for Glance {
    fn from(row: &Row) -> Self {
        let held = match &row.status {
            Status::Blocked(blocked) => {
                blocked.run.as_ref().map_or(0, |run| row.changed.duration_since(run.began).as_secs().max(0))
            }
            _ => 0,
        };
        Self {
            id: row.id.clone(),
            title: row.title.clone(),
            status: row.status.word().to_owned(),
            project: row.project.clone(),
            repo: row.repo.to_string_lossy().into_owned(),
            created: row.created,
            // While it waits for an answer no time passes.
            worked_s: row.started.map(|_| row.worked_s + u64::try_from(held).unwrap_or(0)),
            since: match &row.status {
                Status::Running(run) if row.started.is_some() => Some(run.began),
                _ => None,
            },
            cost: row.spent().map(|_| row.cost_words()),
            risk: row.risk_summary,
            note: note(row),
            until: match &row.status {
                Status::Parked(parked) => parked.until,
                _ => None,
            },
            after: row.after.clone(),
            through: row.satisfies_dependents(),
        }
    }
}

fn note(row: &Row) -> Option<String> {
    match &row.status {
        Status::Blocked(blocked) => {
            let words = blocked.words();
            let line = words.lines().next().unwrap_or_default();
            let cut: String = line.chars().take(QUESTION).collect();
            let more = if cut.len() < line.len() { "…" } else { "" };
            Some(format!("{}: {cut}{more}", blocked.reason))
        }
        Status::Parked(parked) => Some(parked.reason.clone()),
        Status::Queued { .. } | Status::Running(_) | Status::Failed { .. } => audit::reason(row),
        Status::NeedsReview => match (&row.proof, &row.stale_base) {
            (Some(proof), _) if !proof.verified => {
                Some(format!("not verified: {}", proof.reason.as_deref().unwrap_or("unknown")))
            }
            (_, Some(_)) => Some("stale base".into()),
            _ => row.proof.as_ref().and_then(|p| p.reason.clone()),
        },
        Status::Reviewed { .. } | Status::Landed | Status::Cancelled { .. } => None,
    }
}

impl Glance {
    /// Seconds it has been worked on up to now; `None`: it was not started.
    #[must_use]
    pub fn worked(&self, now: Timestamp) -> Option<u64> {
        let going_on = self.since.map_or(0, |since| now.duration_since(since).as_secs().max(0));
        self.worked_s.map(|worked| worked + u64::try_from(going_on).unwrap_or(0))
    }

    /// The dependencies that it waits for.
    #[must_use]
    pub fn waits_for<'a>(&'a self, all: &Glances) -> Vec<&'a str> {
        let is_open = |id: &&TicketId| all.get(*id).is_some_and(|other| !other.through);
        self.after.iter().filter(is_open).map(TicketId::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;

    #[test]
    fn every_row_is_the_same_at_a_glance_after_it_was_written_and_read() {
        for row in samples::every_row() {
            let glance = Glance::from(&row);
            let text = serde_json::to_string(&glance).unwrap();
            assert_eq!(serde_json::from_str::<Glance>(&text).unwrap(), glance);
        }
    }
}
