//! Takes away half-made worktrees, in which nobody can have worked, and what git remembers of folders that are gone.

use std::path::Path;

use super::{
    Git,
    command::{Call, GitError},
    list::{Entry, own_dir},
};
use crate::{domain::id::TicketId, ports::worktrees::WorktreeSpec};

impl Git {
    /// Removes a half-made worktree; false, and everything as it was: it holds commits or files that may be somebody's.
    ///
    /// A checkout that never got as far as its index holds nothing but what git wrote. One that did is removed only if
    /// git calls it clean (files that autodo placed itself aside) and its branch has no commit after its base.
    pub(crate) async fn unmake(&self, spec: &WorktreeSpec, entry: &Entry) -> Result<bool, GitError> {
        let index = own_dir(&spec.path)?.join("index");
        if index.exists() {
            let tip = self.tip_of(&spec.repo, &spec.ticket).await?;
            let base = match &spec.base_commit {
                Some(told) => Some(told.clone()),
                None => self.kept_base(&spec.repo, &spec.ticket).await?,
            };
            if tip.is_none() || tip != base || !self.status(&spec.path).await?.dirty.is_empty() {
                return Ok(false);
            }
            // First, so that an interrupted removal is not taken for a finished checkout in which files were deleted.
            std::fs::remove_file(&index).map_err(|e| GitError::file("remove", &index, &e))?;
        }
        let path = spec.path.clone();
        let removed = tokio::task::spawn_blocking(move || remove_folder(&path)).await;
        let removed = removed.map_err(std::io::Error::other).and_then(|r| r);
        removed.map_err(|e| GitError::file("remove the half-made worktree", &spec.path, &e))?;
        self.unregister(&spec.repo, entry).await?;
        Ok(true)
    }

    /// Makes git forget a worktree whose folder is gone; commits that only it held get a reference of their own.
    pub(crate) async fn forget(
        &self,
        spec: &WorktreeSpec,
        entry: &Entry,
        notes: &mut Vec<String>,
    ) -> Result<(), GitError> {
        if let (None, Some(head)) = (&entry.branch, &entry.head)
            && self.resolve(&spec.repo, head).await?.is_some()
        {
            let held = match self.tip_of(&spec.repo, &spec.ticket).await? {
                Some(tip) => self.is_ancestor(&spec.repo, head, &tip).await?,
                None => false,
            };
            if !held {
                let name = rescue_ref(&spec.ticket, head);
                self.program.ok(&Call::new(&spec.repo).args(["update-ref", &name, head])).await?;
                notes.push(format!("the lost worktree was on no branch: its last commit is kept as {name}"));
            }
        }
        self.unregister(&spec.repo, entry).await?;
        notes.push(format!("the folder {} was gone: it is made again", spec.path.display()));
        Ok(())
    }

    /// Makes git forget one worktree whose folder is gone. `git worktree prune` would take others along.
    async fn unregister(&self, repo: &Path, entry: &Entry) -> Result<(), GitError> {
        if entry.locked.is_some() {
            self.program.ok(&Call::new(repo).args(["worktree", "unlock"]).args([&entry.path])).await?;
        }
        self.program.ok(&Call::new(repo).args(["worktree", "remove"]).args([&entry.path])).await.map(drop)
    }
}

/// Where a commit is kept that no branch holds.
fn rescue_ref(ticket: &TicketId, commit: &str) -> String {
    format!("refs/autodo/rescue/{ticket}/{}", commit.get(..12).unwrap_or(commit))
}

/// Empties a worktree's folder, `.git` last, so that an interruption leaves something that is still known; then
/// removes it. Links are removed, never followed.
fn remove_folder(path: &Path) -> std::io::Result<()> {
    for child in std::fs::read_dir(path)? {
        let child = child?;
        if child.file_name() == ".git" {
            continue;
        }
        if child.file_type()?.is_dir() {
            std::fs::remove_dir_all(child.path())?;
        } else {
            std::fs::remove_file(child.path())?;
        }
    }
    let git = path.join(".git");
    if git.exists() {
        std::fs::remove_file(git)?;
    }
    std::fs::remove_dir(path)
}
