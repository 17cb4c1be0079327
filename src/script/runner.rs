//! Runs one program at a time: its output line by line, how it ended, and its end when the agent must go.
//!
//! Each program leads a session of its own: it has no terminal that it could ask something on (an ssh or a gpg that
//! wants a passphrase fails instead of waiting all night), and it can be ended with all that it started.

use std::{
    collections::VecDeque,
    io::{self, Read},
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use super::text::Lines;

/// Lines of output that are kept.
const KEPT: usize = 200;
/// How long output is still read after the program ended, while something it left behind holds its output open.
const LINGER: Duration = Duration::from_millis(300);
/// How long after a program that was asked to end the agent may be asked the same.
const TOGETHER: Duration = Duration::from_secs(1);

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited with this code.
    Exited(i32),
    /// This signal ended it.
    Signalled(i32),
    /// It ran longer than it may and was ended.
    TimedOut(u64),
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit {code}"),
            Self::Signalled(signal) => write!(f, "signal {signal}"),
            Self::TimedOut(seconds) => write!(f, "no end after {seconds} s"),
        }
    }
}

/// What is left of a program that ran.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub end: End,
    /// The last 200 lines of its output, standard output and error as they came.
    pub tail: VecDeque<String>,
    /// How long it took.
    pub took: Duration,
}

impl Ran {
    /// True only for exit code 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.end == End::Exited(0)
    }

    /// The last `count` lines, each cut to 300 characters.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<String> {
        let skip = self.tail.len().saturating_sub(count);
        self.tail.iter().skip(skip).map(|line| line.chars().take(300).collect()).collect()
    }
}

/// The program that runs now; shared between who runs it and who may have to end it.
#[derive(Clone, Debug, Default)]
pub struct Current(Arc<Mutex<Now>>);

#[derive(Debug, Default)]
struct Now {
    group: Option<Pid>,
    /// Set for good: nothing may be started any more.
    closed: bool,
}

impl Current {
    /// Ends the program with all of its group: SIGTERM, and SIGKILL after two seconds. Nothing is started afterwards.
    pub fn close(&self) {
        let group = {
            let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            now.closed = true;
            now.group
        };
        if let Some(group) = group {
            end(group);
        }
    }

    /// True once the agent is on its way out.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).closed
    }

    /// True if a program that came to `end` was ended with the agent: whoever ends both may reach the program first, so
    /// the agent's own end is waited for a moment.
    #[must_use]
    pub fn ended_with(&self, end: End) -> bool {
        let until = Instant::now() + TOGETHER;
        let asked = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT].map(|signal| signal as i32);
        let was_asked = match end {
            End::Signalled(signal) => asked.contains(&signal),
            // A shell says so of what it waited for.
            End::Exited(code) => asked.contains(&(code - 128)),
            End::TimedOut(_) => false,
        };
        while !self.is_closed() {
            if !was_asked || Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// Starts `command`, unless the agent is on its way out. Under the lock, so that nothing starts behind its back.
    fn start(&self, command: &mut Command) -> io::Result<std::process::Child> {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.closed {
            return Err(io::Error::other("the agent is ending"));
        }
        let child = command.spawn()?;
        now.group = i32::try_from(child.id()).ok().map(Pid::from_raw);
        Ok(child)
    }

    fn group(&self) -> Option<Pid> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).group
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).group = None;
    }
}

/// Ends a process group: SIGTERM, and SIGKILL for what is left of it two seconds later, or soon after its leader ended.
///
/// Orphans count as members until the system has reaped them, so their end is not waited for.
fn end(group: Pid) {
    let gone = |patience, look: &dyn Fn() -> nix::Result<()>| {
        let until = Instant::now() + Duration::from_millis(patience);
        while look() != Err(Errno::ESRCH) {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_millis(5));
        }
        true
    };
    let leader = || kill(group, None);
    if killpg(group, Signal::SIGTERM) == Err(Errno::ESRCH)
        || (gone(2000, &leader) && gone(100, &|| killpg(group, None)))
        || killpg(group, Signal::SIGKILL) == Err(Errno::ESRCH)
    {
        return;
    }
    gone(1000, &leader);
}

enum Piece {
    Output(Vec<u8>),
    Ended(io::Result<ExitStatus>),
}

