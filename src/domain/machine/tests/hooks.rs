//! What the agent's own hooks tell.

use super::play::*;
use crate::domain::{
    event::{Event, Timer},
    report::{Hook, Said},
    row::Status,
    run::{NextRun, Phase, Purpose},
    screen::{Marker, ScreenState},
    usage::{Noted, Tokens},
};

fn stopped(marker: Option<Marker>, background: u32) -> Said {
    Said::Hook(Hook::Stopped { background, marker, text: "my last words".into(), turn: None })
}

fn submitted(id: &str) -> Said {
    Said::Hook(Hook::Submitted { delivery: Some(id.into()) })
}

#[test]
fn a_marker_in_the_last_message_is_a_claim_and_a_question() {
    let mut play = Play::new();
    play.working().says(stopped(Some(Marker::Done), 0));
    assert!(matches!(play.phase(), Phase::Proving { claim } if claim.claimed));
    let mut play = Play::new();
    play.working().says(stopped(Some(Marker::Blocked), 0));
    assert_eq!((play.blocked().reason.as_str(), play.blocked().question.as_str()), ("question", "my last words"));
}

#[test]
fn a_turn_that_wakes_by_itself_is_not_over() {
    let mut play = Play::new();
    play.working().says(stopped(Some(Marker::Done), 1));
    assert!(matches!(play.phase(), Phase::Working));
}

#[test]
fn a_turn_without_a_word_is_asked_about_once_and_at_once() {
    let mut play = Play::new();
    play.working().says(stopped(None, 0));
    assert!(matches!(play.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Nudge));
    play.says(stopped(None, 0));
    assert!(matches!(play.phase(), Phase::Pasting { .. }), "that is the older turn's");
    play.delivered().says(stopped(None, 0)).take(&Event::Closed);
    assert_eq!(play.parked().reason, "stalled");
}

#[test]
fn after_a_claim_the_end_of_its_turn_is_no_news() {
    let mut play = Play::new();
    play.working().says(done()).says(stopped(None, 0)).says(stopped(Some(Marker::Done), 0));
    assert!(matches!(play.phase(), Phase::Proving { .. }));
    let mut play = Play::new();
    play.working().says(done()).take(&work(1, &["left.txt"])).says(stopped(Some(Marker::Done), 0));
    assert!(matches!(play.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Commit));
}

#[test]
fn a_final_error_sets_aside_and_what_the_screen_knows_better_is_left_to_it() {
    let failed = |error: &str| Said::Hook(Hook::Failed { error: error.into(), text: "why".into() });
    for error in ["rate_limit", "authentication_failed", "server_error"] {
        let mut play = Play::new();
        play.working().says(failed(error));
        assert!(matches!(play.phase(), Phase::Working));
    }
    let mut play = Play::new();
    play.working().says(failed("invalid_request")).take(&Event::Closed);
    assert_eq!((play.parked().reason.as_str(), play.parked().detail.as_str()), ("error", "invalid_request: why"));
}

#[test]
fn a_prompt_that_the_agent_took_is_submitted() {
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Ready));
    let id = play.delivery();
    play.take(&Event::Pasted { delivery: id.clone() }).says(submitted("1.9"));
    assert!(matches!(play.phase(), Phase::Submitting { .. }), "another prompt");
    play.says(submitted(id.as_str()));
    assert!(matches!(play.phase(), Phase::Working));
    assert_eq!(play.run().markers, 0);
    play.says(stopped(None, 0));
    let nudge = play.delivery();
    play.says(submitted(nudge.as_str()));
    assert_eq!((play.phase(), play.run().markers), (&Phase::Working, u32::MAX));
}

#[test]
fn a_prompt_that_was_taken_after_all_needs_no_person() {
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Ready));
    let id = play.delivery();
    play.take(&Event::Pasted { delivery: id.clone() });
    play.take(&Event::Unverified { delivery: id.clone(), why: "nobody knows".into() });
    assert_eq!(play.blocked().reason, "delivery_unverified");
    play.says(submitted("9.9"));
    assert_eq!(play.blocked().reason, "delivery_unverified");
    play.says(submitted(id.as_str()));
    assert!(matches!(play.phase(), Phase::Working));
    assert_eq!(play.run().markers, u32::MAX, "an older marker may stand there");
}

