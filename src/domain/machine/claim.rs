//! From a claim to proof: what is in the worktree, what the checks say, and whether the agent is asked to mend it.

use jiff::Timestamp;

use super::{
    super::{
        check::{CheckResult, ChecksStatus},
        effect::Effect,
        event::{Event, Work},
        risk::RiskOrigin,
        row::{Proof, Row, Status},
        run::{Claim, LaunchKind, Outcome, Phase, Purpose, Run},
        ticket::Frozen,
    },
    ending,
    running::deliver,
    timers::next_check,
};

type Next = Option<(Row, Vec<Effect>)>;

/// Whether the agent can still be spoken to, and how.
enum Reach {
    /// It sits in its pane.
    Pane,
    /// Its conversation can be opened again.
    Resume,
    /// Not at all.
    Nobody,
}

fn reach(row: &Row, frozen: &Frozen) -> Reach {
    if !frozen.limits.feedback {
        Reach::Nobody
    } else if row.pane.is_some() {
        Reach::Pane
    } else if frozen.limits.resumable && row.conversation.is_some() {
        Reach::Resume
    } else {
        Reach::Nobody
    }
}

/// Speaks to the agent; `None`: there is nobody to speak to.
fn ask(mut row: Row, mut run: Run, purpose: Purpose, frozen: &Frozen, now: Timestamp) -> Next {
    match reach(&row, frozen) {
        Reach::Pane => deliver(row, run, purpose, now),
        Reach::Resume => {
            row.launch += 1;
            run.start = LaunchKind::Resume;
            run.then_deliver = Some(purpose);
            run.enter(Phase::Launching, now);
            row.status = Status::Running(Box::new(run));
            Some((row, vec![Effect::OpenSession]))
        }
        Reach::Nobody => None,
    }
}

/// The proof is complete, as far as it goes: a person should look.
fn conclude(mut row: Row, run: Run, proof: Proof, now: Timestamp) -> Next {
    row.proof = Some(proof);
    Some(ending::close(row, run, Outcome::Review, now))
}

fn proof_of(claim: &Claim, work: &Work, reason: &str) -> Proof {
    Proof {
        verified: false,
        reason: Some(reason.to_owned()),
        checks_status: ChecksStatus::NotRun,
        checks: vec![],
        head: Some(work.head.clone()),
        commits: work.commits,
        dirty: u32::try_from(work.dirty.len()).unwrap_or(u32::MAX),
        summary: claim.summary.clone(),
        no_change: claim.no_change.clone(),
    }
}

/// A look at the worktree after a claim.
pub(super) fn proving(
    mut row: Row,
    mut run: Run,
    claim: Claim,
    event: &Event,
    frozen: &Frozen,
    now: Timestamp,
) -> Next {
    let work = match event {
        Event::Inspected { work } => work,
        Event::InspectFailed { why } => return Some(ending::park(row, run, "worktree", why, frozen, now)),
        _ => return None,
    };
    row.risk_sources.retain(|s| s.source != RiskOrigin::Diff);
    row.risk_sources.extend(work.risks.iter().cloned());
    if !claim.claimed {
        return conclude(row, run, proof_of(&claim, work, "no_claim"), now);
    }
    if work.off_branch.is_some() {
        return conclude(row, run, proof_of(&claim, work, "off_branch"), now);
    }
    if !work.dirty.is_empty() {
        if !run.asked_to_commit {
            run.asked_to_commit = true;
            if let Some(next) = ask(row.clone(), run.clone(), Purpose::Commit, frozen, now) {
                return Some(next);
            }
        }
        return conclude(row, run, proof_of(&claim, work, "uncommitted"), now);
    }
    if work.commits == 0 && claim.no_change.is_none() {
        if !run.asked_why_no_change {
            run.asked_why_no_change = true;
            if let Some(next) = ask(row.clone(), run.clone(), Purpose::NoChange, frozen, now) {
                return Some(next);
            }
        }
        return conclude(row, run, proof_of(&claim, work, "no_change_unexplained"), now);
    }
    if frozen.commands().next().is_none() {
        return verified(row, run, &claim, &work.head, work.commits, vec![], frozen, now);
    }
    row.check_round += 1;
    let effect = next_check(&row, frozen, 0);
    let phase = Phase::Checking { claim, head: work.head.clone(), commits: work.commits, done: vec![] };
    run.enter(phase, now);
    row.status = Status::Running(Box::new(run));
    Some((row, vec![effect]))
}

