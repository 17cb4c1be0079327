//! Tickets that wait for an answer: in the pane, by `answer`, after the session is lost, and to make room for others.

use super::play::*;
use crate::domain::{
    effect::Effect,
    event::{Event, Request, Retry, Timer},
    risk::Tier,
    row::Status,
    run::{NextRun, Phase, Purpose, Retire},
    screen::{Marker, ScreenState, Sighting, WORDS},
};

fn lost() -> Event {
    Event::AgentVanished { launch: 1, blameless: true, why: "gone".into() }
}

/// An agent that reported a question and waits for the answer.
fn questioned(mut play: Play) -> Play {
    play.working().says(question("which?")).take(&shows(ScreenState::Ready));
    play
}

/// One that shows a permission dialog.
fn permission() -> Play {
    let mut play = Play::new();
    play.working().take(&shows(ScreenState::Permission));
    play
}

fn other_dialog(rule: &str, text: &str) -> Event {
    let sighting = Sighting { rule: rule.into(), text: text.into(), ..sighting(ScreenState::Permission) };
    Event::Seen { sighting, answerable: false }
}

#[test]
fn whatever_asks_blocks_with_the_exact_question() {
    let mut play = Play::new();
    play.working().says(question("which?"));
    let blocked = play.blocked();
    assert_eq!((blocked.reason.as_str(), blocked.question.as_str(), blocked.tier), ("question", "which?", Tier::High));
    assert_eq!((blocked.options.len(), blocked.live, blocked.rule.as_str()), (2, true, ""));
    for state in [ScreenState::Permission, ScreenState::Question, ScreenState::Dialog, ScreenState::LoggedOut] {
        let mut play = Play::new();
        play.working().take(&shows(state));
        assert_eq!((play.blocked().reason.as_str(), play.words()), (state.word(), vec!["notify"]));
        assert_eq!(play.blocked().question, format!("{} text", state.word()));
    }
    let mut play = Play::new();
    play.working().take(&marker(Marker::Blocked));
    assert_eq!(play.blocked().reason, "question");
    assert!(!play.blocked().question.is_empty());
}

#[test]
fn an_answer_is_delivered_into_the_live_pane() {
    let mut play = questioned(Play::new());
    play.take(&answer("the left one"));
    assert!(matches!(play.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Answer));
    assert!(matches!(play.delivered().phase(), Phase::Working));
    assert_eq!((play.row.run, play.row.launch), (1, 1), "the same run");
}

#[test]
fn an_answer_in_the_pane_is_seen_only_after_the_agent_was_seen_waiting() {
    let mut play = Play::new();
    play.working().says(question("which?")).ignores(&shows(ScreenState::Busy));
    play.take(&shows(ScreenState::Ready)).wait(60).take(&shows(ScreenState::Busy));
    assert!(matches!(play.phase(), Phase::Working));
    assert_eq!(play.run().alive, play.now);
    let mut play = permission();
    play.take(&shows(ScreenState::Busy));
    assert!(matches!(play.phase(), Phase::Working));
    let mut play = permission();
    play.take(&shows(ScreenState::Ready));
    assert!(matches!(play.phase(), Phase::Working), "the turn is over already");
}

#[test]
fn work_that_went_on_after_an_answer_in_the_pane_can_be_claimed() {
    let mut play = questioned(Play::new());
    play.says(done());
    assert_eq!(play.words(), ["inspect"]);
    let mut play = questioned(Play::new());
    play.take(&marker(Marker::Done));
    assert_eq!(play.words(), ["inspect"]);
    let mut play = Play::new();
    play.working().says(question("which?")).take(&marker(Marker::Done));
    assert!(play.blocked().settled, "a marker does not overrule the fresher report");
}

