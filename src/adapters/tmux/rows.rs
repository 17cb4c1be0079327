//! One look at all panes: a single `list-panes -a`.

use tmux_interface::{DisplayMessage, ListPanes};

use super::{client::Client, command::Cmd, error::Fault, server};
use crate::{
    domain::observed::Observed,
    format::tmux::{PANE_FORMAT, PaneRow, pane_rows},
    ports::terminal::{PaneSeen, SessionTag, TerminalError},
};

/// All panes of the server; `NoServer` if there is none.
///
/// # Errors
/// `Other` if one row cannot be read: a look that misses a pane is none.
pub(super) async fn look(client: &Client) -> Result<Vec<PaneRow>, TerminalError> {
    let list = Cmd::of(&ListPanes::new().all().format(PANE_FORMAT).build());
    let output = match server::look(client, &[list]).await?.output() {
        // The server runs, and somebody has ended its last session.
        Err(Fault::Other(text)) if text == "no current target" => return Ok(Vec::new()),
        output => output?,
    };
    pane_rows(&output).map_err(|why| TerminalError::Other(why.to_string()))
}

/// The server's process id.
pub(super) async fn server_pid(client: &Client) -> Observed<i32> {
    let ask = Cmd::of(&DisplayMessage::new().print().message("#{pid}").build());
    let answer = match server::look(client, &[ask]).await {
        Ok(answer) => answer,
        Err(why) => return Observed::Unknown(why.to_string()),
    };
    match answer.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output);
            text.trim().parse().map_or_else(|_| Observed::Unknown(format!("no pid: {text:?}")), Observed::Present)
        }
        Err(Fault::NoServer(_)) => Observed::Absent,
        Err(fault) => Observed::Unknown(TerminalError::from(fault).to_string()),
    }
}

/// What the rest of autodo knows of `rows`: each pane once. tmux lists a window that a person linked into another
/// session once for each; the ticket's own session counts, and whoever is attached to any of them is attached.
pub(super) fn seen_once(rows: Vec<PaneRow>) -> Vec<PaneSeen> {
    let mut all: Vec<PaneSeen> = Vec::with_capacity(rows.len());
    for row in rows {
        let seen = seen(row);
        let is_own = seen.tag.as_ref().is_some_and(|tag| tag.ticket.session() == seen.session);
        match all.iter_mut().find(|known| known.pane == seen.pane) {
            None => all.push(seen),
            Some(known) => {
                known.attached |= seen.attached;
                if is_own {
                    known.session = seen.session;
                }
            }
        }
    }
    all
}

fn seen(row: PaneRow) -> PaneSeen {
    PaneSeen {
        pane: row.pane,
        session: row.session,
        tag: row.tag.map(|(ticket, run, launch)| SessionTag { ticket, run, launch }),
        dead: row.dead,
        in_mode: row.in_mode,
        attached: row.attached,
        pid: row.pid,
        activity_s: row.activity_s,
        history: row.history,
        cursor: row.cursor,
        size: row.size,
        title: row.title,
    }
}

/// True if `row` carries exactly `tag`.
pub(super) fn has_tag(row: &PaneRow, tag: &SessionTag) -> bool {
    row.tag
        .as_ref()
        .is_some_and(|(ticket, run, launch)| ticket == &tag.ticket && *run == tag.run && *launch == tag.launch)
}
