//! The wrapper's wait: for the program's end, a signal to the wrapper, or the time limit, without a thread or a handler.
//!
//! All signals are blocked, and taken one by one with `sigwait`; the limit is an alarm. What each one does:
//!
//! | signal | act |
//! |---|---|
//! | SIGHUP (the pane was closed) | SIGHUP to the program's group; after [`GRACE`] SIGKILL |
//! | SIGTERM, SIGINT, SIGQUIT | SIGTERM to the program's group; after [`GRACE`] SIGKILL |
//! | SIGCHLD | look: has the program ended, or been stopped? Orphans of the launch that ended are reaped |
//! | SIGALRM | the limit or the grace is over; what the program has waited for others meanwhile is added to the limit |
//!
//! A program that was stopped (Ctrl-Z, or by itself) is continued at once, with the terminal: no shell is there in
//! which a person could do it, and a stopped agent would only look stalled.

use std::{
    os::unix::process::ExitStatusExt,
    process::{Child, ExitStatus},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{SigSet, Signal, killpg, raise},
    unistd::{Pid, alarm},
};

use super::child;
use crate::{domain::check::CommandEnd, ports::launches::SlotWaits};

/// From the request to end to SIGKILL; and from SIGKILL to giving up.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Before a stopped program is continued.
const BETWEEN_STOPS: Duration = Duration::from_millis(20);

/// While the program waits for others at the end of its limit, it is looked at again after this.
const AGAIN: Duration = Duration::from_secs(1);

const WAITED_FOR: &[Signal] =
    &[Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGALRM, Signal::SIGTERM, Signal::SIGCHLD];

/// How the program ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// How.
    pub end: CommandEnd,
    /// A signal to the wrapper, or the time limit, asked for it.
    pub by_autodo: bool,
}

/// Blocks all signals, those that were ignored included: from here on none ends or stops the wrapper unseen.
pub(super) fn block_signals() -> std::io::Result<()> {
    child::default_signals()?;
    Ok(SigSet::all().thread_block()?)
}

/// Where the wait is.
#[derive(Clone, Copy)]
enum Stage {
    Running,
    /// It was asked to end.
    Asked,
    /// It was killed.
    Killed,
}

struct Wait<'a> {
    group: Pid,
    /// The end of the limit, but for the waits.
    limit: Option<Instant>,
    waited: &'a dyn Fn() -> SlotWaits,
    stage: Stage,
    deadline: Option<Instant>,
    by_signal: bool,
    timed_out: bool,
}

/// Waits for the end of `program`, which leads its process group. It may be left as a zombie, so that its group's number
/// is not used again before the wrapper ends. `limit_s` 0: no limit. `waited` says how long the program has waited for
/// others, which the limit does not count.
pub(super) fn wait(program: &mut Child, limit_s: u64, waited: &dyn Fn() -> SlotWaits, terminal: bool) -> Ended {
    let limit = (limit_s > 0).then(|| Duration::from_secs(limit_s));
    let limit = limit.and_then(|limit| Instant::now().checked_add(limit));
    let group = Pid::from_raw(program.id().cast_signed());
    let mut wait =
        Wait { group, stage: Stage::Running, limit, waited, deadline: limit, by_signal: false, timed_out: false };
    let taken: SigSet = WAITED_FOR.iter().copied().collect();
    wait.arm();
    let end = loop {
        match look(program) {
            Look::Ended(end) => break end,
            Look::Stopped => go_on(group, terminal),
            Look::Runs => {}
        }
        if let Err(e) = taken.wait().map(|signal| wait.take(signal)) {
            break CommandEnd::Unknown { why: format!("cannot wait for the program: {e}") };
        }
        if matches!(wait.stage, Stage::Killed) && wait.left() == Some(0) {
            break match look(program) {
                Look::Ended(end) => end,
                Look::Runs | Look::Stopped => {
                    CommandEnd::Unknown { why: format!("process {group} did not end after SIGKILL") }
                }
            };
        }
    };
    // A request that came together with the end counts. SIGCHLD has the highest number of those waited for, and lower
    // ones are taken first, so all that are pending come before this one.
    if raise(Signal::SIGCHLD).is_ok() {
        while let Ok(signal) = taken.wait() {
            match signal {
                Signal::SIGCHLD => break,
                Signal::SIGALRM => {}
                _ => wait.by_signal = true,
            }
        }
    }
    alarm::cancel();
    Ended {
        end: if wait.timed_out { CommandEnd::TimedOut { after_s: limit_s } } else { end },
        by_autodo: wait.by_signal || wait.timed_out,
    }
}

