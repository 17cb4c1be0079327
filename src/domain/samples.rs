//! Rows and steps for tests: one of every kind, with nasty texts in them. Not part of a build for users.
#![allow(clippy::expect_used, reason = "a sample that cannot be built is a failed test")]

use std::path::PathBuf;

use jiff::Timestamp;

use super::{
    check::{CheckResult, ChecksStatus, CommandEnd},
    effect::Effect,
    entry::Entry,
    event::{Event, Request},
    id::{DeliveryId, PaneId, RunKey, TicketId},
    permission::{Asked, Subject, Verdict},
    report::{Hook, REPORT_VERSION, Report, Said},
    risk::{RiskOrigin, RiskSource, RiskSummary, Tier},
    row::{Proof, Row, Source, Stacked, Status},
    run::{Blocked, Claim, Delivery, LaunchKind, NextRun, Outcome, Parked, Phase, Purpose, Retire, Run},
    usage::{Mark, Noted, RunUsage, Tokens},
};

/// A text with all that breaks naive writers.
pub const NASTY: &str =
    "a \"b\" 'c' \\ # = [[ticket]]\n[[ticket]]\nchecksum = \"0\"\r\n\t\u{1b}[31m\u{7f}\u{0}\u{85} '''\"\"\" é 🦀";

/// A time: `seconds` after the epoch, with nanoseconds.
#[must_use]
pub fn time(seconds: i64) -> Timestamp {
    Timestamp::new(seconds, 123_456_789).expect("a small time")
}

/// An id.
#[must_use]
pub fn id(text: &str) -> TicketId {
    TicketId::parse(text).expect("a sample's id")
}

/// A queued row with nothing optional in it.
#[must_use]
pub fn row(ticket: &str) -> Row {
    Row {
        id: id(ticket),
        title: format!("title of {ticket}"),
        priority: 3,
        after: Vec::new(),
        profile: "generic".to_owned(),
        labels: Vec::new(),
        project: "repo".to_owned(),
        repo: PathBuf::from("/src/repo"),
        target: None,
        base: "0123abc".to_owned(),
        base_commit: None,
        stacked_on: Vec::new(),
        worktree: PathBuf::from("/src/repo.worktrees").join(ticket),
        source: None,
        launched_by: "user".to_owned(),
        launched_from: "/src/repo".to_owned(),
        created: time(1_700_000_000),
        started: None,
        ended: None,
        changed: time(1_700_000_000),
        worked_s: 0,
        run: 0,
        check_round: 2,
        losses: 1,
        limited_until: None,
        limit_waived: None,
        launch: 0,
        delivery: 0,
        key: None,
        crashes: 0,
        epoch: 0,
        conversation: None,
        record: None,
        usage: Vec::new(),
        pane: None,
        proof: None,
        risk_summary: RiskSummary::default(),
        flags: 0,
        risk_sources: Vec::new(),
        tier_set: None,
        stale_base: None,
        stale_accepted: None,
        status: Status::Queued { not_before: None, next: NextRun::Ticket },
    }
}

/// A row with everything in it.
#[must_use]
pub fn full_row(ticket: &str) -> Row {
    let proof = Proof {
        verified: true,
        reason: Some(NASTY.to_owned()),
        checks_status: ChecksStatus::Failed,
        checks: every_end().into_iter().map(check).collect(),
        head: Some("abc".to_owned()),
        commits: 3,
        dirty: 1,
        summary: Some(NASTY.to_owned()),
        no_change: Some(String::new()),
    };
    let tokens = Tokens { input: 1, cache_read: 2, cache_write: 3, output: 1 << 40 };
    Row {
        title: NASTY.to_owned(),
        priority: 9,
        after: vec![id("a"), id("b.c")],
        labels: vec![NASTY.to_owned(), String::new()],
        target: Some("main".to_owned()),
        base_commit: Some("def".to_owned()),
        stacked_on: vec![Stacked { id: id("a"), commit: "1".to_owned() }],
        source: Some(Source { path: PathBuf::from("/a b/\"c\".md"), digest: "ff".to_owned() }),
        started: Some(time(1)),
        ended: Some(time(2)),
        worked_s: 1 << 40,
        run: 7,
        launch: 2,
        delivery: 4,
        key: Some(RunKey::from_bits(7)),
        crashes: 1,
        limited_until: Some(time(1_700_000_300)),
        limit_waived: Some(time(1_700_000_200)),
        epoch: 1,
        conversation: Some("c".to_owned()),
        record: Some(Mark {
            path: PathBuf::from("/a b/c"),
            offset: 9,
            own: tokens,
            total: Some(tokens),
            recent: vec![(NASTY.to_owned(), tokens)],
        }),
        usage: vec![
            RunUsage { run: 6, ..RunUsage::default() },
            RunUsage { run: 7, launch: 2, earlier_usd: Some(1), launch_usd: Some(2), tokens: Some(tokens) },
        ],
        pane: PaneId::parse("%3"),
        proof: Some(proof),
        risk_summary: RiskSummary { low: 1, medium: 2, high: 3, blocked: 4 },
        flags: 5,
        risk_sources: vec![RiskSource { source: RiskOrigin::Diff, tier: Tier::High, why: NASTY.to_owned() }],
        tier_set: Some(Tier::Blocked),
        stale_base: Some(NASTY.to_owned()),
        stale_accepted: Some(NASTY.to_owned()),
        ..row(ticket)
    }
}

