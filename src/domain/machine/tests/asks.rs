//! What a person can ask for, in every status; and what approval wants.

use super::{super::low_gate, play::*};
use crate::domain::{
    check::ChecksStatus,
    event::{DependencyNews, Event, Request, Retry, Timer},
    risk::{RiskOrigin, RiskSource, RiskSummary, Tier},
    row::{Proof, Row, Status},
    run::{LaunchKind, NextRun, Phase, Purpose},
    screen::ScreenState,
};

fn all() -> Vec<Request> {
    vec![
        Request::Answer { text: "a".into() },
        Request::Send { bytes: 1 },
        Request::Approve { low: false },
        Request::Reject { correction: "c".into() },
        Request::Stop,
        Request::Resume,
        Request::Retry { how: Retry::Again },
        Request::Retry { how: Retry::Resume },
        Request::Retry { how: Retry::ChecksOnly },
        Request::Cancel,
        Request::SetTier { tier: Tier::Low },
        Request::AcceptStale,
        Request::Park { reason: "night".into(), until: None },
    ]
}

fn name(request: &Request) -> &'static str {
    match request {
        Request::Answer { .. } => "answer",
        Request::Send { .. } => "send",
        Request::Approve { .. } => "approve",
        Request::Reject { .. } => "reject",
        Request::Stop => "stop",
        Request::Resume => "resume",
        Request::Retry { how: Retry::Again } => "retry",
        Request::Retry { how: Retry::Resume } => "retry --resume",
        Request::Retry { how: Retry::ChecksOnly } => "checks",
        Request::Cancel => "cancel",
        Request::SetTier { .. } => "tier",
        Request::AcceptStale => "accept-stale",
        Request::Park { .. } => "park",
    }
}

/// What each request comes to: the status word after it, `refused`, or `-` for nothing to do.
#[track_caller]
fn table(what: &str, play: &Play, expected: &str) {
    let mut came_to = Vec::new();
    for request in all() {
        let step = super::super::step(&play.row, &play.frozen, &asked(request.clone()), play.now);
        let result = match step {
            super::super::Step::Next { row, .. } => row.status.word(),
            super::super::Step::Ignored => "-",
            super::super::Step::Refused(_) => {
                play.refuses(&request);
                continue;
            }
        };
        came_to.push(format!("{}:{result}", name(&request)));
    }
    assert_eq!(came_to.join(" "), expected, "{what}");
}

#[test]
fn each_status_takes_what_fits_it_and_refuses_the_rest_with_a_hint() {
    let mut play = Play::new();
    table("queued", &play, "stop:parked resume:queued retry:queued cancel:cancelled tier:queued park:parked");
    play.start();
    let running = "stop:running cancel:running tier:running park:running";
    table("preparing", &play, running);
    play.take(&worktree());
    table("launching", &play, running);
    play.take(&opened());
    table("booting", &play, running);
    play.take(&shows(ScreenState::Ready));
    table("pasting", &play, running);
    play.take(&Event::Pasted { delivery: play.delivery() });
    table("submitting", &play, running);
    let delivery = play.delivery();
    play.take(&Event::Submitted { delivery, evidence: String::new(), markers: 0 });
    table("working", &play, "send:running stop:running cancel:running tier:running park:running");
    play.says(done());
    table("proving", &play, running);
    play.take(&work(2, &[]));
    table("checking", &play, running);
    play.green();
    table("closing for review", &play, "cancel:running tier:running");
    play.take(&Event::Closed);
    let review = "approve:reviewed reject:queued resume:queued retry:queued checks:queued cancel:cancelled \
                  tier:needs_review";
    table("needs_review", &play, review);
    play.take(&asked(Request::Approve { low: false }));
    table("reviewed", &play, "approve:- reject:queued retry:queued checks:queued cancel:cancelled tier:reviewed");
    let mut landed = play.clone();
    table("landed", landed.take(&Event::FoundLanded), "approve:- retry:queued");
    table("cancelled", play.take(&asked(Request::Cancel)), "retry:queued");
    let mut play = Play::new();
    play.frozen.limits.crashes = 1;
    play.working().take(&Event::AgentExited { launch: 1, end: exit(1) }).take(&Event::Closed);
    table("failed", &play, "resume:queued retry:queued checks:queued cancel:cancelled tier:failed");
    let mut play = Play::new();
    play.working().take(&asked(Request::Stop)).take(&Event::Closed);
    table("parked", &play, "stop:- resume:queued retry:queued checks:queued cancel:cancelled tier:parked park:-");
    let mut play = Play::new();
    table(
        "parked before its first run",
        play.take(&asked(Request::Stop)),
        "stop:- resume:queued retry:queued cancel:cancelled tier:parked park:-",
    );
    let mut play = Play::new();
    play.working().says(question("q"));
    table(
        "blocked",
        &play,
        "answer:running stop:running resume:running retry:running cancel:running tier:blocked park:running",
    );
}

