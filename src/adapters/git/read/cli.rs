//! Reads by git's own program, for repositories that libgit2 cannot open.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::adapters::git::{
    command::{Call, GitError, Output, Program, failed},
    read::{Head, Layout, Reads},
};
use crate::domain::risk_rules::{ChangeKind, DiffEntry};

/// A repository, read by git.
pub(crate) struct Cli {
    program: Program,
    dir: PathBuf,
    runtime: tokio::runtime::Handle,
}

impl Cli {
    /// Reads the repository that holds `dir`. Only for threads that may block, inside a runtime.
    pub(crate) fn new(program: Program, dir: &Path) -> Self {
        Self { program, dir: dir.to_owned(), runtime: tokio::runtime::Handle::current() }
    }

    fn call(&self, args: &[&str]) -> Call {
        Call::new(&self.dir).args(args)
    }

    fn run(&self, args: &[&str]) -> Result<Output, GitError> {
        self.runtime.block_on(self.program.run(&self.call(args)))
    }

    fn ok(&self, args: &[&str]) -> Result<Output, GitError> {
        self.runtime.block_on(self.program.ok(&self.call(args)))
    }

    /// Runs a command whose exit status 1 means "there is none".
    fn maybe(&self, args: &[&str]) -> Result<Option<String>, GitError> {
        let output = self.run(args)?;
        match output.status.code() {
            Some(0) => Ok(Some(output.text())),
            Some(1) => Ok(None),
            _ => Err(failed(&self.call(args), &output)),
        }
    }
}

impl Reads for Cli {
    fn layout(&self) -> Result<Layout, GitError> {
        let real = |p: String| {
            let path = self.dir.join(p);
            path.canonicalize().map_err(|e| GitError::file("find", &path, &e))
        };
        let common_dir = real(self.ok(&["rev-parse", "--git-common-dir"])?.text())?;
        let bare = self.ok(&["rev-parse", "--is-inside-work-tree"])?.text() != "true";
        let root = if bare { None } else { Some(real(self.ok(&["rev-parse", "--show-toplevel"])?.text())?) };
        Ok(Layout { root, common_dir })
    }

    fn is_plain(&self) -> bool {
        // What libgit2 cannot open is not.
        false
    }

    fn head(&self) -> Result<Head, GitError> {
        let commit = self.resolve("HEAD")?;
        let branch = self.symbolic("HEAD")?.and_then(|r| r.strip_prefix("refs/heads/").map(str::to_owned));
        Ok(Head { commit, branch })
    }

    fn resolve(&self, rev: &str) -> Result<Option<String>, GitError> {
        self.maybe(&["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{rev}^{{commit}}")])
    }

    fn symbolic(&self, name: &str) -> Result<Option<String>, GitError> {
        self.maybe(&["symbolic-ref", "--quiet", name])
    }

    fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        self.maybe(&["merge-base", one, other])
    }

    fn is_ancestor(&self, ancestor: &str, commit: &str) -> Result<bool, GitError> {
        Ok(self.maybe(&["merge-base", "--is-ancestor", ancestor, commit])?.is_some())
    }

    fn count(&self, from: &str, to: &str) -> Result<u32, GitError> {
        let text = self.ok(&["rev-list", "--count", &format!("{from}..{to}"), "--"])?.text();
        text.parse().map_err(|_| self.wrong("count commits", &text))
    }

    fn diff(&self, from: &str, to: &str) -> Result<Vec<DiffEntry>, GitError> {
        let args = ["diff-tree", "-r", "-z", "-M", "-l1000", "--raw", "--numstat", "--no-ext-diff", "--no-textconv"];
        let args = [&args[..], &["--no-abbrev", "--ignore-submodules=none", from, to, "--"]].concat();
        let output = self.ok(&args)?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut entries = parse_diff(&text).ok_or_else(|| self.wrong("read the output of git diff-tree", &text))?;
        let sizes = self.sizes(to)?;
        for (entry, is_link) in &mut entries {
            entry.bytes = sizes.get(&entry.path).copied().unwrap_or(0);
            if *is_link {
                let target = self.ok(&["cat-file", "blob", &format!("{to}:{}", entry.path)])?;
                entry.symlink = Some(String::from_utf8_lossy(&target.stdout).into_owned());
            }
        }
        let mut entries: Vec<DiffEntry> = entries.into_iter().map(|(e, _)| e).collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }
}

impl Cli {
    fn wrong(&self, what: &str, text: &str) -> GitError {
        let why = format!("unexpected output {:?}", text.chars().take(200).collect::<String>());
        GitError::Read { what: what.to_owned(), dir: self.dir.clone(), why }
    }

    /// Sizes of all files of a commit.
    fn sizes(&self, commit: &str) -> Result<HashMap<String, u64>, GitError> {
        let output = self.ok(&["ls-tree", "-r", "-l", "-z", "--full-tree", commit])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = |line: &str| {
            let (facts, path) = line.split_once('\t')?;
            // A submodule has `-` for its size.
            Some((path.to_owned(), facts.split_whitespace().nth(3)?.parse().unwrap_or(0)))
        };
        Ok(text.split_terminator('\0').filter_map(line).collect())
    }
}

/// Reads `--raw --numstat -z`: all raw entries, then all counts. The flag says that the entry is now a link, and was
/// not the same before.
fn parse_diff(text: &str) -> Option<Vec<(DiffEntry, bool)>> {
    let mut fields = text.split_terminator('\0').peekable();
    let mut entries: Vec<(DiffEntry, bool)> = Vec::new();
    while let Some(facts) = fields.next_if(|f| f.starts_with(':')) {
        let facts: Vec<&str> = facts.trim_start_matches(':').split(' ').collect();
        let [old_mode, new_mode, old_id, new_id, status] = facts[..] else { return None };
        let first = fields.next()?;
        let kind = match status.bytes().next()? {
            b'A' | b'C' => ChangeKind::Added,
            b'D' => ChangeKind::Deleted,
            b'R' => ChangeKind::Renamed,
            _ => ChangeKind::Modified,
        };
        let moved = status.starts_with(['R', 'C']);
        let path = if moved { fields.next()? } else { first };
        let mut entry = DiffEntry::new(path, kind);
        entry.old_path = (kind == ChangeKind::Renamed).then(|| first.to_owned());
        entry.submodule = [old_mode, new_mode].contains(&"160000");
        entry.executable_set = new_mode == "100755" && old_mode != "100755";
        entries.push((entry, new_mode == "120000" && (old_id != new_id || old_mode != "120000")));
    }
    for (entry, _) in &mut entries {
        let counts = fields.next()?;
        let mut parts = counts.splitn(3, '\t');
        let (added, deleted, path) = (parts.next()?, parts.next()?, parts.next()?);
        if path.is_empty() {
            // A rename: old and new path follow.
            fields.next()?;
            fields.next()?;
        }
        entry.binary = added == "-";
        if !entry.binary {
            entry.added = added.parse().ok()?;
            entry.deleted = deleted.parse().ok()?;
        }
    }
    Some(entries)
}
