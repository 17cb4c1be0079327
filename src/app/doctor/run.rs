//! Runs all checks.

use std::{path::Path, time::Duration};

use super::{Check, Report, agents, git, home, machine, notify, supervisor, tmux, worktrees};
use crate::{
    adapters::{
        git::{Git, Limits},
        home::Home,
        tmux::{Tmux, TmuxPlace},
    },
    app::{
        AppError, Exit,
        intake::{Project, project_at, repo_at},
        profiles::LayeredProfiles,
    },
};

/// Longest that one question to git may take.
const GIT_WAIT: Duration = Duration::from_secs(20);

/// What the checks look at: a home, and the project of a folder in it.
pub(super) struct Scene {
    /// The home, which need not be there.
    pub home: Home,
    pub git: Git,
    pub tmux: Tmux,
    pub profiles: LayeredProfiles,
    /// The project of the folder, if there is one and its settings are right.
    pub project: Option<Project>,
}

/// Looks at everything, for a home at `home_folder` and the project of `folder`, if it is in one.
///
/// # Errors
/// The home's place cannot be told.
pub async fn run(home_folder: &Path, folder: &Path) -> Result<Report, AppError> {
    let home = Home::look(home_folder)
        .map_err(|e| AppError::new(e.to_string()).hint("set AUTODO_HOME to a folder of yours"))?;
    let git = Git::new().of_home(home.root()).with_limits(Limits { call: GIT_WAIT, ..Limits::default() });
    let (project, settings) = project(&git, &home, folder).await;
    let scene = Scene {
        tmux: Tmux::new(TmuxPlace::in_folder(home.runtime())),
        profiles: LayeredProfiles::new(home.root()),
        home,
        git,
        project,
    };
    let mut checks = vec![tmux::check(&scene).await];
    checks.extend(git::checks(&scene, folder).await);
    checks.extend(home::checks(&scene));
    checks.extend(settings);
    checks.extend(agents::checks(&scene).await);
    checks.extend(worktrees::check(&scene));
    checks.extend(worktrees::pool(&scene).await);
    checks.extend(machine::checks(&scene));
    checks.extend(notify::checks(&scene));
    checks.extend(supervisor::checks(&scene).await);
    Ok(Report {
        tmux_socket: scene.home.tmux_socket(),
        supervisor_socket: scene.home.supervisor_socket(),
        project: scene.project.map(|project| project.repo.root),
        checks,
    })
}

/// The project of `folder`, and what is to be said of it and its settings.
async fn project(git: &Git, home: &Home, folder: &Path) -> (Option<Project>, Option<Check>) {
    let repo = match repo_at(git, folder).await {
        Ok(repo) => repo,
        // Outside a project nothing is wrong; whoever asked is told what was left out.
        Err(error) if error.exit == Exit::Usage => return (None, None),
        Err(error) => {
            return (None, Some(Check::fail("project", error.message, "look at the repository with git status")));
        }
    };
    let shown = repo.root.display().to_string();
    let settled = repo.root.join(".autodo/config.toml").is_file();
    let has_commit = repo.head_commit.is_some();
    match project_at(git, home.root(), folder, vec![]).await {
        Err(error) => (None, Some(Check::fail("project", error.message, "mend the setting"))),
        Ok(project) if !has_commit => {
            let fix = "make a first commit: git commit --allow-empty -m \"first\"";
            (Some(project), Some(Check::fail("project", format!("{shown} has no commit yet"), fix)))
        }
        // In a bare repository `init` writes nothing; what stands in its folder holds.
        Ok(project) if !settled && !repo.is_bare => {
            let detail = format!("{shown} has no settings of its own");
            (
                Some(project),
                Some(Check::warn("project", detail, "autodo init writes them, with checks that it proposes")),
            )
        }
        Ok(project) if project.settings.checks.value.is_none() => {
            let fix = "set checks in .autodo/config.toml; checks = [] if the project has none";
            let detail = format!("{shown}: nobody has said which checks it has, so results stay unchecked");
            (Some(project), Some(Check::warn("project", detail, fix)))
        }
        Ok(project) => {
            let checks = project.settings.checks.value.clone().unwrap_or_default();
            let said = if checks.is_empty() { "none".to_owned() } else { checks.join(", ") };
            (Some(project), Some(Check::ok("project", format!("{shown}, checks: {said}"))))
        }
    }
}
