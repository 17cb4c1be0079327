//! The launch wrapper, `autodo launch <folder>`: starts a program once, waits for it, and leaves its end on disk.
//!
//! Order of acts: block signals → `started.json`, exclusive and synced → take the environment → change directory → fork
//! → wait (`wait.rs`) → end what must not live on → `exit.json`, synced → wake the supervisor → exit. From
//! `started.json` on, `exit.json` follows in every case in which the wrapper itself is not killed with SIGKILL.
//!
//! What the program leaves behind: with a terminal it lives on, and is found by its environment; with `output` (a check)
//! everything that still runs is ended before `exit.json`, so that two checks never run in one tree. A program that was
//! asked to end takes its process group with it in both cases.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::Child,
    time::Duration,
};

use nix::{
    sys::signal::Signal,
    unistd::{Pid, getpgrp, getpid},
};

use super::{
    child, ending,
    environment::{self, Environment},
    files, table,
    wait::{self, Ended},
    waiting,
};
use crate::{
    adapters::wake,
    domain::check::CommandEnd,
    ports::launches::{Exited, LaunchError, LaunchSpec, Started},
};

/// The hidden verb.
pub const VERB: &str = "launch";
/// Exit code where the launch has started already (EX_TEMPFAIL of sysexits.h).
pub const ALREADY_STARTED: i32 = 75;
/// Exit code where the time limit ended the program, as of `timeout` (GNU coreutils 9).
pub const TIMED_OUT: i32 = 124;
/// Exit code where the program could not be started or watched.
pub const NOT_STARTED: i32 = 125;

/// How long what a check left behind has between SIGTERM and SIGKILL.
const LEFTOVER_GRACE: Duration = Duration::from_secs(2);

/// Why the program was not started.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Launch(#[from] LaunchError),
    #[error("cannot change into the directory {}: {why}", path.display())]
    Directory { path: PathBuf, why: std::io::Error },
    #[error("cannot start {program}: {why}")]
    Program { program: String, why: std::io::Error },
    #[error("cannot set up the launch wrapper: {0}")]
    Wrapper(#[from] std::io::Error),
    #[error("{0}")]
    Table(String),
}

/// Runs the launch in `folder`. Returns the exit code of this process: the program's, 128 + its signal, or one of the
/// constants above.
#[must_use]
pub fn main(folder: &Path) -> i32 {
    match begin(folder) {
        Ok(Some(folder)) => carry_out(&folder),
        Ok(None) => {
            say(&format!("the launch in {} has started already; it is not started again", folder.display()));
            ALREADY_STARTED
        }
        Err(e) => {
            say(&e.to_string());
            NOT_STARTED
        }
    }
}

/// Claims the launch. `None`: it was claimed before.
fn begin(folder: &Path) -> Result<Option<PathBuf>, StartError> {
    wait::block_signals()?;
    child::keep_files_from_children()?;
    let folder = files::absolute(folder)?;
    let order = folder.join(files::LAUNCH);
    // A folder without an order was never prepared: it must not count as started.
    std::fs::metadata(&order).map_err(|e| files::failed("read", &order, &e))?;
    let started = folder.join(files::STARTED);
    Ok(files::create_once(&started, &this_wrapper()?)?.then_some(folder))
}

fn this_wrapper() -> Result<Started, StartError> {
    let pid = getpid().as_raw();
    let start_time = table::start_time(pid)
        .present()
        .ok_or_else(|| StartError::Table(format!("cannot read the start time of process {pid}")))?;
    let boot_id = table::boot_id().map_err(StartError::Table)?;
    Ok(Started { version: files::VERSION, pid, start_time, boot_id, at: jiff::Timestamp::now() })
}

