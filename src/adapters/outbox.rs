//! Outboxes: the report files that an agent leaves in its worktree, and the copies kept of them.
//!
//! The writing side is `autodo report` inside the agent's pane: a file is written aside and renamed, so a reader never
//! sees half of one. The reading side trusts nothing: links are not followed, sizes are bounded, and a folder that
//! leads out of the worktree is not looked into.

use std::{
    ffi::OsString,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use jiff::Timestamp;
use tracing::warn;

use super::{
    fs::{self, FsError, Kind, PRIVATE},
    home::Home,
};
use crate::{
    domain::{
        decision::{Decision, Flag},
        id::{RunId, RunKey},
        observed::Observed,
        report::{Report, Said},
    },
    format::report::{self, MAX_REPORT_BYTES},
    ports::outbox::{Found, Outbox, Stamp, Tally},
};

/// Longest part of a rejected file that is kept, in bytes.
const MAX_KEPT_REJECTED: u64 = 64 * 1024;

/// The outbox in a worktree.
#[must_use]
pub fn outbox_of(worktree: &Path) -> PathBuf {
    worktree.join(".autodo/run/outbox")
}

/// The worktree whose outbox this is; `None`: the outbox lies somewhere else.
fn worktree_of(outbox: &Path) -> Option<&Path> {
    outbox.ends_with(".autodo/run/outbox").then(|| outbox.ancestors().nth(3)).flatten()
}

/// A new report id: nanoseconds since the epoch, process, counter, each of fixed width, so that ids sort by time.
#[must_use]
pub fn new_report_id() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let nanoseconds = Timestamp::now().as_nanosecond();
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{nanoseconds:020}-{:010}-{count:06}", std::process::id())
}

/// Puts a report into an outbox, durably, and returns its path. A folder that was cleaned away is made again. Give the
/// report an id from [`new_report_id`].
///
/// # Errors
/// It is too large, its id is no file name, or it cannot be written.
pub fn write_report(outbox: &Path, report: &Report) -> Result<PathBuf, FsError> {
    let path = outbox.join(format!("{}.json", report.id));
    let refuse = |why: String| FsError::refused("write the report", &path, why);
    if report.id.is_empty() || !report.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(refuse("its id may hold only letters, digits and '-'".to_owned()));
    }
    let text = report::render(report).map_err(|e| refuse(e.to_string()))?;
    if let Some(worktree) = worktree_of(outbox)
        && fs::look_kind(worktree).is_absent()
    {
        // Made again, the folder would stand in the way of the worktree itself.
        return Err(refuse(format!("the worktree {} is gone", worktree.display())));
    }
    fs::create_dir_private(outbox)?;
    if fs::exclusive_create(&path, text.as_bytes(), PRIVATE)? {
        Ok(path)
    } else {
        Err(refuse("there is a report with this id".to_owned()))
    }
}

/// Outboxes on disk.
#[derive(Clone, Debug)]
pub struct FsOutbox {
    /// Where reports are kept.
    pub home: Home,
}

impl Outbox for FsOutbox {
    fn stamp(&self, worktree: &Path) -> Observed<Stamp> {
        match std::fs::metadata(outbox_of(worktree)) {
            Ok(seen) => {
                let changed_ns = i128::from(seen.mtime()) * 1_000_000_000 + i128::from(seen.mtime_nsec());
                Observed::Present(Stamp { folder: seen.ino(), changed_ns })
            }
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Observed::Absent,
            Err(why) => Observed::Unknown(why.to_string()),
        }
    }

    fn waiting(&self, worktree: &Path, run: &RunId, key: &RunKey) -> Vec<Found> {
        let outbox = outbox_of(worktree);
        if !is_inside(&outbox, worktree) {
            return Vec::new();
        }
        let listed = match fs::list_dir(&outbox) {
            Observed::Present(listed) => listed,
            Observed::Absent => return Vec::new(),
            Observed::Unknown(why) => {
                warn!(%run, why, "the outbox cannot be looked into");
                return Vec::new();
            }
        };
        // A name with a dot is a file that is being written; folders are the agent's own affair.
        let waits = |name: &fs::Listed| !name.name.as_encoded_bytes().starts_with(b".") && name.kind != Kind::Folder;
        let read = |path: &Path| {
            let bytes = fs::read_untrusted(path, MAX_REPORT_BYTES).map_err(|e| e.why)?;
            let report = report::parse(&bytes).map_err(|e| e.to_string())?;
            report::check(&report, run, key).map_err(|e| e.to_string())?;
            Ok(report)
        };
        let found = |name: fs::Listed| Found { report: read(&name.path), path: name.path };
        listed.into_iter().filter(waits).map(found).collect()
    }

