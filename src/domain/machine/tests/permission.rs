//! Permissions: what rules answer, what a person is told, and `always`.

use super::play::*;
use crate::domain::{
    effect::Effect,
    event::{Event, Request},
    permission::{Asked, Subject, Verdict},
    report::{Hook, Said},
    run::{Phase, Purpose},
    screen::{ScreenState, Sighting},
};

fn hook(line: &str, verdict: Verdict) -> Said {
    Said::Hook(Hook::Asks(wants(line, verdict)))
}

/// A dialog of which the screen does not say all.
fn cut(text: &str) -> Event {
    let choices = vec!["allow".into(), "deny".into()];
    let seen = Sighting { choices, text: text.into(), ..sighting(ScreenState::Permission) };
    Event::Seen { sighting: seen, answerable: false }
}

fn not_typed() -> Event {
    Event::Keyed { keys: vec![], why: "not typed".into() }
}

#[test]
fn a_rule_answers_the_dialog_and_the_work_goes_on() {
    for (verdict, answer) in [(Verdict::Allow, "allow"), (Verdict::Deny, "deny")] {
        let mut play = Play::new();
        play.working().take(&wanted("ls", verdict));
        assert!(matches!(play.phase(), Phase::Working));
        let decide = Effect::Decide {
            rule: "permission".into(),
            question: "May I run ls?".into(),
            answer: answer.into(),
            by: format!("{answer} Bash ls"),
        };
        assert_eq!(play.effects, [decide]);
    }
    // Without keys for it a person is asked.
    let mut play = Play::new();
    let Event::Seen { mut sighting, answerable } = wanted("ls", Verdict::Allow) else { unreachable!() };
    sighting.choices.clear();
    play.working().take(&Event::Seen { sighting, answerable });
    assert_eq!(play.blocked().reason, "permission");
}

#[test]
fn an_agent_whose_turn_a_denial_ended_is_told_why() {
    for state in [ScreenState::Question, ScreenState::Ready] {
        let mut play = Play::new();
        play.working().take(&wanted("git push", Verdict::Deny)).take(&shows(state));
        let Phase::Pasting { delivery } = play.phase() else { panic!("{:?}", play.phase()) };
        assert_eq!(delivery.purpose, Purpose::Denied { rule: "deny Bash git push".into() });
        // Once: what it asks after that is a question.
        play.delivered().take(&shows(ScreenState::Question));
        assert_eq!(play.blocked().reason, "question");
    }
    let mut play = Play::new();
    play.working().take(&wanted("ls", Verdict::Allow)).take(&shows(ScreenState::Question));
    assert_eq!(play.blocked().reason, "question", "it was allowed");
}

#[test]
fn a_request_is_shown_whole_even_where_the_screen_cuts_it() {
    let mut play = Play::new();
    let line = "cat a-file-with-a-long-name another-file-with-a-long-name";
    play.working().says(hook(line, Verdict::Ask)).take(&cut("Bash command\n cat a-file-with-a-long-name anoth…"));
    assert_eq!(play.blocked().request.as_deref(), Some(&wants(line, Verdict::Ask)));
    assert!(play.blocked().words().starts_with(&format!("Bash: {line}\n\nBash command")), "{}", play.blocked().words());
    assert_eq!(play.blocked().options, ["allow", "deny", "always"]);
    // The hook was slower than the screen.
    let mut play = Play::new();
    play.working().take(&cut("Bash command\n rm x")).says(hook("rm x", Verdict::Ask));
    assert!(play.blocked().request.is_some());
    assert_eq!(play.blocked().options, ["allow", "deny", "always"]);
}

#[test]
fn of_several_requests_the_dialog_is_about_the_one_it_shows() {
    let mut play = Play::new();
    play.working().says(hook("rm one", Verdict::Ask)).says(hook("rm two", Verdict::Ask)).take(&cut(" rm two"));
    assert_eq!(play.blocked().request.as_deref(), Some(&wants("rm two", Verdict::Ask)));
    play.take(&answer("allow")).take(&cut(" rm one"));
    assert_eq!(play.blocked().request.as_deref(), Some(&wants("rm one", Verdict::Ask)));
    assert!(play.blocked().pressed.is_none());
    play.take(&answer("deny")).take(&cut(" rm three"));
    assert_eq!(play.blocked().request, None, "of that nothing was told");
    // What was told of an earlier turn is not about a later one.
    let mut play = Play::new();
    play.working().says(hook("rm one", Verdict::Ask));
    play.says(Said::Hook(Hook::Stopped { background: 1, marker: None, text: String::new(), turn: None }));
    play.take(&cut(" rm one"));
    assert_eq!(play.blocked().request, None);
    // What a hook has answered is not asked.
    let mut play = Play::new();
    play.working().says(hook("rm one", Verdict::Allow));
    assert!(play.run().asks.is_empty());
}

#[test]
fn the_next_dialog_may_be_a_rules_to_answer() {
    let mut play = Play::new();
    play.working().take(&cut("may I?")).take(&wanted("ls", Verdict::Allow));
    assert!(matches!(play.effects[..], [Effect::Decide { .. }]));
    assert!(matches!(play.phase(), Phase::Working));
}

#[test]
fn a_rule_that_is_made_meanwhile_answers_what_waits_but_not_what_was_answered() {
    let mut play = Play::new();
    play.working().take(&wanted("ls", Verdict::Ask));
    let mut answered = play.clone();
    play.take(&wanted("ls", Verdict::Allow));
    assert!(matches!(play.effects[..], [Effect::Decide { .. }]));
    answered.take(&answer("allow")).ignores(&wanted("ls", Verdict::Allow));
}

#[test]
fn always_adds_exactly_what_is_asked() {
    let mut play = Play::new();
    play.working().take(&wanted("npm install left-pad", Verdict::Ask)).take(&answer("always"));
    let always = Effect::Always { rule: "permission".into(), allow: "allow Bash npm install left-pad".into() };
    assert_eq!(play.effects, [always]);
    assert!(play.blocked().pressed.is_some());
    play.take(&shows(ScreenState::Busy));
    assert!(matches!(play.phase(), Phase::Working));
}

#[test]
fn always_is_refused_where_no_rule_is_exact() {
    let always = Request::Answer { text: "always".into() };
    let mut play = Play::new();
    play.working().take(&wanted("a && b", Verdict::Ask));
    assert_eq!(play.blocked().options, ["allow", "deny"]);
    assert!(play.refuses(&always).why.contains("no rule"));
    let mut play = Play::new();
    play.working().take(&cut("may I?"));
    assert!(play.refuses(&always).why.contains("not known whole"));
    let mut play = Play::new();
    let lost = Event::AgentVanished { launch: 1, blameless: true, why: "tmux".into() };
    play.working().take(&wanted("ls", Verdict::Ask)).take(&lost);
    assert!(play.refuses(&always).why.contains("gone"));
    // A cut input is not known whole.
    let asked = Asked { input: "{\"a\":".into(), subject: Some(Subject::Input), ..wants("x", Verdict::Ask) };
    let mut play = Play::new();
    play.working().says(Said::Hook(Hook::Asks(asked))).take(&cut("may I?"));
    play.refuses(&always);
}

#[test]
fn an_answer_that_was_not_typed_is_said_and_may_be_given_again() {
    let mut play = Play::new();
    play.working().take(&wanted("ls", Verdict::Ask)).take(&answer("allow")).take(&not_typed());
    assert_eq!((play.blocked().pressed, play.blocked().note.as_str()), (None, "not typed"));
    play.take(&answer("allow"));
    assert!(play.blocked().note.is_empty());
}
