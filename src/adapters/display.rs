//! A person's terminal while a program draws on it: taken, drawn on line by line, and given back as it was.
//!
//! What is drawn stands on the terminal's second screen, so that what stood there before comes back at the end. Only
//! lines that differ are written, in one piece, over what they replace: nothing blinks, and little goes over the wire.

use std::{
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
    time::Duration,
};

use nix::sys::{
    signal::{Signal, raise},
    termios::{self, LocalFlags, SetArg, SpecialCharacterIndices, Termios},
};
use tokio::{net::unix::pipe::Receiver, signal::unix::SignalKind};

/// The second screen, no cursor, lines that end at the edge.
const BEGIN: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
/// As it was.
const END: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
/// Between these, a terminal that knows them shows nothing half drawn; others ignore them.
const HOLD: &str = "\x1b[?2026h";
const SHOW: &str = "\x1b[?2026l";

/// Pause where the terminal says that there is something to read, and gives nothing.
const NO_KEY: Duration = Duration::from_millis(200);

/// The terminal, taken. Dropping it gives it back.
#[derive(Debug)]
pub struct Display {
    typing: Option<Typing>,
    drawn: Vec<String>,
    is_whole: bool,
}

/// What the terminal made of typed keys before.
#[derive(Debug)]
struct Typing {
    before: Termios,
    keys: Option<Receiver>,
}

impl Display {
    /// Takes the terminal of standard output, and of standard input where that is one: typed keys are not shown then.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn take() -> io::Result<Self> {
        let mut display = Self { typing: None, drawn: Vec::new(), is_whole: false };
        display.enter()?;
        Ok(display)
    }

    fn enter(&mut self) -> io::Result<()> {
        self.typing = Typing::take();
        self.forget();
        write(BEGIN)
    }

    fn leave(&mut self) {
        // Ignored: a terminal that is gone needs nothing given back.
        write(END).ok();
        self.typing = None;
    }

    /// Has the next drawing write every line: after a change of size, or when something else wrote there.
    pub fn forget(&mut self) {
        self.is_whole = false;
    }

    /// Shows exactly `lines`, from the top: each without a line end and narrower than the terminal, and no more of
    /// them than it has rows.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, lines: &[String]) -> io::Result<()> {
        let drawing = drawing(self.is_whole.then_some(&self.drawn), lines, size().1);
        self.drawn = lines.to_vec();
        self.is_whole = true;
        if drawing.is_empty() { Ok(()) } else { write(&drawing) }
    }

    /// Gives the terminal back and stops this process, as Ctrl-Z asks; when it goes on, the terminal is taken again.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn suspend(&mut self) -> io::Result<()> {
        self.leave();
        raise(Signal::SIGSTOP)?;
        self.enter()
    }

    /// Waits until something is typed: the bytes of the keys. Never comes where nothing can be typed. Cancel-safe.
    pub async fn typed(&self) -> Vec<u8> {
        let Some(keys) = self.typing.as_ref().and_then(|typing| typing.keys.as_ref()) else {
            return std::future::pending().await;
        };
        loop {
            if keys.readable().await.is_err() {
                return std::future::pending().await;
            }
            let mut typed = [0; 64];
            match keys.try_read(&mut typed) {
                Ok(0) => tokio::time::sleep(NO_KEY).await,
                Ok(count) => return typed[..count].to_vec(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return std::future::pending().await,
            }
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Typing {
    /// `None`: standard input is no terminal, or not one of ours to set.
    fn take() -> Option<Self> {
        if !io::stdin().is_terminal() {
            return None;
        }
        // Ignored below: what is typed is shown then, and Ctrl-C works all the same.
        let before = termios::tcgetattr(io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_flags &= !(LocalFlags::ICANON | LocalFlags::ECHO);
        silent.control_chars[SpecialCharacterIndices::VMIN as usize] = 0;
        silent.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        termios::tcsetattr(io::stdin(), SetArg::TCSANOW, &silent).ok()?;
        // A reader of its own, as of a pipe: the terminal was just set to give nothing rather than to let it wait.
        let own = io::stdin().as_fd().try_clone_to_owned();
        Some(Self { before, keys: own.and_then(Receiver::from_owned_fd_unchecked).ok() })
    }
}

impl Drop for Typing {
    fn drop(&mut self) {
        // Ignored: a terminal that is gone needs nothing put back.
        termios::tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before).ok();
    }
}

/// What turns the screen of `rows` rows that shows `before` into one that shows `lines`; `None`: nobody knows what it
/// shows.
fn drawing(before: Option<&Vec<String>>, lines: &[String], rows: usize) -> String {
    let mut text = String::new();
    for (row, line) in lines.iter().enumerate() {
        if before.and_then(|before| before.get(row)) != Some(line) {
            // The rest of the row is cleared after its new text: it is never blank in between.
            text.push_str(&format!("\x1b[{};1H{line}\x1b[0m\x1b[K", row + 1));
        }
    }
    // A place below the last row would be taken for the last row.
    if lines.len() < rows && before.is_none_or(|before| before.len() > lines.len()) {
        text.push_str(&format!("\x1b[{};1H\x1b[J", lines.len() + 1));
    }
    if text.is_empty() { text } else { format!("{HOLD}{text}{SHOW}") }
}

/// The signal that a terminal sends for Ctrl-Z.
#[must_use]
pub fn stop_asked() -> SignalKind {
    SignalKind::from_raw(Signal::SIGTSTP as i32)
}

/// Columns and rows of the terminal; 80x24 where it does not say.
#[must_use]
pub fn size() -> (usize, usize) {
    let known = terminal_size::terminal_size_of(io::stdout()).filter(|(columns, rows)| columns.0 > 0 && rows.0 > 0);
    known.map_or((80, 24), |(columns, rows)| (usize::from(columns.0), usize::from(rows.0)))
}

/// Writes to the terminal at once.
fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn only_what_differs_is_written() {
        let before = lines("a\nb\nc");
        assert_eq!(drawing(Some(&before), &before, 24), "");
        let changed = drawing(Some(&before), &lines("a\nB\nc"), 24);
        assert_eq!(changed, format!("{HOLD}\x1b[2;1HB\x1b[0m\x1b[K{SHOW}"));
        let longer = drawing(Some(&before), &lines("a\nb\nc\nd"), 24);
        assert_eq!(longer, format!("{HOLD}\x1b[4;1Hd\x1b[0m\x1b[K{SHOW}"));
        let shorter = drawing(Some(&before), &lines("a"), 24);
        assert_eq!(shorter, format!("{HOLD}\x1b[2;1H\x1b[J{SHOW}"));
    }

    #[test]
    fn a_full_screen_keeps_its_last_row() {
        assert!(!drawing(None, &lines("a\nb"), 2).contains("\x1b[J"));
    }

    #[test]
    fn a_screen_that_nobody_knows_is_written_whole_and_never_cleared_first() {
        let whole = drawing(None, &lines("a\nb"), 24);
        assert_eq!(whole, format!("{HOLD}\x1b[1;1Ha\x1b[0m\x1b[K\x1b[2;1Hb\x1b[0m\x1b[K\x1b[3;1H\x1b[J{SHOW}"));
    }
}
