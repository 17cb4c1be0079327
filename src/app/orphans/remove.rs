//! Takes one orphan away, by whoever holds the queue: while it does, no ticket is accepted, so that none can come to
//! need what is taken.

use std::{path::Path, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Found, Orphan, Place, find};
use crate::{
    adapters::{process::end_launch, store},
    app::{error::AppError, open::App},
    domain::{
        id::{RunId, TicketId},
        row::Row,
    },
    ports::terminal::{SessionTag, Terminal},
};

/// How long a process that is left over has to end itself.
const GRACE: Duration = Duration::from_secs(2);

/// What taking an orphan away came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The rescue reference that now holds what nothing else held.
    pub rescue: Option<String>,
    /// What was left, and why.
    pub left: Vec<String>,
}

/// Takes `orphan` away, if it still is one: it is looked for anew. `None`: it is gone, or somebody's again. `rows` reads
/// the queue; nobody may accept tickets meanwhile.
///
/// # Errors
/// It cannot be taken away without a loss, or could not be.
pub async fn remove(
    app: &App,
    orphan: &Orphan,
    rows: impl AsyncFnOnce() -> Result<Vec<Row>, AppError>,
) -> Result<Option<Gone>, AppError> {
    let places: Vec<Place> = match orphan {
        Orphan::Worktree { repo, .. } => vec![Place { repo: repo.clone(), root: None }],
        Orphan::Session { .. } | Orphan::Processes { .. } | Orphan::Folder { .. } => vec![],
    };
    let seen = find(&app.home, &app.git, &app.tmux, &places, rows).await?;
    if let Some(unseen) = seen.unseen.iter().find(|unseen| unseen.kind == orphan.kind()) {
        return Err(AppError::new(format!("it could not be looked at again: {}", unseen.why))
            .hint("autodo doctor looks at what is the matter"));
    }
    let Some(found) = seen.found.into_iter().find(|found| is_it(&found.orphan, orphan)) else { return Ok(None) };
    if let Some(left) = &found.left {
        return Err(
            AppError::new(format!("{} is left: {}", found.what, left.why)).hint(format!("by hand: {}", left.by_hand))
        );
    }
    take(app, &found).await.map(Some)
}

/// True if both name the same; which processes live of a launch may have changed.
fn is_it(one: &Orphan, other: &Orphan) -> bool {
    match (one, other) {
        (Orphan::Processes { launch, .. }, Orphan::Processes { launch: same, .. }) => launch == same,
        (Orphan::Worktree { path, .. }, Orphan::Worktree { path: same, .. }) => path == same,
        _ => one == other,
    }
}

async fn take(app: &App, found: &Found) -> Result<Gone, AppError> {
    match (&found.orphan, &found.ticket) {
        (Orphan::Session { session, run: Some(run), launch: Some(launch) }, Some(ticket)) => {
            let folder = app.home.launch_dir(&RunId { ticket: ticket.clone(), number: *run }, *launch);
            end(&folder).await?;
            let tag = SessionTag { ticket: ticket.clone(), run: *run, launch: *launch };
            app.tmux.close(tag).await.map_err(|e| {
                AppError::new(format!("the session {session} was not closed: {e}")).hint("autodo doctor looks at tmux")
            })?;
            Ok(Gone::default())
        }
        (Orphan::Processes { launch, .. }, _) => end(launch).await.map(|()| Gone::default()),
        (Orphan::Worktree { path, repo }, Some(ticket)) => worktree(app, repo, path, ticket).await,
        (Orphan::Session { .. } | Orphan::Worktree { .. } | Orphan::Folder { .. }, _) => {
            Err(AppError::new(format!("{} is not known to be autodo's", found.what)).hint("remove it by hand"))
        }
    }
}

async fn end(launch: &Path) -> Result<(), AppError> {
    end_launch(launch, GRACE)
        .await
        .map_err(|e| AppError::new(format!("what is left over was not ended: {e}")).hint("end that process by hand"))
}

async fn worktree(app: &App, repo: &Path, path: &Path, ticket: &TicketId) -> Result<Gone, AppError> {
    // Ignored: where it was to land is only of use to compare with; without it all that HEAD does not hold is kept.
    let archived = store::read_archived(&app.home, |id| id == ticket.as_str()).ok();
    let row = archived.and_then(|(rows, _)| rows.into_iter().next_back());
    let target = row.filter(|row| row.repo == repo).and_then(|row| row.target).unwrap_or_else(|| "HEAD".to_owned());
    let removed = app.git.remove_stray(repo, path, &target).await.map_err(|e| {
        AppError::new(e.to_string()).hint(format!("git -C {} status shows what is in it", path.display()))
    })?;
    let left = if removed.worktree { removed.left } else { vec![] };
    Ok(Gone { rescue: removed.rescue, left })
}
