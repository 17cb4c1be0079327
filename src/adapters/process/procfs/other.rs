//! Systems without `/proc` (macOS): not yet verified on one. A process is known by its pid alone (start time 0, one
//! "boot"), so a pid used again looks alive; processes of a run cannot be listed, which is reported, never guessed.

use std::ffi::OsString;

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};

use super::Proc;
use crate::domain::observed::Observed;

/// One process, by its pid alone.
pub fn stat(pid: i32) -> Observed<Proc> {
    match kill(Pid::from_raw(pid), None) {
        Ok(()) | Err(Errno::EPERM) => Observed::Present(Proc {
            pid,
            start_time: 0,
            parent: 0,
            group: 0,
            session: 0,
            foreground: -1,
            state: '?',
            name: "?".to_owned(),
            pages: 0,
            ticks: 0,
        }),
        Err(Errno::ESRCH) => Observed::Absent,
        Err(e) => Observed::Unknown(format!("cannot look for process {pid}: {e}")),
    }
}

/// Not known here.
pub fn list() -> Result<Vec<Proc>, String> {
    Err("this system has no /proc to list processes from".to_owned())
}

/// Not known here.
pub fn environment(_pid: i32) -> Option<Vec<u8>> {
    None
}

/// Not known here.
pub fn arguments(_pid: i32) -> Option<Vec<OsString>> {
    None
}

/// Not known here: always the same.
pub fn boot_id() -> Result<String, String> {
    Ok("unverified".to_owned())
}