    fn keep(&self, found: &Found, run: &RunId) -> Result<(), String> {
        let kept = match &found.report {
            Ok(report) => report::render(report).map_err(|e| e.to_string()).and_then(|text| {
                put(&self.home.reports(run), &name_of(&found.path), text.as_bytes()).map_err(|e| e.to_string())
            }),
            Err(why) => self.keep_rejected(&found.path, why, run).map_err(|e| e.to_string()),
        };
        kept.map_err(|why| format!("cannot keep a report of {run}: {why}"))
    }

    fn forget(&self, found: &Found) {
        if let Err(error) = fs::remove(&found.path) {
            warn!(%error, "a report that was counted stays in the outbox");
        }
    }

    fn tally(&self, run: &RunId) -> Tally {
        let mut tally = Tally::default();
        for number in 1..=run.number {
            for report in self.kept(&RunId { number, ..run.clone() }) {
                count(&mut tally, report.said);
            }
        }
        tally
    }
}

impl FsOutbox {
    /// The kept reports of one run, oldest first; those with the id and words of an earlier one are left out.
    fn kept(&self, run: &RunId) -> Vec<Report> {
        let listed = match fs::list_dir(&self.home.reports(run)) {
            Observed::Present(listed) => listed,
            Observed::Absent => return Vec::new(),
            Observed::Unknown(why) => {
                warn!(%run, why, "the kept reports cannot be counted");
                return Vec::new();
            }
        };
        let mut reports: Vec<Report> = Vec::new();
        for name in listed.iter().filter(|name| !name.name.as_encoded_bytes().starts_with(b".")) {
            let report = fs::read_untrusted(&name.path, 2 * MAX_REPORT_BYTES)
                .map_err(|e| e.to_string())
                .and_then(|bytes| report::parse(&bytes).map_err(|e| e.to_string()));
            match report {
                Ok(report) if reports.contains(&report) => {}
                Ok(report) => reports.push(report),
                Err(why) => warn!(%run, why, "a kept report cannot be read and is not counted"),
            }
        }
        reports
    }

    /// Keeps the beginning of a file that was not believed, and beside it the reason.
    fn keep_rejected(&self, path: &Path, why: &str, run: &RunId) -> Result<(), FsError> {
        let folder = self.home.rejected(run);
        let mut name = name_of(path);
        if let Ok(bytes) = fs::read_untrusted(path, MAX_REPORT_BYTES) {
            let length = bytes.len().min(usize::try_from(MAX_KEPT_REJECTED).unwrap_or(usize::MAX));
            put(&folder, &name, &bytes[..length])?;
        }
        name.push(".why");
        put(&folder, &name, format!("{why}\n").as_bytes())
    }
}

/// Writes a kept file. The same bytes under the same name are there already; other bytes get a name of their own, so
/// that keeping twice changes nothing and loses nothing.
fn put(folder: &Path, name: &OsString, bytes: &[u8]) -> Result<(), FsError> {
    fs::create_dir_private(folder)?;
    for n in 1_u32.. {
        let mut numbered = name.clone();
        if n > 1 {
            numbered.push(format!(".{n}"));
        }
        let path = folder.join(numbered);
        if fs::exclusive_create(&path, bytes, PRIVATE)? || fs::read(&path)? == bytes {
            return Ok(());
        }
    }
    Ok(())
}

fn name_of(path: &Path) -> OsString {
    path.file_name().unwrap_or_default().to_owned()
}

/// True if `outbox`, its links resolved, lies in the worktree. One that leads elsewhere could be another ticket's,
/// whose reports must not be rejected and removed from here.
fn is_inside(outbox: &Path, worktree: &Path) -> bool {
    let (Ok(outbox), Ok(worktree)) = (outbox.canonicalize(), worktree.canonicalize()) else { return false };
    let is_inside = outbox.starts_with(&worktree);
    if !is_inside {
        warn!(outbox = %outbox.display(), "an outbox leads out of its worktree and is not looked into");
    }
    is_inside
}

fn count(tally: &mut Tally, said: Said) {
    match said {
        Said::Decision { risk, text, why } => {
            tally.summary.add(risk);
            tally.decisions.push(Decision { tier: risk, text, why });
        }
        Said::Flag { risk, text } => tally.flags.push(Flag { tier: risk, text, why: None }),
        Said::Note { text } => tally.notes.push(text),
        Said::Done { .. } | Said::Blocked { .. } | Said::Hook(_) => {}
    }
}

#[cfg(test)]
mod tests;
