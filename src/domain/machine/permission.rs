//! Steps on permissions: what a rule answers by a key, what a person is told of a request, and `always`.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        permission::{Asked, Subject, Verdict},
        report::Hook,
        row::{Row, Status},
        run::{Blocked, Run},
        screen::Sighting,
    },
    Refusal, running,
};

/// Most requests that are remembered until a dialog shows them: an agent asks one after the other.
const MOST_ASKS: usize = 8;

/// Takes in what a hook tells of requests.
pub(super) fn heard(run: &mut Run, hook: &Hook) {
    match hook {
        Hook::Asks(asked) if asked.verdict.is_ask() => remember(run, asked),
        // Whatever was asked before is answered.
        Hook::Submitted { .. } | Hook::Stopped { .. } | Hook::Failed { .. } | Hook::Ended { .. } => run.asks.clear(),
        Hook::Asks(_) | Hook::Started | Hook::Active => {}
    }
}

fn remember(run: &mut Run, asked: &Asked) {
    run.asks.push(asked.clone());
    let too_many = run.asks.len().saturating_sub(MOST_ASKS);
    run.asks.drain(..too_many);
}

/// What a rule says to the request on the screen: the name of the answer that the profile has keys for, and the rule.
pub(super) fn by_rule(sighting: &Sighting) -> Option<(&'static str, &str)> {
    let asked = sighting.request.as_ref().filter(|asked| asked.verdict != Verdict::Ask)?;
    let answer = asked.verdict.word();
    let has_keys = sighting.choices.iter().any(|choice| choice == answer);
    Some((answer, asked.rule.as_deref()?)).filter(|_| has_keys)
}

/// A permission is asked on the screen: a rule answers it, or a person.
pub(super) fn shown(mut row: Row, mut run: Run, sighting: &Sighting, now: Timestamp) -> (Row, Vec<Effect>) {
    let Some((answer, by)) = by_rule(sighting) else {
        return running::block_on_screen(row, run, "permission", sighting);
    };
    run.alive = now;
    run.denied = (answer == Verdict::Deny.word()).then(|| by.to_owned());
    let effect = Effect::Decide {
        rule: sighting.rule.clone(),
        question: sighting.text.clone(),
        answer: answer.to_owned(),
        by: by.to_owned(),
    };
    row.status = Status::Running(Box::new(run));
    (row, vec![effect])
}

/// Puts the request to the question on the screen that is about it.
pub(super) fn attach(blocked: &mut Blocked, sighting: &Sighting) {
    let told = blocked.run.as_mut().and_then(|run| fitting(&mut run.asks, &sighting.text));
    blocked.request = told.map(Box::new).or_else(|| sighting.request.clone());
    offer(blocked);
}

/// A hook that was slower than the screen.
pub(super) fn told_late(blocked: &mut Blocked, asked: &Asked) {
    if !asked.verdict.is_ask() {
        return;
    }
    let is_about_it = blocked.reason == "permission" && blocked.request.is_none() && asked.may_be(&blocked.question);
    if is_about_it {
        blocked.request = Some(Box::new(asked.clone()));
        offer(blocked);
    } else if let Some(run) = &mut blocked.run {
        remember(run, asked);
    }
}

/// Takes out of `asks` the request that the dialog `text` is about. One of which the dialog need not show a word is it
/// only where there is no other.
fn fitting(asks: &mut Vec<Asked>, text: &str) -> Option<Asked> {
    let is_shown = |asked: &Asked| matches!(asked.subject, Some(Subject::Command { .. } | Subject::Path { .. }));
    let found = asks.iter().position(|asked| is_shown(asked) && asked.may_be(text));
    let only = (asks.len() == 1).then_some(0).filter(|_| asks.iter().all(|asked| asked.may_be(text)));
    found.or(only).map(|at| asks.remove(at))
}

/// Names `always` among the answers where it is one.
fn offer(blocked: &mut Blocked) {
    let is_allowed = blocked.options.iter().any(|option| option == "allow");
    let has_rule = blocked.request.as_ref().is_some_and(|asked| asked.exact_rule().is_some());
    if is_allowed && has_rule && !blocked.options.iter().any(|option| option == "always") {
        blocked.options.push("always".to_owned());
    }
}

/// The effect of `always`.
pub(super) fn always(row: &Row, blocked: &Blocked) -> Result<Effect, Refusal> {
    let id = &row.id;
    if !blocked.live || blocked.is_retiring() {
        return Err(Refusal::new(
            format!("the dialog of {id} is gone with its session, so nothing can be allowed in it"),
            format!("autodo answer {id} \"…\" tells the agent in words; autodo config permissions says where rules go"),
        ));
    }
    let rule = blocked.request.as_ref().and_then(|asked| asked.exact_rule());
    match rule {
        Some(rule) if blocked.options.iter().any(|option| option == "allow") => {
            Ok(Effect::Always { rule: blocked.rule.clone(), allow: rule.to_string() })
        }
        _ => Err(Refusal::new(
            format!("no rule stands for exactly what {id} asks: it is not known whole, or is no single simple command"),
            format!("autodo answer {id} allow allows it once; autodo config permissions says where rules go"),
        )),
    }
}
