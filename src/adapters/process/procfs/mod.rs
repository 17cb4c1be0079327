//! Raw reads of the system's process table. The only place that knows which system this is.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{arguments, boot_id, environment, list, stat};

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub use other::{arguments, boot_id, environment, list, stat};

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proc {
    /// Process id.
    pub pid: i32,
    /// Start time, in clock ticks since boot: with the pid and the boot it names one process for ever.
    pub start_time: u64,
    /// The parent's pid.
    pub parent: i32,
    /// Process group.
    pub group: i32,
    /// Session.
    pub session: i32,
    /// The foreground process group of its terminal; -1: it has none.
    pub foreground: i32,
    /// One letter as in `ps`: `R`, `S`, `D`, `T`, `Z`, …
    pub state: char,
    /// The program's name, at most 15 bytes.
    pub name: String,
    /// Memory that it holds (resident set size), in pages.
    pub pages: u64,
    /// Processor time that it and its children that were waited for have taken, in clock ticks.
    pub ticks: u64,
}

impl Proc {
    /// False for a zombie: it has ended, and only its parent has not looked yet.
    #[must_use]
    pub fn lives(&self) -> bool {
        !matches!(self.state, 'Z' | 'X' | 'x')
    }
}

impl std::fmt::Display for Proc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}, state {})", self.pid, self.name, self.state)
    }
}
