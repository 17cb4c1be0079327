//! Programs run by tests: in a given environment, never longer than allowed, their output in files.
//!
//! Output goes to files and not to pipes, so that a background process that keeps the output open cannot hold a test.

use std::{
    ffi::OsString,
    fs::File,
    io::Write as _,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

/// Longest a program may run unless its test says otherwise.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A program to run.
pub struct Program {
    program: PathBuf,
    args: Vec<String>,
    dir: PathBuf,
    env: Vec<(OsString, OsString)>,
    input: Option<Vec<u8>>,
    limit: Duration,
}

/// What a program said.
#[derive(Clone, Debug)]
pub struct Run {
    /// Exit code; 128 and the signal's number where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    /// Panics unless it exited with `code`.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n{}", self.both());
        self
    }

    /// Panics unless it exited with 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.code(0)
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("no JSON: {e}\n{}", self.both()))
    }

    /// Both outputs, for messages.
    pub fn both(&self) -> String {
        format!("{}{}(exit {})", self.stdout, self.stderr, self.code)
    }
}

impl Program {
    /// A program in `dir` with exactly the environment `env`, without input, for at most [`LIMIT`].
    pub fn new(program: &Path, args: &[&str], dir: &Path, env: Vec<(OsString, OsString)>) -> Self {
        let args = args.iter().map(|a| (*a).to_owned()).collect();
        Self { program: program.to_owned(), args, dir: dir.to_owned(), env, input: None, limit: LIMIT }
    }

    /// Runs it there.
    pub fn in_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.dir = dir.as_ref().to_owned();
        self
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Gives it something to read.
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Lets it run that long.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end; panics with its output if it takes too long.
    #[track_caller]
    pub fn run(self) -> Run {
        self.try_run().unwrap_or_else(|why| panic!("{why}"))
    }

    /// Runs it to its end; the error is its output and why it was ended.
    pub fn try_run(self) -> Result<Run, String> {
        let limit = self.limit;
        self.spawn().finish(limit)
    }

    /// Starts it, in a process group of its own.
    pub fn spawn(self) -> Background {
        let shown = format!("{} {}", self.program.display(), self.args.join(" "));
        let outputs = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let stdin = match &self.input {
            None => Stdio::null(),
            Some(input) => {
                let mut file = tempfile::tempfile().unwrap();
                file.write_all(input).unwrap();
                std::io::Seek::rewind(&mut file).unwrap();
                file.into()
            }
        };
        let child = Command::new(&self.program)
            .args(&self.args)
            .current_dir(&self.dir)
            .env_clear()
            .envs(self.env)
            .stdin(stdin)
            .stdout(outputs.0.try_clone().unwrap())
            .stderr(outputs.1.try_clone().unwrap())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {shown} in {}: {e}", self.dir.display()));
        Background { shown, child, outputs, status: None }
    }
}

/// A program that runs in the background. Killed, with its process group, when dropped.
pub struct Background {
    shown: String,
    child: Child,
    outputs: (File, File),
    status: Option<ExitStatus>,
}

impl Background {
    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    /// True while it runs.
    pub fn is_running(&mut self) -> bool {
        if self.status.is_none() {
            self.status = self.child.try_wait().unwrap();
        }
        self.status.is_none()
    }

    /// Sends it a signal; one that has ended gets none.
    pub fn signal(&mut self, signal: Signal) {
        if self.is_running() {
            kill(Pid::from_raw(self.pid()), signal).unwrap();
        }
    }

    /// What it has said so far.
    pub fn said(&self) -> Run {
        let read = |file: &File| {
            // By offset: the position belongs to the program, which shares the open file.
            let len = usize::try_from(file.metadata().unwrap().len()).unwrap();
            let mut bytes = vec![0; len];
            std::os::unix::fs::FileExt::read_exact_at(file, &mut bytes, 0).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let code = self.status.map_or(-1, |s| s.code().unwrap_or_else(|| 128 + s.signal().unwrap_or(0)));
        Run { code, stdout: read(&self.outputs.0), stderr: read(&self.outputs.1) }
    }

    /// Waits for its end; panics with its output if that takes longer than `limit`.
    #[track_caller]
    pub fn wait(self, limit: Duration) -> Run {
        self.finish(limit).unwrap_or_else(|why| panic!("{why}"))
    }

    /// Waits for its end; the error is its output and why it was ended.
    pub fn try_wait_for(self, limit: Duration) -> Result<Run, String> {
        self.finish(limit)
    }

    fn finish(mut self, limit: Duration) -> Result<Run, String> {
        let end = Instant::now() + limit;
        while self.is_running() {
            if Instant::now() > end {
                self.kill_group();
                return Err(format!(
                    "{} still ran after {limit:?}, and was killed\n{}",
                    self.shown,
                    self.said().both()
                ));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(self.said())
    }

    fn kill_group(&mut self) {
        // Ignored: the group ended meanwhile.
        killpg(Pid::from_raw(self.pid()), Signal::SIGKILL).ok();
        self.status = self.child.wait().ok();
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        if self.is_running() {
            self.kill_group();
        }
    }
}
