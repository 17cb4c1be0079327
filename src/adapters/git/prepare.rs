//! Makes a ticket's worktree, or finds it as an earlier attempt left it.
//!
//! The steps: the commit to start from is kept in `refs/autodo/base/<ticket>`; the branch is made; `git worktree add`
//! makes the folder under a lock with the reason `autodo-creating`; files are placed and set-up commands run; the lock goes. Only
//! then can an agent be launched, so that whatever stands under that lock is nobody's work. Each step can be
//! interrupted, and done again.

use std::{path::Path, time::Duration};

use super::{
    Git,
    command::{Call, GitError, how, tail},
    discover::OLDEST,
    leftovers::{self, PREPARING},
    list::{CREATING, Entry, Found, own_dir},
    remove,
    stack::Start,
};
use crate::{
    adapters::crash,
    domain::{event::WorktreeTrouble, id::TicketId},
    ports::worktrees::{Prepared, WorktreeError, WorktreeSpec},
};

/// What is kept out of git in every worktree.
pub(crate) const RUN_FOLDER: &str = ".autodo/run";

/// Builds the error of a port.
pub(crate) fn error(kind: WorktreeTrouble, why: String) -> WorktreeError {
    WorktreeError { kind, why }
}

/// The kind of trouble that an error of git means where nothing more is known: something that may pass, unless a
/// person has to put a repository there, or a git that knows the options.
#[expect(clippy::needless_pass_by_value, reason = "stands in map_err")]
pub(crate) fn passing(why: GitError) -> WorktreeError {
    let kind = match &why {
        GitError::NotARepository(_) | GitError::NoFolder(_) => WorktreeTrouble::Setup,
        // git's status for a usage error. The usage itself, which follows the error, helps nobody.
        GitError::Failed { command, dir, how, stderr } if how == "exit 129" => {
            let (said, (major, minor)) = (stderr.lines().next().unwrap_or_default(), OLDEST);
            let text = format!(
                "git is too old: {said}; install {major}.{minor} or newer ({command} in {} failed)",
                dir.display()
            );
            return error(WorktreeTrouble::Setup, text);
        }
        _ => WorktreeTrouble::Passing,
    };
    error(kind, why.to_string())
}

/// The reference that keeps the commit on which a ticket's work started.
pub(crate) fn base_ref(ticket: &TicketId) -> String {
    format!("refs/autodo/base/{ticket}")
}

