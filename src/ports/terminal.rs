//! Panes: opening, looking at, typing into and closing the sessions of autodo's own terminal server.

use std::sync::Arc;

use super::Work;
use crate::domain::{
    id::{PaneId, TicketId},
    observed::Observed,
    screen::Screen,
};

/// What identifies a session: it is tagged with it, and found again by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTag {
    /// The ticket.
    pub ticket: TicketId,
    /// Number of the run, from 1.
    pub run: u32,
    /// Number of the launch within the run, from 1.
    pub launch: u32,
}

/// A session to open.
#[derive(Clone, Debug)]
pub struct SessionSpec {
    /// Its tag; the session's name is a function of the ticket.
    pub tag: SessionTag,
    /// Program and arguments, at least two elements, run without a shell.
    pub argv: Vec<String>,
    /// Columns and rows of the pane.
    pub size: (u16, u16),
}

/// One pane, as seen in one look at all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaneSeen {
    /// Its id.
    pub pane: PaneId,
    /// Its session's name.
    pub session: String,
    /// Its session's tag; `None`: not a ticket's session.
    pub tag: Option<SessionTag>,
    /// Its program has ended.
    pub dead: bool,
    /// It is in copy mode or another mode that swallows keys.
    pub in_mode: bool,
    /// A person is attached to its session.
    pub attached: bool,
    /// Process id of the pane's program (the launch wrapper); a pane whose program has ended may have none.
    pub pid: Option<i32>,
    /// Last output, in seconds since the epoch (tmux knows no finer).
    pub activity_s: i64,
    /// Lines in the scrollback: rises with output.
    pub history: u64,
    /// Cursor column and row, from 0.
    pub cursor: (u16, u16),
    /// Columns and rows.
    pub size: (u16, u16),
    /// Title as the program set it.
    pub title: String,
}

/// A key of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Enter.
    Enter,
    /// One character, such as the digit of a dialog's option.
    Char(char),
    /// A key by tmux's name, from a fixed list: `Escape`, `Up`, `Down`, `C-c`, `C-d`, `C-u`, `BSpace`, `Tab`.
    Named(&'static str),
}

/// What must hold in the pane at the moment of the key: checked inside the terminal server, so that look and key are
/// one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// This text must be on the visible screen.
    pub shows: Option<String>,
    /// None of these may be on the visible screen.
    pub hides: Vec<String>,
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySent {
    /// It was sent.
    Yes,
    /// The guard did not hold, or the pane was dead or in a mode: nothing was sent.
    Refused,
}

/// All panes, as one look saw them.
pub type Panes = Arc<Vec<PaneSeen>>;

/// Panes, each with its visible screen.
pub type Screens = Vec<(PaneId, Observed<Screen>)>;

/// Why a terminal act failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TerminalError {
    /// The server is not there, or went away.
    #[error("the tmux server is gone: {0}")]
    NoServer(String),
    /// The pane or session is not there.
    #[error("tmux has no such pane or session: {0}")]
    NoTarget(String),
    /// A session of that name has another tag.
    #[error("the tmux session {session} belongs to another run ({tag})")]
    Taken {
        /// Its name.
        session: String,
        /// What it is tagged with.
        tag: String,
    },
    /// It took too long; whether it was done is unknown.
    #[error("tmux did not answer within {0} s")]
    Timeout(u64),
    /// The client that was asked ended or lagged before it answered; whether it was done is unknown.
    #[error("tmux's control client failed: {0}")]
    Lost(String),
    /// tmux is not installed, or too old.
    #[error("{0}")]
    Unusable(String),
    /// Anything else that tmux said.
    #[error("tmux: {0}")]
    Other(String),
}

/// Panes of autodo's own terminal server.
pub trait Terminal: Send + Sync {
    /// Opens a session, starting the server where it is not running. A session that already has this tag is returned
    /// as it is.
    fn open(&self, spec: SessionSpec) -> Work<'_, Result<PaneId, TerminalError>>;

    /// One look at all panes. A server that is not running is `Absent`; one that does not answer is `Unknown`.
    /// Who asks while one is under way shares the next.
    fn panes(&self) -> Work<'_, Observed<Panes>>;

    /// The visible screens of `panes`, in one look; a pane that is gone is `Absent`.
    fn screens(&self, panes: Vec<PaneId>) -> Work<'_, Observed<Screens>>;

    /// The last `lines` lines of scrollback and the visible screen, as text.
    fn scrollback(&self, pane: PaneId, lines: u32) -> Work<'_, Observed<String>>;

    /// Pastes `text` (already made safe) as one bracketed paste through a buffer of its own. No Enter.
    fn paste(&self, pane: PaneId, text: String) -> Work<'_, Result<(), TerminalError>>;

    /// Sends one key if `guard` holds, the pane lives and is in no mode.
    fn key(&self, pane: PaneId, key: Key, guard: Guard) -> Work<'_, Result<KeySent, TerminalError>>;

    /// Leaves copy mode, if the pane is in it.
    fn leave_mode(&self, pane: PaneId) -> Work<'_, Result<(), TerminalError>>;

    /// Closes the session with this tag. One that is gone, or belongs to another launch, is left alone and is no error.
    fn close(&self, tag: SessionTag) -> Work<'_, Result<(), TerminalError>>;
}
