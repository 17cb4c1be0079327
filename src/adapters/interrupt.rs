//! Signals that end this process: which count, and the second interrupt, which ends the process at once, whatever the process is stuck in.
//!
//! The first one is the event loop's to take in order. A loop that waits for something that never comes (a terminal
//! that nobody reads, a disk that hangs) takes nothing, so the second is counted in the signal handler itself. Nothing
//! is lost by it: the books are written so that a kill at any moment is survived.

use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;

/// Exit code of an interrupted command: 128 + SIGINT.
const INTERRUPTED: i32 = 130;

/// From now on a second SIGINT ends this process, with exit code 130. Call it once.
///
/// # Errors
/// The handler cannot be installed.
#[expect(unsafe_code, reason = "a signal handler: one atomic swap and _exit(2), both async-signal-safe")]
pub fn second_is_immediate() -> std::io::Result<()> {
    static CAME: AtomicBool = AtomicBool::new(false);
    let handler = || {
        if CAME.swap(true, Ordering::SeqCst) {
            // SAFETY: _exit(2) is async-signal-safe, and runs nothing of this process.
            unsafe { libc::_exit(INTERRUPTED) };
        }
    };
    // SAFETY: the handler allocates nothing, takes no lock and cannot panic.
    unsafe { signal_hook_registry::register(libc::SIGINT, handler) }.map(|_| ())
}

/// True if whoever started this process wants it to live on when its terminal goes away, as `nohup` does: SIGHUP is
/// ignored then.
#[must_use]
#[expect(unsafe_code, reason = "sigaction(2) that only asks: nix can ask only by setting")]
pub fn outlives_terminal() -> bool {
    // SAFETY: all zeroes is a value of this plain struct, and the call writes nothing else.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGHUP, std::ptr::null(), &raw mut now) == 0 && now.sa_sigaction == libc::SIG_IGN
    }
}
