//! `autodo list`: the queue at a glance.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::{context::Context, find, ui};
use crate::{
    adapters::store,
    app::{AppError, Exit, view},
    domain::audit,
    domain::{id::TicketId, row::Row, schedule::Rows},
    format::time::human_duration,
};

/// Lists the tickets of all projects.
#[derive(Args)]
pub struct ListArgs {
    /// Only the project of this folder.
    #[arg(long)]
    here: bool,
    /// Also the tickets in the archive.
    #[arg(long)]
    all: bool,
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// The queue cannot be read.
pub async fn run(context: &Context, args: &ListArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let mut rows = find::rows(&app)?;
    if args.all {
        let archive = store::read_archive(&app.home)?;
        rows.extend(archive.0);
        for notice in archive.1 {
            ui::notice(&notice);
        }
    }
    if args.here {
        let here = context.project(&app).await?;
        rows.retain(|row| row.repo == here.repo.root);
    }
    rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    if args.json {
        ui::json(&json!({ "version": 1, "tickets": rows.iter().map(view::ticket).collect::<Vec<_>>() }));
        return Ok(Exit::Ok);
    }
    if rows.is_empty() {
        ui::say("there are no tickets yet");
        ui::say_hint("autodo add \"title\" takes one; autodo dispatch takes a folder of them and starts");
        return Ok(Exit::Ok);
    }
    let now = app.world.clock.now();
    let all: Rows = rows.iter().map(|row| (row.id.clone(), row.clone())).collect();
    let several = rows.iter().any(|row| row.repo != rows[0].repo);
    let width = rows.iter().map(|row| row.id.as_str().len()).max().unwrap_or(0).max(4);
    let mut project: Option<&Path> = None;
    if several {
        rows.sort_by(|a, b| (&a.repo, a.created, &a.id).cmp(&(&b.repo, b.created, &b.id)));
    }
    for row in &rows {
        if several && project != Some(&row.repo) && ui::is_terminal() {
            ui::out(format!("{}  {}", row.project, row.repo.display()));
            project = Some(&row.repo);
        }
        ui::out(line(row, &all, width, now));
    }
    Ok(Exit::Ok)
}

/// `auto-20260219-143022  needs_review  42min  3L 1M 0H  Refactor resolve.py`
fn line(row: &Row, all: &Rows, width: usize, now: jiff::Timestamp) -> String {
    let worked = view::worked_s(row, now).map_or_else(|| "-".to_owned(), human_duration);
    let risk = row.risk_summary;
    let counts = format!("{}L {}M {}H", risk.low, risk.medium, risk.high);
    let title = ui::plain(&row.title);
    let note = note(row, all).map(|note| format!("  ({note})")).unwrap_or_default();
    let line = format!("{:<width$}  {:<12}  {worked:>6}  {counts:<10}  {title}{note}", row.id, row.status.word());
    match ui::width() {
        Some(columns) => ui::cut(&line, columns),
        None => line,
    }
}

/// What else a person should know of a row: why it is where it is.
#[must_use]
pub fn note(row: &Row, all: &Rows) -> Option<String> {
    use crate::domain::row::Status;
    match &row.status {
        Status::Blocked(blocked) => {
            let question = ui::plain(blocked.question.lines().next().unwrap_or_default());
            Some(format!("{}: {}", blocked.reason, ui::cut(&question, 60)))
        }
        Status::Parked(parked) => Some(match parked.until {
            Some(until) => {
                format!("{} until {}", parked.reason, crate::format::time::stamp(until, &jiff::tz::TimeZone::system()))
            }
            None => parked.reason.clone(),
        }),
        Status::Queued { .. } => {
            let waits = dependencies(row, all);
            if waits.is_empty() { audit::reason(row) } else { Some(format!("after {}", waits.join(", "))) }
        }
        Status::Running(_) | Status::Failed { .. } => audit::reason(row).map(|reason| ui::plain(&reason)),
        Status::NeedsReview => match (&row.proof, &row.stale_base) {
            (Some(proof), _) if !proof.verified => {
                Some(format!("not verified: {}", proof.reason.as_deref().unwrap_or("unknown")))
            }
            (_, Some(_)) => Some("stale base".into()),
            _ => row.proof.as_ref().and_then(|p| p.reason.clone()),
        },
        Status::Reviewed { .. } | Status::Landed | Status::Cancelled { .. } => None,
    }
}

/// The dependencies that `row` waits for.
fn dependencies<'a>(row: &'a Row, all: &Rows) -> Vec<&'a str> {
    let waits = |id: &&TicketId| all.get(*id).is_some_and(|dependency| !dependency.satisfies_dependents());
    row.after.iter().filter(waits).map(TicketId::as_str).collect()
}

/// What a queued ticket waits for, in words that stand behind "waits for"; `None`: it is not queued.
#[must_use]
pub fn waits_for(row: &Row, all: &Rows) -> Option<String> {
    use crate::domain::row::Status;
    let Status::Queued { not_before, .. } = &row.status else { return None };
    let dependencies = dependencies(row, all);
    if !dependencies.is_empty() {
        return Some(dependencies.join(", "));
    }
    let zone = jiff::tz::TimeZone::system();
    Some(not_before.map_or_else(|| "a slot".to_owned(), |at| crate::format::time::stamp(at, &zone)))
}
