//! Views of the queue for front doors: the JSON contract, and the groups that people think in.

use serde_json::{Value, json};

use crate::{
    domain::audit,
    domain::{
        check::CheckResult,
        measured::Measured,
        reconcile::has_agent,
        row::{Row, Status},
        run::Phase,
        usage::{RunUsage, Tokens, dollars},
    },
    format::time::stamp,
    ports::outbox::Tally,
};

/// What is known of a ticket beside its row.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What the agent of its latest run takes of the machine.
    pub measured: Option<Measured>,
    /// Why the machine has no room for its start.
    pub admission: Option<String>,
}

/// One ticket where nothing else is known of it.
#[must_use]
pub fn ticket(row: &Row) -> Value {
    ticket_with(row, &Beside::default())
}

/// One ticket as `list --json` shows it. Absent knowledge is null.
#[must_use]
pub fn ticket_with(row: &Row, beside: &Beside) -> Value {
    let measured = beside.measured.as_ref();
    let zone = jiff::tz::TimeZone::system();
    let time = |at: Option<jiff::Timestamp>| at.map(|at| stamp(at, &zone));
    let proof = row.proof.as_ref();
    json!({
        "id": row.id,
        "title": row.title,
        "status": row.status.word(),
        "reason": audit::reason(row),
        "verified": proof.map(|p| p.verified),
        "checks_status": proof.map(|p| p.checks_status.word()),
        "risk_summary": row.risk_summary,
        "effective_risk": (row.run > 0).then(|| row.effective_risk().word()),
        "flags_count": row.flags_count(),
        "profile": row.profile,
        "run": (row.run > 0).then_some(row.run),
        "runs": row.run,
        "branch": row.base_commit.as_ref().map(|_| row.id.branch()),
        "base": row.base_commit.as_ref().unwrap_or(&row.base),
        "worktree": row.base_commit.as_ref().map(|_| &row.worktree),
        "session": row.pane.as_ref().map(|_| row.id.session()),
        "repo": row.repo,
        "project": row.project,
        "created": time(Some(row.created)),
        "started": time(row.started),
        "ended": time(row.ended),
        "duration_minutes": row.ended.map(|_| row.worked_s.div_ceil(60)),
        "cost_usd": row.spent_usd().filter(|_| row.is_cost_known()),
        "tokens": row.tokens().map(Tokens::total),
        "usage": row.usage.iter().map(usage).collect::<Vec<_>>(),
        "memory_mb": measured.filter(|_| has_agent(row)).map(|m| m.memory_mb),
        "memory_peak_mb": measured.map(|m| m.peak_mb),
        "cpu_seconds": measured.map(|m| m.cpu_ms.div_ceil(1000)),
        "admission": beside.admission,
        "question": question(row),
        "request": request(row),
        "parked_until": match &row.status {
            Status::Parked(parked) => time(parked.until),
            _ => None,
        },
        "attention": attention(row),
        "priority": row.priority,
        "after": row.after,
        "target": row.target,
    })
}

/// What one run has used.
fn usage(usage: &RunUsage) -> Value {
    json!({ "run": usage.run, "cost_usd": usage.usd().map(dollars), "tokens": usage.tokens })
}

/// The same with decisions, flags, checks, files, evidence and sources, as `review --json` shows it.
#[must_use]
pub fn review(row: &Row, tally: &Tally, files: &[crate::domain::review::FileChange]) -> Value {
    let mut value = ticket(row);
    let checks: &[CheckResult] = match &row.status {
        Status::Running(run) => match &run.phase {
            Phase::Checking { done, .. } => done,
            _ => &[],
        },
        _ => row.proof.as_ref().map_or(&[], |p| &p.checks),
    };
    let mut flags = tally.flags.clone();
    flags.extend(crate::domain::flags::own_flags(row));
    let more = json!({
        "version": 1,
        "decisions": tally.decisions,
        "flags": flags,
        "checks": checks,
        "files": files.iter().map(|f| json!({ "path": f.path, "note": f.note })).collect::<Vec<_>>(),
        "evidence": crate::supervisor::review::evidence(row, &tally.notes),
        "risk_sources": row.risk_sources,
        "summary": row.proof.as_ref().and_then(|p| p.summary.clone()),
    });
    if let (Some(into), Value::Object(more)) = (value.as_object_mut(), more) {
        into.extend(more);
    }
    value
}

/// The question of a ticket that waits for a person.
#[must_use]
pub fn question(row: &Row) -> Option<String> {
    match &row.status {
        Status::Blocked(blocked) => Some(blocked.words()),
        _ => None,
    }
}

/// What a ticket waits to be allowed: the tool, and its input as JSON where it is known whole, else as text.
fn request(row: &Row) -> Value {
    let Status::Blocked(blocked) = &row.status else { return Value::Null };
    let Some(asked) = &blocked.request else { return Value::Null };
    let input = serde_json::from_str(&asked.input).unwrap_or_else(|_| Value::String(asked.input.clone()));
    json!({ "tool": asked.tool, "input": input, "rule": asked.exact_rule().map(|rule| rule.to_string()) })
}

/// What a person should do: one word, or nothing.
#[must_use]
pub fn attention(row: &Row) -> Option<&'static str> {
    match &row.status {
        Status::Blocked(_) => Some("answer"),
        Status::NeedsReview => Some("review"),
        Status::Parked(parked) if parked.until.is_none() => Some("resume"),
        Status::Failed { .. } => Some("retry"),
        Status::Queued { .. }
        | Status::Running(_)
        | Status::Parked(_)
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Cancelled { .. } => None,
    }
}

/// How long a ticket has been worked on, in seconds, up to now; `None`: not started. While it waits for an answer no
/// time passes.
#[must_use]
pub fn worked_s(row: &Row, now: jiff::Timestamp) -> Option<u64> {
    row.started?;
    let running = match &row.status {
        Status::Running(run) => now.duration_since(run.began).as_secs().max(0),
        Status::Blocked(blocked) => {
            blocked.run.as_ref().map_or(0, |run| row.changed.duration_since(run.began).as_secs().max(0))
        }
        _ => 0,
    };
    Some(row.worked_s + u64::try_from(running).unwrap_or(0))
}
