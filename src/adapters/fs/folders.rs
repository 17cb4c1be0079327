//! Folders: what is in them, and making them private.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{FsError, TEMP_PREFIX, observed, remove};
use crate::domain::observed::Observed;

/// What kind of thing a name in a folder is; links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A socket, a pipe, a device.
    Other,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its path.
    pub path: PathBuf,
    /// Its name.
    pub name: OsString,
    /// What it is.
    pub kind: Kind,
}

fn kind_of(kind: fs::FileType) -> Kind {
    if kind.is_symlink() {
        Kind::Link
    } else if kind.is_dir() {
        Kind::Folder
    } else if kind.is_file() {
        Kind::File
    } else {
        Kind::Other
    }
}

/// What the name is, links not followed.
#[must_use]
pub fn look_kind(path: &Path) -> Observed<Kind> {
    observed(fs::symlink_metadata(path).map(|m| kind_of(m.file_type())).map_err(|e| FsError::new("look at", path, &e)))
}

/// The names in a folder, sorted; `Absent` where there is no such folder.
#[must_use]
pub fn list_dir(folder: &Path) -> Observed<Vec<Listed>> {
    let list = || {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            all.push(Listed { path: entry.path(), name: entry.file_name(), kind: kind_of(entry.file_type()?) });
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    };
    observed(list().map_err(|e| FsError::new("list", folder, &e)))
}

/// Calls `each` with every name in a folder and what it is, in no order, keeping none: for folders of any size.
/// `Absent` where there is no such folder.
pub fn visit_dir(folder: &Path, mut each: impl FnMut(&OsStr, Kind)) -> Observed<()> {
    let mut visit = || {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            each(&entry.file_name(), kind_of(entry.file_type()?));
        }
        Ok(())
    };
    observed(visit().map_err(|e| FsError::new("list", folder, &e)))
}

/// Syncs the names in a folder.
///
/// # Errors
/// What could not be done.
pub fn sync_dir(folder: &Path) -> Result<(), FsError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| FsError::new("sync the folder", folder, &e))
}

/// Makes a folder and those above it, each new one with mode 0700. One that is there is left as it is.
///
/// # Errors
/// What could not be done.
pub fn create_dir_private(path: &Path) -> Result<(), FsError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| FsError::new("create the folder", path, &e))
}

/// Makes a folder of a user's project and those above it, as the umask has it. One that is there is left as it is.
///
/// # Errors
/// What could not be done.
pub fn create_dir(path: &Path) -> Result<(), FsError> {
    fs::create_dir_all(path).map_err(|e| FsError::new("create the folder", path, &e))
}

/// Makes a folder in a place where others may write, such as `/tmp`, or takes it if it is `owner`'s alone.
///
/// # Errors
/// It is a link, not a folder, somebody else's, or cannot be made private.
pub fn create_dir_guarded(path: &Path, owner: u32) -> Result<(), FsError> {
    let what = "use the folder";
    let wrap = |e: io::Error| FsError::new(what, path, &e);
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(wrap(e)),
    }
    let seen = fs::symlink_metadata(path).map_err(wrap)?;
    if !seen.is_dir() {
        return Err(FsError::refused(what, path, "it is not a folder, or a symbolic link to one"));
    }
    if seen.uid() != owner {
        return Err(FsError::refused(what, path, format!("it belongs to user {}, not to {owner}", seen.uid())));
    }
    if seen.mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(wrap)?;
    }
    Ok(())
}

/// Looks whether [`create_dir_guarded`] would take `path` as this user's; one that is not there yet is fine. Makes and
/// changes nothing.
///
/// # Errors
/// It is a link, not a folder, or somebody else's.
pub fn check_guarded(path: &Path) -> Result<(), FsError> {
    let what = "use the folder";
    let seen = match fs::symlink_metadata(path) {
        Ok(seen) => seen,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(FsError::new(what, path, &e)),
    };
    let owner = nix::unistd::Uid::effective().as_raw();
    match (seen.is_dir(), seen.uid() == owner) {
        (false, _) => Err(FsError::refused(what, path, "it is not a folder, or a symbolic link to one")),
        (true, false) => Err(FsError::refused(what, path, format!("it belongs to user {}", seen.uid()))),
        (true, true) => Ok(()),
    }
}

/// Removes a folder with all that is in it, or a file; links are removed, not followed. What is gone is no error.
///
/// # Errors
/// What could not be removed; the rest may be gone.
pub fn remove_all(path: &Path) -> Result<(), FsError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(FsError::new("remove", path, &e)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Removes the files that a crash left behind while they were written into `folder`. Call it only where nobody else
/// can be writing there now.
pub fn remove_leftovers(folder: &Path) {
    let mut left = Vec::new();
    // Ignored: what cannot be listed is left to the next start.
    let _ = visit_dir(folder, |name, kind| {
        if kind == Kind::File && name.as_encoded_bytes().starts_with(TEMP_PREFIX.as_bytes()) {
            left.push(folder.join(name));
        }
    });
    for path in left {
        // Ignored: a left-over file does no harm, and the next start tries again.
        remove(&path).ok();
    }
}
