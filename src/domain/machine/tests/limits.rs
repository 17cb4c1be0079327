//! Usage limits: until when a ticket is parked, and what the screen of a conversation that is open again tells.

use super::play::*;
use crate::domain::{
    event::{Event, Request, Timer},
    row::Status,
    run::{NextRun, Phase, Purpose},
    samples,
    schedule::AccountLimit,
    screen::{ScreenState, Sighting},
};

#[test]
fn a_usage_limit_that_says_when_it_lifts_is_waited_for() {
    let mut play = Play::new();
    let lifts = play.now + jiff::SignedDuration::from_mins(30);
    let limited = Sighting { lifts: Some(lifts), ..sighting(ScreenState::Limited) };
    play.working().take(&Event::Seen { sighting: limited, answerable: false }).take(&Event::Closed);
    let until = lifts + jiff::SignedDuration::from_mins(2);
    assert_eq!((play.parked().reason.as_str(), play.parked().until), ("usage_limit", Some(until)));
    let due = Event::Deadline { timer: Timer::Parked };
    play.wait(31 * 60).ignores(&due).wait(60).take(&due);
    assert_eq!((play.row.status.word(), play.row.limited_until), ("queued", Some(until)));
}

#[test]
fn what_a_conversation_ended_with_says_nothing_once_it_is_open_again() {
    for state in [ScreenState::Limited, ScreenState::Error, ScreenState::LoggedOut, ScreenState::Question] {
        let seen = |box_empty| {
            let sighting = Sighting { box_empty, ..sighting(state) };
            Event::Seen { sighting, answerable: false }
        };
        let mut play = Play::resumable();
        play.working().take(&asked(Request::Stop)).take(&Event::Closed).take(&asked(Request::Resume)).start();
        play.take(&worktree()).take(&opened()).take(&seen(true));
        let Phase::Pasting { delivery } = play.phase() else { panic!("{state:?}: {:?}", play.phase()) };
        assert_eq!(delivery.purpose, Purpose::GoOn);
        // What it ends with now counts.
        play.delivered().take(&seen(true));
        assert!(!matches!(play.row.status, Status::Running(ref run) if run.phase == Phase::Working), "{state:?}");
    }
}

#[test]
fn a_limit_that_should_have_lifted_is_not_tried_again_at_once() {
    let mut play = Play::new();
    let lifts = play.now - jiff::SignedDuration::from_mins(3);
    let limited = Sighting { lifts: Some(lifts), ..sighting(ScreenState::Limited) };
    play.working().take(&Event::Seen { sighting: limited, answerable: false }).take(&Event::Closed);
    assert_eq!(play.parked().until, Some(play.now + jiff::SignedDuration::from_mins(5)));
}

#[test]
fn a_limit_of_another_ticket_parks_a_run_at_work_which_then_goes_on_in_its_conversation() {
    let mut play = Play::resumable();
    let until = play.now + jiff::SignedDuration::from_mins(30);
    let limited = Event::AccountLimited(AccountLimit { by: samples::id("T-2"), until });
    assert_eq!(play.working().take(&limited).words(), ["close"]);
    play.ignores(&limited).take(&Event::Closed).ignores(&limited);
    let parked = play.parked();
    assert_eq!((parked.reason.as_str(), parked.until), ("usage_limit", Some(until)));
    assert!(parked.detail.contains("T-2"), "it says whose limit it was: {}", parked.detail);
    assert_eq!((play.row.limited_until, play.row.limit_waived), (None, None), "it has reached none itself");
    let due = Event::Deadline { timer: Timer::Parked };
    play.wait(29 * 60).ignores(&due).wait(60).take(&due).start().take(&worktree()).take(&opened());
    play.take(&shows(ScreenState::Ready));
    let Phase::Pasting { delivery } = play.phase() else { panic!("{:?}", play.phase()) };
    assert_eq!((&delivery.purpose, play.row.run), (&Purpose::GoOn, 1));
}

#[test]
fn a_limit_of_another_ticket_waits_for_launches_and_deliveries_and_leaves_proofs_alone() {
    let mut play = Play::resumable();
    let limit = |until| Event::AccountLimited(AccountLimit { by: samples::id("T-2"), until });
    let (limited, over) = (limit(play.now + jiff::SignedDuration::from_mins(30)), limit(play.now));
    play.ignores(&limited).start();
    let mut preparing = play.clone();
    preparing.take(&limited).take(&Event::Closed);
    assert_eq!(preparing.parked().next, NextRun::Ticket, "nothing was launched");
    play.take(&worktree()).ignores(&limited).take(&opened()).ignores(&limited).take(&shows(ScreenState::Ready));
    let delivery = play.ignores(&limited).delivery();
    play.take(&Event::Pasted { delivery }).ignores(&limited);
    let delivery = play.delivery();
    play.take(&Event::Submitted { delivery, evidence: String::new(), markers: 0 });
    play.ignores(&over);
    let mut blocked = play.clone();
    blocked.says(question("which?")).ignores(&limited);
    play.says(done()).ignores(&limited).take(&work(2, &[])).ignores(&limited).green().ignores(&limited);
    play.take(&Event::Closed).ignores(&limited);
}

#[test]
fn who_resumes_a_parked_ticket_waives_the_limit_that_held_it() {
    let mut play = Play::resumable();
    let until = play.now + jiff::SignedDuration::from_mins(30);
    play.working().take(&Event::AccountLimited(AccountLimit { by: samples::id("T-2"), until })).take(&Event::Closed);
    let mut retried = play.clone();
    play.take(&asked(Request::Resume));
    retried.take(&retry());
    assert_eq!([play.row.limit_waived, retried.row.limit_waived], [Some(until); 2]);
    // Another reason waives nothing.
    let mut stopped = Play::resumable();
    stopped.working().take(&asked(Request::Stop)).take(&Event::Closed).take(&asked(Request::Resume));
    assert_eq!(stopped.row.limit_waived, None);
}
