//! Where a ticket's work starts: the base, or what its dependencies have done; and moving work there later.

use std::path::Path;

use super::{
    Git,
    command::{Call, GitError, failed},
    leftovers::PREPARING,
    list::own_dir,
    prepare::{error, passing},
};
use crate::{
    domain::{event::WorktreeTrouble, id::TicketId, row::Stacked},
    ports::worktrees::{WorktreeError, WorktreeSpec},
};

/// File in the worktree's own git folder while its work is being moved: the tip before, and the new base.
const MOVING: &str = "autodo-moving";

/// A commit to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Start {
    pub(crate) commit: String,
    pub(crate) stacked_on: Vec<Stacked>,
    pub(crate) notes: Vec<String>,
}

impl Git {
    /// The commit on which the ticket's work is to start now: its base, the tip of its dependency, or a merge of the
    /// tips. The merge is the same commit each time while the tips stay.
    pub(crate) async fn start(&self, spec: &WorktreeSpec) -> Result<Start, WorktreeError> {
        let base = self.resolve(&spec.repo, &spec.base).await.map_err(passing)?;
        let mut start = Start { commit: String::new(), stacked_on: Vec::new(), notes: Vec::new() };
        let mut apart: Vec<Stacked> = Vec::new();
        for id in &spec.on {
            let Some(commit) = self.tip_of(&spec.repo, id).await.map_err(passing)? else {
                start
                    .notes
                    .push(format!("the branch {} of a dependency is gone: its work is not waited for", id.branch()));
                continue;
            };
            let tip = Stacked { id: id.clone(), commit };
            let is_in_base = match &base {
                Some(base) => self.is_ancestor(&spec.repo, &tip.commit, base).await.map_err(passing)?,
                None => false,
            };
            if !is_in_base {
                apart.push(tip.clone());
            }
            start.stacked_on.push(tip);
        }
        start.commit = match (apart.split_first(), base) {
            (None, Some(base)) => base,
            (None, None) => return Err(self.no_base(spec).await),
            (Some((first, rest)), _) => self.merged(spec, first, rest).await?,
        };
        Ok(start)
    }

    async fn no_base(&self, spec: &WorktreeSpec) -> WorktreeError {
        let repo = spec.repo.display();
        let unborn = self.read(&spec.repo, |r| Ok(r.head()?.commit.is_none())).await.unwrap_or(false);
        let why = if unborn {
            format!("the repository {repo} has no commit yet, so that no branch can start: make a first commit")
        } else {
            format!(
                "the base {:?} names no commit in {repo}: set `base` to a branch or commit that is there",
                spec.base
            )
        };
        error(WorktreeTrouble::Setup, why)
    }

    async fn merged(&self, spec: &WorktreeSpec, first: &Stacked, rest: &[Stacked]) -> Result<String, WorktreeError> {
        let mut all = first.commit.clone();
        let mut names = first.id.branch();
        for tip in rest {
            let is_in = |a: &str, b: &str| {
                let (a, b) = (a.to_owned(), b.to_owned());
                self.read(&spec.repo, move |r| r.is_ancestor(&a, &b))
            };
            if is_in(&tip.commit, &all).await.map_err(passing)? {
                continue;
            }
            if is_in(&all, &tip.commit).await.map_err(passing)? {
                all.clone_from(&tip.commit);
            } else {
                all = self.merge(spec, &all, tip, &names).await?;
            }
            names = format!("{names}, {}", tip.id.branch());
        }
        Ok(all)
    }

