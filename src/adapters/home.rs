//! The places of `$AUTODO_HOME`: which file lies where. Other programs rely on these names.

use std::path::{Path, PathBuf};

use nix::unistd::Uid;

use super::{
    env,
    fs::{self, FsError},
};
use crate::domain::id::{DeliveryId, RunId, TicketId};

/// Longest path of a socket, in bytes. The system's limit is 107, and tmux fails without a word above it.
const MAX_SOCKET_PATH: usize = 100;

/// The longest name of a socket in the run folder.
const LONGEST_SOCKET: &str = "supervisor.sock";

/// Where everything lies. Cheap to clone; knows paths only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
    runtime: PathBuf,
}

/// The home asked for: `AUTODO_HOME`, else `~/.claude/autodo`. `None`: the user has no home folder.
#[must_use]
pub fn chosen() -> Option<PathBuf> {
    env::var("AUTODO_HOME").map(PathBuf::from).or_else(|| env::home().map(|home| home.join(".claude/autodo")))
}

impl Home {
    /// The home at `root`, which is there already, or whose folders are made (0700). Links in the path are resolved,
    /// so that a home reached by two names is one home with one set of sockets.
    ///
    /// # Errors
    /// A folder cannot be made, or the one for sockets in `/tmp` is somebody else's.
    pub fn open(root: &Path) -> Result<Self, FsError> {
        let wrap = |e: std::io::Error| FsError::new("open the home", root, &e);
        fs::create_dir_private(root)?;
        let home = Self::at(&root.canonicalize().map_err(wrap)?);
        for folder in [home.archive_dir(), home.ids(), home.bin_dir()] {
            fs::create_dir_private(&folder)?;
        }
        let uid = Uid::effective().as_raw();
        if !home.runtime.starts_with(&home.root)
            && let Some(shared) = home.runtime.parent()
        {
            fs::create_dir_guarded(shared, uid)?;
        }
        fs::create_dir_guarded(&home.runtime, uid)?;
        Ok(home)
    }

    /// The layout that [`Home::open`] would give to `root`, which need not be there. Makes nothing.
    ///
    /// # Errors
    /// `root` is relative, and the current folder is gone.
    pub fn look(root: &Path) -> Result<Self, FsError> {
        let absolute = std::path::absolute(root).map_err(|e| FsError::new("find", root, &e))?;
        Ok(Self::at(&fs::resolved(&absolute)))
    }

    /// The layout of a home at `root`, an absolute path without links. Touches nothing.
    #[must_use]
    pub fn at(root: &Path) -> Self {
        let inside = root.join("run");
        let fits = inside.join(LONGEST_SOCKET).as_os_str().len() <= MAX_SOCKET_PATH;
        let outside = || {
            let name = format!("{:016x}", fnv1a(root.as_os_str().as_encoded_bytes().iter().copied()));
            PathBuf::from(format!("/tmp/autodo-{}", Uid::effective())).join(name)
        };
        Self { root: root.to_owned(), runtime: if fits { inside } else { outside() } }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `journal.jsonl`: the truth.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.jsonl")
    }

    /// `queue.toml`: the queue as people and programs read it.
    #[must_use]
    pub fn queue(&self) -> PathBuf {
        self.root.join("queue.toml")
    }

    /// `list.jsonl`: the same at a glance, for `list`.
    #[must_use]
    pub fn list(&self) -> PathBuf {
        self.root.join("list.jsonl")
    }