/// Takes the lock off a worktree, as `git worktree unlock` does after it has looked into every other one: the file
/// `locked` goes. Source: gitrepository-layout(5).
pub(crate) fn unlock(worktree: &Path) -> Result<(), GitError> {
    let lock = own_dir(worktree)?.join("locked");
    match std::fs::remove_file(&lock) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => Err(GitError::file("remove", &lock, &why)),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Git {
    /// Makes or finds the worktree; see [`crate::ports::worktrees::Worktrees::prepare`].
    pub(crate) async fn make_ready(&self, spec: WorktreeSpec) -> Result<Prepared, WorktreeError> {
        if !spec.path.is_absolute() {
            let why = format!("the place of a worktree must be an absolute path, not {}", spec.path.display());
            return Err(error(WorktreeTrouble::Setup, why));
        }
        let (branch, known) = (spec.ticket.branch(), spec.base_commit.is_some());
        if self.resolve(&spec.repo, "refs/heads/autodo").await.map_err(passing)?.is_some() {
            let why = "a branch named autodo exists, beside which git allows no branch autodo/…: rename it with `git \
                       branch -m autodo <name>`";
            return Err(error(WorktreeTrouble::Taken, why.to_owned()));
        }
        let common = self.read(&spec.repo, |r| Ok(r.layout()?.common_dir)).await.map_err(passing)?;
        let mut notes: Vec<String> = remove::clear_reference_locks(&common, &spec.ticket).into_iter().collect();
        let look = || self.look(&spec.repo, &spec.path, &branch, known);
        let mut found = look().await.map_err(passing)?;
        if !matches!(found, Found::Made(_)) {
            // git and set-up commands live on when a supervisor is killed: two of them in one tree would end badly.
            let ended = leftovers::end(&spec.path).await;
            if ended > 0 {
                notes.push(format!("ended {ended} processes of an interrupted preparation"));
                found = look().await.map_err(passing)?;
            }
        }
        let start = match found {
            Found::Taken(why) => return Err(error(WorktreeTrouble::Taken, why)),
            Found::Made(entry) => return self.adopt(&spec, &entry, notes).await,
            Found::Free => self.fresh(&spec, &mut notes).await?,
            Found::Missing(entry) => {
                self.forget(&spec, &entry, &mut notes).await.map_err(passing)?;
                self.fresh(&spec, &mut notes).await?
            }
            Found::HalfMade(entry) => {
                if self.unmake(&spec, &entry).await.map_err(passing)? {
                    notes.push("removed a half-made worktree, in which nobody had worked, and made it again".into());
                    self.fresh(&spec, &mut notes).await?
                } else {
                    notes.push("found a half-made worktree that holds something: kept it, and set it up again".into());
                    self.found_start(&spec).await?
                }
            }
        };
        self.furnish(&spec, &mut notes).await?;
        self.sign(&own_dir(&spec.path).map_err(passing)?, &spec.ticket).map_err(passing)?;
        crash::point("git.set_up");
        unlock(&spec.path).map_err(passing)?;
        crash::point("git.unlocked");
        notes.extend(start.notes);
        Ok(Prepared { base_commit: start.commit, stacked_on: start.stacked_on, notes })
    }

    /// Takes the worktree as it is; moves its work only where that was asked for.
    async fn adopt(&self, spec: &WorktreeSpec, entry: &Entry, notes: Vec<String>) -> Result<Prepared, WorktreeError> {
        let mut start = self.found_start(spec).await?;
        start.notes.splice(0..0, notes);
        if entry.branch.as_deref() != Some(&spec.ticket.branch()) {
            start.notes.push(format!("the worktree is on {}, not on {}", entry.on(), spec.ticket.branch()));
        }
        self.sign(&own_dir(&spec.path).map_err(passing)?, &spec.ticket).map_err(passing)?;
        self.make_run_folder(&spec.repo, &spec.path).await.map_err(passing)?;
        if spec.rebase {
            let now = self.start(spec).await?;
            self.rebase(spec, &start.commit, &now.commit).await?;
            if now.commit != start.commit {
                start.notes.push(format!("moved the work from {} onto {}", start.commit, now.commit));
            }
            start.notes.extend(now.notes);
            start = Start { notes: start.notes, ..now };
        }
        Ok(Prepared { base_commit: start.commit, stacked_on: start.stacked_on, notes: start.notes })
    }

    /// Where the work of a branch that is there already began: as told, as kept, or as far as history shows it.
    async fn found_start(&self, spec: &WorktreeSpec) -> Result<Start, WorktreeError> {
        let kept = self.kept_base(&spec.repo, &spec.ticket).await.map_err(passing)?;
        let mut notes = Vec::new();
        let commit = match (&spec.base_commit, kept) {
            (Some(told), kept) => {
                if kept.is_none() && self.resolve(&spec.repo, told).await.map_err(passing)?.is_some() {
                    self.keep_base(spec, told).await.map_err(passing)?;
                }
                told.clone()
            }
            (None, Some(kept)) => kept,
            (None, None) => {
                let now = self.start(spec).await?;
                notes = now.notes;
                let tip = self.tip_of(&spec.repo, &spec.ticket).await.map_err(passing)?;
                let (tip, base) = (tip.unwrap_or_else(|| now.commit.clone()), now.commit.clone());
                let shared = self.read(&spec.repo, move |r| r.merge_base(&tip, &base)).await.map_err(passing)?;
                let commit = shared.unwrap_or(now.commit);
                notes.push(format!("nobody kept where the branch began: taken from its history, {commit}"));
                self.keep_base(spec, &commit).await.map_err(passing)?;
                commit
            }
        };
        let stacked_on = self.held(spec, &commit).await.map_err(passing)?;
        Ok(Start { commit, stacked_on, notes })
    }

    /// Makes the worktree, under its lock.
    async fn fresh(&self, spec: &WorktreeSpec, notes: &mut Vec<String>) -> Result<Start, WorktreeError> {
        let branch = spec.ticket.branch();
        let tip = self.tip_of(&spec.repo, &spec.ticket).await.map_err(passing)?;
        let add = ["worktree", "add", "--lock", "--reason", CREATING];
        let call = Call::new(&spec.repo).args(self.lfs_options(&spec.repo).await).args(add);
        let call = call.env(PREPARING, &spec.path).checks_out();
        let call = call.args([spec.path.as_os_str(), branch.as_ref()]);
        let is_ours =
            spec.base_commit.is_some() || self.kept_base(&spec.repo, &spec.ticket).await.map_err(passing)?.is_some();
        let mut is_new = false;
        let start = if tip.is_some() && !is_ours {
            // What is on it would count as this ticket's work.
            let why = format!(
                "a branch {branch} exists, and it was not made for this ticket: rename it with `git branch -m {branch} \
                 <name>`, or delete it"
            );
            return Err(error(WorktreeTrouble::Taken, why));
        } else if tip.is_some() {
            notes.push(format!("the branch {branch} was there: its worktree is made of it"));
            self.found_start(spec).await?
        } else {
            let start = match &spec.base_commit {
                Some(told) => {
                    notes.push(format!("the branch {branch} was gone: it starts again at {told}"));
                    let stacked_on = self.held(spec, told).await.map_err(passing)?;
                    Start { commit: told.clone(), stacked_on, notes: Vec::new() }
                }
                None => self.start(spec).await?,
            };
            self.keep_base(spec, &start.commit).await.map_err(passing)?;
            // By itself, not by `worktree add -b`: that can fail after it made the branch, and could not be repeated.
            // Nor by `branch`, which looks into every worktree of the repository. The empty word: it must not exist.
            let full = format!("refs/heads/{branch}");
            let why = format!("branch: Created from {}", start.commit);
            let make = Call::new(&spec.repo).args(["update-ref", "-m", &why, &full, &start.commit, ""]);
            self.program.ok(&make).await.map_err(passing)?;
            is_new = true;
            start
        };
        self.begin_making(&spec.repo, &spec.ticket).await.map_err(passing)?;
        crash::point("git.adding");
        // Ignored: the semaphore is never closed; if it were, only the number of checkouts at a time would suffer.
        let turn = self.checkouts.acquire().await.ok();
        let is_warm = self.draw(spec).await.map_err(passing)?;
        let call = if is_warm {
            let call = Call::new(&spec.path).args(self.lfs_options(&spec.path).await);
            call.args(["checkout", "--quiet", &branch, "--"]).env(PREPARING, &spec.path).checks_out()
        } else if is_new && self.register(&spec.repo, &spec.path).await.map_err(passing)? {
            crash::point("git.registered");
            let call = Call::new(&spec.path).args(self.lfs_options(&spec.repo).await);
            // The branch is a moment old: no other worktree has it.
            let checkout = ["checkout", "--quiet", "--ignore-other-worktrees", &branch, "--"];
            call.args(checkout).env(PREPARING, &spec.path).checks_out()
        } else {
            call
        };
        let made = self.program.run(&call).await;
        drop(turn);
        match made {
            Ok(output) if output.status.success() => {}
            Ok(output) => return Err(self.not_added(spec, super::command::failed(&call, &output)).await),
            Err(why) => return Err(self.not_added(spec, why).await),
        }
        if is_warm {
            self.settle(&spec.path).map_err(passing)?;
        }
        crash::point("git.added");
        self.sign(&own_dir(&spec.path).map_err(passing)?, &spec.ticket).map_err(passing)?;
        if let Ok(Some(base)) = self.resolve(&spec.repo, &spec.base).await {
            self.fill_later(spec, &base);
        }
        Ok(start)
    }

    /// Says why `git worktree add` failed, and leaves no broken tree.
    async fn not_added(&self, spec: &WorktreeSpec, why: GitError) -> WorktreeError {
        leftovers::end(&spec.path).await;
        let complete = own_dir(&spec.path).is_ok_and(|d| d.join("index").exists());
        let hook = complete && self.hooks(&spec.repo).await.is_ok_and(|h| h.iter().any(|h| h == "post-checkout"));
        if let Ok(Found::HalfMade(entry)) = self.look(&spec.repo, &spec.path, &spec.ticket.branch(), false).await
            && let Err(also) = self.unmake(spec, &entry).await
        {
            tracing::warn!(path = %spec.path.display(), %also, "cannot remove a half-made worktree");
        }
        if !hook {
            let text = why.to_string();
            // A checkout of git 2.47 that lacks an object says so with the words "promisor remote".
            if !text.contains("promisor") {
                return passing(why);
            }
            let why = format!(
                "this is a partial clone, and its remote could not be asked for files that are not here: {text}; once \
                 the remote can be reached, `git checkout` or `git backfill` of the base brings them"
            );
            return error(WorktreeTrouble::Passing, why);
        }
        let why = format!(
            "the repository's post-checkout hook failed while the worktree {} was made: {why}; hooks run without a \
             terminal: mend the hook, or see `git config core.hooksPath`",
            spec.path.display()
        );
        error(WorktreeTrouble::Setup, why)
    }

    /// Puts into the worktree what git does not: the run folder, files, the results of commands.
    pub(crate) async fn furnish(&self, spec: &WorktreeSpec, notes: &mut Vec<String>) -> Result<(), WorktreeError> {
        self.make_run_folder(&spec.repo, &spec.path).await.map_err(passing)?;
        let setup = |why: GitError| error(WorktreeTrouble::Setup, why.to_string());
        notes.extend(self.lfs_gap(&spec.path).await.map_err(passing)?);
        if spec.path.join(".gitmodules").exists() {
            if spec.setup.submodules == Some(false) {
                notes.push("submodules are not checked out: worktree.submodules is false".to_owned());
            } else {
                let from = self.read(&spec.repo, |r| Ok(r.layout()?.root)).await.map_err(passing)?;
                notes.extend(self.place_submodules(from.as_deref(), &spec.path).await.map_err(setup)?);
            }
        }
        notes.extend(self.place_files(spec).await.map_err(setup)?);
        for line in &spec.setup.setup {
            self.set_up(spec, line).await?;
        }
        Ok(())
    }

    async fn set_up(&self, spec: &WorktreeSpec, line: &str) -> Result<(), WorktreeError> {
        use std::io::Write;
        let file = |e: std::io::Error| passing(GitError::file("write", &spec.log, &e));
        if let Some(folder) = spec.log.parent() {
            std::fs::create_dir_all(folder).map_err(file)?;
        }
        let mut log = std::fs::OpenOptions::new().create(true).append(true).open(&spec.log).map_err(file)?;
        writeln!(log, "$ {line}").map_err(file)?;
        let before = log.metadata().map_err(file)?.len();
        let mut command = self.program.command("sh");
        command.args(["-eu", "-c", line]).current_dir(&spec.path).env(PREPARING, &spec.path);
        command.stdout(log.try_clone().map_err(file)?).stderr(log.try_clone().map_err(file)?);
        let limit = spec.setup.setup_limit_s.map_or(self.program.limits.setup, Duration::from_secs);
        let end = super::command::finish(&mut command, limit).await.map_err(|e| {
            let (program, dir) = (format!("sh -eu -c {line:?}"), spec.path.clone());
            passing(GitError::Start { program, dir, why: e.to_string() })
        })?;
        let end = match end {
            Some(status) if status.success() => return Ok(()),
            Some(status) => how(status),
            None => format!("longer than {} s, see worktree.setup_limit", limit.as_secs()),
        };
        let written = std::fs::read(&spec.log).map_err(file)?;
        writeln!(log, "[{end}]").map_err(file)?;
        let own = written.get(usize::try_from(before).unwrap_or(0)..).unwrap_or_default();
        let last = tail(&String::from_utf8_lossy(own), 20);
        let (path, log) = (spec.path.display(), spec.log.display());
        let why = format!("the set-up command `{line}` failed ({end}) in {path}, log {log}:\n{last}");
        Err(error(WorktreeTrouble::Setup, why))
    }

    /// The kept commit on which the ticket's work started, if the ticket's branch still grows from it.
    pub(crate) async fn kept_base(&self, repo: &Path, ticket: &TicketId) -> Result<Option<String>, GitError> {
        let Some(kept) = self.resolve(repo, &base_ref(ticket)).await? else { return Ok(None) };
        let Some(tip) = self.tip_of(repo, ticket).await? else { return Ok(Some(kept)) };
        Ok(self.is_ancestor(repo, &kept, &tip).await?.then_some(kept))
    }

    /// Keeps the commit on which the ticket's work starts; no clean-up of git can take it away then.
    pub(crate) async fn keep_base(&self, spec: &WorktreeSpec, commit: &str) -> Result<(), GitError> {
        let call = Call::new(&spec.repo).args(["update-ref", &base_ref(&spec.ticket), commit]);
        self.program.ok(&call).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_git_does_not_know_is_no_trouble_that_passes() {
        let failed = |how: &str, stderr: &str| {
            let (command, how, stderr) = ("git worktree add".to_owned(), how.to_owned(), stderr.to_owned());
            passing(GitError::Failed { command, dir: "/r".into(), how, stderr })
        };
        // As git 2.30.2 says it.
        let old = failed("exit 129", "error: unknown option `reason'\nusage: git worktree add [<options>] <path>");
        assert_eq!(old.kind, WorktreeTrouble::Setup);
        assert!(
            old.why.contains("git is too old: error: unknown option `reason'; install 2.33 or newer"),
            "{}",
            old.why
        );
        assert!(!old.why.contains("usage"), "{}", old.why);
        assert_eq!(failed("exit 128", "fatal: cannot lock").kind, WorktreeTrouble::Passing);
    }
}