#[test]
fn a_newer_question_takes_the_place_of_the_old_one() {
    let mut play = questioned(Play::new());
    play.says(question("which?"));
    assert!(play.words().is_empty());
    play.says(question("and which colour?"));
    assert_eq!((play.blocked().question.as_str(), play.words()), ("and which colour?", vec!["notify"]));
    let mut play = permission();
    play.take(&answer("1")).take(&other_dialog("edit", "may I edit?"));
    let blocked = play.blocked();
    assert_eq!((blocked.rule.as_str(), blocked.question.as_str(), blocked.pressed), ("edit", "may I edit?", None));
    play.take(&answer("2"));
    assert_eq!(
        play.effects,
        [Effect::Press { rule: "edit".into(), key: "2".into() }],
        "the key is for what is shown now"
    );
    play.says(question("really?"));
    assert_eq!((play.blocked().reason.as_str(), play.blocked().rule.as_str()), ("question", ""));
}

#[test]
fn an_answer_that_the_profile_has_keys_for_is_named() {
    let mut play = Play::new();
    let asks = |state| Event::Seen {
        sighting: Sighting { choices: vec!["allow".into(), "deny".into()], text: "may I?".into(), ..sighting(state) },
        answerable: false,
    };
    play.working().take(&asks(ScreenState::Permission));
    assert_eq!(play.blocked().options, ["allow", "deny"]);
    assert!(play.refuses(&Request::Answer { text: "maybe".into() }).hint.contains("allow, deny"));
    play.take(&answer("allow"));
    assert_eq!(play.effects, [Effect::Press { rule: "permission".into(), key: "allow".into() }]);
    let mut play = Play::new();
    play.working().take(&asks(ScreenState::Question)).take(&answer("deny"));
    assert!(matches!(&play.effects[..], [Effect::Press { .. }]), "a question may be a menu");
    let mut play = Play::new();
    play.working().take(&asks(ScreenState::Question)).take(&answer("other words"));
    assert!(matches!(&play.effects[..], [Effect::Paste { .. }]));
}

#[test]
fn a_permission_takes_one_key_and_says_when_it_came_to_nothing() {
    let mut play = permission();
    for text in ["yes please", "", "é", "!"] {
        play.refuses(&Request::Answer { text: text.into() });
    }
    play.take(&answer(" 1 "));
    assert_eq!(play.effects, [Effect::Press { rule: "permission".into(), key: "1".into() }]);
    assert!(play.blocked().note.is_empty());
    let late = Event::Deadline { timer: Timer::Answer };
    play.ignores(&late).wait(30).take(&late);
    assert!(play.blocked().note.contains("has not changed"), "it does not wait unseen");
    play.ignores(&late).take(&answer("2"));
    assert!(play.blocked().note.is_empty());
    play.take(&shows(ScreenState::Busy));
    assert!(matches!(play.phase(), Phase::Working));
}

#[test]
fn a_lost_session_leaves_the_question() {
    for event in
        [lost(), Event::AgentExited { launch: 1, end: exit(0) }, Event::AgentExited { launch: 1, end: exit(1) }]
    {
        let mut play = questioned(Play::new());
        play.take(&event);
        assert_eq!((play.blocked().live, play.blocked().question.as_str(), &play.row.pane), (false, "which?", &None));
        assert_eq!((play.row.crashes, play.row.losses), (0, 0));
        play.ignores(&event).ignores(&shows(ScreenState::Busy));
        play.take(&answer("this one"));
        assert_eq!(play.next(), &NextRun::Answered { question: "which?".into(), answer: "this one".into() });
        assert_eq!(play.start().row.run, 2);
    }
}

#[test]
fn an_answer_after_a_lost_session_resumes_the_conversation_where_that_can_be() {
    let mut play = questioned(Play::resumable());
    play.take(&lost()).take(&answer("this one")).start();
    assert_eq!((play.row.run, play.run().then_deliver.as_ref()), (1, Some(&Purpose::Answer)));
    let mut play = Play::resumable();
    play.working().take(&shows(ScreenState::Permission)).take(&lost()).take(&answer("yes, do it"));
    assert!(
        matches!(play.next(), NextRun::Resume { deliver: Some(Purpose::Answer), .. }),
        "a permission's answer becomes text"
    );
}

