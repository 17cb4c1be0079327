//! `autodo summary`: the page for the morning: what waits for a person, with the question itself, and what goes on.

use clap::Args;
use serde_json::{Value, json};

use super::{context::Context, find, list, ui};
use crate::{
    app::{AppError, Exit, hold, view},
    domain::{
        glance::{Glance, Glances},
        risk::Tier,
        row::{Row, Status},
    },
    format::time::{human_duration, stamp},
};

/// The groups, in the order in which a person wants them, with their headings.
const GROUPS: [(&str, &str); 9] = [
    ("needs_review", "To review"),
    ("blocked", "Blocked"),
    ("parked", "Parked"),
    ("failed", "Failed"),
    ("running", "Running"),
    ("queued", "Queued"),
    ("reviewed", "Reviewed"),
    ("landed", "Landed"),
    ("cancelled", "Cancelled"),
];

/// How many of the groups are shown ticket by ticket; the others are only counted.
const SHOWN: usize = 6;

/// `summary`.
#[derive(Args)]
pub struct SummaryArgs {
    /// Only the project of this folder.
    #[arg(long)]
    here: bool,
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Prints the page.
///
/// # Errors
/// The queue cannot be read.
pub async fn run(context: &Context, args: &SummaryArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let mut rows = find::rows(&app)?;
    // What a ticket waits for may be of any project.
    let all: Glances = rows.iter().map(|row| (row.id.clone(), Glance::from(row))).collect();
    if args.here {
        let here = context.project(&app).await?;
        rows.retain(|row| row.repo == here.repo.root);
    }
    rows.sort_by_key(order);
    let group = |word: &str| rows.iter().filter(|row| row.status.word() == word).collect::<Vec<&Row>>();
    if args.json {
        ui::json(&to_json(&group, &all));
        return Ok(Exit::Ok);
    }
    if rows.is_empty() {
        ui::say("there are no tickets");
        ui::say_hint("autodo add \"title\" takes one; autodo dispatch takes a folder of them and starts");
        return Ok(Exit::Ok);
    }
    let counts: Vec<String> = GROUPS
        .iter()
        .map(|(word, heading)| (group(word).len(), heading))
        .filter(|(count, _)| *count > 0)
        .map(|(count, heading)| format!("{count} {}", heading.to_lowercase()))
        .collect();
    ui::out(counts.join(", "));
    let now = app.world.clock.now();
    for (word, heading) in GROUPS.iter().take(SHOWN) {
        let rows = group(word);
        if !rows.is_empty() {
            ui::out(format!("\n{heading}"));
        }
        for row in rows {
            show(row, &all, now);
        }
    }
    let next = next(&rows, hold::supervisor_runs(&app).await);
    if !next.is_empty() {
        ui::out("\nNext");
    }
    for line in next {
        ui::out(format!("  {line}"));
    }
    Ok(Exit::Ok)
}

/// To review: by risk, the least first; queued: as they will be started; then as accepted.
fn order(row: &Row) -> (Tier, u8, jiff::Timestamp, String) {
    let risk = if matches!(row.status, Status::NeedsReview) { row.effective_risk() } else { Tier::Low };
    let priority = if matches!(row.status, Status::Queued { .. }) { row.priority } else { 0 };
    (risk, priority, row.created, row.id.to_string())
}

fn to_json<'a>(group: &impl Fn(&str) -> Vec<&'a Row>, all: &Glances) -> Value {
    let mut counts = serde_json::Map::new();
    let mut groups = serde_json::Map::new();
    for (word, _) in GROUPS {
        let rows = group(word);
        counts.insert(word.to_owned(), json!(rows.len()));
        let shown = rows.into_iter().map(|row| {
            let mut value = view::ticket(row);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("waits_for".into(), json!(waits_for(row, all)));
            }
            value
        });
        groups.insert(word.to_owned(), shown.collect());
    }
    json!({ "version": 1, "counts": counts, "groups": groups })
}

