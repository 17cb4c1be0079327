//! The terminal itself: raw mode and its end, and the threads that wait for bytes and signals.

use std::{
    io::{self, IsTerminal, Read, Write},
    sync::mpsc::SyncSender,
    thread,
};

use nix::sys::termios::{self, SetArg, Termios};
use tokio::signal::unix::{SignalKind, signal};

use super::Event;

/// Bracketed paste on and off; at the end the cursor is shown again as well.
const BEGIN: &str = "\x1b[?2004h";
const END: &str = "\x1b[?2004l\x1b[?25h";

/// The terminal in raw mode; dropping it puts everything back.
#[derive(Debug)]
pub struct Terminal {
    before: Termios,
}

impl Terminal {
    /// Takes the terminal of standard input and output.
    ///
    /// # Errors
    /// One of them is no terminal, or refuses raw mode; nothing is changed then.
    pub fn take() -> io::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(io::Error::other("standard input and output must be a terminal"));
        }
        let before = termios::tcgetattr(io::stdin())?;
        let mut raw = before.clone();
        termios::cfmakeraw(&mut raw);
        termios::tcsetattr(io::stdin(), SetArg::TCSANOW, &raw)?;
        let taken = Self { before };
        write(BEGIN)?;
        Ok(taken)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ignored: a terminal that is gone needs nothing put back.
        write(END).ok();
        // Ignored: as above.
        termios::tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before).ok();
    }
}

/// Writes to the terminal at once.
///
/// # Errors
/// The terminal is gone.
pub fn write(bytes: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes.as_bytes())?;
    out.flush()
}

/// Columns of the terminal; 80 where it does not say.
#[must_use]
pub fn columns() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(80, |(width, _)| usize::from(width.0))
}

/// Starts the threads that turn typed bytes and signals into events. They end with the process.
///
/// # Errors
/// A thread or a signal handler could not be set up.
pub fn listen(events: &SyncSender<Event>) -> io::Result<()> {
    let typed = events.clone();
    thread::Builder::new().name("typed".to_owned()).spawn(move || read(&typed))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let mut streams = {
        let _entered = runtime.enter();
        (
            signal(SignalKind::window_change())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
            signal(SignalKind::interrupt())?,
        )
    };
    let signals = events.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                let event = tokio::select! {
                    _ = streams.0.recv() => Event::Resized,
                    _ = streams.1.recv() => Event::Signal(SignalKind::terminate().as_raw_value()),
                    _ = streams.2.recv() => Event::Signal(SignalKind::hangup().as_raw_value()),
                    _ = streams.3.recv() => Event::Signal(SignalKind::interrupt().as_raw_value()),
                };
                if signals.send(event).is_err() {
                    return;
                }
            }
        });
    })?;
    Ok(())
}

/// Reads standard input until it ends.
fn read(events: &SyncSender<Event>) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let event = match io::stdin().read(&mut bytes) {
            Ok(0) => Event::Closed,
            Ok(count) => Event::Typed(bytes.get(..count).unwrap_or_default().to_vec()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // EIO: the other side of the terminal is gone.
            Err(_) => Event::Closed,
        };
        let closed = matches!(event, Event::Closed);
        if events.send(event).is_err() || closed {
            return;
        }
    }
}
