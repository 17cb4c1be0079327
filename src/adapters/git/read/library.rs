//! Reads by libgit2.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use git2::{Delta, DiffFindOptions, DiffOptions, ErrorCode, FileMode, Oid, Patch, Repository, RepositoryOpenFlags};

use crate::adapters::git::{
    command::GitError,
    read::{Head, Layout, Reads},
};
use crate::domain::risk_rules::{ChangeKind, DiffEntry};

/// A repository, opened by libgit2.
pub(crate) struct Library {
    repo: Repository,
    dir: PathBuf,
}

impl Library {
    /// Opens the repository that holds `dir`.
    pub(crate) fn open(dir: &Path) -> Result<Self, GitError> {
        let none: [&OsStr; 0] = [];
        let repo = Repository::open_ext(dir, RepositoryOpenFlags::empty(), none)
            .map_err(|e| error("open the repository", dir, &e))?;
        Ok(Self { repo, dir: dir.to_owned() })
    }

    fn error(&self, what: &str, why: &git2::Error) -> GitError {
        error(what, &self.dir, why)
    }

    fn id(&self, commit: &str) -> Result<Oid, GitError> {
        Oid::from_str(commit).map_err(|e| self.error(&format!("read the commit id {commit:?}"), &e))
    }
}

/// Settings under which a worktree is more than its files. Source: git-worktree(1), git 2.47.
const NOT_PLAIN: [&str; 4] =
    ["extensions.worktreeConfig", "extensions.relativeWorktrees", "worktree.useRelativePaths", "core.sparseCheckout"];

fn error(what: &str, dir: &Path, why: &git2::Error) -> GitError {
    GitError::Read { what: what.to_owned(), dir: dir.to_owned(), why: why.message().to_owned() }
}

/// "Is not there" as an answer instead of an error.
fn found<T>(result: Result<T, git2::Error>) -> Result<Option<T>, git2::Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(e) if matches!(e.code(), ErrorCode::NotFound | ErrorCode::UnbornBranch) => Ok(None),
        Err(e) => Err(e),
    }
}

impl Reads for Library {
    fn layout(&self) -> Result<Layout, GitError> {
        let real = |p: &Path| p.canonicalize().map_err(|e| GitError::file("find", p, &e));
        let root = self.repo.workdir().map(real).transpose()?;
        Ok(Layout { root, common_dir: real(self.repo.commondir())? })
    }

    fn is_plain(&self) -> bool {
        self.repo.config().and_then(|mut config| config.snapshot()).is_ok_and(|config| {
            let is_on = |name: &str| config.get_bool(name).is_ok_and(|is_on| is_on);
            !NOT_PLAIN.into_iter().any(is_on) && config.get_entry("core.sharedRepository").is_err()
        })
    }

    fn head(&self) -> Result<Head, GitError> {
        let wrong = |e: git2::Error| self.error("read HEAD", &e);
        let head = self.repo.find_reference("HEAD").map_err(wrong)?;
        let branch = head
            .symbolic_target_bytes()
            .and_then(|t| t.strip_prefix(b"refs/heads/"))
            .map(|b| String::from_utf8_lossy(b).into_owned());
        let commit = found(head.peel_to_commit()).map_err(wrong)?.map(|c| c.id().to_string());
        Ok(Head { commit, branch })
    }

    fn resolve(&self, rev: &str) -> Result<Option<String>, GitError> {
        let wrong = |e: git2::Error| self.error(&format!("find the commit {rev:?}"), &e);
        let Some(object) = found(self.repo.revparse_single(rev)).map_err(wrong)? else { return Ok(None) };
        let commit = object.peel_to_commit().map_err(wrong)?;
        Ok(Some(commit.id().to_string()))
    }

    fn symbolic(&self, name: &str) -> Result<Option<String>, GitError> {
        let reference = found(self.repo.find_reference(name)).map_err(|e| self.error(&format!("read {name}"), &e))?;
        Ok(reference
            .and_then(|r| r.symbolic_target_bytes().map(<[u8]>::to_vec))
            .map(|b| String::from_utf8_lossy(&b).into_owned()))
    }

    fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        let base = found(self.repo.merge_base(self.id(one)?, self.id(other)?));
        let base = base.map_err(|e| self.error(&format!("find a common ancestor of {one} and {other}"), &e))?;
        Ok(base.map(|id| id.to_string()))
    }

    fn is_ancestor(&self, ancestor: &str, commit: &str) -> Result<bool, GitError> {
        let (ancestor, commit) = (self.id(ancestor)?, self.id(commit)?);
        let wrong = |e: git2::Error| self.error(&format!("compare {ancestor} and {commit}"), &e);
        self.repo.find_commit(ancestor).map_err(wrong)?;
        Ok(ancestor == commit || self.repo.graph_descendant_of(commit, ancestor).map_err(wrong)?)
    }

    fn count(&self, from: &str, to: &str) -> Result<u32, GitError> {
        let (from, to) = (self.id(from)?, self.id(to)?);
        let count = || {
            let mut walk = self.repo.revwalk()?;
            walk.push(to)?;
            walk.hide(from)?;
            walk.try_fold(0u32, |n, id| id.map(|_| n.saturating_add(1)))
        };
        count().map_err(|e| self.error(&format!("count the commits {from}..{to}"), &e))
    }

    fn diff(&self, from: &str, to: &str) -> Result<Vec<DiffEntry>, GitError> {
        let (from, to) = (self.id(from)?, self.id(to)?);
        let entries = || {
            let old = self.repo.find_commit(from)?.tree()?;
            let new = self.repo.find_commit(to)?.tree()?;
            let mut options = DiffOptions::new();
            options.include_typechange(true).ignore_submodules(false);
            let mut diff = self.repo.diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))?;
            diff.find_similar(Some(DiffFindOptions::new().renames(true).rename_limit(1000)))?;
            (0..diff.deltas().len()).map(|i| self.entry(&diff, i)).collect::<Result<Vec<_>, _>>()
        };
        let mut entries = entries().map_err(|e| self.error(&format!("compare {from} and {to}"), &e))?;
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }
}

impl Library {
    fn entry(&self, diff: &git2::Diff<'_>, index: usize) -> Result<DiffEntry, git2::Error> {
        let patch = Patch::from_diff(diff, index)?;
        let Some(delta) = diff.get_delta(index) else { return Err(git2::Error::from_str("a diff lost an entry")) };
        let (old, new) = (delta.old_file(), delta.new_file());
        let path = |f: &git2::DiffFile<'_>| String::from_utf8_lossy(f.path_bytes().unwrap_or_default()).into_owned();
        let kind = match delta.status() {
            Delta::Added | Delta::Copied => ChangeKind::Added,
            Delta::Deleted => ChangeKind::Deleted,
            Delta::Renamed => ChangeKind::Renamed,
            _ => ChangeKind::Modified,
        };
        let mut entry = DiffEntry::new(path(if kind == ChangeKind::Deleted { &old } else { &new }), kind);
        if kind == ChangeKind::Renamed {
            entry.old_path = Some(path(&old));
        }
        entry.submodule = [old.mode(), new.mode()].contains(&FileMode::Commit);
        entry.binary = !entry.submodule && delta.flags().is_binary();
        if let Some(patch) = patch
            && !entry.binary
        {
            let (_, added, deleted) = patch.line_stats()?;
            entry.added = u32::try_from(added).unwrap_or(u32::MAX);
            entry.deleted = u32::try_from(deleted).unwrap_or(u32::MAX);
        }
        if kind == ChangeKind::Deleted || entry.submodule {
            return Ok(entry);
        }
        let is_executable = |mode| mode == FileMode::BlobExecutable;
        entry.executable_set = is_executable(new.mode()) && !is_executable(old.mode());
        entry.bytes = self.repo.odb()?.read_header(new.id())?.0 as u64;
        if new.mode() == FileMode::Link && (new.id() != old.id() || old.mode() != FileMode::Link) {
            entry.symlink = Some(String::from_utf8_lossy(self.repo.find_blob(new.id())?.content()).into_owned());
        }
        Ok(entry)
    }
}
