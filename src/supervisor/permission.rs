//! Answers in a permission or dialog by keys: a person's, a rule's, and `always`; only while the screen still asks what was
//! answered.

use super::{
    World,
    executor::{key_of, name_of, screen_of, send},
    launching::Job,
};
use crate::{
    agent::classify,
    domain::{event::Event, row::Status},
    ports::terminal::{Guard, Key},
};

/// What was on the screen when it was answered.
pub struct Shown<'a> {
    /// The profile's rule that saw it; empty: none did.
    pub rule: &'a str,
    /// What it asked; `None`: what the ticket is blocked with.
    pub question: Option<&'a str>,
}

/// An answer whose dialog is on the screen, ready to be typed.
struct Answer {
    keys: Vec<Key>,
    guard: Guard,
}

fn keyed(keys: Vec<String>, why: String) -> Vec<Event> {
    vec![Event::Keyed { keys, why }]
}

/// Types a person's answer.
pub async fn press(world: &World, job: &Job, rule: &str, answer: &str) -> Vec<Event> {
    decide(world, job, &Shown { rule, question: None }, answer, "").await
}

/// Types an answer; `by`: the rule of the policy that gave it, empty for a person's.
pub async fn decide(world: &World, job: &Job, shown: &Shown<'_>, answer: &str, by: &str) -> Vec<Event> {
    let by = if by.is_empty() { String::new() } else { format!(", by the rule {by:?}") };
    match ready(world, job, shown, answer).await {
        Some(ready) => type_it(world, job, ready, &format!("answer {answer:?} to {}{by}", shown.rule)).await,
        None => keyed(vec![], format!("the answer {answer:?} was not typed: the screen has changed since{by}")),
    }
}

/// Adds the rule `allow` to the project's live ones, then types the answer `allow`: neither, if the screen has changed.
pub async fn always(world: &World, job: &Job, rule: &str, allow: &str) -> Vec<Event> {
    let refused = |why: &str| keyed(vec![], format!("the answer \"always\" was not typed: {why}"));
    let Some(ready) = ready(world, job, &Shown { rule, question: None }, "allow").await else {
        return refused("the screen has changed since");
    };
    if let Err(why) = world.files.add_rule(&job.row.repo, allow) {
        return refused(&why);
    }
    type_it(world, job, ready, &format!("answer \"always\" to {rule}; added the rule {allow:?}")).await
}

/// Looks whether the screen still asks what was answered.
async fn ready(world: &World, job: &Job, shown: &Shown<'_>, answer: &str) -> Option<Answer> {
    let (profile, screen) = screen_of(world, job).await?;
    let sighting = classify::classify(&profile, &screen, job.row.key.as_ref());
    let asked = shown.question.or(match &job.row.status {
        Status::Blocked(blocked) => Some(blocked.question.as_str()),
        _ => None,
    });
    // Another request of the same kind is another question.
    let is_another = !sighting.text.is_empty() && asked.is_some_and(|asked| *asked != sighting.text);
    if !shown.rule.is_empty() && (sighting.rule != shown.rule || is_another) {
        return None;
    }
    let keys: Vec<Key> = classify::keys_for(&profile, &screen, shown.rule, answer)?.iter().map(key_of).collect();
    let decided = sighting.row.and_then(|row| screen.rows.get(usize::try_from(row).ok()?)).cloned();
    let shows = decided.map(|row| row.trim().chars().take(60).collect::<String>()).filter(|row| !row.is_empty());
    Some(Answer { keys, guard: Guard { shows, hides: vec![] } })
}

async fn type_it(world: &World, job: &Job, answer: Answer, why: &str) -> Vec<Event> {
    let mut sent = Vec::new();
    for key in answer.keys {
        if !send(world, job, key.clone(), answer.guard.clone()).await {
            let how = if sent.is_empty() { "not typed: the screen has changed since" } else { "typed only in part" };
            return keyed(sent, format!("{how} ({why})"));
        }
        sent.push(name_of(&key));
    }
    keyed(sent, why.to_owned())
}
