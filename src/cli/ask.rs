//! The verbs that ask something of tickets: stop, resume, retry, cancel, reject, tier; and rehearsals of them.

use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::time::Instant;

use super::{
    context::{Context, accepted, meet, person_only},
    find, ui,
};
use crate::{
    adapters::env,
    app::{App, AppError, Exit, api::ApiRequest, intake},
    domain::{
        event::{Event, Request, Retry},
        id::TicketId,
        machine::{self, Step},
        risk::Tier,
        row::{Row, Status},
    },
};

/// How long a stopped agent is waited for.
const END_WAIT: Duration = Duration::from_secs(10);

/// Tickets by id.
#[derive(Args)]
pub struct IdsArgs {
    /// Ids, or unique beginnings of ids.
    #[arg(required_unless_present = "all", value_name = "ID")]
    ids: Vec<String>,
    /// All tickets that this can be asked of.
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// `retry`.
#[derive(Args)]
pub struct RetryArgs {
    #[command(flatten)]
    ids: IdsArgs,
    /// Take checks and settings anew from the checkout.
    #[arg(long)]
    refresh: bool,
    /// Run no agent: only the checks, on the work as it is.
    #[arg(long)]
    checks_only: bool,
    /// In a new run, go on with the conversation that the agent had.
    #[arg(long, conflicts_with = "checks_only")]
    resume: bool,
    /// In a new conversation, which is what happens where nothing else is said.
    #[arg(long, conflicts_with_all = ["checks_only", "resume"])]
    fresh: bool,
}

/// `reject`.
#[derive(Args)]
pub struct RejectArgs {
    /// The ticket.
    #[arg(value_name = "ID")]
    id: String,
    /// What is to be different.
    #[arg(short = 'm', long = "message", value_name = "TEXT", allow_hyphen_values = true)]
    message: String,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Verbs over several tickets.
#[derive(Clone, Copy, ValueEnum)]
pub enum Verb {
    /// End the agent and keep its conversation.
    Stop,
    /// Go on.
    Resume,
    /// Give up.
    Cancel,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }

    fn request(self) -> Request {
        match self {
            Self::Stop => Request::Stop,
            Self::Resume => Request::Resume,
            Self::Cancel => Request::Cancel,
        }
    }

