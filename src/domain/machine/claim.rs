//! From a claim to proof: what is in the worktree, what the checks say, and whether the agent is asked to mend it.

use jiff::Timestamp;

use super::{
    super::{
        check::{CheckResult, ChecksStatus, CommandEnd},
        effect::Effect,
        event::{Event, Timer, Work},
        report::Said,
        risk::RiskOrigin,
        row::{Proof, Row, Status},
        run::{Claim, LaunchKind, NextRun, Outcome, Parked, Phase, Purpose, Run},
        ticket::Frozen,
    },
    ending,
    running::{block_on_report, deliver},
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

/// Rounds of checks in a row that may say nothing about the work.
const MAX_VOID_ROUNDS: u32 = 3;

/// Looks at the worktree in a row that may fail.
const MAX_FAILED_LOOKS: u32 = 5;

fn reach(row: &Row, run: &Run, frozen: &Frozen) -> Reach {
    if !frozen.limits.feedback || run.task == NextRun::ChecksOnly {
        Reach::Nobody
    } else if row.pane.is_some() {
        Reach::Pane
    } else if ending::can_resume(row, frozen) {
        Reach::Resume
    } else {
        Reach::Nobody
    }
}

/// Speaks to the agent; `None`: there is nobody to speak to.
fn ask(mut row: Row, mut run: Run, purpose: Purpose, frozen: &Frozen, now: Timestamp) -> Next {
    match reach(&row, &run, frozen) {
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

/// The worktree cannot be looked at: a person is told, and the claim is kept for a later look.
fn unseen(mut row: Row, run: Run, claim: &Claim, why: &str, now: Timestamp) -> Next {
    row.proof = Some(Proof {
        reason: Some(if claim.claimed { "worktree" } else { "no_claim" }.to_owned()),
        summary: claim.summary.clone(),
        no_change: claim.no_change.clone(),
        ..Proof::default()
    });
    let detail = format!("the work could not be looked at: {why}");
    let parked = Parked { reason: "worktree".into(), detail, until: None, next: NextRun::ChecksOnly };
    Some(ending::close(row, run, Outcome::Parked(parked), now))
}

/// A look at the worktree failed: it is tried again, but not for ever.
fn look_failed(mut row: Row, mut run: Run, claim: &Claim, why: &str, now: Timestamp) -> Next {
    run.failed_looks += 1;
    if run.failed_looks >= MAX_FAILED_LOOKS {
        return unseen(row, run, claim, why, now);
    }
    row.status = Status::Running(Box::new(run));
    Some((row, vec![]))
}

/// What autodo does itself after a claim has come to no end, long after its own time limits.
pub(super) fn hung(row: Row, run: Run, timer: Timer, frozen: &Frozen, now: Timestamp) -> Next {
    let over = "it came to no end in time";
    match (timer, run.phase.clone()) {
        (Timer::Proof, Phase::Proving { claim } | Phase::Checking { claim, .. }) => unseen(row, run, &claim, over, now),
        (Timer::Check, Phase::Checking { claim, head, commits, mut done }) => {
            let command = frozen.commands().nth(done.len()).unwrap_or_default().to_owned();
            let end = CommandEnd::Unknown { why: over.into() };
            done.push(CheckResult { command, end, took_ms: 0, log: String::new() });
            let checked = Checked { claim, head, commits, checks: done };
            conclude(row, run, checked.unproven("checks_unknown", ChecksStatus::NotRun), now)
        }
        _ => None,
    }
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
        Event::InspectFailed { why } => return look_failed(row, run, &claim, why, now),
        // The claim was faster than the news that its session is open.
        Event::SessionOpened { pane } if row.pane.is_none() => {
            row.pane = Some(pane.clone());
            return Some((row, vec![]));
        }
        _ => return None,
    };
    run.failed_looks = 0;
    row.risk_sources.retain(|s| s.source != RiskOrigin::Diff);
    row.risk_sources.extend(work.risks.iter().cloned());
    // A person who asks for the checks alone gets them; a claim they do not replace.
    if !claim.claimed && run.task != NextRun::ChecksOnly {
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
    if work.commits == 0 && claim.no_change.is_none() && claim.claimed {
        if !run.asked_why_no_change {
            run.asked_why_no_change = true;
            if let Some(next) = ask(row.clone(), run.clone(), Purpose::NoChange, frozen, now) {
                return Some(next);
            }
        }
        return conclude(row, run, proof_of(&claim, work, "no_change_unexplained"), now);
    }
    if frozen.commands().next().is_none() {
        let checked = Checked { claim, head: work.head.clone(), commits: work.commits, checks: vec![] };
        return conclude(row, run, checked.proven(frozen), now);
    }
    begin_round(row, run, claim, work.head.clone(), work.commits, frozen, now)
}

/// All checks from the first, in a round with a number of its own.
fn begin_round(
    mut row: Row,
    mut run: Run,
    claim: Claim,
    head: String,
    commits: u32,
    frozen: &Frozen,
    now: Timestamp,
) -> Next {
    row.check_round += 1;
    let effect = next_check(&row, frozen, 0);
    run.enter(Phase::Checking { claim, head, commits, done: vec![] }, now);
    row.status = Status::Running(Box::new(run));
    Some((row, vec![effect]))
}

/// A claim, the commit that was checked, and what the checks said.
struct Checked {
    claim: Claim,
    head: String,
    commits: u32,
    checks: Vec<CheckResult>,
}

impl Checked {
    /// All checks succeeded on a clean tree, or there are none.
    fn proven(self, frozen: &Frozen) -> Proof {
        let checks_status = match &frozen.checks {
            _ if !self.checks.is_empty() => ChecksStatus::Green,
            Some(_) => ChecksStatus::None,
            None => ChecksStatus::Unset,
        };
        if !self.claim.claimed {
            return self.unproven("no_claim", checks_status);
        }
        let reason = (self.commits == 0).then_some("no_change");
        Proof { verified: true, reason: reason.map(str::to_owned), ..self.unproven("", checks_status) }
    }

    fn unproven(self, reason: &str, checks_status: ChecksStatus) -> Proof {
        Proof {
            verified: false,
            reason: Some(reason.to_owned()),
            checks_status,
            checks: self.checks,
            head: Some(self.head),
            commits: self.commits,
            dirty: 0,
            summary: self.claim.summary,
            no_change: self.claim.no_change,
        }
    }
}

/// A check ended, or the last look after all checks.
pub(super) fn checking(mut row: Row, mut run: Run, event: &Event, frozen: &Frozen, now: Timestamp) -> Next {
    let Phase::Checking { claim, head, commits, mut done } = run.phase.clone() else { return None };
    let total = frozen.commands().count();
    match event {
        // The checks may have been frozen anew: a result of another command says nothing about this one.
        Event::Checked { result } if frozen.commands().nth(done.len()) == Some(result.command.as_str()) => {
            done.push(result.clone());
            run.since = now;
            let question = run.held_question.take();
            if let Some(Said::Blocked { question, risk, options }) = &question {
                run.enter(Phase::Working, now);
                return Some(block_on_report(row, run, question, *risk, options));
            }
            let is_broken = done.iter().any(|r| says_no(&r.end));
            if matches!(result.end, CommandEnd::Unknown { .. }) && !is_broken {
                return void(row, run, Checked { claim, head, commits, checks: done }, "checks_unknown", frozen, now);
            }
            if done.len() == total && is_broken {
                return failed(row, run, Checked { claim, head, commits, checks: done }, frozen, now);
            }
            let effect = next_check(&row, frozen, done.len());
            run.phase = Phase::Checking { claim, head, commits, done };
            row.status = Status::Running(Box::new(run));
            Some((row, vec![effect]))
        }
        Event::Inspected { work } if done.len() >= total => {
            run.failed_looks = 0;
            let checked = Checked { claim, head, commits, checks: done };
            if work.head == checked.head && work.off_branch.is_none() {
                return last_look(row, run, checked, work, frozen, now);
            }
            // The checks hold for the commit they ran on, and for no other.
            if work.off_branch.is_none() && run.void_rounds + 1 >= MAX_VOID_ROUNDS {
                return conclude(row, run, checked.unproven("branch_moved", ChecksStatus::NotRun), now);
            }
            run.void_rounds += 1;
            run.enter(Phase::Proving { claim: checked.claim.clone() }, now);
            proving(row, run, checked.claim, event, frozen, now)
        }
        Event::InspectFailed { why } if done.len() >= total => look_failed(row, run, &claim, why, now),
        _ => None,
    }
}

/// The tip is the one that was checked. What lies uncommitted beside it came while the checks ran: from them, or from
/// somebody still at work. Then nobody can say what they ran on.
fn last_look(row: Row, mut run: Run, checked: Checked, work: &Work, frozen: &Frozen, now: Timestamp) -> Next {
    if work.dirty.is_empty() {
        return conclude(row, run, checked.proven(frozen), now);
    }
    if !run.asked_to_commit {
        run.asked_to_commit = true;
        if let Some(next) = ask(row.clone(), run.clone(), Purpose::Commit, frozen, now) {
            return Some(next);
        }
    }
    let reason = if checked.claim.claimed { "left_by_checks" } else { "no_claim" };
    let dirty = u32::try_from(work.dirty.len()).unwrap_or(u32::MAX);
    let proof = Proof { dirty, ..checked.unproven(reason, ChecksStatus::Green) };
    conclude(row, run, proof, now)
}

/// True if a check says that the work is not good; one that came to no end of its own says nothing.
fn says_no(end: &CommandEnd) -> bool {
    match end {
        CommandEnd::Exited { code } => *code != 0,
        CommandEnd::Signalled { .. } | CommandEnd::TimedOut { .. } => true,
        CommandEnd::Unknown { .. } => false,
    }
}

/// A round that said nothing about the work is run again, but not for ever.
fn void(row: Row, mut run: Run, checked: Checked, reason: &str, frozen: &Frozen, now: Timestamp) -> Next {
    run.void_rounds += 1;
    if run.void_rounds >= MAX_VOID_ROUNDS {
        return conclude(row, run, checked.unproven(reason, ChecksStatus::NotRun), now);
    }
    begin_round(row, run, checked.claim, checked.head, checked.commits, frozen, now)
}

fn failed(row: Row, mut run: Run, checked: Checked, frozen: &Frozen, now: Timestamp) -> Next {
    run.void_rounds = 0;
    let reason = if checked.claim.claimed { "checks_failed" } else { "no_claim" };
    let proof = checked.unproven(reason, ChecksStatus::Failed);
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
