//! What a diff says about risk: rules over paths, and rules over what happened to the files.
//!
//! autodo's own reading, independent of what the agent says; the effective risk is the maximum of both. A rule that
//! fires wrongly costs a person a minute, one that stays silent costs a night, so the rules lean to firing.

mod paths;

#[cfg(test)]
mod tests;

use paths::{PATH_RULES, is_lock_file, is_test};

use super::risk::{RiskOrigin, RiskSource, Tier};

/// Changed lines (without lock files) above which a diff is hard to review.
const LARGE_DIFF: u64 = 800;
/// Bytes above which a file is large.
const LARGE_FILE: u64 = 1024 * 1024;
/// Deleted files above which deleting is high risk.
const MANY_DELETED_FILES: usize = 5;
/// Lines of deleted files above which deleting is high risk.
const MANY_DELETED_LINES: u64 = 300;
/// Lines that a test may lose on balance before it counts as shrunk.
const TEST_LOSS: u32 = 2;
/// Paths that one reason names.
const NAMED: usize = 5;

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its content, mode or type changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It moved, and may have changed as well.
    Renamed,
}

/// One file of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiffEntry {
    /// Path from the repository's root, `/` between components; the old path of a deleted file.
    pub path: String,
    /// Where it was before, if it was renamed.
    pub old_path: Option<String>,
    /// What happened.
    pub kind: ChangeKind,
    /// Lines added; 0 for binary files.
    pub added: u32,
    /// Lines deleted; 0 for binary files.
    pub deleted: u32,
    /// True if git takes it for binary.
    pub binary: bool,
    /// True if it can be executed now, and could not before.
    pub executable_set: bool,
    /// Target, if it is now a symbolic link and its target changed.
    pub symlink: Option<String>,
    /// True if it is a submodule.
    pub submodule: bool,
    /// Size now, in bytes; 0 if deleted.
    pub bytes: u64,
}

impl DiffEntry {
    /// A file with nothing special about it.
    #[must_use]
    pub fn new(path: impl Into<String>, kind: ChangeKind) -> Self {
        Self {
            path: path.into(),
            old_path: None,
            kind,
            added: 0,
            deleted: 0,
            binary: false,
            executable_set: false,
            symlink: None,
            submodule: false,
            bytes: 0,
        }
    }

    /// What happened, for people: `added, +10`, `+10 −3`, `renamed from x, executable bit set`.
    #[must_use]
    pub fn note(&self) -> String {
        let mut parts = Vec::new();
        let (added, deleted) = (self.added, self.deleted);
        match self.kind {
            ChangeKind::Added => parts.push("added".to_owned()),
            ChangeKind::Deleted => parts.push("deleted".to_owned()),
            ChangeKind::Renamed => {
                parts.push(format!("renamed from {}", self.old_path.as_deref().unwrap_or("an unknown path")));
            }
            ChangeKind::Modified => {}
        }
        match (added, deleted) {
            (0, 0) => {}
            (_, 0) if self.kind == ChangeKind::Added => parts.push(format!("+{added}")),
            (0, _) if self.kind == ChangeKind::Deleted => parts.push(format!("−{deleted}")),
            _ => parts.push(format!("+{added} −{deleted}")),
        }
        if self.binary {
            parts.push("binary".to_owned());
        }
        if self.executable_set {
            parts.push("executable bit set".to_owned());
        }
        if let Some(target) = &self.symlink {
            parts.push(format!("symlink to {target}"));
        }
        if self.submodule {
            parts.push("submodule".to_owned());
        }
        if parts.is_empty() {
            parts.push("mode or type changed".to_owned());
        }
        parts.join(", ")
    }

    /// Its path now and its path before.
    fn all_paths(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.path.as_str()).chain(self.old_path.as_deref())
    }
}

/// What `entries` say about risk: at most one source a rule, highest tier first. A source names up to five paths.
#[must_use]
pub fn risks(entries: &[DiffEntry]) -> Vec<RiskSource> {
    let mut sources: Vec<RiskSource> = PATH_RULES
        .iter()
        .filter_map(|rule| {
            let hit = entries.iter().filter(|e| e.all_paths().any(|p| rule.fires_on(p)));
            source(rule.tier, rule.why, hit.map(|e| e.path.as_str()))
        })
        .collect();
    sources.extend(deletions(entries));
    sources.extend(tests_weakened(entries));
    sources.extend(kinds_of_file(entries));
    sources.extend(size(entries));
    // Stable: within a tier the order of the rules stays.
    sources.sort_by_key(|s| std::cmp::Reverse(s.tier));
    sources
}

