//! Effects that bring an agent to life: the worktree, the prompt's file, the session.

use super::{World, compose};
use crate::{
    agent::{
        launch::{self, LaunchVars},
        prompt,
    },
    domain::{
        event::{Event, LaunchTrouble},
        id::{DeliveryId, RunId},
        observed::Observed,
        row::Row,
        run::{LaunchKind, Purpose},
        ticket::{Frozen, Ticket},
    },
    ports::{
        launches::{LaunchError, LaunchSpec},
        terminal::{SessionSpec, SessionTag, TerminalError},
        worktrees::WorktreeSpec,
    },
};

/// How long a process of an earlier run has to end itself, in milliseconds.
const GRACE_MS: u64 = 2_000;

/// Columns and rows of an agent's pane: wide enough that no marker wraps.
pub const PANE: (u16, u16) = (200, 50);

/// A ticket at the moment an effect is done for it.
#[derive(Clone)]
pub struct Job {
    /// Its row, as committed.
    pub row: Row,
    /// The run the effect is for.
    pub run: RunId,
    /// The ticket as accepted.
    pub ticket: std::sync::Arc<(Ticket, Frozen)>,
}

impl Job {
    /// The frozen settings.
    #[must_use]
    pub fn frozen(&self) -> &Frozen {
        &self.ticket.1
    }

    /// The tag of the present launch's session.
    #[must_use]
    pub fn tag(&self) -> SessionTag {
        SessionTag { ticket: self.row.id.clone(), run: self.row.run, launch: self.row.launch }
    }
}

/// The worktree that the ticket's row asks for.
pub(super) fn spec_of(world: &World, job: &Job) -> WorktreeSpec {
    let row = &job.row;
    WorktreeSpec {
        ticket: row.id.clone(),
        repo: row.repo.clone(),
        path: row.worktree.clone(),
        base: row.base.clone(),
        on: row.after.clone(),
        base_commit: row.base_commit.clone(),
        rebase: row.stale_base.is_some(),
        setup: job.frozen().worktree.clone(),
        log: world.files.places().run(&job.run).join("setup.log"),
    }
}

/// Makes the worktree, or finds it.
pub async fn prepare_worktree(world: &World, job: &Job) -> Vec<Event> {
    let (row, spec) = (&job.row, spec_of(world, job));
    // No agent of an earlier run may be at work in the tree.
    if let Err(error) = end_earlier(world, job).await {
        return vec![Event::WorktreeFailed {
            kind: crate::domain::event::WorktreeTrouble::Taken,
            why: error.to_string(),
        }];
    }
    let mut events = Vec::new();
    if let Some(removed) = world.worktrees.clear_stale_lock(row.worktree.clone()).await {
        events.push(Event::Keyed { keys: vec![], why: format!("removed {removed}, left by a dead run") });
    }
    (world.point)("prepare_worktree.before");
    match world.worktrees.prepare(spec).await {
        Ok(prepared) => {
            (world.point)("prepare_worktree.after");
            events.extend(prepared.notes.into_iter().map(|why| Event::Keyed { keys: vec![], why }));
            let (base_commit, stacked_on) = (prepared.base_commit, prepared.stacked_on);
            events.push(Event::WorktreeReady { base_commit, stacked_on });
        }
        Err(error) => events.push(Event::WorktreeFailed { kind: error.kind, why: error.why }),
    }
    events
}

async fn end_earlier(world: &World, job: &Job) -> Result<(), LaunchError> {
    for number in job.run.number.saturating_sub(1).max(1)..=job.run.number {
        let run = RunId { ticket: job.run.ticket.clone(), number };
        world.launches.end_all(run, GRACE_MS).await?;
    }
    Ok(())
}

/// Opens the session with the agent in it, or finds it open.
pub async fn open_session(world: &World, job: &Job) -> Vec<Event> {
    let failed = |kind, why: String| vec![Event::LaunchFailed { kind, why }];
    let folder = world.files.places().launch(&job.run, job.row.launch);
    // A launch that has begun is never begun again: its session is found by its tag, or its end is on disk.
    let begun = match world.launches.look(folder.clone()) {
        Observed::Present(seen) => seen.started.is_some(),
        Observed::Absent => false,
        Observed::Unknown(why) => return failed(LaunchTrouble::Passing, why),
    };
    if !begun && let Err(error) = end_earlier(world, job).await {
        return failed(LaunchTrouble::Taken, error.to_string());
    }
    if !begun {
        close_older(world, job).await;
    }
    let argv = match launch_argv(world, job, &folder).await {
        Ok(argv) => argv,
        Err((kind, why)) => return failed(kind, why),
    };
    (world.point)("open_session.before");
    let spec = SessionSpec { tag: job.tag(), argv, size: PANE };
    if begun {
        return match find(world, job).await {
            Observed::Present(pane) => vec![Event::SessionOpened { pane }],
            Observed::Absent => failed(LaunchTrouble::Passing, "the session is gone after its launch began".into()),
            Observed::Unknown(why) => failed(LaunchTrouble::Passing, why),
        };
    }
    let opened = world.terminal.open(spec).await;
    if opened.is_err()
        && let Err(error) = world.launches.withdraw(&folder)
    {
        tracing::warn!(ticket = %job.row.id, %error, "the environment of a launch that did not begin is still there");
    }
    match opened {
        Ok(pane) => {
            (world.point)("open_session.after");
            vec![Event::SessionOpened { pane }]
        }
        Err(error @ TerminalError::Taken { .. }) => failed(LaunchTrouble::Taken, error.to_string()),
        Err(error @ TerminalError::Unusable(_)) => failed(LaunchTrouble::Environment, error.to_string()),
        Err(
            error @ (TerminalError::NoServer(_)
            | TerminalError::NoTarget(_)
            | TerminalError::Timeout(_)
            | TerminalError::Lost(_)
            | TerminalError::Other(_)),
        ) => failed(LaunchTrouble::Passing, error.to_string()),
    }
}

