//! Scratch repositories.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use super::program::Program;

/// A repository of a test, with a checkout on `main`.
#[derive(Clone, Debug)]
pub struct Repo {
    /// The checkout.
    pub path: PathBuf,
    env: Vec<(OsString, OsString)>,
}

impl AsRef<Path> for Repo {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Repo {
    /// Makes one at `path` with one commit.
    pub fn make(path: PathBuf, env: Vec<(OsString, OsString)>) -> Self {
        std::fs::create_dir_all(&path).unwrap();
        let repo = Self { path, env };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo.commit(&[("README.md", "# A repository\n")], "first");
        repo
    }

    /// The checkout at `path`, in the environment of `other`.
    pub fn existing(path: &Path, other: &Self) -> Self {
        Self { path: path.to_owned(), env: other.env.clone() }
    }

    /// Runs git there; panics unless it succeeds. Returns its output without the last line end.
    #[track_caller]
    pub fn git(&self, args: &[&str]) -> String {
        let once = || Program::new(Path::new("git"), args, &self.path, self.env.clone()).run();
        let mut run = once();
        for _ in 0..200 {
            if !met_half_registered(&run.stderr) {
                break;
            }
            run = once();
        }
        assert_eq!(run.code, 0, "git {}\n{}", args.join(" "), run.both());
        run.stdout.trim_end_matches('\n').to_owned()
    }

    /// Writes a file into the checkout, with its folders.
    pub fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Writes files and commits them and nothing else; returns the commit.
    pub fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        for (path, text) in files {
            self.write(path, text);
            self.git(&["add", "--", path]);
        }
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Writes the project's settings.
    pub fn settings(&self, toml: &str) {
        self.write(".autodo/config.toml", toml);
    }

    /// Writes a ticket into the default backlog: `front` is its frontmatter, without the fences.
    pub fn ticket(&self, name: &str, front: &str, body: &str) -> PathBuf {
        self.write(&format!(".autodo/tickets/{name}.md"), &format!("---\n{}\n---\n{body}", front.trim_end()))
    }
}

/// True if git met a worktree that another git was registering at that moment, which says nothing about either.
pub fn met_half_registered(stderr: &str) -> bool {
    stderr.starts_with("fatal: failed to read ") && stderr.contains("/worktrees/")
}