#[test]
fn a_stop_while_the_next_run_is_being_made_ready_stops_that() {
    let mut play = Play::new();
    play.working().says(question("q")).take(&retry());
    assert!(matches!(play.phase(), Phase::Closing { .. }));
    play.take(&asked(Request::Stop));
    assert!(play.words().is_empty(), "it is being closed already");
    play.take(&Event::Closed);
    assert_eq!(play.parked().reason, "stopped");
    assert!(matches!(&play.parked().next, NextRun::GoOn { because } if because.contains("another run")));
    let mut play = Play::new();
    let until = Some(play.now);
    play.working().take(&asked(Request::Park { reason: "night".into(), until })).take(&asked(Request::Stop));
    assert_eq!(play.take(&Event::Closed).parked().until, None, "until a person");
    let mut play = Play::new();
    play.working().take(&asked(Request::Stop)).take(&asked(Request::Cancel)).take(&Event::Closed);
    assert_eq!(play.row.status.word(), "cancelled");
}

#[test]
fn resume_goes_on_in_the_conversation_or_in_the_next_run() {
    let mut play = Play::resumable();
    play.working().take(&asked(Request::Stop)).take(&Event::Closed).take(&asked(Request::Resume));
    assert!(matches!(play.next(), NextRun::Resume { deliver: None, .. }));
    for parked in [true, false] {
        let mut play = Play::new();
        // A conversation is known, but the profile cannot resume it.
        play.start();
        play.row.conversation = Some("c1".into());
        play.take(&worktree()).take(&opened()).take(&shows(ScreenState::Ready)).delivered();
        if parked {
            play.take(&asked(Request::Stop)).take(&Event::Closed);
        } else {
            play.says(done()).take(&work(2, &[])).green().take(&Event::Closed);
        }
        play.take(&asked(Request::Resume));
        assert!(matches!(play.next(), NextRun::GoOn { .. }), "{parked}");
        assert_eq!(play.start().row.run, 2);
    }
    let mut play = Play::resumable();
    play.until_review().take(&asked(Request::Resume));
    assert!(matches!(play.next(), NextRun::Resume { .. }));
}

#[test]
fn retry_goes_on_in_the_old_conversation_where_it_is_asked_to_and_there_is_one() {
    let again = || asked(Request::Retry { how: Retry::Resume });
    let mut play = Play::resumable();
    play.until_review().take(&again());
    let conversation = play.row.conversation.clone().unwrap();
    assert!(matches!(play.next(), NextRun::Continue { conversation: c, .. } if *c == conversation));
    play.take(&Event::Start { key: key(2), conversation: Some("another".into()) });
    assert_eq!((play.row.run, play.row.launch, play.row.epoch), (2, 0, 0));
    assert_eq!(play.row.conversation.as_ref(), Some(&conversation));
    let prompted = (play.run().start, play.run().then_deliver.clone());
    assert_eq!(prompted, (LaunchKind::Resume, Some(Purpose::Ticket)), "the new key is in no prompt of the old run");
    // Lost before anything was launched: the same again, still in that conversation.
    let mut early = play.clone();
    early.take(&asked(Request::Stop)).take(&Event::Closed).take(&asked(Request::Resume));
    early.take(&Event::Start { key: key(3), conversation: Some("another".into()) });
    assert_eq!((early.row.run, early.row.conversation.as_ref()), (3, Some(&conversation)));
    // Lost after the launch and before the prompt: the prompt is still owed.
    play.take(&worktree()).take(&opened()).take(&asked(Request::Stop)).take(&Event::Closed);
    assert!(matches!(&play.parked().next, NextRun::Resume { deliver: Some(Purpose::Ticket), .. }));
    let mut blocked = Play::resumable();
    blocked.working().says(question("q")).take(&again()).take(&Event::Closed);
    assert!(matches!(blocked.next(), NextRun::Continue { .. }));
    let mut without = Play::new();
    without.until_review().refuses(&Request::Retry { how: Retry::Resume });
}

