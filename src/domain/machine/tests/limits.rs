//! Usage limits: until when a ticket is parked, and what the screen of a conversation that is open again tells.

use super::play::*;
use crate::domain::{
    event::{Event, Request, Timer},
    row::Status,
    run::{Phase, Purpose},
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