/// Every way in which a command ends.
#[must_use]
pub fn every_end() -> Vec<CommandEnd> {
    vec![
        CommandEnd::Exited { code: -1 },
        CommandEnd::Signalled { signal: 9 },
        CommandEnd::TimedOut { after_s: 60 },
        CommandEnd::Unknown { why: NASTY.to_owned() },
    ]
}

fn check(end: CommandEnd) -> CheckResult {
    CheckResult { command: NASTY.to_owned(), end, took_ms: 0, log: "runs/1/checks/0/0.log".to_owned() }
}

/// Every purpose of a delivery.
#[must_use]
pub fn every_purpose() -> Vec<Purpose> {
    vec![
        Purpose::Ticket,
        Purpose::Answer,
        Purpose::Send,
        Purpose::Commit,
        Purpose::NoChange,
        Purpose::Feedback { round: 2 },
        Purpose::Denied { rule: NASTY.to_owned() },
        Purpose::Nudge,
        Purpose::GoOn,
    ]
}

/// Everything that a next run can be.
#[must_use]
pub fn every_next() -> Vec<NextRun> {
    let text = || NASTY.to_owned();
    let resumes = every_purpose().into_iter().map(|purpose| NextRun::Resume {
        deliver: Some(purpose),
        instead: Some(Box::new(NextRun::Answered { question: text(), answer: text() })),
    });
    let mut all = vec![
        NextRun::Ticket,
        NextRun::GoOn { because: text() },
        NextRun::Answered { question: text(), answer: text() },
        NextRun::Corrected { correction: text() },
        NextRun::Continue { conversation: "c".to_owned(), because: text() },
        NextRun::ChecksOnly,
        NextRun::Resume { deliver: None, instead: None },
    ];
    all.extend(resumes);
    all
}

/// Every phase of a run, with and without what is optional in it.
#[must_use]
pub fn every_phase() -> Vec<Phase> {
    let claim = Claim { summary: Some(NASTY.to_owned()), no_change: None, claimed: true };
    let mut all = vec![
        Phase::Preparing,
        Phase::Launching,
        Phase::Booting,
        Phase::Working,
        Phase::Proving { claim: Claim::default() },
        Phase::Checking { claim: claim.clone(), head: "h".to_owned(), commits: 0, done: Vec::new() },
        Phase::Checking { claim, head: "h".to_owned(), commits: 2, done: every_end().into_iter().map(check).collect() },
        Phase::Closing { outcome: Outcome::Review },
        Phase::Closing { outcome: Outcome::Failed { reason: NASTY.to_owned() } },
        Phase::Closing { outcome: Outcome::Cancelled { by: "user".to_owned() } },
        Phase::Closing { outcome: Outcome::Parked(parked(None, NextRun::ChecksOnly)) },
        Phase::Closing {
            outcome: Outcome::Parked(parked(Some(time(9)), NextRun::Resume { deliver: None, instead: None })),
        },
    ];
    for (n, purpose) in every_purpose().into_iter().enumerate() {
        let delivery = Delivery { id: DeliveryId::new(1, 2), purpose, enter_intended: n % 2 == 0 };
        all.push(Phase::Pasting { delivery: delivery.clone() });
        all.push(Phase::Submitting { delivery });
    }
    all.extend(
        every_next().into_iter().map(|next| Phase::Closing { outcome: Outcome::Again { not_before: None, next } }),
    );
    all
}

fn parked(until: Option<Timestamp>, next: NextRun) -> Parked {
    Parked { reason: "stopped".to_owned(), detail: NASTY.to_owned(), until, next }
}

/// Requests of every shape.
#[must_use]
pub fn asks() -> Vec<Asked> {
    let text = || NASTY.to_owned();
    let all = [
        None,
        Some(Subject::Command { line: text(), unclear: true }),
        Some(Subject::Path { path: text(), inside: Some(text()) }),
        Some(Subject::Path { path: text(), inside: None }),
        Some(Subject::Input),
    ];
    let asked = |subject| Asked { tool: text(), input: text(), subject, verdict: Verdict::Deny, rule: Some(text()) };
    all.into_iter().map(asked).collect()
}

/// A run in `phase`, with nothing optional in it.
#[must_use]
pub fn run(phase: Phase) -> Run {
    Run {
        phase,
        since: time(3),
        began: time(4),
        alive: time(5),
        feedback: 0,
        asked_to_commit: false,
        asked_why_no_change: false,
        task: NextRun::GoOn { because: NASTY.into() },
        markers: 1,
        nudged: false,
        asks: vec![],
        denied: None,
        unsent: None,
        ended_turn: None,
        start: LaunchKind::Fresh,
        then_deliver: None,
        void_rounds: 0,
        failed_looks: 0,
        held_question: None,
    }
}

