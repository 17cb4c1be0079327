//! One tmux server of autodo's: what is asked of it, in its own ids of panes.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{capture, client::Client, input, place::TmuxPlace, pulse::Known, rows, server, session};
use crate::{
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
    },
    format::tmux::{PaneRow, ServerMark},
    ports::terminal::{Guard, Key, KeySent, PaneSeen, Screens, SessionSpec, SessionTag, TerminalError},
};

/// One server. Needs a tokio runtime with time and I/O.
///
/// A pane id means nothing on another server, and tmux counts from `%0` again after a restart. So the server that the
/// latest look saw is remembered, and nothing is typed if another one answers.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) client: Client,
    latest: Mutex<Option<ServerMark>>,
    known: Known,
    places: Mutex<Places>,
}

/// Tickets that have a session here.
#[derive(Debug, Default)]
struct Places {
    /// In the latest look.
    seen: BTreeSet<TicketId>,
    /// That are being opened.
    opening: BTreeSet<TicketId>,
}

/// A place for one more session, taken until it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a Server, TicketId);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.places().opening.remove(&self.1);
    }
}

impl Server {
    pub(super) fn new(place: TmuxPlace) -> Self {
        Self { client: Client::new(place), latest: Mutex::new(None), known: Known::default(), places: Mutex::default() }
    }

    pub(super) fn place(&self) -> &TmuxPlace {
        self.client.place()
    }

    /// True if one more session has room here: those of the latest look are counted, and those that are being opened.
    pub(super) fn has_room(&self) -> bool {
        let places = self.places();
        let unseen = places.opening.iter().filter(|ticket| !places.seen.contains(*ticket)).count();
        places.seen.len() + unseen < self.place().most_sessions
    }

    /// Takes the place of one more session.
    pub(super) fn take_place(&self, ticket: &TicketId) -> Place<'_> {
        self.places().opening.insert(ticket.clone());
        Place(self, ticket.clone())
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn latest(&self) -> Option<ServerMark> {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, rows: &[PaneRow]) {
        let mut places = self.places();
        let seen = || rows.iter().filter_map(|row| row.tag.as_ref().map(|tag| &tag.0));
        if !seen().eq(places.seen.iter()) {
            places.seen = seen().cloned().collect();
        }
        drop(places);
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

    pub(super) async fn open(&self, spec: &SessionSpec) -> Result<PaneId, TerminalError> {
        let pane = session::open(&self.client, spec).await?;
        // The pane is of the server that answers now: typing into it is measured against that one.
        self.look().await?;
        Ok(pane)
    }

    pub(super) async fn panes(&self) -> Observed<Vec<PaneSeen>> {
        match self.look().await {
            Ok(rows) => Observed::Present(rows::seen_once(rows)),
            Err(TerminalError::NoServer(_)) => {
                self.places().seen.clear();
                Observed::Absent
            }
            Err(why) => Observed::Unknown(why.to_string()),
        }
    }

    pub(super) async fn screens(&self, panes: &[PaneId]) -> Observed<Screens> {
        capture::screens(&self.client, panes).await
    }

    pub(super) async fn scrollback(&self, pane: &PaneId, lines: u32) -> Observed<String> {
        capture::scrollback(&self.client, pane, lines).await
    }

    pub(super) async fn paste(&self, pane: &PaneId, text: &str) -> Result<(), TerminalError> {
        input::paste(&self.client, pane, self.latest(), text).await
    }

    pub(super) async fn key(&self, pane: &PaneId, key: &Key, guard: &Guard) -> Result<KeySent, TerminalError> {
        input::key(&self.client, pane, self.latest(), key, guard).await
    }

    pub(super) async fn leave_mode(&self, pane: &PaneId) -> Result<(), TerminalError> {
        input::leave_mode(&self.client, pane).await
    }

    pub(super) async fn close(&self, tag: &SessionTag) -> Result<(), TerminalError> {
        session::close(&self.client, tag).await
    }
}