/// Closes what is left of an earlier launch's session, unless a person is attached to it: then its name is taken.
async fn close_older(world: &World, job: &Job) {
    let Observed::Present(panes) = world.terminal.panes().await else { return };
    for pane in panes.iter().filter(|pane| !pane.attached) {
        let Some(tag) = pane.tag.clone().filter(|tag| tag.ticket == job.row.id && *tag != job.tag()) else { continue };
        if let Err(error) = world.terminal.close(tag).await {
            tracing::debug!(ticket = %job.row.id, %error, "the session of an earlier launch was not closed");
        }
    }
}

async fn find(world: &World, job: &Job) -> Observed<crate::domain::id::PaneId> {
    match world.terminal.panes().await {
        Observed::Present(panes) => {
            let tag = job.tag();
            let found = panes.iter().find(|pane| pane.tag.as_ref() == Some(&tag));
            found.map_or(Observed::Absent, |pane| Observed::Present(pane.pane.clone()))
        }
        Observed::Absent => Observed::Absent,
        Observed::Unknown(why) => Observed::Unknown(why),
    }
}

async fn launch_argv(
    world: &World,
    job: &Job,
    folder: &std::path::Path,
) -> Result<Vec<String>, (LaunchTrouble, String)> {
    let environment = |why: String| (LaunchTrouble::Environment, why);
    let row = &job.row;
    let profile = world.profiles.get(&row.profile, &row.repo).map_err(environment)?;
    let kind = row.running().map_or(LaunchKind::Fresh, |run| run.start);
    compose::write_prompt(world, job).map_err(|why| (LaunchTrouble::Passing, why))?;
    let places = world.files.places();
    let text = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let state_dir = places.state(&row.id, row.epoch);
    world.files.make_folder(&state_dir).map_err(|why| (LaunchTrouble::Passing, why))?;
    world.files.make_folder(&places.agent_tmux()).map_err(|why| (LaunchTrouble::Passing, why))?;
    // Without them a profile that wants them says so.
    let git_dirs = world.worktrees.git_dirs(&row.worktree).map_err(|why| tracing::debug!(ticket = %row.id, why)).ok();
    let vars = LaunchVars {
        autodo: text(places.program()),
        run: job.run.clone(),
        key: row.key.clone().ok_or_else(|| environment("the run has no key".into()))?,
        title: row.title.clone(),
        branch: row.id.branch(),
        worktree: text(row.worktree.clone()),
        run_dir: text(places.run(&job.run)),
        state_dir: text(state_dir),
        outbox: text(row.worktree.join(".autodo/run/outbox")),
        prompt_file: text(row.worktree.join(prompt::PROMPT_FILE)),
        tmux_tmpdir: text(places.agent_tmux()),
        prompt: Some(compose::line(&profile, job, &Purpose::Ticket, &DeliveryId::new(row.run, 0))),
        conversation: row.conversation.clone(),
        git_dirs: git_dirs.map(|(own, common)| (text(own), text(common))),
        options: std::collections::BTreeMap::new(),
    };
    let plan = launch::launch(&profile, kind, &vars).map_err(|e| environment(e.to_string()))?;
    if let Some(settings) = &plan.settings {
        let kept = world.files.keep(&job.run, launch::SETTINGS_FILE, settings);
        kept.map_err(|why| (LaunchTrouble::Passing, why))?;
    }
    let tools = &profile.permissions.tools;
    let policy = world.files.keep_policy(&job.run, &row.worktree, &row.repo, &job.frozen().permissions, tools);
    let policy = policy.map_err(|why| (LaunchTrouble::Passing, why))?;
    let own = [
        ("AUTODO_WAKE".to_owned(), text(places.wake())),
        ("AUTODO_LAUNCH".to_owned(), text(folder.to_owned())),
        ("AUTODO_POLICY".to_owned(), text(policy)),
    ];
    let spec = LaunchSpec {
        version: 1,
        run: job.run.to_string(),
        argv: plan.argv,
        cwd: row.worktree.clone(),
        env: plan.env.into_iter().chain(own).collect(),
        unset: plan.unset,
        require: plan.require,
        output: None,
        limit_s: 0,
        wake: Some(places.wake()),
    };
    world.launches.prepare(folder.to_owned(), spec).await.map_err(|error| match error {
        LaunchError::MissingProgram(_) | LaunchError::MissingVariable(_) => environment(error.to_string()),
        LaunchError::StillAlive(_) => (LaunchTrouble::Taken, error.to_string()),
        LaunchError::File { .. } => (LaunchTrouble::Passing, error.to_string()),
    })
}
