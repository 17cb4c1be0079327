//! Linux: `/proc`. Source of the fields: proc_pid_stat(5), Linux 6.

use std::{
    ffi::OsString,
    fs,
    io::{Error, ErrorKind},
    os::unix::ffi::OsStringExt,
};

use nix::errno::Errno;

use super::Proc;
use crate::domain::observed::Observed;

/// One process, zombies included.
pub fn stat(pid: i32) -> Observed<Proc> {
    let path = format!("/proc/{pid}/stat");
    match fs::read(&path) {
        Ok(bytes) => match parse(&String::from_utf8_lossy(&bytes)) {
            Some(found) => Observed::Present(found),
            None => Observed::Unknown(format!("cannot read {path}: it is not laid out as expected")),
        },
        Err(e) if is_gone(&e) => {
            if fs::exists("/proc/self/stat").unwrap_or(false) {
                Observed::Absent
            } else {
                Observed::Unknown("/proc is not readable".to_owned())
            }
        }
        Err(e) => Observed::Unknown(format!("cannot read {path}: {e}")),
    }
}

/// A process that ends while it is read gives ESRCH.
fn is_gone(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(Errno::ESRCH as i32)
}

/// All processes that can be seen. Those of others whose state cannot be read are left out.
pub fn list() -> Result<Vec<Proc>, String> {
    let entries = fs::read_dir("/proc").map_err(|e| format!("cannot read /proc: {e}"))?;
    if let Observed::Absent | Observed::Unknown(_) = stat(nix::unistd::getpid().as_raw()) {
        return Err("cannot read /proc: it does not show this process".to_owned());
    }
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| format!("cannot read /proc: {e}"))?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if let Observed::Present(found) = stat(pid) {
            all.push(found);
        }
    }
    Ok(all)
}

/// The environment a process was started with, as NUL-separated entries; `None`: it is gone, or another user's.
pub fn environment(pid: i32) -> Option<Vec<u8>> {
    // Ignored: what cannot be read belongs to another user, and is not a process of ours.
    fs::read(format!("/proc/{pid}/environ")).ok()
}

/// The argument list of a process; `None`: it is gone, or another user's.
pub fn arguments(pid: i32) -> Option<Vec<OsString>> {
    // Ignored: as above.
    let mut bytes = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    if bytes.last() == Some(&0) {
        bytes.pop();
    }
    Some(bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect())
}

/// What tells this boot of the machine from every other.
pub fn boot_id() -> Result<String, String> {
    let path = "/proc/sys/kernel/random/boot_id";
    fs::read_to_string(path).map(|text| text.trim().to_owned()).map_err(|e| format!("cannot read {path}: {e}"))
}

/// The name stands in parentheses and may hold anything, parentheses and spaces too.
fn parse(text: &str) -> Option<Proc> {
    let (pid, rest) = text.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |field: usize| -> Option<i32> { fields.get(field)?.parse().ok() };
    Some(Proc {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        state: fields.first()?.chars().next()?,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        foreground: number(5)?,
        start_time: fields.get(19)?.parse().ok()?,
        // Below nothing only by a fault of the system.
        pages: fields.get(21).and_then(|field| field.parse().ok()).unwrap_or(0),
        ticks: (11..15).filter_map(|field| fields.get(field)?.parse::<u64>().ok()).sum(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_read() {
        let line =
            "77 (a) R (x y) S 5 70 60 34816 71 4194304 1 0 0 0 9 2 0 0 20 0 1 0 4242 1000 10 18446744073709551615";
        let found = parse(line).unwrap();
        assert_eq!((found.pid, found.name.as_str(), found.state), (77, "a) R (x y", 'S'));
        assert_eq!((found.parent, found.group, found.session, found.foreground), (5, 70, 60, 71));
        assert_eq!((found.start_time, found.pages, found.ticks), (4242, 10, 9 + 2));
        assert_eq!(parse("77 (a) S 5"), None);
    }

    #[test]
    fn this_process_is_seen_and_a_pid_that_cannot_be_is_absent() {
        let own = nix::unistd::getpid().as_raw();
        let Observed::Present(found) = stat(own) else { panic!("this process is not seen") };
        assert_eq!((found.pid, found.parent), (own, nix::unistd::getppid().as_raw()));
        assert!(list().unwrap().iter().any(|p| p.pid == own && p.start_time == found.start_time));
        assert_eq!(stat(i32::MAX), Observed::Absent);
    }
}
