//! `autodo doctor`: what would go wrong at night, and what to do about it.

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde_json::json;

use super::{context::Context, ui};
use crate::app::{
    AppError, Exit,
    doctor::{self, Check, Health, Report},
    open::home_folder,
};

/// `doctor`.
#[derive(Args)]
pub struct DoctorArgs {
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// Looks at everything. Exits with 1 if something must be mended.
///
/// # Errors
/// The home's place cannot be told.
pub async fn run(context: &Context, args: &DoctorArgs) -> Result<Exit, AppError> {
    let report = doctor::run(&home_folder(context.home.clone())?, &context.folder()?).await?;
    if args.json {
        ui::json(&json!({
            "version": 1,
            "tmux_socket": report.tmux_socket,
            "tmux_sockets": [report.tmux_socket],
            "supervisor_socket": report.supervisor_socket,
            "checks": report.checks,
        }));
    } else {
        print(&report);
    }
    Ok(if report.worst() == Health::Fail { Exit::Error } else { Exit::Ok })
}

fn print(report: &Report) {
    let width = report.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in &report.checks {
        ui::out(line(check, width));
        if let Some(fix) = &check.fix {
            ui::out(format!("      {:width$}  fix: {fix}", ""));
        }
    }
    if report.project.is_none() && !report.checks.iter().any(|check| check.name == "project") {
        ui::say("this is no project: its settings, signing, hooks and worktrees were left out");
    }
    let count = |status: Health| report.checks.iter().filter(|check| check.status == status).count();
    match (count(Health::Fail), count(Health::Warn)) {
        (0, 0) => ui::say("all is well"),
        (0, warn) => ui::say(format!("{warn} to know about, none in the way")),
        (fail, warn) => ui::say(format!("{fail} to mend, {warn} to know about")),
    }
}

fn line(check: &Check, width: usize) -> String {
    let color = match check.status {
        Health::Ok => AnsiColor::Green,
        Health::Warn => AnsiColor::Yellow,
        Health::Fail => AnsiColor::Red,
    };
    let style = Style::new().fg_color(Some(color.into()));
    let gap = format!("\n      {:width$}  ", "");
    let detail = check.detail.lines().map(ui::plain).collect::<Vec<_>>().join(&gap);
    format!("{style}{:<4}{style:#}  {:<width$}  {detail}", check.status.word(), check.name)
}
