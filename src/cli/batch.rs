//! `batch`: has a night begin by itself, shows what is installed, and takes it away.

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{
    context::{Context, person_only},
    ui,
};
use crate::{
    adapters::env,
    app::{
        AppError, Exit,
        batch::{self, Batch, Kind, Wish},
        hold,
    },
    format::{
        money,
        time::{parse_duration, stamp},
    },
};

/// `batch`.
#[derive(Args)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct BatchArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Have this project's tickets worked on every night, by cron or systemd.
    Install(InstallArgs),
    /// List the installed batches, and what would keep them from their work.
    Status(StatusArgs),
    /// Let this project have no nights of its own any more.
    Remove(RemoveArgs),
}

/// `batch install`.
#[derive(Args)]
struct InstallArgs {
    /// When it begins, every night: a time of day such as 01:00.
    #[arg(long, value_name = "TIME")]
    at: String,
    /// Start nothing after this time of day.
    #[arg(long, value_name = "TIME")]
    until: String,
    /// Stop every agent that still lives at this time of day; the next night goes on.
    #[arg(long, value_name = "TIME")]
    hard_stop: Option<String>,
    /// Start nothing more once so much is spent in a night, in US dollars; stop what runs at a tenth more.
    #[arg(long, value_name = "USD", value_parser = money::parse_usd)]
    budget: Option<u64>,
    /// How many tickets at once.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    parallel: Option<u32>,
    /// Longest time one run of a newly queued ticket may work, such as 90m.
    #[arg(long, value_name = "TIME")]
    limit: Option<String>,
    /// Give it this variable, too, as it is set now; it can be read in what is installed. May be repeated.
    #[arg(long = "env", value_name = "NAME")]
    variables: Vec<String>,
    /// By units of your own systemd.
    #[arg(long, conflicts_with = "cron")]
    systemd: bool,
    /// By your crontab.
    #[arg(long)]
    cron: bool,
    /// Only print what would be installed.
    #[arg(long)]
    dry_run: bool,
}

/// `batch status`.
#[derive(Args)]
struct StatusArgs {
    /// Only that of this project.
    #[arg(long)]
    here: bool,
}