/// Builds a source of the paths that a rule fired on; `None` if there are none.
fn source<'a>(tier: Tier, why: &str, paths: impl Iterator<Item = &'a str>) -> Option<RiskSource> {
    let paths: Vec<&str> = paths.collect();
    let named = paths.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let why = match paths.len() {
        0 => return None,
        n if n > NAMED => format!("{why}: {named} and {} more", n - NAMED),
        _ => format!("{why}: {named}"),
    };
    Some(RiskSource { source: RiskOrigin::Diff, tier, why })
}

fn deletions(entries: &[DiffEntry]) -> Option<RiskSource> {
    let gone: Vec<&DiffEntry> = entries.iter().filter(|e| e.kind == ChangeKind::Deleted && !is_test(&e.path)).collect();
    let lines: u64 = gone.iter().map(|e| u64::from(e.deleted)).sum();
    let many = gone.len() > MANY_DELETED_FILES || lines > MANY_DELETED_LINES;
    let tier = if many { Tier::High } else { Tier::Medium };
    source(tier, &format!("deletes files ({} with {lines} lines)", gone.len()), gone.iter().map(|e| e.path.as_str()))
}

fn tests_weakened(entries: &[DiffEntry]) -> Vec<RiskSource> {
    let deleted = entries.iter().filter(|e| match e.kind {
        ChangeKind::Deleted => is_test(&e.path),
        // A test that moves where no test runner looks is gone as well.
        ChangeKind::Renamed => e.old_path.as_deref().is_some_and(is_test) && !is_test(&e.path),
        ChangeKind::Added | ChangeKind::Modified => false,
    });
    let shrunk = entries.iter().filter(|e| {
        matches!(e.kind, ChangeKind::Modified | ChangeKind::Renamed)
            && is_test(&e.path)
            && e.deleted > e.added.saturating_add(TEST_LOSS)
    });
    [
        source(Tier::High, "deletes tests", deleted.map(|e| e.path.as_str())),
        source(Tier::High, "tests lose lines", shrunk.map(|e| e.path.as_str())),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn kinds_of_file(entries: &[DiffEntry]) -> Vec<RiskSource> {
    let paths = |wanted: fn(&DiffEntry) -> bool| entries.iter().filter(move |e| wanted(e)).map(|e| e.path.as_str());
    let outside = |e: &DiffEntry| e.symlink.as_deref().is_some_and(|target| leaves_tree(&e.path, target));
    let gone = |e: &DiffEntry| e.kind == ChangeKind::Deleted;
    [
        source(
            Tier::High,
            "symbolic links out of the repository",
            entries.iter().filter(|e| outside(e)).map(|e| e.path.as_str()),
        ),
        source(
            Tier::Medium,
            "symbolic links",
            entries.iter().filter(|e| e.symlink.is_some() && !outside(e)).map(|e| e.path.as_str()),
        ),
        source(Tier::Medium, "files made executable", paths(|e| e.executable_set)),
        source(Tier::Medium, "submodules", paths(|e| e.submodule)),
        source(
            Tier::Medium,
            "binary files, which nobody can review",
            entries.iter().filter(|e| e.binary && !gone(e)).map(|e| e.path.as_str()),
        ),
        source(Tier::Medium, "files larger than 1 MB", paths(|e| e.bytes > LARGE_FILE)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn size(entries: &[DiffEntry]) -> Option<RiskSource> {
    let lines: u64 =
        entries.iter().filter(|e| !is_lock_file(&e.path)).map(|e| u64::from(e.added) + u64::from(e.deleted)).sum();
    (lines > LARGE_DIFF).then(|| RiskSource {
        source: RiskOrigin::Diff,
        tier: Tier::Medium,
        why: format!("a large diff: {lines} changed lines in {} files", entries.len()),
    })
}

/// True if the symbolic link `path` with `target` points out of the repository: absolute, or too many `..`.
fn leaves_tree(path: &str, target: &str) -> bool {
    if target.starts_with(['/', '\\', '~']) || target.as_bytes().get(1) == Some(&b':') {
        return true;
    }
    let mut depth = path.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                let Some(up) = depth.checked_sub(1) else { return true };
                depth = up;
            }
            _ => depth += 1,
        }
    }
    false
}
