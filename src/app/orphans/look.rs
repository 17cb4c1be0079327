//! Looks at the world, then at the queue, and lets both be judged.

use std::path::{Path, PathBuf};

use super::{Orphans, Unseen, judge};
use crate::{
    adapters::{
        fs,
        git::{Git, Stray, Unknown},
        home::Home,
        process::{LaunchProcesses, launches_below},
        tmux::Tmux,
    },
    app::{
        error::AppError,
        intake::{Project, project_at, worktree_root},
    },
    domain::{observed::Observed, row::Row},
    ports::terminal::{Panes, Terminal},
};

/// Where worktrees of tickets may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A checkout of the repository.
    pub repo: PathBuf,
    /// The folder of its worktrees; `None`: its settings cannot be read.
    pub root: Option<PathBuf>,
}

/// What was seen of the world.
pub(super) struct Seen {
    pub sessions: Observed<Panes>,
    pub launches: Result<Vec<LaunchProcesses>, String>,
    pub worktrees: Vec<(PathBuf, Result<Vec<Stray>, String>)>,
    pub folders: Vec<Result<Vec<Unknown>, String>>,
}

/// The places of all projects that have a row in the queue, and of `here`.
pub async fn places(git: &Git, home: &Home, rows: &[Row], here: Option<&Project>) -> Vec<Place> {
    let mut all: Vec<Place> = here
        .map(|project| Place { repo: project.repo.root.clone(), root: Some(worktree_root(project)) })
        .into_iter()
        .collect();
    for row in rows {
        // A checkout that is gone has no worktrees that git could tell of.
        if all.iter().any(|place| place.repo == row.repo) || !matches!(fs::look_kind(&row.repo), Observed::Present(_)) {
            continue;
        }
        // Ignored: settings that are wrong are told by whoever looks at that project.
        let root = project_at(git, home.root(), &row.repo, vec![]).await.ok().map(|project| worktree_root(&project));
        all.push(Place { repo: row.repo.clone(), root });
    }
    all
}

/// Looks for orphans of the home. `rows` reads the queue, after all else was looked at.
///
/// # Errors
/// The queue cannot be read.
pub async fn find(
    home: &Home,
    git: &Git,
    tmux: &Tmux,
    places: &[Place],
    rows: impl AsyncFnOnce() -> Result<Vec<Row>, AppError>,
) -> Result<Orphans, AppError> {
    let seen = look(home, git, tmux, places).await;
    Ok(judge::judge(home, tmux, seen, &rows().await?))
}

async fn look(home: &Home, git: &Git, tmux: &Tmux, places: &[Place]) -> Seen {
    let below = home.root().to_owned();
    let launches = tokio::task::spawn_blocking(move || launches_below(&below)).await;
    let launches = launches.unwrap_or_else(|e| Err(format!("cannot look at processes: {e}")));
    // Asked of a folder that is not there, tmux could only fail.
    let has_servers = matches!(fs::look_kind(home.runtime()), Observed::Present(_));
    let sessions = if has_servers { tmux.panes().await } else { Observed::Absent };
    let (mut worktrees, mut folders) = (Vec::new(), Vec::new());
    for Place { repo, root } in places {
        worktrees.push((repo.clone(), git.strays(repo).await.map_err(|e| e.to_string())));
        if let Some(root) = root {
            folders.push(git.unknown_folders(repo, root).await.map_err(|e| e.to_string()));
        }
    }
    Seen { sessions, launches, worktrees, folders }
}

/// What could not be looked at.
pub(super) fn unseen(kind: &'static str, why: impl Into<String>) -> Unseen {
    Unseen { kind, why: why.into() }
}

/// True if both are the same place, links followed.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    one == other || (one.file_name() == other.file_name() && fs::resolved(one) == fs::resolved(other))
}
