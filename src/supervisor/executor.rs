//! Does one effect through the ports and tells what came of it.

use std::sync::Arc;

use super::{
    World, checks, closing, delivery, launching,
    launching::Job,
    permission::{self, Shown},
};
use crate::{
    agent::{
        classify,
        profile::{Keystroke, Profile},
    },
    domain::{effect::Effect, event::Event, observed::Observed, screen::Screen},
    ports::terminal::{Guard, Key, KeySent},
};

/// Does `effect`. It can be done again after a crash: each looks first at what is there.
pub async fn execute(world: &World, job: &Job, effect: &Effect) -> Vec<Event> {
    match effect {
        Effect::PrepareWorktree => launching::prepare_worktree(world, job).await,
        Effect::OpenSession => launching::open_session(world, job).await,
        Effect::AnswerDialog { rule } => answer_dialog(world, job, rule).await,
        Effect::Press { rule, key } => permission::press(world, job, rule, key).await,
        Effect::Decide { rule, question, answer, by } => {
            permission::decide(world, job, &Shown { rule, question: Some(question) }, answer, by).await
        }
        Effect::Always { rule, allow } => permission::always(world, job, rule, allow).await,
        Effect::Paste { delivery } => delivery::paste(world, job, delivery).await,
        Effect::Submit { delivery } => delivery::submit(world, job, delivery).await,
        Effect::Inspect => checks::inspect(world, job).await,
        Effect::RunCheck { round, index } => checks::run_check(world, job, *round, *index).await,
        Effect::Close => closing::close(world, job).await,
        // `notices` tells people, from the commit itself: an effect may be done twice.
        Effect::Notify => vec![],
    }
}

/// True for effects that carry a phase on, of which a ticket has one at a time.
#[must_use]
pub fn carries_phase(effect: &Effect) -> bool {
    match effect {
        Effect::AnswerDialog { .. }
        | Effect::Press { .. }
        | Effect::Decide { .. }
        | Effect::Always { .. }
        | Effect::Notify => false,
        Effect::PrepareWorktree
        | Effect::OpenSession
        | Effect::Paste { .. }
        | Effect::Submit { .. }
        | Effect::Inspect
        | Effect::RunCheck { .. }
        | Effect::Close => true,
    }
}

/// Answers a start-up dialog as the profile says, only while it still shows.
async fn answer_dialog(world: &World, job: &Job, rule: &str) -> Vec<Event> {
    let Some((profile, screen)) = screen_of(world, job).await else { return vec![] };
    let Some(answer) = classify::answer(&profile, &screen).filter(|answer| answer.rule == rule) else { return vec![] };
    let shows = Some(answer.shows.clone()).filter(|text| !text.is_empty());
    let mut sent = Vec::new();
    for stroke in answer.keys {
        let key = key_of(stroke);
        if !send(world, job, key.clone(), Guard { shows: shows.clone(), hides: vec![] }).await {
            break;
        }
        sent.push(name_of(&key));
    }
    if sent.is_empty() {
        return vec![];
    }
    vec![Event::Keyed { keys: sent, why: format!("dialog {rule}") }]
}

pub(super) fn key_of(stroke: &Keystroke) -> Key {
    match stroke {
        Keystroke::Enter => Key::Enter,
        Keystroke::Char(c) => Key::Char(*c),
        Keystroke::Named(name) => Key::Named(name),
    }
}

/// A key as the audit names it.
pub(super) fn name_of(key: &Key) -> String {
    match key {
        Key::Enter => "Enter".to_owned(),
        Key::Char(c) => c.to_string(),
        Key::Named(name) => (*name).to_owned(),
    }
}

pub(super) async fn screen_of(world: &World, job: &Job) -> Option<(Arc<Profile>, Screen)> {
    let row = &job.row;
    let profile = world.profiles.get(&row.profile, &row.repo).ok()?;
    let Observed::Present(screens) = world.terminal.screens(vec![row.pane.clone()?]).await else { return None };
    match screens.into_iter().next() {
        Some((_, Observed::Present(screen))) => Some((profile, screen)),
        _ => None,
    }
}

pub(super) async fn send(world: &World, job: &Job, key: Key, guard: Guard) -> bool {
    let Some(pane) = job.row.pane.clone() else { return false };
    match world.terminal.key(pane, key, guard).await {
        Ok(KeySent::Yes) => true,
        Ok(KeySent::Refused) => false,
        Err(error) => {
            tracing::debug!(ticket = %job.row.id, %error, "a key was not sent");
            false
        }
    }
}
