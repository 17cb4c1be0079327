//! A ticket that is played through the machine: events in, rows and effects out.

use jiff::{SignedDuration, Timestamp};

use super::super::{Refusal, Step, step};
use crate::domain::{
    check::{CheckResult, CommandEnd},
    effect::Effect,
    event::{Event, Request, Retry, Work},
    id::{DeliveryId, PaneId, RunKey},
    permission::{Asked, Subject, Verdict},
    report::{REPORT_VERSION, Report, Said},
    risk::{RiskSummary, Tier},
    row::{Proof, Row, Status},
    run::{Blocked, NextRun, Parked, Phase, Run},
    samples,
    screen::{Marker, ScreenState, Sighting},
    ticket::{Frozen, Limits, WorktreeSetup},
};

/// A ticket, its settings and a clock.
#[derive(Clone, Debug)]
pub(super) struct Play {
    pub row: Row,
    pub frozen: Frozen,
    pub now: Timestamp,
    pub effects: Vec<Effect>,
}

pub(super) fn frozen() -> Frozen {
    Frozen {
        checks: Some(vec!["test".into(), "lint".into()]),
        accept: vec![],
        permissions: vec![],
        worktree: WorktreeSetup::default(),
        limits: Limits::default(),
    }
}

pub(super) fn key(run: u32) -> RunKey {
    RunKey::from_bits(run + 7)
}

pub(super) fn pane() -> PaneId {
    PaneId::parse("%3").unwrap()
}

pub(super) fn sighting(state: ScreenState) -> Sighting {
    let text = match state {
        ScreenState::Ready | ScreenState::Busy => String::new(),
        other => format!("{} text", other.word()),
    };
    Sighting {
        state,
        rule: state.word().into(),
        row: None,
        text,
        marker: None,
        box_empty: true,
        choices: vec![],
        request: None,
        takes_words: false,
        lifts: None,
    }
}

pub(super) fn shows(state: ScreenState) -> Event {
    Event::Seen { sighting: sighting(state), answerable: false }
}

/// A request to run `line`, with what the rules say to it.
pub(super) fn wants(line: &str, verdict: Verdict) -> Asked {
    let input = format!("{{\"command\":\"{line}\"}}");
    let subject = Some(Subject::Command { line: line.into(), unclear: false });
    let rule = (verdict != Verdict::Ask).then(|| format!("{} Bash {line}", verdict.word()));
    Asked { tool: "Bash".into(), input, subject, verdict, rule }
}

/// A dialog that asks whether `line` may be run, and says it whole.
pub(super) fn wanted(line: &str, verdict: Verdict) -> Event {
    let choices = vec!["allow".into(), "deny".into()];
    let request = Some(Box::new(wants(line, verdict)));
    let text = format!("May I run {line}?");
    Event::Seen {
        sighting: Sighting { choices, request, text, ..sighting(ScreenState::Permission) },
        answerable: false,
    }
}

pub(super) fn marker(marker: Marker) -> Event {
    let seen = Sighting { marker: Some(marker), ..sighting(ScreenState::Ready) };
    Event::Seen { sighting: seen, answerable: false }
}

pub(super) fn asked(request: Request) -> Event {
    Event::Asked { by: "ann".into(), request }
}

pub(super) fn answer(text: &str) -> Event {
    asked(Request::Answer { text: text.into() })
}

pub(super) fn retry() -> Event {
    asked(Request::Retry { how: Retry::Again })
}

pub(super) fn start(run: u32) -> Event {
    Event::Start { key: key(run), conversation: None }
}

pub(super) fn worktree() -> Event {
    Event::WorktreeReady { base_commit: "base".into(), stacked_on: vec![] }
}

pub(super) fn opened() -> Event {
    Event::SessionOpened { pane: pane() }
}

pub(super) fn work(commits: u32, dirty: &[&str]) -> Event {
    Event::Inspected { work: work_at("tip", commits, dirty) }
}

pub(super) fn work_at(head: &str, commits: u32, dirty: &[&str]) -> Work {
    let dirty = dirty.iter().map(|p| (*p).to_owned()).collect();
    Work { head: head.into(), commits, dirty, risks: vec![], off_branch: None }
}

pub(super) fn checked(command: &str, end: CommandEnd) -> Event {
    Event::Checked { result: CheckResult { command: command.into(), end, took_ms: 1, log: "log".into() } }
}

pub(super) fn exit(code: i32) -> CommandEnd {
    CommandEnd::Exited { code }
}

pub(super) fn unknown() -> CommandEnd {
    CommandEnd::Unknown { why: "its wrapper was killed".into() }
}

pub(super) fn done() -> Said {
    Said::Done { summary: "all of it".into(), no_change: None }
}

pub(super) fn no_change() -> Said {
    Said::Done { summary: "looked".into(), no_change: Some("it was right already".into()) }
}

pub(super) fn question(text: &str) -> Said {
    Said::Blocked { question: text.into(), risk: Some(Tier::High), options: vec!["yes".into(), "no".into()] }
}

pub(super) fn note() -> Said {
    Said::Note { text: "n".into() }
}

impl Play {
    /// A ticket that was just accepted.
    pub fn new() -> Self {
        let row = Row { check_round: 0, losses: 0, ..samples::row("T-1") };
        Self { row, frozen: frozen(), now: samples::time(1_700_000_100), effects: vec![] }
    }

