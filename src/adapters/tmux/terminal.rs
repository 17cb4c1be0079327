//! [`Tmux`]: the terminal port by spawned commands.

use std::sync::{Mutex, PoisonError};

use super::{capture, client::Client, input, place::TmuxPlace, pulse::Known, rows, server, session};
use crate::{
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
    },
    format::tmux::{PaneRow, ServerMark, Version},
    ports::{
        Work,
        terminal::{Guard, Key, KeySent, PaneSeen, Screens, SessionSpec, SessionTag, Terminal, TerminalError},
    },
};

/// autodo's own tmux server, by spawned commands. Needs a tokio runtime with time and I/O.
///
/// A pane id means nothing on another server, and tmux counts from `%0` again after a restart. So the server that the
/// latest look saw is remembered, and nothing is typed if another one answers.
#[derive(Debug)]
pub struct Tmux {
    client: Client,
    latest: Mutex<Option<ServerMark>>,
    known: Known,
}

impl Tmux {
    /// A server at `place`. Nothing is started or looked at yet.
    #[must_use]
    pub fn new(place: TmuxPlace) -> Self {
        Self { client: Client::new(place), latest: Mutex::new(None), known: Known::default() }
    }

    /// From now on, most commands are run by one control client: for whoever watches for a good while. It ends when it
    /// is not used for a minute, and with this process.
    pub fn hold_control(&self) {
        self.client.hold_control();
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &TmuxPlace {
        self.client.place()
    }

    /// The version of the installed tmux (`tmux -V`); `Absent`: there is none.
    pub async fn version(&self) -> Observed<Version> {
        server::version(&self.client).await
    }

    /// The server's process id; `Absent`: it is not running.
    pub async fn server_pid(&self) -> Observed<i32> {
        rows::server_pid(&self.client).await
    }

    /// Program and arguments that attach a person to the session of `ticket`. `inside` is that person's `TMUX`, if
    /// any: inside another tmux the attach runs in a new window of that one, with `TMUX` unset; inside autodo's own
    /// server the client is switched. The size of the agent's pane does not follow the person's terminal.
    #[must_use]
    pub fn attach_argv(&self, ticket: &TicketId, inside: Option<&str>) -> Vec<String> {
        session::attach_argv(self.place(), ticket, inside)
    }

    /// A command line that lists the sessions by hand.
    #[must_use]
    pub fn list_plain(&self) -> String {
        self.plain("ls")
    }

    /// A command line that attaches to the session of `ticket` by hand.
    #[must_use]
    pub fn attach_plain(&self, ticket: &TicketId) -> String {
        format!("{} -t {}", self.plain("attach"), shell_words::quote(&format!("={}", ticket.session())))
    }

    /// A command line that attaches to one of the sessions by hand; its target is to be filled in.
    #[must_use]
    pub fn attach_any_plain(&self) -> String {
        format!("{} -t NAME", self.plain("attach"))
    }

    fn plain(&self, verb: &str) -> String {
        let place = self.place();
        let (program, socket) = (place.program.to_string_lossy(), place.socket.to_string_lossy());
        format!("{} -S {} {verb}", shell_words::quote(&program), shell_words::quote(&socket))
    }

    /// Gives the window of `ticket`'s session `size` columns and rows again.
    ///
    /// # Errors
    /// `NoTarget` if there is no such session.
    pub async fn resize_back(&self, ticket: &TicketId, size: (u16, u16)) -> Result<(), TerminalError> {
        session::resize_back(&self.client, ticket, size).await
    }

    fn latest(&self) -> Option<ServerMark> {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, rows: &[PaneRow]) {
        let Some(mark) = rows.first().map(|row| row.server) else { return };
        let before = self.latest.lock().unwrap_or_else(PoisonError::into_inner).replace(mark);
        if before != Some(mark) {
            server::note(self.place(), mark.pid);
        }
    }

    async fn look(&self) -> Result<Vec<PaneRow>, TerminalError> {
        let rows = match self.known.look(&self.client).await {
            Some(rows) => rows,
            None => self.known.renew(rows::look(&self.client)).await?,
        };
        self.remember(&rows);
        Ok(rows)
    }
}

impl Terminal for Tmux {
    fn open(&self, spec: SessionSpec) -> Work<'_, Result<PaneId, TerminalError>> {
        Box::pin(async move {
            let pane = session::open(&self.client, &spec).await?;
            // The pane is of the server that answers now: typing into it is measured against that one.
            self.look().await?;
            Ok(pane)
        })
    }

    fn panes(&self) -> Work<'_, Observed<Vec<PaneSeen>>> {
        Box::pin(async move {
            match self.look().await {
                Ok(rows) => Observed::Present(rows::seen_once(rows)),
                Err(TerminalError::NoServer(_)) => Observed::Absent,
                Err(why) => Observed::Unknown(why.to_string()),
            }
        })
    }

    fn screens(&self, panes: Vec<PaneId>) -> Work<'_, Observed<Screens>> {
        Box::pin(async move { capture::screens(&self.client, &panes).await })
    }

    fn scrollback(&self, pane: PaneId, lines: u32) -> Work<'_, Observed<String>> {
        Box::pin(async move { capture::scrollback(&self.client, &pane, lines).await })
    }

    fn paste(&self, pane: PaneId, text: String) -> Work<'_, Result<(), TerminalError>> {
        Box::pin(async move { input::paste(&self.client, &pane, self.latest(), &text).await })
    }

    fn key(&self, pane: PaneId, key: Key, guard: Guard) -> Work<'_, Result<KeySent, TerminalError>> {
        Box::pin(async move { input::key(&self.client, &pane, self.latest(), &key, &guard).await })
    }

    fn leave_mode(&self, pane: PaneId) -> Work<'_, Result<(), TerminalError>> {
        Box::pin(async move { input::leave_mode(&self.client, &pane).await })
    }

    fn close(&self, tag: SessionTag) -> Work<'_, Result<(), TerminalError>> {
        Box::pin(async move { session::close(&self.client, &tag).await })
    }
}
