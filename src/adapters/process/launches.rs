//! The port [`Launches`], on folders and wrappers.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    child, ending,
    environment::{self, Environment},
    files::{self, failed},
    table, trees, waiting, wrapper,
};
use crate::{
    domain::{check::CommandEnd, id::RunId, observed::Observed},
    ports::{
        Work,
        launches::{Exited, LaunchError, LaunchSeen, LaunchSpec, Launches, SlotWaits, Started, Trees},
    },
};

/// Between two looks at a launch that somebody else started.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a launch may be watched without seeing anything of it.
const BLIND: Duration = Duration::from_secs(10);
/// How long what a dead wrapper left behind has between SIGTERM and SIGKILL.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);

/// Launches in folders.
#[derive(Clone, Debug)]
pub struct FsLaunches {
    /// The program `autodo`: a copy that outlives upgrades, see [`super::ensure_copy`].
    program: Arc<Path>,
    /// What launches inherit.
    starter: Arc<Environment>,
    /// The folder below which all launches lie: those elsewhere belong to another home.
    home: Arc<Path>,
}

impl FsLaunches {
    /// Launches below the folder `home`, under the wrapper in `program` (absolute paths), which inherit `starter`.
    #[must_use]
    pub fn new(program: &Path, starter: Environment, home: &Path) -> Self {
        Self { program: program.into(), starter: starter.into(), home: home.into() }
    }

    fn prepare_now(&self, folder: &Path, spec: &LaunchSpec) -> Result<Vec<String>, LaunchError> {
        let folder = files::absolute(folder)?;
        let text = |path: &Path| match path.to_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(failed("hand over the path", path, "it is not UTF-8")),
        };
        let argv = vec![text(&self.program)?, wrapper::VERB.to_owned(), text(&folder)?];
        let started = folder.join(files::STARTED);
        if started.exists() {
            if let Observed::Present(LaunchSeen { alive: false, .. }) = look_at(&folder) {
                environment::discard(&folder)?;
            }
            return Ok(argv);
        }
        let environment = self.starter.for_launch(&folder, spec, None);
        environment.require(&spec.require)?;
        environment.program(spec.argv.first().map_or("", String::as_str), &spec.cwd)?;
        make_folder(&folder)?;
        if let Some(output) = spec.output.as_ref().and_then(|path| path.parent()) {
            make_folder(output)?;
        }
        self.starter.hand_over(&folder)?;
        files::write_whole(&folder.join(files::LAUNCH), spec)?;
        Ok(argv)
    }

    /// Starts the wrapper apart from this process: its end, its terminal's end and Ctrl-C do not reach it.
    fn start_wrapper(argv: &[String]) -> Result<tokio::process::Child, LaunchError> {
        let (program, arguments) = argv.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
        let mut command = Command::new(program);
        command.args(arguments).env_clear().current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        child::in_own_session(&mut command);
        // Not killed when dropped: a launch that nobody waits for is adopted by the next `run`.
        tokio::process::Command::from(command).spawn().map_err(|e| failed("start", program.as_ref(), &e))
    }

    async fn run_now(&self, folder: PathBuf, spec: LaunchSpec) -> Result<(CommandEnd, u64), LaunchError> {
        let folder = files::absolute(&folder)?;
        let own = self.clone();
        let (at, order) = (folder.clone(), spec);
        let argv = blocking(move || own.prepare_now(&at, &order)).await?;
        if !folder.join(files::STARTED).exists() {
            let mut started = Self::start_wrapper(&argv)?;
            // Its code says nothing that the folder does not say better, whoever won a race for it.
            let status = started.wait().await.map_err(|e| failed("wait for", &self.program, &e))?;
            if !folder.join(files::STARTED).exists() {
                let why = format!("the launch wrapper ended with {status} before it began");
                return Ok((CommandEnd::Unknown { why }, 0));
            }
        }
        let mut blind_since = None;
        loop {
            match look_at(&folder) {
                Observed::Present(LaunchSeen { started, exited: Some(exited), .. }) => {
                    return Ok(outcome(started.as_ref(), exited));
                }
                Observed::Present(LaunchSeen { alive: true, .. }) => blind_since = None,
                Observed::Unknown(why) => {
                    if blind_since.get_or_insert_with(Instant::now).elapsed() > BLIND {
                        return Err(failed("look at the launch in", &folder, &why));
                    }
                }
                Observed::Present(LaunchSeen { alive: false, .. }) | Observed::Absent => break,
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let at = folder.clone();
        blocking(move || ending::end(|| table::processes_of_launch(&at), LEFTOVER_GRACE)).await?;
        Ok((CommandEnd::Unknown { why: "its launch wrapper died before the end".to_owned() }, 0))
    }
}

impl Launches for FsLaunches {
    fn prepare(&self, folder: PathBuf, spec: LaunchSpec) -> Work<'_, Result<Vec<String>, LaunchError>> {
        let own = self.clone();
        Box::pin(blocking(move || own.prepare_now(&folder, &spec)))
    }

    fn withdraw(&self, folder: &Path) -> Result<(), LaunchError> {
        environment::discard(folder)
    }

    fn look(&self, folder: PathBuf) -> Observed<LaunchSeen> {
        match files::absolute(&folder) {
            Ok(folder) => look_at(&folder),
            Err(e) => Observed::Unknown(e.to_string()),
        }
    }

    fn has_ended(&self, folder: &Path) -> bool {
        folder.join(files::EXIT).exists()
    }

    fn slot_waits(&self, folder: &Path) -> SlotWaits {
        waiting::waited(folder)
    }

    fn trees(&self, folders: Vec<PathBuf>) -> Work<'_, Observed<Trees>> {
        let look = move || {
            let wrapper = |folder: &PathBuf| match look_at(folder) {
                Observed::Present(LaunchSeen { started: Some(started), alive: true, .. }) => Some(started.pid),
                _ => None,
            };
            Ok(trees::trees(&folders.iter().map(wrapper).collect::<Vec<_>>()))
        };
        Box::pin(async { blocking(look).await.unwrap_or_else(|error| Observed::Unknown(error.to_string())) })
    }

    fn run(&self, folder: PathBuf, spec: LaunchSpec) -> Work<'_, Result<(CommandEnd, u64), LaunchError>> {
        Box::pin(self.run_now(folder, spec))
    }

    fn end_all(&self, run: RunId, grace_ms: u64) -> Work<'_, Result<(), LaunchError>> {
        let (grace, home) = (Duration::from_millis(grace_ms), self.home.clone());
        Box::pin(blocking(move || ending::end(|| table::processes_of(&run, &home), grace)))
    }

    fn is_foreground(&self, pid: i32) -> Observed<bool> {
        table::is_foreground(pid)
    }
}

