//! Starting the program of a launch, and a wrapper of its own session: what must happen between fork and exec.
//!
//! The wrapper has one thread, and the closures below only make system calls, so nothing of the standard library is
//! caught half-way by the fork.

use std::{
    fs::File,
    io::{self, IsTerminal},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use nix::{
    libc,
    sys::signal::{SigSet, Signal},
    unistd::{Pid, setsid, tcgetpgrp, tcsetpgrp},
};

use super::environment::Environment;

/// The highest signal number of any system: real-time signals of Linux end here.
const LAST_SIGNAL: i32 = 64;

/// Starts the program in a process group of its own, in the wrapper's current directory. With `output` it writes there
/// and reads nothing; with `terminal` its group is the foreground of it from the program's first instruction on.
pub(super) fn spawn(
    argv: &[String],
    environment: &Environment,
    output: Option<File>,
    terminal: bool,
) -> io::Result<Child> {
    let [program, arguments @ ..] = argv else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no program is named"));
    };
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment.iter()).process_group(0);
    if let Some(output) = output {
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    }
    before_exec(&mut command, move || {
        if terminal {
            take_terminal(Pid::this())?;
        }
        default_signals()
    });
    command.spawn()
}

/// Gives a command a session of its own: no terminal's end and no Ctrl-C reaches it.
pub(super) fn in_own_session(command: &mut Command) {
    before_exec(command, || Ok(setsid().map(drop)?));
}

#[expect(unsafe_code, reason = "pre_exec has no safe form; the closures given to it make system calls only")]
fn before_exec(command: &mut Command, act: impl Fn() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: between fork and exec only async-signal-safe calls are made: setsid, sigprocmask, tcsetpgrp, sigaction.
    unsafe { command.pre_exec(act) };
}

/// True if standard input is the controlling terminal of this process.
pub(super) fn has_terminal() -> bool {
    io::stdin().is_terminal() && tcgetpgrp(io::stdin()).is_ok()
}

/// Makes process group `group` the foreground of the terminal. Asked from the background this raises SIGTTOU, which
/// would stop the caller: it is blocked meanwhile.
pub(super) fn take_terminal(group: Pid) -> io::Result<()> {
    let mut out = SigSet::empty();
    out.add(Signal::SIGTTOU);
    let before = out.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK)?;
    let taken = tcsetpgrp(io::stdin(), group);
    before.thread_set_mask()?;
    Ok(taken?)
}

/// Every signal does again what it does by default, and none is blocked: whoever started autodo may have ignored some
/// (`nohup`), and the agent would inherit that.
#[expect(unsafe_code, reason = "signal(2) has no safe form")]
pub(super) fn default_signals() -> io::Result<()> {
    for number in 1..=LAST_SIGNAL {
        // SAFETY: no handler is installed, only the default. It fails for SIGKILL, SIGSTOP, the two that the C library
        // keeps for itself, and numbers this system does not have: none of them can be changed.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Marks every file that this process inherited beyond the standard three, so that the program does not inherit it.
#[expect(unsafe_code, reason = "a file descriptor by number has no safe form")]
pub(super) fn keep_files_from_children() -> io::Result<()> {
    let place = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    // Ignored: an entry that is gone, or is no number, is no open file.
    let numbers: Vec<i32> = std::fs::read_dir(place)?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // SAFETY: only a flag is set. The descriptor of the listing itself is closed by now: EBADF, which is no matter.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    Ok(())
}
