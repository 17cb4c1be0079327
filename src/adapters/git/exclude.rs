//! The run folder of a worktree, and the lines in `info/exclude` that keep things out of git without touching a file
//! of the project.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::{Mutex, PoisonError},
};

use super::{Git, command::GitError, prepare::RUN_FOLDER};

/// Two preparations at a time must not both find a line missing, or tear each other's.
static WRITING: Mutex<()> = Mutex::new(());

impl Git {
    /// Makes `.autodo/run` in a worktree and keeps it out of git.
    pub(crate) async fn make_run_folder(&self, repo: &Path, worktree: &Path) -> Result<(), GitError> {
        self.exclude_line(repo, &format!("/{RUN_FOLDER}/")).await?;
        let mut folder = worktree.to_owned();
        for part in RUN_FOLDER.split('/') {
            folder.push(part);
            match DirBuilder::new().mode(0o755).create(&folder) {
                Ok(()) => {}
                // A link that is part of the project would lead prompts and reports out of the worktree.
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                    let kind =
                        std::fs::symlink_metadata(&folder).map_err(|e| GitError::file("look at", &folder, &e))?;
                    if !kind.is_dir() {
                        let shown = folder.display();
                        return Err(GitError::Refused(format!("{shown} must be a folder, and is a link or a file")));
                    }
                }
                Err(e) => return Err(GitError::file("make", &folder, &e)),
            }
        }
        Ok(())
    }

    /// Appends `line` to the `info/exclude` that all worktrees of the repository share, unless it stands there. Other
    /// lines stay as they are. True: it was appended.
    ///
    /// # Errors
    /// The file could not be read or written.
    pub async fn exclude_line(&self, repo: &Path, line: &str) -> Result<bool, GitError> {
        let line = line.to_owned();
        self.read(repo, move |r| append(&r.layout()?.common_dir.join("info/exclude"), &line)).await
    }
}

fn append(file: &Path, line: &str) -> Result<bool, GitError> {
    let wrong = |what| move |e: std::io::Error| GitError::file(what, file, &e);
    let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let before = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(wrong("read")(e)),
    };
    if before.split(|b| *b == b'\n').any(|l| l.trim_ascii_end() == line.as_bytes()) {
        return Ok(false);
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(wrong("make the folder of"))?;
    }
    // Appended in one write: the file may be a link, and what others write into it meanwhile stays.
    let end = if before.is_empty() || before.ends_with(b"\n") { "" } else { "\n" };
    let mut open = OpenOptions::new().append(true).create(true).open(file).map_err(wrong("open"))?;
    open.write_all(format!("{end}{line}\n").as_bytes()).map_err(wrong("write"))?;
    Ok(true)
}