#[test]
fn only_retry_has_everything_done_again() {
    let mut play = Play::new();
    play.take(&retry());
    assert_eq!((play.row.epoch, play.next()), (0, &NextRun::Ticket), "nothing was done yet");
    play.until_review();
    for (request, epoch) in [
        (Request::Resume, 0),
        (Request::Reject { correction: "c".into() }, 0),
        (Request::Retry { how: Retry::ChecksOnly }, 0),
        (Request::Retry { how: Retry::Again }, 1),
    ] {
        let mut play = play.clone();
        assert_eq!(play.take(&asked(request)).row.epoch, epoch);
    }
    let mut queued = Play::new();
    queued.working().take(&Event::AgentVanished { launch: 1, blameless: false, why: String::new() });
    queued.take(&Event::Closed).take(&retry());
    assert_eq!((queued.row.epoch, queued.row.crashes), (1, 0), "also while it waits for its back-off");
    assert!(matches!(queued.row.status, Status::Queued { not_before: None, .. }));
    let mut crashed = Play::new();
    crashed.working().take(&Event::AgentVanished { launch: 1, blameless: false, why: String::new() });
    assert_eq!(crashed.take(&Event::Closed).row.epoch, 0);
}

#[test]
fn a_correction_stands_in_the_next_run() {
    let mut play = Play::new();
    play.until_review().take(&asked(Request::SetTier { tier: Tier::Low }));
    play.take(&asked(Request::Reject { correction: "smaller".into() }));
    assert_eq!(play.next(), &NextRun::Corrected { correction: "smaller".into() });
    assert_eq!(play.row.tier_set, None);
    play.start();
    assert_eq!((play.row.run, &play.row.proof), (2, &None));
    assert_eq!(play.run().task, NextRun::Corrected { correction: "smaller".into() });
}

#[test]
fn text_is_sent_to_an_agent_that_works() {
    let mut play = Play::new();
    play.working().take(&asked(Request::Send { bytes: 5 }));
    assert!(matches!(play.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Send));
    let mut busy = play.clone();
    assert!(matches!(play.delivered().phase(), Phase::Working) && play.run().unsent.is_none());
    busy.take(&Event::NotPasted { delivery: busy.delivery(), why: "it is busy".into(), dialog: false });
    assert!(matches!(busy.phase(), Phase::Working), "the work goes on");
    assert_eq!(busy.run().unsent.as_deref(), Some("it is busy"));
    let full = crate::domain::screen::Sighting { box_empty: false, ..sighting(ScreenState::Ready) };
    busy.take(&Event::Seen { sighting: full, answerable: false });
    assert!(matches!(busy.phase(), Phase::Working), "there is no room yet");
    busy.take(&Event::Seen { sighting: sighting(ScreenState::Ready), answerable: false });
    assert!(matches!(busy.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Send));
    assert_eq!(busy.run().unsent, None);
}

#[test]
fn a_parked_ticket_goes_on_at_its_time_and_not_before() {
    let due = Event::Deadline { timer: Timer::Parked };
    let mut play = Play::new();
    let until = play.now + jiff::SignedDuration::from_secs(60);
    play.working().take(&asked(Request::Park { reason: "night".into(), until: Some(until) })).take(&Event::Closed);
    play.ignores(&due).wait(60).take(&due);
    assert_eq!(play.row.status.word(), "queued");
    let mut play = Play::new();
    play.take(&asked(Request::Stop)).wait(1_000_000).ignores(&due);
}

