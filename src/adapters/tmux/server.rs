//! The server: its configuration, its start, and a socket that somebody deleted.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tmux_interface::NewSession;

use super::{
    client::{Answer, Client},
    command::Cmd,
    error::{Fault, fault},
    place::TmuxPlace,
};
use crate::{
    domain::observed::Observed,
    format::tmux::{OLDEST, Version},
    ports::terminal::TerminalError,
};

/// The session that keeps company to a server without tickets.
pub(super) const ANCHOR: &str = "_autodo";
/// How often a start is tried: one that meets the end of an older server is refused.
const STARTS: u32 = 20;
/// Between two tries, and between two looks for a socket.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// autodo's configuration. `-q` keeps options that an older or newer tmux lacks from being errors, which tmux would
/// show in the first pane that is attached. Never `window-size manual` in here: tmux 3.3 to 3.6b crash at the next
/// new session. No hook runs anything: one that captures crashes 3.3a. The status line is for whoever attaches; it is on
/// from the start, since turning it on or off would resize the panes.
const CONF: &str = "\
# Written by autodo at each start of its tmux server; changes are lost.
set -sq exit-empty off
set -sq exit-unattached off
set -sq escape-time 10
set -sq extended-keys off
set -sq set-clipboard off
set -gq status on
set -gq status-interval 0
set -gq status-left ' #{q/h:@autodo_badge}'
set -gq status-left-length 160
set -gq status-right '#{session_name}, F12 leaves '
set -gq status-right-length 80
set -gq window-status-format ''
set -gq window-status-current-format ''
set -gq automatic-rename off
set -gq allow-rename off
set -gq set-titles off
set -gq history-limit 5000
set -gq default-size 220x50
set -gq default-shell /bin/sh
set -gq default-command ''
set -gq default-terminal tmux-256color
set -gq remain-on-exit on
set -gq remain-on-exit-format ''
set -gq destroy-unattached off
set -gq detach-on-destroy on
set -gq update-environment ''
set -gq allow-passthrough off
bind-key -n F12 detach-client
";

