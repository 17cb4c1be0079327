//! A trial of the base: a checkout of its own, furnished as a ticket's, in which commands are run; then it is gone again.
//!
//! It has no branch and holds nobody's work, so it is taken away as it is. Its lock names the process that made it: one
//! of a process that is gone is taken away by the next trial.

use std::{io::Write, path::Path, time::Duration};

use super::{
    Git,
    command::{Call, GitError, finish, how, tail},
    leftovers::{self, PREPARING},
    list::Entry,
    prepare::{error, passing},
};
use crate::{
    adapters::process::table,
    domain::{event::WorktreeTrouble, observed::Observed},
    ports::worktrees::{WorktreeError, WorktreeSpec},
};

/// Begin of the reason of the lock on such a checkout; the process follows.
const TRIAL: &str = "autodo-trial ";

/// Lines of what a failed command said that are told.
const LINES: usize = 15;

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// Every command succeeded.
    Green,
    /// One did not.
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        how: String,
        /// The last lines of what it said.
        said: String,
    },
}

impl Git {
    /// Checks out `spec.base` at `spec.path`, without a branch, runs `commands` there, each for at most `limit`, and
    /// takes the checkout away. What they say goes to `spec.log`, which is written anew.
    ///
    /// # Errors
    /// The checkout could not be made or set up, or a command could not be started.
    pub async fn trial(
        &self,
        spec: &WorktreeSpec,
        commands: &[String],
        limit: Duration,
    ) -> Result<Tried, WorktreeError> {
        self.sweep_trials(&spec.repo).await.map_err(passing)?;
        let reason = format!("{TRIAL}{}", std::process::id());
        let call = Call::new(&spec.repo).args(self.lfs_options(&spec.repo).await);
        let call = call.args(["worktree", "add", "--quiet", "--detach", "--lock", "--reason", &reason]);
        let call = call.args([&spec.path]).arg(&spec.base).env(PREPARING, &spec.path).checks_out();
        // Ignored: as for the checkout of a ticket.
        let turn = self.checkouts.acquire().await.ok();
        let made = self.program.ok(&call).await;
        drop(turn);
        let tried = match made {
            Ok(_) => self.try_in(spec, commands, limit).await,
            Err(why) => Err(passing(why)),
        };
        leftovers::end(&spec.path).await;
        if let Err(why) = self.take_trial_away(&spec.repo, &reason).await {
            tracing::warn!(path = %spec.path.display(), %why, "the checkout of a trial was left");
        }
        tried
    }

    async fn try_in(&self, spec: &WorktreeSpec, commands: &[String], limit: Duration) -> Result<Tried, WorktreeError> {
        let file = |e: std::io::Error| passing(GitError::file("write", &spec.log, &e));
        // Ignored: it is not there, or cannot be written either, which is told below.
        std::fs::remove_file(&spec.log).ok();
        self.furnish(spec, &mut Vec::new()).await?;
        for line in commands {
            let mut log = std::fs::OpenOptions::new().create(true).append(true).open(&spec.log).map_err(file)?;
            writeln!(log, "$ {line}").map_err(file)?;
            let before = log.metadata().map_err(file)?.len();
            let mut command = self.program.command("/bin/sh");
            command.args(["-c", line]).current_dir(&spec.path).env(PREPARING, &spec.path).env("CI", "true");
            command.env("GIT_EDITOR", "true").env("PAGER", "cat");
            command.stdout(log.try_clone().map_err(file)?).stderr(log.try_clone().map_err(file)?);
            let end = finish(&mut command, limit)
                .await
                .map_err(|e| error(WorktreeTrouble::Setup, format!("cannot run the check `{line}`: {e}")))?;
            let how = match end {
                Some(status) if status.success() => continue,
                Some(status) => how(status),
                None => format!("longer than {} s, see limits.check", limit.as_secs()),
            };
            let written = std::fs::read(&spec.log).map_err(file)?;
            let own = written.get(usize::try_from(before).unwrap_or(0)..).unwrap_or_default();
            let said = tail(&String::from_utf8_lossy(own), LINES);
            return Ok(Tried::Failed { command: line.clone(), how, said });
        }
        Ok(Tried::Green)
    }

    /// Takes away the checkouts of trials whose processes are gone.
    async fn sweep_trials(&self, repo: &Path) -> Result<(), GitError> {
        for entry in self.worktrees(repo).await? {
            let Some(pid) = entry.locked.as_deref().and_then(|reason| reason.strip_prefix(TRIAL)) else { continue };
            let is_gone = pid.parse().is_ok_and(|pid: i32| table::start_time(pid) == Observed::Absent);
            if is_gone {
                leftovers::end(&entry.path).await;
                self.drop_trial(repo, &entry).await?;
            }
        }
        Ok(())
    }

    async fn take_trial_away(&self, repo: &Path, reason: &str) -> Result<(), GitError> {
        let all = self.worktrees(repo).await?;
        match all.iter().find(|entry| entry.locked.as_deref() == Some(reason)) {
            Some(entry) => self.drop_trial(repo, entry).await,
            None => Ok(()),
        }
    }

    async fn drop_trial(&self, repo: &Path, entry: &Entry) -> Result<(), GitError> {
        if entry.path.exists() {
            self.take_away(repo, entry, &entry.path).await
        } else {
            self.unregister(repo, entry).await
        }
    }
}
