//! Lines of a ticket's `events.jsonl`: one for each journal line, in words that do not change with the machine.

use serde_json::{Value, json};

use super::{
    entry::Entry,
    event::{Event, Request},
    row::{Row, Status},
    run::Phase,
};

/// The audit line of a committed entry: `seq`, `at`, `kind`, and what belongs to the kind.
#[must_use]
pub fn line(entry: &Entry, before: Option<&Row>) -> Value {
    let (from, to) = (before.map(|b| b.status.word()), entry.row.as_ref().map(|row| row.status.word()));
    // A change of status is a transition, whatever brought it about; the event says what did.
    let kind = if from == to { kind(&entry.event) } else { "transition" };
    let mut line = json!({ "seq": entry.seq, "at": entry.at, "kind": kind });
    let Some(fields) = line.as_object_mut() else { return line };
    if from != to {
        fields.insert("from".into(), json!(from));
        fields.insert("to".into(), json!(to.unwrap_or("archived")));
    }
    if let Some(row) = &entry.row {
        if let Some(reason) = reason(row) {
            fields.insert("reason".into(), json!(reason));
        }
        if row.run > 0 {
            fields.insert("run".into(), json!(row.run));
        }
    }
    if !entry.effects.is_empty() {
        let words: Vec<&str> = entry.effects.iter().map(|e| e.word()).collect();
        fields.insert("effects".into(), json!(words));
    }
    match &entry.event {
        // The row is in the journal; here it would only hide what a person looks for.
        Event::Accepted { row } | Event::Updated { row } => {
            fields.insert("title".into(), json!(row.title));
            fields.insert("by".into(), json!(row.launched_by));
        }
        other => {
            let mut told = serde_json::to_value(other).unwrap_or(Value::Null);
            if let Some(told) = told.as_object_mut() {
                told.remove("summary");
                told.remove("risks");
                // Where the next look goes on is the journal's affair.
                if let Some(noted) = told.get_mut("noted").and_then(Value::as_object_mut) {
                    noted.remove("mark");
                }
                let key = told.remove("event").unwrap_or(Value::Null);
                fields.insert("event".into(), key);
                if let Some(report) = told.get_mut("report").and_then(Value::as_object_mut) {
                    // The key is what tells a true report from a false one: it stays out of every text.
                    report.remove("key");
                }
                for (name, value) in std::mem::take(told) {
                    if name != "key" {
                        fields.entry(name).or_insert(value);
                    }
                }
            }
        }
    }
    line
}

/// One word for each kind of line.
fn kind(event: &Event) -> &'static str {
    match event {
        Event::Keyed { keys, .. } if keys.is_empty() => "note",
        Event::Keyed { .. } => "key",
        Event::Pasted { .. } | Event::Submitted { .. } | Event::NotPasted { .. } | Event::Unverified { .. } => {
            "delivery"
        }
        Event::Seen { .. } | Event::Alive => "screen",
        Event::Reported { report, .. } => match report.said.word() {
            "decision" => "decision",
            "note" => "note",
            "hook" => "hook",
            _ => "report",
        },
        Event::Recorded { hook: Some(_), .. } => "hook",
        Event::Recorded { hook: None, .. } => "note",
        Event::ReportRejected { .. } => "report",
        Event::Checked { .. } => "check",
        Event::Asked { request: Request::Answer { .. }, .. } => "answer",
        Event::WorktreeReady { .. }
        | Event::WorktreeFailed { .. }
        | Event::SessionOpened { .. }
        | Event::LaunchFailed { .. }
        | Event::Inspected { .. }
        | Event::InspectFailed { .. }
        | Event::Attached
        | Event::Closed => "effect",
        Event::Accepted { .. }
        | Event::Updated { .. }
        | Event::Start { .. }
        | Event::AgentExited { .. }
        | Event::AgentVanished { .. }
        | Event::Deadline { .. }
        | Event::Asked { .. }
        | Event::Dependency { .. }
        | Event::MakeRoom
        | Event::AccountLimited(_)
        | Event::FoundLanded
        | Event::Archived { .. } => "transition",
    }
}

/// The reason word of a row's status, where it has one.
#[must_use]
pub fn reason(row: &Row) -> Option<String> {
    match &row.status {
        Status::Running(run) => match run.phase {
            Phase::Checking { .. } | Phase::Proving { .. } => Some("checking".into()),
            _ => Some(run.phase.word().into()),
        },
        Status::Queued { not_before: Some(_), .. } => Some("back_off".into()),
        Status::Queued { .. } | Status::Landed | Status::Cancelled { .. } | Status::Reviewed { .. } => None,
        Status::Parked(parked) => Some(parked.reason.clone()),
        Status::Blocked(blocked) => Some(blocked.reason.clone()),
        Status::NeedsReview => row.proof.as_ref().and_then(|p| p.reason.clone()),
        Status::Failed { reason } => Some(reason.clone()),
    }
}

#[cfg(test)]
mod tests;