fn look_at(folder: &Path) -> Observed<LaunchSeen> {
    let started = match files::read::<Started>(&folder.join(files::STARTED)) {
        Observed::Present(started) => started,
        Observed::Absent => {
            return match folder.join(files::LAUNCH).try_exists() {
                Ok(true) => {
                    Observed::Present(LaunchSeen { started: None, exited: None, other_boot: false, alive: false })
                }
                Ok(false) => Observed::Absent,
                Err(e) => Observed::Unknown(failed("look at", folder, &e).to_string()),
            };
        }
        Observed::Unknown(why) => return Observed::Unknown(why),
    };
    // Alive first, the end after it: the other way round, a wrapper that ends between the looks would seem to have
    // died without a word.
    let alive = match table::alive(started.pid, started.start_time, &started.boot_id) {
        Observed::Present(alive) => alive,
        Observed::Absent => false,
        Observed::Unknown(why) => return Observed::Unknown(why),
    };
    match files::read::<Exited>(&folder.join(files::EXIT)) {
        Observed::Present(exited) => Observed::Present(LaunchSeen {
            other_boot: is_other_boot(&started),
            started: Some(started),
            exited: Some(exited),
            alive,
        }),
        Observed::Absent => Observed::Present(LaunchSeen {
            other_boot: is_other_boot(&started),
            started: Some(started),
            exited: None,
            alive,
        }),
        Observed::Unknown(why) => Observed::Unknown(why),
    }
}

/// How a check ended, and the milliseconds it took. One that autodo ended itself says nothing about the work.
fn outcome(started: Option<&Started>, exited: Exited) -> (CommandEnd, u64) {
    let took = started.map_or(0, |started| exited.at.duration_since(started.at).as_millis());
    let end = match exited.end {
        end @ (CommandEnd::TimedOut { .. } | CommandEnd::Unknown { .. }) => end,
        end @ (CommandEnd::Exited { .. } | CommandEnd::Signalled { .. }) if exited.by_autodo => {
            CommandEnd::Unknown { why: format!("it was ended by a signal to its launch wrapper ({end})") }
        }
        end @ (CommandEnd::Exited { .. } | CommandEnd::Signalled { .. }) => end,
    };
    (end, u64::try_from(took).unwrap_or(0))
}

fn make_folder(folder: &Path) -> Result<(), LaunchError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| failed("create the folder", folder, &e))
}

/// Runs blocking work beside the event loop.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LaunchError> + Send + 'static,
) -> Result<T, LaunchError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => Err(failed("carry out work for", "launches".as_ref(), &e)),
    }
}

/// True if the machine was started anew since. Where it does not say, nothing is concluded.
fn is_other_boot(started: &Started) -> bool {
    table::boot_id().is_ok_and(|now| now != started.boot_id)
}
