//! Test support: a tmux server of its own for each test, and programs that record what they are sent.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use autodo::{
    adapters::tmux::{Tmux, TmuxPlace},
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
        screen::Screen,
    },
    ports::terminal::{Guard, Key, KeySent, PaneSeen, SessionSpec, SessionTag, Terminal as _, TerminalError},
};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::wait_for;

/// Size of every pane of these tests.
pub const SIZE: (u16, u16) = (100, 30);

/// A folder with a short path, and a tmux server in it that ends with the test.
pub struct Bed {
    /// The folder.
    pub dir: TempDir,
    /// The terminal under test.
    pub tmux: Arc<Tmux>,
    runtime: Runtime,
}

/// A tag.
pub fn tag(ticket: &str, run: u32, launch: u32) -> SessionTag {
    SessionTag { ticket: TicketId::parse(ticket).unwrap(), run, launch }
}

/// A session that runs `argv`.
pub fn spec(tag: SessionTag, argv: &[&str]) -> SessionSpec {
    SessionSpec { tag, argv: argv.iter().map(|word| (*word).to_owned()).collect(), size: SIZE }
}

impl Bed {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// A bed whose place is changed by `change` before use.
    pub fn with(change: impl FnOnce(&mut TmuxPlace)) -> Self {
        let dir = tempfile::Builder::new().prefix("ad").tempdir().unwrap();
        let tmux = Arc::new(Tmux::new(Self::place(dir.path(), change)));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Self { dir, tmux, runtime }
    }

    fn place(dir: &Path, change: impl FnOnce(&mut TmuxPlace)) -> TmuxPlace {
        let mut place = TmuxPlace::in_folder(dir);
        // A machine this busy may be slow; the tests of the limit set their own.
        place.limit = Duration::from_secs(20);
        change(&mut place);
        place
    }

    /// A second terminal on the same server, as another process would have it.
    pub fn other(&self, change: impl FnOnce(&mut TmuxPlace)) -> Arc<Tmux> {
        Arc::new(Tmux::new(Self::place(self.dir.path(), change)))
    }

    /// A script that stands for the tmux program.
    pub fn script(&self, name: &str, body: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub fn block<F: Future>(&self, work: F) -> F::Output {
        self.runtime.block_on(work)
    }

    /// tmux by hand, on the first server of this bed.
    pub fn by_hand(&self, arguments: &[&str]) -> Output {
        self.by_hand_on(&self.tmux.place().socket, arguments)
    }

    /// tmux by hand, on the server of `socket`.
    pub fn by_hand_on(&self, socket: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.env_remove("TMUX").arg("-N").arg("-u").arg("-S").arg(socket).args(arguments);
        command.output().unwrap()
    }

    /// What tmux by hand prints.
    pub fn says(&self, arguments: &[&str]) -> String {
        let output = self.by_hand(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    pub fn try_open(&self, spec: SessionSpec) -> Result<PaneId, TerminalError> {
        self.block(self.tmux.open(spec))
    }

    pub fn open(&self, ticket: &str, argv: &[&str]) -> PaneId {
        self.try_open(spec(tag(ticket, 1, 1), argv)).unwrap()
    }

    pub fn panes(&self) -> Vec<PaneSeen> {
        match self.block(self.tmux.panes()) {
            Observed::Present(panes) => panes.to_vec(),
            other => panic!("no look at the panes: {other:?}"),
        }
    }

    pub fn seen(&self, pane: &PaneId) -> PaneSeen {
        self.panes().into_iter().find(|seen| seen.pane == *pane).unwrap()
    }

    pub fn screen(&self, pane: &PaneId) -> Screen {
        match self.block(self.tmux.screens(vec![pane.clone()])) {
            Observed::Present(mut screens) => match screens.remove(0).1 {
                Observed::Present(screen) => screen,
                other => panic!("no screen of {pane}: {other:?}"),
            },
            other => panic!("no look at {pane}: {other:?}"),
        }
    }

    pub fn wait_for_text(&self, pane: &PaneId, text: &str) {
        wait_for(
            text,
            || self.screen(pane).rows.iter().any(|row| row.contains(text)).then_some(()),
            || self.screen(pane).text(),
        );
    }

    pub fn paste(&self, pane: &PaneId, text: &str) -> Result<(), TerminalError> {
        self.block(self.tmux.paste(pane.clone(), text.to_owned()))
    }

    pub fn key(&self, pane: &PaneId, key: Key, guard: Guard) -> Result<KeySent, TerminalError> {
        self.block(self.tmux.key(pane.clone(), key, guard))
    }

    /// A program that takes bracketed pastes and writes every byte it receives into a file; it is ready on return.
    pub fn recorder(&self, ticket: &str) -> Recorder {
        self.recorder_that("printf '\\033[?2004hREADY'", ticket)
    }

    /// A recorder that first runs `intro`, which must end by showing `READY`.
    pub fn recorder_that(&self, intro: &str, ticket: &str) -> Recorder {
        let file = self.dir.path().join(format!("{ticket}.bytes"));
        let program = format!("stty raw -echo; {intro}; exec cat >\"$1\"");
        let pane = self.open(ticket, &["sh", "-c", &program, "recorder", file.to_str().unwrap()]);
        self.wait_for_text(&pane, "READY");
        // The file is made by the shell just before `cat` runs.
        wait_for("the recorder", || file.exists().then_some(()), String::new);
        Recorder { pane, file }
    }

    pub fn end_server(&self) {
        assert!(self.by_hand(&["kill-server"]).status.success());
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for entry in fs::read_dir(self.dir.path()).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|kind| kind == "sock") {
                self.by_hand_on(&entry.path(), &["kill-server"]);
            }
        }
    }
}

/// A recording program.
pub struct Recorder {
    pub pane: PaneId,
    file: PathBuf,
}

impl Recorder {
    pub fn bytes(&self) -> Vec<u8> {
        fs::read(&self.file).unwrap()
    }

    /// Waits until the bytes end in `end`, and returns them all.
    pub fn wait_for_end(&self, end: &[u8]) -> Vec<u8> {
        let shown = || {
            format!("{} bytes, the last: {:?}", self.bytes().len(), {
                let bytes = self.bytes();
                String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(80)..]).into_owned()
            })
        };
        wait_for("the bytes", || Some(self.bytes()).filter(|bytes| bytes.ends_with(end)), shown)
    }
}

/// What a program sees of one bracketed paste.
pub fn bracketed(text: &str) -> Vec<u8> {
    format!("\u{1b}[200~{text}\u{1b}[201~").into_bytes()
}
