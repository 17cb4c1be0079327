//! The small JSON files of a launch: read whole, written whole or not at all.

use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{domain::observed::Observed, ports::launches::LaunchError};

/// The version of all files of a launch.
pub(super) const VERSION: u32 = 1;
/// What the wrapper is told.
pub(super) const LAUNCH: &str = "launch.json";
/// The wrapper has begun.
pub(super) const STARTED: &str = "started.json";
/// The program has ended.
pub(super) const EXIT: &str = "exit.json";

/// An error of a file.
pub(super) fn failed(what: &'static str, path: &Path, why: &(impl ToString + ?Sized)) -> LaunchError {
    LaunchError::File { what, path: path.to_owned(), why: why.to_string() }
}

/// Writes `value` beside `path`, syncs it and renames it into place.
pub(super) fn write_whole<T: Serialize>(path: &Path, value: &T) -> Result<(), LaunchError> {
    let aside = write_aside(path, value)?;
    aside.persist(path).map_err(|e| failed("write", path, &e.error))?;
    sync_folder_of(path)
}

/// Writes `value` to `path` unless it is there already; it is never there in part. Returns false if it was there.
/// The caller syncs the folder.
pub(super) fn create_once<T: Serialize>(path: &Path, value: &T) -> Result<bool, LaunchError> {
    let aside = write_aside(path, value)?;
    match aside.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(e) if e.error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(failed("create", path, &e.error)),
    }
}

fn write_aside<T: Serialize>(path: &Path, value: &T) -> Result<tempfile::NamedTempFile, LaunchError> {
    let error = |why: std::io::Error| failed("write", path, &why);
    let mut text = serde_json::to_vec_pretty(value).map_err(|e| failed("write", path, &e))?;
    text.push(b'\n');
    let mut aside = tempfile::Builder::new().prefix(".aside-").tempfile_in(folder_of(path)).map_err(error)?;
    aside.write_all(&text).map_err(error)?;
    aside.as_file().sync_all().map_err(error)?;
    Ok(aside)
}

/// Makes a new name in the folder of `path` survive a loss of power.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), LaunchError> {
    let folder = folder_of(path);
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| failed("sync", folder, &e))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Reads a file with `"version": 1`. A newer version, or one that cannot be read, is `Unknown`.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Observed<T> {
    match std::fs::read(path) {
        Ok(bytes) => match parse(path, &bytes) {
            Ok(value) => Observed::Present(value),
            Err(e) => Observed::Unknown(e.to_string()),
        },
        Err(e) if e.kind() == ErrorKind::NotFound => Observed::Absent,
        Err(e) => Observed::Unknown(failed("read", path, &e).to_string()),
    }
}

/// Reads the contents of a file with `"version": 1`.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, LaunchError> {
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|e| failed("read", path, &e))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => return Err(failed("read", path, &format!("it has version {version}, not {VERSION}"))),
        None => return Err(failed("read", path, "it has no version")),
    }
    serde_json::from_value(value).map_err(|e| failed("read", path, &e))
}

/// Removes a file; that it is not there is no error.
pub(super) fn remove(path: &Path) -> Result<(), LaunchError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(failed("remove", path, &e)),
    }
}

/// `folder` without a relative beginning.
pub(super) fn absolute(folder: &Path) -> Result<PathBuf, LaunchError> {
    std::path::absolute(folder).map_err(|e| failed("find", folder, &e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::check::CommandEnd, ports::launches::Exited};

    fn exited(code: i32) -> Exited {
        Exited { version: 1, end: CommandEnd::Exited { code }, at: jiff::Timestamp::UNIX_EPOCH, by_autodo: false }
    }

    #[test]
    fn the_second_creation_of_a_file_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        assert!(create_once(&path, &exited(1)).unwrap());
        assert!(!create_once(&path, &exited(2)).unwrap());
        assert_eq!(read(&path), Observed::Present(exited(1)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_newer_or_torn_file_is_unknown_and_a_missing_one_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        assert_eq!(read::<Exited>(&path), Observed::Absent);
        for text in [r#"{"version":2,"end":"exited","code":0,"at":"1970-01-01T00:00:00Z"}"#, "{\"version\":1", "", "{}"]
        {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(read::<Exited>(&path), Observed::Unknown(_)), "{text}");
        }
    }
}
