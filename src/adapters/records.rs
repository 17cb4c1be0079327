//! The records of agents on disk: files of other programs, read piece by piece. What is there is not trusted: sizes are
//! bounded, and only plain files are read.

use std::{
    collections::BTreeSet,
    fs::{File, Metadata},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::{env, fs};
use crate::{
    domain::{observed::Observed, usage::MicroUsd},
    format::spent::{MAX_STATUS_BYTES, Spent},
    ports::records::{Records, Stamp},
};

/// Most entries of a folder that are looked at.
const MAX_ENTRIES: usize = 100_000;

/// Records on disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct FsRecords;

impl Records for FsRecords {
    fn variable(&self, name: &str) -> Option<String> {
        let text = |value: std::ffi::OsString| value.to_str().map(str::to_owned);
        if name == "HOME" {
            return env::home().and_then(|home| text(home.into_os_string()));
        }
        env::var(name).and_then(text)
    }

    fn stamp(&self, path: &Path) -> Observed<Stamp> {
        observed(std::fs::metadata(path).map(|seen| stamp(&seen)))
    }

    fn read(&self, path: &Path, from: u64, limit: u64) -> Observed<Vec<u8>> {
        observed(read(path, from, limit))
    }

    fn matching(&self, pattern: &Path, but: &BTreeSet<PathBuf>) -> Observed<Vec<(PathBuf, Stamp)>> {
        let (Some(folder), Some(name)) = (pattern.parent(), pattern.file_name().and_then(|name| name.to_str())) else {
            return Observed::Absent;
        };
        let Some((begin, end)) = name.split_once('*') else { return Observed::Absent };
        let listed = match std::fs::read_dir(folder) {
            Ok(listed) => listed,
            Err(why) => return observed(Err(why)),
        };
        let mut found = Vec::new();
        for entry in listed.take(MAX_ENTRIES) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(why) => return observed(Err(why)),
            };
            let name = entry.file_name();
            let fits = |name: &str| {
                name.strip_prefix(begin).is_some_and(|rest| rest.len() >= end.len() && rest.ends_with(end))
            };
            let path = entry.path();
            if !name.to_str().is_some_and(fits) || but.contains(&path) {
                continue;
            }
            // Ignored: one that went away meanwhile is not there.
            if let Some(seen) = entry.metadata().ok().filter(Metadata::is_file) {
                found.push((path, stamp(&seen)));
            }
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        Observed::Present(found)
    }

    fn spent(&self, file: &Path, is_fresh: bool) -> Observed<MicroUsd> {
        match fs::read_untrusted(file, MAX_STATUS_BYTES) {
            Ok(bytes) => Spent::parse(&bytes).map_or_else(
                || Observed::Unknown(format!("{} is not what was written there", file.display())),
                |spent| Observed::Present(spent.own(is_fresh)),
            ),
            Err(error) => fs::observed(Err(error)),
        }
    }

    fn is_same_folder(&self, one: &Path, other: &Path) -> bool {
        one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
    }
}

fn stamp(seen: &Metadata) -> Stamp {
    Stamp { size: seen.len(), changed_ns: i128::from(seen.mtime()) * 1_000_000_000 + i128::from(seen.mtime_nsec()) }
}

fn read(path: &Path, from: u64, limit: u64) -> io::Result<Vec<u8>> {
    // A pipe of that name must not hold the reader up.
    let nonblock = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let mut file: File = File::options().read(true).custom_flags(nonblock).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no plain file"));
    }
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn observed<T>(result: io::Result<T>) -> Observed<T> {
    match result {
        Ok(value) => Observed::Present(value),
        Err(why) if why.kind() == ErrorKind::NotFound => Observed::Absent,
        Err(why) => Observed::Unknown(why.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_from_where_one_was() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        assert_eq!(FsRecords.stamp(&path), Observed::Absent);
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(FsRecords.read(&path, 3, 4), Observed::Present(b"3456".to_vec()));
        assert_eq!(FsRecords.read(&path, 30, 4), Observed::Present(vec![]));
        let Observed::Present(stamp) = FsRecords.stamp(&path) else { panic!("it is there") };
        assert_eq!(stamp.size, 10);
        assert!(matches!(FsRecords.read(dir.path(), 0, 4), Observed::Unknown(_)));
    }

    #[test]
    fn only_files_that_the_pattern_names_are_found() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["r-2.x", "r-1.x", "r-.x", "r.x", "s-1.x", "r-3.y"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join("r-9.x")).unwrap();
        let but = BTreeSet::from([dir.path().join("r-2.x")]);
        let Observed::Present(found) = FsRecords.matching(&dir.path().join("r-*.x"), &but) else {
            panic!("it is there")
        };
        let names: Vec<_> = found.iter().map(|(path, _)| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["r-.x", "r-1.x"]);
        assert_eq!(FsRecords.matching(&dir.path().join("none/r-*"), &but), Observed::Absent);
    }
}
