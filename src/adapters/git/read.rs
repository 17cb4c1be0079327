//! Reads of commits, references and diffs: by libgit2, and by git itself where libgit2 cannot.
//!
//! libgit2 1.9 cannot open repositories with reftable, SHA-256 or the old `extensions.partialClone`. So any error of it
//! only means that git's own program is asked; the error of that one counts.

mod cli;
mod library;

use std::path::{Path, PathBuf};

use self::{cli::Cli, library::Library};
use super::{Git, command::GitError};
use crate::domain::risk_rules::DiffEntry;

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Top of the checkout or worktree; `None`: bare.
    pub(crate) root: Option<PathBuf>,
    /// What all its worktrees share, without links in the path.
    pub(crate) common_dir: PathBuf,
}

/// What is checked out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// `None`: there is no commit yet.
    pub(crate) commit: Option<String>,
    /// Branch without `refs/heads/`; `None`: detached.
    pub(crate) branch: Option<String>,
}

/// Reads of one repository. They may block, and never change anything. Commits are given and returned as full ids.
pub(crate) trait Reads {
    /// Where it is.
    fn layout(&self) -> Result<Layout, GitError>;
    /// True if a worktree of it is no more than gitrepository-layout(5) shows: nothing is set for single worktrees or
    /// for parts of the tree. False also where that is not known.
    fn is_plain(&self) -> bool;
    /// What is checked out.
    fn head(&self) -> Result<Head, GitError>;
    /// The commit that `rev` names; `None`: it names none.
    fn resolve(&self, rev: &str) -> Result<Option<String>, GitError>;
    /// The reference that the symbolic reference `name` stands for; `None`: there is none of that name.
    fn symbolic(&self, name: &str) -> Result<Option<String>, GitError>;
    /// A best common ancestor; `None`: they share nothing.
    fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError>;
    /// True if `ancestor` is `commit`, or can be reached from it.
    fn is_ancestor(&self, ancestor: &str, commit: &str) -> Result<bool, GitError>;
    /// How many commits can be reached from `to` and not from `from`.
    fn count(&self, from: &str, to: &str) -> Result<u32, GitError>;
    /// What differs between the trees of two commits, by path.
    fn diff(&self, from: &str, to: &str) -> Result<Vec<DiffEntry>, GitError>;
}

impl Git {
    /// Reads from the repository that holds `dir`, beside the async runtime. `what` may run twice.
    pub(crate) async fn read<T, F>(&self, dir: &Path, what: F) -> Result<T, GitError>
    where
        T: Send + 'static,
        F: Fn(&dyn Reads) -> Result<T, GitError> + Send + 'static,
    {
        let (dir, program) = (dir.to_owned(), self.program.clone());
        let here = dir.clone();
        let read = move || {
            match Library::open(&dir).and_then(|library| what(&library)) {
                Ok(value) => return Ok(value),
                Err(why) => tracing::debug!(dir = %dir.display(), %why, "libgit2 cannot, git is asked"),
            }
            what(&Cli::new(program, &dir))
        };
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|e| {
            Err(GitError::Read { what: "read the repository".into(), dir: here, why: e.to_string() })
        })
    }

    /// The commit that `rev` names in the repository that holds `repo`.
    ///
    /// # Errors
    /// It could not be read. A `rev` that names no commit is `Ok(None)`.
    pub async fn resolve(&self, repo: &Path, rev: &str) -> Result<Option<String>, GitError> {
        let rev = rev.to_owned();
        self.read(repo, move |r| r.resolve(&rev)).await
    }
}

#[cfg(test)]
mod tests;
