//! Sessions: opened with their tag in one step, found and closed by it, attached to by people.

use std::path::Path;

use tmux_interface::{
    AttachSession, IfShell, KillPane, KillServer, KillSession, NewSession, NewWindow, ResizeWindow, SetOption,
    SwitchClient, TmuxCommand,
};

use super::{
    client::Client,
    command::{Cmd, argv, body},
    error::{Fault, fault},
    guard::{all_of, equals, not},
    place::TmuxPlace,
    rows::{self, has_tag},
    server::{self, ANCHOR, PAUSE},
};
use crate::{
    domain::id::{PaneId, TicketId},
    format::tmux::PaneRow,
    ports::terminal::{SessionSpec, SessionTag, TerminalError},
};

/// How often an opening is tried: the server may end, and another process may open the same session, in between.
const OPENINGS: u32 = 5;

/// Opens the session of `spec`, or returns the pane that has its tag already.
///
/// # Errors
/// `Taken` if the session's name is in use with another tag, or with none.
pub(super) async fn open(client: &Client, spec: &SessionSpec) -> Result<PaneId, TerminalError> {
    if spec.argv.len() < 2 {
        // A single word would be a line for a shell.
        return Err(TerminalError::Other("a session needs a program and at least one argument".to_owned()));
    }
    let name = spec.tag.ticket.session();
    let mut last = TerminalError::Other(format!("cannot open the session {name}"));
    for _ in 0..OPENINGS {
        match rows::look(client).await {
            Ok(rows) => {
                if let Some(pane) = find(&rows, &name, &spec.tag)? {
                    return Ok(pane);
                }
            }
            Err(TerminalError::NoServer(_)) => server::start(client).await?,
            Err(why) => return Err(why),
        }
        match create(client, spec, &name).await {
            Ok(Ok(pane)) => return Ok(pane),
            Ok(Err(fault @ (Fault::Duplicate | Fault::NoServer(_)))) => last = fault.into(),
            Ok(Err(fault)) => return Err(fault.into()),
            // Whether it was opened is unknown: the next look shows its tag, or that it is not there.
            Err(why @ TerminalError::Lost(_)) => last = why,
            Err(why) => return Err(why),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(last)
}

/// The pane with `tag`, wherever a person has moved it. `None`: neither tag nor name is in use.
fn find(rows: &[PaneRow], name: &str, tag: &SessionTag) -> Result<Option<PaneId>, TerminalError> {
    if let Some(row) = rows.iter().find(|row| has_tag(row, tag)) {
        return Ok(Some(row.pane.clone()));
    }
    let mut same = rows.iter().filter(|row| row.session == name);
    let Some(first) = same.next() else { return Ok(None) };
    let other = first.tag.as_ref().or_else(|| same.find_map(|row| row.tag.as_ref()));
    let tag = other.map_or_else(
        || "it has no tag".to_owned(),
        |(ticket, run, launch)| format!("ticket {ticket}, run {run}, launch {launch}"),
    );
    Err(TerminalError::Taken { session: name.to_owned(), tag })
}

/// One client, one list of commands: no other client ever sees the session without its tag, or in another size.
///
/// The tag is on the pane, not on the session: a pane that a person splits off the agent's is not the agent's.
async fn create(client: &Client, spec: &SessionSpec, name: &str) -> Result<Result<PaneId, Fault>, TerminalError> {
    let (columns, rows) = (usize::from(spec.size.0), usize::from(spec.size.1));
    let there = format!("={name}:");
    let new = NewSession::new().detached().print().format("#{session_id}|#{pane_id}").session_name(name);
    let new = Cmd::of(&new.width(columns).height(rows).build()).arg("--").args(spec.argv.iter().cloned());
    let set = |option: &str, value: String| {
        Cmd::of(&SetOption::new().pane().target_pane(there.as_str()).option(option).value(value).build())
    };
    let commands = [
        new,
        set("@autodo_ticket", spec.tag.ticket.to_string()),
        set("@autodo_run", spec.tag.run.to_string()),
        set("@autodo_launch", spec.tag.launch.to_string()),
        // tmux ignores the size of a new session while anybody is attached to any; this also keeps a person's smaller
        // terminal from changing it later.
        Cmd::of(&ResizeWindow::new().target_window(there.as_str()).width(columns).height(rows).build()),
    ];
    let answer = server::ask(client, &commands).await?;
    let printed = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let ids = printed.split_once('|');
    if answer.is_ok {
        let pane = ids.and_then(|(_, pane)| PaneId::parse(pane));
        return pane.map(Ok).ok_or_else(|| TerminalError::Other(format!("new-session printed {printed:?}")));
    }
    let fault = fault(&answer.stderr);
    if let Some((session, _)) = ids {
        tracing::warn!(session = name, ?fault, "a session was opened but could not be tagged: closing it");
        let undo = KillSession::new().target_session(session).build();
        server::ask(client, &[Cmd::of(&undo)]).await?;
    }
    Ok(Err(fault))
}

/// Closes the session whose pane has `tag`. The tag is checked again in the same step as the closing.
pub(super) async fn close(client: &Client, tag: &SessionTag) -> Result<(), TerminalError> {
    let rows = match rows::look(client).await {
        Ok(rows) => rows,
        Err(TerminalError::NoServer(_)) => return Ok(()),
        Err(why) => return Err(why),
    };
    let name = tag.ticket.session();
    for row in rows.iter().filter(|row| has_tag(row, tag)) {
        let pane = row.pane.as_str();
        // In its own session, that one is closed; a person who moved it elsewhere keeps everything but this pane.
        let close = if row.session == name {
            Cmd::of(&KillSession::new().target_session(format!("={name}")).build())
        } else {
            Cmd::of(&KillPane::new().target_pane(pane).build())
        };
        let mut holds = tagged(tag);
        holds.push(equals("pid", &row.server.pid.to_string()));
        let there = equals("session_name", &name);
        holds.push(if row.session == name { there } else { not(&there) });
        let holds = all_of(&holds);
        let guarded = IfShell::new().not_execute().target_pane(pane).shell_command(holds).command(body(&[close]));
        match server::ask(client, &[Cmd::of(&guarded.build())]).await?.output() {
            Ok(_) | Err(Fault::NoServer(_) | Fault::NoTarget(_)) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Ok(())
}

/// Ends the server if it has the session that keeps it company and no other. What fails is left for the next time.
pub(super) async fn end_if_empty(client: &Client) {
    // The names of all sessions, one after the other.
    let is_alone = equals("S:#{session_name}", ANCHOR);
    let end = body(&[Cmd::of(&KillServer::new().build())]);
    let target = format!("={ANCHOR}:");
    let check = IfShell::new().not_execute().target_pane(target).shell_command(is_alone).command(end).build();
    match server::run(client, &[Cmd::of(&check)], None).await {
        Ok(_) => {}
        Err(why) => tracing::debug!(%why, "a server without tickets goes on"),
    }
}

fn tagged(tag: &SessionTag) -> Vec<String> {
    vec![
        equals("@autodo_ticket", tag.ticket.as_str()),
        equals("@autodo_run", &tag.run.to_string()),
        equals("@autodo_launch", &tag.launch.to_string()),
    ]
}

/// The arguments of the program by which a person attaches to the session of `ticket`. `inside` is the person's own
/// `TMUX`: inside another server the attach runs in a new window there; inside autodo's own, the client is switched.
/// It never starts a server, and takes over nothing of the person's environment.
pub(super) fn attach_argv(place: &TmuxPlace, ticket: &TicketId, inside: Option<&str>) -> Vec<String> {
    let there = format!("={}", ticket.session());
    let own = |built: &TmuxCommand<'_>| {
        let socket = place.socket.to_string_lossy().into_owned();
        let program = place.program.to_string_lossy().into_owned();
        let start = [program, "-N".to_owned(), "-u".to_owned(), "-S".to_owned(), socket];
        start.into_iter().chain(argv(&[Cmd::of(built)])).collect::<Vec<_>>()
    };
    let attach = own(&AttachSession::new().not_update_env().target_session(there.as_str()).build());
    // TMUX is <socket>,<pid of the server>,<session>.
    let outer = inside.filter(|text| !text.is_empty()).map(|text| text.rsplitn(3, ',').last().unwrap_or(text));
    match outer {
        None => attach,
        Some(socket) if Path::new(socket) == place.socket => {
            own(&SwitchClient::new().not_update_env().target_session(there.as_str()).build())
        }
        Some(_) => {
            let clean = ["--", "env", "-u", "TMUX", "-u", "TMUX_PANE"].map(str::to_owned);
            let window = Cmd::of(&NewWindow::new().build()).args(clean).args(attach);
            std::iter::once(place.program.to_string_lossy().into_owned()).chain(argv(&[window])).collect()
        }
    }
}

/// Gives the window of `ticket`'s session its size again, whatever a person has done to it.
pub(super) async fn resize_back(client: &Client, ticket: &TicketId, size: (u16, u16)) -> Result<(), TerminalError> {
    let (columns, rows) = (usize::from(size.0), usize::from(size.1));
    let there = format!("={}:", ticket.session());
    let resize = ResizeWindow::new().target_window(there).width(columns).height(rows).build();
    server::ask(client, &[Cmd::of(&resize)]).await?.output()?;
    Ok(())
}
