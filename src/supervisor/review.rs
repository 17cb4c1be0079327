//! Builds the review of a ticket from its row, its reports and its files.

use super::World;
use crate::domain::{
    check::{CheckResult, ChecksStatus},
    flags::own_flags,
    id::RunId,
    review::{CheckLine, Question, Review},
    row::{Row, Status},
    run::Phase,
    ticket::Ticket,
};

/// What a person reads.
#[must_use]
pub fn build(row: &Row, ticket: &Ticket, world: &World) -> Review {
    let run = row.run_id().unwrap_or_else(|| RunId { ticket: row.id.clone(), number: 1 });
    let tally = world.outbox.tally(&run);
    let mut flags = tally.flags;
    flags.extend(own_flags(row));
    let checks: &[CheckResult] = match &row.status {
        Status::Running(at_work) => match &at_work.phase {
            Phase::Checking { done, .. } => done,
            _ => &[],
        },
        _ => row.proof.as_ref().map_or(&[], |p| &p.checks),
    };
    let proof = row.proof.as_ref();
    Review {
        id: row.id.clone(),
        title: row.title.clone(),
        started: row.started,
        ended: row.ended,
        duration_minutes: row.started.map(|_| row.worked_s.div_ceil(60)),
        status: row.status.word().to_owned(),
        launched_by: row.launched_by.clone(),
        launched_from: row.launched_from.clone(),
        project: row.project.clone(),
        risk_summary: row.risk_summary,
        task: ticket.body.clone(),
        decisions: tally.decisions,
        flags,
        files: world.files.changes(&run),
        question: question(row),
        checks: checks.iter().map(check_line).collect(),
        checks_status: proof.map_or(ChecksStatus::NotRun, |p| p.checks_status),
        evidence: evidence(row, &tally.notes),
        summary: proof.and_then(|p| p.summary.clone()),
        verified: proof.map(|p| p.verified),
        reason: crate::domain::audit::reason(row),
        effective_risk: row.effective_risk(),
        risk_sources: row.risk_sources.clone(),
        branch: row.id.branch(),
        base: row.base_commit.clone(),
        head: proof.and_then(|p| p.head.clone()),
        profile: row.profile.clone(),
        runs: row.run,
    }
}

fn question(row: &Row) -> Option<Question> {
    match &row.status {
        Status::Blocked(blocked) => Some(Question {
            text: match blocked.note.as_str() {
                "" => blocked.words(),
                note => format!("{}\n\n{note}", blocked.words()),
            },
            reason: blocked.reason.clone(),
            options: blocked.options.clone(),
        }),
        Status::Parked(parked) => {
            Some(Question { text: parked.detail.clone(), reason: parked.reason.clone(), options: vec![] })
        }
        _ => None,
    }
}

fn check_line(result: &CheckResult) -> CheckLine {
    let passed = result.end.succeeded();
    CheckLine {
        command: result.command.clone(),
        result: result.end.to_string(),
        passed,
        took_ms: result.took_ms,
        log: result.log.clone(),
    }
}

/// What was proven, line by line.
#[must_use]
pub fn evidence(row: &Row, notes: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(proof) = &row.proof {
        let base = row.base_commit.as_deref().map_or("unknown", short);
        let head = proof.head.as_deref().map_or("unknown", short);
        let commits = if proof.commits == 1 { "commit" } else { "commits" };
        lines.push(format!("{} {commits} after {base}, tip {head}", proof.commits));
        if proof.dirty > 0 {
            lines.push(format!("{} changed paths are not committed", proof.dirty));
        }
        lines.push(format!("checks: {}", proof.checks_status.word().replace('_', " ")));
    }
    if row.spent().is_some() || row.tokens().is_some() {
        lines.push(format!("used: {}", row.used_words()));
    }
    for stacked in &row.stacked_on {
        lines.push(format!("stands on {} at {}", stacked.id, short(&stacked.commit)));
    }
    if let Some(tier) = row.tier_set {
        lines.push(format!("a person set the risk to {tier}"));
    }
    lines.extend(notes.iter().map(|n| format!("note: {n}")));
    lines
}

/// The first ten characters of a commit's name.
#[must_use]
pub fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
