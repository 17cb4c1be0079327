//! Worktrees that look like a ticket's, whoever's they are; and the removal of one whose ticket is gone.

use std::path::{Path, PathBuf};

use super::{
    Git,
    command::{Call, GitError},
    leftovers,
    list::{CREATING, Entry, own_dir, real},
    owner, pool,
    register::UNBORN,
    remove::{Removed, clear_locks},
};
use crate::domain::id::TicketId;

/// A worktree that looks like one of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Where it is, or was.
    pub path: PathBuf,
    /// The ticket whose it was, by its branch, or by its place where it is on none yet.
    pub ticket: Option<TicketId>,
    /// What it has checked out, for people.
    pub on: String,
    /// True if it is on the branch of that ticket.
    pub is_on_branch: bool,
    /// Why git keeps it, where it is locked; [`Stray::is_half_made`] aside.
    pub locked: Option<String>,
    /// True if it was never ready for an agent.
    pub is_half_made: bool,
    /// False: only git remembers it.
    pub has_folder: bool,
    /// The homes that made or took it; none: nobody has said so.
    pub homes: Vec<PathBuf>,
}

/// A folder where worktrees are, of which git knows nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The folder.
    pub path: PathBuf,
    /// True if it says that it is a worktree of this repository.
    pub is_lost: bool,
}

impl Git {
    /// The worktrees of a repository that look like a ticket's: on a branch `autodo/…`, marked by a home, or half made.
    /// Checkouts of the pool are none, nor are a person's own.
    ///
    /// # Errors
    /// They could not be read.
    pub async fn strays(&self, repo: &Path) -> Result<Vec<Stray>, GitError> {
        let common = self.read(repo, |r| Ok(r.layout()?.common_dir)).await?;
        let registered = registered(&common)?;
        let entries = self.worktrees(repo).await?;
        let stray = |entry: &Entry| {
            let own = registered.iter().find(|(_, path)| *path == entry.path).map(|(own, _)| own.as_path());
            stray(&common, own, entry)
        };
        // The first is the main checkout, which is nobody's ticket.
        Ok(entries.iter().skip(1).filter_map(stray).collect())
    }