/// The end of a turn without a word, as its hook or its record tells it.
fn ended(turn: &str) -> Hook {
    Hook::Stopped { background: 0, marker: None, text: "x".into(), turn: Some(turn.into()) }
}

fn recorded(play: &Play, hook: Option<Hook>, noted: Noted) -> Event {
    Event::Recorded { launch: play.row.launch, noted: Box::new(noted), hook }
}

#[test]
fn the_record_tells_what_the_hooks_tell() {
    let mut play = Play::new();
    play.booting().take(&shows(ScreenState::Ready));
    let id = play.delivery();
    play.take(&Event::Pasted { delivery: id.clone() });
    let taken = recorded(&play, Some(Hook::Submitted { delivery: Some(id.to_string()) }), Noted::default());
    play.take(&taken);
    assert!(matches!(play.phase(), Phase::Working));
    let end = recorded(&play, Some(ended("t-1")), Noted::default());
    play.take(&end);
    assert!(matches!(play.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Nudge));
}

#[test]
fn an_end_that_hook_and_record_both_tell_counts_once_whoever_is_first() {
    for hook_first in [true, false] {
        let mut play = Play::new();
        play.working();
        let by_record = recorded(&play, Some(ended("t-1")), Noted::default());
        let by_hook = Said::Hook(ended("t-1"));
        if hook_first {
            play.says(by_hook.clone())
        } else {
            play.take(&by_record)
        };
        play.delivered();
        // The other one comes when the nudge is at work: it would be the end of the nudge's turn.
        if hook_first {
            play.take(&by_record)
        } else {
            play.says(by_hook)
        };
        assert!(matches!(play.phase(), Phase::Working), "{:?}", play.phase());
        play.says(Said::Hook(ended("t-2"))).take(&Event::Closed);
        assert_eq!(play.parked().reason, "stalled");
    }
}

#[test]
fn figures_are_taken_in_and_change_nothing_else() {
    let mut play = Play::resumable();
    play.working();
    play.row.conversation = None;
    let noted = Noted {
        conversation: Some("c-1".into()),
        usd: Some(9),
        tokens: Some(Tokens { input: 3, ..Tokens::default() }),
        mark: None,
    };
    let before = play.row.status.clone();
    let event = recorded(&play, None, noted);
    play.take(&event);
    assert_eq!((play.row.conversation.as_deref(), play.row.spent()), (Some("c-1"), Some(9)));
    assert_eq!(play.row.status, before);
    let Event::Recorded { launch, noted, hook } = event else { return };
    play.ignores(&Event::Recorded { launch: launch + 1, noted, hook });
    play.says(done()).take(&work(1, &["left.txt"]));
    assert!(matches!(play.row.status, Status::Running(_)));
}

#[test]
fn a_conversation_that_is_opened_again_is_told_to_go_on_whatever_its_last_words_were() {
    for state in [ScreenState::Question, ScreenState::Limited, ScreenState::LoggedOut, ScreenState::Error] {
        let mut play = Play::resumable();
        play.row.conversation = Some("c-1".into());
        (play.row.run, play.row.launch, play.row.key) = (1, 1, Some(key(1)));
        let next = NextRun::Resume { deliver: None, instead: None };
        play.row.status = Status::Queued { not_before: None, next };
        play.take(&start(1)).take(&worktree()).take(&opened()).take(&shows(state));
        assert!(matches!(play.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::GoOn), "{state:?}");
    }
}

#[test]
fn a_tool_that_is_called_is_a_sign_of_life_and_nothing_more() {
    let mut play = Play::new();
    let stall = i64::try_from(play.frozen.limits.stall_s).unwrap();
    let due = Event::Deadline { timer: Timer::Stall };
    play.working().wait(stall - 1).says(Said::Hook(Hook::Active)).wait(stall - 1).ignores(&due);
    assert!(matches!(play.phase(), Phase::Working));
    play.wait(1).take(&due);
    assert!(matches!(play.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Nudge));
    // It answers nothing that is asked, and ends nothing.
    let mut asked = Play::new();
    asked.working().take(&wanted("rm x", crate::domain::permission::Verdict::Ask)).says(Said::Hook(Hook::Active));
    assert_eq!(asked.blocked().reason, "permission");
    let mut checking = Play::new();
    checking.checking().says(Said::Hook(Hook::Active));
    assert!(matches!(checking.phase(), Phase::Checking { .. }));
}