/// Every status in every shape.
#[must_use]
pub fn every_status() -> Vec<Status> {
    let by = || "user".to_owned();
    let mut all = vec![
        Status::NeedsReview,
        Status::Reviewed { by: by() },
        Status::Landed,
        Status::Failed { reason: NASTY.to_owned() },
        Status::Cancelled { by: by() },
    ];
    for (n, next) in every_next().into_iter().enumerate() {
        let until = (n % 2 == 0).then(|| time(8));
        all.push(Status::Queued { not_before: until, next: next.clone() });
        all.push(Status::Parked(Box::new(parked(until, next))));
    }
    let blocked = |run: Option<Run>| {
        Status::Blocked(Box::new(Blocked {
            request: run.as_ref().and_then(|run| run.asks.first()).cloned().map(Box::new),
            rule: NASTY.into(),
            settled: true,
            reason: "question".to_owned(),
            question: NASTY.to_owned(),
            options: if run.is_some() { vec![NASTY.to_owned()] } else { Vec::new() },
            tier: Tier::Medium,
            live: run.is_some(),
            pressed: run.is_some().then(|| time(6)),
            takes_words: run.is_some(),
            words_follow: run.is_some(),
            note: if run.is_some() { NASTY.to_owned() } else { String::new() },
            retire: if run.is_some() { Retire::Kept } else { Retire::No },
            run: run.map(Box::new),
        }))
    };
    all.push(blocked(None));
    for phase in every_phase() {
        all.push(Status::Running(Box::new(run(phase.clone()))));
        let busy = Run {
            feedback: 1,
            asked_to_commit: true,
            asked_why_no_change: true,
            nudged: true,
            asks: asks(),
            denied: Some(NASTY.to_owned()),
            start: LaunchKind::Resume,
            then_deliver: Some(Purpose::Feedback { round: 1 }),
            void_rounds: 2,
            failed_looks: 3,
            held_question: Some(Said::Blocked { question: NASTY.to_owned(), risk: None, options: vec![String::new()] }),
            ..run(phase)
        };
        all.push(Status::Running(Box::new(busy.clone())));
        all.push(blocked(Some(busy)));
    }
    all
}

/// A row in every status, bare and full, with ids of their own.
#[must_use]
pub fn every_row() -> Vec<Row> {
    let both = |(n, status): (usize, Status)| {
        let bare = Row { status: status.clone(), ..row(&format!("bare-{n}")) };
        [bare, Row { status, ..full_row(&format!("full-{n}")) }]
    };
    every_status().into_iter().enumerate().flat_map(both).collect()
}

/// Some events, those whose shape is hard on a format.
#[must_use]
pub fn some_events() -> Vec<Event> {
    let report = |said| Report {
        version: REPORT_VERSION,
        id: "1".to_owned(),
        run: "T-1/1".to_owned(),
        key: RunKey::from_bits(1),
        said,
    };
    let text = || NASTY.to_owned();
    vec![
        Event::Accepted { row: Box::new(full_row("T-1")) },
        Event::Start { key: RunKey::from_bits(1), conversation: None },
        Event::Alive,
        Event::Recorded { launch: 1, noted: Box::default(), hook: None },
        Event::Recorded {
            launch: 2,
            noted: Box::new(Noted { conversation: None, mark: full_row("T-1").record, usd: Some(7), tokens: None }),
            hook: Some(Hook::Submitted { delivery: Some(text()) }),
        },
        Event::Closed,
        Event::AgentExited { launch: 1, end: CommandEnd::Exited { code: 1 } },
        Event::Checked { result: check(CommandEnd::TimedOut { after_s: 1 }) },
        Event::Asked { by: text(), request: Request::Cancel },
        Event::Asked { by: text(), request: Request::Park { reason: text(), until: Some(time(1)) } },
        Event::Asked { by: text(), request: Request::Answer { text: text() } },
        reported(report(Said::Note { text: text() })),
        reported(report(Said::Done { summary: text(), no_change: None })),
        reported(report(Said::Decision { risk: Tier::Low, text: text(), why: Some(text()) })),
    ]
}

/// A step to `row`.
#[must_use]
pub fn entry(seq: u64, row: Row) -> Entry {
    Entry {
        seq,
        at: time(1_700_000_000 + i64::try_from(seq).expect("a small number")),
        ticket: row.id.clone(),
        event: Event::Alive,
        effects: vec![Effect::Inspect, Effect::RunCheck { round: 0, index: 1 }],
        row: Some(row),
    }
}

/// The step by which a ticket leaves the queue.
#[must_use]
pub fn leaving(seq: u64, ticket: &str) -> Entry {
    Entry { event: Event::FoundLanded, effects: Vec::new(), row: None, ..entry(seq, row(ticket)) }
}

fn reported(report: Report) -> Event {
    let summary = super::risk::RiskSummary { low: 1, medium: 2, high: 3, blocked: 4 };
    Event::Reported { report, summary, flags: 5, risks: vec![] }
}
