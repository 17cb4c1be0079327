//! `clean --logs` and `clean --builds`: gives disk space back without touching the work of a finished ticket. What tells
//! of the ticket stays: `ticket.md`, `review.md`, `events.jsonl`, prompts, reports, and how each launch and check ended.

use std::path::{Path, PathBuf};

use super::{error::AppError, open::App};
use crate::{
    adapters::fs,
    domain::{
        id::RunId,
        observed::Observed,
        row::{Row, Status},
    },
};

/// What is to be taken away of finished tickets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Logs: screens, output of checks and of the set-up, reports that were not believed.
    pub logs: bool,
    /// Build folders in worktrees.
    pub builds: bool,
}

/// One folder or file that can be taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it is.
    pub path: PathBuf,
    /// Bytes that it takes on its disk.
    pub bytes: u64,
    /// True: a build folder; false: a log.
    pub is_build: bool,
}

/// What can be taken away of one ticket.
#[derive(Clone, Debug)]
pub struct Trim {
    /// The ticket.
    pub row: Row,
    /// The pieces, the largest first.
    pub pieces: Vec<Piece>,
    /// What is left, and why.
    pub left: Vec<String>,
}

impl Trim {
    /// Bytes that all of it takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.bytes).sum()
    }
}

/// Looks what there is to be taken away of a finished ticket. Nothing is changed. `is_archived`: it has left the queue.
///
/// # Errors
/// The ticket is not finished, or it could not be looked at.
pub async fn plan(app: &App, row: &Row, is_archived: bool, wanted: Wanted) -> Result<Trim, AppError> {
    let id = &row.id;
    if !row.status.is_over() {
        let why = format!("cannot clear {id}: it is {}", row.status.word());
        return Err(AppError::new(why).hint(format!("wait for it, or give it up: autodo cancel {id}")));
    }
    let mut trim = Trim { row: row.clone(), pieces: vec![], left: vec![] };
    if wanted.logs {
        let last = app.home.ticket(id).join("runs").join(row.run.to_string());
        let is_needed = matches!(row.status, Status::Failed { .. }) && !is_archived;
        for path in logs(app, row, is_archived)? {
            if is_needed && path.starts_with(&last) {
                trim.left.push(format!("{}: it may say why the ticket failed", path.display()));
            } else {
                add(&mut trim, path, false)?;
            }
        }
    }
    if wanted.builds && !is_archived {
        let builds = app.git.builds(&row.worktree).await.map_err(|e| {
            AppError::new(format!("cannot look for build folders of {id}: {e}"))
                .hint(format!("git -C {} status shows what is the matter", row.worktree.display()))
        })?;
        for folder in builds.folders {
            add(&mut trim, folder, true)?;
        }
        trim.left.extend(builds.left.into_iter().map(|(folder, why)| format!("{}: {why}", folder.display())));
    }
    trim.pieces.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    Ok(trim)
}

fn add(trim: &mut Trim, path: PathBuf, is_build: bool) -> Result<(), AppError> {
    match fs::disk_usage(&path) {
        Observed::Present(bytes) => trim.pieces.push(Piece { path, bytes, is_build }),
        Observed::Absent => {}
        Observed::Unknown(why) => return Err(unknown(&trim.row, &why)),
    }
    Ok(())
}

fn unknown(row: &Row, why: &str) -> AppError {
    AppError::new(format!("how much {} takes is not known: {why}", row.id)).hint("mend its permissions")
}

/// The logs of a ticket: see [`Wanted::logs`]. An archived ticket never goes on with its conversation, so what its agent
/// kept for that counts as well; so does that of an earlier life.
fn logs(app: &App, row: &Row, is_archived: bool) -> Result<Vec<PathBuf>, AppError> {
    let mut found = Vec::new();
    let folders = |folder: &Path| match fs::list_dir(folder) {
        Observed::Present(names) => {
            Ok(names.into_iter().filter(|name| name.kind == fs::Kind::Folder).map(|name| name.path).collect::<Vec<_>>())
        }
        Observed::Absent => Ok(vec![]),
        Observed::Unknown(why) => Err(unknown(row, &why)),
    };
    for number in 1..=row.run {
        let run = RunId { ticket: row.id.clone(), number };
        let folder = app.home.run_dir(&run);
        found.extend([folder.join("screens"), folder.join("setup.log"), app.home.rejected(&run)]);
        for round in folders(&folder.join("checks"))? {
            // How it ended stays.
            found.extend(folders(&round)?.into_iter().map(|check| check.join("log")));
        }
    }
    let state = app.home.ticket(&row.id).join("state");
    let now = app.home.state_dir(&row.id, row.epoch);
    found.extend(folders(&state)?.into_iter().filter(|folder| is_archived || *folder != now));
    found.retain(|path| !matches!(fs::look_kind(path), Observed::Absent));
    Ok(found)
}

/// Takes it away.
///
/// # Errors
/// The ticket is at work again, or something could not be removed; the rest may be gone.
pub async fn act(trim: &Trim, now: Option<&Row>) -> Result<(), AppError> {
    let id = &trim.row.id;
    if now.is_some_and(|row| !row.status.is_over() || row.run != trim.row.run || row.epoch != trim.row.epoch) {
        return Err(AppError::new(format!("cannot clear {id}: it was taken up again")).hint("autodo list shows it"));
    }
    for piece in &trim.pieces {
        let (path, shown) = (piece.path.clone(), piece.path.display());
        let removed = tokio::task::spawn_blocking(move || fs::remove_all(&path)).await;
        removed.map_err(|e| e.to_string()).and_then(|r| r.map_err(|e| e.to_string())).map_err(|why| {
            AppError::new(format!("cannot clear {id}: {why}")).hint(format!("mend the permissions of {shown}"))
        })?;
    }
    Ok(())
}
