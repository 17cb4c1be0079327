//! The warm pool: checkouts made ahead, which a ticket's worktree becomes by a rename and a switch of its branch.
//!
//! They lie beside the worktrees as `.pool-<k>`, which no ticket's id can be, detached, and locked by git under reasons
//! of their own: `autodo-pool` (may be handed out), `autodo-pool-filling` (is being made or refreshed; of a dead process
//! it is removed). Changes of the reason are made under one file lock, filling under another, so that two supervisors
//! with homes of their own get along.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use nix::fcntl::{Flock, FlockArg};

use super::{
    Git,
    command::{Call, GitError},
    handle::CHECKOUTS,
    leftovers::{self, PREPARING},
    list::{CREATING, Entry, own_dir, real},
};
use crate::{
    adapters::crash,
    ports::worktrees::{WarmSpec, WorktreeSpec},
};

const READY: &str = "autodo-pool";
const FILLING: &str = "autodo-pool-filling";
const PREFIX: &str = ".pool-";
/// File in the git folder of a worktree that came from the pool and is on no branch yet: the commit it was made of.
pub(crate) const MARK: &str = "autodo-pool";
/// How often the filling looks whether nothing else is checked out.
const IDLE_LOOK: Duration = Duration::from_millis(200);

/// What this process knows of pools, by their folders.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    /// Those that are being filled.
    now: HashSet<PathBuf>,
    /// Commit and size of those that were filled.
    done: HashMap<PathBuf, (String, u32)>,
}

/// The same, shared.
pub(crate) type Filling = Arc<Mutex<Pools>>;

impl Git {
    /// Moves a warm checkout to the place of a worktree; false: there is none that is clean. Its branch is not switched
    /// yet, and it stands under the lock of worktrees in the making.
    pub(crate) async fn draw(&self, spec: &WorktreeSpec) -> Result<bool, GitError> {
        let Some(folder) = spec.path.parent().filter(|_| spec.setup.pool > 0) else { return Ok(false) };
        let Some(_turn) = self.pool_lock(&spec.repo, "draw", FlockArg::LockExclusive).await? else { return Ok(false) };
        for entry in self.pool(&spec.repo, folder).await? {
            let is_free = entry.locked.as_deref() == Some(READY);
            if !is_free || !self.is_alike(&spec.repo, &entry).await? || !self.is_untouched(&entry).await? {
                continue;
            }
            let own = own_dir(&entry.path)?;
            let back = own.join("gitdir");
            let old = std::fs::read_to_string(&back).map_err(|e| GitError::file("read", &back, &e))?;
            let Some(beside) = Path::new(old.trim_end()).parent().and_then(Path::parent) else { continue };
            let name = spec.path.file_name().unwrap_or_default();
            self.sign_drawn(&own)?;
            set_reason(&own, CREATING)?;
            crash::point("git.pool_locked");
            // From here on it is the ticket's: a folder that is missing, or half made, is made again.
            write_whole(&back, &format!("{}\n", beside.join(name).join(".git").display()))?;
            crash::point("git.pool_registered");
            std::fs::rename(&entry.path, &spec.path)
                .map_err(|e| GitError::file("move a warm checkout to", &spec.path, &e))?;
            crash::point("git.pool_moved");
            return Ok(true);
        }
        Ok(false)
    }

    /// Takes the mark of the pool off a worktree that is on its branch now.
    pub(crate) fn settle(&self, worktree: &Path) -> Result<(), GitError> {
        let mark = own_dir(worktree)?.join(MARK);
        std::fs::remove_file(&mark).map_err(|e| GitError::file("remove", &mark, &e))
    }

