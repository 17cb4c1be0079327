//! Copies and links what a worktree needs and git does not hold: `.env.local`, `node_modules`.
//!
//! Nothing is ever written over, nothing through a link that leads out of the worktree, and nothing at a path that git
//! tracks. What was placed is listed in the worktree's own git folder, so that it is never taken for work.

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Component, Path, PathBuf},
};

use super::{
    Git,
    command::{Call, GitError},
    include::INCLUDE,
    list::own_dir,
    prepare::RUN_FOLDER,
};
use crate::{domain::glob, ports::worktrees::WorktreeSpec};

/// File in the worktree's own git folder: the placed paths, each ended by NUL.
const PLACED: &str = "autodo-placed";
/// Files that one `copy` may copy; more is a mistake in a glob.
const COPIES_MAX: usize = 20_000;

/// How a path is placed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Copy,
    Link,
}

impl Git {
    /// Places the files of the spec; returns what a person may want to know.
    pub(crate) async fn place_files(&self, spec: &WorktreeSpec) -> Result<Vec<String>, GitError> {
        let is_asked = !spec.setup.copy.is_empty() || !spec.setup.symlink.is_empty();
        if !is_asked && !spec.repo.join(INCLUDE).exists() {
            return Ok(Vec::new());
        }
        let Some(from) = self.read(&spec.repo, |r| Ok(r.layout()?.root)).await? else {
            let note = "the repository is bare: there is nothing to copy or link";
            return Ok(is_asked.then(|| note.to_owned()).into_iter().collect());
        };
        let mut notes = Vec::new();
        let mut wanted = Vec::new();
        let mut placed = Vec::new();
        let tracked = self.files(&spec.path, &["--cached"]).await?;
        for (how, patterns) in [(How::Copy, &spec.setup.copy), (How::Link, &spec.setup.symlink)] {
            for pattern in patterns {
                check_pattern(pattern)?;
                let (root, glob) = (from.clone(), pattern.clone());
                let found = blocking(move || expand(&root, &glob)).await?;
                if found.is_empty() {
                    notes.push(format!("nothing in {} matches {pattern:?}", from.display()));
                }
                for path in found {
                    let files = if how == How::Copy { self.files_below(&from, &path).await? } else { vec![path] };
                    wanted.extend(files.into_iter().map(|file| (how, file)));
                }
            }
        }
        let included = self.included(&from).await?;
        if included.len() > COPIES_MAX {
            let why = format!("{INCLUDE} names more than {COPIES_MAX} files: link a folder instead (worktree.symlink)");
            return Err(GitError::Refused(why));
        }
        wanted.extend(included.into_iter().map(|file| (How::Copy, file)));
        for (how, file) in wanted {
            if is_tracked(&tracked, &file.to_string_lossy()) {
                notes.push(format!("left {}: git tracks it", file.display()));
                continue;
            }
            let (from, to, name) = (from.clone(), spec.path.clone(), file.clone());
            match blocking(move || place(&from, &to, &name, how)).await? {
                Placed::Now | Placed::Before => placed.push(file),
                Placed::Not(why) => notes.push(format!("left {}: {why}", file.display())),
            }
        }
        self.remember(spec, &placed, &mut notes).await?;
        Ok(notes)
    }

    /// What `git ls-files` lists in a worktree.
    pub(crate) async fn files(&self, worktree: &Path, which: &[&str]) -> Result<BTreeSet<String>, GitError> {
        let call = Call::new(worktree).args(["--no-optional-locks", "ls-files", "-z"]).args(which);
        let output = self.program.ok(&call).await?;
        Ok(String::from_utf8_lossy(&output.stdout).split_terminator('\0').map(str::to_owned).collect())
    }

