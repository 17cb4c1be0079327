//! `autodo wait`: until tickets have come to where a person, or nobody, goes on with them.

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use tokio::time::Instant;

use super::{
    context::{Context, Interrupt},
    dispatch::exit_of,
    find, ui,
};
use crate::{
    adapters::store,
    app::{App, AppError, Exit, hold},
    domain::{
        audit,
        id::TicketId,
        row::{Row, Status},
    },
    format::time::{human_duration, parse_duration},
};

/// Time between two looks at the queue.
const LOOK: Duration = Duration::from_millis(200);

/// Looks after which it is said, once, that nobody works on what is waited for.
const LOOKS_ALONE: u32 = 5;

/// `wait`.
#[derive(Args)]
pub struct WaitArgs {
    /// Ids, or unique beginnings of ids.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Longest time to wait, such as 90m; without it, for as long as it takes.
    #[arg(long, value_name = "TIME")]
    timeout: Option<String>,
}

/// Waits until each ticket is up for review, finished, blocked or parked; prints one line for each as it comes to it.
///
/// # Errors
/// A ticket is not there, or time is up.
pub async fn run(context: &Context, args: &WaitArgs) -> Result<Exit, AppError> {
    let longest = match &args.timeout {
        Some(text) => Some(
            parse_duration(text)
                .map_err(|e| AppError::usage(format!("--timeout {text:?}: {e}")).hint("for example --timeout 90m"))?,
        ),
        None => None,
    };
    let app = context.app()?;
    let mut interrupt = Interrupt::new()?;
    let mut ids: Vec<TicketId> = Vec::new();
    for text in &args.ids {
        let id = find::anywhere(&app, text)?.id;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    tokio::select! {
        exit = until_there(&app, &ids, longest) => exit,
        () = interrupt.came() => Ok(Exit::Interrupted),
    }
}

async fn until_there(app: &App, ids: &[TicketId], longest: Option<u64>) -> Result<Exit, AppError> {
    let end = longest.map(|s| Instant::now() + Duration::from_secs(s));
    let mut there: BTreeMap<TicketId, Row> = BTreeMap::new();
    let mut looks = 0;
    loop {
        // As it is when the waiting ends, not as it was when it first came there: a person may have answered.
        let rows = now(app, ids)?;
        for row in &rows {
            if is_there(row) {
                if there.get(&row.id).map(|old| old.status.word()) != Some(row.status.word()) {
                    let reason = audit::reason(row).map(|r| format!(" ({})", ui::plain(&r))).unwrap_or_default();
                    ui::did(Some(&row.id), row.status.word(), format!("{}: {}{reason}", row.id, row.status.word()));
                }
                there.insert(row.id.clone(), row.clone());
            } else {
                there.remove(&row.id);
            }
        }
        if there.len() == ids.len() {
            return Ok(exit_of(there.values()));
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            let open: Vec<String> = rows
                .iter()
                .filter(|row| !is_there(row))
                .map(|row| format!("{} ({})", row.id, row.status.word()))
                .collect();
            let time = human_duration(longest.unwrap_or_default());
            return Err(AppError::new(format!("waited {time} in vain for {}", open.join(", ")))
                .hint("autodo list shows where they are"));
        }
        looks += 1;
        if looks == LOOKS_ALONE && !hold::supervisor_runs(app).await {
            ui::notice("no supervisor runs: what is waited for goes on only when one does");
            ui::say_hint("autodo dispatch --detach starts one; autodo tick looks once");
        }
        let pause = end.map_or(LOOK, |end| LOOK.min(end.saturating_duration_since(Instant::now())));
        tokio::time::sleep(pause).await;
    }
}

/// The rows as they are now, of the queue, or of the archive where one has left the queue meanwhile.
fn now(app: &App, ids: &[TicketId]) -> Result<Vec<Row>, AppError> {
    let queue = store::read_queue(&app.home)?.rows;
    let mut rows: Vec<Row> = queue.into_iter().filter(|row| ids.contains(&row.id)).collect();
    if rows.len() < ids.len() {
        let (archive, _) = store::read_archived(&app.home, |id| ids.iter().any(|known| known.as_str() == id))?;
        for id in ids {
            if !rows.iter().any(|row| row.id == *id) {
                let row = archive.iter().find(|row| row.id == *id).cloned().ok_or_else(|| {
                    AppError::new(format!("{id} has left the queue, and is not in the archive"))
                        .hint("autodo list --all")
                })?;
                rows.push(row);
            }
        }
    }
    Ok(rows)
}

fn is_there(row: &Row) -> bool {
    match &row.status {
        Status::Queued { .. } | Status::Running(_) => false,
        Status::Parked(_)
        | Status::Blocked(_)
        | Status::NeedsReview
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Failed { .. }
        | Status::Cancelled { .. } => true,
    }
}
