//! Whose a worktree is: the homes that have made or taken it, in a file of its own git folder.
//!
//! Two homes of a user may work in one repository, and a ticket of one may have the id of a ticket that the other had
//! once. So neither a branch's name nor a place says whose a worktree is; only this file does, and where it is missing
//! nobody knows. It goes with the worktree. While git makes one, there is no such folder yet: until then a file in the
//! folder that all worktrees share says the same.

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::{Git, command::GitError};
use crate::domain::id::TicketId;

/// File in a worktree's own git folder: the homes, a line each.
const OWNERS: &str = "autodo-homes";
/// Folder in the git folder that all worktrees share: a file for each ticket whose worktree is being made.
const MAKING: &str = "autodo-making";

impl Git {
    /// The same for tickets of the home at `home`, an absolute path without links: worktrees are marked as its own.
    #[must_use]
    pub fn of_home(mut self, home: &Path) -> Self {
        self.home = Some(home.into());
        self
    }

    /// Says that this home begins to make the worktree of `ticket`.
    pub(super) async fn begin_making(&self, repo: &Path, ticket: &TicketId) -> Result<(), GitError> {
        let Some(home) = self.home.clone() else { return Ok(()) };
        let folder = self.read(repo, |r| Ok(r.layout()?.common_dir)).await?.join(MAKING);
        std::fs::create_dir_all(&folder).map_err(|e| GitError::file("make", &folder, &e))?;
        add(&folder.join(ticket.as_str()), &home)
    }

    /// Marks the worktree whose own git folder is `own` as this home's; `common`, the folder that all worktrees share,
    /// need not say so any longer.
    pub(super) fn sign(&self, own: &Path, ticket: &TicketId) -> Result<(), GitError> {
        let Some(home) = self.home.as_deref() else { return Ok(()) };
        add(&own.join(OWNERS), home)?;
        if let Some(common) = own.parent().and_then(Path::parent) {
            let making = common.join(MAKING).join(ticket.as_str());
            if homes(&making) == [home] {
                // Ignored: what it says is still true.
                std::fs::remove_file(making).ok();
            }
        }
        Ok(())
    }

    /// Marks a worktree that came from the pool as this home's alone.
    pub(super) fn sign_drawn(&self, own: &Path) -> Result<(), GitError> {
        let Some(home) = self.home.as_deref() else { return Ok(()) };
        let file = own.join(OWNERS);
        std::fs::write(&file, line(home)).map_err(|e| GitError::file("write", &file, &e))
    }
}

/// The homes that have made or taken a worktree; none: nobody has said so. `own` is its own git folder.
pub(super) fn owners(common: &Path, own: Option<&Path>, ticket: Option<&TicketId>) -> Vec<PathBuf> {
    let marked = own.map(|own| homes(&own.join(OWNERS))).unwrap_or_default();
    match ticket.filter(|_| marked.is_empty()) {
        Some(ticket) => homes(&common.join(MAKING).join(ticket.as_str())),
        None => marked,
    }
}

/// What the shared folder said of a worktree that is gone is said no longer.
pub(super) fn forget_making(common: &Path, ticket: &TicketId, home: &Path) {
    let making = common.join(MAKING).join(ticket.as_str());
    if homes(&making) == [home] {
        // Ignored: the next worktree of that ticket takes it over.
        std::fs::remove_file(making).ok();
    }
}

fn line(home: &Path) -> Vec<u8> {
    [home.as_os_str().as_bytes(), b"\n"].concat()
}

fn homes(file: &Path) -> Vec<PathBuf> {
    // Ignored: what cannot be read says nothing, and then nobody knows.
    let bytes = std::fs::read(file).unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| PathBuf::from(OsStr::from_bytes(line))).collect()
}

/// Adds a home to those that a file names.
fn add(file: &Path, home: &Path) -> Result<(), GitError> {
    let mut known = homes(file);
    if known.iter().any(|other| other == home) {
        return Ok(());
    }
    known.push(home.to_owned());
    let text: Vec<u8> = known.iter().flat_map(|home| line(home)).collect();
    let aside = file.with_extension("autodo-new");
    let write = std::fs::write(&aside, text).and_then(|()| std::fs::rename(&aside, file));
    write.map_err(|e| GitError::file("write", file, &e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worktree_remembers_every_home_that_took_it_and_one_being_made_is_known_by_its_ticket() {
        let dir = tempfile::tempdir().unwrap();
        let (common, own) = (dir.path(), dir.path().join("worktrees/T-1"));
        std::fs::create_dir_all(&own).unwrap();
        std::fs::create_dir(common.join(MAKING)).unwrap();
        let ticket = TicketId::parse("T-1").unwrap();
        let (one, other) = (Path::new("/h/one"), Path::new("/h/other"));
        let owned = |own: Option<&Path>| owners(common, own, Some(&ticket));
        assert_eq!(owned(Some(&own)), [""; 0].map(PathBuf::from));
        add(&common.join(MAKING).join("T-1"), one).unwrap();
        assert_eq!((owned(None), owned(Some(&own))), (vec![one.to_owned()], vec![one.to_owned()]));
        Git::new().of_home(one).sign(&own, &ticket).unwrap();
        assert!(owned(None).is_empty(), "it is said in one place only");
        for home in [other, one, other] {
            Git::new().of_home(home).sign(&own, &ticket).unwrap();
        }
        assert_eq!(owned(Some(&own)), [one, other]);
        Git::new().of_home(other).sign_drawn(&own).unwrap();
        assert_eq!(owned(Some(&own)), [other]);
    }
}
