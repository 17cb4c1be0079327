//! What a folder takes on its disk.

use std::{
    collections::HashSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{FsError, observed};
use crate::domain::observed::Observed;

/// Bytes of a block as `stat` counts them. Source: stat(2).
const BLOCK: u64 = 512;

/// Bytes that a folder and all that is in it take on their disk: no links followed, a file with several names counted
/// once, nothing of other disks. `Absent`: there is no such folder; `Unknown`: a part of it could not be looked at.
#[must_use]
pub fn disk_usage(folder: &Path) -> Observed<u64> {
    observed(walk(folder).map_err(|e| FsError::new("look into", folder, &e)))
}

fn walk(folder: &Path) -> io::Result<u64> {
    let top = fs::symlink_metadata(folder)?;
    let (disk, mut bytes) = (top.dev(), top.blocks() * BLOCK);
    let mut seen = HashSet::new();
    let mut open: Vec<PathBuf> = if top.is_dir() { vec![folder.to_owned()] } else { vec![] };
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next)? {
            let entry = entry?;
            let meta = match entry.metadata() {
                Ok(meta) => meta,
                // It went while it was looked at.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            if meta.dev() != disk || (meta.nlink() > 1 && !meta.is_dir() && !seen.insert(meta.ino())) {
                continue;
            }
            bytes += meta.blocks() * BLOCK;
            if meta.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_once_and_links_are_not_followed() {
        let room = tempfile::tempdir().unwrap();
        let (one, two) = (room.path().join("one"), room.path().join("two"));
        for folder in [&one, &two] {
            fs::create_dir_all(folder.join("deep")).unwrap();
        }
        fs::write(one.join("deep/big"), vec![7; 1 << 20]).unwrap();
        let Observed::Present(alone) = disk_usage(&one) else { panic!("it is there") };
        assert!((1 << 20..2 << 20).contains(&alone), "{alone}");
        fs::hard_link(one.join("deep/big"), one.join("again")).unwrap();
        let Observed::Present(linked) = disk_usage(&one) else { panic!("it is there") };
        assert!(linked < alone + (1 << 18), "{linked}");
        std::os::unix::fs::symlink(&one, two.join("link")).unwrap();
        let Observed::Present(other) = disk_usage(&two) else { panic!("it is there") };
        assert!(other < 1 << 18, "{other}");
        assert_eq!(disk_usage(&room.path().join("none")), Observed::Absent);
    }
}
