//! One run of the tmux program: fixed environment, time limit, exit status and both outputs.

use std::{
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, Command},
    sync::Semaphore,
};

use super::{
    command::{Cmd, argv},
    control::Control,
    error::{Fault, fault, is_failure_in_disguise},
    place::TmuxPlace,
    server,
};
use crate::ports::terminal::TerminalError;

/// tmux clients at a time: more only wait for the one server.
const AT_ONCE: usize = 2;
/// Longest that a look waits for the control client.
const LAG: Duration = Duration::from_secs(1);
/// Longest list of arguments, in bytes: tmux sends it in one message of 16 384.
const LONGEST_ARGV: usize = 15_500;
/// Most arguments: tmux 3.7 takes 1000.
const MOST_ARGUMENTS: usize = 900;
/// Most that is read of an output, in bytes.
const MOST_OUTPUT: u64 = 64 << 20;

/// What a client that ran to its end left behind.
#[derive(Debug)]
pub(super) struct Answer {
    /// It said that all went well.
    pub(super) is_ok: bool,
    /// Its output.
    pub(super) stdout: Vec<u8>,
    /// Its error output.
    pub(super) stderr: String,
}

impl Answer {
    /// The output of a client that did well.
    pub(super) fn output(self) -> Result<Vec<u8>, Fault> {
        if self.is_ok { Ok(self.stdout) } else { Err(fault(&self.stderr)) }
    }
}

/// Runs tmux.
#[derive(Debug)]
pub(super) struct Client {
    place: TmuxPlace,
    gate: Semaphore,
    control: Control,
}

impl Client {
    pub(super) fn new(place: TmuxPlace) -> Self {
        Self { place, gate: Semaphore::new(AT_ONCE), control: Control::default() }
    }

    pub(super) fn place(&self) -> &TmuxPlace {
        &self.place
    }

    /// From now on [`Self::ask`] and [`Self::look`] use a control client where they can.
    pub(super) fn hold_control(&self) {
        self.control.hold();
    }

    /// Runs `commands` as one list, by the control client if there is one.
    ///
    /// # Errors
    /// As [`Self::run`]; `Lost` if the control client failed meanwhile: what was done is unknown.
    pub(super) async fn ask(&self, commands: &[Cmd]) -> Result<Answer, TerminalError> {
        self.place.check()?;
        checked(commands)?;
        match self.ask_control(commands).await {
            Some(answer) => answer,
            None => self.run(commands, None).await,
        }
    }

    /// Runs `commands` by the control client alone; `None`: it cannot be asked, and nothing was sent.
    ///
    /// # Errors
    /// `Lost` if it failed meanwhile: what was done is unknown.
    pub(super) async fn ask_control(&self, commands: &[Cmd]) -> Option<Result<Answer, TerminalError>> {
        self.control.ask(&self.place, commands, self.place.limit).await
    }

    /// As [`Self::ask_control`] for commands that change nothing, and so not for long.
    pub(super) async fn look_control(&self, commands: &[Cmd]) -> Option<Result<Answer, TerminalError>> {
        self.control.ask(&self.place, commands, LAG.min(self.place.limit)).await
    }

