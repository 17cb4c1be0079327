//! The archive's files on disk, and what stands in them without reading them all: beside each lies an index
//! ([`crate::format::archive_index`]), written after the file and believed only beside that very version of it.

use std::{
    fs::File as Handle,
    io::{Read, Seek},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use jiff::tz::TimeZone;

use super::{archive_ids::IdSet, unreadable};
use crate::{
    adapters::{
        crash,
        fs::{self, FsError, PRIVATE, Sync},
        home::Home,
    },
    domain::{id::TicketId, observed::Observed, row::Row},
    format::{
        archive_index::{self as index, Entry, HEAD_LEN, Head},
        queue::{QueueError, archive_head, archived_row, parse_archive, render_archived},
    },
    ports::store::StoreError,
};

/// One archive file, looked at.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    /// Stays what was looked at, whatever is put in the file's place.
    handle: Handle,
    /// The lines of its index.
    lines: String,
    looked: Looked,
}

/// How an archive file was looked at.
#[derive(Debug, PartialEq, Eq)]
enum Looked {
    /// Its index is there, and is of this version of it.
    Index,
    /// All of it was read.
    Whole {
        /// Bytes up to the end of its last block.
        valid: u64,
        /// What is behind them was cut off by a crash.
        is_cut: bool,
        /// None of its blocks is damaged.
        is_sound: bool,
    },
}

/// All archive files, looked at.
#[derive(Debug, Default)]
pub(super) struct Files {
    files: Vec<File>,
    /// What cannot be read in them, for people. While there is any, no id may count as free.
    pub troubles: Vec<String>,
}

/// Looks at all archive files, oldest month first. Writes nothing.
pub(super) fn look(home: &Home) -> Result<Files, StoreError> {
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
        match File::look(&path, &mut all.troubles) {
            Ok(file) => all.files.push(file),
            Err(error @ QueueError::Newer(_)) => return Err(unreadable(&path, &error)),
            Err(error) => all.troubles.push(format!("{} cannot be read and is left as it is: {error}", path.display())),
        }
    }
    Ok(all)
}

impl File {
    fn look(path: &Path, troubles: &mut Vec<String>) -> Result<Self, QueueError> {
        let failed = |e: std::io::Error| QueueError::Unreadable(e.to_string());
        // An index that is being written just now is whole a moment later.
        for _ in 0..2 {
            let handle = Handle::open(path).map_err(failed)?;
            let version = fs::version_of(&handle.metadata().map_err(failed)?);
            if let Observed::Present(bytes) = fs::look(&index_of(path))
                && let Some(lines) = index::parse(bytes, &version)
            {
                return Ok(Self { path: path.to_owned(), handle, lines, looked: Looked::Index });
            }
        }
        Self::read(path, troubles)
    }

    /// Reads all of an archive file.
    fn read(path: &Path, troubles: &mut Vec<String>) -> Result<Self, QueueError> {
        let failed = |e: std::io::Error| QueueError::Unreadable(e.to_string());
        let mut handle = Handle::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        handle.rewind().and_then(|()| handle.read_to_end(&mut bytes)).map_err(failed)?;
        let archive = parse_archive(&bytes)?;
        let mut lines = String::new();
        for block in &archive.blocks {
            index::push(&mut lines, block.seq, &(block.bytes.start as u64..block.bytes.end as u64), block.id.as_str());
        }
        troubles.extend(archive.damaged.iter().map(|(line, why)| {
            format!("{} line {line}: a ticket cannot be read and is not listed: {why}", path.display())
        }));
        let is_sound = archive.damaged.is_empty();
        let looked = Looked::Whole { valid: archive.valid_len as u64, is_cut: archive.dropped_tail, is_sound };
        Ok(Self { path: path.to_owned(), handle, lines, looked })
    }

