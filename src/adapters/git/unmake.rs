//! Takes away half-made worktrees, in which nobody can have worked, and what git remembers of folders that are gone.

use std::path::Path;

use super::{
    Git,
    command::{Call, GitError},
    leftovers,
    list::{Entry, Found, own_dir},
    owner, prepare,
};
use crate::ports::worktrees::WorktreeSpec;

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
            // In a submodule stands only what git wrote, whole or cut off: git cannot even look into the latter.
            let status = self.status_with(&spec.path, &["--ignore-submodules=all"]);
            if tip.is_none() || tip != base || !status.await?.dirty.is_empty() {
                return Ok(false);
            }
            // First, so that an interrupted removal is not taken for a finished checkout in which files were deleted.
            std::fs::remove_file(&index).map_err(|e| GitError::file("remove", &index, &e))?;
        }
        self.take_away(&spec.repo, entry, &spec.path).await?;
        Ok(true)
    }

    /// Ends an interrupted preparation for good; says what it did, if there was one. See
    /// [`crate::ports::worktrees::Worktrees::abandon`].
    pub(crate) async fn give_up(&self, spec: &WorktreeSpec) -> Result<Option<String>, GitError> {
        let (branch, known) = (spec.ticket.branch(), spec.base_commit.is_some());
        let look = || self.look(&spec.repo, &spec.path, &branch, known);
        let mut found = look().await?;
        if leftovers::end(&spec.path).await > 0 {
            found = look().await?;
        }
        let Found::HalfMade(entry) = found else { return Ok(None) };
        if self.unmake(spec, &entry).await? {
            if let Some(home) = self.home.as_deref() {
                let common = self.read(&spec.repo, |r| Ok(r.layout()?.common_dir)).await?;
                owner::forget_making(&common, &spec.ticket, home);
            }
            return Ok(Some("removed a half-made worktree, in which nobody had worked".to_owned()));
        }
        prepare::unlock(&spec.path)?;
        Ok(Some("a half-made worktree that holds something was kept".to_owned()))
    }

    /// Removes the folder of a worktree, and makes git forget it. Only for what was found to hold nothing that is not
    /// held elsewhere: git's own `worktree remove` refuses trees with submodules, and `--force` would ask nothing.
    pub(crate) async fn take_away(&self, repo: &Path, entry: &Entry, path: &Path) -> Result<(), GitError> {
        let folder = path.to_owned();
        let removed = tokio::task::spawn_blocking(move || remove_folder(&folder)).await;
        let removed = removed.map_err(std::io::Error::other).and_then(|r| r);
        removed.map_err(|e| GitError::file("remove the worktree", path, &e))?;
        self.unregister(repo, entry).await
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
                let name = self.keep_rescue(&spec.repo, &spec.ticket, head).await?;
                notes.push(format!("the lost worktree was on no branch: its last commit is kept as {name}"));
            }
        }
        self.unregister(&spec.repo, entry).await?;
        notes.push(format!("the folder {} was gone: it is made again", spec.path.display()));
        Ok(())
    }

    /// Makes git forget one worktree whose folder is gone. `git worktree prune` would take others along.
    pub(crate) async fn unregister(&self, repo: &Path, entry: &Entry) -> Result<(), GitError> {
        // Ignored: an empty one only, which may be there already where a registration was interrupted, and which git
        // does not take for a worktree that may go.
        std::fs::remove_dir(&entry.path).ok();
        if entry.locked.is_some() {
            self.program.ok(&Call::new(repo).args(["worktree", "unlock"]).args([&entry.path])).await?;
        }
        self.program.ok(&Call::new(repo).args(["worktree", "remove"]).args([&entry.path])).await.map(drop)
    }
}

/// Empties a worktree's folder, `.git` last, so that an interruption leaves something that is still known; then
/// removes it. Links are removed, never followed.
pub(crate) fn remove_folder(path: &Path) -> std::io::Result<()> {
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
