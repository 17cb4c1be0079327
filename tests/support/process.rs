//! Test support: launches of real programs in a private folder, and what is left of them.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use autodo::{
    adapters::process::{Environment, FsLaunches, table},
    domain::{
        check::CommandEnd,
        id::{RunId, TicketId},
        observed::Observed,
    },
    ports::launches::{Exited, LaunchError, LaunchSeen, LaunchSpec, Launches},
};

use super::wait_for;

/// The real program.
pub const AUTODO: &str = env!("CARGO_BIN_EXE_autodo");

/// A folder, a run of its own, and launches in it. What is left of the run is ended when it is dropped.
pub struct World {
    /// Everything lies in it.
    pub dir: tempfile::TempDir,
    /// A run that no other test has.
    pub run: RunId,
    /// The launches under test.
    pub launches: FsLaunches,
}

impl World {
    /// A world whose starter has PATH and HOME.
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A world whose starter has more variables.
    pub fn with(variables: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let ticket = format!("p{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let dir = tempfile::tempdir().unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let starter: Environment = [("PATH".into(), path), ("HOME".into(), dir.path().into())]
            .into_iter()
            .chain(variables.iter().map(|(n, v)| ((*n).into(), (*v).into())))
            .collect();
        let run = RunId { ticket: TicketId::parse(&ticket).unwrap(), number: 1 };
        Self { launches: FsLaunches::new(Path::new(AUTODO), starter, dir.path()), dir, run }
    }

    /// A path in the world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Text of a file in the world; empty while it is not there.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// An order that runs `script` with `sh`, its output in `log`.
    pub fn spec(&self, script: &str) -> LaunchSpec {
        LaunchSpec {
            version: 1,
            run: self.run.to_string(),
            argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: self.dir.path().to_owned(),
            env: [].into(),
            unset: vec![],
            require: vec![],
            output: Some(self.path("log")),
            limit_s: 0,
            wake: None,
        }
    }

    /// Prepares a launch in the folder `name`.
    pub fn prepare(&self, name: &str, spec: &LaunchSpec) -> Result<Vec<String>, LaunchError> {
        block_on(self.launches.prepare(self.path(name), spec.clone()))
    }

    /// Prepares a launch in the folder `name`, and starts its wrapper as a child of this process.
    pub fn start(&self, name: &str, spec: &LaunchSpec) -> Child {
        let argv = self.prepare(name, spec).unwrap();
        wrapper(&argv)
    }

    /// The same, and waits for the wrapper. Returns its exit code and what it left.
    pub fn finish(&self, name: &str, spec: &LaunchSpec) -> (Option<i32>, Exited) {
        let code = self.start(name, spec).wait().unwrap().code();
        (code, self.exited(name))
    }

    /// What is known of the launch `name`, which must be there.
    pub fn look(&self, name: &str) -> LaunchSeen {
        match self.launches.look(self.path(name)) {
            Observed::Present(seen) => seen,
            other => panic!("the launch {name} is {other:?}"),
        }
    }

    /// The end of the launch `name`, which must have ended.
    pub fn exited(&self, name: &str) -> Exited {
        self.look(name).exited.unwrap_or_else(|| panic!("no exit.json in {name}; log: {}", self.text("log")))
    }

    /// Runs a check in the folder `name`.
    pub fn check(&self, name: &str, spec: &LaunchSpec) -> (CommandEnd, u64) {
        block_on(self.launches.run(self.path(name), spec.clone())).unwrap()
    }

    /// Ends the whole run.
    pub fn end_all(&self, grace_ms: u64) -> Result<(), LaunchError> {
        block_on(self.launches.end_all(self.run.clone(), grace_ms))
    }

    /// Waits until a file of the world holds a line, and returns it without the line's end.
    pub fn line(&self, name: &str) -> String {
        let look = || self.text(name).split_once('\n').map(|(line, _)| line.to_owned());
        wait_for(name, look, || format!("log: {}", self.text("log")))
    }

    /// The process whose pid a program writes into a file of the world: its pid and start time.
    pub fn process(&self, name: &str) -> (i32, u64) {
        let pid = self.line(name).trim().parse().unwrap();
        (pid, table::start_time(pid).present().expect("it lives"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // Ignored: a test that leaves something behind has failed already, or says so itself.
        self.end_all(0).ok();
    }
}

/// Starts a wrapper as tmux would: with an environment of its own, and nobody at the other end.
pub fn wrapper(argv: &[String]) -> Child {
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).env_clear().env("OF_THE_SERVER", "1").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal to a child.
pub fn signal(child: &Child, signal: nix::sys::signal::Signal) {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().cast_signed()), signal).unwrap();
}

/// True while this very process lives.
pub fn lives((pid, started): (i32, u64)) -> bool {
    table::start_time(pid) == Observed::Present(started)
}

/// Runs a future on a small runtime.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
