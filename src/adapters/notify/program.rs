//! Other programs that are given something to read, within a time limit.

use std::{
    io::{Read, Seek, SeekFrom},
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{io::AsyncWriteExt as _, process::Command};

/// Most bytes of an answer that are read.
const LONGEST: u64 = 64 * 1024;

/// What a program said.
pub(super) struct Said {
    /// It exited with 0.
    pub is_ok: bool,
    /// Its standard output.
    pub out: String,
    /// Its error output.
    pub err: String,
}

/// Runs `argv` in `/` with `input` on its standard input and `fields` added to its environment.
///
/// # Errors
/// It cannot be started, or took too long: in words, without its arguments.
///
/// # Cancel safety
/// A dropped call kills the program.
pub(super) async fn run(
    argv: &[&str],
    fields: &[(&str, String)],
    input: &str,
    limit: Duration,
) -> Result<Said, String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("no program is named".to_owned()) };
    let failed = |e: std::io::Error| format!("cannot run {program}: {e}");
    // Files and not pipes: a child that it leaves behind must not keep us waiting.
    let (mut out, mut err) = (tempfile::tempfile().map_err(failed)?, tempfile::tempfile().map_err(failed)?);
    let mut command = Command::new(program);
    command.args(arguments).current_dir("/").kill_on_drop(true).process_group(0).stdin(Stdio::piped());
    command.envs(fields.iter().map(|(name, value)| (*name, value.replace('\0', " "))));
    command.stdout(out.try_clone().map_err(failed)?).stderr(err.try_clone().map_err(failed)?);
    let mut child = command.spawn().map_err(failed)?;
    let pipe = child.stdin.take();
    let talk = async {
        if let Some(mut pipe) = pipe {
            // Ignored: a program may end without reading what it is given.
            pipe.write_all(input.as_bytes()).await.ok();
        }
        child.wait().await
    };
    let status = match tokio::time::timeout(limit, talk).await {
        Ok(status) => status.map_err(failed)?,
        Err(_elapsed) => {
            if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
                // Ignored: it ended by itself meanwhile.
                killpg(Pid::from_raw(pid), Signal::SIGKILL).ok();
            }
            return Err(format!("{program} did not end within {} s", limit.as_secs()));
        }
    };
    let text = |file: &mut std::fs::File| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.take(LONGEST).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Said { is_ok: status.success(), out: text(&mut out).map_err(failed)?, err: text(&mut err).map_err(failed)? })
}
