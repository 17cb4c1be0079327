//! What agents take of the machine, and what a new one will need by that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Runs of a profile that are remembered.
const KEPT: usize = 20;

/// From so many runs on the need of a profile is known.
const LEAST: usize = 3;

/// What the agent of a run takes, with all processes that it has started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// Memory at the latest look, in MiB: what processes share counts for each. 0 once it has ended.
    pub memory_mb: u64,
    /// The most memory at any look, in MiB.
    pub peak_mb: u64,
    /// Processor time so far, in milliseconds, all launches of the run together.
    pub cpu_ms: u64,
    /// The latest launch that was looked at.
    pub launch: u32,
    /// What launches before it took of `cpu_ms`.
    pub before_ms: u64,
}

impl Measured {
    /// Takes a look at launch `launch`: `memory_mb`, and `cpu_ms` of that launch alone.
    pub fn look(&mut self, launch: u32, memory_mb: u64, cpu_ms: u64) {
        if launch != self.launch {
            self.launch = launch;
            self.before_ms = self.cpu_ms;
        }
        self.memory_mb = memory_mb;
        self.peak_mb = self.peak_mb.max(memory_mb);
        // A process that nobody waited for takes its time with it.
        self.cpu_ms = self.cpu_ms.max(self.before_ms.saturating_add(cpu_ms));
    }

    /// True if a person would call it something else than `other`.
    #[must_use]
    pub fn differs(&self, other: &Self) -> bool {
        let memory = self.memory_mb.abs_diff(other.memory_mb) > other.memory_mb / 20 || self.peak_mb != other.peak_mb;
        memory || self.launch != other.launch || self.cpu_ms.abs_diff(other.cpu_ms) >= 500
    }
}

/// The peaks of each profile's latest runs, in MiB, the latest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Needs(BTreeMap<String, Vec<u64>>);

impl Needs {
    /// A run of `profile` has ended whose peak was `peak_mb`.
    pub fn note(&mut self, profile: &str, peak_mb: u64) {
        let peaks = self.0.entry(profile.to_owned()).or_default();
        peaks.push(peak_mb);
        peaks.drain(..peaks.len().saturating_sub(KEPT));
    }

    /// The memory that an agent of `profile` is expected to take, in MiB: what half of its latest runs stayed below.
    /// `None`: too few are known.
    #[must_use]
    pub fn of(&self, profile: &str) -> Option<u64> {
        let mut peaks = self.0.get(profile).filter(|peaks| peaks.len() >= LEAST)?.clone();
        peaks.sort_unstable();
        peaks.get(peaks.len() / 2).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn launches_of_a_run_add_up_and_nothing_measured_falls() {
        let mut seen = Measured::default();
        seen.look(1, 100, 1000);
        seen.look(1, 300, 2000);
        seen.look(1, 200, 1500);
        assert_eq!((seen.memory_mb, seen.peak_mb, seen.cpu_ms), (200, 300, 2000));
        let before = seen;
        seen.look(2, 205, 0);
        assert!(seen.differs(&before));
        seen.look(2, 205, 700);
        assert_eq!((seen.peak_mb, seen.cpu_ms), (300, 2700));
        let before = seen;
        seen.look(2, 210, 900);
        assert!(!seen.differs(&before), "little has changed");
    }

    #[test]
    fn a_need_is_the_median_of_the_latest_runs_once_there_are_a_few() {
        let mut needs = Needs::default();
        needs.note("a", 5000);
        needs.note("a", 100);
        assert_eq!((needs.of("a"), needs.of("b")), (None, None));
        needs.note("a", 300);
        assert_eq!(needs.of("a"), Some(300));
        for _ in 0..20 {
            needs.note("a", 700);
        }
        assert_eq!((needs.of("a"), needs.0["a"].len()), (Some(700), 20));
    }
}