    /// One whose profile can resume a conversation.
    pub fn resumable() -> Self {
        let mut play = Self::new();
        play.frozen.limits.resumable = true;
        play
    }

    fn step(&self, event: &Event) -> Step {
        step(&self.row, &self.frozen, event, self.now)
    }

    /// Takes an event that must change something.
    #[track_caller]
    pub fn take(&mut self, event: &Event) -> &mut Self {
        match self.step(event) {
            Step::Next { row, effects } => {
                self.row = *row;
                self.effects = effects;
            }
            other => panic!("{event:?} came to {other:?} in {:?}", self.row.status),
        }
        self
    }

    /// An event that must change nothing.
    #[track_caller]
    pub fn ignores(&mut self, event: &Event) -> &mut Self {
        let came_to = self.step(event);
        assert_eq!(came_to, Step::Ignored, "{event:?} in {:?}", self.row.status);
        self
    }

    /// A request that must be refused, with a hint.
    #[track_caller]
    pub fn refuses(&self, request: &Request) -> Refusal {
        match self.step(&asked(request.clone())) {
            Step::Refused(refusal) => {
                assert!(!refusal.hint.is_empty(), "{request:?}: no hint");
                refusal
            }
            other => panic!("{request:?} came to {other:?} in {:?}", self.row.status),
        }
    }

    pub fn wait(&mut self, seconds: i64) -> &mut Self {
        self.now += SignedDuration::from_secs(seconds);
        self
    }

    /// Starts a run; a conversation has the run's number where the profile can resume one.
    #[track_caller]
    pub fn start(&mut self) -> &mut Self {
        let next = self.row.run + 1;
        let conversation = self.frozen.limits.resumable.then(|| format!("c{next}"));
        self.take(&Event::Start { key: key(next), conversation })
    }

    /// Up to an agent that starts.
    #[track_caller]
    pub fn booting(&mut self) -> &mut Self {
        self.start().take(&worktree()).take(&opened())
    }

    /// The present delivery goes through.
    #[track_caller]
    pub fn delivered(&mut self) -> &mut Self {
        let delivery = self.delivery();
        self.take(&Event::Pasted { delivery: delivery.clone() });
        self.take(&Event::Submitted { delivery, evidence: "the box emptied".into(), markers: 0 })
    }

    /// Up to an agent that works.
    #[track_caller]
    pub fn working(&mut self) -> &mut Self {
        self.booting().take(&shows(ScreenState::Ready)).delivered()
    }

    /// A report of the present run.
    #[track_caller]
    pub fn says(&mut self, said: Said) -> &mut Self {
        let event = self.report(said);
        self.take(&event)
    }

    pub fn report(&self, said: Said) -> Event {
        let run = self.row.run_id().map(|run| run.to_string()).unwrap_or_default();
        let key = self.row.key.clone().unwrap_or_else(|| key(0));
        let report = Report { version: REPORT_VERSION, id: "1".into(), run, key, said };
        Event::Reported { report, summary: RiskSummary { low: 1, ..RiskSummary::default() }, flags: 0, risks: vec![] }
    }

    /// A claim with commits on a clean tree: checks begin.
    #[track_caller]
    pub fn checking(&mut self) -> &mut Self {
        self.working().says(done()).take(&work(2, &[]))
    }

    /// Both checks succeed, and the tree is as it was.
    #[track_caller]
    pub fn green(&mut self) -> &mut Self {
        self.take(&checked("test", exit(0))).take(&checked("lint", exit(0))).take(&work(2, &[]))
    }

    /// Up to `needs_review`, verified.
    #[track_caller]
    pub fn until_review(&mut self) -> &mut Self {
        self.checking().green().take(&Event::Closed)
    }

    #[track_caller]
    pub fn delivery(&self) -> DeliveryId {
        match self.phase() {
            Phase::Pasting { delivery } | Phase::Submitting { delivery } => delivery.id.clone(),
            other => panic!("nothing is being delivered: {other:?}"),
        }
    }

    #[track_caller]
    pub fn run(&self) -> &Run {
        self.row.running().unwrap_or_else(|| panic!("not running: {:?}", self.row.status))
    }

    #[track_caller]
    pub fn phase(&self) -> &Phase {
        &self.run().phase
    }

    #[track_caller]
    pub fn blocked(&self) -> &Blocked {
        match &self.row.status {
            Status::Blocked(blocked) => blocked,
            other => panic!("not blocked: {other:?}"),
        }
    }

    #[track_caller]
    pub fn parked(&self) -> &Parked {
        match &self.row.status {
            Status::Parked(parked) => parked,
            other => panic!("not parked: {other:?}"),
        }
    }

    /// What a queued ticket does next.
    #[track_caller]
    pub fn next(&self) -> &NextRun {
        match &self.row.status {
            Status::Queued { next, .. } => next,
            other => panic!("not queued: {other:?}"),
        }
    }

    #[track_caller]
    pub fn proof(&self) -> &Proof {
        self.row.proof.as_ref().expect("a proof")
    }

    /// Status word, verified, reason.
    #[track_caller]
    pub fn outcome(&self) -> (&str, bool, Option<&str>) {
        (self.row.status.word(), self.proof().verified, self.proof().reason.as_deref())
    }

    /// Words of the effects of the last step.
    pub fn words(&self) -> Vec<&str> {
        self.effects.iter().map(Effect::word).collect()
    }
}