    /// The row in one of this file's blocks.
    ///
    /// # Errors
    /// The block is not what it was when it was written.
    pub(super) fn row(&self, entry: &Entry<'_>) -> Result<Row, StoreError> {
        let read = || {
            let mut bytes = vec![0; usize::try_from(entry.bytes.end - entry.bytes.start).unwrap_or(0)];
            self.handle.read_exact_at(&mut bytes, entry.bytes.start).map_err(|e| e.to_string())?;
            let (seq, row) = archived_row(&bytes).map_err(|e| e.to_string())?;
            let is_it = seq == entry.seq && row.id.as_str() == entry.id;
            is_it.then_some(row).ok_or_else(|| "another ticket stands there".to_owned())
        };
        read().map_err(|why| {
            let why = format!("{} at byte {}: {why}", entry.id, entry.bytes.start);
            unreadable(&self.path, &QueueError::Unreadable(why))
        })
    }

    fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        index::entries(&self.lines)
    }

    /// Takes away what a crash cut off; true: there was something.
    fn mend(&mut self) -> Result<bool, FsError> {
        let Looked::Whole { valid, is_cut: true, is_sound } = self.looked else { return Ok(false) };
        fs::truncate(&self.path, valid)?;
        self.looked = Looked::Whole { valid, is_cut: false, is_sound };
        Ok(true)
    }

    /// Writes the index, where it is not there and the file is sound. The file must be this one, and be whole.
    fn keep_index(&self) {
        let Looked::Whole { is_sound: true, is_cut: false, .. } = self.looked else { return };
        let Ok(meta) = self.handle.metadata() else { return };
        let Some(head) = Head::of(&fs::version_of(&meta), self.lines.as_bytes()).render() else { return };
        // Ignored: without it the file is read whole, now and again.
        fs::write_atomic(&index_of(&self.path), (head + &self.lines).as_bytes(), PRIVATE, Sync::None).ok();
    }
}

fn index_of(path: &Path) -> PathBuf {
    path.with_extension("index")
}

impl Files {
    /// All blocks, oldest file first.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&File, Entry<'_>)> {
        self.files.iter().flat_map(|file| file.entries().map(move |entry| (file, entry)))
    }

    /// The newest block of each ticket that is wanted, in the order of archiving.
    pub(super) fn newest(&self, mut is_wanted: impl FnMut(&str) -> bool) -> Vec<(&File, Entry<'_>)> {
        let mut wanted: Vec<_> = self.entries().filter(|(_, entry)| is_wanted(entry.id)).collect();
        // Stable: of the same step the later block counts.
        wanted.sort_by_key(|(_, entry)| entry.seq);
        let mut seen = std::collections::HashSet::new();
        let mut newest: Vec<_> = wanted.into_iter().rev().filter(|(_, entry)| seen.insert(entry.id)).collect();
        newest.reverse();
        newest
    }

    /// The ids of all tickets, and the highest number in any block.
    pub(super) fn ids(&self) -> (IdSet, u64) {
        let mut seq = 0;
        let ids = self.entries().map(|(_, entry)| {
            seq = seq.max(entry.seq);
            entry.id
        });
        let ids = ids.collect();
        (ids, seq)
    }

    /// Takes blocks that a crash cut off out of the files, and says so; then keeps the indices that are missing.
    pub(super) fn mend(&mut self) -> Result<Vec<String>, FsError> {
        let mut notices = Vec::new();
        for file in &mut self.files {
            if file.mend()? {
                notices.push(format!("the end of {} was cut off by a crash and has been dropped", file.path.display()));
            }
            file.keep_index();
        }
        Ok(notices)
    }

    /// Removes all blocks of a ticket.
    pub(super) fn remove(&self, ticket: &TicketId) -> Result<(), StoreError> {
        for file in self.files.iter().filter(|file| file.entries().any(|entry| entry.id == ticket.as_str())) {
            let bytes = fs::read(&file.path)?;
            let archive = parse_archive(&bytes).map_err(|e| unreadable(&file.path, &e))?;
            let mut kept = Vec::with_capacity(bytes.len());
            let mut at = 0;
            for block in archive.blocks.iter().filter(|block| block.id == *ticket) {
                kept.extend_from_slice(&bytes[at..block.bytes.start]);
                at = block.bytes.end;
            }
            kept.extend_from_slice(&bytes[at..archive.valid_len.max(at)]);
            fs::write_atomic(&file.path, &kept, PRIVATE, Sync::Full)?;
            if let Ok(new) = File::read(&file.path, &mut Vec::new()) {
                new.keep_index();
            }
        }
        Ok(())
    }
}

