//! What is looked at before a batch begins: whatever would make each of its tickets fail, before anything is spent.
//!
//! Only what is known to be wrong stands in the way. What could not be found out does not: an agent that is not logged in
//! after all says so itself, and costs nothing.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use super::{Check, Health, agents, home, machine, quota, run::Scene, setup, tmux};
use crate::{
    adapters::{
        git::{Git, Tried},
        tmux::{Tmux, TmuxPlace},
    },
    app::{
        App,
        intake::{Project, worktree_root},
        profiles::LayeredProfiles,
    },
    config::Settings,
    domain::{id::TicketId, row::Row, ticket::Ticket},
    ports::worktrees::WorktreeSpec,
    supervisor::Profiles,
};

/// A batch that is about to begin.
pub struct Batch<'a> {
    /// The agents of all its tickets: names of profiles.
    pub profiles: BTreeSet<String>,
    /// Those of the tickets that would start at once.
    pub starting: BTreeSet<String>,
    /// Tickets of this project are among them, so that its base counts.
    pub is_for_project: bool,
    /// The queue.
    pub rows: &'a [Row],
    /// After it nothing is started.
    pub until: Option<Timestamp>,
}

/// What stands in the way of a batch of `project`; empty: nothing. Its `settings` say what is looked at.
pub async fn preflight(app: &App, project: Option<Project>, settings: &Settings, batch: &Batch<'_>) -> Vec<Check> {
    let scene = Scene {
        tmux: Tmux::new(TmuxPlace::in_folder(app.home.runtime())),
        profiles: LayeredProfiles::new(app.home.root()),
        home: app.home.clone(),
        git: Git::new(),
        project,
    };
    let mut checks = vec![tmux::check(&scene).await];
    checks.extend(home::checks(&scene));
    let disk = u64::from(settings.preflight_disk_mb.value);
    checks.push(machine::disk(&scene, (disk, disk)));
    let memory = machine::memory(u64::from(settings.preflight_memory_mb.value));
    // For doctor little memory is to be known; here it was said how much is needed.
    let status = if memory.status == Health::Warn { Health::Fail } else { memory.status };
    checks.push(Check { status, ..memory });
    let root = scene.project.as_ref().map(|project| project.repo.root.as_path());
    let (library, _) = scene.profiles.library(root);
    for name in &batch.profiles {
        // Ignored: a ticket whose profile is not there or wrong is parked with that reason; the others go on.
        let Ok(profile) = library.get(name) else { continue };
        let lack = agents::lack(&profile);
        let is_there = lack.is_none();
        checks.extend(lack);
        if is_there && settings.preflight_login.value {
            checks.extend(setup::look_login(&profile).await.map(|(_, check)| check));
        }
        if is_there && settings.preflight_trust.value {
            checks.extend(setup::look_trust(&scene, &profile));
        }
    }
    if settings.preflight_limits.value {
        checks.extend(quota::limits(app, &library, batch));
    }
    if let Some(line) = &settings.preflight_quota.value {
        checks.push(quota::command(line).await);
    }
    checks.retain(|check| check.status == Health::Fail);
    if checks.is_empty() && settings.preflight_base.value && batch.is_for_project {
        checks.extend(base(app, &scene).await);
    }
    checks
}

/// The project's checks on its base; `None`: they pass, or there are none.
async fn base(app: &App, scene: &Scene) -> Option<Check> {
    let name = "base";
    let project = scene.project.as_ref()?;
    let commands = project.settings.checks.value.clone().filter(|checks| !checks.is_empty())?;
    // Ignored: a base that names no commit is told where the tickets are taken.
    let commit = scene.git.resolve(&project.repo.root, &project.settings.base.value).await.ok().flatten()?;
    let short = commit.get(..10).unwrap_or(&commit).to_owned();
    // Ignored: it is an id, as a test of ids would show.
    let ticket = TicketId::parse("preflight").ok()?;
    let limits = app.profiles.get(&project.settings.profile.value, &project.repo.root).map(|p| p.limits());
    let plain = Ticket {
        id: ticket.clone(),
        title: String::new(),
        body: String::new(),
        priority: 3,
        after: vec![],
        profile: None,
        labels: vec![],
        accept: vec![],
        limit_s: None,
        budget: None,
        unattended: true,
    };
    let frozen = project.settings.to_frozen(&plain, &limits.unwrap_or_default());
    let spec = WorktreeSpec {
        ticket,
        repo: project.repo.root.clone(),
        path: worktree_root(project).join(format!(".autodo-trial-{}", std::process::id())),
        base: commit,
        on: vec![],
        base_commit: None,
        rebase: false,
        setup: frozen.worktree,
        log: app.home.runtime().join("preflight.log"),
    };
    let log = spec.log.display().to_string();
    match app.git.trial(&spec, &commands, Duration::from_secs(frozen.limits.check_s)).await {
        Ok(Tried::Green) => None,
        Ok(Tried::Failed { command, how, said }) => {
            let detail = format!("the check `{command}` fails on the base {short} already ({how}):\n{said}");
            let fix = format!("mend the base, or the check; all it said: {log}");
            Some(Check::fail(name, detail, fix))
        }
        Err(why) => {
            let detail = format!("the checks could not be run on the base {short}: {why}");
            Some(Check::fail(name, detail, "mend what it says; every ticket would meet it too"))
        }
    }
}