    /// As [`Self::ask`] for commands that change nothing: they are run again where the control client fails or lags.
    pub(super) async fn look(&self, commands: &[Cmd]) -> Result<Answer, TerminalError> {
        self.place.check()?;
        match self.look_control(commands).await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(_)) | None => self.run(commands, None).await,
        }
    }

    /// Runs `commands` in one client, never starting a server, and feeds it `stdin`.
    ///
    /// # Errors
    /// `Timeout` (the client is killed; what it did is unknown), `Unusable` if there is no tmux, `Other` if it could
    /// not be run. What tmux refuses is no error here: see [`Answer`].
    ///
    /// # Cancel safety
    /// A dropped call kills the client; the server may or may not have carried the commands out.
    pub(super) async fn run(&self, commands: &[Cmd], stdin: Option<&[u8]>) -> Result<Answer, TerminalError> {
        self.place.check()?;
        let words = checked(commands)?;
        let mut command = self.command();
        command.args(["-N", "-u", "-S"]).arg(&self.place.socket).args(words).process_group(0);
        self.finish(command, stdin).await
    }

    /// Runs `commands` in a client that starts the server where there is none: in a session of its own and with no
    /// file of ours open, for the server is a fork of this client.
    pub(super) async fn run_starting(&self, commands: &[Cmd]) -> Result<Answer, TerminalError> {
        self.place.check()?;
        let mut command = self.command();
        command.args(["-u", "-S"]).arg(&self.place.socket).arg("-f").arg(&self.place.conf).args(argv(commands));
        detach(&mut command);
        self.finish(command, None).await
    }

    /// Runs `tmux -V`.
    pub(super) async fn run_version(&self) -> Result<Answer, TerminalError> {
        let mut command = self.command();
        command.arg("-V").process_group(0);
        self.finish(command, None).await
    }

    /// The working directory is one that never goes away and that no ticket chose.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.place.program);
        command.env_clear().envs(self.place.environment()).current_dir("/").kill_on_drop(true);
        command
    }

    async fn finish(&self, mut command: Command, stdin: Option<&[u8]>) -> Result<Answer, TerminalError> {
        let _permit = self.gate.acquire().await.map_err(|why| TerminalError::Other(why.to_string()))?;
        command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = self.place.program.display();
        let mut child = command.spawn().map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => TerminalError::Unusable(format!("tmux is not installed: no {program} in PATH")),
            io::ErrorKind::PermissionDenied => TerminalError::Unusable(format!("{program} cannot be run: {why}")),
            _ => TerminalError::Other(format!("cannot run {program}: {why}")),
        })?;
        match tokio::time::timeout(self.place.limit, talk(&mut child, stdin)).await {
            Ok(Ok((status, stdout, stderr))) => {
                let stderr = String::from_utf8_lossy(&stderr).into_owned();
                if let Some(pid) = server::dropped_by(&self.place, &stderr).await {
                    let why = format!(
                        "the tmux server (pid {pid}) lives, but drops this {program}: it is of another version; see to \
                         it that the PATH names the same tmux everywhere"
                    );
                    return Err(TerminalError::Other(why));
                }
                let is_ok = status.success() && !is_failure_in_disguise(&stderr);
                tracing::debug!(%status, answer = stdout.len(), %stderr, "tmux");
                Ok(Answer { is_ok, stdout, stderr })
            }
            Ok(Err(why)) => {
                kill(&child);
                Err(TerminalError::Other(format!("cannot talk to {program}: {why}")))
            }
            Err(_elapsed) => {
                kill(&child);
                tracing::warn!(limit_ms = self.place.limit.as_millis(), "tmux did not answer");
                Err(TerminalError::Timeout(self.place.limit.as_secs().max(1)))
            }
        }
    }
}

/// The arguments for `commands`: refused where one process could not take them, whichever way they go.
fn checked(commands: &[Cmd]) -> Result<Vec<String>, TerminalError> {
    let words = argv(commands);
    let length: usize = words.iter().map(|word| word.len() + 1).sum();
    if length > LONGEST_ARGV || words.len() > MOST_ARGUMENTS {
        let why = format!("a command of {} words and {length} bytes is more than tmux takes", words.len());
        return Err(TerminalError::Other(why));
    }
    Ok(words)
}

/// Writes, reads and waits at once, so that no full pipe can stop either side.
async fn talk(child: &mut Child, stdin: Option<&[u8]>) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let pipe = child.stdin.take();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let write = async move {
        if let (Some(mut pipe), Some(bytes)) = (pipe, stdin) {
            // Ignored: a client that ends without reading says why on its error output.
            pipe.write_all(bytes).await.ok();
            // Ignored: as above.
            pipe.shutdown().await.ok();
        }
    };
    let ((), out, err, status) = tokio::join!(write, read_all(out), read_all(err), child.wait());
    Ok((status?, out?, err?))
}

async fn read_all(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let read = pipe.take(MOST_OUTPUT).read_to_end(&mut bytes).await?;
        if read as u64 == MOST_OUTPUT {
            return Err(io::Error::other(format!("it printed more than {MOST_OUTPUT} bytes")));
        }
    }
    Ok(bytes)
}

/// Kills the client and what it started: it leads a process group of its own. The server is in another.
fn kill(child: &Child) {
    let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) else { return };
    // Ignored: it has ended by itself; otherwise the drop kills and reaps it.
    killpg(Pid::from_raw(pid), Signal::SIGKILL).ok();
}

/// Lets the child lead a session of its own, and closes every file above the standard three when it becomes tmux.
#[expect(unsafe_code, reason = "the calls must happen in the child, between fork and exec")]
fn detach(command: &mut Command) {
    // SAFETY: the closure only makes system calls that are safe after a fork; it allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            close_others_on_exec();
            Ok(())
        });
    }
}

/// Marks all open files but the standard three to be closed at exec: a file that this process itself inherited without
/// that mark (a lock held by a shell, a pipe of a CI runner) would otherwise stay open as long as the server lives.
#[expect(unsafe_code, reason = "marks files by number, whoever owns them: the process is about to become tmux")]
fn close_others_on_exec() {
    use nix::libc;
    const FIRST: libc::c_int = 3;
    #[cfg(target_os = "linux")]
    {
        // SAFETY: close_range takes numbers only. Linux ≥ 5.11 knows the flag; older ones answer with an error.
        let done = unsafe {
            libc::syscall(libc::SYS_close_range, FIRST, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC as libc::c_uint)
        };
        if done == 0 {
            return;
        }
    }
    // SAFETY: sysconf and fcntl take numbers only; a number that is not open is refused.
    unsafe {
        let most = libc::sysconf(libc::_SC_OPEN_MAX).clamp(0, 65_536);
        for file in FIRST..libc::c_int::try_from(most).unwrap_or(1024) {
            libc::fcntl(file, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}
