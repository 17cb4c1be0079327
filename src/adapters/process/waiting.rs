//! What a launch has waited for a slot of heavy commands: told by `autodo heavy` in files of the launch's folder, so that
//! the time limit of a check does not run meanwhile, and no agent counts as silent for it.
//!
//! Each wait has a file `heavy/<pid>-<start>` with two times of the monotonic clock, in milliseconds, and `w` while it
//! lasts: the second time moves on about once a second. A wait whose process was killed so ends by itself.

use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    time::{ClockId, clock_gettime},
    unistd::getpid,
};

use super::{environment, files};
use crate::ports::launches::SlotWaits;

/// The folder of the waits in that of a launch.
const FOLDER: &str = "heavy";

/// How often the time moves on.
const EVERY: Duration = Duration::from_secs(1);

/// A wait whose time has not moved on for so long is over.
const FRESH_MS: u64 = 3_000;

/// A wait that the launch around this process is told of.
#[derive(Debug)]
pub struct Waiting {
    file: File,
    since: u64,
    told: Instant,
}

impl Waiting {
    /// Begins to wait. `None`: no launch is around this process, or it cannot be told, and its time limit runs on.
    #[must_use]
    pub fn begin() -> Option<Self> {
        let folder = std::env::var_os(environment::LAUNCH)?;
        let folder = Path::new(&folder);
        if !folder.join(files::LAUNCH).exists() {
            return None;
        }
        let since = now_ms()?;
        let waits = folder.join(FOLDER);
        // Ignored: see above.
        std::fs::create_dir_all(&waits).ok()?;
        let file = File::create(waits.join(format!("{}-{since}", getpid()))).ok()?;
        let waiting = Self { file, since, told: Instant::now() };
        waiting.write('w');
        Some(waiting)
    }

    /// It goes on.
    pub fn goes_on(&mut self) {
        if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            self.write('w');
        }
    }

    /// It is over.
    pub fn ends(self) {
        self.write('.');
    }

    fn write(&self, state: char) {
        let Some(now) = now_ms() else { return };
        // Always as long, so that each write covers the one before.
        // Ignored: the launch's time limit runs on.
        self.file.write_all_at(format!("{:020} {now:020} {state}\n", self.since).as_bytes(), 0).ok();
    }
}

/// How long anything in the launch of `folder` has waited.
pub(super) fn waited(folder: &Path) -> SlotWaits {
    let Some(now) = now_ms() else { return SlotWaits::default() };
    // Ignored: a launch that has waited for nothing has no such folder.
    let entries = std::fs::read_dir(folder.join(FOLDER)).into_iter().flatten().flatten();
    let texts = entries.filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
    union(texts.filter_map(|text| parse(&text, now)).collect(), now)
}

/// When a wait began and ended, or `now` while it lasts.
fn parse(text: &str, now: u64) -> Option<(u64, u64)> {
    let mut words = text.split_ascii_whitespace();
    let (since, told) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let lasts = words.next()? == "w" && now.saturating_sub(told) <= FRESH_MS;
    let end: u64 = if lasts { now } else { told };
    Some((since, end.min(now)))
}

fn union(mut waits: Vec<(u64, u64)>, now: u64) -> SlotWaits {
    waits.sort_unstable();
    let (mut total, mut covered) = (0, 0);
    for (since, end) in &waits {
        total += end.saturating_sub(*since.max(&covered));
        covered = covered.max(*end);
    }
    let ended = waits.last().map(|_| Duration::from_millis(now.saturating_sub(covered)));
    SlotWaits { total: Duration::from_millis(total), ended }
}

/// Milliseconds of the clock that is never set; the same for all processes since the machine's start.
fn now_ms() -> Option<u64> {
    // Ignored: every system has this clock; without it nothing is told.
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).ok()?;
    u64::try_from(Duration::from(now).as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_side_by_side_count_once_and_one_that_went_silent_ends_there() {
        let at = |text: &str| parse(text, 100_000);
        assert_eq!(at("00010 00020 .\n"), Some((10, 20)));
        assert_eq!(at("90000 99000 w\n"), Some((90_000, 100_000)));
        assert_eq!(at("90000 95000 w\n"), Some((90_000, 95_000)));
        assert_eq!(at("90000"), None);
        let ms = Duration::from_millis;
        assert_eq!(union(vec![], 90), SlotWaits::default());
        let waits = vec![(50, 70), (10, 30), (20, 40), (22, 25)];
        assert_eq!(union(waits, 90), SlotWaits { total: ms(50), ended: Some(ms(20)) });
    }
}
