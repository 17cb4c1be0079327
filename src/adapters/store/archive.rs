//! The archive's files on disk.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;

use super::unreadable;
use crate::{
    adapters::{
        crash,
        fs::{self, FsError, PRIVATE, Sync},
        home::Home,
    },
    domain::{id::TicketId, observed::Observed, row::Row},
    format::queue::{Archive, Archived, QueueError, archive_head, archived_row, parse_archive, render_archived},
    ports::store::StoreError,
};

/// One archive file, read.
pub(super) struct File {
    path: PathBuf,
    bytes: Vec<u8>,
    archive: Archive,
}

/// All archive files, read.
#[derive(Default)]
pub(super) struct Files {
    files: Vec<File>,
    /// What cannot be read in them, for people. While there is any, no id may count as free.
    pub troubles: Vec<String>,
}

/// Reads all archive files, oldest month first. Writes nothing.
pub(super) fn read(home: &Home) -> Result<Files, StoreError> {
    let mut all = Files::default();
    let listed = match fs::list_dir(&home.archive_dir()) {
        Observed::Present(listed) => listed,
        Observed::Absent => return Ok(all),
        Observed::Unknown(why) => {
            all.troubles.push(format!("the archive: {why}"));
            return Ok(all);
        }
    };
    for name in listed {
        let path = name.path;
        if path.extension().is_none_or(|e| e != "toml") || name.name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let parsed = fs::read(&path).map_err(|e| QueueError::Unreadable(e.why)).and_then(|bytes| {
            let archive = parse_archive(&bytes)?;
            Ok((bytes, archive))
        });
        match parsed {
            Ok((bytes, archive)) => {
                let damaged = archive.damaged.iter();
                all.troubles.extend(damaged.map(|(line, why)| {
                    format!("{} line {line}: a ticket cannot be read and is not listed: {why}", path.display())
                }));
                all.files.push(File { path, bytes, archive });
            }
            Err(error @ QueueError::Newer(_)) => return Err(unreadable(&path, &error)),
            Err(error) => all.troubles.push(format!("{} cannot be read and is left as it is: {error}", path.display())),
        }
    }
    Ok(all)
}

impl Files {
    /// The newest block of each ticket.
    pub(super) fn newest(&self) -> BTreeMap<&TicketId, (&File, &Archived)> {
        let mut newest: BTreeMap<&TicketId, (&File, &Archived)> = BTreeMap::new();
        for file in &self.files {
            for block in &file.archive.blocks {
                if newest.get(&block.id).is_none_or(|(_, other)| other.seq <= block.seq) {
                    newest.insert(&block.id, (file, block));
                }
            }
        }
        newest
    }

    /// The highest number in any block.
    pub(super) fn seq(&self) -> u64 {
        self.files.iter().flat_map(|f| &f.archive.blocks).map(|b| b.seq).max().unwrap_or(0)
    }

    /// Takes blocks that a crash cut off out of the files, and says so.
    pub(super) fn mend(&self) -> Result<Vec<String>, FsError> {
        let mut notices = Vec::new();
        for file in self.files.iter().filter(|f| f.archive.dropped_tail) {
            fs::truncate(&file.path, file.archive.valid_len as u64)?;
            notices.push(format!("the end of {} was cut off by a crash and has been dropped", file.path.display()));
        }
        Ok(notices)
    }

    /// Removes all blocks of a ticket.
    pub(super) fn remove(&self, ticket: &TicketId) -> Result<(), FsError> {
        for file in &self.files {
            let of_ticket = |block: &&Archived| block.id == *ticket;
            if !file.archive.blocks.iter().any(|b| of_ticket(&b)) {
                continue;
            }
            let mut kept = Vec::with_capacity(file.bytes.len());
            let mut at = 0;
            for block in file.archive.blocks.iter().filter(of_ticket) {
                kept.extend_from_slice(&file.bytes[at..block.bytes.start]);
                at = block.bytes.end;
            }
            kept.extend_from_slice(&file.bytes[at..file.archive.valid_len.max(at)]);
            fs::write_atomic(&file.path, &kept, PRIVATE, Sync::Full)?;
        }
        Ok(())
    }
}

impl File {
    /// The row in one of this file's blocks.
    pub(super) fn row(&self, block: &Archived) -> Result<Row, StoreError> {
        archived_row(&self.bytes, block).map_err(|e| unreadable(&self.path, &e))
    }
}

/// Appends a row to the file of the month in which it last changed, and syncs it. The same row again goes into the
/// same file, where the last block counts.
pub(super) fn append(home: &Home, seq: u64, row: &Row) -> Result<(), StoreError> {
    let month = row.changed.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string();
    let path = home.archive(&month);
    let is_writable = writable(&path)?;
    let block = render_archived(seq, row).map_err(|e| unreadable(&path, &e))?;
    let text = if is_writable == Writable::Begun { block } else { archive_head() + &block };
    crash::point("fs.archive.before");
    fs::append_sync(&path, text.as_bytes())?;
    crash::point("fs.archive.after");
    Ok(())
}

#[derive(PartialEq, Eq)]
enum Writable {
    New,
    Begun,
}

/// Looks whether a file may be appended to, and cuts off what a failed append left.
fn writable(path: &Path) -> Result<Writable, StoreError> {
    let bytes = match fs::look(path) {
        Observed::Present(bytes) => bytes,
        Observed::Absent => return Ok(Writable::New),
        Observed::Unknown(why) => return Err(unreadable(path, &QueueError::Unreadable(why))),
    };
    let archive = parse_archive(&bytes).map_err(|e| unreadable(path, &e))?;
    if archive.dropped_tail {
        fs::truncate(path, archive.valid_len as u64)?;
    }
    Ok(if archive.valid_len == 0 { Writable::New } else { Writable::Begun })
}
