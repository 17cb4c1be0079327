//! From the start to a working agent: worktree, launch, start-up screens, and prompts on their way.

use super::play::*;
use crate::domain::{
    effect::Effect,
    event::{Event, LaunchTrouble, Request, Timer, WorktreeTrouble},
    id::DeliveryId,
    report::Said,
    row::{Row, Stacked, Status},
    run::{LaunchKind, NextRun, Phase, Purpose},
    samples,
    screen::{Marker, ScreenState, Sighting},
};

#[track_caller]
fn delivers(play: &Play, purpose: &Purpose) {
    match play.phase() {
        Phase::Pasting { delivery } => assert_eq!(&delivery.purpose, purpose),
        other => panic!("nothing is delivered: {other:?}"),
    }
}

fn not_pasted(play: &Play, dialog: bool) -> Event {
    Event::NotPasted { delivery: play.delivery(), why: "in the way".into(), dialog }
}

fn unverified(play: &Play) -> Event {
    Event::Unverified { delivery: play.delivery(), why: "Enter was pressed 3 times".into() }
}

#[test]
fn a_start_goes_through_worktree_launch_paste_and_enter() {
    let mut play = Play::new();
    assert_eq!(play.start().words(), ["prepare_worktree"]);
    assert_eq!((play.row.run, play.row.launch, play.row.key.clone()), (1, 0, Some(key(1))));
    assert_eq!(play.take(&worktree()).words(), ["open_session"]);
    assert_eq!((play.row.launch, play.row.base_commit.as_deref()), (1, Some("base")));
    assert!(play.take(&opened()).words().is_empty());
    assert_eq!(play.take(&shows(ScreenState::Ready)).words(), ["paste"]);
    delivers(&play, &Purpose::Ticket);
    let delivery = play.delivery();
    play.take(&Event::Pasted { delivery: delivery.clone() });
    match &play.effects[..] {
        [Effect::Submit { delivery }] => assert!(delivery.enter_intended, "committed before the key is sent"),
        other => panic!("{other:?}"),
    }
    play.ignores(&Event::Pasted { delivery: delivery.clone() });
    play.take(&Event::Submitted { delivery, evidence: String::new(), markers: 4 });
    assert!(matches!(play.phase(), Phase::Working) && play.run().markers == 4);
}

#[test]
fn an_answer_about_another_delivery_is_ignored() {
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Ready));
    let other = DeliveryId::new(1, 9);
    for event in [
        Event::Pasted { delivery: other.clone() },
        Event::Submitted { delivery: other.clone(), evidence: String::new(), markers: 0 },
        Event::NotPasted { delivery: other.clone(), why: String::new(), dialog: true },
        Event::Unverified { delivery: other, why: String::new() },
    ] {
        play.ignores(&event);
    }
}

#[test]
fn a_prompt_given_as_an_argument_is_not_pasted() {
    for state in [ScreenState::Ready, ScreenState::Busy] {
        let mut play = Play::new();
        play.frozen.limits.argument = true;
        play.booting().take(&shows(state));
        assert!(matches!(play.phase(), Phase::Working) && play.words().is_empty());
    }
    let mut play = Play::new();
    play.booting().ignores(&shows(ScreenState::Busy)).ignores(&shows(ScreenState::Unknown));
}

#[test]
fn nothing_is_pasted_into_a_box_that_holds_something() {
    let mut play = Play::new();
    let full = Sighting { box_empty: false, ..sighting(ScreenState::Ready) };
    play.booting().ignores(&Event::Seen { sighting: full, answerable: false });
}

