//! `autodo list`: the queue at a glance.

use clap::Args;
use serde_json::json;

use super::{context::Context, find, ui};
use crate::{
    adapters::store,
    app::{App, AppError, Exit, view},
    domain::{
        glance::{Glance, Glances},
        row::Row,
    },
    format::time::{human_duration, stamp},
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
    let here = if args.here { Some(context.project(&app).await?.repo.root) } else { None };
    if args.json {
        let mut rows = find::rows(&app)?;
        if args.all {
            rows.extend(archived(&app)?);
        }
        rows.retain(|row| here.as_ref().is_none_or(|here| row.repo == *here));
        rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        ui::json(&json!({ "version": 1, "tickets": rows.iter().map(view::ticket).collect::<Vec<_>>() }));
        return Ok(Exit::Ok);
    }
    let (mut glances, notices) = store::read_glances(&app.home)?;
    for notice in &notices {
        ui::notice(notice);
    }
    if args.all {
        glances.extend(archived(&app)?.iter().map(Glance::from));
        glances.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    }
    // What a ticket waits for may be of any project.
    let all: Glances = glances.iter().map(|glance| (glance.id.clone(), glance.clone())).collect();
    let here = here.map(|here| here.to_string_lossy().into_owned());
    glances.retain(|glance| here.as_ref().is_none_or(|here| glance.repo == *here));
    if glances.is_empty() {
        ui::say("there are no tickets yet");
        ui::say_hint("autodo add \"title\" takes one; autodo dispatch takes a folder of them and starts");
        return Ok(Exit::Ok);
    }
    show(&glances, &all, app.world.clock.now());
    Ok(Exit::Ok)
}

fn archived(app: &App) -> Result<Vec<Row>, AppError> {
    let (rows, notices) = store::read_archive(&app.home)?;
    for notice in &notices {
        ui::notice(notice);
    }
    Ok(rows)
}

/// Prints a line for each ticket; where there are several projects, grouped by them.
fn show(glances: &[Glance], all: &Glances, now: jiff::Timestamp) {
    let mut shown: Vec<&Glance> = glances.iter().collect();
    let several = shown.iter().any(|glance| glance.repo != shown[0].repo);
    let width = shown.iter().map(|glance| glance.id.as_str().len()).max().unwrap_or(0).max(4);
    if several {
        shown.sort_by(|a, b| (&a.repo, a.created, &a.id).cmp(&(&b.repo, b.created, &b.id)));
    }
    let columns = ui::width();
    let cut = |line: String| columns.map_or_else(|| line.clone(), |columns| ui::cut(&line, columns));
    let mut repo: Option<&str> = None;
    let mut lines = String::new();
    for glance in shown {
        if several && repo != Some(&glance.repo) && ui::is_terminal() {
            lines.push_str(&ui::plain(&format!("{}  {}", glance.project, glance.repo)));
            lines.push('\n');
            repo = Some(&glance.repo);
        }
        lines.push_str(&cut(line(glance, all, width, now)));
        lines.push('\n');
    }
    ui::out(lines.trim_end_matches('\n'));
}

/// `auto-20260219-143022  needs_review  42min  3L 1M 0H  Refactor resolve.py`
fn line(glance: &Glance, all: &Glances, width: usize, now: jiff::Timestamp) -> String {
    let worked = glance.worked(now).map_or_else(|| "-".to_owned(), human_duration);
    let risk = glance.risk;
    let counts = format!("{}L {}M {}H", risk.low, risk.medium, risk.high);
    let title = ui::plain(&glance.title);
    let note = note(glance, all).map(|note| format!("  ({note})")).unwrap_or_default();
    // Behind what other programs read.
    let cost = glance.cost.as_ref().map(|cost| format!("  {cost}")).unwrap_or_default();
    let (id, status) = (&glance.id, &glance.status);
    format!("{id:<width$}  {status:<12}  {worked:>6}  {counts:<10}  {title}{note}{cost}")
}

/// What else a person should know of a ticket: why it is where it is.
#[must_use]
pub fn note(glance: &Glance, all: &Glances) -> Option<String> {
    let waits = if glance.status == "queued" { glance.waits_for(all) } else { Vec::new() };
    match (&glance.note, glance.until) {
        _ if !waits.is_empty() => Some(format!("after {}", waits.join(", "))),
        (Some(note), Some(until)) => {
            Some(format!("{} until {}", ui::plain(note), stamp(until, &jiff::tz::TimeZone::system())))
        }
        (Some(note), None) => Some(ui::plain(note)),
        (None, _) => None,
    }
}
