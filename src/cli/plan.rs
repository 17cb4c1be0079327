//! What would be done: which tickets would be taken, and in which order they would be started.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::{find, ui};
use crate::{
    adapters::store,
    app::{App, AppError, api::NewTicket, serve::first_row},
    domain::{
        id::TicketId,
        row::{Row, Status},
        schedule::{self, Rows},
    },
    format::{accepted, time},
};

/// What would become of a ticket of a backlog.
enum Fate {
    Queued,
    Updated,
    Open(&'static str),
    Finished(&'static str),
}

/// As dispatching a backlog again sees it: a failed ticket is open.
fn is_finished(row: &Row) -> bool {
    matches!(row.status, Status::Reviewed { .. } | Status::Landed | Status::Cancelled { .. })
}

fn fate(new: &NewTicket, queue: &[Row], archive: &[Row], id: &TicketId, again: bool) -> Fate {
    let is_it = |row: &&Row| row.repo == new.repo && row.id == *id && !new.id_is_generated;
    match (queue.iter().find(is_it), archive.iter().find(is_it)) {
        (Some(row), _) if matches!(row.status, Status::Queued { .. }) => {
            let is_edited = matches!((&row.source, &new.source), (Some(old), Some(now)) if old.digest != now.digest);
            if is_edited { Fate::Updated } else { Fate::Open(row.status.word()) }
        }
        (Some(row), _) if !is_finished(row) => Fate::Open(row.status.word()),
        (Some(row), _) | (None, Some(row)) if !again => Fate::Finished(row.status.word()),
        _ => Fate::Queued,
    }
}

/// Says what would become of each ticket of a backlog, and gives the rows of those that would be queued.
///
/// # Errors
/// The queue cannot be read.
pub fn intake(app: &App, tickets: &[NewTicket], again: bool) -> Result<Vec<Row>, AppError> {
    let bad =
        |e: accepted::AcceptedError| AppError::new(e.to_string()).hint("mend the ticket's front matter, and try again");
    let parsed = |new| accepted::parse(new).map(|(ticket, _)| ticket).map_err(bad);
    let parsed = tickets.iter().map(|new| Ok((new, parsed(&new.accepted)?))).collect::<Result<Vec<_>, AppError>>()?;
    let ids: BTreeSet<&str> = parsed.iter().map(|(_, ticket)| ticket.id.as_str()).collect();
    let archive = store::read_archived(&app.home, |id| ids.contains(id))?.0;
    let queue = find::rows(app)?;
    let mut rows = Vec::new();
    for (new, ticket) in &parsed {
        let (id, title) = (&ticket.id, ui::plain(&ticket.title));
        let after: Vec<&str> = ticket.after.iter().map(TicketId::as_str).collect();
        let after = if after.is_empty() { String::new() } else { format!("  (after {})", after.join(", ")) };
        match fate(new, &queue, &archive, id, again) {
            Fate::Queued => ui::out(format!("would queue: {id}  {title}{after}")),
            Fate::Updated => ui::out(format!("would update: {id}  {title}{after}")),
            Fate::Open(status) => {
                ui::say(format!("{id}: open already ({status})"));
                continue;
            }
            Fate::Finished(status) => {
                ui::say(format!("{id}: finished already ({status}); --again takes it up again"));
                continue;
            }
        }
        rows.push(first_row(new, ticket, app.world.clock.now()));
    }
    Ok(rows)
}

/// Says in which order the queued tickets would be started, `new` among them.
///
/// # Errors
/// The queue cannot be read.
pub fn order(app: &App, new: Vec<Row>, parallel: u32, max: Option<u32>) -> Result<(), AppError> {
    let mut rows: Rows = find::rows(app)?.into_iter().map(|row| (row.id.clone(), row)).collect();
    for row in new {
        rows.insert(row.id.clone(), row);
    }
    let planned = schedule::plan(&rows);
    let starts = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
    if !planned.is_empty() {
        ui::out(format!("would start, {parallel} at once:"));
    }
    for (index, ticket) in planned.iter().enumerate() {
        let title = rows.get(&ticket.id).map(|row| ui::plain(&row.title)).unwrap_or_default();
        let mut notes = Vec::new();
        if !ticket.waits_for.is_empty() {
            let ids: Vec<&str> = ticket.waits_for.iter().map(TicketId::as_str).collect();
            notes.push(format!("waits for {}", ids.join(", ")));
        }
        if let Some(at) = ticket.not_before.filter(|at| *at > app.world.clock.now()) {
            notes.push(format!("not before {}", time::stamp(at, &TimeZone::system())));
        }
        if ticket.stuck {
            notes.push("which a person has to see to first".to_owned());
        } else if index >= starts {
            notes.push(format!("not this time: --max {}", max.unwrap_or_default()));
        }
        let notes = if notes.is_empty() { String::new() } else { format!("  ({})", notes.join("; ")) };
        ui::out(format!("{:>3}. {}  {title}{notes}", index + 1, ticket.id));
    }
    Ok(())
}
