//! Processes of all launches of a home, for whoever looks for what was left over.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    ending,
    files::{self, failed},
    table::{self, Proc},
};
use crate::{
    domain::observed::Observed,
    ports::launches::{LaunchError, Started},
};

/// Living processes of one launch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchProcesses {
    /// The launch's folder, which need not be there any more.
    pub folder: PathBuf,
    /// Whether its wrapper lives: the one whose pid, start time and boot stand in the folder, or one that shows in the
    /// process table. Never `Absent`.
    pub has_wrapper: Observed<bool>,
    /// The processes; what hangs on them without carrying the launch's folder is ended with them, and not listed here.
    pub processes: Vec<Proc>,
}

/// The launches below the folder `home` of which processes live, by folder. This process and its ancestors are left
/// out.
///
/// # Errors
/// The process table could not be read.
pub fn launches_below(home: &Path) -> Result<Vec<LaunchProcesses>, String> {
    let own = table::own_line();
    let mut found = Vec::new();
    for (folder, mut processes) in table::by_launch(home)? {
        processes.retain(|process| !own.contains(&process.pid));
        if processes.is_empty() {
            continue;
        }
        let has_wrapper = match files::read::<Started>(&folder.join(files::STARTED)) {
            _ if processes.iter().any(|process| table::is_wrapper(process.pid)) => Observed::Present(true),
            Observed::Present(started) => table::alive(started.pid, started.start_time, &started.boot_id),
            Observed::Absent => Observed::Present(false),
            Observed::Unknown(why) => Observed::Unknown(why),
        };
        found.push(LaunchProcesses { folder, has_wrapper, processes });
    }
    Ok(found)
}

/// Ends all processes of the launch in `folder`, as at the end of a run: its wrapper is asked first, SIGKILL comes after
/// `grace`, and nothing is sent to a process whose start time is not the one that was seen.
///
/// # Errors
/// [`LaunchError::StillAlive`] names what lives on; [`LaunchError::File`]: the process table could not be read.
pub async fn end_launch(folder: &Path, grace: Duration) -> Result<(), LaunchError> {
    let at = folder.to_owned();
    let work = move || ending::end(|| table::processes_of_launch(&at), grace);
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(failed("end the processes of", folder, &e)),
    }
}
