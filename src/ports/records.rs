//! The records that agents keep of their own conversations: files of other programs, which are read and never written.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use crate::domain::{observed::Observed, usage::MicroUsd};

/// The file in a launch's folder in which `autodo hook statusline` keeps what the launch cost so far.
pub const SPENT_FILE: &str = "spent.json";

/// Stands for a file's contents: another one, if it has grown or was written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes in it.
    pub size: u64,
    /// When it changed last, in nanoseconds since the epoch.
    pub changed_ns: i128,
}

/// Records. All calls look at or read a piece of a file and do not block long.
pub trait Records: Send + Sync {
    /// A variable of the environment in which agents are started; `None`: not set.
    fn variable(&self, name: &str) -> Option<String>;

    /// The stamp of a file: one system call.
    fn stamp(&self, path: &Path) -> Observed<Stamp>;

    /// At most `limit` bytes of a file, from byte `from` on.
    fn read(&self, path: &Path, from: u64, limit: u64) -> Observed<Vec<u8>>;

    /// The files that `pattern` names, whose last part has one `*`, by name; those in `but` are not looked at.
    fn matching(&self, pattern: &Path, but: &BTreeSet<PathBuf>) -> Observed<Vec<(PathBuf, Stamp)>>;

    /// What a launch cost so far, as its [`SPENT_FILE`] says. `is_fresh`: its conversation began with it.
    fn spent(&self, file: &Path, is_fresh: bool) -> Observed<MicroUsd>;

    /// True if both are the same folder, links resolved.
    fn is_same_folder(&self, one: &Path, other: &Path) -> bool;
}
