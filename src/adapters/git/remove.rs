//! Removes what a ticket no longer needs, and only what cannot be missed: `autodo clean`, and locks of the dead.

use std::path::{Path, PathBuf};

use super::{
    Git,
    command::{Call, GitError},
    list::{own_dir, real},
    prepare::base_ref,
};
use crate::domain::id::TicketId;

/// What a removal would take away: all of it can be missed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// The worktree, as git knows it.
    pub worktree: Option<PathBuf>,
    /// The tip of the branch.
    pub branch_tip: Option<String>,
    /// What there is not to be taken away.
    pub left: Vec<String>,
}

/// What a removal took away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// True if the folder and what git knew of it are gone now.
    pub worktree: bool,
    /// The tip of the branch that is gone; `git branch <name> <tip>` brings it back.
    pub branch_tip: Option<String>,
    /// Why something was left.
    pub left: Vec<String>,
}

impl Git {
    /// What removing the ticket's worktree at `path` and its branch would take away, if all of it is contained in
    /// `target`. Nothing is changed.
    ///
    /// # Errors
    /// [`GitError::Refused`] where it would lose something: commits that `target` does not hold, changes that are not
    /// committed, a locked worktree, a worktree that is not this ticket's.
    pub async fn removal(
        &self,
        repo: &Path,
        path: &Path,
        ticket: &TicketId,
        target: &str,
    ) -> Result<Removal, GitError> {
        let refused = |why: String| Err(GitError::Refused(format!("cannot clean {ticket}: {why}")));
        let branch = ticket.branch();
        let tip = self.tip_of(repo, ticket).await?;
        if let Some(tip) = &tip {
            let Some(target_tip) = self.resolve(repo, target).await? else {
                return refused(format!("its target {target} names no commit"));
            };
            if !self.is_ancestor(repo, tip, &target_tip).await? {
                return refused(format!("the branch {branch} has commits that {target} does not hold"));
            }
        }
        let mut removal = Removal { branch_tip: tip, ..Removal::default() };
        let entries = self.worktrees(repo).await?;
        let (place, shown) = (real(path), path.display());
        // The first is the main checkout, which is nobody's ticket.
        match entries.iter().skip(1).find(|e| e.path == place) {
            None if std::fs::symlink_metadata(path).is_ok() => {
                return refused(format!("the folder {shown} is no worktree of this repository"));
            }
            None => removal.left.push(format!("there is no worktree at {shown}")),
            Some(entry) if entry.branch.as_deref() != Some(&branch) => {
                return refused(format!("the worktree {shown} is on {}, not on {branch}", entry.on()));
            }
            Some(entry) if entry.locked.is_some() => {
                let reason = entry.locked.as_deref().unwrap_or_default();
                return refused(format!("the worktree {shown} is locked ({reason})"));
            }
            Some(entry) => {
                if place.exists() {
                    let dirty = self.status(&place).await?.dirty;
                    if !dirty.is_empty() {
                        return refused(format!("{shown} holds changes that are not committed: {}", dirty.join(", ")));
                    }
                }
                removal.worktree = Some(entry.path.clone());
            }
        }
        Ok(removal)
    }

    /// Removes the ticket's worktree at `path` and its branch, if all of it is contained in `target`.
    ///
    /// # Errors
    /// As [`Self::removal`]; nothing has changed where that refuses.
    pub async fn remove_worktree(
        &self,
        repo: &Path,
        path: &Path,
        ticket: &TicketId,
        target: &str,
    ) -> Result<Removed, GitError> {
        let branch = ticket.branch();
        let removal = self.removal(repo, path, ticket, target).await?;
        let mut removed = Removed { left: removal.left, ..Removed::default() };
        if let Some(worktree) = &removal.worktree {
            let call = Call::new(repo).args(["worktree", "remove"]).args([worktree]).checks_out();
            self.program.ok(&call).await?;
            removed.worktree = true;
        }
        let Some(tip) = removal.branch_tip else { return Ok(removed) };
        match self.program.ok(&Call::new(repo).args(["branch", "-d", &branch])).await {
            Ok(_) => {
                removed.branch_tip = Some(tip);
                self.program.ok(&Call::new(repo).args(["update-ref", "-d", &base_ref(ticket)])).await?;
            }
            // `-d` compares with what the checkout stands on, which need not be the target.
            Err(why) => removed.left.push(format!("the branch {branch} was left: {why}")),
        }
        Ok(removed)
    }
}

/// Removes the lock files that a dead git left in a linked worktree: of its index, its HEAD and its ticket's branch.
/// Says which.
pub(crate) fn clear_locks(worktree: &Path) -> Option<String> {
    let own = own_dir(worktree).ok()?;
    let mut locks = vec![own.join("index.lock"), own.join("HEAD.lock")];
    let head = std::fs::read_to_string(own.join("HEAD")).unwrap_or_default();
    if let Some(branch) = head.trim().strip_prefix("ref: ").filter(|b| b.starts_with("refs/heads/autodo/"))
        && let Some(common) = own.parent().and_then(Path::parent)
    {
        locks.push(common.join(format!("{branch}.lock")));
    }
    let removed: Vec<String> =
        locks.iter().filter(|lock| std::fs::remove_file(lock).is_ok()).map(|lock| lock.display().to_string()).collect();
    (!removed.is_empty()).then(|| format!("removed {}, left by a git that is gone", removed.join(", ")))
}
