//! [`Tmux`]: the terminal port over one tmux server, and further ones where there are many panes.
//!
//! A server walks over all its panes whenever one of them prints, so a hundred panes cost it more than twice what fifty
//! do. The servers are numbered from 1; a pane's id says which one it is on ([`PaneId::server`]), and only here is that
//! number put on and taken off. All but the first come with need and end with their last session.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use super::{
    place::TmuxPlace,
    rows, server, session,
    shared::Shared,
    single::{Place, Server},
};
use crate::{
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
        screen::Screen,
    },
    format::tmux::Version,
    ports::{
        Work,
        terminal::{Guard, Key, KeySent, PaneSeen, Panes, Screens, SessionSpec, SessionTag, Terminal, TerminalError},
    },
};

/// Most servers at a time; the last one takes all that are too many for the others.
const MOST_SERVERS: usize = 8;

/// Screens, by the number of their server.
type Captured = BTreeMap<usize, Observed<BTreeMap<PaneId, Observed<Screen>>>>;

/// autodo's own tmux servers. Needs a tokio runtime with time and I/O.
#[derive(Debug)]
pub struct Tmux {
    first: Server,
    others: Vec<Server>,
    looks: Shared<(), Observed<Panes>>,
    captures: Shared<BTreeSet<PaneId>, Captured>,
}

impl Tmux {
    /// Servers at `place` and beside it. Nothing is started or looked at yet.
    #[must_use]
    pub fn new(place: TmuxPlace) -> Self {
        let others = (2..=MOST_SERVERS).map(|number| Server::new(place.of_server(number))).collect();
        Self { first: Server::new(place), others, looks: Shared::default(), captures: Shared::default() }
    }

    /// From now on, most commands are run by one control client for each server: for whoever watches for a good while.
    /// They end when they are not used for a minute, and with this process.
    pub fn hold_control(&self) {
        self.all().for_each(|(_, server)| server.client.hold_control());
    }

    /// Where the first server is.
    #[must_use]
    pub fn place(&self) -> &TmuxPlace {
        self.first.place()
    }

    /// The version of the installed tmux (`tmux -V`); `Absent`: there is none.
    pub async fn version(&self) -> Observed<Version> {
        server::version(&self.first.client).await
    }

    /// Sets user options (`@name`) of all servers that run. The values are shown by `#{@name}` as they are: tmux does not
    /// expand them again.
    ///
    /// # Errors
    /// tmux did not answer; a server that does not run is none.
    pub async fn set_options(&self, options: &[(&str, String)]) -> Result<(), TerminalError> {
        let set = |(name, value): &(&str, String)| {
            super::command::Cmd::of(&tmux_interface::SetOption::new().global().build()).arg(*name).arg(value.as_str())
        };
        let commands: Vec<_> = options.iter().map(set).collect();
        for (_, server) in self.all().filter(|(_, server)| server::may_run(server.client.place())) {
            server::ask(&server.client, &commands).await?;
        }
        Ok(())
    }

    /// The first server's process id; `Absent`: it is not running.
    pub async fn server_pid(&self) -> Observed<i32> {
        rows::server_pid(&self.first.client).await
    }

    /// Program and arguments that attach a person to the session of `ticket`, whose pane is `pane`. `inside` is that
    /// person's `TMUX`, if any: inside another tmux the attach runs in a new window of that one, with `TMUX` unset;
    /// inside the session's own server the client is switched. The size of the agent's pane does not follow the person's
    /// terminal.
    #[must_use]
    pub fn attach_argv(&self, ticket: &TicketId, pane: &PaneId, inside: Option<&str>) -> Vec<String> {
        session::attach_argv(self.of(pane).place(), ticket, inside)
    }

    /// A command line that lists the sessions by hand.
    #[must_use]
    pub fn list_plain(&self) -> String {
        let lines: Vec<String> = self.at_work().map(|(_, server)| plain(server.place(), "ls")).collect();
        lines.join("; ")
    }

    /// A command line that attaches to the session of `ticket` by hand, whose pane is `pane`.
    #[must_use]
    pub fn attach_plain(&self, ticket: &TicketId, pane: &PaneId) -> String {
        let target = format!("={}", ticket.session());
        format!("{} -t {}", plain(self.of(pane).place(), "attach"), shell_words::quote(&target))
    }

    /// A command line that ends `session` by hand, one of whose panes is `pane`.
    #[must_use]
    pub fn end_plain(&self, session: &str, pane: &PaneId) -> String {
        let target = format!("={session}");
        format!("{} -t {}", plain(self.of(pane).place(), "kill-session"), shell_words::quote(&target))
    }

    /// A command line that attaches to one of the sessions by hand; its target is to be filled in.
    #[must_use]
    pub fn attach_any_plain(&self) -> String {
        format!("{} -t NAME", plain(self.place(), "attach"))
    }

    /// Gives the window of `ticket`'s session `size` columns and rows again; its pane is `pane`.
    ///
    /// # Errors
    /// `NoTarget` if there is no such session.
    pub async fn resize_back(&self, ticket: &TicketId, pane: &PaneId, size: (u16, u16)) -> Result<(), TerminalError> {
        session::resize_back(&self.of(pane).client, ticket, size).await
    }

    fn all(&self) -> impl Iterator<Item = (usize, &Server)> {
        (1..).zip(std::iter::once(&self.first).chain(&self.others))
    }

    /// The server that `pane` is on. The id of one that is not there has a number of none that ever was.
    fn of(&self, pane: &PaneId) -> &Server {
        self.all().find(|(number, _)| *number == pane.server()).map_or(&self.first, |(_, server)| server)
    }

