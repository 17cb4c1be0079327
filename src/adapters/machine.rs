//! What the machine has: cores, free memory, free disk space.

use std::path::Path;

use nix::sys::statvfs::{FsFlags, statvfs};

use crate::domain::observed::Observed;

/// Cores that this process may use.
#[must_use]
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

/// Memory that can still be used, in MiB, as Linux reckons it; `None`: the machine does not say.
#[must_use]
pub fn free_memory_mb() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kb: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kb / 1024)
}

/// What a file system says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Space that this user may still fill, in MiB.
    pub free_mb: u64,
    /// Files that may still be made; `None`: the file system does not count them.
    pub free_files: Option<u64>,
    /// Nothing on it may be run.
    pub no_exec: bool,
}

/// The file system on which `path` lies; `Absent`: there is no such path.
#[must_use]
#[allow(clippy::useless_conversion, reason = "the numbers are narrower on macOS")]
pub fn disk(path: &Path) -> Observed<Disk> {
    match statvfs(path) {
        Ok(seen) => {
            let bytes = seen.blocks_available().saturating_mul(seen.fragment_size());
            Observed::Present(Disk {
                free_mb: bytes / (1024 * 1024),
                // btrfs and others have no fixed number of files and say 0.
                free_files: (seen.files() > 0).then(|| seen.files_available()),
                no_exec: seen.flags().contains(no_exec()),
            })
        }
        Err(nix::errno::Errno::ENOENT) => Observed::Absent,
        Err(why) => Observed::Unknown(format!("cannot look at the file system of {}: {why}", path.display())),
    }
}

/// The flag of a file system that runs nothing, where the system has one.
fn no_exec() -> FsFlags {
    #[cfg(target_os = "linux")]
    return FsFlags::ST_NOEXEC;
    #[cfg(not(target_os = "linux"))]
    // Not a flag of this system's statvfs: nothing can be told.
    return FsFlags::from_bits_retain(1 << 62);
}

/// Whether a process of one of these names runs, as `/proc` shows it.
#[must_use]
pub fn runs_any(names: &[&str]) -> Observed<()> {
    let entries = match std::fs::read_dir("/proc") {
        Ok(entries) => entries,
        Err(why) => return Observed::Unknown(format!("cannot look at the processes: {why}")),
    };
    // A process that ends meanwhile is none of these; the names of others can be read, whoever they belong to.
    let is_one = |comm: String| names.contains(&comm.trim());
    let found = entries.flatten().any(|entry| std::fs::read_to_string(entry.path().join("comm")).is_ok_and(is_one));
    if found { Observed::Present(()) } else { Observed::Absent }
}

/// The name of this machine; `None`: it has none that can be told.
#[must_use]
pub fn host_name() -> Option<String> {
    // Ignored: a name that cannot be looked up is not in any text of ours.
    let name = nix::unistd::gethostname().ok()?;
    name.into_string().ok().filter(|name| !name.is_empty())
}

/// The kind of system and processor that this program was built for.
#[must_use]
pub fn system() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}
