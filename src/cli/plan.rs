//! What would be done: which tickets would be taken, and in which order they would be started.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use serde_json::{Value, json};

use super::{find, json, ui};
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

/// What would become of a backlog.
pub struct Plan {
    /// The rows of what would be queued.
    rows: Vec<Row>,
    /// Every ticket, for programs.
    tickets: Vec<Value>,
}

impl Plan {
    /// With `--json`: the document, without an order.
    pub fn tell(self) {
        if json::is_on() {
            json::document(&json!({ "version": 1, "tickets": self.tickets, "parallel": null, "order": null }));
        }
    }
}

/// Says what would become of each ticket of a backlog.
///
/// # Errors
/// The queue cannot be read.
pub fn intake(app: &App, tickets: &[NewTicket], again: bool) -> Result<Plan, AppError> {
    let bad =
        |e: accepted::AcceptedError| AppError::new(e.to_string()).hint("mend the ticket's front matter, and try again");
    let parsed = |new| accepted::parse(new).map(|(ticket, _)| ticket).map_err(bad);
    let parsed = tickets.iter().map(|new| Ok((new, parsed(&new.accepted)?))).collect::<Result<Vec<_>, AppError>>()?;
    let ids: BTreeSet<&str> = parsed.iter().map(|(_, ticket)| ticket.id.as_str()).collect();
    let archive = store::read_archived(&app.home, |id| ids.contains(id))?.0;
    let queue = find::rows(app)?;
    let (mut rows, mut told) = (Vec::new(), Vec::new());
    let line = |text: String| {
        if !json::is_on() {
            ui::out(text);
        }
    };
    let say = |text: String| {
        if !json::is_on() {
            ui::say(text);
        }
    };
    for (new, ticket) in &parsed {
        let (id, title) = (&ticket.id, ui::plain(&ticket.title));
        let ids: Vec<&str> = ticket.after.iter().map(TicketId::as_str).collect();
        let after = if ids.is_empty() { String::new() } else { format!("  (after {})", ids.join(", ")) };
        let fate = fate(new, &queue, &archive, id, again);
        let (would, status) = match fate {
            Fate::Queued => ("queue", None),
            Fate::Updated => ("update", None),
            Fate::Open(status) => ("leave", Some(status)),
            Fate::Finished(status) => ("skip", Some(status)),
        };
        told.push(json!({
            "id": id, "title": ticket.title, "after": ids, "profile": new.profile, "would": would, "status": status,
        }));
        match fate {
            Fate::Queued => line(format!("would queue: {id}  {title}{after}")),
            Fate::Updated => line(format!("would update: {id}  {title}{after}")),
            Fate::Open(status) => {
                say(format!("{id}: open already ({status})"));
                continue;
            }
            Fate::Finished(status) => {
                say(format!("{id}: finished already ({status}); --again takes it up again"));
                continue;
            }
        }
        rows.push(first_row(new, ticket, app.world.clock.now()));
    }
    Ok(Plan { rows, tickets: told })
}

/// Says in which order the queued tickets would be started, `new` among them.
///
/// # Errors
/// The queue cannot be read.
pub fn order(app: &App, new: Plan, parallel: u32, max: Option<u32>) -> Result<(), AppError> {
    let mut rows: Rows = find::rows(app)?.into_iter().map(|row| (row.id.clone(), row)).collect();
    for row in new.rows {
        rows.insert(row.id.clone(), row);
    }
    let planned = schedule::plan(&rows);
    let starts = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
    if json::is_on() {
        let order = planned.iter().enumerate().map(|(index, ticket)| {
            json!({
                "id": ticket.id, "waits_for": ticket.waits_for,
                "not_before": ticket.not_before.map(|at| time::stamp(at, &TimeZone::system())),
                "stuck": ticket.stuck, "beyond_max": index >= starts,
            })
        });
        let order: Vec<Value> = order.collect();
        json::document(&json!({ "version": 1, "tickets": new.tickets, "parallel": parallel, "order": order }));
        return Ok(());
    }
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
