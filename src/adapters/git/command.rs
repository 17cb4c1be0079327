//! Runs git and the set-up commands: with a time limit, in a session of their own, without a terminal.
//!
//! Output goes through unlinked temporary files instead of pipes, so that a daemon that a hook leaves behind cannot
//! keep a finished git from being seen as finished.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::process::Command;

/// Time between SIGTERM, on which git removes its lock files, and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);
/// Bytes of standard output that are read; a diff for people is longer only by mistake.
const OUTPUT_MAX: u64 = 64 * 1024 * 1024;
/// Lines of standard error that an error shows.
const ERROR_LINES: usize = 20;

/// How often a call that met a worktree in the making is run again, and after which pause.
const MEETINGS_MAX: u32 = 40;
const MEETING_PAUSE: Duration = Duration::from_millis(25);

/// What an outer git sets for its own children, which would send ours to another repository. Source: `git rev-parse
/// --local-env-vars`, git 2.47; without `GIT_CONFIG_COUNT`, by which containers set an identity or `safe.directory`.
const LOCAL_VARIABLES: &[&str] = &[
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_REFLOG_ACTION",
    "GIT_SEQUENCE_EDITOR",
];

/// Why something with git did not work. Messages are for people.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GitError {
    /// The program could not be started.
    #[error("cannot start {program} in {}: {why}", dir.display())]
    Start {
        /// Which.
        program: String,
        /// Where.
        dir: PathBuf,
        /// Why.
        why: String,
    },
    /// The folder is not there.
    #[error("the folder {} is not there", .0.display())]
    NoFolder(PathBuf),
    /// The folder is in no git repository.
    #[error("{} is not in a git repository", .0.display())]
    NotARepository(PathBuf),
    /// It ended with an error.
    #[error("{command} in {} failed ({how}): {stderr}", dir.display())]
    Failed {
        /// The command line.
        command: String,
        /// Where it ran.
        dir: PathBuf,
        /// `exit 128`, `signal 9`.
        how: String,
        /// The last lines of its standard error.
        stderr: String,
    },
    /// It was ended after its time limit.
    #[error("{command} in {} took longer than {} s and was ended: {stderr}", dir.display(), limit.as_secs())]
    TimedOut {
        /// The command line.
        command: String,
        /// Where it ran.
        dir: PathBuf,
        /// The limit.
        limit: Duration,
        /// The last lines of its standard error.
        stderr: String,
    },
    /// libgit2 could not read something.
    #[error("cannot {what} in {}: {why}", dir.display())]
    Read {
        /// What was tried.
        what: String,
        /// Where.
        dir: PathBuf,
        /// Why it failed.
        why: String,
    },
    /// A file could not be read or written.
    #[error("cannot {what} {}: {why}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        why: String,
    },
    /// autodo itself refuses, because it might destroy something.
    #[error("{0}")]
    Refused(String),
}

impl GitError {
    /// An error of the file system.
    pub(crate) fn file(what: &'static str, path: &Path, why: &std::io::Error) -> Self {
        Self::File { what, path: path.to_owned(), why: why.to_string() }
    }
}

/// Longest times that programs may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Any git command that checks nothing out.
    pub call: Duration,
    /// One that does, with the repository's `post-checkout` hook.
    pub checkout: Duration,
    /// One set-up command of a project.
    pub setup: Duration,
    /// So many worktrees of a repository are added by `git worktree add`; with more, which it would look into one by
    /// one, autodo registers them itself where it can.
    pub worktrees: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            call: Duration::from_secs(120),
            checkout: Duration::from_secs(30 * 60),
            setup: Duration::from_secs(15 * 60),
            worktrees: 50,
        }
    }
}

/// One call of git.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    dir: PathBuf,
    args: Vec<OsString>,
    env: Vec<(&'static str, OsString)>,
    checks_out: bool,
}

impl Call {
    /// `git` in `dir`.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), args: Vec::new(), env: Vec::new(), checks_out: false }
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// Adds one argument.
    pub(crate) fn arg(self, arg: impl AsRef<OsStr>) -> Self {
        self.args([arg])
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.env.push((name, value.into()));
        self
    }

    /// Says that it writes a whole tree, which takes its time.
    pub(crate) fn checks_out(mut self) -> Self {
        self.checks_out = true;
        self
    }

    fn line(&self) -> String {
        let words = self.args.iter().map(|a| a.to_string_lossy());
        std::iter::once("git".into()).chain(words).collect::<Vec<_>>().join(" ")
    }
}

/// What a call of git gave.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Output {
    /// Standard output as text, without the line feed at its end.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }
}

/// Starts git.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Set on top of the environment of this process.
    pub(crate) env: Arc<Vec<(OsString, OsString)>>,
    pub(crate) limits: Limits,
}

impl Program {
    /// Runs git to its end, whatever that is. Where it met a worktree that another git is registering just then, it
    /// runs again.
    pub(crate) async fn run(&self, call: &Call) -> Result<Output, GitError> {
        for _ in 0..MEETINGS_MAX {
            let output = self.run_once(call).await?;
            if output.status.success() || !met_half_registered(&output.stderr) {
                return Ok(output);
            }
            tracing::debug!(command = call.line(), "met a worktree that is being registered");
            tokio::time::sleep(MEETING_PAUSE).await;
        }
        self.run_once(call).await
    }

