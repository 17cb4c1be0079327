//! The journal's file: lines appended whole and synced, or not at all.
//!
//! The file's good length is kept here. What an append that failed left behind it is cut off before the next one, so
//! the journal is valid however full the disk is.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::adapters::{
    crash,
    fs::{FsError, PRIVATE, Sync, sync_dir, write_aside},
};

/// What the journal needs of a file: a seam for tests, which let it fail at any byte.
pub(super) trait Medium {
    /// Writes all of `bytes` at `offset`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Cuts the file.
    fn cut(&self, length: u64) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&self) -> io::Result<()>;
}

impl Medium for File {
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }
    fn cut(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Appends to a medium.
#[derive(Debug)]
pub(super) struct Appender<M> {
    medium: M,
    length: u64,
    /// Something may lie behind `length`.
    has_tail: bool,
}

impl<M: Medium> Appender<M> {
    /// Appends behind the first `length` bytes.
    pub(super) fn new(medium: M, length: u64) -> Self {
        Self { medium, length, has_tail: false }
    }

    /// Bytes that are good.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends `line` and syncs it. On an error nothing was appended: a part that was is cut off, at once or before
    /// the next append.
    pub(super) fn append(&mut self, line: &[u8]) -> io::Result<()> {
        self.cut_tail()?;
        crash::point("fs.journal.before");
        self.has_tail = true;
        let written = self.medium.write_at(line, self.length).and_then(|()| {
            crash::point("fs.journal.written");
            self.medium.sync()
        });
        if let Err(error) = written {
            // Ignored: the next append tries again, and fails if it cannot.
            self.cut_tail().ok();
            return Err(error);
        }
        self.has_tail = false;
        self.length += line.len() as u64;
        crash::point("fs.journal.synced");
        Ok(())
    }

    fn cut_tail(&mut self) -> io::Result<()> {
        if self.has_tail {
            self.medium.cut(self.length)?;
            self.medium.sync()?;
            self.has_tail = false;
        }
        Ok(())
    }
}

/// `journal.jsonl`, open for appending.
#[derive(Debug)]
pub(super) struct JournalFile {
    path: PathBuf,
    file: Appender<File>,
    /// The file was put in its place, but its folder could not be synced yet.
    is_name_unsynced: bool,
}

impl JournalFile {
    /// Opens the journal, made if it is not there, and cuts it to its first `valid` bytes.
    pub(super) fn open(path: &Path, valid: u64) -> Result<Self, FsError> {
        let wrap = |e: io::Error| FsError::new("open", path, &e);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .open(path)
            .map_err(wrap)?;
        if file.metadata().map_err(wrap)?.len() != valid {
            file.set_len(valid).and_then(|()| file.sync_all()).map_err(wrap)?;
        }
        sync_dir(path.parent().unwrap_or(path))?;
        Ok(Self { path: path.to_owned(), file: Appender::new(file, valid), is_name_unsynced: false })
    }

    /// Bytes in the journal.
    pub(super) fn length(&self) -> u64 {
        self.file.length()
    }

    /// True if the file we write to is no longer the one with the journal's name.
    pub(super) fn is_gone(&self) -> bool {
        self.file.medium.metadata().is_ok_and(|m| m.nlink() == 0)
    }

    /// Appends a line and syncs it; on an error nothing was appended.
    pub(super) fn append(&mut self, line: &[u8]) -> Result<(), FsError> {
        if self.is_name_unsynced {
            sync_dir(self.path.parent().unwrap_or(&self.path))?;
            self.is_name_unsynced = false;
        }
        self.file.append(line).map_err(|e| FsError::new("append to", &self.path, &e))
    }

    /// Replaces the whole journal by `line`.
    pub(super) fn rewrite(&mut self, line: &[u8]) -> Result<(), FsError> {
        let aside = write_aside(&self.path, line, PRIVATE, Sync::Contents)?;
        crash::point("fs.journal.rewrite.before");
        let file = aside.put()?;
        self.file = Appender::new(file, line.len() as u64);
        self.is_name_unsynced = true;
        crash::point("fs.journal.rewrite.after");
        sync_dir(self.path.parent().unwrap_or(&self.path))?;
        self.is_name_unsynced = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// A disk with `room` bytes, on which syncing or cutting may fail too.
    #[derive(Default)]
    struct Disk {
        bytes: RefCell<Vec<u8>>,
        room: Cell<usize>,
        sync_fails: Cell<bool>,
        cut_fails: Cell<bool>,
    }

    impl Medium for &Disk {
        fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
            let mut all = self.bytes.borrow_mut();
            for (n, byte) in bytes.iter().enumerate() {
                let at = usize::try_from(offset).unwrap() + n;
                if at >= self.room.get() {
                    return Err(io::ErrorKind::StorageFull.into());
                }
                let length = all.len().max(at + 1);
                all.resize(length, 0);
                all[at] = *byte;
            }
            Ok(())
        }
        fn cut(&self, length: u64) -> io::Result<()> {
            if self.cut_fails.get() {
                return Err(io::ErrorKind::ReadOnlyFilesystem.into());
            }
            self.bytes.borrow_mut().truncate(usize::try_from(length).unwrap());
            Ok(())
        }
        fn sync(&self) -> io::Result<()> {
            if self.sync_fails.get() { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
        }
    }

    const FIRST: &[u8] = b"first line\n";
    const LOST: &[u8] = b"a long line that finds no room\n";

    #[test]
    fn a_full_disk_leaves_the_journal_valid_at_every_byte() {
        for room in FIRST.len()..FIRST.len() + LOST.len() {
            for cut_fails in [false, true] {
                let disk = Disk { room: Cell::new(room), ..Disk::default() };
                let mut journal = Appender::new(&disk, 0);
                journal.append(FIRST).unwrap();
                disk.cut_fails.set(cut_fails);
                assert!(journal.append(LOST).is_err());
                assert_eq!(journal.append(b"x\n").is_err(), cut_fails || room < FIRST.len() + 2);
                disk.cut_fails.set(false);
                disk.room.set(1000);
                journal.append(b"next\n").unwrap();
                let all = disk.bytes.borrow();
                let text = String::from_utf8_lossy(&all);
                let expected = ["first line\nnext\n", "first line\nx\nnext\n"];
                assert!(expected.contains(&text.as_ref()), "room {room}: {text:?}");
            }
        }
    }

    #[test]
    fn a_line_that_could_not_be_synced_is_taken_back() {
        let disk = Disk { room: Cell::new(1000), ..Disk::default() };
        let mut journal = Appender::new(&disk, 0);
        journal.append(FIRST).unwrap();
        disk.sync_fails.set(true);
        assert!(journal.append(LOST).is_err());
        assert!(journal.append(LOST).is_err());
        disk.sync_fails.set(false);
        journal.append(b"next\n").unwrap();
        assert_eq!(*disk.bytes.borrow(), b"first line\nnext\n");
        assert_eq!(journal.length(), 16);
    }
}
