//! Trying out a folder: whether it can be written, and whether its file system has locks that hold. Leaves nothing.

use std::{
    fs::{OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{FsError, TEMP_PREFIX};

/// The nearest folder at or above `path` that is there.
#[must_use]
pub fn nearest_folder(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|folder| folder.is_dir());
    there.map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

/// `path` with the links in that part of it resolved that is there already.
#[must_use]
pub fn resolved(path: &Path) -> PathBuf {
    for folder in path.ancestors() {
        if let Ok(real) = folder.canonicalize() {
            return path
                .strip_prefix(folder)
                .map_or(real.clone(), |rest| if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    path.to_owned()
}

/// Writes and syncs a file in `folder`, and removes it.
///
/// # Errors
/// What could not be done.
pub fn try_write(folder: &Path) -> Result<(), FsError> {
    let write = || {
        let mut file = tempfile::Builder::new().prefix(TEMP_PREFIX).tempfile_in(folder)?;
        file.write_all(b"autodo doctor\n")?;
        file.as_file().sync_all()?;
        file.close()
    };
    write().map_err(|e| FsError::new("write into", folder, &e))
}

/// Locks a file in `folder`, and tries to lock it a second time: a file system may take every lock and keep none.
///
/// # Errors
/// What could not be done, or that the second lock was had as well.
pub fn try_lock(folder: &Path) -> Result<(), FsError> {
    let wrap = |e: io::Error| FsError::new("lock a file in", folder, &e);
    let first = tempfile::Builder::new().prefix(TEMP_PREFIX).tempfile_in(folder).map_err(wrap)?;
    let lock = |error: TryLockError| match error {
        TryLockError::Error(e) => wrap(e),
        TryLockError::WouldBlock => FsError::refused("lock a file in", folder, "a new file is locked already"),
    };
    first.as_file().try_lock().map_err(lock)?;
    let second = OpenOptions::new().read(true).write(true).open(first.path()).map_err(wrap)?;
    match second.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(e)) => Err(wrap(e)),
        Ok(()) => Err(FsError::refused("lock a file in", folder, "two locks on one file were had at once")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_good_folder_is_found_good_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        try_write(dir.path()).unwrap();
        try_lock(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_that_is_not_there_can_neither_be_written_nor_locked() {
        let gone = Path::new("/nowhere/at/all");
        assert!(try_write(gone).unwrap_err().to_string().contains("/nowhere/at/all"));
        assert!(try_lock(gone).is_err());
        assert_eq!(nearest_folder(gone), Path::new("/"));
        assert_eq!(resolved(gone), gone);
    }

    #[test]
    fn links_are_resolved_as_far_as_the_path_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        assert_eq!(resolved(&root.join("link")), root.join("real"));
        assert_eq!(resolved(&root.join("link/new/home")), root.join("real/new/home"));
        assert_eq!(nearest_folder(&root.join("link/new/home")), root.join("link"));
    }
}