    /// Merges two commits without any worktree: nothing is half done when it is interrupted.
    async fn merge(
        &self,
        spec: &WorktreeSpec,
        ours: &str,
        tip: &Stacked,
        names: &str,
    ) -> Result<String, WorktreeError> {
        let call = Call::new(&spec.repo).args([
            "merge-tree",
            "--write-tree",
            "-z",
            "--name-only",
            "--no-messages",
            ours,
            &tip.commit,
        ]);
        let output = self.program.run(&call).await.map_err(passing)?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut fields = text.split_terminator('\0');
        let tree = fields.next().unwrap_or_default().trim().to_owned();
        match output.status.code() {
            Some(0) => {}
            Some(1) => {
                let files = fields.filter(|f| !f.is_empty()).collect::<Vec<_>>().join(", ");
                let with = tip.id.branch();
                return Err(error(
                    WorktreeTrouble::Conflict,
                    format!(
                        "{} needs the work of {names} and of {with} together, and these conflict in {files}: merge \
                         one into the other by hand, then retry",
                        spec.ticket
                    ),
                ));
            }
            Some(129) => {
                let why = "merging several dependencies needs git 2.38 or newer: upgrade git".to_owned();
                return Err(error(WorktreeTrouble::Setup, why));
            }
            _ => return Err(passing(failed(&call, &output))),
        }
        // With the date of the younger parent the same tips give the same commit, however often this is done.
        let dates = self
            .program
            .ok(&Call::new(&spec.repo).args(["show", "-s", "--format=%ct", ours, &tip.commit, "--"]))
            .await
            .map_err(passing)?
            .text();
        let date = dates.lines().filter_map(|l| l.trim().parse::<u64>().ok()).max().unwrap_or(0);
        let message = format!("Merge {} into {names} for {}", tip.id.branch(), spec.ticket);
        let identity = self.own_identity(&spec.repo).await.map_err(passing)?;
        let call = Call::new(&spec.repo)
            .args(identity)
            .args(["commit-tree", &tree, "-p", ours, "-p", &tip.commit, "-m", &message])
            .env("GIT_AUTHOR_DATE", format!("@{date} +0000"))
            .env("GIT_COMMITTER_DATE", format!("@{date} +0000"));
        Ok(self.program.ok(&call).await.map_err(passing)?.text())
    }

    /// Moves the work of an adopted worktree, which began at `base`, onto the commit `new`. Where it cannot, everything
    /// is as before.
    pub(crate) async fn rebase(&self, spec: &WorktreeSpec, base: &str, new: &str) -> Result<(), WorktreeError> {
        let (branch, path) = (spec.ticket.branch(), spec.path.as_path());
        let marker = own_dir(path).map_err(passing)?.join(MOVING);
        let old = self.stands_on(spec, &marker).await.map_err(passing)?.unwrap_or_else(|| base.to_owned());
        if old == new {
            return Ok(());
        }
        let cannot = |why: &str| {
            error(
                WorktreeTrouble::Conflict,
                format!("cannot move the work of {} onto its new base: {why}", spec.ticket),
            )
        };
        let seen = self.status(path).await.map_err(passing)?;
        if seen.branch.as_deref() != Some(&branch) {
            return Err(cannot(&format!("its worktree {} is not on the branch {branch}", path.display())));
        }
        if !seen.dirty.is_empty() {
            return Err(cannot(&format!("its worktree {} holds changes that are not committed", path.display())));
        }
        let Some(tip) = self.tip_of(&spec.repo, &spec.ticket).await.map_err(passing)? else {
            return Err(cannot(&format!("the branch {branch} is gone")));
        };
        let (from, to) = (old.clone(), tip.clone());
        let Some(upstream) = self.read(&spec.repo, move |r| r.merge_base(&from, &to)).await.map_err(passing)? else {
            return Err(cannot(&format!("it shares no history with the commit {old} it started from")));
        };
        std::fs::write(&marker, format!("{tip}\n{new}\n"))
            .map_err(|e| passing(GitError::file("write", &marker, &e)))?;
        crate::adapters::crash::point("git.rebasing");
        let moved = self.run_rebase(spec, &upstream, new).await;
        if let Ok(()) = moved {
            self.keep_base(spec, new).await.map_err(passing)?;
        }
        std::fs::remove_file(&marker).map_err(|e| passing(GitError::file("remove", &marker, &e)))?;
        match moved {
            Ok(()) => Ok(()),
            Err(Stopped::Conflict(files)) => Err(cannot(&format!("it conflicts in {}", files.join(", ")))),
            Err(Stopped::Other(why)) => Err(passing(why)),
        }
    }

