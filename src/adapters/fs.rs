//! Files: written whole or not at all, and read so that "could not look" is never "is not there".
//!
//! Everything below `$AUTODO_HOME` and in outboxes is written through here. Files are made with the mode their caller
//! names (0600 for autodo's own), folders with 0700. A file that is being written has the name prefix [`TEMP_PREFIX`]
//! and lies in the folder of its target; one that a crash left behind can be known by that.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::fcntl::OFlag;
use tempfile::NamedTempFile;

mod folders;
mod probe;
mod usage;

pub use folders::{
    Kind, Listed, check_guarded, create_dir, create_dir_guarded, create_dir_private, list_dir, look_kind, remove_all,
    remove_leftovers, sync_dir, visit_dir,
};
pub use probe::{nearest_folder, resolved, try_lock, try_write};
pub use usage::disk_usage;

use crate::domain::observed::Observed;

/// First part of the names of files that are being written.
pub const TEMP_PREFIX: &str = ".autodo-tmp-";

/// Mode of files in a user's project: what the umask leaves of it.
pub const SHARED: u32 = 0o666;

/// Mode of autodo's own files.
pub const PRIVATE: u32 = 0o600;

/// Why something could not be done with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {what} {}: {why}", path.display())]
pub struct FsError {
    /// What was tried: a verb.
    pub what: &'static str,
    /// On what.
    pub path: PathBuf,
    /// Why it failed.
    pub why: String,
    /// The kind of the system's error.
    pub kind: io::ErrorKind,
}

impl FsError {
    /// Wraps the system's error.
    pub fn new(what: &'static str, path: &Path, error: &io::Error) -> Self {
        Self { what, path: path.to_owned(), why: error.to_string(), kind: error.kind() }
    }

    /// An error that autodo itself finds.
    pub fn refused(what: &'static str, path: &Path, why: impl Into<String>) -> Self {
        Self { what, path: path.to_owned(), why: why.into(), kind: io::ErrorKind::InvalidInput }
    }
}

/// How much a write must survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// A power failure: file and folder are synced.
    Full,
    /// A power failure, once the caller has synced the folder: only the file is.
    Contents,
    /// The end of this process: enough for what can be made again.
    None,
}

/// Reads a whole file.
///
/// # Errors
/// It is not there, or cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, FsError> {
    fs::read(path).map_err(|e| FsError::new("read", path, &e))
}

/// Reads a whole file of UTF-8.
///
/// # Errors
/// It is not there, cannot be read, or is not UTF-8.
pub fn read_to_string(path: &Path) -> Result<String, FsError> {
    fs::read_to_string(path).map_err(|e| FsError::new("read", path, &e))
}

/// Reads a whole file where absence is no error.
#[must_use]
pub fn look(path: &Path) -> Observed<Vec<u8>> {
    observed(read(path))
}

/// Reads a whole file of UTF-8 where absence is no error.
#[must_use]
pub fn look_text(path: &Path) -> Observed<String> {
    observed(read_to_string(path))
}

/// Reads the last `limit` bytes of a file, or all of it; with them comes where they begin.
#[must_use]
pub fn look_tail(path: &Path, limit: u64) -> Observed<(u64, Vec<u8>)> {
    let tail = || {
        let mut file = File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(limit);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok((start, bytes))
    };
    observed(tail().map_err(|e| FsError::new("read", path, &e)))
}

/// Reads what a file has after `offset`, at most `limit` bytes of it; with them comes the file's length.
#[must_use]
pub fn look_after(path: &Path, offset: u64, limit: u64) -> Observed<(u64, Vec<u8>)> {
    let rest = || {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok((length, bytes))
    };
    observed(rest().map_err(|e| FsError::new("read", path, &e)))
}

