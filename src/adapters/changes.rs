//! Tells when files change, without looking at them all the time: the system says so where it can, and their stamps are
//! compared in any case, for a file system that does not tell (a network's).

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::fs;
use crate::domain::observed::Observed;

/// Time between two looks at the stamps where the system tells of changes.
const SELDOM: Duration = Duration::from_secs(2);

/// Time between two looks at the stamps where it does not.
const OFTEN: Duration = Duration::from_millis(250);

/// Some files of a folder, watched.
#[derive(Debug)]
pub struct Changes {
    files: Vec<(PathBuf, Observed<String>)>,
    told: Option<Told>,
}

impl Changes {
    /// Watches `files`, which lie in `folder`; what changes from now on is told. Must be called within a tokio runtime.
    #[must_use]
    pub fn of(folder: &Path, files: Vec<PathBuf>) -> Self {
        // Before the first look, so that nothing comes between the two.
        let told = Told::of(folder);
        let files = files.into_iter().map(|path| (path.clone(), fs::look_version(&path))).collect();
        Self { files, told }
    }

    /// Waits until one of the files is another than at the last look: changed, made, replaced or gone. Cancel-safe.
    pub async fn came(&mut self) {
        loop {
            if self.look() {
                return;
            }
            match &mut self.told {
                Some(told) => {
                    // Ignored: after the time the stamps are looked at anyway.
                    tokio::time::timeout(SELDOM, told.came()).await.ok();
                }
                None => tokio::time::sleep(OFTEN).await,
            }
        }
    }

    /// True if one of the files is another than at the last look.
    pub fn look(&mut self) -> bool {
        let mut changed = false;
        for (path, before) in &mut self.files {
            let now = fs::look_version(path);
            changed |= now != *before;
            *before = now;
        }
        changed
    }
}

#[cfg(target_os = "linux")]
mod told {
    //! inotify(7).

    use std::{os::fd::OwnedFd, path::Path};

    use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
    use tokio::net::unix::pipe::Receiver;

    /// The system's word that something in a folder has changed.
    #[derive(Debug)]
    pub struct Told(Receiver);

    impl Told {
        /// `None`: the system has no more watches to give, or knows no such folder.
        pub fn of(folder: &Path) -> Option<Self> {
            // Ignored below: the stamps are looked at more often then.
            let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).ok()?;
            let what = AddWatchFlags::IN_MODIFY
                | AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_MOVED_TO;
            inotify.add_watch(folder, what).ok()?;
            // It is read as a pipe is, and was made never to block.
            Receiver::from_owned_fd_unchecked(OwnedFd::from(inotify)).ok().map(Self)
        }

        /// Waits for it, and takes all that was said by then. One that fails never comes: the stamps remain.
        pub async fn came(&mut self) {
            if self.0.readable().await.is_err() {
                return std::future::pending().await;
            }
            let mut bytes = [0; 4096];
            // What it says is not read: which of the files it was, their stamps tell.
            while self.0.try_read(&mut bytes).is_ok_and(|count| count > 0) {}
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod told {
    //! No system that tells.

    use std::path::Path;

    /// Never made here.
    #[derive(Debug)]
    pub struct Told(std::convert::Infallible);

    impl Told {
        pub fn of(_folder: &Path) -> Option<Self> {
            None
        }

        pub async fn came(&mut self) {
            match self.0 {}
        }
    }
}

use told::Told;

#[cfg(test)]
mod tests {
    use super::*;

    async fn comes(changes: &mut Changes, within_ms: u64) -> bool {
        tokio::time::timeout(Duration::from_millis(within_ms), changes.came()).await.is_ok()
    }

    #[tokio::test]
    async fn a_file_that_grows_is_replaced_or_goes_is_told_and_another_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (mine, other) = (folder.path().join("mine"), folder.path().join("other"));
        for told in [true, false] {
            let mut changes = Changes::of(folder.path(), vec![mine.clone()]);
            if !told {
                changes.told = None;
            }
            std::fs::write(&other, format!("not watched {told}")).unwrap();
            assert!(!comes(&mut changes, 30).await, "{told}");
            std::fs::write(&mine, "made").unwrap();
            assert!(comes(&mut changes, 5000).await, "{told}");
            assert!(!comes(&mut changes, 30).await, "{told}");
            std::fs::write(&other, "made").unwrap();
            std::fs::rename(&other, &mine).unwrap();
            assert!(comes(&mut changes, 5000).await, "{told}");
            std::fs::remove_file(&mine).unwrap();
            assert!(comes(&mut changes, 5000).await, "{told}");
        }
    }

    #[tokio::test]
    async fn a_change_between_two_waits_is_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let mut changes = Changes::of(folder.path(), vec![file.clone()]);
        assert!(!comes(&mut changes, 30).await);
        std::fs::write(&file, "meanwhile").unwrap();
        assert!(comes(&mut changes, 5000).await);
    }

    #[tokio::test]
    async fn a_folder_that_is_not_there_yet_is_looked_at() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("later");
        let mut changes = Changes::of(&folder, vec![folder.join("file")]);
        assert!(!comes(&mut changes, 30).await);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("file"), "there").unwrap();
        assert!(comes(&mut changes, 5000).await);
    }
}