    async fn run_once(&self, call: &Call) -> Result<Output, GitError> {
        if !call.dir.is_dir() {
            return Err(GitError::NoFolder(call.dir.clone()));
        }
        let mut command = self.command("git");
        command.args(&call.args).current_dir(&call.dir);
        command.envs([
            ("LC_ALL", "C"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_EDITOR", "true"),
            ("GIT_MERGE_AUTOEDIT", "no"),
            ("GIT_PAGER", "cat"),
            ("GIT_ADVICE", "0"),
        ]);
        command.envs(call.env.iter().map(|(k, v)| (*k, v)));
        let start =
            |e: std::io::Error| GitError::Start { program: "git".into(), dir: call.dir.clone(), why: e.to_string() };
        let mut stdout = tempfile::tempfile().map_err(start)?;
        let mut stderr = tempfile::tempfile().map_err(start)?;
        command.stdout(stdout.try_clone().map_err(start)?).stderr(stderr.try_clone().map_err(start)?);
        let limit = if call.checks_out { self.limits.checkout } else { self.limits.call };
        let status = finish(&mut command, limit).await.map_err(start)?;
        let errors = String::from_utf8_lossy(&read_back(&mut stderr).map_err(start)?).into_owned();
        let Some(status) = status else {
            let stderr = tail(&errors, ERROR_LINES);
            return Err(GitError::TimedOut { command: call.line(), dir: call.dir.clone(), limit, stderr });
        };
        tracing::debug!(command = call.line(), dir = %call.dir.display(), status = %status, "git ended");
        Ok(Output { status, stdout: read_back(&mut stdout).map_err(start)?, stderr: errors })
    }

    /// Runs git, which must succeed.
    pub(crate) async fn ok(&self, call: &Call) -> Result<Output, GitError> {
        let output = self.run(call).await?;
        if output.status.success() { Ok(output) } else { Err(failed(call, &output)) }
    }

    /// A program without terminal or input, with our environment and none of an outer git's.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for name in LOCAL_VARIABLES {
            command.env_remove(name);
        }
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null()).kill_on_drop(true);
        // With a display ssh would open a window, and wait. Whoever says how it is to ask has an answer ready.
        if std::env::var_os("SSH_ASKPASS_REQUIRE").is_none() {
            command.env("SSH_ASKPASS_REQUIRE", "never");
        }
        own_session(&mut command);
        command
    }
}

/// A session of its own has no terminal: a hook that opens `/dev/tty` to ask something fails at once, where in a
/// background group it would be stopped until its time limit. The process leads its group, too.
#[expect(unsafe_code, reason = "setsid between fork and exec: it is async-signal-safe, and allocates nothing")]
fn own_session(command: &mut Command) {
    // SAFETY: the closure calls only setsid(2).
    unsafe {
        command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(std::io::Error::from));
    }
}

/// True if git stumbled over the files of a worktree that another git was writing at that moment, before it did
/// anything itself: `fatal: failed to read .git/worktrees/T-3/commondir: Success` (git 2.47).
fn met_half_registered(stderr: &str) -> bool {
    let is_it = |l: &str| l.starts_with("fatal: ") && l.contains(" read ") && l.contains("/worktrees/");
    stderr.lines().any(is_it)
}

/// The error of a call that ended badly.
pub(crate) fn failed(call: &Call, output: &Output) -> GitError {
    let stderr = tail(&output.stderr, ERROR_LINES);
    if stderr.contains("not a git repository") {
        return GitError::NotARepository(call.dir.clone());
    }
    GitError::Failed { command: call.line(), dir: call.dir.clone(), how: how(output.status), stderr }
}

/// `exit 1`, `signal 9`.
pub(crate) fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "an unknown end".to_owned(),
    }
}

/// The last `lines` lines that hold anything, joined again.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().map(str::trim_end).filter(|l| !l.is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// Runs `command` to its end; `None`: it took longer than `limit`, and its process group was ended.
///
/// # Cancel safety
/// A dropped call kills the whole group.
pub(crate) async fn finish(command: &mut Command, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    let mut child = command.spawn()?;
    let mut group = Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    if let Ok(status) = tokio::time::timeout(limit, child.wait()).await {
        // The leader is gone: what lives on in its group was put into the background on purpose.
        group.0 = None;
        return status.map(Some);
    }
    group.signal(Signal::SIGTERM);
    // Ignored: whether it went by itself or not, the rest of the group is killed when `group` drops.
    tokio::time::timeout(GRACE, child.wait()).await.ok();
    Ok(None)
}

/// A process group that is killed when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn signal(&self, signal: Signal) {
        if let Some(leader) = self.0 {
            // Ignored: the group may have ended by itself.
            killpg(leader, signal).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
    }
}

fn read_back(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(OUTPUT_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
