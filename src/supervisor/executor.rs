//! Does one effect through the ports and tells what came of it.

use std::sync::Arc;

use super::{World, checks, closing, delivery, launching, launching::Job};
use crate::{
    agent::{
        classify,
        profile::{Keystroke, Profile},
    },
    domain::{effect::Effect, event::Event, observed::Observed, row::Status, screen::Screen},
    ports::terminal::{Guard, Key, KeySent},
};

/// Does `effect`. It can be done again after a crash: each looks first at what is there.
pub async fn execute(world: &World, job: &Job, effect: &Effect) -> Vec<Event> {
    match effect {
        Effect::PrepareWorktree => launching::prepare_worktree(world, job).await,
        Effect::OpenSession => launching::open_session(world, job).await,
        Effect::AnswerDialog { rule } => answer_dialog(world, job, rule).await,
        Effect::Press { rule, key } => press(world, job, rule, key).await,
        Effect::Paste { delivery } => delivery::paste(world, job, delivery).await,
        Effect::Submit { delivery } => delivery::submit(world, job, delivery).await,
        Effect::Inspect => checks::inspect(world, job).await,
        Effect::RunCheck { round, index } => checks::run_check(world, job, *round, *index).await,
        Effect::Close => closing::close(world, job).await,
        // Front doors show what is blocked; further notifiers come with their own port.
        Effect::Notify => vec![],
    }
}

/// True for effects that carry a phase on, of which a ticket has one at a time.
#[must_use]
pub fn carries_phase(effect: &Effect) -> bool {
    match effect {
        Effect::AnswerDialog { .. } | Effect::Press { .. } | Effect::Notify => false,
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

fn key_of(stroke: &Keystroke) -> Key {
    match stroke {
        Keystroke::Enter => Key::Enter,
        Keystroke::Char(c) => Key::Char(*c),
        Keystroke::Named(name) => Key::Named(name),
    }
}

/// A key as the audit names it.
fn name_of(key: &Key) -> String {
    match key {
        Key::Enter => "Enter".to_owned(),
        Key::Char(c) => c.to_string(),
        Key::Named(name) => (*name).to_owned(),
    }
}

async fn screen_of(world: &World, job: &Job) -> Option<(Arc<Profile>, Screen)> {
    let row = &job.row;
    let profile = world.profiles.get(&row.profile, &row.repo).ok()?;
    let Observed::Present(screens) = world.terminal.screens(vec![row.pane.clone()?]).await else { return None };
    match screens.into_iter().next() {
        Some((_, Observed::Present(screen))) => Some((profile, screen)),
        _ => None,
    }
}

/// Answers a permission or dialog by keys, only while the screen still shows what the person answered to.
async fn press(world: &World, job: &Job, rule: &str, answer: &str) -> Vec<Event> {
    let keyed = |keys: Vec<String>, why: String| vec![Event::Keyed { keys, why }];
    let changed = || keyed(vec![], format!("the answer {answer:?} was not typed: the screen has changed since"));
    let Some((profile, screen)) = screen_of(world, job).await else { return vec![] };
    let sighting = classify::classify(&profile, &screen, job.row.key.as_ref());
    let asked = match &job.row.status {
        Status::Blocked(blocked) => Some(&blocked.question),
        _ => None,
    };
    // Another request of the same kind is another question.
    let is_another = !sighting.text.is_empty() && asked.is_some_and(|asked| *asked != sighting.text);
    if !rule.is_empty() && (sighting.rule != rule || is_another) {
        return changed();
    }
    let named = profile.dialogs.iter().find(|dialog| dialog.name == rule).and_then(|d| d.choices.get(answer));
    let keys: Vec<Key> = match named {
        Some(keys) => keys.iter().map(key_of).collect(),
        None => answer.chars().take(1).map(Key::Char).collect(),
    };
    let decided = sighting.row.and_then(|row| screen.rows.get(usize::try_from(row).ok()?)).cloned();
    let shows = decided.map(|row| row.trim().chars().take(60).collect::<String>()).filter(|row| !row.is_empty());
    let mut sent = Vec::new();
    for key in keys {
        if !send(world, job, key.clone(), Guard { shows: shows.clone(), hides: vec![] }).await {
            let why = format!("only a part of the answer {answer:?} to {rule}");
            return if sent.is_empty() { changed() } else { keyed(sent, why) };
        }
        sent.push(name_of(&key));
    }
    keyed(sent, format!("answer {answer:?} to {rule}"))
}

async fn send(world: &World, job: &Job, key: Key, guard: Guard) -> bool {
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
