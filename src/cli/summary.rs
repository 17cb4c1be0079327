//! `autodo summary`: the page for the morning: what waits for a person, with the question itself, and what goes on.

use std::time::Duration;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::{context::Context, find, progress, ui};
use crate::{
    app::{
        App, AppError, Exit, hold, notify,
        summary::{self, Wanted, batch},
    },
    domain::{id::TicketId, row::Row},
    format::time::{parse_duration, parse_stamp},
};

/// How the page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a terminal.
    Text,
    /// Markdown.
    Md,
    /// One HTML file, without scripts.
    Html,
    /// For programs; as --json.
    Json,
}

/// `summary`.
#[derive(Args)]
pub struct SummaryArgs {
    /// Only the project of this folder.
    #[arg(long)]
    here: bool,
    /// What is open, and what has changed since: 12h ago, 22:00, 2026-02-19T22:00:00-0800.
    #[arg(long, value_name = "TIME", conflicts_with = "batch")]
    since: Option<String>,
    /// The tickets of one dispatch, as they stand now: its time as autodo told it, or last.
    #[arg(long, value_name = "BATCH")]
    batch: Option<String>,
    /// How to write it.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    format: Format,
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Prints the page.
///
/// # Errors
/// The queue cannot be read, or there is no such dispatch.
pub async fn run(context: &Context, args: &SummaryArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let repo = match args.here {
        true => Some(context.project(&app).await?.repo.root),
        false => None,
    };
    let now = app.world.clock.now();
    let wanted = Wanted {
        since: args.since.as_deref().map(|text| since(text, now)).transpose()?,
        batch: args.batch.as_deref().map(|text| batch::find(&app.home, text)).transpose()?,
        repo,
        supervised: hold::supervisor_runs(&app).await,
    };
    let (page, notices) = summary::make(&app, &wanted)?;
    for notice in &notices {
        ui::notice(notice);
    }
    match if args.json { Format::Json } else { args.format } {
        Format::Json => ui::json(&summary::json(&page)),
        Format::Md => ui::out_text(&summary::markdown(&page)),
        Format::Html => ui::out_text(&summary::html(&page)),
        Format::Text => {
            let lines = summary::text(&page);
            if lines.is_empty() {
                ui::say("there are no tickets");
                ui::say_hint("autodo add \"title\" takes one; autodo dispatch takes a folder of them and starts");
            }
            lines.iter().for_each(ui::out);
        }
    }
    Ok(Exit::Ok)
}

/// A time that has gone by: a length of time ago, the last time of day, or a full time.
fn since(text: &str, now: Timestamp) -> Result<Timestamp, AppError> {
    let wrong = |why: String| {
        AppError::usage(format!("--since {text:?}: {why}")).hint("for example --since 12h, or --since 22:00")
    };
    if let Ok(at) = parse_stamp(text) {
        return Ok(at);
    }
    if let Ok(seconds) = parse_duration(text) {
        let ago = SignedDuration::try_from(Duration::from_secs(seconds)).map_err(|e| wrong(e.to_string()))?;
        return now.checked_sub(ago).map_err(|e| wrong(e.to_string()));
    }
    // The next such time of day, a day earlier, is the last one.
    let next =
        crate::format::time::clock(text, now, &jiff::tz::TimeZone::system()).map_err(|e| wrong(e.to_string()))?;
    let at = next.checked_sub(SignedDuration::from_hours(24)).map_err(|e| wrong(e.to_string()))?;
    Ok(at)
}

/// A dispatch from its begin to its end, whose page is then written.
pub(super) struct Night {
    began: Timestamp,
    open: Vec<TicketId>,
}

impl Night {
    /// It begins now.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub(super) fn begins(app: &App) -> Result<Self, AppError> {
        let rows = find::rows(app)?;
        let open = rows.into_iter().filter(|row| !row.status.is_over()).map(|row| row.id).collect();
        Ok(Self { began: app.world.clock.now(), open })
    }

    /// It has ended: writes its page and, unless it is to be `quiet`, says what there is and where the page lies. A page
    /// that cannot be written is said, and no reason to fail.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub(super) async fn ends(self, app: &App, quiet: bool) -> Result<(), AppError> {
        let rows = find::rows(app)?;
        if !quiet {
            progress::summary(&rows);
        }
        let is_changed = |row: &&Row| row.changed >= self.began;
        let mut tickets: Vec<TicketId> = rows.iter().filter(is_changed).map(|row| row.id.clone()).collect();
        if tickets.is_empty() {
            return Ok(());
        }
        tickets.extend(self.open);
        match batch::write(app, self.began, tickets) {
            Ok((path, page)) => {
                if !quiet {
                    ui::say(format!("the page of it: {}", path.display()));
                }
                if let Err(error) = notify::page(app, &page, &path).await {
                    ui::notice(&format!("the page was not sent yet: {error}"));
                }
            }
            Err(error) => ui::notice(&format!("the page of this dispatch was not written: {error}")),
        }
        Ok(())
    }
}