#[test]
fn a_start_up_dialog_is_answered_by_its_rule_or_by_a_person_and_then_the_prompt_follows() {
    let mut play = Play::new();
    play.booting().take(&Event::Seen { sighting: sighting(ScreenState::Dialog), answerable: true });
    assert_eq!(play.effects, [Effect::AnswerDialog { rule: "dialog".into() }]);
    play.take(&shows(ScreenState::Ready));
    delivers(&play, &Purpose::Ticket);
    for state in [ScreenState::Dialog, ScreenState::Permission, ScreenState::Question, ScreenState::LoggedOut] {
        let mut play = Play::new();
        play.booting().take(&shows(state));
        assert_eq!(play.blocked().reason, state.word());
        play.wait(500).take(&shows(ScreenState::Ready));
        delivers(&play, &Purpose::Ticket);
    }
    // Two dialogs in a row, the second one with a known answer.
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Dialog));
    play.wait(500).take(&Event::Seen { sighting: sighting(ScreenState::Dialog), answerable: true });
    assert_eq!(play.words(), ["answer_dialog"]);
    play.ignores(&Event::Deadline { timer: Timer::Start });
}

#[test]
fn a_question_while_it_starts_is_answered_first_and_the_prompt_comes_after() {
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Question)).take(&answer("blue"));
    delivers(&play, &Purpose::Answer);
    play.delivered();
    assert!(matches!(play.phase(), Phase::Booting));
    play.take(&shows(ScreenState::Ready));
    delivers(&play, &Purpose::Ticket);
    assert!(matches!(play.delivered().phase(), Phase::Working));
}

#[test]
fn an_agent_that_is_never_ready_has_crashed() {
    let late = Event::Deadline { timer: Timer::Start };
    let mut play = Play::new();
    play.booting().wait(59).ignores(&late).wait(1).take(&late).take(&Event::Closed);
    assert_eq!(play.row.crashes, 1);
}

#[test]
fn a_dialog_in_the_way_of_a_paste_blocks_and_the_prompt_is_pasted_after_it() {
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Ready));
    play.take(&not_pasted(&play, true));
    assert_eq!((play.blocked().reason.as_str(), play.blocked().live), ("dialog", true));
    play.take(&shows(ScreenState::Ready));
    delivers(&play, &Purpose::Ticket);
    assert_eq!(play.delivery(), DeliveryId::new(1, 2), "a delivery of its own");
}

#[test]
fn a_dialog_before_enter_blocks_and_only_enter_follows_it() {
    for after in [ScreenState::Ready, ScreenState::Busy] {
        let mut play = Play::new();
        play.booting().take(&shows(ScreenState::Ready)).take(&Event::Pasted { delivery: DeliveryId::new(1, 1) });
        play.take(&not_pasted(&play, true));
        assert_eq!(play.blocked().reason, "permission");
        play.take(&shows(after));
        assert_eq!((play.words(), play.delivery()), (vec!["submit"], DeliveryId::new(1, 1)));
    }
}

#[test]
fn a_box_that_is_never_free_blocks_and_the_prompt_waits_for_it() {
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Ready));
    play.take(&not_pasted(&play, false));
    assert_eq!((play.blocked().reason.as_str(), &play.blocked().options[..]), ("delivery", &["again".to_owned()][..]));
    play.refuses(&Request::Answer { text: "some words".into() });
    let mut asked_again = play.clone();
    asked_again.take(&answer("again"));
    delivers(&asked_again, &Purpose::Ticket);
    play.take(&shows(ScreenState::Ready));
    delivers(&play, &Purpose::Ticket);
}

#[test]
fn a_delivery_that_cannot_be_verified_is_a_persons_to_say() {
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Ready)).take(&Event::Pasted { delivery: DeliveryId::new(1, 1) });
    play.take(&unverified(&play));
    assert_eq!(play.blocked().reason, "delivery_unverified");
    assert_eq!(play.blocked().options, ["accepted", "again"]);
    for state in ScreenState::ALL {
        play.ignores(&shows(state));
    }
    play.refuses(&Request::Answer { text: "perhaps".into() });
    let mut accepted = play.clone();
    accepted.take(&answer("accepted"));
    assert!(matches!(accepted.phase(), Phase::Working) && accepted.words().is_empty());
    let mut again = play.clone();
    again.take(&answer(" again "));
    delivers(&again, &Purpose::Ticket);
    let mut lost = Play { frozen: Play::resumable().frozen, ..play.clone() };
    lost.take(&Event::AgentVanished { launch: 1, blameless: true, why: String::new() }).take(&answer("again"));
    assert!(matches!(lost.next(), NextRun::GoOn { .. }), "nobody has a conversation, nobody is asked about it");
    // Who reports with the key has had the prompt that holds it.
    let mut proven = play.clone();
    proven.says(note());
    assert!(matches!(proven.phase(), Phase::Working));
    let mut asks = play.clone();
    asks.says(question("which?"));
    assert_eq!(asks.blocked().reason, "question");
    asks.take(&answer("this one"));
    delivers(&asks, &Purpose::Answer);
    play.take(&marker(Marker::Done));
    assert_eq!(play.words(), ["inspect"]);
}

