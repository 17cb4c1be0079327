//! The loop that autodo is measured against: `tmux capture-pane -p` spawned for each pane every 500 ms, four at a time.
//! It throws away what it reads: only the looking is measured.

use std::{
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use crate::Trouble;

/// First argument of this program when it is the loop.
pub const VERB: &str = "watch-loop";

/// Time between two looks at a pane.
const EVERY: Duration = Duration::from_millis(500);
/// Captures under way at once.
const AT_ONCE: usize = 4;

/// The loop in the background; ended when dropped.
pub struct Peer(Child);

impl Peer {
    /// Starts it on `panes`, each with the socket of its server.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(panes: &[(PathBuf, String)]) -> Result<Self, Trouble> {
        let own = std::env::current_exe().map_err(|why| format!("where this program is: {why}"))?;
        let mut command = Command::new(own);
        command.arg(VERB).stdin(Stdio::null());
        for (socket, pane) in panes {
            command.arg(socket).arg(pane);
        }
        command.spawn().map(Self).map_err(|why| format!("cannot start the loop: {why}"))
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap_or(0)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Ignored: it has ended by itself.
        self.0.kill().and_then(|()| self.0.wait()).ok();
    }
}

/// The loop itself: each pane's socket, then the pane.
pub fn run(arguments: &[String]) -> ExitCode {
    let panes: Vec<&[String]> = arguments.chunks(2).collect();
    let mut next = Instant::now();
    loop {
        for group in panes.chunks(AT_ONCE) {
            let started: Vec<Child> = group.iter().filter_map(|pane| capture(pane)).collect();
            for child in started {
                // Ignored: a capture that fails is tried again in the next round, as such loops do.
                child.wait_with_output().ok();
            }
        }
        next = (next + EVERY).max(Instant::now());
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

fn capture(pane: &[String]) -> Option<Child> {
    let [socket, pane] = pane else { return None };
    let mut command = Command::new("tmux");
    command.args(["-S", socket, "capture-pane", "-p", "-t", pane]).stdin(Stdio::null());
    // Ignored: as above.
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()
}
