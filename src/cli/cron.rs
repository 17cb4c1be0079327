//! `dispatch --cron`: nobody is there. Silent where nobody is needed, else one plain page that fits a mail.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use super::{
    bounds::{Bounds, bounds},
    context::Context,
    dispatch::{self, DispatchArgs},
    find, ui,
};
use crate::{
    adapters::machine,
    app::{App, AppError, Exit, api::NewTicket, doctor, hold, intake},
    domain::row::{Row, Status},
    format::{time::stamp, window::Hours},
};

/// Most tickets that the page shows with their words; the others are counted.
const MOST_TICKETS: usize = 8;

/// Most lines of a question or reason on the page, and most columns of a line.
const MOST_LINES: usize = 3;
const COLUMNS: usize = 78;

/// Most lines of errors and notes on the page.
const MOST_SAID: usize = 20;

/// Runs a dispatch with nobody there.
///
/// # Errors
/// None: what goes wrong stands on the page, and the exit code says so.
pub(super) async fn run(context: &Context, args: &DispatchArgs) -> Result<Exit, AppError> {
    ui::hush();
    let came = night(context, args).await;
    let kept = ui::speak();
    let (exit, error) = match came {
        Ok(exit) => (exit, None),
        Err(error) => (error.exit, Some(error)),
    };
    if exit != Exit::Ok {
        let rows = context.app().and_then(|app| Ok((app.user(), find::rows(&app)?)));
        let rows = rows.map(|(_, rows)| rows).unwrap_or_default();
        let now = context.app().map_or_else(|_| String::new(), |app| stamp(app.world.clock.now(), &TimeZone::system()));
        let folder = context.folder().map(|folder| folder.display().to_string()).unwrap_or_default();
        let host = machine::host_name().unwrap_or_else(|| "this machine".to_owned());
        let head = format!("autodo in {folder} on {host}, {now}");
        for line in page(&head, error.as_ref(), &kept, &rows) {
            ui::print(&line);
        }
    }
    Ok(exit)
}

async fn night(context: &Context, args: &DispatchArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let now = app.world.clock.now();
    let limits = match (&args.begins, &args.until) {
        (Some(from), Some(until)) => {
            let hours = Hours::parse(("--from", from), until, args.hard_stop.as_deref()).map_err(|e| {
                AppError::usage(e.to_string()).hint("for example --from 01:00 --until 06:30 --hard-stop 07:30")
            })?;
            match hours.at(now, &TimeZone::system()) {
                Some(night) => Bounds::from(night),
                // A timer that makes up for a missed time, or a reboot by day.
                None => return Ok(Exit::Ok),
            }
        }
        _ => bounds(args, now)?,
    };
    dispatch::work(context, &app, args, limits).await
}

/// What must be mended before a batch of `tickets` and of what is queued may begin; `None`: nothing, or it has begun.
///
/// # Errors
/// The queue or the settings cannot be read.
pub(super) async fn stands_in_the_way(
    context: &Context,
    app: &App,
    tickets: &[NewTicket],
    bounds: Bounds,
) -> Result<Option<Exit>, AppError> {
    let rows = find::rows(app)?;
    let is_known = |new: &&NewTicket| rows.iter().any(|row| row.repo == new.repo && row.source == new.source);
    let new: Vec<&NewTicket> = tickets.iter().filter(|new| !is_known(new)).collect();
    let waits = |row: &&Row| match &row.status {
        Status::Queued { .. } => true,
        Status::Parked(parked) => parked.until.is_some(),
        _ => false,
    };
    let is_over = bounds.starts_nothing(app.world.clock.now());
    let has_begun = rows.iter().any(|row| matches!(row.status, Status::Running(_)));
    let waiting: Vec<&Row> = rows.iter().filter(waits).collect();
    if is_over || (new.is_empty() && (has_begun || waiting.is_empty() || hold::supervisor_runs(app).await)) {
        return Ok(None);
    }
    let (project, settings) = match context.project(app).await {
        Ok(project) => {
            let settings = project.settings.clone();
            (Some(project), settings)
        }
        Err(error) if error.exit == Exit::Usage => (None, intake::settings(app, None, vec![])?),
        Err(error) => return Err(error),
    };
    let root = project.as_ref().map(|project| project.repo.root.clone());
    let is_for_project = !new.is_empty() || waiting.iter().any(|row| Some(&row.repo) == root.as_ref());
    let with = |rows: &[&Row]| -> BTreeSet<String> {
        new.iter().map(|new| new.profile.clone()).chain(rows.iter().map(|row| row.profile.clone())).collect()
    };
    let queued: Vec<&Row> = waiting.iter().copied().filter(|row| matches!(row.status, Status::Queued { .. })).collect();
    let batch = doctor::Batch {
        profiles: with(&waiting),
        starting: with(&queued),
        is_for_project,
        rows: &rows,
        until: bounds.until,
    };
    let found = doctor::preflight(app, project, &settings, &batch).await;
    if found.is_empty() {
        return Ok(None);
    }
    let is_login = found.iter().all(|check| check.name.starts_with("login:"));
    for check in found {
        let what = format!("nothing was started: {}: {}", check.name, check.detail);
        let fix = check.fix.unwrap_or_else(|| "autodo doctor looks again".to_owned());
        ui::error(&AppError::new(what).hint(format!("{fix}; or have it not looked at: preflight.* in the settings")));
    }
    Ok(Some(if is_login { Exit::LoggedOut } else { Exit::Error }))
}

