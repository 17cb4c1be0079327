//! The copy of this program that sessions run: an upgrade replaces the program, never what a live session uses.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep a copy of {} in {}: {why}", program.display(), folder.display())]
pub struct CopyError {
    /// The program.
    pub program: PathBuf,
    /// Where the copy was to be.
    pub folder: PathBuf,
    /// Why it failed.
    pub why: io::Error,
}

/// Makes sure that `<bin_root>/<key>/autodo` is the running program, and returns its path. The key is a function of the
/// file (device, inode, size, modification time). Called again, or by several processes at once, it changes nothing.
///
/// # Errors
/// [`CopyError`]; what was there before is still there.
pub fn ensure_copy(bin_root: &Path) -> Result<PathBuf, CopyError> {
    // After an upgrade the path of a running program names another file, or none; this link still names the program.
    let link = Path::new("/proc/self/exe");
    let error = |why| CopyError { program: "the running program".into(), folder: bin_root.to_owned(), why };
    let path = std::env::current_exe().map_err(error)?;
    let running = if link.exists() { link } else { &path };
    keep(running, &path, bin_root).map_err(|why| CopyError { program: path, folder: bin_root.to_owned(), why })
}

/// Keeps the file that `source` opens; `name` is a path from which it may be linked, if it is still the same file.
fn keep(source: &Path, name: &Path, bin_root: &Path) -> io::Result<PathBuf> {
    let bin_root = std::path::absolute(bin_root)?;
    if fs::canonicalize(&bin_root).is_ok_and(|root| name.starts_with(root)) && name.exists() {
        return Ok(name.to_owned());
    }
    let file = fs::metadata(source)?;
    let folder = bin_root.join(key(&file));
    let kept = folder.join("autodo");
    if is_copy(&kept, &file) {
        return Ok(kept);
    }
    fs::create_dir_all(&folder)?;
    let same = fs::metadata(name).is_ok_and(|m| (m.dev(), m.ino()) == (file.dev(), file.ino()));
    // No link across file systems, or of another user's file (fs.protected_hardlinks): then it is copied.
    if same && fs::hard_link(name, &kept).is_ok() {
        return Ok(kept);
    }
    if is_copy(&kept, &file) {
        return Ok(kept);
    }
    let mut aside = tempfile::Builder::new().prefix(".aside-").tempfile_in(&folder)?;
    io::copy(&mut fs::File::open(source)?, aside.as_file_mut())?;
    aside.as_file().set_permissions(fs::Permissions::from_mode(0o755))?;
    aside.as_file().sync_all()?;
    // Closed for writing before it gets its name: a program that is open for writing cannot be started (ETXTBSY).
    aside.into_temp_path().persist(&kept).map_err(|e| e.error)?;
    Ok(kept)
}

/// Removes the copies below `bin_root` that `age` has passed over since they were made, except `kept`. Only for who knows
/// that no session runs one of them. What cannot be removed stays.
pub fn remove_old_copies(bin_root: &Path, kept: &Path, age: Duration) {
    let Ok(folders) = fs::read_dir(bin_root) else { return };
    for folder in folders.flatten().map(|entry| entry.path()).filter(|folder| !kept.starts_with(folder)) {
        let made = fs::metadata(&folder).and_then(|found| found.modified());
        if made.is_ok_and(|made| made.elapsed().is_ok_and(|passed| passed >= age)) {
            // Ignored: it costs some space, and is tried again by the next supervisor.
            fs::remove_dir_all(&folder).ok();
        }
    }
}

fn is_copy(kept: &Path, of: &Metadata) -> bool {
    fs::metadata(kept).is_ok_and(|m| m.is_file() && m.len() == of.len() && m.mode() & 0o111 != 0)
}

fn key(file: &Metadata) -> String {
    format!("{:x}-{:x}-{:x}-{:x}.{:09}", file.dev(), file.ino(), file.size(), file.mtime(), file.mtime_nsec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("autodo");
        fs::write(folder.join("new"), text).unwrap();
        fs::set_permissions(folder.join("new"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(folder.join("new"), &path).unwrap();
        path
    }

    #[test]
    fn a_copy_outlives_an_upgrade() {
        let world = tempfile::tempdir().unwrap();
        let bin = world.path().join("home/bin");
        let path = program(world.path(), "old");
        let first = keep(&path, &path, &bin).unwrap();
        assert_eq!(keep(&path, &path, &bin).unwrap(), first);
        let path = program(world.path(), "new!");
        let second = keep(&path, &path, &bin).unwrap();
        assert_ne!(first, second);
        assert_eq!(
            (fs::read_to_string(first).unwrap(), fs::read_to_string(second).unwrap()),
            ("old".into(), "new!".into())
        );
    }

    #[test]
    fn only_old_copies_that_are_not_in_use_are_removed() {
        let world = tempfile::tempdir().unwrap();
        let bin = world.path().join("bin");
        let path = program(world.path(), "old");
        let first = keep(&path, &path, &bin).unwrap();
        let path = program(world.path(), "newer");
        let second = keep(&path, &path, &bin).unwrap();
        remove_old_copies(&bin, &second, Duration::from_secs(3600));
        assert!(first.exists(), "a command that is under way may still want it");
        remove_old_copies(&bin, &second, Duration::ZERO);
        assert!(!first.parent().unwrap().exists() && second.exists());
    }

    #[test]
    fn without_a_name_to_link_it_is_copied_and_runs() {
        let world = tempfile::tempdir().unwrap();
        let bin = world.path().join("bin");
        let path = program(world.path(), "text");
        let kept = keep(&path, Path::new("/nowhere (deleted)"), &bin).unwrap();
        assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o777, 0o755);
        assert_ne!(fs::metadata(&kept).unwrap().ino(), fs::metadata(&path).unwrap().ino());
        assert_eq!(fs::read_dir(kept.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn many_at_once_agree() {
        let world = tempfile::tempdir().unwrap();
        let bin = world.path().join("bin");
        let path = program(world.path(), "text");
        let kept: Vec<PathBuf> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| keep(&path, &path, &bin).unwrap())).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(kept.iter().all(|path| path == &kept[0] && fs::read_to_string(path).unwrap() == "text"));
    }

    #[test]
    fn a_copy_of_the_copy_is_the_copy() {
        let world = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(world.path()).unwrap();
        let path = program(&root, "text");
        let kept = keep(&path, &path, &root.join("bin")).unwrap();
        assert_eq!(keep(&kept, &kept, &root.join("bin")).unwrap(), kept);
    }
}
