//! The machine: locale, disk space, memory.

use super::{Check, run::Scene};
use crate::{
    adapters::{env, fs, machine},
    app::intake::worktree_root,
    domain::observed::Observed,
};

/// Free space below which nothing should be started, and below which a night may fill the disk, in MiB.
const DISK: (u64, u64) = (512, 4096);
/// Free files below which a checkout may fail.
const FEW_FILES: u64 = 20_000;
/// Memory that one agent takes, in MiB: measured with coding agents of 2026, 300 to 400 MiB each.
const AGENT_MB: u64 = 512;

pub(super) fn checks(scene: &Scene) -> Vec<Check> {
    vec![locale(), disk(scene, DISK), memory(AGENT_MB)]
}

/// The variables in the order in which the C library asks them for the character set. Source: locale(7).
fn locale() -> Check {
    let name = "locale";
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|variable| Some((variable, env::var(variable)?.to_string_lossy().into_owned())));
    let fix = "export LC_ALL=C.UTF-8 where autodo is started, in cron too";
    match set {
        Some((variable, value)) if is_utf8(&value) => Check::ok(name, format!("{variable}={value}")),
        Some((variable, value)) => Check::warn(
            name,
            format!("{variable}={value} is not UTF-8: agents may draw their screens in another way"),
            fix,
        ),
        None => Check::warn(
            name,
            "no locale is set, so programs take ASCII: agents may draw their screens in another way",
            fix,
        ),
    }
}

fn is_utf8(locale: &str) -> bool {
    let charset = locale.split('@').next().unwrap_or_default().rsplit('.').next().unwrap_or_default();
    matches!(charset.to_ascii_lowercase().as_str(), "utf-8" | "utf8")
}

/// The free space, with the least that is to be there, and below which it is said, in MiB.
pub(super) fn disk(scene: &Scene, (least, few): (u64, u64)) -> Check {
    let name = "disk";
    let places = [Some(scene.home.root().to_owned()), scene.project.as_ref().map(worktree_root)];
    let mut seen = Vec::new();
    for place in places.into_iter().flatten() {
        let folder = fs::nearest_folder(&place);
        let shown = folder.display();
        match machine::disk(&folder) {
            Observed::Present(disk) => {
                let full = format!("{} MiB free in {shown}", disk.free_mb);
                if disk.free_mb < least {
                    return Check::fail(name, full, "free some space: a full disk stops all work");
                }
                if disk.free_mb < few {
                    return Check::warn(name, full, "free some space: worktrees and builds of a night may need more");
                }
                if let Some(files) = disk.free_files.filter(|files| *files < FEW_FILES) {
                    return Check::warn(
                        name,
                        format!("only {files} files can still be made in {shown}"),
                        "remove files there",
                    );
                }
                seen.push(format!("{} GiB free in {shown}", disk.free_mb / 1024));
            }
            Observed::Absent => {}
            Observed::Unknown(why) => return Check::warn(name, why, "look with df"),
        }
    }
    seen.dedup();
    Check::ok(name, seen.join(", "))
}

/// The free memory, with the least that is to be there, in MiB.
pub(super) fn memory(least: u64) -> Check {
    let name = "memory";
    match machine::free_memory_mb() {
        None => Check::ok(name, "this system does not say how much memory is free"),
        Some(free) if free < least => Check::warn(
            name,
            format!("{free} MiB of memory are free, and an agent takes about {AGENT_MB}"),
            "end something, or work on one ticket at a time: --parallel 1",
        ),
        Some(free) => {
            Check::ok(name, format!("{free} MiB of memory are free, enough for about {} agents", free / AGENT_MB))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_utf_8_by_its_character_set() {
        for locale in ["C.UTF-8", "en_GB.utf8", "de_DE.UTF-8@euro", "UTF-8"] {
            assert!(is_utf8(locale), "{locale}");
        }
        for locale in ["C", "POSIX", "de_DE.ISO-8859-1", "utf", ""] {
            assert!(!is_utf8(locale), "{locale}");
        }
    }
}
