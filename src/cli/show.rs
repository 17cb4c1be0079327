//! Looking at one ticket: `show`, `review`, `diff`, `path`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    ask,
    context::{Context, person_only},
    find, json,
    list::Room,
    report::tier,
    ui,
};
use crate::{
    adapters::fs,
    app::{
        AppError, Exit,
        view::{self, Beside},
    },
    domain::audit,
    domain::{
        id::RunId,
        measured::Measured,
        observed::Observed,
        reconcile::has_agent,
        risk::{Tier, effective},
        row::{Row, Status},
    },
    format::time::{human_duration, stamp},
};

/// One ticket.
#[derive(Args)]
pub struct IdArgs {
    /// Its id, or a unique beginning of it.
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `show`.
#[derive(Args)]
pub struct ShowArgs {
    #[command(flatten)]
    id: IdArgs,
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
}

/// `review`.
#[derive(Args)]
pub struct ReviewArgs {
    #[command(flatten)]
    id: IdArgs,
    /// JSON, for programs.
    #[arg(long)]
    json: bool,
    /// Set the ticket's risk: only a person lowers it.
    #[arg(long, value_name = "[N=]TIER")]
    tier: Option<String>,
    /// Accept the work although its base has moved since.
    #[arg(long)]
    accept_stale: bool,
}

/// `diff`.
#[derive(Args)]
pub struct DiffArgs {
    #[command(flatten)]
    id: IdArgs,
    /// Only count the changes of each file.
    #[arg(long)]
    stat: bool,
}

/// `path`.
#[derive(Args)]
pub struct PathArgs {
    #[command(flatten)]
    id: IdArgs,
    /// The folder with its review, reports and logs instead of the worktree.
    #[arg(long)]
    records: bool,
}

/// The latest run of a ticket, or the one that would be its first.
pub fn run_of(row: &Row) -> RunId {
    RunId { ticket: row.id.clone(), number: row.run.max(1) }
}

/// `show`.
///
/// # Errors
/// There is no such ticket.
pub async fn show(context: &Context, args: &ShowArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let row = find::anywhere(&app, &args.id.id)?;
    let measured = row.run_id().and_then(|run| app.world.files.measured(&run));
    if args.json {
        let beside = Beside { measured, ..Room::of(&app)?.beside(&app, &row) };
        let mut value = view::ticket_with(&row, &beside);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("version".into(), json!(1));
        }
        ui::json(&value);
        return Ok(Exit::Ok);
    }
    let zone = jiff::tz::TimeZone::system();
    let pair = |name: &str, value: String| ui::out(format!("{name:<10} {value}"));
    pair("id", row.id.to_string());
    pair("title", ui::plain(&row.title));
    let reason = audit::reason(&row).map(|r| format!(" ({})", ui::plain(&r))).unwrap_or_default();
    pair("status", format!("{}{reason}", row.status.word()));
    pair("profile", row.profile.clone());
    pair("project", format!("{}  {}", row.project, row.repo.display()));
    if !row.after.is_empty() {
        let after: Vec<&str> = row.after.iter().map(|id| id.as_str()).collect();
        pair("after", after.join(", "));
    }
    pair("created", stamp(row.created, &zone));
    if let Some(started) = row.started {
        pair("started", stamp(started, &zone));
    }
    if let Some(worked) = view::worked_s(&row, app.world.clock.now()) {
        pair("worked", human_duration(worked));
    }
    if row.run > 0 {
        pair("run", format!("{} (launch {})", row.run, row.launch));
        pair("used", row.used_words());
        if let Some(measured) = measured {
            pair("took", measured_words(&measured, has_agent(&row)));
        }
        pair("risk", format!("{} (effective)", row.effective_risk()));
        for (index, source) in row.risk_sources.iter().enumerate() {
            pair("", format!("{}. {}: {}", index + 1, source.tier, ui::plain(&source.why)));
        }
    }
    if row.base_commit.is_some() {
        pair("branch", row.id.branch());
        pair("worktree", row.worktree.display().to_string());
    }
    pair("folder", app.home.ticket(&row.id).display().to_string());
    if row.pane.is_some() {
        pair("session", row.id.session());
    }
    if let Some(why) = Room::of(&app)?.beside(&app, &row).admission {
        pair("waits", format!("the machine has no room: {why}"));
    }
    match &row.status {
        Status::Running(run) => {
            if let Some(why) = &run.unsent {
                pair("not sent", format!("the latest words wait until the agent takes them: {}", ui::plain(why)));
            }
        }
        Status::Blocked(blocked) => {
            let question = ui::plain_lines(&blocked.words());
            for (index, line) in question.lines().enumerate() {
                pair(if index == 0 { "question" } else { "" }, line.to_owned());
            }
            for option in &blocked.options {
                pair("option", ui::plain(option));
            }
            ui::say_hint(&format!("autodo answer {} \"…\"", row.id));
        }
        Status::Parked(parked) => {
            pair("because", ui::plain(&parked.detail));
            if let Some(until) = parked.until {
                pair("until", stamp(until, &zone));
            }
            ui::say_hint(&format!("autodo resume {0} goes on; autodo retry {0} has it worked on again", row.id));
        }
        Status::Failed { .. } => ui::say_hint(&format!("autodo logs {0}, then autodo retry {0}", row.id)),
        Status::NeedsReview => ui::say_hint(&format!("autodo review {0}, then autodo approve {0}", row.id)),
        Status::Queued { .. } | Status::Reviewed { .. } | Status::Landed | Status::Cancelled { .. } => {}
    }
    Ok(Exit::Ok)
}