fn show(row: &Row, all: &Glances, now: jiff::Timestamp) {
    let title = ui::plain(&row.title);
    let worked = view::worked_s(row, now).map_or_else(|| "-".to_owned(), human_duration);
    match &row.status {
        Status::NeedsReview => {
            let risk = row.risk_summary;
            let counts = format!("{}L {}M {}H", risk.low, risk.medium, risk.high);
            let flags = match row.flags_count() {
                0 => None,
                1 => Some("1 flag".to_owned()),
                n => Some(format!("{n} flags")),
            };
            let notes: Vec<String> = flags.into_iter().chain(list::note(&Glance::from(row), all)).collect();
            let notes = if notes.is_empty() { String::new() } else { format!("  ({})", notes.join(", ")) };
            ui::out(format!(
                "  {:<7}  {}  {worked:>6}  {counts}  {title}{notes}",
                row.effective_risk().to_string(),
                row.id
            ));
        }
        Status::Blocked(blocked) => {
            ui::out(format!("  {}  {title}", row.id));
            for line in ui::plain_lines(&blocked.question).lines() {
                ui::out(format!("    {line}"));
            }
            if !blocked.options.is_empty() {
                ui::out(format!("    [{}]", ui::plain(&blocked.options.join(" | "))));
            }
        }
        Status::Parked(parked) => {
            let until = parked.until.map_or_else(
                || "until you say so".to_owned(),
                |at| format!("until {}", stamp(at, &jiff::tz::TimeZone::system())),
            );
            ui::out(format!("  {}  {title}  ({}, {until})", row.id, parked.reason));
            if !parked.detail.is_empty() {
                ui::out(format!("    {}", ui::plain(&parked.detail)));
            }
        }
        Status::Failed { reason } => {
            ui::out(format!("  {}  {title}", row.id));
            ui::out(format!("    {}", ui::plain(reason)));
        }
        Status::Running(_) => {
            let phase = list::note(&Glance::from(row), all).unwrap_or_default();
            ui::out(format!("  {}  {title}  ({phase}, {worked})", row.id));
        }
        Status::Queued { .. } => {
            let waits = waits_for(row, all).unwrap_or_default();
            ui::out(format!("  {}  {title}  (waits for {waits})", row.id));
        }
        Status::Reviewed { .. } | Status::Landed | Status::Cancelled { .. } => {}
    }
}

/// What a queued ticket waits for, in words that stand behind "waits for"; `None`: it is not queued.
fn waits_for(row: &Row, all: &Glances) -> Option<String> {
    let Status::Queued { not_before, .. } = &row.status else { return None };
    let glance = Glance::from(row);
    let dependencies = glance.waits_for(all);
    if !dependencies.is_empty() {
        return Some(dependencies.join(", "));
    }
    let zone = jiff::tz::TimeZone::system();
    Some(not_before.map_or_else(|| "a slot".to_owned(), |at| stamp(at, &zone)))
}

/// What a person would type now.
fn next(rows: &[Row], supervised: bool) -> Vec<String> {
    let first = |is: &dyn Fn(&Row) -> bool| rows.iter().find(|row| is(row)).map(|row| row.id.to_string());
    let mut lines = Vec::new();
    if let Some(id) = first(&|row| matches!(row.status, Status::Blocked(_))) {
        lines.push(format!("autodo answer {id} \"…\""));
    }
    let is_low = |row: &Row| matches!(row.status, Status::NeedsReview) && crate::domain::machine::low_gate(row).is_ok();
    if rows.iter().any(is_low) {
        lines.push("autodo approve-low".to_owned());
    }
    if let Some(id) = first(&|row| matches!(row.status, Status::NeedsReview) && !is_low(row)) {
        lines.push(format!("autodo review {id}, then autodo approve {id} or autodo reject {id} -m \"…\""));
    }
    if let Some(id) = first(&|row| matches!(&row.status, Status::Parked(parked) if parked.until.is_none())) {
        lines.push(format!("autodo show {id}, then autodo resume {id} or autodo retry {id}"));
    }
    if let Some(id) = first(&|row| matches!(row.status, Status::Failed { .. })) {
        lines.push(format!("autodo logs {id}, then autodo retry {id}"));
    }
    let open = first(&|row| matches!(row.status, Status::Queued { .. } | Status::Running(_)));
    if !supervised && open.is_some() {
        lines.push("autodo dispatch (no supervisor runs)".to_owned());
    }
    lines
}