    /// `supervisor.lock`: whoever holds it owns the state.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.root.join("supervisor.lock")
    }

    /// `supervisor.log`: what a detached supervisor says.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("supervisor.log")
    }

    /// `run/shortage`: why nothing is started for now; there only while that is so.
    #[must_use]
    pub fn shortage(&self) -> PathBuf {
        self.runtime.join("shortage")
    }

    /// The folder of the archive files.
    #[must_use]
    pub fn archive_dir(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// The archive file of a month, `YYYY-MM`.
    #[must_use]
    pub fn archive(&self, month: &str) -> PathBuf {
        self.archive_dir().join(format!("{month}.toml"))
    }

    /// The folder of the claims on ids.
    #[must_use]
    pub fn ids(&self) -> PathBuf {
        self.root.join("ids")
    }

    /// The claim on an id: one file per id without regard to case.
    #[must_use]
    pub fn claim(&self, ticket: &TicketId) -> PathBuf {
        self.ids().join(ticket.folded())
    }

    /// The folder of the pages that dispatches wrote when they ended.
    #[must_use]
    pub fn summaries(&self) -> PathBuf {
        self.root.join("summaries")
    }

    /// What is still to be told to a person, and what was told.
    #[must_use]
    pub fn notices(&self) -> PathBuf {
        self.root.join("notify.json")
    }

    /// `needs.json`: the memory that agents have taken, by profile.
    #[must_use]
    pub fn needs(&self) -> PathBuf {
        self.root.join("needs.json")
    }

    /// Copies of the program, kept for as long as sessions use them.
    #[must_use]
    pub fn bin_dir(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The file of the live rules for permissions of the project whose checkout is at `repo`.
    #[must_use]
    pub fn live_rules(&self, repo: &Path) -> PathBuf {
        let name = repo.file_name().map_or("project".into(), |name| name.to_string_lossy());
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        let name: String = name.chars().map(plain).take(60).collect();
        let hash = fnv1a(repo.as_os_str().as_encoded_bytes().iter().copied());
        self.root.join("permissions").join(format!("{name}-{hash:016x}.rules"))
    }

    /// A ticket's folder.
    #[must_use]
    pub fn ticket(&self, ticket: &TicketId) -> PathBuf {
        self.root.join(ticket.as_str())
    }

    /// The ticket as accepted.
    #[must_use]
    pub fn ticket_md(&self, ticket: &TicketId) -> PathBuf {
        self.ticket(ticket).join("ticket.md")
    }

    /// What a person reads.
    #[must_use]
    pub fn review(&self, ticket: &TicketId) -> PathBuf {
        self.ticket(ticket).join("review.md")
    }

    /// The audit trail.
    #[must_use]
    pub fn events(&self, ticket: &TicketId) -> PathBuf {
        self.ticket(ticket).join("events.jsonl")
    }

    /// What a ticket's agent keeps between runs; another one for each time that a person has all done again.
    #[must_use]
    pub fn state_dir(&self, ticket: &TicketId, epoch: u32) -> PathBuf {
        self.ticket(ticket).join("state").join(epoch.to_string())
    }

    /// A run's folder.
    #[must_use]
    pub fn run_dir(&self, run: &RunId) -> PathBuf {
        self.ticket(&run.ticket).join("runs").join(run.number.to_string())
    }

    /// The folder of a launch of a run, from 1.
    #[must_use]
    pub fn launch_dir(&self, run: &RunId, launch: u32) -> PathBuf {
        self.run_dir(run).join("launches").join(launch.to_string())
    }

    /// The text of a delivery.
    #[must_use]
    pub fn delivery_text(&self, run: &RunId, delivery: &DeliveryId) -> PathBuf {
        self.run_dir(run).join("deliveries").join(format!("{delivery}.txt"))
    }

    /// The launch folder of a check: round and index count from 0.
    #[must_use]
    pub fn check_dir(&self, run: &RunId, round: u32, index: u32) -> PathBuf {
        self.run_dir(run).join("checks").join(round.to_string()).join(index.to_string())
    }

    /// The kept reports of a run.
    #[must_use]
    pub fn reports(&self, run: &RunId) -> PathBuf {
        self.run_dir(run).join("reports")
    }

    /// Reports of a run that were not believed.
    #[must_use]
    pub fn rejected(&self, run: &RunId) -> PathBuf {
        self.run_dir(run).join("rejected")
    }

    /// Sockets and hand-over files (0700): `run/` in the home, or where a socket's path in it would be too long, a
    /// folder of this user in `/tmp` named after the home. Never `XDG_RUNTIME_DIR` or `TMPDIR`: cron and logout change
    /// those, and the sessions would be lost.
    #[must_use]
    pub fn runtime(&self) -> &Path {
        &self.runtime
    }

    /// The socket of autodo's own tmux server.
    #[must_use]
    pub fn tmux_socket(&self) -> PathBuf {
        self.runtime.join("tmux.sock")
    }

    /// The socket on which the supervisor takes requests.
    #[must_use]
    pub fn supervisor_socket(&self) -> PathBuf {
        self.runtime.join(LONGEST_SOCKET)
    }

    /// The datagram socket that says: look.
    #[must_use]
    pub fn wake_socket(&self) -> PathBuf {
        self.runtime.join("wake.sock")
    }
}

/// 64-bit FNV-1a: a hash that is the same in every build, so that a newer autodo finds the sockets of an older one.
pub(in crate::adapters) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // Source: the FNV reference vectors (isthe.com/chongo/tech/comp/fnv).
        assert_eq!(fnv1a(b"".iter().copied()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a".iter().copied()), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar".iter().copied()), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn sockets_fit_however_long_the_home_is() {
        for length in [1, 80, 83, 84, 85, 120, 3000] {
            let home = Home::at(Path::new(&format!("/{}", "h".repeat(length))));
            for socket in [home.tmux_socket(), home.supervisor_socket(), home.wake_socket()] {
                assert!(socket.as_os_str().len() <= MAX_SOCKET_PATH, "{length}: {}", socket.display());
            }
            assert_eq!(home.runtime().starts_with(home.root()), length <= 79, "{length}");
        }
    }

    #[test]
    fn two_long_homes_never_share_sockets() {
        let long = |c: &str| Home::at(Path::new(&format!("/{}", c.repeat(200))));
        assert_ne!(long("a").runtime(), long("b").runtime());
    }

    #[test]
    fn a_home_reached_by_a_link_is_the_same_home() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        let real = Home::open(&dir.path().join("real")).unwrap();
        std::os::unix::fs::symlink(real.root(), &link).unwrap();
        assert_eq!(Home::open(&link).unwrap(), real);
    }

    #[test]
    fn every_folder_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("new/home")).unwrap();
        for folder in [home.root(), home.runtime(), &home.ids(), &home.archive_dir(), &home.bin_dir()] {
            let mode = std::fs::metadata(folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
        }
    }
}