#[expect(clippy::too_many_arguments, reason = "the whole of a proof comes together here, and only here")]
fn verified(
    row: Row,
    run: Run,
    claim: &Claim,
    head: &str,
    commits: u32,
    checks: Vec<CheckResult>,
    frozen: &Frozen,
    now: Timestamp,
) -> Next {
    let checks_status = match &frozen.checks {
        _ if !checks.is_empty() => ChecksStatus::Green,
        Some(_) => ChecksStatus::None,
        None => ChecksStatus::Unset,
    };
    let proof = Proof {
        verified: true,
        reason: (commits == 0).then(|| "no_change".to_owned()),
        checks_status,
        checks,
        head: Some(head.to_owned()),
        commits,
        dirty: 0,
        summary: claim.summary.clone(),
        no_change: claim.no_change.clone(),
    };
    conclude(row, run, proof, now)
}

/// A check ended, or the last look after all checks.
pub(super) fn checking(mut row: Row, mut run: Run, event: &Event, frozen: &Frozen, now: Timestamp) -> Next {
    let Phase::Checking { claim, head, commits, mut done } = run.phase.clone() else { return None };
    let total = frozen.commands().count();
    match event {
        Event::Checked { result } if done.len() < total => {
            done.push(result.clone());
            let complete = done.len() == total;
            if complete && done.iter().any(|r| !r.end.succeeded()) {
                return failed(row, run, &claim, &head, commits, done, frozen, now);
            }
            let effect = next_check(&row, frozen, done.len());
            run.phase = Phase::Checking { claim, head, commits, done };
            row.status = Status::Running(Box::new(run));
            Some((row, vec![effect]))
        }
        // The checks hold for the commit they ran on, and for no other.
        Event::Inspected { work } if done.len() == total && work.head == head && work.off_branch.is_none() => {
            verified(row, run, &claim, &head, commits, done, frozen, now)
        }
        Event::Inspected { .. } if done.len() == total => {
            run.enter(Phase::Proving { claim: claim.clone() }, now);
            proving(row, run, claim, event, frozen, now)
        }
        Event::InspectFailed { why } if done.len() == total => {
            Some(ending::park(row, run, "worktree", why, frozen, now))
        }
        _ => None,
    }
}

#[expect(clippy::too_many_arguments, reason = "the whole of a proof comes together here, and only here")]
fn failed(
    row: Row,
    mut run: Run,
    claim: &Claim,
    head: &str,
    commits: u32,
    checks: Vec<CheckResult>,
    frozen: &Frozen,
    now: Timestamp,
) -> Next {
    let proof = Proof {
        verified: false,
        reason: Some("checks_failed".into()),
        checks_status: ChecksStatus::Failed,
        checks,
        head: Some(head.to_owned()),
        commits,
        dirty: 0,
        summary: claim.summary.clone(),
        no_change: claim.no_change.clone(),
    };
    if run.feedback < frozen.limits.feedback_rounds {
        run.feedback += 1;
        let round = run.feedback;
        // The proof stays in the row: the prompt is written from it.
        let with_proof = Row { proof: Some(proof.clone()), ..row.clone() };
        if let Some(next) = ask(with_proof, run.clone(), Purpose::Feedback { round }, frozen, now) {
            return Some(next);
        }
    }
    conclude(row, run, proof, now)
}
