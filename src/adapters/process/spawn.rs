//! Programs that autodo starts for a person: in the background, or in the person's own terminal.

use std::{
    ffi::OsString,
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, Stdio},
};

use crate::adapters::env;

/// Starts this program with `arguments` in a session of its own, with its output appended to `log`. Returns its
/// process id.
///
/// # Errors
/// The log cannot be opened, or the program cannot be started.
pub fn spawn_detached(arguments: &[OsString], log: &Path) -> io::Result<u32> {
    let out = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
    let mut command = Command::new(env::current_exe()?);
    command.args(arguments).current_dir("/").stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
    new_session(&mut command);
    Ok(command.spawn()?.id())
}

#[expect(unsafe_code, reason = "setsid between fork and exec: it is async-signal-safe, and allocates nothing")]
fn new_session(command: &mut Command) {
    // SAFETY: the closure calls only setsid(2).
    unsafe {
        command.pre_exec(|| nix::unistd::setsid().map(|_| ()).map_err(io::Error::from));
    }
}

/// Runs `argv` in this terminal and waits for its end; returns its exit code, 1 where a signal ended it. Where it is
/// not run `inside_tmux`, it is not told of a tmux around it; where it is, it must know which one.
///
/// # Errors
/// It cannot be started.
pub fn run_attached(argv: &[String], inside_tmux: bool) -> io::Result<i32> {
    let (program, arguments) = argv.split_first().ok_or_else(|| io::Error::other("there is no program to run"))?;
    let mut command = Command::new(program);
    command.args(arguments);
    if !inside_tmux {
        command.env_remove("TMUX").env_remove("TMUX_PANE");
    }
    let status = command.status()?;
    Ok(status.code().unwrap_or(1))
}

/// Becomes `argv`, found on the PATH, in `folder` where one is named, with `variables` on top of this environment: same
/// process, same standard streams, no signal blocked. Returns only where that fails.
#[must_use]
pub fn become_program(argv: &[OsString], folder: Option<&Path>, variables: &[(&str, String)]) -> io::Error {
    let Some((program, arguments)) = argv.split_first() else { return io::Error::other("there is no program to run") };
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().map(|(name, value)| (name, value)));
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command.exec()
}
