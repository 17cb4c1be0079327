//! Where the server is, and what its programs are given.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{adapters::user, ports::terminal::TerminalError};

/// Longest that one tmux command may take.
const LIMIT: Duration = Duration::from_secs(5);
/// Sessions on one server: with 200 panes at work one server takes 36 % of a core, two take 32, four 28 (tmux 3.3a).
const MOST_SESSIONS: usize = 100;
/// Longest socket path, in bytes: the kernel takes 107.
const LONGEST_SOCKET: usize = 100;
/// Used where the environment names no search path.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Where the server is, and the whole environment that tmux and its panes get.
#[derive(Clone, Debug)]
pub struct TmuxPlace {
    /// The tmux program: a path, or a name to be looked up in `path`.
    pub program: PathBuf,
    /// Its socket: absolute, at most 100 bytes.
    pub socket: PathBuf,
    /// The configuration, which autodo writes whenever it starts the server.
    pub conf: PathBuf,
    /// `PATH`.
    pub path: OsString,
    /// `HOME`.
    pub home: PathBuf,
    /// `USER`.
    pub user: OsString,
    /// Longest that one command may take; 5 s.
    pub limit: Duration,
    /// Sessions of tickets on one server, before a further one is started; 100.
    pub most_sessions: usize,
}

impl TmuxPlace {
    /// The place in `run`, autodo's folder for sockets, with `PATH`, `HOME` and `USER` of this process.
    #[must_use]
    pub fn in_folder(run: &Path) -> Self {
        let known = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        // A user without an entry has neither; the fallbacks below only matter to programs in panes.
        let user = || user::of(nix::unistd::Uid::current());
        let home = || user().map_or_else(|| PathBuf::from("/"), |user| user.home);
        let name = || user().map_or_else(OsString::new, |user| OsString::from(user.name));
        Self {
            program: PathBuf::from("tmux"),
            socket: run.join("tmux.sock"),
            conf: run.join("tmux.conf"),
            path: known("PATH").unwrap_or_else(|| OsString::from(USUAL_PATH)),
            home: known("HOME").map_or_else(home, PathBuf::from),
            user: known("USER").unwrap_or_else(name),
            limit: LIMIT,
            most_sessions: MOST_SESSIONS,
        }
    }

    /// The place of server `number`, from 2: beside this one.
    pub(super) fn of_server(&self, number: usize) -> Self {
        let stem = self.socket.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { socket: self.socket.with_file_name(format!("{stem}-{number}.sock")), ..self.clone() }
    }

    /// Refuses a socket that tmux could not use, or would look for somewhere else.
    pub(super) fn check(&self) -> Result<(), TerminalError> {
        if self.socket.is_absolute() && self.socket.as_os_str().len() <= LONGEST_SOCKET {
            return Ok(());
        }
        let path = self.socket.display();
        let why = format!("the tmux socket {path} must be an absolute path of at most {LONGEST_SOCKET} bytes");
        Err(TerminalError::Unusable(why))
    }

    /// The whole environment of every tmux client, and so of the server and its panes.
    ///
    /// Panes take `PATH` from the client that opens them and all else from the one that started the server
    /// (tmux 3.3a): with the same few values for all of them, nothing of the user's environment gets in.
    pub(super) fn environment(&self) -> [(&'static str, OsString); 6] {
        [
            ("PATH", self.path.clone()),
            ("HOME", self.home.clone().into_os_string()),
            ("USER", self.user.clone()),
            ("LANG", OsString::from("C.UTF-8")),
            ("TERM", OsString::from("tmux-256color")),
            ("SHELL", OsString::from("/bin/sh")),
        ]
    }
}
