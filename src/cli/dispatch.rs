//! `dispatch`: takes a backlog, works through it, and says how it went.

use std::{collections::BTreeSet, time::Duration};

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use tokio::time::Instant;

use super::{
    add::{self, BacklogArgs},
    bounds::{Bounds, bounds},
    context::{Context, meet},
    cron, detach, follow, plan, progress, ui,
};
use crate::{
    adapters::{fs, machine, store::Lock},
    app::{
        App, AppError, Exit,
        api::{ApiReply, ApiRequest, open_ids},
        dispatch::{Ended, Goal, Job, no_room, supervise},
        hold, intake,
    },
    config::{Flag, Settings},
    domain::{
        admission::Least,
        budget::Pot,
        id::TicketId,
        observed::Observed,
        row::{Row, Status},
        schedule,
    },
    format::time::stamp,
};

/// How long a dispatch waits for another command's lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// `dispatch`.
#[derive(Args)]
pub struct DispatchArgs {
    #[command(flatten)]
    pub from: BacklogArgs,
    /// How many tickets at once.
    #[arg(long, value_name = "N")]
    pub parallel: Option<u32>,
    /// Least time between two starts, such as 5s.
    #[arg(long, value_name = "TIME")]
    pub stagger: Option<String>,
    /// Longest time one run of a newly queued ticket may work, such as 90m.
    #[arg(long, value_name = "TIME")]
    pub limit: Option<String>,
    /// Start nothing after this time: 06:30, or 2h from now.
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Stop every agent that still lives at this time, as stop does: 07:30, or 8h from now. The next dispatch goes on.
    #[arg(long, value_name = "TIME")]
    pub hard_stop: Option<String>,
    /// Nobody is there: look first whether all is ready, print nothing unless a person is needed, and then one page.
    #[arg(long, conflicts_with_all = ["detach", "json", "dry_run"])]
    pub cron: bool,
    /// With --cron: do nothing outside of the hours from this time of day until --until, or --hard-stop.
    #[arg(long = "from", value_name = "TIME", requires_all = ["cron", "until"])]
    pub begins: Option<String>,
    /// Start at most so many tickets.
    #[arg(long, value_name = "N")]
    pub max: Option<u32>,
    /// Start nothing more once so much is spent, in US dollars; stop what runs at a tenth more.
    #[arg(long, value_name = "USD", value_parser = crate::format::money::parse_usd)]
    pub budget: Option<u64>,
    /// Go on in the background, outside this terminal.
    #[arg(long)]
    pub detach: bool,
    /// Print the audit lines of all tickets as they happen, as JSON.
    #[arg(long)]
    pub json: bool,
    /// Only say what would be done.
    #[arg(long)]
    pub dry_run: bool,
    /// Take no tickets: only work on what is queued.
    #[arg(long, hide = true)]
    pub no_intake: bool,
}

/// `dispatch`.
///
/// # Errors
/// The tickets are wrong, or the supervisor could not run.
pub async fn dispatch(context: &Context, args: &DispatchArgs) -> Result<Exit, AppError> {
    if args.cron {
        return cron::run(context, args).await;
    }
    let app = context.app()?;
    work(context, &app, args, bounds(args, app.world.clock.now())?).await
}