/// The page: why it did not run, what needs a person with what to type, and what else there is to know.
fn page(head: &str, error: Option<&AppError>, kept: &[String], rows: &[Row]) -> Vec<String> {
    let mut lines = vec![head.to_owned()];
    let error = error.map(|error| format!("error: {}\nhint: {}", error.message, error.hint));
    let said: Vec<&str> = error.iter().chain(kept).flat_map(|said| [""].into_iter().chain(said.lines())).collect();
    lines.extend(said.iter().take(MOST_SAID).map(|line| ui::cut(&ui::plain(line), 2 * COLUMNS)));
    if said.len() > MOST_SAID {
        lines.push(format!("… and {} lines more", said.len() - MOST_SAID));
    }
    let needy: Vec<(&Row, &str, String, String)> =
        rows.iter().filter_map(|row| need(row).map(|(w, why, how)| (row, w, why, how))).collect();
    for (row, word, why, how) in needy.iter().take(MOST_TICKETS) {
        lines.push(String::new());
        lines.push(ui::cut(&format!("{word}: {}  {}", row.id, ui::plain(&row.title)), COLUMNS));
        let all = ui::plain_lines(why.trim());
        lines.extend(all.lines().take(MOST_LINES).map(|line| ui::cut(&format!("    {line}"), COLUMNS)));
        if all.lines().count() > MOST_LINES {
            lines.push(format!("    …: autodo show {}", row.id));
        }
        lines.push(format!("  {how}"));
    }
    if let Some(more) = needy.len().checked_sub(MOST_TICKETS).filter(|more| *more > 0) {
        lines.extend([String::new(), format!("and {more} more: autodo summary")]);
    }
    let others: Vec<String> = ["needs_review", "parked", "queued", "running"]
        .iter()
        .map(|word| (word, rows.iter().filter(|row| row.status.word() == *word && need(row).is_none()).count()))
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| format!("{count} {word}"))
        .collect();
    if !others.is_empty() {
        lines.extend([String::new(), format!("besides: {}: autodo summary", others.join(", "))]);
    }
    lines
}

/// Why a ticket needs a person: the word, the words, and what to type.
fn need(row: &Row) -> Option<(&'static str, String, String)> {
    let id = &row.id;
    match &row.status {
        Status::Blocked(blocked) => {
            let how = if blocked.reason == "logged_out" {
                format!("log in, then: autodo resume {id}")
            } else {
                format!("autodo answer {id} \"…\"")
            };
            Some(("blocked", blocked.question.clone(), how))
        }
        Status::Failed { reason } => {
            Some(("failed", reason.clone(), format!("autodo logs {id}, then autodo retry {id}")))
        }
        Status::Parked(parked) if parked.until.is_none() => Some((
            "parked",
            format!("{}: {}", parked.reason, parked.detail),
            format!("autodo show {id}, then autodo resume {id} or autodo retry {id}"),
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;

    #[test]
    fn the_page_fits_a_mail_whatever_has_happened() {
        let failed = |n: usize| Row {
            title: "a long title ".repeat(40),
            status: Status::Failed { reason: format!("it crashed\u{1b}[31m\n{}", "again and again\n".repeat(50)) },
            ..samples::row(&format!("T-{n}"))
        };
        let rows: Vec<Row> = (0..500).map(failed).chain([samples::row("Q-1")]).collect();
        let kept = vec!["error: nothing was started: it\n".repeat(100)];
        let lines = page("autodo in /r on host, now", None, &kept, &rows);
        assert!(lines.len() < 90, "{}", lines.len());
        assert!(lines.iter().all(|line| ui::columns_of(line) <= 2 * COLUMNS && !line.contains('\u{1b}')), "{lines:#?}");
        let text = lines.join("\n");
        assert!(text.contains("autodo retry T-0") && text.contains("and 492 more: autodo summary"), "{text}");
        assert!(text.ends_with("besides: 1 queued: autodo summary"), "{text}");
    }
}
