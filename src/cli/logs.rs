//! `autodo logs`: what a ticket's agent has written, its audit trail, its checks; once, or as they grow.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    context::Context,
    find, json,
    show::{IdArgs, run_of},
    ui,
};
use crate::{
    adapters::fs,
    app::{App, AppError, Exit},
    domain::{id::RunId, observed::Observed, row::Row},
};

mod checks;
mod follow;
mod growing;
mod tail;

/// Lines of scrollback that are looked at, where the log is not followed.
const SCROLLBACK: u32 = 5_000;

/// Lines that a follower begins with, where nothing else is said.
const BEGIN: usize = 20;

/// Longest log of a check that is shown, in bytes; of a longer one the end.
const CHECK_BYTES: usize = 1024 * 1024;

/// `logs`.
#[derive(Args)]
pub struct LogsArgs {
    #[command(flatten)]
    id: IdArgs,
    /// Go on as it grows, through further launches and runs, until nobody works on the ticket any more.
    #[arg(short = 'f', long)]
    follow: bool,
    /// Only the last lines; with -f those before what is to come [default with -f: 20].
    #[arg(short = 'n', long, value_name = "LINES")]
    lines: Option<usize>,
    /// The audit trail: one JSON object a line.
    #[arg(long, conflicts_with = "checks")]
    events: bool,
    /// The log of the checks.
    #[arg(long)]
    checks: bool,
}

/// What is shown of a ticket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Screen,
    Events,
    Checks,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Events => "events",
            Self::Checks => "checks",
        }
    }
}

/// Runs it.
///
/// # Errors
/// There is no such ticket, or nothing was kept of it.
pub async fn run(context: &Context, args: &LogsArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let row = find::anywhere(&app, &args.id.id)?;
    if args.follow {
        json::lines();
    }
    let what = match (args.events, args.checks) {
        (true, _) => What::Events,
        (false, true) => What::Checks,
        (false, false) => What::Screen,
    };
    if args.follow && !follow::is_over(&row) {
        return follow::run(&app, row, what, args.lines.unwrap_or(BEGIN)).await;
    }
    let text = match what {
        What::Events => events(&app, &row)?,
        What::Checks => checks(&app, &row)?,
        What::Screen => screen(&app, &row).await?,
    };
    // A screen is as high as its pane; the rows below the last one that was used say nothing.
    let text = text.trim_end();
    let text = match args.lines.or(args.follow.then_some(BEGIN)) {
        Some(lines) => last_lines(text, lines),
        None => text,
    };
    if json::is_on() && args.follow {
        put(text);
    } else if json::is_on() {
        let lines: Vec<&str> = text.lines().collect();
        json::document(&json!({ "version": 1, "id": row.id, "what": what.word(), "lines": lines }));
    } else if !text.is_empty() {
        ui::out(text);
    }
    Ok(Exit::Ok)
}

/// The last `count` lines of `text`.
fn last_lines(text: &str, count: usize) -> &str {
    let Some(last) = count.checked_sub(1) else { return "" };
    let begin = text.trim_end_matches('\n').rmatch_indices('\n').nth(last).map_or(0, |(at, _)| at + 1);
    &text[begin..]
}

/// Writes whole lines.
fn put(text: &str) {
    if !text.is_empty() {
        if json::is_on() {
            for line in text.lines() {
                json::line(&json!({ "version": 1, "line": line }).to_string());
            }
            return;
        }
        ui::out_text(text);
    }
}

fn events(app: &App, row: &Row) -> Result<String, AppError> {
    fs::read_to_string(&app.home.events(&row.id))
        .map_err(|e| AppError::new(e.to_string()).hint("autodo show tells where it is"))
}

fn checks(app: &App, row: &Row) -> Result<String, AppError> {
    let checks = row.proof.as_ref().map_or(&[][..], |p| &p.checks);
    if checks.is_empty() && row.proof.is_some() {
        return Err(AppError::new(format!("no checks of {} were run", row.id))
            .hint(format!("autodo review {} says why", row.id)));
    }
    if checks.is_empty() {
        return Err(AppError::new(format!("no checks of {} have ended yet", row.id))
            .hint(format!("autodo show {0} tells where it is; autodo logs --checks -f {0} waits for them", row.id)));
    }
    let mut text = String::new();
    for check in checks {
        text.push_str(&format!("$ {}   # {}, {} ms\n", check.command, check.end, check.took_ms));
        text.push_str(&app.world.files.tail(&row.id, &check.log, CHECK_BYTES));
    }
    Ok(text)
}

async fn screen(app: &App, row: &Row) -> Result<String, AppError> {
    if let Some(pane) = &row.pane
        && let Observed::Present(text) = app.world.terminal.scrollback(pane.clone(), SCROLLBACK).await
    {
        return Ok(text);
    }
    let run = run_of(row);
    let last = (1..=row.launch.max(1))
        .rev()
        .map(|launch| kept_screen(app, &run, launch))
        .find(|path| matches!(fs::look_text(path), Observed::Present(_)));
    match last {
        Some(path) => {
            fs::read_to_string(&path).map_err(|e| AppError::new(e.to_string()).hint("autodo doctor looks at the home"))
        }
        None => Err(AppError::new(format!("no screen of {} was kept: it is {}", row.id, row.status.word()))
            .hint(format!("autodo logs {} --events shows what happened", row.id))),
    }
}

/// Where the last screen of a launch is kept.
fn kept_screen(app: &App, run: &RunId, launch: u32) -> PathBuf {
    app.home.run_dir(run).join("screens").join(format!("{launch}.txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_as_many_as_asked_for() {
        for (text, count, wanted) in [
            ("a\nb\nc", 2, "b\nc"),
            ("a\nb\nc\n", 2, "b\nc\n"),
            ("a\nb\nc", 0, ""),
            ("a\nb\nc", 3, "a\nb\nc"),
            ("a\nb\nc", 9, "a\nb\nc"),
            ("a\n\nc", 2, "\nc"),
            ("", 2, ""),
        ] {
            assert_eq!(last_lines(text, count), wanted, "{text:?} {count}");
        }
    }
}