/// Takes the tickets, works through them, and says how it went.
pub(super) async fn work(context: &Context, app: &App, args: &DispatchArgs, bounds: Bounds) -> Result<Exit, AppError> {
    if args.parallel == Some(0) {
        return Err(AppError::usage("--parallel 0 would start nothing").hint("for example --parallel 2"));
    }
    let (settings, tickets, wrong) = intake(context, app, args).await?;
    if args.dry_run {
        let new = plan::intake(app, &tickets, args.from.again)?;
        plan::order(app, new, parallel(&settings), args.max)?;
        if let Some(why) = no_room(app, least(&settings)) {
            ui::notice(&format!("now nothing would be started: {why}"));
        }
        return Ok(if wrong { Exit::Usage } else { Exit::Ok });
    }
    if !args.detach {
        super::json::lines();
    }
    // Named tickets are what the exit code is about; else all that is not finished.
    let named = !args.from.paths.is_empty() || args.from.backlog.is_some();
    let mut mine: Option<BTreeSet<TicketId>> = named.then(BTreeSet::new);
    let mut exits = vec![if wrong { Exit::Usage } else { Exit::Ok }];
    if args.cron
        && let Some(exit) = cron::stands_in_the_way(context, app, &tickets, bounds).await?
    {
        return Ok(exit);
    }
    if !tickets.is_empty() {
        let met = meet(app, vec![ApiRequest::Accept { tickets, again: args.from.again, start: true }]).await?;
        for reply in &met.replies {
            super::context::accepted(reply)?;
            if let ApiReply::Accepted { tickets } = reply {
                exits.push(add::say_acceptances(tickets, args.json));
                if let Some(mine) = &mut mine {
                    mine.extend(tickets.iter().map(|ticket| ticket.id().clone()));
                }
                if met.by_supervisor {
                    ui::say("a supervisor runs already: it takes them over");
                    if args.parallel.is_some()
                        || args.until.is_some()
                        || args.max.is_some()
                        || args.stagger.is_some()
                        || args.budget.is_some()
                        || args.hard_stop.is_some()
                    {
                        ui::notice("it keeps its own --parallel, --stagger, --until, --hard-stop, --max and --budget");
                    }
                    let ids = open_ids(tickets);
                    // Who fires it again at night wants it done, and not to wait beside it.
                    if !args.detach && !args.cron {
                        exits.push(follow::follow(app, ids, args.json).await?);
                    }
                    return Ok(Exit::first_of(exits));
                }
            }
        }
    }
    if args.detach {
        exits.push(detach::detach(app, context, args).await?);
        return Ok(Exit::first_of(exits));
    }
    let job = Job {
        until: Goal::Idle { deadline: bounds.until },
        parallel: parallel(&settings),
        stagger_s: settings.stagger.value.0,
        only: None,
        max: args.max,
        budget: args.budget,
        keep_blocked: settings.keep_blocked.value,
        hard_stop: bounds.hard_stop,
        least: least(&settings),
        measured: settings.admission_measured.value,
        unattended: args.cron,
        logins_since: app.world.clock.now(),
    };
    if !args.json {
        ui::say(format!("sessions: {}", app.tmux.list_plain()));
        ui::say(format!("one of them: {} (or: autodo attach ID)", app.tmux.attach_any_plain()));
    }
    let Some(lock) = lock_or_follow(app).await? else {
        // A supervisor got there first: its tickets are these tickets.
        ui::say("a supervisor runs already: it goes on with what is queued");
        if args.cron {
            return Ok(Exit::first_of(exits));
        }
        let ids = super::find::rows(app)?.into_iter().filter(is_open).map(|row| row.id).collect();
        exits.push(follow::follow(app, ids, args.json).await?);
        return Ok(Exit::first_of(exits));
    };
    let night = super::summary::Night::begins(app)?;
    let ended = run(app, job, args.json, mine.as_ref(), &lock).await?;
    exits.push(ended.1);
    if ended.0 == Ended::Interrupted {
        exits.push(Exit::Interrupted);
        say_left(app);
    }
    night.ends(app, args.json || ended.0 == Ended::Interrupted).await?;
    Ok(Exit::first_of(exits))
}

/// Something is still to be done for it, by an agent or by a person.
fn is_unfinished(row: &Row) -> bool {
    is_open(row) || matches!(row.status, Status::Blocked(_) | Status::Parked(_))
}

pub(super) fn is_open(row: &Row) -> bool {
    matches!(row.status, Status::Queued { .. } | Status::Running(_))
}

async fn intake(
    context: &Context,
    app: &App,
    args: &DispatchArgs,
) -> Result<(Settings, Vec<crate::app::api::NewTicket>, bool), AppError> {
    let flags = flags(args);
    let named = !args.from.paths.is_empty() || args.from.backlog.is_some();
    let project = match context.project_with(app, flags.clone()).await {
        Ok(project) => project,
        // Outside a project what is queued can be worked on all the same.
        Err(error) if named || error.exit != Exit::Usage => return Err(error),
        Err(error) => {
            if super::find::rows(app)?.is_empty() {
                return Err(error);
            }
            return Ok((intake::settings(app, None, flags)?, vec![], false));
        }
    };
    if args.no_intake {
        return Ok((project.settings, vec![], false));
    }
    let default = intake::default_backlog(&project.repo.root);
    if !named && !matches!(fs::look_kind(&default), Observed::Present(_)) {
        if super::find::rows(app)?.is_empty() {
            return Err(AppError::usage(format!("there are no tickets: {} is not there", default.display()))
                .hint("autodo init makes it; or name tickets: autodo dispatch FILE…; or: autodo add \"title\""));
        }
        return Ok((project.settings, vec![], false));
    }
    // One ticket that is wrong must not cost the night of the others.
    let from = BacklogArgs { keep_going: args.from.keep_going || args.cron, ..args.from.clone() };
    let (tickets, wrong) = add::backlog(app, &project, &from).await?;
    Ok((project.settings, tickets, wrong))
}

fn flags(args: &DispatchArgs) -> Vec<Flag> {
    let mut flags = Vec::new();
    if let Some(parallel) = args.parallel {
        flags.push(Flag { flag: "--parallel".into(), name: "parallel".into(), text: parallel.to_string() });
    }
    if let Some(limit) = &args.limit {
        flags.push(Flag { flag: "--limit".into(), name: "limits.run".into(), text: limit.clone() });
    }
    if let Some(stagger) = &args.stagger {
        flags.push(Flag { flag: "--stagger".into(), name: "stagger".into(), text: stagger.clone() });
    }
    flags
}

