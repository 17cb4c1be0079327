//! Programs that are given something to read, and whose output counts byte for byte: `crontab`, `systemctl`.

use std::{
    io::{Read, Seek, SeekFrom, Write},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

/// What a program printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// It exited with 0.
    pub is_ok: bool,
    /// Its standard output, as it is.
    pub out: Vec<u8>,
    /// Its standard error, trimmed.
    pub err: String,
}

impl Fed {
    /// Standard output as a text, trimmed.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.out).trim().to_owned()
    }

    /// What it said of a failure: its standard error, else its output.
    #[must_use]
    pub fn said(&self) -> String {
        if self.err.is_empty() { self.text() } else { self.err.clone() }
    }
}

/// Runs `argv` with `input` on its standard input, in English, for at most `limit`.
///
/// # Errors
/// It cannot be started, or took too long: in words.
///
/// # Cancel safety
/// A dropped call kills the program.
pub async fn feed(argv: &[&str], input: &[u8], limit: Duration) -> Result<Fed, String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("no program is named".to_owned()) };
    let failed = |e: std::io::Error| format!("cannot run {program}: {e}");
    let files = || -> std::io::Result<[std::fs::File; 3]> {
        let mut given = tempfile::tempfile()?;
        given.write_all(input)?;
        given.seek(SeekFrom::Start(0))?;
        Ok([given, tempfile::tempfile()?, tempfile::tempfile()?])
    };
    let [given, mut out, mut err] = files().map_err(failed)?;
    let mut command = Command::new(program);
    // What some of them say of a thing that is not there is known by its words.
    command.args(arguments).env("LC_ALL", "C").stdin(Stdio::from(given)).kill_on_drop(true);
    command.stdout(out.try_clone().map_err(failed)?).stderr(err.try_clone().map_err(failed)?);
    let mut child = command.spawn().map_err(failed)?;
    let status = match tokio::time::timeout(limit, child.wait()).await {
        Ok(status) => status.map_err(failed)?,
        Err(_elapsed) => return Err(format!("{} did not end within {} s", argv.join(" "), limit.as_secs())),
    };
    let read = |file: &mut std::fs::File| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let (out, err) = (read(&mut out).map_err(failed)?, read(&mut err).map_err(failed)?);
    Ok(Fed { is_ok: status.success(), out, err: String::from_utf8_lossy(&err).trim().to_owned() })
}