    /// `path` itself, or, if it is a folder, the files and links in it.
    async fn files_below(&self, root: &Path, path: &Path) -> Result<Vec<PathBuf>, GitError> {
        let (root, path) = (root.to_owned(), path.to_owned());
        blocking(move || {
            let mut files = Vec::new();
            walk(&root, &path, &mut |file, is_dir| {
                if !is_dir {
                    files.push(file.to_owned());
                }
                files.len() <= COPIES_MAX
            })?;
            if files.len() > COPIES_MAX {
                let shown = path.display();
                let why = format!("{shown} holds more than {COPIES_MAX} files: link it instead of copying it");
                return Err(GitError::Refused(why));
            }
            Ok(files)
        })
        .await
    }

    /// Lists what was placed, and keeps out of git what the project does not: a link named `node_modules` is not
    /// covered by the usual line `node_modules/`, and no agent is to commit a copy of `.env.local`.
    async fn remember(&self, spec: &WorktreeSpec, placed: &[PathBuf], notes: &mut Vec<String>) -> Result<(), GitError> {
        let file = own_dir(&spec.path)?.join(PLACED);
        let mut bytes = Vec::new();
        let open = self.files(&spec.path, &["--others", "--exclude-standard"]).await?;
        for path in placed {
            bytes.extend_from_slice(path.as_os_str().as_encoded_bytes());
            bytes.push(0);
            let name = path.to_string_lossy();
            if open.contains(&*name) && self.exclude_line(&spec.repo, &format!("/{}", escaped(&name))).await? {
                notes.push(format!("{name} is kept out of git by a line in info/exclude"));
            }
        }
        let write = || std::fs::File::create(&file).and_then(|mut f| f.write_all(&bytes));
        write().map_err(|e| GitError::file("write", &file, &e))
    }
}

/// True if git tracks something at or below `path`.
fn is_tracked(tracked: &BTreeSet<String>, path: &str) -> bool {
    let below = format!("{path}/");
    tracked.contains(path) || tracked.range(below.clone()..).next().is_some_and(|p| p.starts_with(&below))
}

/// The paths that autodo placed in a worktree.
pub(crate) fn placed(worktree: &Path) -> BTreeSet<String> {
    let read = own_dir(worktree).ok().and_then(|dir| std::fs::read(dir.join(PLACED)).ok());
    let text = String::from_utf8_lossy(read.as_deref().unwrap_or_default()).into_owned();
    text.split_terminator('\0').map(str::to_owned).collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GitError> + Send + 'static,
) -> Result<T, GitError> {
    let lost = |e: tokio::task::JoinError| GitError::Refused(format!("cannot place files: {e}"));
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}

fn check_pattern(pattern: &str) -> Result<(), GitError> {
    let is_plain = |c: Component<'_>| matches!(c, Component::Normal(_) | Component::CurDir);
    if pattern.is_empty() || !Path::new(pattern).components().all(is_plain) {
        let why = format!("the pattern {pattern:?} of [worktree] must be relative to the checkout, without `..`");
        return Err(GitError::Refused(why));
    }
    Ok(())
}

/// A path as a line of an exclude file.
fn escaped(path: &str) -> String {
    path.chars().fold(String::new(), |mut line, c| {
        if matches!(c, '*' | '?' | '[' | '\\' | ' ' | '!' | '#') {
            line.push('\\');
        }
        line.push(c);
        line
    })
}