/// How many at once: as set, else one for each core and each 4 GB of free memory, at least one and at most four.
pub(super) fn parallel(settings: &Settings) -> u32 {
    settings.parallel.value.unwrap_or_else(|| {
        let cores = machine::cores();
        let by_memory = machine::free_memory_mb().map_or(cores, |mb| u32::try_from(mb / 4_096).unwrap_or(u32::MAX));
        cores.min(by_memory).clamp(1, 4)
    })
}

/// What must be free for each start.
pub(super) fn least(settings: &Settings) -> Least {
    let mb = |number: u32| u64::from(number);
    Least { memory_mb: mb(settings.admission_memory_mb.value), disk_mb: mb(settings.admission_disk_mb.value) }
}

/// The lock, or nothing where a supervisor runs. A command that holds it is waited for.
async fn lock_or_follow(app: &App) -> Result<Option<Lock>, AppError> {
    let end = Instant::now() + LOCK_WAIT;
    loop {
        match app.lock(Duration::from_millis(200)) {
            Ok(lock) => return Ok(Some(lock)),
            Err(error) if error.exit != Exit::Locked => return Err(error),
            Err(_) if hold::supervisor_runs(app).await => return Ok(None),
            Err(error) if Instant::now() >= end => return Err(error),
            Err(_) => {}
        }
    }
}

/// Runs a supervisor; the exit code is about `mine` and what else is worked on, or else about all that was not finished
/// when it began.
pub(super) async fn run(
    app: &App,
    job: Job,
    json: bool,
    mine: Option<&BTreeSet<TicketId>>,
    lock: &Lock,
) -> Result<(Ended, Exit), AppError> {
    let (queue, notices) = app.queue(lock)?;
    for notice in &notices {
        ui::notice(notice);
    }
    let observer = progress::observer(queue.rows(), json);
    let counts = |row: &&Row| match mine {
        Some(mine) => is_open(row) || mine.contains(&row.id),
        None => is_unfinished(row),
    };
    let (is_unattended, logins_since) = (job.unattended, job.logins_since);
    let pot = job.budget.map(|budget| Pot::new(budget, queue.rows()));
    let counted: BTreeSet<TicketId> = queue.rows().values().filter(counts).map(|row| row.id.clone()).collect();
    let ended = supervise(app, queue, job, vec![observer.0], lock).await;
    observer.1.finish();
    let (queue, ended) = ended?;
    say_held(queue.rows(), app.world.clock.now());
    say_logged_out(queue.rows(), logins_since);
    if is_unattended {
        say_attended(app, queue.rows());
    }
    if let Some(pot) = &pot {
        progress::say_budget(pot, queue.rows(), &counted);
    }
    Ok((ended, exit_of(queue.rows().values().filter(|row| counted.contains(&row.id)))))
}

/// The exit code that the states of `rows` call for.
#[must_use]
pub fn exit_of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Exit {
    Exit::first_of(rows.into_iter().map(|row| match &row.status {
        Status::Failed { .. } => Exit::TicketFailed,
        Status::Blocked(blocked) if blocked.reason == "logged_out" => Exit::LoggedOut,
        Status::Blocked(_) => Exit::PersonNeeded,
        Status::Parked(parked) if parked.until.is_none() => Exit::PersonNeeded,
        Status::Queued { .. }
        | Status::Running(_)
        | Status::Parked(_)
        | Status::NeedsReview
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Cancelled { .. } => Exit::Ok,
    }))
}

/// Says which queued tickets a usage limit has held back.
fn say_held(rows: &schedule::Rows, now: Timestamp) {
    let limited = schedule::Limited::of(rows);
    let queued = rows.values().filter(|row| matches!(row.status, Status::Queued { .. }));
    for (row, until) in queued.filter_map(|row| Some((row, limited.held_until(row, now)?))) {
        let lifts = stamp(until, &TimeZone::system());
        ui::say(format!("{}: not started: the usage limit of {} lifts at {lifts}", row.id, row.profile));
    }
}

/// Says which queued tickets were not started since their agent is not logged in.
fn say_logged_out(rows: &schedule::Rows, since: Timestamp) {
    let logged_out = schedule::LoggedOut::of(rows, since);
    let queued = rows.values().filter(|row| matches!(row.status, Status::Queued { .. }));
    for (row, by) in queued.filter_map(|row| Some((row, logged_out.holds(row)?))) {
        ui::say(format!("{}: not started: {} is not logged in, as {by} has found", row.id, row.profile));
    }
}

/// Says which queued tickets wait for a person to dispatch them.
fn say_attended(app: &App, rows: &schedule::Rows) {
    for row in rows.values().filter(|row| app.wants_a_person(row)) {
        ui::say(format!("{}: not started: it says unattended: false; dispatch it when you are there", row.id));
    }
}

fn say_left(app: &App) {
    let running = super::find::rows(app)
        .map(|rows| rows.iter().filter(|row| matches!(row.status, Status::Running(_))).count())
        .unwrap_or_default();
    ui::say(format!("left: {running} agent(s) go on by themselves"));
    ui::say_hint("autodo dispatch goes on with them; autodo list shows them; autodo stop --all ends them");
    ui::say(app.tmux.list_plain());
}