/// The launch is claimed: whatever happens now ends in `exit.json`.
fn carry_out(folder: &Path) -> i32 {
    let spec = read_order(folder);
    let ended = match spec.as_ref().map_err(ToString::to_string).and_then(|spec| {
        let run = start(folder, spec).map_err(|e| e.to_string());
        run.map(|(program, terminal)| watch(folder, program, spec, terminal))
    }) {
        Ok(ended) => ended,
        Err(why) => {
            tell(spec.as_ref().ok(), &why);
            Ended { end: CommandEnd::Unknown { why }, by_autodo: false }
        }
    };
    if let Err(e) = environment::discard(folder) {
        say(&e.to_string());
    }
    let code = exit_code(&ended.end);
    let exited =
        Exited { version: files::VERSION, end: ended.end, at: jiff::Timestamp::now(), by_autodo: ended.by_autodo };
    if let Err(e) = files::write_whole(&folder.join(files::EXIT), &exited) {
        say(&e.to_string());
    }
    if let Some(socket) = spec.ok().and_then(|spec| spec.wake) {
        wake::wake(&socket);
    }
    code
}

fn read_order(folder: &Path) -> Result<LaunchSpec, LaunchError> {
    let path = folder.join(files::LAUNCH);
    let bytes = std::fs::read(&path).map_err(|e| files::failed("read", &path, &e))?;
    files::parse(&path, &bytes)
}

/// Starts the program. The second value: it has the terminal.
fn start(folder: &Path, spec: &LaunchSpec) -> Result<(Child, bool), StartError> {
    files::sync_folder_of(&folder.join(files::STARTED))?;
    let terminal = spec.output.is_none() && child::has_terminal();
    let pane = spec.output.is_none().then(Environment::of_this_process);
    let environment = Environment::take(folder)?.for_launch(folder, spec, pane.as_ref());
    environment.require(&spec.require)?;
    let output = spec.output.as_deref().map(open_output).transpose()?;
    std::env::set_current_dir(&spec.cwd).map_err(|why| StartError::Directory { path: spec.cwd.clone(), why })?;
    // Orphans of the program come to this process instead of to process 1, and stay its descendants.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true).map_err(std::io::Error::from)?;
    let program = child::spawn(&spec.argv, &environment, output, terminal).map_err(|why| {
        let program = spec.argv.first().cloned().unwrap_or_default();
        StartError::Program { program, why }
    })?;
    // Ignored: it only keeps the worktree's directory from being held by this process.
    std::env::set_current_dir("/").ok();
    Ok((program, terminal))
}

fn open_output(path: &Path) -> Result<File, LaunchError> {
    OpenOptions::new().append(true).create(true).open(path).map_err(|e| files::failed("write", path, &e))
}

fn watch(folder: &Path, mut program: Child, spec: &LaunchSpec, terminal: bool) -> Ended {
    let ended = wait::wait(&mut program, spec.limit_s, &|| waiting::waited(folder), terminal);
    let group = program.id().cast_signed();
    let leftovers = if spec.output.is_some() {
        ending::end(|| table::descendants_of(getpid().as_raw(), Some(group)), LEFTOVER_GRACE)
    } else if ended.by_autodo {
        ending::end(|| table::group(group), LEFTOVER_GRACE)
    } else {
        Ok(())
    };
    if let Err(e) = leftovers {
        if let LaunchError::File { .. } = e {
            // The process table cannot be read: the program's group at least is known.
            wait::send(Pid::from_raw(group), Signal::SIGKILL);
        }
        tell(Some(spec), &e.to_string());
    }
    if terminal {
        // Ignored: the terminal may be gone, and this process is about to end.
        child::take_terminal(getpgrp()).ok();
    }
    ended
}

fn exit_code(end: &CommandEnd) -> i32 {
    match end {
        CommandEnd::Exited { code } => *code,
        CommandEnd::Signalled { signal } => 128 + signal,
        CommandEnd::TimedOut { .. } => TIMED_OUT,
        CommandEnd::Unknown { .. } => NOT_STARTED,
    }
}

/// Says it where a person will look: in the launch's output, else on the terminal.
fn tell(spec: Option<&LaunchSpec>, what: &str) {
    let output = spec.and_then(|spec| spec.output.as_ref());
    match output.map(|path| open_output(path)) {
        Some(Ok(mut file)) => {
            // Ignored: the reason is in exit.json as well.
            writeln!(file, "autodo: {what}").ok();
        }
        Some(Err(_)) | None => say(what),
    }
}

fn say(what: &str) {
    // Ignored: there is nobody else to tell.
    writeln!(std::io::stderr(), "autodo: {what}").ok();
}