/// `batch remove`.
#[derive(Args)]
struct RemoveArgs {
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// `batch`.
///
/// # Errors
/// The hours are wrong, or crontab or systemd do not do as they should.
pub async fn run(context: &Context, args: &BatchArgs) -> Result<Exit, AppError> {
    match &args.what {
        What::Install(args) => install(context, args).await,
        What::Status(args) => status(context, args).await,
        What::Remove(args) => remove(context, args).await,
    }
}

async fn install(context: &Context, args: &InstallArgs) -> Result<Exit, AppError> {
    person_only("batch install")?;
    let app = context.app()?;
    let project = context.project(&app).await?;
    let mut more = Vec::new();
    if let Some(budget) = args.budget {
        more.extend(["--budget".to_owned(), money::exact(budget)]);
    }
    if let Some(parallel) = args.parallel {
        more.extend(["--parallel".to_owned(), parallel.to_string()]);
    }
    if let Some(limit) = &args.limit {
        parse_duration(limit)
            .map_err(|e| AppError::usage(format!("--limit {limit:?}: {e}")).hint("for example --limit 90m"))?;
        more.extend(["--limit".to_owned(), limit.clone()]);
    }
    let wish = Wish {
        at: args.at.clone(),
        until: args.until.clone(),
        hard_stop: args.hard_stop.clone(),
        more,
        variables: args.variables.clone(),
    };
    let plan = batch::plan(&app, &project, &wish)?;
    let kind = match (args.systemd, args.cron) {
        (true, _) => Kind::Systemd,
        (false, true) => Kind::Cron,
        (false, false) => batch::usual_kind().await?,
    };
    if args.dry_run {
        for line in batch::shown(&plan, kind) {
            ui::did(None, "would install", line);
        }
        return Ok(Exit::Ok);
    }
    let notes = batch::install(&app, &plan, kind).await?;
    let next = plan.next(app.world.clock.now()).map_or_else(|| "?".to_owned(), |at| stamp(at, &TimeZone::system()));
    let line = format!("installed by {}: {} begins next at {next}", kind.word(), plan.project);
    ui::did(None, "installed", line);
    for note in notes {
        ui::notice(&note);
    }
    if env::var("TZ").is_some() {
        ui::notice("TZ is set here, and is not where it begins: its hours are those of the machine");
    }
    ui::say_hint("autodo batch status looks at it; autodo doctor at what would go wrong");
    Ok(Exit::Ok)
}

async fn status(context: &Context, args: &StatusArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let (mut all, errors) = batch::installed().await;
    if args.here {
        let project = context.project(&app).await?;
        all.retain(|batch| std::path::Path::new(&batch.project) == project.repo.root);
    }
    let now = app.world.clock.now();
    let next = |batch: &Batch| batch.next(now).map(|at| stamp(at, &TimeZone::system()));
    let runs = hold::supervisor_runs(&app).await;
    let mut exits: Vec<Exit> = errors.iter().map(|error| error.exit).collect();
    let mut told: Vec<Value> = Vec::new();
    for batch in &all {
        let troubles = batch::troubles(batch).await;
        let hours = batch.note.as_ref();
        if !super::json::is_on() {
            let until = hours.map(|note| format!("{} until {}", note.at, note.until)).unwrap_or_default();
            let stop = hours.and_then(|note| note.hard_stop.clone());
            let stop = stop.map(|stop| format!(", hard stop {stop}")).unwrap_or_default();
            ui::out(format!("{}  {}  {until}{stop}", batch.project, batch.kind.word()));
            ui::out(format!("    next: {}", next(batch).unwrap_or_else(|| "not known".to_owned())));
            ui::out(format!("    {}", batch.command));
            for trouble in &troubles {
                ui::out(format!("    trouble: {trouble}"));
            }
        }
        if !troubles.is_empty() {
            exits.push(Exit::Error);
        }
        told.push(json!({
            "project": batch.project, "by": batch.kind.word(), "at": hours.map(|note| &note.at),
            "until": hours.map(|note| &note.until), "hard_stop": hours.and_then(|note| note.hard_stop.as_ref()),
            "next": next(batch), "command": batch.command, "troubles": troubles,
        }));
    }
    if super::json::is_on() {
        ui::json(&json!({ "version": 1, "batches": told, "supervisor_runs": runs }));
    } else if all.is_empty() && errors.is_empty() {
        ui::say("no batch is installed");
        ui::say_hint("autodo batch install --at 01:00 --until 06:30 installs one for this project");
    } else if runs {
        ui::say("a supervisor runs now");
    }
    for error in &errors {
        ui::error(error);
    }
    Ok(Exit::first_of(exits.into_iter().chain([Exit::Ok])))
}

async fn remove(context: &Context, args: &RemoveArgs) -> Result<Exit, AppError> {
    person_only("batch remove")?;
    let app = context.app()?;
    let project = context.project(&app).await?.repo.root.display().to_string();
    if args.dry_run {
        let (all, errors) = batch::installed().await;
        for batch in all.iter().filter(|batch| batch.project == project) {
            ui::did(None, "would remove", format!("would remove the batch of {project} from {}", batch.kind.word()));
        }
        errors.iter().for_each(ui::error);
        return Ok(Exit::first_of(errors.iter().map(|error| error.exit).chain([Exit::Ok])));
    }
    let gone = batch::remove(&project).await?;
    for kind in &gone {
        ui::did(None, "removed", format!("removed the batch of {project} from {}", kind.word()));
    }
    if gone.is_empty() {
        ui::say(format!("no batch is installed for {project}"));
    } else if hold::supervisor_runs(&app).await {
        ui::say("a supervisor runs now: it goes on to its end");
        ui::say_hint("autodo drain lets it start nothing more");
    }
    Ok(Exit::Ok)
}
