//! Processes that an interrupted preparation left behind: git and set-up commands outlive a killed supervisor.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// Stands in the environment of whatever works on a worktree before its agent does; the value is the worktree's path.
pub(crate) const PREPARING: &str = "AUTODO_PREPARING";
/// Time between SIGTERM, on which git removes its lock files, and SIGKILL.
const GRACE: Duration = Duration::from_secs(5);

/// Ends the processes that still prepare the worktree at `path`; returns how many there were. Where there is no
/// `/proc` none is found.
pub(crate) async fn end(path: &Path) -> usize {
    let found = of(path).await;
    let count = found.len();
    let begun = Instant::now();
    signal(&found, Signal::SIGTERM);
    let mut left = found;
    while !left.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = of(path).await;
        if begun.elapsed() > GRACE {
            signal(&left, Signal::SIGKILL);
        }
        if begun.elapsed() > 2 * GRACE {
            break;
        }
    }
    count
}

fn signal(processes: &[Pid], signal: Signal) {
    for pid in processes {
        // Ignored: it may have ended by itself.
        kill(*pid, signal).ok();
    }
}

async fn of(path: &Path) -> Vec<Pid> {
    let path = path.to_owned();
    // Ignored: a scan that fails finds nothing, as where there is no /proc.
    tokio::task::spawn_blocking(move || scan(&path)).await.unwrap_or_default()
}

fn scan(path: &Path) -> Vec<Pid> {
    let mut mark = format!("{PREPARING}=").into_bytes();
    mark.extend_from_slice(path.as_os_str().as_encoded_bytes());
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let marked = |folder: PathBuf| {
        let pid: i32 = folder.file_name()?.to_str()?.parse().ok()?;
        // Processes of other users cannot be read, and are not ours.
        let environment = std::fs::read(folder.join("environ")).ok()?;
        environment.split(|b| *b == 0).any(|v| v == mark).then(|| Pid::from_raw(pid))
    };
    processes.filter_map(|p| marked(p.ok()?.path())).filter(|p| *p != Pid::this()).collect()
}
