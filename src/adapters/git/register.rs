//! Registers a worktree without `git worktree add`, where a repository has very many: git looks into each of them,
//! twice, and with a thousand that takes longer than all else that a ticket needs.
//!
//! What is written is what gitrepository-layout(5) shows of `worktrees/<id>/`: a registration that is complete and
//! locked before git can see it. Its HEAD names a branch that does not exist, so that the checkout which follows is one
//! of everything, and a `post-checkout` hook is told what it is told by `git worktree add`. Whatever is not as plain as
//! that (reftable, configuration of single worktrees, sparse checkouts) is left to git.

use std::{fs, io::ErrorKind, path::Path};

use super::{Git, command::GitError, list::CREATING};

/// What HEAD names until the checkout; never a branch.
pub(super) const UNBORN: &str = "autodo-unborn";
/// Names that are tried for one worktree.
const NAMES: u32 = 1000;

impl Git {
    /// Registers an empty worktree at `path`, locked as one that is being made. False: the repository is not plain, or has
    /// few worktrees, and nothing was done. The caller knows that nothing is registered there, and that its branch is
    /// checked out nowhere.
    pub(crate) async fn register(&self, repo: &Path, path: &Path) -> Result<bool, GitError> {
        let (layout, is_plain) = self.read(repo, |r| Ok((r.layout()?, r.is_plain()))).await?;
        let folder = layout.common_dir.join("worktrees");
        let few = self.program.limits.worktrees;
        let has_few = fs::read_dir(&folder).map_or(true, |names| names.take(few + 1).count() <= few);
        if !is_plain || has_few {
            return Ok(false);
        }
        write(&layout.common_dir, path).map(|()| true)
    }
}

fn write(common: &Path, path: &Path) -> Result<(), GitError> {
    let wrong = |at: &Path| {
        let at = at.to_owned();
        move |e: std::io::Error| GitError::file("write", &at, &e)
    };
    let name = path.file_name().unwrap_or_default();
    fs::create_dir_all(path).map_err(wrong(path))?;
    let path = path.canonicalize().map_err(wrong(path))?;
    let (Some(here), Some(shown)) = (path.to_str(), common.to_str()) else {
        return Err(GitError::Refused(format!("{} is not UTF-8", path.display())));
    };
    // Beside the others, so that the relative path in it holds, and where git does not look.
    let aside = tempfile::Builder::new().prefix("autodo-worktree-").tempdir_in(common).map_err(wrong(common))?;
    let (head, gitdir) = (format!("ref: refs/heads/{UNBORN}\n"), format!("{here}/.git\n"));
    let files = [("locked", CREATING), ("HEAD", &head), ("commondir", "../..\n"), ("gitdir", &gitdir)];
    for (file, text) in files {
        let file = aside.path().join(file);
        fs::write(&file, text).map_err(wrong(&file))?;
    }
    let mode = fs::metadata(common.join("worktrees")).map_err(wrong(common))?.permissions();
    fs::set_permissions(aside.path(), mode).map_err(wrong(aside.path()))?;
    for number in 0..NAMES {
        let mut own = name.to_owned();
        if number > 0 {
            own.push(number.to_string());
        }
        let place = common.join("worktrees").join(&own);
        match fs::rename(aside.path(), &place) {
            Ok(()) => {
                // It has moved: there is nothing to be removed.
                drop(aside.keep());
                let Some(own) = own.to_str() else { break };
                let link = path.join(".git");
                return fs::write(&link, format!("gitdir: {shown}/worktrees/{own}\n")).map_err(wrong(&link));
            }
            // Another worktree, elsewhere, has a folder of this name.
            Err(e) if matches!(e.kind(), ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists) => {}
            Err(e) => return Err(GitError::file("write", &place, &e)),
        }
    }
    Err(GitError::Refused(format!("no name is free in {shown}/worktrees for {here}")))
}
