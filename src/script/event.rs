//! What the screen's loop reacts to, and what the agent is doing.

use std::time::Instant;

/// Something the screen's loop reacts to.
#[derive(Debug)]
pub(super) enum Event {
    /// Bytes from the terminal.
    Typed(Vec<u8>),
    /// The terminal is gone.
    Closed,
    /// The terminal has another size.
    Resized,
    /// A signal that ends the agent, by its number.
    Signal(i32),
    /// A line for the screen.
    Said(String),
    /// What the status line says from now on.
    Status(Status),
}

/// What the agent is doing.
#[derive(Clone, Debug)]
pub(super) enum Status {
    Booting,
    Ready,
    Busy { what: String, since: Instant },
    Waiting,
    Failed { why: String },
}

impl Status {
    /// The status line.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Booting => " script · booting".to_owned(),
            Self::Ready => " script · ready".to_owned(),
            Self::Busy { what, since } => {
                let time = since.elapsed();
                let frame = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏".chars().cycle().nth((time.as_millis() / 250 % 10) as usize);
                format!(" script · busy {} {what} {}s", frame.unwrap_or('⠋'), time.as_secs())
            }
            Self::Waiting => " script · waiting for an answer".to_owned(),
            Self::Failed { why } => format!(" script · failed: {}", why.lines().next().unwrap_or_default()),
        }
    }
}
