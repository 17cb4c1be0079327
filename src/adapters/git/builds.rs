//! Build folders: what git ignores as a whole folder in a worktree, and what programs can make again.
//!
//! A file that is ignored by itself is never taken: `.env`, a key, a database, settings of an editor. Nor is a folder
//! in which something lies that autodo copied or linked there, a repository of its own, or a part of another disk.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use super::{
    Git,
    command::{Call, GitError},
    place,
};

/// What belongs to autodo in a worktree.
const OWN: &str = ".autodo";

/// What there is of build folders in a worktree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Builds {
    /// Folders that can be taken away.
    pub folders: Vec<PathBuf>,
    /// Folders that git ignores and that are left, each with the reason.
    pub left: Vec<(PathBuf, String)>,
}

impl Git {
    /// The build folders of the worktree at `path`; none where it is gone.
    ///
    /// # Errors
    /// git could not list them.
    pub async fn builds(&self, path: &Path) -> Result<Builds, GitError> {
        if path.join(".git").symlink_metadata().is_err() {
            return Ok(Builds::default());
        }
        let look = ["-c", "core.fsmonitor=false", "--no-optional-locks", "status", "--porcelain=v2", "-z"];
        // `ls-files` would also name a folder that is not ignored itself, and in which only ignored files are.
        let look = Call::new(path).args(look).args(["--untracked-files=all", "--ignored=matching"]);
        let said = self.program.ok(&look).await?.stdout;
        let said = String::from_utf8_lossy(&said).into_owned();
        let (root, placed) = (path.to_owned(), place::placed(path));
        let sort = move || {
            let mut builds = Builds::default();
            let folder_of = |field: &'_ str| Some(field.strip_prefix("! ")?.strip_suffix('/')?.to_owned());
            for name in said.split('\0').filter_map(folder_of) {
                if Path::new(&name).starts_with(OWN) {
                    continue;
                }
                let below = format!("{name}/");
                let folder = root.join(&name);
                let why = match placed.iter().find(|file| **file == name || file.starts_with(&below)) {
                    Some(file) => Some(format!("{file} was copied or linked there for the ticket")),
                    None => obstacle(&folder).unwrap_or_else(|e| Some(format!("it could not be looked into: {e}"))),
                };
                match why {
                    Some(why) => builds.left.push((folder, why)),
                    None => builds.folders.push(folder),
                }
            }
            builds
        };
        let lost = |e: tokio::task::JoinError| GitError::Refused(format!("cannot look for build folders: {e}"));
        tokio::task::spawn_blocking(sort).await.map_err(lost)
    }
}

/// Why a folder is not to be taken away as a whole; links in it are not followed.
fn obstacle(folder: &Path) -> io::Result<Option<String>> {
    let disk = fs::symlink_metadata(folder)?.dev();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next)? {
            let entry = entry?;
            if entry.file_name() == ".git" {
                return Ok(Some(format!("{} is a repository of its own", shown(&entry.path(), folder))));
            }
            if entry.file_type()?.is_dir() {
                if entry.metadata()?.dev() != disk {
                    return Ok(Some(format!("{} is on another disk", entry.path().display())));
                }
                open.push(entry.path());
            }
        }
    }
    Ok(None)
}

fn shown<'a>(git: &'a Path, folder: &'a Path) -> std::path::Display<'a> {
    git.parent().unwrap_or(folder).display()
}
