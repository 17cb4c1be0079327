//! Test support: real repositories in a temporary folder, with a home and a configuration of their own.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use autodo::{
    adapters::git::{Git, Limits},
    domain::{id::TicketId, ticket::WorktreeSetup},
    ports::worktrees::WorktreeSpec,
};

use crate::support::repo::met_half_registered;

/// A folder with a home, a git configuration and one repository, `repo`, with one commit on `main`.
pub struct World {
    dir: tempfile::TempDir,
}

impl World {
    /// Makes one, with an identity configured.
    pub fn new() -> Self {
        Self::with("[user]\nname = Ann\nemail = ann@example.com\n", &[])
    }

    /// Makes one with this in its git configuration, and these arguments for `git init`.
    pub fn with(config: &str, init: &[&str]) -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::create_dir(world.root().join("home")).unwrap();
        std::fs::write(world.root().join("gitconfig"), config).unwrap();
        std::fs::create_dir(world.repo()).unwrap();
        world.git(&[&["init", "-q", "-b", "main"], init].concat());
        world.write("README.md", "hello\n");
        world.write(".gitignore", "*.ignored\nnode_modules/\n");
        world.commit("first");
        world
    }

    /// The folder of all this, without links in its path.
    pub fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    /// The user's checkout.
    pub fn repo(&self) -> PathBuf {
        self.root().join("repo")
    }

    /// The place of a ticket's worktree.
    pub fn place(&self, ticket: &str) -> PathBuf {
        self.root().join("repo.worktrees").join(ticket)
    }

    /// What keeps the machine's own settings out.
    pub fn env(&self) -> Vec<(OsString, OsString)> {
        let at = |name: &str| self.root().join(name).into_os_string();
        vec![
            ("HOME".into(), at("home")),
            ("XDG_CONFIG_HOME".into(), at("home")),
            ("GIT_CONFIG_GLOBAL".into(), at("gitconfig")),
            ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
        ]
    }

    /// The adapter under test.
    pub fn adapter(&self) -> Git {
        Git::new().with_env(self.env())
    }

    /// The adapter with short time limits, in milliseconds for a checkout or set-up command.
    pub fn hasty(&self, ms: u64) -> Git {
        let limit = std::time::Duration::from_millis(ms);
        self.adapter().with_limits(Limits { checkout: limit, setup: limit, ..Limits::default() })
    }

    /// Runs git in the checkout; it must succeed.
    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.repo(), args)
    }

    /// Runs git in `dir`; it must succeed. Returns its output without the last line feed.
    pub fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let mut output = self.try_git(dir, args);
        for _ in 0..200 {
            if !met_half_registered(&String::from_utf8_lossy(&output.stderr)) {
                break;
            }
            output = self.try_git(dir, args);
        }
        assert!(output.status.success(), "git {args:?} in {}: {output:?}", dir.display());
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    /// Runs git in `dir`.
    pub fn try_git(&self, dir: &Path, args: &[&str]) -> Output {
        Command::new("git").args(args).current_dir(dir).envs(self.env()).output().unwrap()
    }

    /// Writes a file into the checkout.
    pub fn write(&self, path: &str, text: &str) {
        write(&self.repo(), path, text);
    }

    /// Commits all changes of the checkout; returns the commit.
    pub fn commit(&self, message: &str) -> String {
        self.commit_in(&self.repo(), message)
    }

    /// Commits all changes of a worktree; returns the commit.
    pub fn commit_in(&self, dir: &Path, message: &str) -> String {
        self.git_in(dir, &["add", "-A"]);
        self.git_in(dir, &["-c", "user.name=Bo", "-c", "user.email=bo@x", "commit", "-q", "-m", message]);
        self.git_in(dir, &["rev-parse", "HEAD"])
    }

    /// Writes an executable hook.
    pub fn hook(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        let file = self.repo().join(".git/hooks").join(name);
        write(&self.repo().join(".git/hooks"), name, &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What is to be made for a ticket, of HEAD.
    pub fn spec(&self, ticket: &str) -> WorktreeSpec {
        WorktreeSpec {
            ticket: id(ticket),
            repo: self.repo(),
            path: self.place(ticket),
            base: "HEAD".to_owned(),
            on: Vec::new(),
            base_commit: None,
            rebase: false,
            setup: WorktreeSetup::default(),
            log: self.root().join(format!("{ticket}.log")),
        }
    }

    /// The commit of a branch, or nothing.
    pub fn tip(&self, name: &str) -> Option<String> {
        let output = self.try_git(&self.repo(), &["rev-parse", "--verify", "--quiet", name]);
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    /// `git worktree list --porcelain`; asked again where it met a worktree that was being registered just then.
    pub fn list(&self) -> String {
        let args = ["worktree", "list", "--porcelain"];
        let met = |output: &Output| String::from_utf8_lossy(&output.stderr).contains("failed to read .git/worktrees/");
        for _ in 0..100 {
            if !met(&self.try_git(&self.repo(), &args)) {
                break;
            }
        }
        self.git(&args)
    }
}

/// A ticket's id.
pub fn id(text: &str) -> TicketId {
    TicketId::parse(text).unwrap()
}

/// Writes a file and its folders.
pub fn write(dir: &Path, path: &str, text: &str) {
    let file = dir.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

/// Reads a file as text.
pub fn read(dir: &Path, path: &str) -> String {
    std::fs::read_to_string(dir.join(path)).unwrap()
}