    /// Ends a move that a killed supervisor left, and returns the commit that the work stands on as far as autodo kept
    /// it: that may be a newer one than anybody was told.
    async fn stands_on(&self, spec: &WorktreeSpec, marker: &Path) -> Result<Option<String>, GitError> {
        if let Ok(text) = std::fs::read_to_string(marker) {
            super::leftovers::end(&spec.path).await;
            if own_dir(&spec.path)?.join("rebase-merge").exists() {
                // The tree was clean when it began, so that nothing but its own half-done steps is dropped.
                self.program.ok(&Call::new(&spec.path).args(["rebase", "--abort"]).checks_out()).await?;
            }
            let mut lines = text.lines();
            let (before, onto) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
            let tip = self.tip_of(&spec.repo, &spec.ticket).await?;
            if tip.is_some_and(|tip| tip != before) {
                self.keep_base(spec, onto).await?;
            }
            std::fs::remove_file(marker).map_err(|e| GitError::file("remove", marker, &e))?;
        }
        let kept = self.kept_base(&spec.repo, &spec.ticket).await?;
        let tip = self.tip_of(&spec.repo, &spec.ticket).await?;
        match (kept, tip) {
            (Some(kept), Some(tip)) if self.is_ancestor(&spec.repo, &kept, &tip).await? => Ok(Some(kept)),
            _ => Ok(None),
        }
    }

    async fn run_rebase(&self, spec: &WorktreeSpec, upstream: &str, new: &str) -> Result<(), Stopped> {
        let identity = self.own_identity(&spec.path).await.map_err(Stopped::Other)?;
        let call = Call::new(&spec.path)
            .args(identity)
            .args(["-c", "commit.gpgsign=false", "-c", "rebase.autoStash=false", "-c", "rebase.updateRefs=false"])
            .args(["rebase", "--no-verify", "--rebase-merges", "--onto", new, upstream])
            .env(PREPARING, &spec.path)
            .checks_out();
        let why = match self.program.ok(&call).await {
            Ok(_) => return Ok(()),
            Err(why) => why,
        };
        let list = Call::new(&spec.path).args(["diff", "--name-only", "--diff-filter=U", "-z"]);
        let files = self.program.ok(&list).await.map_err(Stopped::Other)?;
        let files =
            String::from_utf8_lossy(&files.stdout).split_terminator('\0').map(str::to_owned).collect::<Vec<_>>();
        let stopped = own_dir(&spec.path).is_ok_and(|d| d.join("rebase-merge").exists());
        if stopped {
            let abort = Call::new(&spec.path).args(["rebase", "--abort"]).checks_out();
            self.program.ok(&abort).await.map_err(Stopped::Other)?;
        }
        if files.is_empty() { Err(Stopped::Other(why)) } else { Err(Stopped::Conflict(files)) }
    }

    /// Which tips of the dependencies the commit `base` holds. A dependency that has moved since is named with the
    /// commit of it that `base` still shares.
    pub(crate) async fn held(&self, spec: &WorktreeSpec, base: &str) -> Result<Vec<Stacked>, GitError> {
        let mut held = Vec::new();
        for id in &spec.on {
            let Some(tip) = self.tip_of(&spec.repo, id).await? else { continue };
            let base = base.to_owned();
            if let Some(commit) = self.read(&spec.repo, move |r| r.merge_base(&tip, &base)).await? {
                held.push(Stacked { id: id.clone(), commit });
            }
        }
        Ok(held)
    }

    /// The tip of a ticket's branch.
    pub(crate) async fn tip_of(&self, repo: &Path, ticket: &TicketId) -> Result<Option<String>, GitError> {
        self.resolve(repo, &format!("refs/heads/{}", ticket.branch())).await
    }

    /// True if `ancestor` is `commit` or can be reached from it.
    pub(crate) async fn is_ancestor(&self, repo: &Path, ancestor: &str, commit: &str) -> Result<bool, GitError> {
        let (ancestor, commit) = (ancestor.to_owned(), commit.to_owned());
        self.read(repo, move |r| r.is_ancestor(&ancestor, &commit)).await
    }
}

/// Why a rebase did not come to its end.
enum Stopped {
    Conflict(Vec<String>),
    Other(GitError),
}