    /// The folders in `root` of which git knows nothing; those that are repositories, or worktrees of other ones, aside.
    ///
    /// # Errors
    /// They could not be listed.
    pub async fn unknown_folders(&self, repo: &Path, root: &Path) -> Result<Vec<Unknown>, GitError> {
        let names = match std::fs::read_dir(root) {
            Ok(names) => names,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(GitError::file("list", root, &e)),
        };
        let common = self.read(repo, |r| Ok(r.layout()?.common_dir)).await?;
        let entries = self.worktrees(repo).await?;
        let mut found = Vec::new();
        for name in names {
            let name = name.map_err(|e| GitError::file("list", root, &e))?;
            let path = real(root).join(name.file_name());
            let is_folder = name.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_folder || pool::is_pool(&path) || entries.iter().any(|e| e.path == path) {
                continue;
            }
            let is_lost = own_dir(&path).is_ok_and(|own| own.starts_with(real(&common).join("worktrees")));
            if is_lost || path.join(".git").symlink_metadata().is_err() {
                found.push(Unknown { path, is_lost });
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Removes the worktree at `path`, and its branch, of a ticket that is no more; what `target` does not hold is kept
    /// in a rescue reference first. One that is gone already is no error.
    ///
    /// # Errors
    /// [`GitError::Refused`]: it is not provably this home's alone, it is locked, it is not on its ticket's branch, or
    /// work in it cannot be kept.
    pub async fn remove_stray(&self, repo: &Path, path: &Path, target: &str) -> Result<Removed, GitError> {
        let shown = path.display();
        let refused = |why: String| Err(GitError::Refused(format!("cannot remove the worktree {shown}: {why}")));
        let place = real(path);
        let Some(stray) = self.strays(repo).await?.into_iter().find(|stray| stray.path == place) else {
            return Ok(Removed::default());
        };
        let Some(ticket) = &stray.ticket else { return refused("no ticket's id can be told from it".into()) };
        match self.home.as_deref() {
            Some(home) if stray.homes == [home] => {}
            Some(_) | None => return refused("it is not known to be of this home alone".into()),
        }
        let removed = self.remove_worktree(repo, &place, ticket, target, true).await?;
        if let (Some(home), Ok(common)) = (&self.home, self.read(repo, |r| Ok(r.layout()?.common_dir)).await) {
            owner::forget_making(&common, ticket, home);
        }
        Ok(removed)
    }

    /// True if a worktree was never ready for an agent, and was being made by this home for `ticket`.
    pub(super) async fn is_own_half_made(
        &self,
        repo: &Path,
        ticket: &TicketId,
        entry: &Entry,
    ) -> Result<bool, GitError> {
        if entry.locked.as_deref() != Some(CREATING) || self.home.is_none() {
            return Ok(false);
        }
        let stray = self.strays(repo).await?.into_iter().find(|stray| stray.path == entry.path);
        Ok(stray.is_some_and(|stray| {
            stray.ticket.as_ref() == Some(ticket) && stray.homes.iter().map(PathBuf::as_path).eq(self.home.as_deref())
        }))
    }

    /// Takes a half-made worktree away where it holds nothing but what git wrote; else makes it one as any other, on its
    /// ticket's branch and without the lock, so that all in it counts as work.
    pub(super) async fn undo_half_made(&self, repo: &Path, path: &Path, ticket: &TicketId) -> Result<(), GitError> {
        leftovers::end(path).await;
        let Some(entry) = self.worktrees(repo).await?.into_iter().find(|e| e.path == path) else { return Ok(()) };
        if !path.exists() {
            return self.unregister(repo, &entry).await;
        }
        let own = own_dir(path)?;
        let is_drawn = own.join(pool::MARK).exists() && entry.branch.is_none();
        if !own.join("index").exists() || (is_drawn && self.is_untouched(&entry).await?) {
            return self.take_away(repo, &entry, path).await;
        }
        clear_locks(path);
        if entry.branch.as_deref() != Some(&ticket.branch()) {
            let head = format!("refs/heads/{}", ticket.branch());
            // What the checkout that was interrupted was about to do last.
            self.program.ok(&Call::new(path).args(["symbolic-ref", "HEAD", &head])).await?;
        }
        self.program.ok(&Call::new(repo).args(["worktree", "unlock"]).args([path])).await.map(drop)
    }
}

/// The own git folders of all linked worktrees, each with the place that it names.
fn registered(common: &Path) -> Result<Vec<(PathBuf, PathBuf)>, GitError> {
    let folder = common.join("worktrees");
    let names = match std::fs::read_dir(&folder) {
        Ok(names) => names,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(GitError::file("list", &folder, &e)),
    };
    let place = |own: PathBuf| {
        // Ignored: a registration that cannot be read is not known to be anybody's.
        let text = std::fs::read_to_string(own.join("gitdir")).ok()?;
        // It may be relative to the folder that the file is in (git 2.48, `worktree.useRelativePaths`).
        let path = real(own.join(text.trim_end()).parent()?);
        Some((own, path))
    };
    Ok(names.filter_map(|name| place(name.ok()?.path())).collect())
}

/// What there is to be said of a worktree; `None`: it does not look like a ticket's.
fn stray(common: &Path, own: Option<&Path>, entry: &Entry) -> Option<Stray> {
    if pool::is_pool(&entry.path) {
        return None;
    }
    let id = |text: &str| TicketId::parse(text).ok();
    let of_branch = entry.branch.as_deref().and_then(|branch| branch.strip_prefix("autodo/")).and_then(id);
    let is_half_made = entry.locked.as_deref() == Some(CREATING);
    let is_on_branch = of_branch.is_some();
    let ticket = of_branch.or_else(|| id(entry.path.file_name()?.to_str()?));
    let homes = owner::owners(common, own, ticket.as_ref().filter(|_| is_half_made));
    let is_unborn = entry.branch.as_deref() == Some(UNBORN);
    (is_on_branch || is_half_made || is_unborn || !homes.is_empty()).then(|| Stray {
        path: entry.path.clone(),
        ticket,
        on: entry.on(),
        is_on_branch,
        locked: entry.locked.clone().filter(|_| !is_half_made),
        is_half_made,
        has_folder: entry.path.exists(),
        homes,
    })
}
