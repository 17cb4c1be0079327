//! The only reader of environment variables, and of what else the process inherits: its folder, its program, its user.

use std::{ffi::OsString, io, path::PathBuf};

use nix::unistd::Uid;

use super::user;

/// The variable `name`; `None` where it is not set or empty, which this program never tells apart.
#[must_use]
pub fn var(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The folders of the `PATH` that can be named from anywhere: absolute, there, each once.
#[must_use]
pub fn path_folders() -> Vec<PathBuf> {
    let path = var("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in std::env::split_paths(&path).filter(|folder| folder.is_absolute() && folder.is_dir()) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// The arguments of the program, without its name.
pub fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().skip(1)
}

/// All variables, for the hand-over to an agent.
pub fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// The folder in which the program was started.
///
/// # Errors
/// It was removed, or cannot be looked up.
pub fn current_dir() -> io::Result<PathBuf> {
    std::env::current_dir()
}

/// This program's own file.
///
/// # Errors
/// It was removed or replaced since the start, or cannot be looked up.
pub fn current_exe() -> io::Result<PathBuf> {
    std::env::current_exe()
}

/// The name of the user this process runs as: from the user database, else `uid-<number>`. `USER` is not asked: it
/// says who logged in, and under `su` or cron something else or nothing.
#[must_use]
pub fn user_name() -> String {
    let uid = Uid::effective();
    user::of(uid).map_or_else(|| format!("uid-{uid}"), |user| user.name)
}

/// The user's home: `HOME`, else what the user database says; `None` where neither knows an absolute path.
#[must_use]
pub fn home() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let known = || user::of(Uid::effective()).map(|user| user.home).filter(absolute);
    var("HOME").map(PathBuf::from).filter(absolute).or_else(known)
}
