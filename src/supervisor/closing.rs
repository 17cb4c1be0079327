//! The effect that ends an agent: its last screen is kept, its processes are ended, its session is closed.

use super::{
    World,
    launching::{self, Job},
};
use crate::{
    domain::{event::Event, observed::Observed, row::Status},
    ports::terminal::PaneSeen,
};

/// How long the agent has to end itself, in milliseconds.
const GRACE_MS: u64 = 3_000;

/// Lines of scrollback that are kept.
const KEPT_LINES: u32 = 2_000;

/// Ends what the ticket's run left alive. Asked again while anything lives on: the ticket stays in its phase.
pub async fn close(world: &World, job: &Job) -> Vec<Event> {
    let tag = job.tag();
    let makes_room = matches!(job.row.status, Status::Blocked(_));
    // Where it could not be seen whether a person is attached, the agent is ended and its session stays: the loop
    // closes what is left over once it can look.
    let (pane, could_look) = match world.terminal.panes().await {
        Observed::Present(panes) => (panes.iter().find(|p| p.tag.as_ref() == Some(&tag)).cloned(), true),
        // Nobody is ended only to make room while it cannot be seen whether a person is attached.
        Observed::Unknown(_) if makes_room => return vec![],
        Observed::Absent => (None, true),
        Observed::Unknown(_) => (None, false),
    };
    if makes_room && pane.as_ref().is_some_and(|p| p.attached && !p.dead) {
        return vec![Event::Attached];
    }
    if let Some(pane) = &pane {
        keep_screen(world, job, pane).await;
        if pane.attached && !pane.dead {
            // A session is never closed under a person: the agent is ended, the screen stays.
            tracing::info!(ticket = %job.row.id, "a person is attached: the session stays open");
        }
    }
    (world.point)("close.before");
    if let Err(error) = world.launches.end_all(job.run.clone(), GRACE_MS).await {
        return vec![Event::Keyed { keys: vec![], why: format!("the agent could not be ended yet: {error}") }];
    }
    (world.point)("close.ended");
    if could_look
        && !pane.is_some_and(|p| p.attached)
        && let Err(error) = world.terminal.close(tag).await
    {
        // Its agent is gone; a session that stays is found again by its tag and closed at the next launch.
        tracing::warn!(ticket = %job.row.id, %error, "the session was not closed");
    }
    let mut events = Vec::new();
    if job.row.launch == 0 {
        // No agent was launched: a worktree that was being made just then is of no use to anybody.
        match world.worktrees.abandon(launching::spec_of(world, job)).await {
            Ok(done) => events.extend(done.map(|why| Event::Keyed { keys: vec![], why })),
            Err(error) => {
                tracing::warn!(ticket = %job.row.id, %error, "a half-made worktree was not taken away");
            }
        }
    }
    // What a supervisor that died was writing, and the environment of a launch that it prepared and never began.
    world.files.tidy(&job.run);
    if let Err(error) = world.launches.withdraw(&world.files.places().run(&job.run)) {
        tracing::warn!(ticket = %job.row.id, %error, "the environment of a launch that did not begin is still there");
    }
    (world.point)("close.after");
    events.push(Event::Closed);
    events
}

async fn keep_screen(world: &World, job: &Job, pane: &PaneSeen) {
    if let Observed::Present(text) = world.terminal.scrollback(pane.pane.clone(), KEPT_LINES).await {
        let name = format!("screens/{}.txt", job.row.launch);
        if let Err(error) = world.files.keep(&job.run, &name, &text) {
            tracing::warn!(ticket = %job.row.id, %error, "the last screen was not kept");
        }
    }
}
