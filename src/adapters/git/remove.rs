//! Removes what a ticket no longer needs, and only what cannot be missed: `autodo clean`, and locks of the dead.

use std::path::{Path, PathBuf};

use super::{
    Git,
    command::{Call, GitError},
    list::{own_dir, real},
    prepare::base_ref,
};
use crate::domain::id::TicketId;

/// What a removal would take away: all of it can be missed, or will be kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// The worktree, as git knows it.
    pub worktree: Option<PathBuf>,
    /// True if it was never ready for an agent.
    pub is_half_made: bool,
    /// The tip of the branch.
    pub branch_tip: Option<String>,
    /// Work that only this worktree or branch holds, in words; it goes into a rescue reference first.
    pub rescue: Vec<String>,
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
    /// The reference that now holds what nothing else held.
    pub rescue: Option<String>,
    /// Why something was left.
    pub left: Vec<String>,
}

impl Git {
    /// What removing the ticket's worktree at `path` and its branch would take away, if all of it is contained in
    /// `target`, or `rescue` allows to keep the rest in a reference. Nothing is changed.
    ///
    /// # Errors
    /// [`GitError::Refused`] where it would lose something: commits that `target` does not hold and changes that are
    /// not committed, both only without `rescue`; a locked worktree, a worktree that is not this ticket's, work in a
    /// submodule.
    pub async fn removal(
        &self,
        repo: &Path,
        path: &Path,
        ticket: &TicketId,
        target: &str,
        rescue: bool,
    ) -> Result<Removal, GitError> {
        let refused = |why: String| Err(GitError::Refused(format!("cannot clean {ticket}: {why}")));
        let branch = ticket.branch();
        let tip = self.tip_of(repo, ticket).await?;
        let mut removal = Removal { branch_tip: tip, ..Removal::default() };
        if let Some(tip) = &removal.branch_tip {
            match self.resolve(repo, target).await? {
                None => removal.rescue.push(format!("its target {target} names no commit")),
                Some(target_tip) if !self.is_ancestor(repo, tip, &target_tip).await? => {
                    removal.rescue.push(format!("the branch {branch} has commits that {target} does not hold"));
                }
                Some(_) => {}
            }
        }
        let entries = self.worktrees(repo).await?;
        let (place, shown) = (real(path), path.display());
        // The first is the main checkout, which is nobody's ticket.
        match entries.iter().skip(1).find(|e| e.path == place) {
            None if std::fs::symlink_metadata(path).is_ok() => {
                return refused(format!("the folder {shown} is no worktree of this repository"));
            }
            None => removal.left.push(format!("there is no worktree at {shown}")),
            // Its ticket ended while it was being made: what is in it is looked at once it is no longer half made.
            Some(entry) if self.is_own_half_made(repo, ticket, entry).await? => {
                removal.worktree = Some(entry.path.clone());
                removal.is_half_made = true;
            }
            Some(entry) if entry.branch.as_deref() != Some(&branch) => {
                return refused(format!("the worktree {shown} is on {}, not on {branch}", entry.on()));
            }
            Some(entry) if entry.locked.is_some() => {
                let reason = entry.locked.as_deref().unwrap_or_default();
                return refused(format!("the worktree {shown} is locked ({reason})"));
            }
            Some(entry) => {
                if place.exists() {
                    // Whatever the project's settings say of changes in submodules.
                    let dirty = self.status_with(&place, &["--ignore-submodules=none"]).await?.dirty;
                    if !dirty.is_empty() {
                        let what = dirty.join(", ");
                        removal.rescue.push(format!("{shown} holds changes that are not committed: {what}"));
                    }
                    let from = self.read(repo, |r| Ok(r.layout()?.root)).await?;
                    if let Some(why) = self.unheld(from.as_deref(), &place).await?.into_iter().next() {
                        return refused(format!("{why}: push them, or fetch them into your checkout's submodule"));
                    }
                }
                removal.worktree = Some(entry.path.clone());
            }
        }
        match removal.rescue.first() {
            Some(why) if !rescue => refused(why.clone()),
            _ => Ok(removal),
        }
    }

    /// Removes the ticket's worktree at `path` and its branch, if all of it is contained in `target`, or `rescue`
    /// allows to keep the rest in a reference, which is made first.
    ///
    /// # Errors
    /// As [`Self::removal`]; nothing has changed where that refuses.
    pub async fn remove_worktree(
        &self,
        repo: &Path,
        path: &Path,
        ticket: &TicketId,
        target: &str,
        rescue: bool,
    ) -> Result<Removed, GitError> {
        let branch = ticket.branch();
        let mut removal = self.removal(repo, path, ticket, target, rescue).await?;
        let was_half_made = removal.is_half_made;
        if let Some(place) = removal.worktree.take_if(|_| was_half_made) {
            self.undo_half_made(repo, &place, ticket).await?;
            removal = self.removal(repo, path, ticket, target, rescue).await?;
        }
        let is_gone = was_half_made && removal.worktree.is_none();
        let mut removed = Removed { worktree: is_gone, left: removal.left, ..Removed::default() };
        if !removal.rescue.is_empty() {
            removed.rescue = Some(self.rescue(repo, removal.worktree.as_deref(), ticket).await?);
        }
        if let Some(worktree) = &removal.worktree {
            let has_submodules =
                own_dir(worktree).is_ok_and(|d| d.join("modules").exists()) || worktree.join(".gitmodules").exists();
            let entry = self.worktrees(repo).await?.into_iter().find(|e| e.path == *worktree);
            match entry {
                Some(entry) if worktree.exists() && (has_submodules || removed.rescue.is_some()) => {
                    self.take_away(repo, &entry, worktree).await?;
                }
                _ => {
                    let call = Call::new(repo).args(["worktree", "remove"]).args([worktree]).checks_out();
                    self.program.ok(&call).await?;
                }
            }
            removed.worktree = true;
        }
        let Some(tip) = removal.branch_tip else { return Ok(removed) };
        let delete = match &removed.rescue {
            // Only if it still is what the reference holds.
            Some(_) => ["update-ref", "-d", &format!("refs/heads/{branch}"), &tip].map(str::to_owned).to_vec(),
            None => ["branch", "-d", &branch].map(str::to_owned).to_vec(),
        };
        match self.program.ok(&Call::new(repo).args(delete)).await {
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

/// The age from which the lock of one of a ticket's references is nobody's: git holds it for milliseconds.
const STALE: std::time::Duration = std::time::Duration::from_secs(10);

/// Removes the locks that a git, killed with its machine or its supervisor, left on the ticket's references below
/// `common`, the folder that all worktrees share: nothing could be kept there any more. Says which.
pub(crate) fn clear_reference_locks(common: &Path, ticket: &TicketId) -> Option<String> {
    let locks = [base_ref(ticket), format!("refs/heads/{}", ticket.branch())].map(|name| format!("{name}.lock"));
    let is_stale = |lock: &std::path::PathBuf| {
        let changed = std::fs::symlink_metadata(lock).and_then(|file| file.modified());
        changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE))
    };
    let stale = locks.iter().map(|lock| common.join(lock)).filter(is_stale);
    let removed: Vec<String> =
        stale.filter(|lock| std::fs::remove_file(lock).is_ok()).map(|lock| lock.display().to_string()).collect();
    (!removed.is_empty()).then(|| format!("removed {}, left by a git that is gone", removed.join(", ")))
}
