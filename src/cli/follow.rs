//! Follows tickets that a supervisor works on, by what it writes into the journal's projections.

use std::{collections::BTreeSet, time::Duration};

use super::{context::Interrupt, dispatch::exit_of, json, progress, ui};
use crate::{
    adapters::{fs, store},
    app::{App, AppError, Exit, hold},
    domain::audit,
    domain::{id::TicketId, row::Status, schedule::Rows},
};

/// Time between two looks at the queue.
const LOOK: Duration = Duration::from_millis(300);

/// Shows what becomes of `ids` until nothing of them runs or waits for a slot, or the supervisor is gone.
///
/// # Errors
/// The queue cannot be read.
pub async fn follow(app: &App, ids: BTreeSet<TicketId>, json: bool) -> Result<Exit, AppError> {
    let mut interrupt = Interrupt::new()?;
    let mut before = Rows::new();
    let mut shown: std::collections::BTreeMap<TicketId, usize> = std::collections::BTreeMap::new();
    if json {
        // Only what happens from now on.
        for id in &ids {
            shown.insert(id.clone(), lines_of(app, id).len());
        }
    }
    loop {
        let rows: Rows = store::read_queue(&app.home)?.rows.into_iter().map(|row| (row.id.clone(), row)).collect();
        for id in &ids {
            if json {
                let lines = lines_of(app, id);
                let from = shown.entry(id.clone()).or_insert(0);
                for line in lines.iter().skip(*from) {
                    json::line(&with_ticket(line, id));
                }
                *from = lines.len();
            } else if let Some(row) = rows.get(id) {
                let old = before.get(id).map(|b| (b.status.word(), audit::reason(b)));
                if old != Some((row.status.word(), audit::reason(row))) {
                    let reason = audit::reason(row).map(|r| format!(" ({r})")).unwrap_or_default();
                    ui::say(format!("{id}: {}{reason}", row.status.word()));
                }
            }
        }
        let open = ids
            .iter()
            .filter_map(|id| rows.get(id))
            .any(|row| matches!(row.status, Status::Running(_) | Status::Queued { .. }));
        if !open || !hold::supervisor_runs(app).await {
            if !json {
                progress::summary(&rows.values().cloned().collect::<Vec<_>>());
            }
            return Ok(exit_of(rows.values().filter(|row| ids.contains(&row.id))));
        }
        before = rows;
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = interrupt.came() => {
                ui::say("left: the supervisor goes on with them");
                ui::say_hint("autodo list shows them; autodo drain lets the supervisor end");
                return Ok(Exit::Interrupted);
            }
        }
    }
}

/// The line of one ticket's audit trail as it stands among those of others.
fn with_ticket(line: &str, id: &TicketId) -> String {
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(line) else { return line.to_owned() };
    if let Some(fields) = value.as_object_mut() {
        fields.insert("ticket".into(), serde_json::json!(id));
    }
    value.to_string()
}

fn lines_of(app: &App, id: &TicketId) -> Vec<String> {
    let text = fs::read_to_string(&app.home.events(id)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