/// The paths below `root` that match `pattern`, sorted. Literal parts are looked up, never searched.
fn expand(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, GitError> {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    let parts: Vec<&str> = pattern.split('/').collect();
    let literal = parts.iter().take_while(|p| !glob::is_wild(p)).count();
    let start: PathBuf = parts[..literal].iter().collect();
    if literal == parts.len() {
        let is_there = std::fs::symlink_metadata(root.join(&start)).is_ok();
        return Ok(if is_there { vec![start] } else { Vec::new() });
    }
    // Deeper than the pattern nothing can match, unless it says so.
    let depth = if parts.contains(&"**") { usize::MAX } else { parts.len() };
    let mut found = Vec::new();
    walk(root, &start, &mut |path, _| {
        let text = path.to_string_lossy();
        if glob::matches(pattern, &text) {
            found.push(path.to_owned());
            // What is below goes along with it.
            return false;
        }
        path.components().count() < depth
    })?;
    found.sort();
    Ok(found)
}

/// Shows `path` and what is below to `visit`, which says whether to go on below. Links are not followed; `.git` and
/// the run folder are left out.
fn walk(root: &Path, path: &Path, visit: &mut impl FnMut(&Path, bool) -> bool) -> Result<(), GitError> {
    let full = root.join(path);
    let is_dir = match std::fs::symlink_metadata(&full) {
        Ok(kind) => kind.is_dir(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(GitError::file("look at", &full, &e)),
    };
    let is_hidden = path.ends_with(".git") || path == Path::new(RUN_FOLDER);
    let goes_on = path.as_os_str().is_empty() || (!is_hidden && visit(path, is_dir));
    if !is_dir || !goes_on {
        return Ok(());
    }
    for child in std::fs::read_dir(&full).map_err(|e| GitError::file("list", &full, &e))? {
        let child = child.map_err(|e| GitError::file("list", &full, &e))?;
        walk(root, &path.join(child.file_name()), visit)?;
    }
    Ok(())
}

/// What became of a file to place.
enum Placed {
    Now,
    /// The same was there already.
    Before,
    Not(&'static str),
}

fn place(from: &Path, to: &Path, name: &Path, how: How) -> Result<Placed, GitError> {
    let (source, target) = (from.join(name), to.join(name));
    let mut folder = to.to_owned();
    for part in name.parent().into_iter().flat_map(Path::components) {
        folder.push(part);
        match std::fs::symlink_metadata(&folder) {
            Ok(kind) if kind.is_dir() => {}
            Ok(_) => return Ok(Placed::Not("a part of its path is a link or a file")),
            Err(_) => std::fs::create_dir(&folder).map_err(|e| GitError::file("make", &folder, &e))?,
        }
    }
    let link_to = match how {
        How::Link => Some(source.clone()),
        // A link is copied as a link.
        How::Copy => std::fs::read_link(&source).ok(),
    };
    if std::fs::symlink_metadata(&target).is_ok() {
        let same = match &link_to {
            Some(wanted) => std::fs::read_link(&target).is_ok_and(|t| t == *wanted),
            None => std::fs::read(&target).ok() == std::fs::read(&source).ok(),
        };
        return Ok(if same { Placed::Before } else { Placed::Not("there is something already") });
    }
    match link_to {
        Some(wanted) => std::os::unix::fs::symlink(wanted, &target),
        None => std::fs::copy(&source, &target).map(drop),
    }
    .map_err(|e| GitError::file("place", &target, &e))?;
    Ok(Placed::Now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_leave_the_checkout_are_refused() {
        for bad in ["", "/etc/passwd", "../x", "a/../../x"] {
            assert!(check_pattern(bad).is_err(), "{bad}");
        }
        for good in [".env*", "a/**/b", "./x"] {
            assert!(check_pattern(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn globs_find_paths_and_stop_at_what_they_found() {
        let dir = tempfile::tempdir().unwrap();
        for file in [".env", ".env.local", "a/.env", "a/b/x.key", ".git/x.key", "node_modules/m/x.key"] {
            let file = dir.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let found = |pattern: &str| {
            let paths = expand(dir.path(), pattern).unwrap();
            paths.iter().map(|p| p.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found(".env*"), [".env", ".env.local"]);
        assert_eq!(found("**/.env"), [".env", "a/.env"]);
        assert_eq!(found("a/*/x.key"), ["a/b/x.key"]);
        assert_eq!(found("**/*.key"), ["a/b/x.key", "node_modules/m/x.key"]);
        assert_eq!(found("node_modules/"), ["node_modules"]);
        assert_eq!(found("node_mod*"), ["node_modules"]);
        assert_eq!(found("nothing"), Vec::<String>::new());
    }

    #[test]
    fn a_path_is_excluded_letter_by_letter() {
        assert_eq!(escaped("a b/[x]*!#"), "a\\ b/\\[x\\]\\*\\!\\#".replace("\\]", "]"));
    }
}
