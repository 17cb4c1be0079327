//! `approve`, `approve-low`: a person marks results as reviewed.

use clap::Args;

use super::{
    ask,
    context::{Context, accepted, meet, person_only},
    find, json, ui,
};
use crate::{
    adapters::env,
    app::{
        App, AppError, Exit,
        api::{ApiReply, ApiRequest},
        sources,
    },
    domain::{
        event::Request,
        machine::low_gate,
        row::{Row, Status},
    },
};

/// `approve`.
#[derive(Args)]
pub struct ApproveArgs {
    /// Ids, or unique beginnings of ids.
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// `approve-low`.
#[derive(Args)]
pub struct ApproveLowArgs {
    /// Only the project of this folder.
    #[arg(long)]
    here: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Approves by id.
///
/// # Errors
/// A ticket is not there, not up for review, or stands on one that is not approved.
pub async fn by_id(context: &Context, args: &ApproveArgs) -> Result<Exit, AppError> {
    person_only("approve")?;
    let app = context.app()?;
    let all = find::rows(&app)?;
    let mut rows: Vec<Row> = Vec::new();
    for text in &args.ids {
        let row = find::find(&all, text)?;
        if !rows.iter().any(|known| known.id == row.id) {
            rows.push(row.clone());
        }
    }
    for row in &rows {
        if let Some(first) = unapproved_dependency(&all, row, &rows) {
            return Err(AppError::new(format!("{} stands on {first}, which is not approved", row.id))
                .hint(format!("autodo review {first}; then autodo approve {first} {}", row.id)));
        }
    }
    let rows = in_order(rows);
    Ok(approve(&app, rows, false, args.dry_run).await?.0)
}

/// Approves all that is safe, and says why each other one is not.
///
/// # Errors
/// The queue cannot be read or written.
pub async fn low(context: &Context, args: &ApproveLowArgs) -> Result<Exit, AppError> {
    person_only("approve-low")?;
    let app = context.app()?;
    let mut all = find::rows(&app)?;
    if args.here {
        let here = context.project(&app).await?;
        all.retain(|row| row.repo == here.repo.root);
    }
    let mut chosen: Vec<Row> = Vec::new();
    let waiting: Vec<Row> = all.iter().filter(|r| matches!(r.status, Status::NeedsReview)).cloned().collect();
    for row in in_order(waiting) {
        match low_gate(&row) {
            Ok(()) => match unapproved_dependency(&all, &row, &chosen) {
                None => chosen.push(row),
                Some(first) => ui::say(format!("not {}: it stands on {first}, which is not approved", row.id)),
            },
            Err(reasons) => ui::say(format!("not {}: {}", row.id, reasons.join(", "))),
        }
    }
    let (exit, count) = approve(&app, chosen, true, args.dry_run).await?;
    if !args.dry_run && !json::is_on() {
        ui::out(format!("{count} item(s) approved"));
    }
    Ok(exit)
}

/// Approves `rows`; also says how many of them were not approved before.
async fn approve(app: &App, rows: Vec<Row>, low: bool, dry_run: bool) -> Result<(Exit, u32), AppError> {
    if dry_run {
        return Ok((ask::rehearse(app, &rows, &Request::Approve { low }, "approve"), 0));
    }
    if rows.is_empty() {
        return Ok((Exit::Ok, 0));
    }
    let by = env::user_name();
    let requests = rows
        .iter()
        .map(|row| ApiRequest::Ask {
            ticket: row.id.clone(),
            by: by.clone(),
            request: Request::Approve { low },
            text: None,
            refresh: None,
        })
        .collect();
    let met = meet(app, requests).await?;
    let mut exits = vec![Exit::Ok];
    let mut count = 0;
    for (row, reply) in rows.iter().zip(&met.replies) {
        let answer = accepted(reply);
        // Also what was approved before: the box may still be open.
        if let (Ok(_), Some(source)) = (&answer, &row.source)
            && let Err(error) = sources::tick(source, &row.id)
        {
            ui::notice(&error.message);
        }
        match (answer, reply) {
            (Ok(true), _) => {
                count += 1;
                ui::did(Some(&row.id), "approved", format!("Reviewed: {} — {}", row.id, ui::plain(&row.title)));
            }
            (Ok(false), _) => ui::did(Some(&row.id), "unchanged", format!("{}: reviewed already", row.id)),
            (Err(error), ApiReply::Refused { .. }) if low => ui::say(format!("not {error}")),
            (Err(error), _) => {
                exits.push(error.exit);
                ui::error(&error);
            }
        }
    }
    Ok((Exit::first_of(exits), count))
}

/// The first dependency of `row` that is neither approved, nor among `with`, nor gone from the queue.
fn unapproved_dependency(all: &[Row], row: &Row, with: &[Row]) -> Option<String> {
    row.after
        .iter()
        .filter_map(|id| all.iter().find(|other| other.id == *id))
        .find(|other| {
            !matches!(other.status, Status::Reviewed { .. } | Status::Landed)
                && !with.iter().any(|chosen| chosen.id == other.id)
        })
        .map(|other| other.id.to_string())
}

/// Dependencies before what stands on them.
fn in_order(rows: Vec<Row>) -> Vec<Row> {
    let mut left = rows;
    let mut ordered: Vec<Row> = Vec::new();
    while !left.is_empty() {
        let ready = left.iter().position(|row| !row.after.iter().any(|id| left.iter().any(|l| l.id == *id)));
        // A cycle cannot be accepted; if there is one all the same, the order no longer matters.
        ordered.push(left.remove(ready.unwrap_or(0)));
    }
    ordered
}
