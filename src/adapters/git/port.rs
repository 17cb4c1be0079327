//! The port: [`Git`] as the supervisor sees it.

use std::path::{Path, PathBuf};

use super::{Git, list, prepare::passing, remove};
use crate::{
    domain::{id::TicketId, observed::Observed},
    ports::{
        Work,
        worktrees::{Inspection, Prepared, WarmSpec, WorktreeError, WorktreeSpec, Worktrees},
    },
};

impl Worktrees for Git {
    fn prepare(&self, spec: WorktreeSpec) -> Work<'_, Result<Prepared, WorktreeError>> {
        Box::pin(self.make_ready(spec))
    }

    fn abandon(&self, spec: WorktreeSpec) -> Work<'_, Result<Option<String>, WorktreeError>> {
        Box::pin(async move { self.give_up(&spec).await.map_err(passing) })
    }

    fn inspect(
        &self,
        repo: PathBuf,
        worktree: PathBuf,
        ticket: TicketId,
        base_commit: String,
    ) -> Work<'_, Result<Inspection, String>> {
        Box::pin(
            async move { self.look_at_work(repo, worktree, ticket, base_commit).await.map_err(|why| why.to_string()) },
        )
    }

    fn git_dirs(&self, worktree: &Path) -> Result<(PathBuf, PathBuf), String> {
        let own = list::own_dir(worktree).map_err(|why| why.to_string())?;
        let own = own.canonicalize().map_err(|why| format!("cannot find {}: {why}", own.display()))?;
        // `worktrees/<name>` below it: that is how a linked worktree was known.
        let common = own.ancestors().nth(2).unwrap_or(&own).to_owned();
        Ok((own, common))
    }

    fn tip(&self, repo: PathBuf, ticket: TicketId) -> Work<'_, Observed<String>> {
        Box::pin(async move {
            match self.tip_of(&repo, &ticket).await {
                Ok(Some(tip)) => Observed::Present(tip),
                Ok(None) => Observed::Absent,
                Err(why) => Observed::Unknown(why.to_string()),
            }
        })
    }

    fn contains(&self, repo: PathBuf, target: String, commit: String) -> Work<'_, Observed<bool>> {
        Box::pin(async move {
            let tip = match self.resolve(&repo, &target).await {
                Ok(Some(tip)) => tip,
                Ok(None) => return Observed::Absent,
                Err(why) => return Observed::Unknown(why.to_string()),
            };
            match self.is_ancestor(&repo, &commit, &tip).await {
                Ok(is_in) => Observed::Present(is_in),
                Err(why) => Observed::Unknown(why.to_string()),
            }
        })
    }

    fn clear_stale_lock(&self, worktree: PathBuf) -> Work<'_, Option<String>> {
        Box::pin(async move {
            // Ignored: a task that panics has removed nothing that could be told of.
            tokio::task::spawn_blocking(move || remove::clear_locks(&worktree)).await.ok().flatten()
        })
    }

    fn keep_warm(&self, spec: WarmSpec) {
        self.fill_when_idle(spec);
    }

    fn is_warming(&self) -> bool {
        self.is_filling()
    }
}