impl Wait<'_> {
    fn take(&mut self, signal: Signal) {
        match signal {
            Signal::SIGCHLD => {}
            Signal::SIGALRM => self.look_at_the_clock(),
            other => {
                self.by_signal = true;
                if let Stage::Running = self.stage {
                    self.ask(if other == Signal::SIGHUP { Signal::SIGHUP } else { Signal::SIGTERM });
                }
            }
        }
    }

    fn look_at_the_clock(&mut self) {
        if self.left() == Some(0) {
            match self.stage {
                Stage::Running => {
                    if !self.is_put_off() {
                        self.timed_out = true;
                        self.ask(Signal::SIGTERM);
                    }
                }
                Stage::Asked => {
                    send(self.group, Signal::SIGKILL);
                    self.stage = Stage::Killed;
                    self.deadline = Some(Instant::now() + GRACE);
                }
                Stage::Killed => {}
            }
        }
        self.arm();
    }

    /// Moves the deadline on by what the program has waited for others. False: it is over.
    fn is_put_off(&mut self) -> bool {
        let waits = (self.waited)();
        let later = self.limit.and_then(|limit| limit.checked_add(waits.total));
        let soon = waits.ended.is_some_and(|ago| ago.is_zero()).then(|| Instant::now() + AGAIN);
        self.deadline = later.max(soon);
        self.left() != Some(0)
    }

    fn ask(&mut self, signal: Signal) {
        send(self.group, signal);
        // A stopped process takes a signal only when it goes on.
        send(self.group, Signal::SIGCONT);
        self.stage = Stage::Asked;
        self.deadline = Some(Instant::now() + GRACE);
        self.arm();
    }

    /// Whole seconds until the deadline, rounded up; `None`: there is none.
    fn left(&self) -> Option<u64> {
        let left = self.deadline?.saturating_duration_since(Instant::now());
        Some(left.as_secs() + u64::from(left.subsec_nanos() > 0))
    }

    fn arm(&self) {
        if let Some(left) = self.left() {
            // An alarm that comes early (a limit beyond 136 years, or rounding) is set again.
            alarm::set(u32::try_from(left.max(1)).unwrap_or(u32::MAX));
        }
    }
}

/// Sends a signal to a process group.
pub(super) fn send(group: Pid, signal: Signal) {
    // Ignored: a group that is gone needs no signal, and one that may not be signalled shows when it does not end.
    killpg(group, signal).ok();
}

fn go_on(group: Pid, terminal: bool) {
    // A program that stops itself again and again must not keep a core busy.
    std::thread::sleep(BETWEEN_STOPS);
    if terminal {
        // Ignored: without the terminal the program is stopped again, and looked at again.
        child::take_terminal(group).ok();
    }
    send(group, Signal::SIGCONT);
}

enum Look {
    Runs,
    Stopped,
    Ended(CommandEnd),
}

/// Looks at all children, reaps orphans that ended, and leaves the program itself unreaped.
#[cfg(target_os = "linux")]
fn look(program: &mut Child) -> Look {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    let own = Pid::from_raw(program.id().cast_signed());
    let peek = WaitPidFlag::WEXITED | WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    loop {
        let seen = match waitid(Id::All, peek) {
            Ok(seen) => seen,
            Err(Errno::EINTR) => continue,
            // A real-time signal, which the binding has no name for, or no child at all.
            Err(Errno::EINVAL) => match by_status(program) {
                Look::Runs if reap_one() => continue,
                other => return other,
            },
            Err(_) => return by_status(program),
        };
        match seen {
            WaitStatus::Exited(pid, code) if pid == own => return Look::Ended(CommandEnd::Exited { code }),
            WaitStatus::Signaled(pid, signal, _) if pid == own => {
                return Look::Ended(CommandEnd::Signalled { signal: signal as i32 });
            }
            WaitStatus::Stopped(pid, _) => {
                // Ignored: a stop that is not taken is seen again at the next look.
                waitid(Id::Pid(pid), WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG).ok();
                if pid == own {
                    return Look::Stopped;
                }
            }
            WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) => {
                // Ignored: an orphan that is not reaped now is seen again at the next look.
                waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG).ok();
            }
            _ => return Look::Runs,
        }
    }
}

/// Reaps any one child that has ended. False: there was none.
#[cfg(target_os = "linux")]
fn reap_one() -> bool {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    // An error EINVAL is a child that was reaped and whose signal has no name.
    !matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD))
}

/// Looks at the program; nobody else's orphans come to the wrapper on these systems.
#[cfg(not(target_os = "linux"))]
fn look(program: &mut Child) -> Look {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    let own = Pid::from_raw(program.id().cast_signed());
    match waitpid(own, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED)) {
        Ok(WaitStatus::Exited(_, code)) => Look::Ended(CommandEnd::Exited { code }),
        Ok(WaitStatus::Signaled(_, signal, _)) => Look::Ended(CommandEnd::Signalled { signal: signal as i32 }),
        Ok(WaitStatus::Stopped(..)) => Look::Stopped,
        Ok(_) | Err(Errno::EINTR) => Look::Runs,
        Err(_) => by_status(program),
    }
}

fn by_status(program: &mut Child) -> Look {
    match program.try_wait() {
        Ok(None) => Look::Runs,
        Ok(Some(status)) => Look::Ended(end_of(status)),
        Err(e) => Look::Ended(CommandEnd::Unknown { why: format!("cannot wait for the program: {e}") }),
    }
}

fn end_of(status: ExitStatus) -> CommandEnd {
    match (status.code(), status.signal()) {
        (Some(code), _) => CommandEnd::Exited { code },
        (None, Some(signal)) => CommandEnd::Signalled { signal },
        (None, None) => CommandEnd::Unknown { why: format!("the program ended in an unknown way: {status}") },
    }
}
