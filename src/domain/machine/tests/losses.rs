//! Crashes, losses, back-off, silence and limits; and the numbers that are kept of them.

use jiff::SignedDuration;

use super::play::*;
use crate::domain::{
    event::{Event, LaunchTrouble, Request, Timer, WorktreeTrouble},
    row::Status,
    run::{NextRun, Phase, Purpose},
    screen::ScreenState,
};

fn vanished(blameless: bool) -> Event {
    Event::AgentVanished { launch: 1, blameless, why: "gone".into() }
}

#[track_caller]
fn back_off(play: &Play) -> i64 {
    match &play.row.status {
        Status::Queued { not_before: Some(at), .. } => at.duration_since(play.now).as_secs(),
        Status::Queued { not_before: None, .. } => 0,
        other => panic!("not queued: {other:?}"),
    }
}

#[test]
fn a_crash_goes_on_after_a_doubled_back_off_and_the_third_one_fails() {
    let mut play = Play::new();
    play.working().take(&Event::AgentExited { launch: 1, end: exit(1) }).take(&Event::Closed);
    assert_eq!(back_off(&play), 10);
    play.working().take(&vanished(false)).take(&Event::Closed);
    assert_eq!(back_off(&play), 20);
    play.working().take(&Event::AgentExited { launch: 1, end: exit(1) }).take(&Event::Closed);
    assert!(matches!(&play.row.status, Status::Failed { reason } if reason.contains("crash 3 of 3")));
    assert_eq!(play.row.run, 3);
}

#[test]
fn the_back_off_ends_at_five_minutes() {
    let mut play = Play::new();
    play.frozen.limits.crashes = 40;
    for seconds in [10, 20, 40, 80, 160, 300, 300].into_iter().chain([300; 30]) {
        play.working().take(&vanished(false)).take(&Event::Closed);
        assert_eq!(back_off(&play), seconds);
    }
}

#[test]
fn blameless_losses_never_count_as_crashes_but_the_tenth_asks_a_person() {
    let mut play = Play::new();
    for n in 1..10 {
        play.working().take(&vanished(true)).take(&Event::Closed);
        assert_eq!((play.row.losses, play.row.crashes, back_off(&play)), (n, 0, 0));
    }
    play.working().take(&vanished(true)).take(&Event::Closed);
    assert_eq!((play.parked().reason.as_str(), play.parked().until), ("lost", None));
    play.take(&asked(Request::Resume));
    assert_eq!(play.row.losses, 0, "a person has looked");
}

#[test]
fn trouble_with_git_or_tmux_is_not_the_agents_crash() {
    let trouble = [
        (false, Event::WorktreeFailed { kind: WorktreeTrouble::Passing, why: "disk".into() }),
        (true, Event::LaunchFailed { kind: LaunchTrouble::Passing, why: "tmux".into() }),
    ];
    for (launching, event) in trouble {
        let mut play = Play::new();
        for n in 1..=10 {
            play.start();
            if launching {
                play.take(&worktree());
            }
            play.take(&event).take(&Event::Closed);
            assert_eq!((play.row.crashes, play.row.losses), (0, n));
            if n == 1 {
                assert_eq!((back_off(&play), play.next()), (10, &NextRun::Ticket));
            }
        }
        assert_eq!(play.parked().reason, "start");
    }
    let mut play = Play::new();
    play.start().take(&worktree()).wait(61).take(&Event::Deadline { timer: Timer::Start }).take(&Event::Closed);
    assert_eq!((play.row.crashes, play.row.losses), (0, 1), "a session that does not open is not the agent's fault");
}

#[test]
fn a_service_that_is_overloaded_is_tried_again_later_and_later_and_in_the_end_a_person_is_asked() {
    let mut play = Play::new();
    (play.frozen.limits.resumable, play.row.conversation) = (true, Some("c".into()));
    for n in 1..=10 {
        play.working().take(&shows(ScreenState::Overloaded)).take(&Event::Closed);
        assert_eq!((play.row.crashes, play.row.losses), (0, n), "the agent is not to blame");
        if n == 10 {
            break;
        }
        let resumes = |deliver: &Option<Purpose>| deliver.is_none();
        assert!(matches!(play.next(), NextRun::Resume { deliver, .. } if resumes(deliver)), "its conversation goes on");
        assert_eq!(back_off(&play), (10 << (n - 1)).min(300));
    }
    assert_eq!(play.parked().reason, "overloaded");
    let mut booting = Play::new();
    booting.booting().ignores(&shows(ScreenState::Overloaded));
}