#[test]
fn a_report_says_nothing_about_a_later_prompt() {
    let mut play = Play::new();
    play.working().take(&asked(Request::Send { bytes: 3 }));
    play.take(&unverified(&play)).says(note());
    assert_eq!(play.blocked().reason, "delivery_unverified");
    play.ignores(&marker(Marker::Done));
}

#[test]
fn a_delivery_has_a_deadline() {
    let late = Event::Deadline { timer: Timer::Delivery };
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Ready)).wait(89).ignores(&late).wait(1).take(&late);
    assert_eq!(play.blocked().reason, "delivery_unverified");
}

#[test]
fn a_claim_counts_wherever_the_agent_is() {
    let mut play = Play::new();
    play.start().take(&worktree());
    let launching = play.clone();
    let booting = { play.take(&opened()).clone() };
    let pasting = { play.take(&shows(ScreenState::Ready)).clone() };
    let submitting = { play.take(&Event::Pasted { delivery: play.delivery() }).clone() };
    for mut play in [launching.clone(), booting, pasting, submitting] {
        let mut asks = play.clone();
        assert_eq!(play.says(done()).words(), ["inspect"]);
        asks.says(question("q"));
        assert_eq!(asks.blocked().reason, "question");
    }
    // Faster than the news that the session is open.
    let (mut claims, mut asks) = (launching.clone(), launching);
    claims.says(done()).take(&opened());
    assert_eq!(claims.row.pane, Some(pane()));
    asks.says(question("q"));
    assert!(!asks.blocked().live);
    asks.take(&opened());
    assert!(asks.blocked().live && asks.row.pane == Some(pane()));
    let mut nudged = Play::new();
    nudged.working().wait(900).take(&Event::Deadline { timer: Timer::Stall }).says(done()).take(&work(2, &[]));
    assert!(matches!(nudged.phase(), Phase::Checking { .. }), "in the middle of a nudge");
}

#[test]
fn a_report_of_another_run_or_key_is_not_even_counted() {
    let mut play = Play::new();
    play.working();
    let Event::Reported { report, summary, flags, risks } = play.report(done()) else { unreachable!() };
    let foreign = [(key(9), "T-1/1"), (key(1), "T-1/2"), (key(1), "T-2/1")];
    for (key, run) in foreign {
        let report = crate::domain::report::Report { key, run: run.into(), ..report.clone() };
        play.ignores(&Event::Reported { report, summary, flags, risks: risks.clone() });
    }
}

#[test]
fn trouble_that_needs_a_person_parks_or_blocks() {
    let worktrees = [
        (WorktreeTrouble::Taken, "parked", "worktree"),
        (WorktreeTrouble::Conflict, "blocked", "conflict"),
        (WorktreeTrouble::Setup, "blocked", "setup"),
    ];
    for (kind, status, reason) in worktrees {
        let mut play = Play::new();
        play.start().take(&Event::WorktreeFailed { kind, why: "why".into() });
        if status == "parked" {
            play.take(&Event::Closed);
        }
        assert_eq!(
            (play.row.status.word(), crate::domain::audit::reason(&play.row).as_deref()),
            (status, Some(reason))
        );
    }
    for (kind, reason) in [(LaunchTrouble::Environment, "environment"), (LaunchTrouble::Taken, "session")] {
        let mut play = Play::new();
        play.start().take(&worktree()).take(&Event::LaunchFailed { kind, why: "why".into() }).take(&Event::Closed);
        assert_eq!((play.parked().reason.as_str(), &play.parked().next), (reason, &NextRun::Ticket));
    }
    for (state, reason) in [(ScreenState::Limited, "usage_limit"), (ScreenState::Error, "error")] {
        let mut play = Play::new();
        play.working().take(&shows(state)).take(&Event::Closed);
        assert_eq!(
            (play.parked().reason.as_str(), play.parked().detail.as_str()),
            (reason, &*format!("{} text", state.word()))
        );
    }
}