    /// The checkouts of the pool in `folder`, as git knows them.
    async fn pool(&self, repo: &Path, folder: &Path) -> Result<Vec<Entry>, GitError> {
        let folder = real(folder);
        let mut entries = self.worktrees(repo).await?;
        entries.retain(|e| is_pool(&e.path) && e.path.parent() == Some(&folder));
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// True if a warm checkout is what it was made as: on its commit, nothing changed, nothing added, ignored or not.
    pub(crate) async fn is_untouched(&self, entry: &Entry) -> Result<bool, GitError> {
        let Ok(own) = own_dir(&entry.path) else { return Ok(false) };
        let made = std::fs::read_to_string(own.join(MARK)).unwrap_or_default();
        if entry.branch.is_some() || entry.head.as_deref() != Some(made.trim()) {
            return Ok(false);
        }
        let look = ["-c", "core.fsmonitor=false", "--no-optional-locks", "status", "--porcelain", "-z"];
        let look = Call::new(&entry.path).args(self.lfs_options(&entry.path).await).args(look);
        let look = look.args(["--ignored=traditional", "--untracked-files=all"]);
        let output = self.program.run(&look).await?;
        Ok(output.status.success() && output.stdout.is_empty())
    }

    /// True if a warm checkout is as sparse as the checkout at `repo`.
    async fn is_alike(&self, repo: &Path, entry: &Entry) -> Result<bool, GitError> {
        let own = own_dir(&entry.path)?;
        let here = self.program.ok(&Call::new(repo).args(["rev-parse", "--absolute-git-dir"])).await?.text();
        let patterns = |dir: &Path| std::fs::read(dir.join("info/sparse-checkout")).ok();
        let (theirs, ours) = (patterns(Path::new(&here)), patterns(&own));
        if theirs.is_none() && ours.is_none() {
            return Ok(true);
        }
        let mut sparse = Vec::new();
        for dir in [repo, &entry.path] {
            sparse.push(self.config(dir, &["--type=bool", "core.sparseCheckout"]).await?.as_deref() == Some("true"));
        }
        Ok(sparse[0] == sparse[1] && (!sparse[0] || theirs == ours))
    }

    /// Brings the pool beside a worktree to its size again, and onto `commit`, whenever nothing else is checked out. What
    /// goes wrong is logged: a pool is a convenience.
    pub(crate) fn fill_later(&self, spec: &WorktreeSpec, commit: &str) {
        let Some(folder) = spec.path.parent().map(Path::to_owned).filter(|_| spec.setup.pool > 0) else { return };
        let (repo, size, base) = (spec.repo.clone(), spec.setup.pool, commit.to_owned());
        self.fill_in_background(WarmSpec { repo, folder, size, base, target: None }, true);
    }

    /// The same where no ticket has just taken one: once, and then only where the commit is another one.
    pub(crate) fn fill_when_idle(&self, spec: WarmSpec) {
        if spec.size > 0 {
            self.fill_in_background(spec, false);
        }
    }

    pub(crate) fn is_filling(&self) -> bool {
        !self.filling.lock().unwrap_or_else(PoisonError::into_inner).now.is_empty()
    }

    fn fill_in_background(&self, spec: WarmSpec, is_drawn_from: bool) {
        let pools = |git: &Self, act: &mut dyn FnMut(&mut Pools)| {
            act(&mut git.filling.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let (mut begins, mut known) = (false, None);
        pools(self, &mut |pools| {
            known = pools.done.get(&spec.folder).cloned();
            begins = pools.now.insert(spec.folder.clone());
        });
        if !begins {
            return;
        }
        let git = self.clone();
        tokio::spawn(async move {
            let commit = git.newest(&spec, known.as_ref().map(|(commit, _)| commit.clone())).await;
            let wanted = (commit.clone(), spec.size);
            let mut done = None;
            if is_drawn_from || known.as_ref() != Some(&wanted) {
                match git.fill(&spec.repo, &spec.folder, &commit, spec.size).await {
                    Ok(()) => done = Some(wanted),
                    Err(why) => {
                        tracing::warn!(folder = %spec.folder.display(), %why, "cannot fill the pool of checkouts");
                    }
                }
            }
            pools(&git, &mut |pools| {
                pools.now.remove(&spec.folder);
                pools.done.extend(done.take().map(|done| (spec.folder.clone(), done)));
            });
        });
    }

    /// The commit that the next ticket will most likely start from: the tip of its branch, or what the pool stands on,
    /// where these hold the commit of the last one; else that.
    async fn newest(&self, spec: &WarmSpec, known: Option<String>) -> String {
        let tip = match &spec.target {
            Some(branch) => self.resolve(&spec.repo, &format!("refs/heads/{branch}")).await.ok().flatten(),
            None => None,
        };
        for commit in tip.into_iter().chain(known) {
            // Ignored: what cannot be told apart is not newer.
            if self.is_ancestor(&spec.repo, &spec.base, &commit).await.unwrap_or(false) {
                return commit;
            }
        }
        spec.base.clone()
    }

    async fn fill(&self, repo: &Path, folder: &Path, commit: &str, size: u32) -> Result<(), GitError> {
        let Some(_alone) = self.pool_lock(repo, "fill", FlockArg::LockExclusiveNonblock).await? else { return Ok(()) };
        self.repair(repo, folder).await?;
        for k in 1..=size {
            let place = real(folder).join(format!("{PREFIX}{k}"));
            // One checkout at a time, and only while no ticket waits for one.
            let turn = loop {
                match Arc::clone(&self.checkouts).try_acquire_many_owned(u32::try_from(CHECKOUTS).unwrap_or(1)) {
                    Ok(mut all) => break all.split(1),
                    Err(_) => tokio::time::sleep(IDLE_LOOK).await,
                }
            };
            let here = self.pool(repo, folder).await?.into_iter().find(|e| e.path == place);
            match here {
                None => self.add_warm(repo, &place, commit).await?,
                Some(entry) => self.refresh(repo, &entry, commit).await?,
            }
            drop(turn);
        }
        Ok(())
    }

    async fn add_warm(&self, repo: &Path, place: &Path, commit: &str) -> Result<(), GitError> {
        let call = Call::new(repo).args(["-c", "core.hooksPath=/dev/null"]).args(self.lfs_options(repo).await);
        let call = call.args(["worktree", "add", "--quiet", "--detach", "--lock", "--reason", FILLING]);
        self.program.ok(&call.args([place]).arg(commit).env(PREPARING, place).checks_out()).await?;
        crash::point("git.pool_added");
        let own = own_dir(place)?;
        write_whole(&own.join(MARK), commit)?;
        set_reason(&own, READY)
    }

    /// Moves a warm checkout onto `commit`. One that somebody touched is left, and never handed out.
    async fn refresh(&self, repo: &Path, entry: &Entry, commit: &str) -> Result<(), GitError> {
        let is_alike = self.is_alike(repo, entry).await?;
        // One that stays where it is is looked at when it is drawn.
        if (is_alike && entry.head.as_deref() == Some(commit)) || !self.is_untouched(entry).await? {
            return Ok(());
        }
        let own = own_dir(&entry.path)?;
        {
            let Some(_turn) = self.pool_lock(repo, "draw", FlockArg::LockExclusive).await? else { return Ok(()) };
            // Drawn meanwhile?
            if std::fs::read_to_string(own.join("locked")).unwrap_or_default().trim() != READY || !entry.path.exists() {
                return Ok(());
            }
            set_reason(&own, FILLING)?;
        }
        if !is_alike {
            self.take_away(repo, &Entry { locked: Some(FILLING.to_owned()), ..entry.clone() }, &entry.path).await?;
            return self.add_warm(repo, &entry.path, commit).await;
        }
        let call = Call::new(&entry.path).args(["-c", "core.hooksPath=/dev/null"]);
        let call =
            call.args(self.lfs_options(&entry.path).await).args(["checkout", "--quiet", "--detach", commit, "--"]);
        self.program.ok(&call.env(PREPARING, &entry.path).checks_out()).await?;
        write_whole(&own.join(MARK), commit)?;
        set_reason(&own, READY)
    }

    /// Takes away what a process that died left of the pool. Only called by whoever holds the lock for filling.
    async fn repair(&self, repo: &Path, folder: &Path) -> Result<(), GitError> {
        let Some(_turn) = self.pool_lock(repo, "draw", FlockArg::LockExclusive).await? else { return Ok(()) };
        let entries = self.pool(repo, folder).await?;
        for entry in &entries {
            match entry.locked.as_deref() {
                // Nobody draws now: whoever had begun to is dead.
                Some(CREATING) if self.is_untouched(entry).await? => set_reason(&own_dir(&entry.path)?, READY)?,
                Some(FILLING) => {
                    leftovers::end(&entry.path).await;
                    if entry.path.exists() {
                        self.take_away(repo, entry, &entry.path).await?;
                    } else {
                        self.unregister(repo, entry).await?;
                    }
                }
                // Unlocked, or locked otherwise: a person's now.
                _ => {}
            }
        }
        // Folders whose worktree was registered elsewhere before they could be moved, and forgotten since.
        let Ok(names) = std::fs::read_dir(folder) else { return Ok(()) };
        for name in names {
            let path = real(folder).join(name.map_err(|e| GitError::file("list", folder, &e))?.file_name());
            let is_known = entries.iter().any(|e| e.path == path);
            if is_pool(&path) && !is_known && own_dir(&path).is_ok_and(|own| !own.exists()) {
                let gone = path.clone();
                let removed = tokio::task::spawn_blocking(move || super::unmake::remove_folder(&gone)).await;
                let removed = removed.map_err(std::io::Error::other).and_then(|r| r);
                removed.map_err(|e| GitError::file("remove the lost checkout", &path, &e))?;
            }
        }
        Ok(())
    }

    /// The warm checkouts in `folder` that could be handed out, and those that somebody touched.
    ///
    /// # Errors
    /// They could not be looked at.
    pub async fn warm(&self, repo: &Path, folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), GitError> {
        let (mut ready, mut touched) = (Vec::new(), Vec::new());
        for entry in self.pool(repo, folder).await? {
            let is_ready = entry.path.exists() && self.is_untouched(&entry).await?;
            if is_ready { &mut ready } else { &mut touched }.push(entry.path);
        }
        Ok((ready, touched))
    }

    /// Removes the warm checkouts in `folder` that nobody touched, and what dead processes left of others; says which.
    ///
    /// # Errors
    /// Another process fills the pool just now, or a checkout could not be removed.
    pub async fn empty_pool(&self, repo: &Path, folder: &Path) -> Result<Vec<PathBuf>, GitError> {
        let Some(_alone) = self.pool_lock(repo, "fill", FlockArg::LockExclusiveNonblock).await? else {
            return Err(GitError::Refused(format!("the pool in {} is being filled just now", folder.display())));
        };
        self.repair(repo, folder).await?;
        let Some(_turn) = self.pool_lock(repo, "draw", FlockArg::LockExclusive).await? else { return Ok(Vec::new()) };
        let mut removed = Vec::new();
        for entry in self.pool(repo, folder).await? {
            if entry.locked.as_deref() == Some(READY) && self.is_untouched(&entry).await? {
                self.take_away(repo, &entry, &entry.path).await?;
                removed.push(entry.path);
            }
        }
        Ok(removed)
    }

    /// A lock in the folder that all worktrees share; `None`: another process has it, and it is not waited for.
    async fn pool_lock(&self, repo: &Path, what: &str, how: FlockArg) -> Result<Option<Flock<OwnedFd>>, GitError> {
        let common = self.read(repo, |r| Ok(r.layout()?.common_dir)).await?;
        let path = common.join(format!("autodo-pool-{what}.lock"));
        let lock = move || {
            let wrong = |e: std::io::Error| GitError::file("lock", &path, &e);
            let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(wrong)?;
            match Flock::lock(OwnedFd::from(file), how) {
                Ok(lock) => Ok(Some(lock)),
                Err((_, nix::errno::Errno::EWOULDBLOCK)) => Ok(None),
                Err((_, why)) => Err(wrong(why.into())),
            }
        };
        let lost = |e: tokio::task::JoinError| GitError::Refused(format!("cannot lock the pool: {e}"));
        tokio::task::spawn_blocking(lock).await.map_err(lost)?
    }
}

pub(crate) fn is_pool(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_prefix(PREFIX));
    name.is_some_and(|k| !k.is_empty() && k.bytes().all(|b| b.is_ascii_digit()))
}

/// Sets the reason of a worktree's lock. `git worktree` can only unlock and lock again, and in between it would be
/// anybody's. Source: the file `locked`, gitrepository-layout(5).
fn set_reason(own: &Path, reason: &str) -> Result<(), GitError> {
    write_whole(&own.join("locked"), reason)
}

/// Writes a file aside and renames it, so that it is never half there.
fn write_whole(file: &Path, text: &str) -> Result<(), GitError> {
    let aside = file.with_extension("autodo-new");
    let write = std::fs::write(&aside, text).and_then(|()| std::fs::rename(&aside, file));
    write.map_err(|e| GitError::file("write", file, &e))
}