#[test]
fn only_a_person_resets_what_is_counted() {
    let mut play = Play::new();
    play.working().take(&vanished(false)).take(&Event::Closed);
    play.working().take(&vanished(true)).take(&Event::Closed);
    play.working().says(question("q")).take(&shows(ScreenState::Ready));
    assert_eq!((play.row.crashes, play.row.losses), (1, 1));
    let mut refused = play.clone();
    refused.take(&asked(Request::SetTier { tier: crate::domain::risk::Tier::Low }));
    assert_eq!((refused.row.crashes, refused.row.losses), (1, 1));
    play.take(&answer("yes"));
    assert_eq!((play.row.crashes, play.row.losses), (0, 0));
}

#[test]
fn an_agent_that_ends_before_it_had_its_prompt_has_crashed_whatever_its_code() {
    for code in [0, 1] {
        let mut play = Play::new();
        play.booting().take(&Event::AgentExited { launch: 1, end: exit(code) }).take(&Event::Closed);
        assert_eq!((play.row.crashes, play.next()), (1, &NextRun::Ticket));
    }
    let mut play = Play::new();
    play.frozen.limits.argument = true;
    play.booting().take(&Event::AgentExited { launch: 1, end: exit(0) });
    assert!(matches!(play.phase(), Phase::Proving { claim } if !claim.claimed), "it had its prompt as an argument");
}

#[test]
fn an_agent_that_ends_well_while_it_is_asked_again_has_not_crashed() {
    let mut play = Play::new();
    play.working().says(done()).take(&work(2, &["a"])).take(&Event::AgentExited { launch: 1, end: exit(0) });
    play.take(&work(2, &["a"])).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("no_claim")));
    assert_eq!(play.row.crashes, 0);
}

#[test]
fn events_of_another_launch_are_ignored() {
    let mut play = Play::new();
    play.working();
    play.ignores(&Event::AgentExited { launch: 2, end: exit(1) });
    play.ignores(&Event::AgentVanished { launch: 0, blameless: false, why: String::new() });
}

#[test]
fn silence_is_nudged_once_and_then_parked() {
    let stall = Event::Deadline { timer: Timer::Stall };
    let mut play = Play::new();
    play.working().wait(899).ignores(&stall).wait(1).take(&stall);
    assert!(matches!(play.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Nudge));
    let mut parked = play.clone();
    parked.delivered().wait(900).take(&stall).take(&Event::Closed);
    assert_eq!(parked.parked().reason, "stalled");
    let mut lively = play.clone();
    lively.delivered().wait(600).take(&Event::Alive).wait(600).ignores(&stall);
    // A nudge that finds no room, or whose arrival nobody can tell, is no question for a person.
    let delivery = play.delivery();
    let mut no_room = play.clone();
    let event = Event::NotPasted { delivery: delivery.clone(), why: "full".into(), dialog: false };
    no_room.take(&event).wait(900).take(&stall).take(&Event::Closed);
    assert_eq!(no_room.parked().reason, "stalled");
    play.take(&Event::Unverified { delivery, why: "?".into() });
    assert!(matches!(play.phase(), Phase::Working));
    let mut quiet = Play::new();
    quiet.frozen.limits.nudge = false;
    quiet.working().wait(900).take(&stall).take(&Event::Closed);
    assert_eq!(quiet.parked().reason, "stalled");
}

#[test]
fn a_run_works_as_long_as_it_may_and_the_time_it_waits_does_not_count() {
    let mut play = Play::new();
    (play.frozen.limits.run_s, play.frozen.limits.stall_s) = (1000, 100_000);
    let limit = Event::Deadline { timer: Timer::Limit };
    play.working().wait(500).says(question("q")).take(&shows(ScreenState::Ready)).wait(5000);
    play.take(&answer("yes")).delivered().ignores(&limit).wait(499).ignores(&limit).wait(1).take(&limit);
    play.take(&Event::Closed);
    assert_eq!(play.parked().reason, "limit");
    assert_eq!(play.row.worked_s, 1000, "5000 s of waiting for an answer are not work");
}