/// Turns "not there" into [`Observed::Absent`] and every other error into [`Observed::Unknown`].
#[must_use]
pub fn observed<T>(result: Result<T, FsError>) -> Observed<T> {
    match result {
        Ok(value) => Observed::Present(value),
        Err(error) if matches!(error.kind, io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Observed::Absent,
        Err(error) => Observed::Unknown(error.to_string()),
    }
}

/// Reads a file that somebody else may have put there: a link is not followed, a pipe does not block, and more than
/// `limit` bytes are refused.
///
/// # Errors
/// It is not a regular file of at most `limit` bytes, or cannot be read.
pub fn read_untrusted(path: &Path, limit: u64) -> Result<Vec<u8>, FsError> {
    let what = "read";
    let wrap = |e: io::Error| FsError::new(what, path, &e);
    if let Observed::Present(Kind::Link) = look_kind(path) {
        return Err(FsError::refused(what, path, "it is a symbolic link, which is not followed"));
    }
    let flags = (OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(wrap)?;
    if !file.metadata().map_err(wrap)?.is_file() {
        return Err(FsError::refused(what, path, "it is not a regular file"));
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(wrap)?;
    if bytes.len() as u64 > limit {
        return Err(FsError::refused(what, path, format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}

/// A file written aside, not yet in its place.
#[derive(Debug)]
pub struct Aside {
    file: NamedTempFile,
    path: PathBuf,
    sync: Sync,
}

/// Writes `bytes` aside, in the folder of `path`; [`Aside::put`] puts them there. Dropped instead, it leaves nothing.
///
/// # Errors
/// What could not be done; `path` is untouched.
pub fn write_aside(path: &Path, bytes: &[u8], mode: u32, sync: Sync) -> Result<Aside, FsError> {
    let wrap = |e: io::Error| FsError::new("write", path, &e);
    let mut file = tempfile::Builder::new()
        .prefix(TEMP_PREFIX)
        .permissions(fs::Permissions::from_mode(mode))
        .tempfile_in(folder_of(path))
        .map_err(wrap)?;
    file.write_all(bytes).map_err(wrap)?;
    if sync != Sync::None {
        file.as_file().sync_all().map_err(wrap)?;
    }
    Ok(Aside { file, path: path.to_owned(), sync })
}

impl Aside {
    /// Puts the file into its place, over what is there, and returns it open for writing.
    ///
    /// # Errors
    /// What could not be done. Where only the folder could not be synced, the new file is in its place all the same.
    pub fn put(self) -> Result<File, FsError> {
        let file = self.file.persist(&self.path).map_err(|e| FsError::new("replace", &self.path, &e.error))?;
        if self.sync == Sync::Full {
            sync_dir(folder_of(&self.path))?;
        }
        Ok(file)
    }

    /// Puts the file into its place if nothing is there. False: something is, and was left alone.
    ///
    /// # Errors
    /// What could not be done.
    pub fn put_new(self) -> Result<bool, FsError> {
        match self.file.persist_noclobber(&self.path) {
            Ok(_) => {}
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            Err(e) => return Err(FsError::new("create", &self.path, &e.error)),
        }
        if self.sync == Sync::Full {
            sync_dir(folder_of(&self.path))?;
        }
        Ok(true)
    }
}

/// Replaces a file as a whole: a reader sees the old or the new one, after a crash too.
///
/// # Errors
/// What could not be done; the old file is untouched unless only the folder could not be synced.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32, sync: Sync) -> Result<(), FsError> {
    write_aside(path, bytes, mode, sync)?.put().map(drop)
}

/// What tells one version of a file from another: its inode, length and time of change.
#[must_use]
pub fn version_of(meta: &fs::Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    format!("{}:{}:{}.{:09}", meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec())
}

/// Length, times and mode of the file that is there, links followed; `Absent`: none is.
#[must_use]
pub fn look_meta(path: &Path) -> Observed<fs::Metadata> {
    observed(fs::metadata(path).map_err(|e| FsError::new("look at", path, &e)))
}

/// The version of the file that is there; `Absent`: none is.
#[must_use]
pub fn look_version(path: &Path) -> Observed<String> {
    look_meta(path).map(|meta| version_of(&meta))
}

/// How long ago a file was written. `None`: it is not there, cannot be looked at, or is of a later time than now.
#[must_use]
pub fn age(path: &Path) -> Option<Duration> {
    // Ignored: see above.
    fs::metadata(path).and_then(|meta| meta.modified()).ok()?.elapsed().ok()
}

/// Writes a person's file anew: where it leads to, if it is a link, and with the mode it had.
///
/// # Errors
/// What could not be done; the file is untouched then.
pub fn rewrite(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    let target = path.canonicalize().map_err(|e| FsError::new("find", path, &e))?;
    let meta = fs::metadata(&target).map_err(|e| FsError::new("look at", &target, &e))?;
    let aside = write_aside(&target, bytes, meta.permissions().mode() & 0o7777, Sync::Contents)?;
    // What the umask took away from the mode.
    fs::set_permissions(aside.file.path(), meta.permissions()).map_err(|e| FsError::new("write", &target, &e))?;
    aside.put().map(drop)
}

/// Creates a file that must not exist yet, whole and synced. False: it exists, and was left alone. Of several who try
/// at once exactly one gets true.
///
/// # Errors
/// What could not be done.
pub fn exclusive_create(path: &Path, bytes: &[u8], mode: u32) -> Result<bool, FsError> {
    write_aside(path, bytes, mode, Sync::Full)?.put_new()
}

/// Appends `bytes` to a file, made if it is not there. A part that a full disk let through is taken back.
///
/// # Errors
/// What could not be done; the file has its old length unless that too is named.
pub fn append(path: &Path, bytes: &[u8], sync: Sync) -> Result<(), FsError> {
    let wrap = |e: &io::Error| FsError::new("append to", path, e);
    let is_new = look_kind(path).is_absent();
    let mut file = OpenOptions::new().append(true).create(true).mode(PRIVATE).open(path).map_err(|e| wrap(&e))?;
    let length = file.metadata().map_err(|e| wrap(&e))?.len();
    let written = file.write_all(bytes).and_then(|()| if sync == Sync::None { Ok(()) } else { file.sync_data() });
    if let Err(error) = written {
        if let Err(second) = file.set_len(length) {
            let why = format!("{error}; and a part of it could not be taken back: {second}");
            return Err(FsError { why, ..wrap(&error) });
        }
        return Err(wrap(&error));
    }
    if is_new && sync == Sync::Full { sync_dir(folder_of(path)) } else { Ok(()) }
}

/// Appends `bytes` to a file and syncs it.
///
/// # Errors
/// See [`append`].
pub fn append_sync(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    append(path, bytes, Sync::Full)
}

/// Cuts a file to `length` bytes and syncs it.
///
/// # Errors
/// What could not be done.
pub fn truncate(path: &Path, length: u64) -> Result<(), FsError> {
    let cut = || {
        let file = OpenOptions::new().write(true).open(path)?;
        file.set_len(length)?;
        file.sync_all()
    };
    cut().map_err(|e| FsError::new("truncate", path, &e))
}

/// Renames a file that could not be read, or must not be used, to `<name>.unreadable-<time>`, and returns that path.
///
/// # Errors
/// What could not be done; the file is where it was.
pub fn rename_aside(path: &Path) -> Result<PathBuf, FsError> {
    let wrap = |e: io::Error| FsError::new("rename aside", path, &e);
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".unreadable-{time}"));
    let first = path.with_file_name(&name);
    let mut target = first.clone();
    let mut n = 2;
    while !look_kind(&target).is_absent() {
        let mut numbered = first.clone().into_os_string();
        numbered.push(format!("-{n}"));
        target = numbered.into();
        n += 1;
    }
    fs::rename(path, &target).map_err(wrap)?;
    Ok(target)
}

/// Removes a file or a link. False: it was not there.
///
/// # Errors
/// What could not be done.
pub fn remove(path: &Path) -> Result<bool, FsError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(FsError::new("remove", path, &e)),
    }
}

/// Copies a file's bytes and mode, over what is there, whole or not at all.
///
/// # Errors
/// What could not be done.
pub fn copy(from: &Path, to: &Path) -> Result<(), FsError> {
    let mode = fs::metadata(from).map_err(|e| FsError::new("read", from, &e))?.permissions().mode() & 0o777;
    write_atomic(to, &read(from)?, mode, Sync::None)
}

/// The folder that holds `path`.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