    /// The first server, and those of the others that may be running: each leaves its socket, or its pid beside it.
    fn at_work(&self) -> impl Iterator<Item = (usize, &Server)> {
        self.all().filter(|(number, server)| *number == 1 || server::may_run(server.place()))
    }

    /// One look at all panes of all servers.
    async fn look(&self) -> Observed<Panes> {
        let mut all = Vec::new();
        let mut has_any = false;
        for (number, server) in self.at_work() {
            match server.panes().await {
                Observed::Present(panes) => {
                    has_any = true;
                    let of_server = |pane: PaneSeen| PaneSeen { pane: pane.pane.of_server(number), ..pane };
                    all.extend(panes.into_iter().map(of_server));
                }
                Observed::Absent if number > 1 => server::forget(server.place()),
                Observed::Absent => {}
                Observed::Unknown(why) => return Observed::Unknown(why),
            }
        }
        if has_any { Observed::Present(Arc::new(all)) } else { Observed::Absent }
    }

    /// The screens of `panes`, by the number of the server they are on.
    async fn capture(&self, panes: BTreeSet<PaneId>) -> Captured {
        let mut found = Captured::new();
        for (number, server) in self.all() {
            let there = panes.iter().filter(|pane| pane.server() == number);
            let own: Vec<PaneId> = there.map(PaneId::on_its_server).collect();
            if !own.is_empty() {
                let of_server = |(pane, screen): (PaneId, Observed<Screen>)| (pane.of_server(number), screen);
                let screens = server.screens(&own).await.map(|all| all.into_iter().map(of_server).collect());
                found.insert(number, screens);
            }
        }
        found
    }

    /// Where the session of `spec` is, or is to be: on the server that has its tag or its name, else on the first with
    /// room for one more.
    async fn choose(&self, spec: &SessionSpec) -> Result<(usize, &Server, Place<'_>), TerminalError> {
        if self.at_work().count() == 1 && self.first.has_room() {
            return Ok((1, &self.first, self.first.take_place(&spec.tag.ticket)));
        }
        let name = spec.tag.ticket.session();
        for (number, server) in self.at_work() {
            let panes = match server.panes().await {
                Observed::Present(panes) => panes,
                Observed::Absent => continue,
                Observed::Unknown(why) => return Err(TerminalError::Other(why)),
            };
            if panes.iter().any(|pane| pane.tag.as_ref() == Some(&spec.tag) || pane.session == name) {
                return Ok((number, server, server.take_place(&spec.tag.ticket)));
            }
        }
        // Without a pause between the look at the places and the taking of one: many open at the same time.
        let chosen = self.all().find(|(_, server)| server.has_room()).or_else(|| self.all().last());
        let (number, server) = chosen.unwrap_or((1, &self.first));
        Ok((number, server, server.take_place(&spec.tag.ticket)))
    }
}

fn plain(place: &TmuxPlace, verb: &str) -> String {
    let quoted = |path: &Path| shell_words::quote(&path.to_string_lossy()).into_owned();
    format!("{} -S {} {verb}", quoted(&place.program), quoted(&place.socket))
}

impl Terminal for Tmux {
    fn open(&self, spec: SessionSpec) -> Work<'_, Result<PaneId, TerminalError>> {
        Box::pin(async move {
            let (number, server, _place) = self.choose(&spec).await?;
            Ok(server.open(&spec).await?.of_server(number))
        })
    }

    fn panes(&self) -> Work<'_, Observed<Panes>> {
        Box::pin(async move { (*self.looks.ask(|()| {}, |()| self.look()).await).clone() })
    }

    fn screens(&self, panes: Vec<PaneId>) -> Work<'_, Observed<Screens>> {
        Box::pin(async move {
            if panes.is_empty() {
                return Observed::Present(Screens::new());
            }
            let add = |all: &mut BTreeSet<PaneId>| all.extend(panes.iter().cloned());
            let seen = self.captures.ask(add, |all| self.capture(all)).await;
            let (mut found, mut has_any) = (Screens::new(), false);
            for pane in panes {
                let screen = match seen.get(&pane.server()) {
                    Some(Observed::Present(screens)) => {
                        has_any = true;
                        screens.get(&pane).cloned().unwrap_or(Observed::Absent)
                    }
                    Some(Observed::Unknown(why)) => return Observed::Unknown(why.clone()),
                    // With its server, only the panes of that one are gone.
                    Some(Observed::Absent) | None => Observed::Absent,
                };
                found.push((pane, screen));
            }
            if has_any { Observed::Present(found) } else { Observed::Absent }
        })
    }

    fn scrollback(&self, pane: PaneId, lines: u32) -> Work<'_, Observed<String>> {
        Box::pin(async move { self.of(&pane).scrollback(&pane.on_its_server(), lines).await })
    }

    fn paste(&self, pane: PaneId, text: String) -> Work<'_, Result<(), TerminalError>> {
        Box::pin(async move { self.of(&pane).paste(&pane.on_its_server(), &text).await })
    }

    fn key(&self, pane: PaneId, key: Key, guard: Guard) -> Work<'_, Result<KeySent, TerminalError>> {
        Box::pin(async move { self.of(&pane).key(&pane.on_its_server(), &key, &guard).await })
    }

    fn leave_mode(&self, pane: PaneId) -> Work<'_, Result<(), TerminalError>> {
        Box::pin(async move { self.of(&pane).leave_mode(&pane.on_its_server()).await })
    }

    fn close(&self, tag: SessionTag) -> Work<'_, Result<(), TerminalError>> {
        Box::pin(async move {
            for (number, server) in self.at_work() {
                server.close(&tag).await?;
                if number > 1 {
                    session::end_if_empty(&server.client).await;
                }
            }
            Ok(())
        })
    }
}
