//! The lock: whoever holds it owns the state.
//!
//! A `flock` on `supervisor.lock`, which the system lets go when its holder dies, in whatever way. The file is opened
//! close-on-exec, so no tmux server or agent inherits it, and it is never removed. Its text is for people: it says who
//! holds it, or who held it last.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use crate::{
    adapters::{
        fs::{FsError, PRIVATE, look_text},
        home::Home,
    },
    domain::observed::Observed,
};

/// Time between two tries.
const BETWEEN: Duration = Duration::from_millis(20);

/// The lock of a home, held until dropped.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
}

/// Why the lock is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("the lock {} is held by {holder}", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// What it says about its holder.
        holder: String,
    },
    /// The file system has no locks: the books cannot be kept there safely.
    #[error("cannot lock {}: {why}; autodo refuses to work on a file system without locks", path.display())]
    Unsupported {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The file could not be opened or written.
    #[error(transparent)]
    File(#[from] FsError),
}

impl Lock {
    /// Takes the lock of `home`, trying for at most `wait` (zero: once). Blocks the thread meanwhile.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn acquire(home: &Home, wait: Duration) -> Result<Self, LockError> {
        let path = home.lock();
        let deadline = Instant::now() + wait;
        loop {
            if let Some(file) = try_once(&path)? {
                let mut lock = Self { file, path };
                // Ignored: the text is for people; on a full disk the lock holds without it.
                lock.sign().ok();
                return Ok(lock);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(LockError::Held { holder: Self::holder(home), path });
            }
            thread::sleep(left.min(BETWEEN));
        }
    }

    /// What the lock file says about its holder, for people.
    #[must_use]
    pub fn holder(home: &Home) -> String {
        let text = look_text(&home.lock()).present().unwrap_or_default();
        let line = text.lines().next().unwrap_or_default().trim();
        if line.is_empty() { "another process".to_owned() } else { line.to_owned() }
    }

    /// True if somebody holds the lock of `home` now; absent: nobody has ever held it. Makes nothing.
    #[must_use]
    pub fn is_held(home: &Home) -> Observed<bool> {
        let path = home.lock();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Observed::Absent,
            Err(e) => return Observed::Unknown(FsError::new("open", &path, &e).to_string()),
        };
        // A shared lock for a moment: whoever takes the real one then tries again.
        match file.try_lock_shared() {
            Ok(()) => Observed::Present(false),
            Err(TryLockError::WouldBlock) => Observed::Present(true),
            Err(TryLockError::Error(e)) => Observed::Unknown(FsError::new("lock", &path, &e).to_string()),
        }
    }

    /// True if this is the lock of `home`.
    #[must_use]
    pub fn is_of(&self, home: &Home) -> bool {
        self.path == home.lock()
    }

    fn sign(&mut self) -> io::Result<()> {
        let text = format!("process {}, since {}\n", std::process::id(), jiff::Timestamp::now().strftime("%FT%TZ"));
        self.file.set_len(0)?;
        self.file.write_all(text.as_bytes())
    }
}

/// One try; `None`: somebody else holds it, or the file was exchanged under us.
fn try_once(path: &Path) -> Result<Option<File>, LockError> {
    let wrap = |e: io::Error| FsError::new("open", path, &e);
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(PRIVATE).clone();
    let file = options.open(path).map_err(wrap)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(e)) => {
            return Err(LockError::Unsupported { path: path.to_owned(), why: e.to_string() });
        }
    }
    // A lock on a file that was removed meanwhile would keep nobody out.
    let ours = file.metadata().map_err(wrap)?;
    match fs::metadata(path) {
        Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => {
            if holds(path).map_err(wrap)? {
                return Ok(Some(file));
            }
            let why = "two locks on one file were had at once".to_owned();
            Err(LockError::Unsupported { path: path.to_owned(), why })
        }
        Ok(_) => Ok(None),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(wrap(e).into()),
    }
}

/// True if the lock that was just taken keeps others out: a file system may take every lock and keep none.
fn holds(path: &Path) -> io::Result<bool> {
    let other = match File::open(path) {
        Ok(other) => other,
        // It was removed meanwhile: then it is tried again.
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(e) => return Err(e),
    };
    match other.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(e)) => Err(e),
        Ok(()) => Ok(false),
    }
}
