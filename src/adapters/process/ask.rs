//! Other programs asked a short question, such as their version; and where the PATH finds them.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::process::Command;

use crate::{adapters::env, domain::observed::Observed};

/// Most bytes of an answer that are read.
const LONGEST: u64 = 64 * 1024;

/// What a program said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// It exited with 0.
    pub is_ok: bool,
    /// Both of its outputs, at most 64 KiB, trimmed.
    pub text: String,
}

/// The file that the PATH of this process finds for `program`; one with a slash in it is looked at as it is. Absent:
/// there is none that may be run.
#[must_use]
pub fn find_program(program: &str) -> Observed<PathBuf> {
    if program.contains('/') {
        let path = PathBuf::from(program);
        return if may_run(&path) { Observed::Present(path) } else { Observed::Absent };
    }
    let Some(path) = env::var("PATH") else {
        return Observed::Unknown("PATH is not set".to_owned());
    };
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| may_run(file));
    found.map_or(Observed::Absent, Observed::Present)
}

fn may_run(path: &Path) -> bool {
    // Ignored: a file that cannot be looked at cannot be run by this name either.
    std::fs::metadata(path).is_ok_and(|seen| seen.is_file() && seen.permissions().mode() & 0o111 != 0)
}

/// Runs `argv` without input or terminal question, for at most `limit`; then it is killed with its process group.
///
/// # Errors
/// It cannot be started, or took too long: in words.
///
/// # Cancel safety
/// A dropped call kills the program.
pub async fn ask(argv: &[String], limit: Duration) -> Result<Said, String> {
    // A file and not a pipe: a child that it leaves behind must not keep us waiting.
    let output = tempfile::tempfile().map_err(|e| e.to_string())?;
    let status = run(argv, Path::new("/"), [&output, &output], limit).await?;
    let text = text_of(output, LONGEST).map_err(|e| e.to_string())?;
    Ok(Said { is_ok: status.success(), text: text.trim().to_owned() })
}

/// What a command printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// How it ended, in words; `None`: well.
    pub trouble: Option<String>,
    /// Its standard output.
    pub out: String,
    /// Its standard error; cut.
    pub err: String,
}

/// Runs a line of `sh` in `folder` as [`ask`] does, and keeps its outputs apart.
///
/// # Errors
/// It cannot be started, took too long, or printed more than `longest` bytes: in words.
///
/// # Cancel safety
/// A dropped call kills the program.
pub async fn output_of(line: &str, folder: &Path, limit: Duration, longest: u64) -> Result<Printed, String> {
    let made = || Ok::<_, io::Error>((tempfile::tempfile()?, tempfile::tempfile()?));
    let (out, err) = made().map_err(|e| e.to_string())?;
    let argv = ["sh".to_owned(), "-c".to_owned(), line.to_owned()];
    let status = run(&argv, folder, [&out, &err], limit).await?;
    if out.metadata().map_err(|e| e.to_string())?.len() > longest {
        return Err(format!("it printed more than {longest} bytes"));
    }
    let read = || Ok::<_, io::Error>((bytes_of(out, longest)?, text_of(err, LONGEST)?));
    let (out, err) = read().map_err(|e| e.to_string())?;
    let out = String::from_utf8(out).map_err(|_| "what it printed is not UTF-8".to_owned())?;
    Ok(Printed { trouble: (!status.success()).then(|| status.to_string()), out, err })
}

fn text_of(file: File, longest: u64) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&bytes_of(file, longest)?).into_owned())
}

fn bytes_of(mut file: File, longest: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(longest).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Runs `argv` to its end with its outputs in files.
async fn run(argv: &[String], folder: &Path, outputs: [&File; 2], limit: Duration) -> Result<ExitStatus, String> {
    let Some((program, arguments)) = argv.split_first() else { return Err("no program is named".to_owned()) };
    let failed = |e: io::Error| format!("cannot run {program}: {e}");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true).process_group(0);
    let [out, err] = outputs;
    command.stdout(out.try_clone().map_err(failed)?).stderr(err.try_clone().map_err(failed)?);
    let mut child = command.spawn().map_err(failed)?;
    match tokio::time::timeout(limit, child.wait()).await {
        Ok(status) => status.map_err(failed),
        Err(_elapsed) => {
            if let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()) {
                // Ignored: it ended by itself meanwhile.
                killpg(Pid::from_raw(pid), Signal::SIGKILL).ok();
            }
            Err(format!("{} did not end within {} s", argv.join(" "), limit.as_secs()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, limit: Duration) -> Result<Said, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(ask(&["sh".to_owned(), "-c".to_owned(), script.to_owned()], limit))
    }

    #[test]
    fn both_outputs_and_the_end_are_told() {
        let said = run("echo one; echo two >&2; exit 3", Duration::from_secs(20)).unwrap();
        assert_eq!(said, Said { is_ok: false, text: "one\ntwo".to_owned() });
    }

    #[test]
    fn a_program_that_hangs_or_leaves_a_child_holds_nobody() {
        let before = std::time::Instant::now();
        let why = run("sleep 600", Duration::from_millis(200)).unwrap_err();
        assert!(why.contains("did not end within"), "{why}");
        assert!(run("sleep 5 & echo gone", Duration::from_secs(20)).unwrap().is_ok);
        assert!(before.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_program_is_found_on_the_path_only_if_it_may_be_run() {
        assert!(matches!(find_program("sh"), Observed::Present(_)));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tool");
        std::fs::write(&file, "#!/bin/sh\n").unwrap();
        assert!(find_program(file.to_str().unwrap()).is_absent());
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(find_program(file.to_str().unwrap()), Observed::Present(file));
    }
}
