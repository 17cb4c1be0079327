//! Launches: programs started under the launch wrapper, once each, whose end is on disk.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::Work;
use crate::domain::{check::CommandEnd, id::RunId, observed::Observed};

/// What the wrapper is told, in `launch.json` of the launch's folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaunchSpec {
    /// Always 1.
    pub version: u32,
    /// `<ticket>/<n>`, put into `AUTODO_RUN`.
    pub run: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// Variables set on top of the starter's environment. No secrets: the file stays.
    pub env: BTreeMap<String, String>,
    /// Variables taken out of it.
    pub unset: Vec<String>,
    /// Variables that must be there after all that.
    pub require: Vec<String>,
    /// A file for standard output and error; `None`: the terminal.
    pub output: Option<PathBuf>,
    /// Longest time it may run, in seconds; 0: no limit.
    pub limit_s: u64,
    /// A datagram socket that is told "look" at the end; `None`: nobody.
    pub wake: Option<PathBuf>,
}

/// `started.json`: written and synced before the program is started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Always 1.
    pub version: u32,
    /// Process id of the wrapper.
    pub pid: i32,
    /// Its start time, in clock ticks since boot (field 22 of `/proc/<pid>/stat`).
    pub start_time: u64,
    /// The machine's boot id.
    pub boot_id: String,
    /// When.
    pub at: jiff::Timestamp,
}

/// `exit.json`: written when the program has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// Always 1.
    pub version: u32,
    /// How it ended.
    #[serde(flatten)]
    pub end: CommandEnd,
    /// When.
    pub at: jiff::Timestamp,
    /// True: autodo itself ended it (a signal to the wrapper).
    #[serde(default)]
    pub by_autodo: bool,
}

/// What is known of a launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchSeen {
    /// `None`: the wrapper has not begun.
    pub started: Option<Started>,
    /// `None`: the program has not ended, or the wrapper died with it.
    pub exited: Option<Exited>,
    /// True if it was started before the machine's last start.
    pub other_boot: bool,
    /// True while the wrapper lives: same pid, start time and boot.
    pub alive: bool,
}

/// How long commands of a launch have waited for a slot of heavy commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotWaits {
    /// In all; what waited side by side counts once.
    pub total: Duration,
    /// How long ago the latest wait ended, nothing while one lasts; `None`: there was none.
    pub ended: Option<Duration>,
}

/// The processes of a launch: the wrapper and all that hangs on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// How many live.
    pub processes: u32,
    /// Memory that they hold (resident set size), in KiB, added up: what they share counts for each.
    pub memory_kb: u64,
    /// Processor time that they and those that have ended have taken, in milliseconds.
    pub cpu_ms: u64,
}

/// One look at the processes of several launches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trees {
    /// Those of each launch, in the order asked for; `None`: that launch has none.
    pub trees: Vec<Option<Tree>>,
    /// The processor time that the look itself took.
    pub cost: Duration,
}

/// Why a launch could not be made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LaunchError {
    /// A variable that the profile requires is not in the starter's environment.
    #[error("the variable {0} is not set where autodo was started")]
    MissingVariable(String),
    /// The program is not on the PATH.
    #[error("the program {0} was not found on the PATH")]
    MissingProgram(String),
    /// A file could not be written or read.
    #[error("cannot {what} {}: {why}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        why: String,
    },
    /// Processes of an earlier launch live on and could not be ended.
    #[error("processes of an earlier launch live on: {0}")]
    StillAlive(String),
}

/// Launches of all tickets.
pub trait Launches: Send + Sync {
    /// Writes `launch.json` and the environment's hand-over file into `folder` and returns the argv that starts the
    /// wrapper there. A launch that has started already is left as it is.
    fn prepare(&self, folder: PathBuf, spec: LaunchSpec) -> Work<'_, Result<Vec<String>, LaunchError>>;

    /// Takes back the environment that `prepare` handed over into `folder` and that no wrapper has read.
    fn withdraw(&self, folder: &Path) -> Result<(), LaunchError>;

    /// What is known of the launch in `folder`; `Absent`: it was never prepared.
    fn look(&self, folder: PathBuf) -> Observed<LaunchSeen>;

    /// True if the wrapper in `folder` has said how its program ended: one system call.
    fn has_ended(&self, folder: &Path) -> bool;

    /// How long commands of the launch in `folder` have waited for a slot.
    fn slot_waits(&self, folder: &Path) -> SlotWaits;

    /// The processes of the launches in `folders`, in one look.
    fn trees(&self, folders: Vec<PathBuf>) -> Work<'_, Observed<Trees>>;

    /// Runs a launch without a terminal and waits for its end; one that is running is adopted, one that has ended is
    /// not run again. Returns how it ended and the milliseconds it took.
    fn run(&self, folder: PathBuf, spec: LaunchSpec) -> Work<'_, Result<(CommandEnd, u64), LaunchError>>;

    /// Ends every process whose environment carries `AUTODO_RUN=<run>`: SIGTERM, after `grace_ms` SIGKILL. Returns
    /// those that are still alive, as text.
    fn end_all(&self, run: RunId, grace_ms: u64) -> Work<'_, Result<(), LaunchError>>;

    /// True if the program under the wrapper `pid` is the foreground of its terminal.
    fn is_foreground(&self, pid: i32) -> Observed<bool>;
}