/// Starts the server; one that runs already is left as it is.
///
/// # Errors
/// `Unusable` if there is no tmux, it is too old, or its socket cannot be where it is to be; `NoServer` if it was
/// tried [`STARTS`] times in vain.
pub(super) async fn start(client: &Client) -> Result<(), TerminalError> {
    check_version(client).await?;
    let place = client.place();
    prepare(place)?;
    let anchor = NewSession::new().detached().session_name(ANCHOR).width(220).height(50).build();
    // Two words: tmux runs them as they are, without a shell. The longest time that every `sleep` takes.
    let anchor = Cmd::of(&anchor).args(["--", "sleep", "2147483647"].map(str::to_owned));
    let mut last = String::new();
    for _ in 0..STARTS {
        let answer = client.run_starting(std::slice::from_ref(&anchor)).await?;
        if answer.is_ok {
            tracing::info!(socket = %place.socket.display(), "tmux server started");
            return Ok(());
        }
        match fault(&answer.stderr) {
            // Somebody else was faster.
            Fault::Duplicate => return Ok(()),
            // An older server is just ending.
            Fault::NoServer(text) => last = text,
            other => return Err(other.into()),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(TerminalError::NoServer(format!("it was started {STARTS} times in vain: {last}")))
}

/// What `tmux -V` says; `Absent`: there is no tmux.
pub(super) async fn version(client: &Client) -> Observed<Version> {
    let answer = match client.run_version().await {
        Ok(answer) => answer,
        Err(TerminalError::Unusable(_)) => return Observed::Absent,
        Err(why) => return Observed::Unknown(why.to_string()),
    };
    if !answer.is_ok {
        return Observed::Unknown(format!("tmux -V failed: {}", answer.stderr.trim()));
    }
    match Version::parse(&String::from_utf8_lossy(&answer.stdout)) {
        Ok(version) => Observed::Present(version),
        Err(why) => Observed::Unknown(why.to_string()),
    }
}

async fn check_version(client: &Client) -> Result<(), TerminalError> {
    let program = client.place().program.display();
    match version(client).await {
        Observed::Present(version) if version.is_usable() => Ok(()),
        Observed::Present(version) => {
            let (major, minor) = OLDEST;
            let text = version.text;
            Err(TerminalError::Unusable(format!("tmux {text} is too old: autodo needs {major}.{minor} or newer")))
        }
        Observed::Absent => Err(TerminalError::Unusable(format!("tmux is not installed: no {program} can be run"))),
        Observed::Unknown(why) => Err(TerminalError::Other(why)),
    }
}

/// Makes the socket's folder and writes the configuration.
fn prepare(place: &TmuxPlace) -> Result<(), TerminalError> {
    let failed =
        |what: &Path, why: io::Error| TerminalError::Unusable(format!("cannot write {}: {why}", what.display()));
    for file in [&place.socket, &place.conf] {
        if let Some(folder) = file.parent() {
            make_private(folder).map_err(|why| failed(folder, why))?;
        }
    }
    write_aside(&place.conf, CONF.as_bytes()).map_err(|why| failed(&place.conf, why))
}

/// tmux trusts whoever can open its socket, so its folder is the user's alone. One that exists is not changed.
fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Two starters write the same bytes; a reader sees all of them or none.
fn write_aside(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = file.parent().unwrap_or_else(|| Path::new("/"));
    let mut aside = tempfile::NamedTempFile::new_in(folder)?;
    aside.write_all(bytes)?;
    aside.persist(file).map_err(|failed| failed.error)?;
    Ok(())
}

/// Beside the socket: pid and start time of the server, so that it is found again if the socket is deleted.
fn note_path(place: &TmuxPlace) -> PathBuf {
    let mut name = place.socket.clone().into_os_string();
    name.push(".server");
    PathBuf::from(name)
}

/// Remembers the server that answered.
pub(super) fn note(place: &TmuxPlace, pid: i32) {
    let Some(birth) = birth_of(pid) else { return };
    let line = format!("{pid} {birth}\n");
    if fs::read_to_string(note_path(place)).is_ok_and(|noted| noted == line) {
        return;
    }
    if let Err(why) = write_aside(&note_path(place), line.as_bytes()) {
        tracing::warn!(%why, "cannot note the tmux server's pid: it cannot be found again if its socket is deleted");
    }
}

/// False if there is certainly no server at `place`: neither a socket nor the note of a server that lost it.
pub(super) fn may_run(place: &TmuxPlace) -> bool {
    place.socket.exists() || note_path(place).exists()
}

/// Forgets the server that was at `place`: it is proven to be gone.
pub(super) fn forget(place: &TmuxPlace) {
    // Ignored: one that stays costs a look in vain, now and then.
    fs::remove_file(note_path(place)).ok();
}

/// What to do about a server that does not answer because its socket is not there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// There is none, as far as is known.
    Gone,
    /// It has made its socket again.
    Back,
    /// It lives, but cannot be reached.
    Unreachable(i32),
}

/// The process of the server that lives on although a client said that it exited; `None`: it is gone, or nothing is
/// known of it. A server of tmux 3.7 or newer drops clients of 3.5a and older, which say so: then the server is not
/// absent. One that is just ending is waited for.
pub(super) async fn dropped_by(place: &TmuxPlace, stderr: &str) -> Option<i32> {
    if !stderr.starts_with("server exited") {
        return None;
    }
    let (pid, _) = noted(place)?;
    for _ in 0..STARTS {
        tokio::time::sleep(PAUSE).await;
        noted(place)?;
    }
    Some(pid)
}

/// Process and start of the server that was noted, if it lives.
fn noted(place: &TmuxPlace) -> Option<(i32, String)> {
    // Ignored: without a note nothing is known of an older server.
    let noted = fs::read_to_string(note_path(place)).ok()?;
    let (pid, birth) = noted.trim().split_once(' ')?;
    let pid = pid.parse::<i32>().ok().filter(|pid| *pid > 1)?;
    // A number alone is no proof: it may be any other program by now.
    (birth_of(pid).as_deref() == Some(birth)).then(|| (pid, birth.to_owned()))
}

/// Looks for a server whose socket was deleted (by a cleaner of temporary files, by an agent), and has it make the
/// socket again: tmux does so on SIGUSR1, if the folder is there.
pub(super) async fn find_lost(place: &TmuxPlace) -> Lost {
    if place.socket.exists() {
        return Lost::Gone;
    }
    let Some((pid, birth)) = noted(place) else { return Lost::Gone };
    if let Some(Err(why)) = place.socket.parent().map(make_private) {
        tracing::warn!(%why, "cannot make the folder of the tmux socket again");
    }
    tracing::warn!(pid, "the tmux server lives but its socket is gone: asking it to make it again");
    // Ignored: if it cannot be reached, the wait below ends without a socket.
    kill(Pid::from_raw(pid), Signal::SIGUSR1).ok();
    for _ in 0..STARTS {
        if place.socket.exists() {
            return Lost::Back;
        }
        if birth_of(pid).as_deref() != Some(&birth) {
            return Lost::Gone;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Lost::Unreachable(pid)
}

/// Start of a living tmux server of this user, in clock ticks since boot; `None` for any other process, and where
/// there is no `/proc`.
fn birth_of(pid: i32) -> Option<String> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    // Ignored: what cannot be read is not ours to signal.
    let is_own = fs::metadata(&folder).ok()?.uid() == nix::unistd::Uid::current().as_raw();
    // Ignored: as above.
    let stat = fs::read_to_string(folder.join("stat")).ok()?;
    // The name stands in brackets and may hold anything; fields are counted behind it (proc_pid_stat(5), field 22).
    let (head, tail) = stat.rsplit_once(") ")?;
    let mut fields = tail.split(' ');
    let is_living = !matches!(fields.next()?, "Z" | "X");
    let is_tmux = head.split_once('(')?.1.starts_with("tmux");
    (is_own && is_living && is_tmux).then(|| fields.nth(18).map(str::to_owned)).flatten()
}

/// Runs `commands` in a client of their own; where there is no socket but a server that lives, it is brought back first.
pub(super) async fn run(client: &Client, commands: &[Cmd], stdin: Option<&[u8]>) -> Result<Answer, TerminalError> {
    let answer = client.run(commands, stdin).await?;
    if is_back(client, &answer).await? { client.run(commands, stdin).await } else { Ok(answer) }
}

/// As [`run`], by the control client if there is one.
pub(super) async fn ask(client: &Client, commands: &[Cmd]) -> Result<Answer, TerminalError> {
    let answer = client.ask(commands).await?;
    if is_back(client, &answer).await? { client.run(commands, None).await } else { Ok(answer) }
}

/// As [`ask`], for commands that change nothing.
pub(super) async fn look(client: &Client, commands: &[Cmd]) -> Result<Answer, TerminalError> {
    let answer = client.look(commands).await?;
    if is_back(client, &answer).await? { client.run(commands, None).await } else { Ok(answer) }
}

/// True if the client that answered never got through, for want of a socket that is there again now. Only such a client
/// may be run again.
async fn is_back(client: &Client, answer: &Answer) -> Result<bool, TerminalError> {
    if answer.is_ok || !answer.stderr.starts_with("error connecting to ") {
        return Ok(false);
    }
    match find_lost(client.place()).await {
        Lost::Gone => Ok(false),
        Lost::Back => Ok(true),
        Lost::Unreachable(pid) => {
            let socket = client.place().socket.display();
            Err(TerminalError::Other(format!("the server (pid {pid}) lives, but its socket {socket} is gone")))
        }
    }
}
