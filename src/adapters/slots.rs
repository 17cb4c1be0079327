//! The slots of heavy commands: a semaphore that all programs of a user on this machine share, in one file.
//!
//! It is made of record locks (POSIX `fcntl`) on single bytes of the file: one byte is the turn, in which a number is
//! drawn; from `LINE` on, each byte is a place in the line, by that number; from `SLOTS` on, each is a slot. Such a
//! lock belongs to a process: `exec` keeps it, a child does not inherit it, and it goes with the process in whatever way
//! that ends. So the command itself holds its slot, nothing has to be cleaned up, and what a command leaves running (the
//! server of a compiler cache, the daemon of a build tool) holds none. A `flock` would stay with such a daemon for ever.
//!
//! Only the first in the line looks for a slot, so that nobody starves. One that is stopped (Ctrl-Z) is passed over, and
//! has its place again when it goes on.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind},
    os::{
        fd::{FromRawFd, OwnedFd},
        unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
    libc,
    unistd::Uid,
};

use super::{
    fs::{self, FsError},
    process::table,
};

/// The file in the folder of the slots.
const FILE: &str = "slots";

/// The byte that is locked while a number is drawn.
const TURN: i64 = 8;

/// The first slot.
const SLOTS: i64 = 1 << 20;

/// The most slots there can be.
pub const MOST: u32 = 1000;

/// The first place in the line.
const LINE: i64 = 1 << 32;

/// Numbers of places go round at so many: a file with anything in it is good.
const PLACES: u64 = 1 << 48;

/// Programs use low descriptors for themselves (`exec 3>log` in a shell), and to close one is to lose the slot.
const LEAST_DESCRIPTOR: i32 = 100;

/// Time between two looks of the first in the line.
const FIRST_LOOKS: Duration = Duration::from_millis(50);

/// Time between two looks of the others.
const OTHERS_LOOK: Duration = Duration::from_millis(200);

/// The folder of the slots where none is set: in `/tmp`, as the sockets of a home with a long path, since cron and logout
/// change `XDG_RUNTIME_DIR` and `TMPDIR`.
#[must_use]
pub fn usual_folder() -> PathBuf {
    PathBuf::from(format!("/tmp/autodo-{}", Uid::effective())).join("heavy")
}

/// The slots of a folder. The process must open them once only: to close the file is to lose all locks on it.
#[derive(Debug)]
pub struct Slots {
    file: File,
    path: PathBuf,
}

/// A slot, held until this process ends, or the program that it becomes.
#[derive(Debug)]
pub struct Held(File);

/// What is in the way of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InTheWay {
    /// Others came first.
    Line,
    /// All slots are taken, one of them by this process (0: one that cannot be seen from here).
    Taken {
        /// Process id.
        by: i32,
    },
    /// A slot is free, and something else is not, in words.
    Else(String),
}

/// What came of waiting.
#[derive(Debug)]
pub enum Waited {
    /// A slot is held.
    Held(Held),
    /// The time was over, and this was in the way.
    Over(InTheWay),
}

impl Held {
    /// Lets the program that this process becomes have the slot.
    ///
    /// # Errors
    /// What the system says.
    pub fn hand_on(self) -> io::Result<()> {
        fcntl(&self.0, FcntlArg::F_SETFD(FdFlag::empty()))?;
        // Not closed: that would free the slot.
        std::mem::forget(self.0);
        Ok(())
    }
}

impl Slots {
    /// Opens the slots in `folder`, which is made where it is missing (0700), with the one above it.
    ///
    /// # Errors
    /// A folder cannot be made or is somebody else's, or the file cannot be opened.
    pub fn open(folder: &Path) -> Result<Self, FsError> {
        let owner = Uid::effective().as_raw();
        if folder == usual_folder()
            && let Some(above) = folder.parent()
        {
            fs::create_dir_guarded(above, owner)?;
        }
        fs::create_dir_guarded(folder, owner)?;
        let path = folder.join(FILE);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(fs::PRIVATE).open(&path);
        let file = open.and_then(high).map_err(|e| FsError::new("open", &path, &e))?;
        Ok(Self { file, path })
    }

    /// True if process `pid` holds a slot, as far as can be seen from here: a holder in another namespace has no number,
    /// and may be that one.
    ///
    /// # Errors
    /// The file system has no locks.
    pub fn is_held_by(&self, pid: i32) -> io::Result<bool> {
        self.any(SLOTS, SLOTS + i64::from(MOST), &|other| other <= 0 || other == pid)
    }

