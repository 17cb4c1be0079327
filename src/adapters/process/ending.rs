//! Ending processes: SIGTERM, a time to comply, SIGKILL, and a look whether they are gone.

use std::{
    collections::HashSet,
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    files::failed,
    procfs,
    table::{self, Proc},
};
use crate::{domain::observed::Observed, ports::launches::LaunchError};

/// How long the kernel has to end what got SIGKILL; something in state `D` may need longer.
const AFTER_KILL: Duration = Duration::from_secs(5);
/// How long a wrapper whose program is dead has to write `exit.json`, before it gets SIGKILL too.
const FOR_WRAPPERS: Duration = Duration::from_secs(2);
/// Between two looks at the whole process table.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Between two looks at the processes known so far.
const PAUSE: Duration = Duration::from_millis(10);

/// Ends all that `find` finds, and looks again until it finds nothing: what is forked meanwhile is ended too. Launch
/// wrappers are asked first, so that they know that the end of their program was asked for, and get SIGKILL only when
/// nothing else is left. This process and its ancestors are never sent anything, but count as alive. Blocks.
///
/// # Errors
/// [`LaunchError::StillAlive`] names what lives on; [`LaunchError::File`]: the process table could not be read.
pub(super) fn end(find: impl Fn() -> Observed<Vec<Proc>>, grace: Duration) -> Result<(), LaunchError> {
    let own = table::own_line();
    let begun = Instant::now();
    let (kill_at, wrappers_at) = (begun + grace, begun + grace + FOR_WRAPPERS);
    let give_up = wrappers_at + AFTER_KILL;
    let mut asked = HashSet::new();
    loop {
        // A look at the whole table costs milliseconds: one per turn, and one as soon as what was known is gone.
        let mut left = match find() {
            Observed::Absent => return Ok(()),
            Observed::Unknown(why) => return Err(failed("list the processes in", "/proc".as_ref(), &why)),
            Observed::Present(left) => left,
        };
        let now = Instant::now();
        if now >= give_up || left.iter().all(|p| own.contains(&p.pid)) {
            let names: Vec<String> = left.iter().map(ToString::to_string).collect();
            return Err(LaunchError::StillAlive(names.join(", ")));
        }
        left.retain(|p| !own.contains(&p.pid));
        left.sort_by_key(|p| !table::is_wrapper(p.pid));
        for process in &left {
            let patient = now < wrappers_at && table::is_wrapper(process.pid);
            if now >= kill_at && !patient {
                send(process, Signal::SIGKILL);
            } else if asked.insert((process.pid, process.start_time)) {
                send(process, Signal::SIGTERM);
                // A stopped process takes a signal only when it goes on.
                send(process, Signal::SIGCONT);
            }
        }
        let turn = Instant::now() + LOOK_EVERY;
        while Instant::now() < turn && left.iter().any(lives) {
            sleep(PAUSE);
        }
    }
}

fn lives(process: &Proc) -> bool {
    procfs::stat(process.pid).present().is_some_and(|p| p.lives() && p.start_time == process.start_time)
}

fn send(process: &Proc, signal: Signal) {
    // The pid may have been used again since the look.
    if lives(process) {
        // Ignored: what is gone needs no signal, and what may not be signalled is still there at the next look.
        kill(Pid::from_raw(process.pid), signal).ok();
    }
}