/// `312 MiB of memory, 480 MiB at most; 2min of processor time`
fn measured_words(measured: &Measured, lives: bool) -> String {
    let now = if lives { format!("{} MiB of memory, ", measured.memory_mb) } else { String::new() };
    let of = if lives { "" } else { " of memory" };
    let time = measured.cpu_ms.div_ceil(1000);
    format!("{now}{} MiB{of} at most; {time} s of processor time", measured.peak_mb)
}

/// `review`.
///
/// # Errors
/// There is no such ticket, or it has not been started.
pub async fn review(context: &Context, args: &ReviewArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let row = find::anywhere(&app, &args.id.id)?;
    if let Some(text) = &args.tier {
        person_only("review --tier")?;
        return ask::set_tier(&app, &row, wanted_tier(&row, text)?).await;
    }
    if args.accept_stale {
        person_only("review --accept-stale")?;
        return ask::accept_stale(&app, &row).await;
    }
    let run = run_of(&row);
    if args.json {
        let tally = app.world.outbox.tally(&run);
        ui::json(&view::review(&row, &tally, &app.world.files.changes(&run)));
        return Ok(Exit::Ok);
    }
    match fs::look_text(&app.home.review(&row.id)) {
        Observed::Present(text) => {
            ui::out_text(&text);
            Ok(Exit::Ok)
        }
        Observed::Absent => Err(AppError::new(format!("{} has no review yet: it is {}", row.id, row.status.word()))
            .hint("autodo dispatch starts it")),
        Observed::Unknown(why) => Err(AppError::new(why).hint("autodo doctor looks at the home")),
    }
}

/// The tier of the whole ticket that `text` asks for: `low` is that of the whole, `2=low` is that of its second source of
/// risk, as `show` numbers them; the others stand.
fn wanted_tier(row: &Row, text: &str) -> Result<Tier, AppError> {
    let (number, word) = text.split_once('=').map_or((None, text), |(number, word)| (Some(number), word));
    let tier =
        tier(word).map_err(|why| AppError::usage(format!("--tier {text:?}: {why}")).hint("for example --tier low"))?;
    let Some(number) = number else { return Ok(tier) };
    let mut sources = row.risk_sources.clone();
    let source = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).and_then(|n| sources.get_mut(n));
    let Some(source) = source else {
        return Err(AppError::usage(format!("--tier {text:?}: {} has no source of risk {number}", row.id))
            .hint(format!("autodo show {} numbers them; --tier {word} is for the ticket as a whole", row.id)));
    };
    source.tier = tier;
    Ok(effective(&sources).max(row.risk_summary.maximum()))
}

/// `diff`.
///
/// # Errors
/// There is no such ticket, or no work of it.
pub async fn diff(context: &Context, args: &DiffArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let row = find::anywhere(&app, &args.id.id)?;
    let Some(base) = &row.base_commit else {
        return Err(AppError::new(format!("{} has no work yet: it is {}", row.id, row.status.word()))
            .hint("autodo dispatch starts it"));
    };
    // After a merge the branch may be gone; its commits are not.
    let branch = row.id.branch();
    let head = match app.world.worktrees.tip(row.repo.clone(), row.id.clone()).await {
        Observed::Absent => row.proof.as_ref().and_then(|p| p.head.clone()).unwrap_or(branch),
        Observed::Present(_) | Observed::Unknown(_) => branch,
    };
    let text =
        app.git.diff(&row.repo, base, &head, ui::is_terminal() && !json::is_on(), args.stat).await.map_err(|e| {
            AppError::new(e.to_string()).hint("its branch may have been deleted: git branch --list 'autodo/*'")
        })?;
    if json::is_on() {
        let stat = args.stat;
        let value = json!({ "version": 1, "id": row.id, "base": base, "head": head, "stat": stat, "text": text });
        json::document(&value);
        return Ok(Exit::Ok);
    }
    ui::out_text(&text);
    Ok(Exit::Ok)
}

/// `path`.
///
/// # Errors
/// There is no such ticket.
pub async fn path(context: &Context, args: &PathArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let row = find::anywhere(&app, &args.id.id)?;
    let path: PathBuf = if args.records { app.home.ticket(&row.id) } else { row.worktree };
    if json::is_on() {
        json::document(&json!({ "version": 1, "id": row.id, "path": path.to_string_lossy() }));
        return Ok(Exit::Ok);
    }
    ui::out(path.display().to_string());
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_argument_of_a_verb_takes_the_place_of_a_global_one() {
        let command = crate::cli::command();
        let globals: BTreeSet<_> = command.get_arguments().filter(|a| a.is_global_set()).map(|a| a.get_id()).collect();
        assert!(!globals.is_empty());
        for verb in command.get_subcommands() {
            let taken: Vec<_> = verb.get_arguments().map(|a| a.get_id()).filter(|id| globals.contains(id)).collect();
            assert!(taken.is_empty(), "{}: {taken:?}", verb.get_name());
        }
    }
}