    /// Waits in the line for one of `slots` slots, for `limit` at most. `hinders` says what else is in the way while a slot
    /// is free; `waits` is told at each look that came to nothing, with the time since the first.
    ///
    /// # Errors
    /// The file system has no locks, or the file cannot be written.
    pub fn wait(
        self,
        slots: u32,
        limit: Option<Duration>,
        hinders: impl Fn() -> Option<String>,
        mut waits: impl FnMut(&InTheWay, Duration),
    ) -> Result<Waited, FsError> {
        let path = self.path.clone();
        let wrap = |e: io::Error| FsError::new("lock", &path, &e);
        let began = Instant::now();
        let end = limit.and_then(|limit| began.checked_add(limit));
        let mut own = self;
        let mut place = own.line_up().map_err(wrap)?;
        loop {
            let in_the_way = if own.is_behind(place).map_err(wrap)? {
                InTheWay::Line
            } else if let Some(why) = hinders() {
                InTheWay::Else(why)
            } else {
                match own.take(slots).map_err(wrap)? {
                    Some(by) => InTheWay::Taken { by },
                    None if own.is_there() => {
                        own.set(libc::F_UNLCK, place).map_err(wrap)?;
                        return Ok(Waited::Held(Held(own.file)));
                    }
                    // Somebody has removed the file: others use a new one.
                    None => {
                        let folder = own.path.parent().unwrap_or(Path::new("/")).to_owned();
                        drop(own);
                        own = Self::open(&folder)?;
                        place = own.line_up().map_err(wrap)?;
                        continue;
                    }
                }
            };
            if end.is_some_and(|end| Instant::now() >= end) {
                return Ok(Waited::Over(in_the_way));
            }
            waits(&in_the_way, began.elapsed());
            let rest = if in_the_way == InTheWay::Line { OTHERS_LOOK } else { FIRST_LOOKS };
            thread::sleep(end.map_or(rest, |end| rest.min(end.saturating_duration_since(Instant::now()))));
        }
    }

    /// Draws a number, and takes its place.
    fn line_up(&self) -> io::Result<i64> {
        loop {
            match self.set_waiting(TURN) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        }
        let mut bytes = [0; 8];
        let number = match self.file.read_exact_at(&mut bytes, 0) {
            Ok(()) => u64::from_le_bytes(bytes) % PLACES,
            Err(e) if e.kind() == ErrorKind::UnexpectedEof => 0,
            Err(e) => return Err(e),
        };
        // Each write also keeps programs away that clean up old files.
        self.file.write_all_at(&(number + 1).to_le_bytes(), 0)?;
        let place = LINE + i64::try_from(number).unwrap_or(0);
        self.set(libc::F_WRLCK, place)?;
        self.set(libc::F_UNLCK, TURN)?;
        Ok(place)
    }

    /// True if somebody who is not stopped has a place before `place`.
    fn is_behind(&self, place: i64) -> io::Result<bool> {
        self.any(LINE, place, &|other| other <= 0 || !table::is_stopped(other))
    }

    /// True if `is_meant` says so of any other process that has a lock from `from` to before `to`.
    fn any(&self, from: i64, to: i64, is_meant: &dyn Fn(i32) -> bool) -> io::Result<bool> {
        let Some(other) = self.other(from, to)? else { return Ok(false) };
        if is_meant(other.l_pid) {
            return Ok(true);
        }
        // Which of several the system names is not said: those on both sides count.
        let (start, end) = (other.l_start.max(from), other.l_start.max(from) + other.l_len.max(1));
        Ok(self.any(from, start, is_meant)? || self.any(end, to, is_meant)?)
    }

    /// Takes a free slot; else who holds one.
    fn take(&self, slots: u32) -> io::Result<Option<i32>> {
        let end = SLOTS + i64::from(slots.clamp(1, MOST));
        for slot in SLOTS..end {
            match self.set(libc::F_WRLCK, slot) {
                Ok(()) => return Ok(None),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::PermissionDenied) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(Some(self.other(SLOTS, end)?.map_or(0, |other| other.l_pid)))
    }

    /// True unless the file was removed or replaced since it was opened.
    fn is_there(&self) -> bool {
        let now = std::fs::metadata(&self.path).map(|seen| (seen.dev(), seen.ino()));
        matches!((now, self.file.metadata()), (Ok(now), Ok(own)) if now == (own.dev(), own.ino()))
    }

    /// A lock of another process on the bytes from `from` to before `to`.
    fn other(&self, from: i64, to: i64) -> io::Result<Option<libc::flock>> {
        if from >= to {
            return Ok(None);
        }
        let mut asked = record(libc::F_WRLCK, from, to - from);
        fcntl(&self.file, FcntlArg::F_GETLK(&mut asked))?;
        Ok((i32::from(asked.l_type) != libc::F_UNLCK).then_some(asked))
    }

    fn set(&self, kind: i32, byte: i64) -> io::Result<()> {
        fcntl(&self.file, FcntlArg::F_SETLK(&record(kind, byte, 1))).map(drop).map_err(from_errno)
    }

    fn set_waiting(&self, byte: i64) -> io::Result<()> {
        fcntl(&self.file, FcntlArg::F_SETLKW(&record(libc::F_WRLCK, byte, 1))).map(drop).map_err(from_errno)
    }
}

fn from_errno(errno: Errno) -> io::Error {
    io::Error::from(errno)
}

/// The same file under a descriptor that programs do not use for themselves, where so many may be open.
#[expect(unsafe_code, reason = "a descriptor that the system hands out by number has no safe form")]
fn high(file: File) -> io::Result<File> {
    match fcntl(&file, FcntlArg::F_DUPFD_CLOEXEC(LEAST_DESCRIPTOR)) {
        // SAFETY: the system has just opened this descriptor for nobody else. No lock is held that the end of `file`
        // would take away.
        Ok(number) => Ok(unsafe { OwnedFd::from_raw_fd(number) }.into()),
        Err(Errno::EINVAL | Errno::EMFILE) => Ok(file),
        Err(why) => Err(why.into()),
    }
}

#[allow(clippy::useless_conversion, clippy::cast_possible_truncation, reason = "the numbers differ by system")]
fn record(kind: i32, start: i64, length: i64) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: start,
        l_len: length,
        l_pid: 0,
    }
}