#[test]
fn a_dead_dependency_parks_what_has_not_started_and_a_stale_base_is_accepted_once() {
    let dead = Event::Dependency { news: DependencyNews::Dead { why: "T-0 failed".into() } };
    let back = Event::Dependency { news: DependencyNews::Back };
    let stale = |why: &str| Event::Dependency { news: DependencyNews::Stale { why: why.into() } };
    let mut play = Play::new();
    play.take(&dead).ignores(&dead);
    assert_eq!((play.parked().reason.as_str(), play.parked().detail.as_str()), ("dependency", "T-0 failed"));
    play.take(&back).ignores(&back);
    assert_eq!(play.next(), &NextRun::Ticket);
    let mut stopped = Play::new();
    stopped.take(&asked(Request::Stop)).ignores(&back);
    play.ignores(&stale("moved")).until_review().ignores(&dead).take(&stale("moved")).ignores(&stale("moved"));
    assert_eq!(low_gate(&play.row).unwrap_err().len(), 2);
    play.take(&asked(Request::AcceptStale)).ignores(&stale("moved"));
    assert_eq!(low_gate(&play.row), Ok(()));
    play.refuses(&Request::AcceptStale);
    play.take(&stale("moved again")).take(&Event::Dependency { news: DependencyNews::Fresh });
    assert_eq!(play.row.stale_base, None);
}

#[test]
fn approve_low_says_each_reason_why_not() {
    let mut play = Play::new();
    play.until_review();
    assert_eq!(low_gate(&play.row), Ok(()));
    let summary = |medium, high, blocked| RiskSummary { low: 3, medium, high, blocked };
    let source = |source, tier| vec![RiskSource { source, tier, why: "src/auth.rs".into() }];
    let row = play.row.clone();
    let proof = |change: fn(&mut Proof)| {
        let mut row = row.clone();
        change(row.proof.as_mut().unwrap());
        row
    };
    let refused: Vec<(Row, &str)> = vec![
        (Row { risk_summary: summary(1, 0, 0), ..row.clone() }, "1 medium decision"),
        (Row { risk_summary: summary(0, 2, 0), ..row.clone() }, "2 high decisions"),
        (Row { risk_summary: summary(0, 0, 1), ..row.clone() }, "1 blocked decision"),
        (Row { flags: 2, ..row.clone() }, "2 flags"),
        (Row { proof: None, ..row.clone() }, "not verified: no claim"),
        (proof(|p| (p.verified, p.reason) = (false, Some("no_claim".into()))), "not verified: no_claim"),
        (proof(|p| (p.verified, p.reason) = (false, Some("checks_unknown".into()))), "not verified: checks_unknown"),
        (proof(|p| p.reason = Some("no_change".into())), "nothing was changed"),
        (proof(|p| p.checks_status = ChecksStatus::Unset), "nobody has said which checks the project has"),
        (proof(|p| p.checks_status = ChecksStatus::NotRun), "checks not run"),
        (
            proof(|p| {
                (p.verified, p.reason) = (false, Some("checks_failed".into()));
                p.checks_status = ChecksStatus::Failed;
            }),
            "checks failed",
        ),
        (Row { stale_base: Some("T-0 moved".into()), ..row.clone() }, "its base is stale: T-0 moved"),
        (Row { risk_sources: source(RiskOrigin::Diff, Tier::High), ..row.clone() }, "1 flag"),
        (
            Row { risk_sources: source(RiskOrigin::Agent, Tier::High), ..row.clone() },
            "effective risk high: src/auth.rs",
        ),
        (Row { tier_set: Some(Tier::Medium), ..row.clone() }, "effective risk medium: "),
    ];
    for (row, reason) in refused {
        let reasons = low_gate(&row).unwrap_err();
        assert!(reasons.iter().any(|r| r == reason), "{reasons:?} lacks {reason:?}");
        let mut play = Play { row, ..play.clone() };
        let refusal = play.refuses(&Request::Approve { low: true });
        assert!(refusal.why.contains(reason));
        assert_eq!(play.take(&asked(Request::Approve { low: false })).row.status.word(), "reviewed", "one by one");
    }
    let lowered = Row { tier_set: Some(Tier::Low), risk_sources: source(RiskOrigin::Diff, Tier::High), ..row.clone() };
    assert_eq!(low_gate(&lowered), Ok(()), "a person has looked at what the diff says");
    let said = Row { tier_set: Some(Tier::Low), risk_sources: source(RiskOrigin::Agent, Tier::High), ..row.clone() };
    assert!(low_gate(&said).is_err(), "what the agent said is not in the diff");
    let none = proof(|p| p.checks_status = ChecksStatus::None);
    assert_eq!(low_gate(&none), Ok(()), "a project that says that it has no checks");
}
