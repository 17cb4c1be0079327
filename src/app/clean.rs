//! `clean`: takes away what a finished ticket no longer needs, and only what cannot be missed. Looking and taking away
//! are two steps, so that a person can be shown the first.

use jiff::Timestamp;

use super::{
    api::{ApiReply, ApiRequest},
    error::AppError,
    hold,
    open::App,
};
use crate::{
    adapters::{
        fs,
        git::{GitError, Removal, Removed},
    },
    domain::{
        id::RunId,
        observed::Observed,
        row::{Row, Status},
    },
    ports::terminal::SessionTag,
};

/// How long a process of the ticket that is still there has to end itself, in milliseconds.
const GRACE_MS: u64 = 2_000;

/// Which finished tickets are meant, where none is named. What is `None` or empty asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// Words of statuses.
    pub statuses: Vec<String>,
    /// Nothing has happened to it for so many seconds.
    pub older_than_s: Option<u64>,
    /// Bytes that its worktree takes on its disk, at least.
    pub larger_than: Option<u64>,
}

impl Rule {
    /// True if it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.statuses.is_empty() && self.older_than_s.is_none() && self.larger_than.is_none()
    }

    /// True if it means this ticket, which is finished.
    ///
    /// # Errors
    /// How much its worktree takes is not known.
    pub fn means(&self, row: &Row, now: Timestamp) -> Result<bool, AppError> {
        let age = u64::try_from(now.duration_since(row.changed).as_secs()).unwrap_or(0);
        let is_meant = row.status.is_over()
            && (self.statuses.is_empty() || self.statuses.iter().any(|word| word == row.status.word()))
            && self.older_than_s.is_none_or(|least| age >= least);
        match self.larger_than {
            Some(least) if is_meant => match fs::disk_usage(&row.worktree) {
                Observed::Present(bytes) => Ok(bytes >= least),
                Observed::Absent => Ok(false),
                Observed::Unknown(why) => {
                    let why = format!("how much the worktree of {} takes is not known: {why}", row.id);
                    Err(AppError::new(why).hint("mend its permissions, or clean it by its id"))
                }
            },
            _ => Ok(is_meant),
        }
    }
}

/// What cleaning one ticket would take away.
#[derive(Clone, Debug)]
pub struct Cleaning {
    /// The ticket.
    pub row: Row,
    /// What its branch was compared with.
    pub target: String,
    /// Worktree and branch.
    pub removal: Removal,
    /// Sessions of it that are still open.
    pub sessions: Vec<SessionTag>,
    /// True if work that nothing else holds may be kept in a rescue reference.
    pub rescue: bool,
}

/// Looks what there is to be taken away of `row`. `all`: the whole queue; `rescue`: what only its worktree or branch
/// holds may be kept in a rescue reference. Nothing is changed.
///
/// # Errors
/// Something would be lost: the ticket is not finished, another one stands on it, a person is attached, its branch has
/// commits that its target does not hold, its tree has changes; or it could not be looked at.
pub async fn plan(app: &App, all: &[Row], row: &Row, rescue: bool) -> Result<Cleaning, AppError> {
    let id = &row.id;
    if !row.status.is_over() {
        let hint = match row.status {
            Status::NeedsReview => format!("autodo review {id}, then autodo approve {id} or autodo cancel {id}"),
            _ => format!("wait for it, or give it up: autodo cancel {id}"),
        };
        return Err(AppError::new(format!("cannot clean {id}: it is {}", row.status.word())).hint(hint));
    }
    if let Some(next) = all.iter().find(|other| other.after.contains(id) && !other.status.is_over()) {
        let why = format!("cannot clean {id}: {} comes after it and is {}", next.id, next.status.word());
        return Err(AppError::new(why).hint(format!("clean it once {0} is through, or: autodo cancel {0}", next.id)));
    }
    let sessions = sessions(app, row).await?;
    let target = row.target.clone().unwrap_or_else(|| "HEAD".to_owned());
    let removal = app.git.removal(&row.repo, &row.worktree, id, &target, rescue).await.map_err(|e| refused(row, &e))?;
    Ok(Cleaning { row: row.clone(), target, removal, sessions, rescue })
}

fn refused(row: &Row, error: &GitError) -> AppError {
    let (id, branch, tree) = (&row.id, row.id.branch(), row.worktree.display());
    AppError::new(error.to_string()).hint(format!(
        "autodo diff {id} and git -C {tree} status show the work; git merge {branch} keeps commits, autodo clean \
             --rescue {id} keeps all of it in a reference of its own"
    ))
}

/// The open sessions of a ticket, of whichever launch.
async fn sessions(app: &App, row: &Row) -> Result<Vec<SessionTag>, AppError> {
    let id = &row.id;
    let panes = match app.world.terminal.panes().await {
        Observed::Present(panes) => panes,
        Observed::Absent => return Ok(vec![]),
        Observed::Unknown(why) => {
            let why = format!("cannot clean {id}: whether somebody looks at it is not known: {why}");
            return Err(AppError::new(why).hint("autodo doctor looks at tmux"));
        }
    };
    let mut tags: Vec<SessionTag> = Vec::new();
    for pane in panes.iter() {
        let Some(tag) = pane.tag.clone().filter(|tag| tag.ticket == *id) else { continue };
        if pane.attached {
            return Err(AppError::new(format!("cannot clean {id}: somebody is attached to its session"))
                .hint("leave the session first: F12"));
        }
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

/// Takes it away: what still runs, sessions, worktree, branch; then the row goes to the archive. What is done can be
/// done again.
///
/// # Errors
/// Something could not be taken away, or would be lost after all: what comes after it was not done.
pub async fn act(app: &App, cleaning: &Cleaning) -> Result<Removed, AppError> {
    let row = &cleaning.row;
    let id = &row.id;
    for number in 1..=row.run {
        let run = RunId { ticket: id.clone(), number };
        app.world.launches.end_all(run, GRACE_MS).await.map_err(|e| {
            AppError::new(format!("cannot clean {id}: what it started lives on: {e}")).hint("end that process first")
        })?;
    }
    for tag in &cleaning.sessions {
        app.world.terminal.close(tag.clone()).await.map_err(|e| {
            AppError::new(format!("cannot clean {id}: its session was not closed: {e}"))
                .hint("autodo doctor looks at tmux")
        })?;
    }
    let removed = app
        .git
        .remove_worktree(&row.repo, &row.worktree, id, &cleaning.target, cleaning.rescue)
        .await
        .map_err(|e| refused(row, &e))?;
    let met = hold::meet(app, vec![ApiRequest::Archive { ticket: id.clone(), by: app.user() }]).await?;
    for reply in met.replies {
        if let ApiReply::Refused { why, hint } | ApiReply::Failed { why, hint } = reply {
            return Err(AppError::new(why).hint(hint));
        }
    }
    Ok(removed)
}