    fn fits(self, row: &Row) -> bool {
        match (self, &row.status) {
            (Self::Stop, Status::Running(_) | Status::Blocked(_)) => true,
            (Self::Resume, Status::Parked(_)) => true,
            (Self::Cancel, status) => !status.is_final() && !matches!(status, Status::Reviewed { .. }),
            _ => false,
        }
    }
}

/// `stop`, `resume`, `cancel`.
///
/// # Errors
/// A ticket is not there or does not take it.
pub async fn several(context: &Context, verb: Verb, args: &IdsArgs) -> Result<Exit, AppError> {
    person_only(verb.word())?;
    let app = context.app()?;
    let rows = chosen(&app, args, |row| verb.fits(row))?;
    if rows.is_empty() {
        ui::say(format!("there is no ticket to {}", verb.word()));
    }
    if args.dry_run {
        return Ok(rehearse(&app, &rows, &verb.request(), verb.word()));
    }
    let exit = ask_all(&app, &rows, &verb.request()).await?;
    if matches!(verb, Verb::Resume) && exit == Exit::Ok && !rows.is_empty() {
        nobody_starts(&app).await;
    }
    Ok(exit)
}

fn chosen(app: &App, args: &IdsArgs, fits: impl Fn(&Row) -> bool) -> Result<Vec<Row>, AppError> {
    if args.all {
        return Ok(find::rows(app)?.into_iter().filter(|row| fits(row)).collect());
    }
    find::some(app, &args.ids)
}

pub async fn ask_all(app: &App, rows: &[Row], request: &Request) -> Result<Exit, AppError> {
    let by = env::user_name();
    let requests = rows.iter().map(|row| ask(&row.id, &by, request.clone(), None)).collect();
    let met = meet(app, requests).await?;
    let mut exits = vec![Exit::Ok];
    let ends = matches!(request, Request::Stop | Request::Cancel);
    for (row, reply) in rows.iter().zip(&met.replies) {
        match accepted(reply) {
            Ok(true) if ends && !has_ended(app, &row.id).await? => {
                ui::did(
                    Some(&row.id),
                    "ending",
                    format!("{}: being {}; its agent has not ended yet", row.id, past(request)),
                );
            }
            Ok(true) => ui::did(Some(&row.id), past(request), format!("{}: {}", row.id, past(request))),
            Ok(false) => {
                ui::did(Some(&row.id), "unchanged", format!("{}: nothing to do, it is {}", row.id, row.status.word()));
            }
            Err(error) => {
                exits.push(error.exit);
                ui::error(&error);
            }
        }
    }
    Ok(Exit::first_of(exits))
}

/// True once nothing of the ticket runs any more; false where that takes longer than [`END_WAIT`].
async fn has_ended(app: &App, id: &TicketId) -> Result<bool, AppError> {
    let end = Instant::now() + END_WAIT;
    loop {
        let rows = find::rows(app)?;
        if !rows.iter().any(|row| row.id == *id && matches!(row.status, Status::Running(_))) {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Says what `request` would do to each of `rows`, by the rules that would decide it. Nothing is changed.
pub fn rehearse(app: &App, rows: &[Row], request: &Request, word: &str) -> Exit {
    let mut exits = vec![Exit::Ok];
    for row in rows {
        let frozen = app.world.files.accepted(&row.id).map(|accepted| accepted.1);
        let now = app.world.clock.now();
        let event = Event::Asked { by: env::user_name(), request: request.clone() };
        let error = match frozen.map(|frozen| machine::step(row, &frozen, &event, now)) {
            Ok(Step::Next { .. }) => {
                let line = format!("would {word}: {} — {} ({})", row.id, ui::plain(&row.title), row.status.word());
                ui::did(Some(&row.id), &format!("would {word}"), line);
                continue;
            }
            Ok(Step::Ignored) => {
                ui::did(Some(&row.id), "unchanged", format!("{}: nothing to do, it is {}", row.id, row.status.word()));
                continue;
            }
            Ok(Step::Refused(refusal)) => AppError::new(refusal.why).hint(refusal.hint),
            Err(why) => AppError::new(why).hint("autodo doctor looks at the home"),
        };
        exits.push(error.exit);
        ui::error(&error);
    }
    Exit::first_of(exits)
}

/// A request to one ticket, with a text for its agent.
pub fn ask(id: &TicketId, by: &str, request: Request, text: Option<String>) -> ApiRequest {
    ApiRequest::Ask { ticket: id.clone(), by: by.to_owned(), request, text, refresh: None }
}

/// What was done, in words.
pub fn past(request: &Request) -> &'static str {
    match request {
        Request::Answer { .. } => "answered",
        Request::Send { .. } => "sent",
        Request::Approve { .. } => "reviewed",
        Request::Reject { .. } => "sent back",
        Request::Stop => "stopped",
        Request::Resume => "queued to go on",
        Request::Retry { .. } => "queued again",
        Request::Cancel => "cancelled",
        Request::SetTier { .. } => "tier set",
        Request::AcceptStale => "accepted on its old base",
        Request::Park { .. } => "parked",
    }
}

/// `retry`.
///
/// # Errors
/// A ticket is not there or does not take it.
pub async fn retry(context: &Context, args: &RetryArgs) -> Result<Exit, AppError> {
    person_only("retry")?;
    let app = context.app()?;
    let rows = chosen(&app, &args.ids, |row| {
        matches!(row.status, Status::Failed { .. } | Status::Parked(_))
            || (matches!(row.status, Status::NeedsReview) && row.proof.as_ref().is_none_or(|p| !p.verified))
    })?;
    let how = match (args.checks_only, args.resume) {
        (true, _) => Retry::ChecksOnly,
        (false, true) => Retry::Resume,
        (false, false) => Retry::Again,
    };
    if rows.is_empty() {
        ui::say("there is no ticket to retry");
    }
    if args.ids.dry_run {
        return Ok(rehearse(&app, &rows, &Request::Retry { how }, "retry"));
    }
    let mut requests = Vec::new();
    for row in &rows {
        let refresh = if args.refresh { Some(Box::new(intake::refreshed(&app, row).await?)) } else { None };
        requests.push(ApiRequest::Ask {
            ticket: row.id.clone(),
            by: env::user_name(),
            request: Request::Retry { how },
            text: None,
            refresh,
        });
    }
    let met = meet(&app, requests).await?;
    let mut exits = vec![Exit::Ok];
    for (row, reply) in rows.iter().zip(&met.replies) {
        match accepted(reply) {
            Ok(_) if args.checks_only => {
                ui::did(Some(&row.id), "queued again", format!("{}: queued again, for its checks only", row.id));
            }
            Ok(_) if args.resume => {
                ui::did(Some(&row.id), "queued again", format!("{}: queued again, in the same conversation", row.id));
            }
            Ok(_) if row.run == 0 => ui::did(Some(&row.id), "queued again", format!("{}: queued again", row.id)),
            Ok(_) => ui::did(
                Some(&row.id),
                "queued again",
                format!("{}: queued again; everything will be done again in its worktree", row.id),
            ),
            Err(error) => {
                exits.push(error.exit);
                ui::error(&error);
            }
        }
    }
    let exit = Exit::first_of(exits);
    if exit == Exit::Ok && !rows.is_empty() {
        nobody_starts(&app).await;
    }
    Ok(exit)
}

/// `reject`.
///
/// # Errors
/// The ticket is not there or not up for review.
pub async fn reject(context: &Context, args: &RejectArgs) -> Result<Exit, AppError> {
    person_only("reject")?;
    let app = context.app()?;
    let row = find::row(&app, &args.id)?;
    let correction = args.message.trim().to_owned();
    if correction.is_empty() {
        return Err(AppError::usage("the message is empty").hint("say what is to be different: -m \"…\""));
    }
    let request = Request::Reject { correction };
    if args.dry_run {
        return Ok(rehearse(&app, &[row], &request, "reject"));
    }
    let exit = ask_all(&app, &[row], &request).await?;
    if exit == Exit::Ok {
        nobody_starts(&app).await;
    }
    Ok(exit)
}

/// Says what to type where no supervisor will start what was just queued.
pub async fn nobody_starts(app: &App) {
    let socket = app.home.supervisor_socket();
    let line = serde_json::to_string(&ApiRequest::Ping).unwrap_or_default();
    let wait = std::time::Duration::from_secs(2);
    if crate::adapters::control::call(&socket, &line, wait).await.is_err() {
        ui::say_hint("no supervisor runs: autodo dispatch starts what is queued");
    }
}

/// Sets the tier of a ticket (`review ID --tier N=low`).
///
/// # Errors
/// The ticket is not there.
pub async fn set_tier(app: &App, row: &Row, tier: Tier) -> Result<Exit, AppError> {
    ask_all(app, std::slice::from_ref(row), &Request::SetTier { tier }).await
}

/// Accepts work on a base that moved.
///
/// # Errors
/// The ticket is not there, or its base has not moved.
pub async fn accept_stale(app: &App, row: &Row) -> Result<Exit, AppError> {
    ask_all(app, std::slice::from_ref(row), &Request::AcceptStale).await
}