#[test]
fn an_answer_to_a_failed_set_up_tells_the_next_run() {
    let mut play = Play::new();
    play.start()
        .take(&Event::WorktreeFailed { kind: WorktreeTrouble::Setup, why: "npm".into() })
        .take(&answer("mended"));
    assert_eq!(play.next(), &NextRun::Answered { question: "npm".into(), answer: "mended".into() });
    let corrected = NextRun::Corrected { correction: "smaller".into() };
    let mut play = Play::new();
    play.row.status = Status::Queued { not_before: None, next: corrected.clone() };
    play.start()
        .take(&Event::WorktreeFailed { kind: WorktreeTrouble::Setup, why: "npm".into() })
        .take(&answer("mended"));
    assert_eq!(play.next(), &corrected, "a correction is not forgotten over it");
}

#[test]
fn a_stale_base_is_cleared_only_where_the_work_was_moved() {
    let on = |commit: &str| vec![Stacked { id: samples::id("T-0"), commit: commit.into() }];
    let ready = |commit: &str| Event::WorktreeReady { base_commit: "base".into(), stacked_on: on(commit) };
    let row = Row {
        base_commit: Some("base".into()),
        stacked_on: on("old"),
        stale_base: Some("moved".into()),
        ..Play::new().row
    };
    let mut play = Play { row, ..Play::new() };
    play.start();
    let mut adopted = play.clone();
    assert_eq!(adopted.take(&ready("old")).row.stale_base.as_deref(), Some("moved"));
    assert_eq!(play.take(&ready("new")).row.stale_base, None);
}

#[test]
fn a_resumed_conversation_is_a_new_launch_of_the_same_run() {
    let mut play = Play::resumable();
    play.working().take(&asked(Request::Stop)).take(&Event::Closed).take(&asked(Request::Resume)).start();
    assert_eq!((play.row.run, play.run().start), (1, LaunchKind::Resume));
    play.take(&worktree()).take(&opened()).take(&shows(ScreenState::Ready));
    assert_eq!((play.row.launch, play.row.conversation.as_deref()), (2, Some("c1")));
    delivers(&play, &Purpose::GoOn);
}

#[test]
fn a_conversation_that_cannot_be_resumed_any_more_becomes_a_new_run() {
    let mut play = Play::resumable();
    play.working().take(&asked(Request::Stop)).take(&Event::Closed).take(&asked(Request::Resume));
    assert!(matches!(play.next(), NextRun::Resume { .. }));
    play.frozen.limits.resumable = false;
    play.start();
    assert_eq!((play.row.run, play.run().start), (2, LaunchKind::Fresh));
    assert!(matches!(&play.run().task, NextRun::GoOn { .. }));
}

#[test]
fn an_edit_of_a_queued_ticket_changes_what_its_author_wrote_and_nothing_else() {
    let mut play = Play::new();
    play.working().take(&Event::AgentVanished { launch: 1, blameless: false, why: String::new() }).take(&Event::Closed);
    let edited = Row { title: "new".into(), priority: 1, labels: vec!["l".into()], ..samples::row("T-1") };
    play.take(&Event::Updated { row: Box::new(edited) });
    assert_eq!((play.row.title.as_str(), play.row.priority, play.row.run, play.row.crashes), ("new", 1, 1, 1));
    assert!(matches!(play.row.status, Status::Queued { not_before: Some(_), .. }));
    play.ignores(&Event::Updated { row: Box::new(samples::row("T-2")) });
}

#[test]
fn reports_are_counted_in_every_status() {
    for row in samples::every_row() {
        let mut play = Play { row, ..Play::new() };
        if play.row.run == 0 {
            continue;
        }
        let said = Said::Note { text: "n".into() };
        play.says(said);
        assert_eq!(play.row.risk_summary.low, 1, "{:?}", play.row.status);
    }
}
