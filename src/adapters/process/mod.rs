//! Launches: the wrapper, and what is alive.
//!
//! A launch is one program, started at most once, in a folder of its own:
//!
//! | file | written by | when |
//! |---|---|---|
//! | `launch.json` | [`FsLaunches`] | prepared |
//! | `environment` (0600) | [`FsLaunches`] | prepared; read and removed by the wrapper |
//! | `started.json` | the wrapper | synced before it forks; there already: the wrapper refuses |
//! | `exit.json` | the wrapper | the program has ended, or could not be started |
//! | `heavy/` | `autodo heavy` | a command of the launch waits for a slot |
//!
//! The wrapper is `autodo launch <folder>` ([`wrapper`]): synchronous, one thread, no runtime. Every process of a launch
//! carries `AUTODO_RUN=<ticket>/<n>` and `AUTODO_LAUNCH=<folder>` in its environment; [`table`] finds them by it, and by
//! their parents and sessions. The process table is read from `/proc`; on systems without one `procfs/other.rs` says what
//! is left of that.

mod ask;
mod below;
mod child;
mod copy;
mod ending;
mod environment;
mod feed;
mod files;
mod launches;
mod procfs;
mod spawn;
pub mod table;
mod trees;
mod wait;
mod waiting;
pub mod wrapper;

pub use ask::{Printed, Said, ask, find_program, output_of};
pub use below::{LaunchProcesses, end_launch, launches_below};
pub use copy::{CopyError, ensure_copy, remove_old_copies};
pub use environment::{Environment, HEAVY};
pub use feed::{Fed, feed};
pub use launches::FsLaunches;
pub use spawn::{become_program, run_attached, spawn_detached};
pub use waiting::Waiting;