#[test]
fn words_to_a_question_with_options_close_its_dialog_first() {
    let shown = |rule: &str, text: &str| Sighting {
        rule: rule.into(),
        text: text.into(),
        choices: vec!["OnceCell".into(), "LRU".into()],
        takes_words: true,
        box_empty: false,
        ..sighting(ScreenState::Question)
    };
    let seen = |sighting| Event::Seen { sighting, answerable: false };
    let mut asked = Play::new();
    asked.working().take(&seen(shown("question", "which?")));
    let mut chosen = asked.clone();
    assert_eq!(chosen.take(&answer("lru")).effects, [Effect::Press { rule: "question".into(), key: "lru".into() }]);
    chosen.take(&shows(ScreenState::Ready));
    assert!(matches!(chosen.phase(), Phase::Working), "its turn is over already");
    let mut digit = asked.clone();
    assert_eq!(digit.take(&answer("2")).effects, [Effect::Press { rule: "question".into(), key: "2".into() }]);
    assert_eq!(asked.take(&answer("neither")).effects, [Effect::Press { rule: "question".into(), key: WORDS.into() }]);
    asked.ignores(&seen(shown("question", "which?")));
    let mut again = asked.clone();
    again.take(&Event::Keyed { keys: vec![], why: "the screen has changed".into() });
    assert!(!again.blocked().words_follow && again.blocked().note.contains("changed"));
    let closed = Sighting { rule: "interrupted".into(), ..sighting(ScreenState::Question) };
    asked.take(&seen(closed));
    assert!(matches!(asked.phase(), Phase::Pasting { delivery } if delivery.purpose == Purpose::Answer));
    assert!(matches!(&asked.run().task, NextRun::Answered { answer, .. } if answer == "neither"));
}

#[test]
fn requests_to_a_blocked_ticket() {
    let play = questioned(Play::new());
    for request in [
        Request::Send { bytes: 1 },
        Request::Approve { low: false },
        Request::Reject { correction: "c".into() },
        Request::Retry { how: Retry::ChecksOnly },
        Request::AcceptStale,
    ] {
        play.refuses(&request);
    }
    let close = |request: Request| {
        let mut play = play.clone();
        assert_eq!(play.take(&asked(request)).words(), ["close"]);
        play.take(&Event::Closed).clone()
    };
    let stopped = close(Request::Stop);
    assert!(stopped.parked().detail.contains("which?") && stopped.parked().until.is_none());
    let until = play.now;
    let parked = close(Request::Park { reason: "night".into(), until: Some(until) });
    assert_eq!((parked.parked().reason.as_str(), parked.parked().until), ("night", Some(until)));
    assert_eq!(close(Request::Cancel).row.status.word(), "cancelled");
    let resumed = close(Request::Resume);
    assert!(matches!(resumed.next(), NextRun::GoOn { because } if because.contains("which?")));
    assert_eq!(resumed.row.epoch, 0);
    let retried = close(Request::Retry { how: Retry::Again });
    assert_eq!((retried.row.epoch, retried.row.run), (1, 1));
    let mut tier = play.clone();
    tier.take(&asked(Request::SetTier { tier: Tier::High }));
    assert_eq!(tier.row.status, play.row.status);
}

#[test]
fn a_session_that_makes_room_is_closed_and_its_question_stays() {
    let mut play = questioned(Play::resumable());
    assert_eq!(play.take(&Event::MakeRoom).words(), ["close"]);
    assert_eq!((play.blocked().retire, play.blocked().live), (Retire::Asked, true));
    play.ignores(&Event::MakeRoom).ignores(&lost());
    let mut answered = play.clone();
    answered.take(&answer("this one"));
    assert!(matches!(answered.next(), NextRun::Resume { deliver: Some(Purpose::Answer), .. }), "not into a dying pane");
    let mut attached = play.clone();
    attached.take(&Event::Attached).ignores(&Event::MakeRoom).ignores(&Event::Attached);
    assert!(attached.blocked().live);
    attached.take(&lost());
    play.take(&Event::Closed).ignores(&Event::Closed);
    assert_eq!((play.blocked().live, play.blocked().question.as_str(), &play.row.pane), (false, "which?", &None));
    assert!(matches!(play.row.status, Status::Blocked(_)));
    questioned(Play::new()).ignores(&Event::MakeRoom);
}
