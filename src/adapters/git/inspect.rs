//! Looks at the work in a worktree, without any lock: not even the index is refreshed on disk.

use std::path::{Path, PathBuf};

use super::{
    Git,
    command::{Call, GitError},
    place,
    prepare::{RUN_FOLDER, base_ref},
};
use crate::{
    domain::{
        id::TicketId,
        review::FileChange,
        risk::{RiskOrigin, RiskSource, Tier},
        risk_rules,
    },
    ports::worktrees::Inspection,
};

/// Dirty paths that are named; a forgotten build folder has a hundred thousand.
const DIRTY_MAX: usize = 200;

/// What `git status` shows of a worktree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// `None`: there is no commit yet.
    pub(crate) head: Option<String>,
    /// `None`: detached.
    pub(crate) branch: Option<String>,
    /// Changed and untracked paths, without ignored ones and without what autodo put there. At most 200, and then one
    /// entry that counts the rest.
    pub(crate) dirty: Vec<String>,
    /// Submodules in whose trees something is changed or untracked.
    pub(crate) submodules: Vec<String>,
}

impl Git {
    /// Reads the state of a worktree by git's own program: only that one knows the project's filters (LFS, line ends),
    /// without which clean files look changed.
    pub(crate) async fn status(&self, worktree: &Path) -> Result<Status, GitError> {
        self.status_with(worktree, &[]).await
    }

    /// As [`Self::status`], with more options.
    pub(crate) async fn status_with(&self, worktree: &Path, options: &[&str]) -> Result<Status, GitError> {
        let call = Call::new(worktree)
            .args(self.lfs_options(worktree).await)
            // An agent that sets a file system monitor must not decide what counts as changed.
            .args(["-c", "core.fsmonitor=false", "--no-optional-locks", "status", "--porcelain=v2", "--branch", "-z"])
            .args(["--untracked-files=all", "--ignored=no", "--no-renames"])
            .args(options);
        let output = self.program.ok(&call).await?;
        let mut status = parse_status(&String::from_utf8_lossy(&output.stdout));
        let placed = place::placed(worktree);
        let own = format!("{RUN_FOLDER}/");
        status.dirty.retain(|path| !path.starts_with(&own) && !placed.contains(path));
        let more = status.dirty.len().saturating_sub(DIRTY_MAX);
        if more > 0 {
            status.dirty.truncate(DIRTY_MAX);
            status.dirty.push(format!("and {more} more"));
        }
        Ok(status)
    }

    /// Looks at the work; see [`crate::ports::worktrees::Worktrees::inspect`].
    pub(crate) async fn look_at_work(
        &self,
        repo: PathBuf,
        worktree: PathBuf,
        ticket: TicketId,
        base: String,
    ) -> Result<Inspection, GitError> {
        if !worktree.is_dir() {
            let why = format!("the worktree {} is not there: was it removed?", worktree.display());
            return Err(GitError::Refused(why));
        }
        let status = self.status(&worktree).await?;
        let branch = ticket.branch();
        let off_branch = match status.branch {
            Some(on) if on == branch => None,
            Some(on) => Some(on),
            None => Some("no branch".to_owned()),
        };
        let found = {
            let (branch, head) = (format!("refs/heads/{branch}"), status.head.clone());
            let names = [base, base_ref(&ticket)];
            self.read(&repo, move |r| {
                let Some(tip) = r.resolve(&branch)? else { return Ok(None) };
                let mut known = None;
                for name in &names {
                    known = known.or(r.resolve(name)?);
                }
                // The base is gone from the repository: what the work shares with the user's checkout is the best guess.
                let is_guess = known.is_none();
                let base = match known {
                    Some(base) => base,
                    None => {
                        let checkout = r.head()?.commit.or(head.clone()).unwrap_or_else(|| tip.clone());
                        r.merge_base(&checkout, &tip)?.unwrap_or_else(|| tip.clone())
                    }
                };
                let shared = r.merge_base(&base, &tip)?;
                let is_rewritten = is_guess || shared.as_ref() != Some(&base);
                let from = shared.unwrap_or_else(|| base.clone());
                Ok(Some((r.count(&base, &tip)?, r.diff(&from, &tip)?, is_rewritten, tip, base)))
            })
            .await?
        };
        let mut seen = Inspection::default();
        let high = |why| RiskSource { source: RiskOrigin::Diff, tier: Tier::High, why };
        match found {
            Some((commits, entries, is_rewritten, tip, base)) => {
                if is_rewritten {
                    let why = format!("history rewritten: {branch} no longer grows from {base}, on which it started");
                    seen.work.risks.push(high(why));
                }
                seen.work.risks.extend(risk_rules::risks(&entries));
                seen.files = entries.iter().map(|e| FileChange { path: e.path.clone(), note: e.note() }).collect();
                seen.work.commits = commits;
                seen.work.head = tip;
            }
            None => {
                seen.work.risks.push(high(format!("the branch {branch} is gone")));
                seen.work.head = status.head.unwrap_or_default();
            }
        }
        let uncommitted = |p: &String| FileChange { path: p.clone(), note: "not committed".to_owned() };
        seen.files.extend(status.dirty.iter().map(uncommitted));
        seen.work.dirty = status.dirty;
        seen.work.off_branch = off_branch;
        Ok(seen)
    }
}

/// Reads `git status --porcelain=v2 --branch -z`.
fn parse_status(text: &str) -> Status {
    let mut status = Status::default();
    let mut fields = text.split_terminator('\0');
    while let Some(field) = fields.next() {
        let mut parts = field.splitn(2, ' ');
        let (kind, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        // The path is the last of a fixed number of words, and may hold blanks.
        let path = |words: usize| rest.splitn(words, ' ').nth(words - 1).unwrap_or(rest).to_owned();
        match kind {
            "#" => {
                if let Some(id) = rest.strip_prefix("branch.oid ").filter(|id| *id != "(initial)") {
                    status.head = Some(id.to_owned());
                } else if let Some(name) = rest.strip_prefix("branch.head ").filter(|n| *n != "(detached)") {
                    status.branch = Some(name.to_owned());
                }
            }
            "1" => {
                // `S<c><m><u>`: another commit, changed files, untracked files.
                if rest.split(' ').nth(1).is_some_and(|sub| sub.starts_with('S') && sub.contains(['M', 'U'])) {
                    status.submodules.push(path(8));
                }
                status.dirty.push(path(8));
            }
            "2" => {
                status.dirty.push(path(9));
                fields.next();
            }
            "u" => status.dirty.push(path(10)),
            "?" => status.dirty.push(rest.to_owned()),
            _ => {}
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_with_blanks_in_paths() {
        let text = [
            "# branch.oid abc",
            "# branch.head main",
            "# branch.ab +1 -0",
            "1 .M N... 100644 100644 100644 aa bb a b.txt",
            "2 R. N... 100644 100644 100644 aa bb R100 new name",
            "old name",
            "u UU N... 1 2 3 4 a b c in both",
            "? un tracked",
        ]
        .join("\0");
        let status = parse_status(&text);
        assert_eq!(status.head.as_deref(), Some("abc"));
        assert_eq!(status.branch.as_deref(), Some("main"));
        assert_eq!(status.dirty, ["a b.txt", "new name", "in both", "un tracked"]);
        let unborn = parse_status("# branch.oid (initial)\0# branch.head (detached)\0");
        assert_eq!(unborn, Status::default());
    }
}