#[test]
fn times_make_sense_over_several_runs() {
    let mut play = Play::new();
    let first = play.now;
    play.working().wait(100).take(&vanished(false)).take(&Event::Closed);
    assert_eq!((play.row.started, play.row.ended, play.row.worked_s), (Some(first), Some(play.now), 100));
    play.wait(50).working();
    assert_eq!((play.row.started, play.row.ended), (Some(first), None));
    play.wait(30).says(question("q")).wait(1000).take(&vanished(true)).wait(1000).take(&answer("yes"));
    assert_eq!(play.row.worked_s, 130, "up to the question");
    play.wait(10).working().wait(20).says(done()).take(&work(2, &[])).green().take(&Event::Closed);
    assert_eq!((play.row.started, play.row.ended, play.row.worked_s), (Some(first), Some(play.now), 150));
    assert_eq!(play.now.duration_since(play.row.changed), SignedDuration::ZERO);
}

#[test]
fn the_words_of_a_person_outlive_crashes_losses_and_trouble() {
    let corrected = NextRun::Corrected { correction: "smaller".into() };
    let reject = asked(Request::Reject { correction: "smaller".into() });
    let hindered = Event::WorktreeFailed { kind: WorktreeTrouble::Passing, why: "disk".into() };
    for resumable in [false, true] {
        let mut rejected = if resumable { Play::resumable() } else { Play::new() };
        rejected.until_review().take(&reject);
        let mut play = rejected.clone();
        play.start().take(&hindered).take(&Event::Closed);
        assert_eq!(play.next(), &corrected, "before anything began");
        let mut play = rejected.clone();
        play.working().take(&vanished(false)).take(&Event::Closed);
        assert_eq!(play.next(), &corrected, "after a crash");
        let mut play = rejected.clone();
        play.take(&asked(Request::Stop)).take(&retry());
        assert_eq!(play.next(), &corrected, "stopped before it began, and retried");
        let mut play = rejected.clone();
        play.working().take(&vanished(true)).take(&Event::Closed);
        match play.next() {
            NextRun::Resume { instead, .. } if resumable => assert_eq!(instead.as_deref(), Some(&corrected)),
            next => assert_eq!(next, &corrected),
        }
        play.start().take(&worktree()).take(&opened());
        play.take(&Event::AgentExited { launch: play.row.launch, end: exit(1) }).take(&Event::Closed);
        assert_eq!(play.next(), &corrected, "its conversation could not go on");
    }
}

#[test]
fn an_answer_that_was_given_is_told_to_the_next_run_too() {
    let answered = NextRun::Answered { question: "q".into(), answer: "yes".into() };
    let mut play = Play::new();
    play.working().says(question("q")).take(&shows(ScreenState::Ready)).take(&answer("yes")).delivered();
    play.take(&vanished(false)).take(&Event::Closed);
    assert_eq!(play.next(), &answered);
    // Lost on the way into the box: it is delivered again where the conversation goes on.
    let mut play = Play::resumable();
    play.working().says(question("q")).take(&shows(ScreenState::Ready)).take(&answer("yes"));
    play.take(&vanished(true)).take(&Event::Closed);
    let next = NextRun::Resume { deliver: Some(Purpose::Answer), instead: Some(Box::new(answered.clone())) };
    assert_eq!(play.next(), &next);
    play.start();
    assert_eq!((play.run().then_deliver.as_ref(), &play.run().task), (Some(&Purpose::Answer), &answered));
    // An Enter may have been sent: it is not sent twice.
    let mut play = Play::resumable();
    play.working().says(question("q")).take(&shows(ScreenState::Ready)).take(&answer("yes"));
    play.take(&Event::Pasted { delivery: play.delivery() }).take(&vanished(true)).take(&Event::Closed);
    assert_eq!(play.next(), &NextRun::Resume { deliver: None, instead: Some(Box::new(answered)) });
}
