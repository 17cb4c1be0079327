//! Puts the pieces together: a home, the world behind the ports, and the queue for whoever holds the lock.

use std::{path::PathBuf, sync::Arc, time::Duration};

use super::{
    error::{AppError, Exit},
    profiles::LayeredProfiles,
};
use crate::{
    adapters::{
        clock::SystemClock,
        crash, env,
        files::HomeFiles,
        git::Git,
        home::{Home, chosen},
        outbox::FsOutbox,
        process::{Environment, FsLaunches, ensure_copy},
        records::FsRecords,
        store::{self, Lock, LockError},
        tmux::{Tmux, TmuxPlace},
    },
    domain::row::{Row, Status},
    ports::store::StoreError,
    supervisor::{World, queue::Queue},
};

/// An opened home: everything but the queue, which needs the lock.
#[derive(Clone)]
pub struct App {
    /// Where things are.
    pub home: Home,
    /// The world behind the ports.
    pub world: World,
    /// Git, for what only the front doors need.
    pub git: Arc<Git>,
    /// tmux, for what only the front doors need.
    pub tmux: Arc<Tmux>,
    /// Profiles.
    pub profiles: Arc<LayeredProfiles>,
    /// Held while tickets are accepted, and while something is taken away that a ticket to come could need.
    pub accepting: Arc<tokio::sync::Mutex<()>>,
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        Self::new(error.to_string()).hint(error.hint)
    }
}

/// The home's folder: `--home`, else `AUTODO_HOME`, else `~/.claude/autodo`.
///
/// # Errors
/// None of them is set.
pub fn home_folder(flag: Option<PathBuf>) -> Result<PathBuf, AppError> {
    flag.or_else(chosen).ok_or_else(|| {
        AppError::usage("cannot tell where autodo's home is: neither AUTODO_HOME nor HOME is set")
            .hint("set AUTODO_HOME to a folder of yours")
    })
}

impl App {
    /// Opens the home at `folder`, making it where it is not there.
    ///
    /// # Errors
    /// The folder cannot be made or used.
    pub fn open(folder: &std::path::Path) -> Result<Self, AppError> {
        let home = Home::open(folder).map_err(|e| {
            AppError::new(e.to_string()).hint("AUTODO_HOME must be a folder that you own and can write to")
        })?;
        let program = ensure_copy(&home.bin_dir())
            .map_err(|e| AppError::new(e.to_string()).hint("free space on that disk, or mend its permissions"))?;
        let git = Arc::new(Git::new().of_home(home.root()));
        let tmux = Arc::new(Tmux::new(TmuxPlace::in_folder(home.runtime())));
        let profiles = Arc::new(LayeredProfiles::new(home.root()));
        let world = World {
            terminal: tmux.clone(),
            worktrees: git.clone(),
            launches: Arc::new(FsLaunches::new(&program, Environment::of_this_process(), home.root())),
            outbox: Arc::new(FsOutbox { home: home.clone() }),
            records: Arc::new(FsRecords),
            files: Arc::new(HomeFiles::new(home.clone(), program)),
            profiles: profiles.clone(),
            clock: Arc::new(SystemClock),
            point: crash::point,
        };
        Ok(Self { home, world, git, tmux, profiles, accepting: Arc::default() })
    }

    /// Takes the lock, waiting for it as long as `wait`.
    ///
    /// # Errors
    /// Somebody else holds it, or the file system has no locks.
    pub fn lock(&self, wait: Duration) -> Result<Lock, AppError> {
        Lock::acquire(&self.home, wait).map_err(|error| {
            let exit = if matches!(error, LockError::Held { .. }) { Exit::Locked } else { Exit::Error };
            let hint = match exit {
                Exit::Locked => "try again; if it does not pass, look at that process",
                _ => "put AUTODO_HOME on a local disk",
            };
            AppError::new(error.to_string()).exit(exit).hint(hint)
        })
    }

    /// Loads the queue, repairing what a crash left. Returns it with what should be said to the user.
    ///
    /// # Errors
    /// The books cannot be read: nothing was changed.
    pub fn queue(&self, lock: &Lock) -> Result<(Queue, Vec<String>), AppError> {
        let (books, loaded) = store::open(&self.home, lock)?;
        let mut queue = Queue::new(Box::new(books), self.world.clone());
        for id in loaded.unprojected {
            queue.write_review(&id);
        }
        Ok((queue, loaded.notices))
    }

    /// Who the user is, for the records.
    #[must_use]
    pub fn user(&self) -> String {
        env::user_name()
    }

    /// True for a queued ticket that is never started where nobody is there.
    #[must_use]
    pub fn wants_a_person(&self, row: &Row) -> bool {
        let is_queued = matches!(row.status, Status::Queued { .. });
        is_queued && self.world.files.accepted(&row.id).is_ok_and(|(ticket, _)| !ticket.unattended)
    }
}