/// Appends a row to the file of the month in which it last changed, and syncs it. The same row again goes into the
/// same file, where the last block counts.
pub(super) fn append(home: &Home, seq: u64, row: &Row) -> Result<(), StoreError> {
    let month = row.changed.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string();
    let path = home.archive(&month);
    let before = writable(&path)?;
    let block = render_archived(seq, row).map_err(|e| unreadable(&path, &e))?;
    let text = if before.end == 0 { archive_head() + &block } else { block };
    crash::point("fs.archive.before");
    fs::append_sync(&path, text.as_bytes())?;
    crash::point("fs.archive.after");
    // A block begins behind the empty line that parts it from what is before it.
    let start = before.end + text.find("[[ticket]]").unwrap_or(0) as u64;
    let bytes = start..before.end + text.len() as u64;
    // Ignored: an index that is behind its file is not believed.
    before.extend(&path, seq, bytes, &row.id).ok();
    crash::point("fs.archive.indexed");
    Ok(())
}

/// The end of an archive file that may be appended to, and its index.
struct Writable {
    /// Bytes of the file; 0: it has not begun.
    end: u64,
    /// The head of the index, which is of this version; `None`: there is none.
    head: Option<Head>,
}

/// Looks whether a file may be appended to, and cuts off what a failed append left. With its index, that is one look at
/// the head of that; without, the file is read, and the index made.
fn writable(path: &Path) -> Result<Writable, StoreError> {
    let meta = match fs::look_meta(path) {
        Observed::Present(meta) => meta,
        // Of a file that is gone nothing may be left that could be taken for the new one's.
        Observed::Absent => return Ok(Writable { end: 0, head: Some(Head::of("-", b"")) }),
        Observed::Unknown(why) => return Err(unreadable(path, &QueueError::Unreadable(why))),
    };
    if let Some(head) = head_of(path).filter(|head| head.file == fs::version_of(&meta)) {
        return Ok(Writable { end: meta.len(), head: Some(head) });
    }
    let mut file = File::read(path, &mut Vec::new()).map_err(|e| unreadable(path, &e))?;
    file.mend()?;
    file.keep_index();
    let Looked::Whole { valid, .. } = file.looked else { return Ok(Writable { end: meta.len(), head: None }) };
    if valid == 0 {
        return Ok(Writable { end: 0, head: Some(Head::of("-", b"")) });
    }
    let meta = file.handle.metadata().map_err(|e| FsError::new("look at", path, &e))?;
    let head = head_of(path).filter(|head| head.file == fs::version_of(&meta));
    Ok(Writable { end: meta.len(), head })
}

fn head_of(path: &Path) -> Option<Head> {
    let mut head = [0; HEAD_LEN];
    // Ignored: an index that cannot be read is none.
    Handle::open(index_of(path)).and_then(|file| file.read_exact_at(&mut head, 0)).ok()?;
    Head::parse(&head)
}

impl Writable {
    /// Adds a block to the index: its line first, which means nothing before the head says so.
    fn extend(self, path: &Path, seq: u64, bytes: std::ops::Range<u64>, id: &TicketId) -> Result<(), FsError> {
        let place = index_of(path);
        let Some(old) = self.head else { return Ok(()) };
        let Observed::Present(version) = fs::look_version(path) else { return Ok(()) };
        let mut line = String::new();
        index::push(&mut line, seq, &bytes, id.as_str());
        let Some(head) = old.with(&version, line.as_bytes()).render() else { return Ok(()) };
        if self.end == 0 {
            return fs::write_atomic(&place, (head + &line).as_bytes(), PRIVATE, Sync::None);
        }
        let wrap = |e: std::io::Error| FsError::new("write", &place, &e);
        let file = Handle::options().write(true).open(&place).map_err(wrap)?;
        file.write_all_at(line.as_bytes(), HEAD_LEN as u64 + old.length).map_err(wrap)?;
        crash::point("fs.archive.line");
        file.write_all_at(head.as_bytes(), 0).map_err(wrap)
    }
}