/// Runs `command` to its end, which is its own end: what it leaves behind in the background may hold its output open.
/// Each line of output, made harmless, goes to `show`. After `limit` its group is ended.
///
/// # Errors
/// It could not be started or waited for.
pub fn run(
    mut command: Command,
    current: &Current,
    limit: Option<Duration>,
    show: &mut dyn FnMut(&str),
) -> io::Result<Ran> {
    let began = Instant::now();
    let (output, input) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input);
    own_session(&mut command);
    let mut child = current.start(&mut command)?;
    // The command holds this side's copies of the pipe; while they live, the output never ends.
    drop(command);
    let (pieces, arriving) = sync_channel(64);
    let more = pieces.clone();
    thread::spawn(move || forward(output, &more));
    // Ignored: a receiver that is gone wants no news.
    thread::spawn(move || pieces.send(Piece::Ended(child.wait())).ok());

    let (mut lines, mut tail) = (Lines::default(), VecDeque::new());
    let mut keep = |line: String| {
        show(&line);
        tail.push_back(line);
        if tail.len() > KEPT {
            tail.pop_front();
        }
    };
    let (mut status, mut late) = (None, false);
    let mut until = limit.map(|limit| began + limit);
    loop {
        let wait = until.map_or(Duration::from_secs(3600), |until| until.saturating_duration_since(Instant::now()));
        match arriving.recv_timeout(wait) {
            Ok(Piece::Output(bytes)) => lines.push(&bytes).into_iter().for_each(&mut keep),
            Ok(Piece::Ended(ended)) => {
                current.forget();
                status = Some(ended?);
                until = Some(Instant::now() + LINGER);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if status.is_some() => break,
            Err(RecvTimeoutError::Timeout) if until.is_none() => {}
            Err(RecvTimeoutError::Timeout) => {
                late = true;
                until = None;
                if let Some(group) = current.group() {
                    // On a thread of its own: the output must be read on, or the program may hang on writing it.
                    thread::spawn(move || end(group));
                }
            }
        }
    }
    lines.finish().into_iter().for_each(&mut keep);
    let status = status.ok_or_else(|| io::Error::other("nobody saw how it ended"))?;
    let end = match (late, status.code(), status.signal()) {
        (true, _, _) => End::TimedOut(limit.unwrap_or_default().as_secs()),
        (false, Some(code), _) => End::Exited(code),
        (false, None, signal) => End::Signalled(signal.unwrap_or_default()),
    };
    Ok(Ran { end, tail, took: began.elapsed() })
}

/// Passes output on until it ends. Read to the end even when nobody listens any more: what a program left behind in
/// the background must not die of a closed pipe.
fn forward(mut output: io::PipeReader, pieces: &SyncSender<Piece>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        match output.read(&mut bytes) {
            Ok(0) => return,
            // Ignored: nobody listens any more.
            Ok(count) => pieces.send(Piece::Output(bytes.get(..count).unwrap_or_default().to_vec())).ok(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
    }
}

#[expect(unsafe_code, reason = "pre_exec: setsid is async-signal-safe, and nothing else happens between fork and exec")]
fn own_session(command: &mut Command) {
    // SAFETY: the closure only makes one async-signal-safe system call and allocates nothing.
    unsafe {
        command.pre_exec(|| nix::unistd::setsid().map(|_| ()).map_err(io::Error::from));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(code: &str, limit: Option<Duration>) -> (Ran, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-euc", code]);
        let mut shown = Vec::new();
        let ran = run(command, &Current::default(), limit, &mut |line| shown.push(line.to_owned())).unwrap();
        (ran, shown)
    }

    #[test]
    fn output_and_end_are_told() {
        let (ran, shown) = sh("echo one; echo two >&2; printf three; exit 3", None);
        assert_eq!((ran.end, shown), (End::Exited(3), vec!["one".into(), "two".into(), "three".into()]));
        assert_eq!(sh("kill -9 $$", None).0.end, End::Signalled(9));
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let (ran, shown) = sh("i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo $i; done", None);
        assert_eq!((shown.len(), ran.tail.len(), ran.last(2)), (500, KEPT, vec!["499".into(), "500".into()]));
    }

    #[test]
    fn what_is_left_in_the_background_does_not_hold_it_up() {
        let (ran, shown) = sh("sleep 5 & echo left", None);
        assert_eq!((ran.end, shown), (End::Exited(0), vec!["left".to_owned()]));
        assert!(ran.took < Duration::from_secs(4), "{:?}", ran.took);
    }

    #[test]
    fn a_limit_ends_the_whole_group() {
        let (ran, _) = sh("sh -c 'sleep 60' & sleep 60", Some(Duration::from_millis(200)));
        assert_eq!(ran.end, End::TimedOut(0));
        assert!(ran.took < Duration::from_secs(3), "{:?}", ran.took);
    }

    #[test]
    fn it_has_no_terminal() {
        assert_eq!(sh("! (: < /dev/tty) 2> /dev/null && echo none", None).1, ["none"]);
    }

    #[test]
    fn a_program_that_is_asked_to_end_just_before_the_agent_ended_with_it() {
        let current = Current::default();
        assert!(!current.ended_with(End::Exited(1)) && !current.ended_with(End::Signalled(9)));
        let later = current.clone();
        let closing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(50));
            later.close();
        });
        assert!(current.ended_with(End::Exited(143)));
        closing.join().unwrap();
        assert!(current.ended_with(End::Exited(1)), "whatever it came to, it was on its way out");
    }

    #[test]
    fn a_program_that_was_asked_to_end_alone_has_failed() {
        let (ran, _) = sh("kill -15 $$", None);
        assert!(!Current::default().ended_with(ran.end));
    }

    #[test]
    fn after_the_close_nothing_starts() {
        let current = Current::default();
        current.close();
        let error = run(Command::new("true"), &current, None, &mut |_| {}).unwrap_err();
        assert_eq!(error.to_string(), "the agent is ending");
    }
}
