//! New tickets: `add` takes one from the command line, `import` takes folders of them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    ask::nobody_starts,
    context::{self, Context, meet},
    json, plan, ui,
};
use crate::{
    adapters::{fs, stdin},
    app::{
        App, AppError, Exit,
        api::{Acceptance, ApiReply, ApiRequest, NewTicket},
        intake::{self, Draft, Project},
        sources,
    },
    domain::{
        backlog as rules,
        id::TicketId,
        observed::Observed,
        ticket::{DEFAULT_PRIORITY, Ticket},
    },
    format::problem::Problem,
};

/// `add`.
#[derive(Args)]
pub struct AddArgs {
    /// One line that says what is to be done.
    title: String,
    /// The ticket's body, in Markdown; `-` reads it from standard input.
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// Its id; made from the time where it is not given.
    #[arg(long)]
    id: Option<String>,
    /// A ticket that must be through before; may be repeated.
    #[arg(long, value_name = "ID")]
    after: Vec<String>,
    /// 1 comes first, 9 last.
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=9))]
    priority: Option<u8>,
    /// A command that must succeed, beside the project's checks; may be repeated.
    #[arg(long, value_name = "CMD")]
    accept: Vec<String>,
    /// Agent profile; the project's where it is not given.
    #[arg(long)]
    profile: Option<String>,
    /// Longest time one run may work, such as 90m.
    #[arg(long, value_name = "TIME")]
    limit: Option<String>,
    /// Most that may be spent on it, in US dollars.
    #[arg(long, value_name = "USD", value_parser = crate::format::money::parse_usd)]
    budget: Option<u64>,
    /// A free word; may be repeated.
    #[arg(long = "label", value_name = "WORD")]
    labels: Vec<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// `import`.
#[derive(Args)]
pub struct ImportArgs {
    #[command(flatten)]
    pub from: BacklogArgs,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Where tickets come from.
#[derive(Args, Clone)]
pub struct BacklogArgs {
    /// Ticket files, folders of them, or names of tickets in .autodo/tickets; all of those where none is given.
    #[arg(value_name = "TICKET")]
    pub paths: Vec<PathBuf>,
    /// A folder of tickets, a checklist, a list (.yaml, .json, .jsonl), - for standard input, or 'cmd:COMMAND' for
    /// what a command prints, a ticket a line as JSON.
    #[arg(long, value_name = "BACKLOG")]
    pub backlog: Option<PathBuf>,
    /// Of these tickets only those with this label; may be repeated.
    #[arg(long = "label", value_name = "WORD")]
    pub labels: Vec<String>,
    /// Of these tickets only the one with this id; may be repeated.
    #[arg(long, value_name = "ID")]
    pub only: Vec<String>,
    /// Take the good tickets although others are wrong.
    #[arg(long)]
    pub keep_going: bool,
    /// Take finished tickets up again.
    #[arg(long)]
    pub again: bool,
}

/// The file that a person means: a path, or the name of a ticket in the project's own backlog.
fn named(app: &App, default: &Path, path: &Path) -> Result<PathBuf, AppError> {
    let is_name = path.components().count() == 1 && !path.to_string_lossy().starts_with("cmd:");
    if path.as_os_str() == "-" {
        return Ok(path.to_owned());
    }
    if !is_name || !matches!(fs::look_kind(path), Observed::Absent) {
        return Ok(path.to_owned());
    }
    let name = path.to_string_lossy();
    let file = default.join(format!("{name}.md"));
    if matches!(fs::look_kind(&file), Observed::Present(_)) {
        return Ok(file);
    }
    let why = format!("there is no file {name}, and no {}", file.display());
    Err(match super::find::row(app, &name) {
        Ok(row) => AppError::usage(format!("{} is in the queue already ({})", row.id, row.status.word()))
            .hint("autodo dispatch, without naming it, works on all that is queued"),
        Err(_) => AppError::usage(why).hint("autodo init makes .autodo/tickets; or name a ticket file or a folder"),
    })
}

/// `add`.
///
/// # Errors
/// The ticket is not a good one, or cannot be kept.
pub async fn add(context: &Context, args: &AddArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let project = context.project(&app).await?;
    let body = match &args.body {
        None => String::new(),
        Some(path) if path.as_os_str() == "-" => stdin::read_all().map_err(|e| {
            AppError::new(format!("cannot read standard input: {e}"))
                .hint("give it a text in UTF-8, from a pipe or a file: autodo add --body - \"title\" < FILE")
        })?,
        Some(path) => fs::read_to_string(path).map_err(|e| {
            AppError::usage(e.to_string())
                .hint("--body names a file with the ticket's text; - reads it from standard input")
        })?,
    };
    let title = one_line(&args.title)?;
    let id_is_generated = args.id.is_none();
    let id = match &args.id {
        Some(text) => TicketId::parse(text)
            .map_err(|e| AppError::usage(e.to_string()).hint("for example --id T-12, or leave it to autodo"))?,
        None => generated_id(&app)?,
    };
    let known = |text: &String| super::find::anywhere(&app, text).map(|row| row.id);
    let after = args.after.iter().map(known).collect::<Result<Vec<_>, _>>()?;
    let limit_s = match &args.limit {
        Some(text) => Some(
            crate::format::time::parse_duration(text)
                .map_err(|e| AppError::usage(format!("--limit {text:?}: {e}")).hint("for example --limit 90m"))?,
        ),
        None => None,
    };
    let ticket = Ticket {
        id,
        title,
        body,
        priority: args.priority.unwrap_or(DEFAULT_PRIORITY),
        after,
        profile: args.profile.clone(),
        labels: args.labels.clone(),
        accept: args.accept.clone(),
        limit_s,
        budget: args.budget,
        unattended: true,
    };
    let mut drafts = vec![Draft { origin: "the new ticket".into(), source: None, ticket, id_is_generated }];
    let wrong = intake::check(&app, &mut drafts)?;
    if !wrong.is_empty() {
        return Err(AppError::usage(wrong.join("\n")).hint("give it other options; nothing was queued"));
    }
    let tickets = intake::prepare(&app, &project, drafts, |line| ui::notice(&line)).await?;
    if args.dry_run {
        plan::intake(&app, &tickets, false)?.tell();
        return Ok(Exit::Ok);
    }
    let exit = accept(&app, tickets, false).await?;
    if exit == Exit::Ok {
        nobody_starts(&app).await;
    }
    Ok(exit)
}

fn one_line(title: &str) -> Result<String, AppError> {
    let line: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim().to_owned();
    if line.is_empty() {
        return Err(AppError::usage("the title is empty").hint("say in one line what is to be done"));
    }
    Ok(line)
}

/// `auto-YYYYMMDD-HHMMSS`, in the time of this place.
fn generated_id(app: &App) -> Result<TicketId, AppError> {
    let now = app.world.clock.now().to_zoned(jiff::tz::TimeZone::system());
    TicketId::parse(&now.strftime("auto-%Y%m%d-%H%M%S").to_string())
        .map_err(|e| AppError::new(e.to_string()).hint("give it an id of your own: --id T-12"))
}

/// `import`.
///
/// # Errors
/// A ticket is not a good one (and `--keep-going` is not given), or cannot be kept.
pub async fn import(context: &Context, args: &ImportArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let project = context.project(&app).await?;
    let (tickets, wrong) = backlog(&app, &project, &args.from).await?;
    if args.dry_run {
        plan::intake(&app, &tickets, args.from.again)?.tell();
        return Ok(if wrong { Exit::Usage } else { Exit::Ok });
    }
    let exit = accept(&app, tickets, args.from.again).await?;
    if exit == Exit::Ok {
        nobody_starts(&app).await;
    }
    Ok(if wrong { Exit::Usage } else { exit })
}

/// Reads a backlog and makes its tickets acceptable; true: some were wrong and left out.
///
/// # Errors
/// A ticket is wrong and `--keep-going` is not given.
pub async fn backlog(app: &App, project: &Project, args: &BacklogArgs) -> Result<(Vec<NewTicket>, bool), AppError> {
    let default = intake::default_backlog(&project.repo.root);
    let mut paths = args.paths.iter().map(|path| named(app, &default, path)).collect::<Result<Vec<_>, _>>()?;
    paths.extend(args.backlog.clone());
    if paths.is_empty() {
        paths.push(default);
    }
    let (mut drafts, problems) = sources::read(&paths, &project.repo.root).await?;
    chosen(&mut drafts, args)?;
    let wrong = intake::check(app, &mut drafts)?;
    for problem in &problems {
        say_problem(problem);
    }
    for line in &wrong {
        ui::wrong(line);
    }
    let mut bad = problems.len() + wrong.len();
    let mut prepared_ones = Vec::new();
    let mut noticed = false;
    let mut out: BTreeSet<usize> = BTreeSet::new();
    let pairs: Vec<(String, Ticket)> = drafts.iter().map(|d| (d.origin.clone(), d.ticket.clone())).collect();
    for (index, draft) in drafts.into_iter().enumerate() {
        let prepared = intake::prepare(app, project, vec![draft], |line| {
            if !std::mem::replace(&mut noticed, true) {
                ui::notice(&line);
            }
        })
        .await;
        match prepared {
            Ok(prepared) => prepared_ones.push((index, prepared)),
            // What is wrong with the checkout is wrong with every ticket.
            Err(error) if error.exit != Exit::Usage => return Err(error),
            Err(error) => {
                ui::error(&error);
                bad += 1;
                out.insert(index);
            }
        }
    }
    for (index, lost) in rules::fallout(&pairs, &out) {
        ui::wrong(format!("{}: left out too: it comes after {lost}", pairs[index].0));
        bad += 1;
        out.insert(index);
    }
    if bad > 0 && !args.keep_going {
        return Err(AppError::usage(format!("{bad} thing(s) are wrong with these tickets: nothing was queued"))
            .hint("mend them, or take the good ones with --keep-going"));
    }
    let good = prepared_ones.into_iter().filter(|(index, _)| !out.contains(index));
    Ok((good.flat_map(|(_, tickets)| tickets).collect(), bad > 0))
}

/// Keeps the tickets that were asked for by label or id.
fn chosen(drafts: &mut Vec<Draft>, args: &BacklogArgs) -> Result<(), AppError> {
    if let Some(id) = args.only.iter().find(|id| !drafts.iter().any(|d| d.ticket.id.folded() == id.to_lowercase())) {
        return Err(AppError::usage(format!("--only {id}: no ticket of this backlog has that id"))
            .hint("autodo dispatch --dry-run shows them all"));
    }
    drafts.retain(|draft| {
        let ticket = &draft.ticket;
        let is_named = args.only.is_empty() || args.only.iter().any(|id| ticket.id.folded() == id.to_lowercase());
        is_named && (args.labels.is_empty() || args.labels.iter().any(|label| ticket.labels.contains(label)))
    });
    Ok(())
}

fn say_problem(problem: &Problem) {
    ui::wrong(problem.to_string());
}

/// Has tickets accepted, and says what became of each.
///
/// # Errors
/// Nobody could take them.
pub async fn accept(app: &App, tickets: Vec<NewTicket>, again: bool) -> Result<Exit, AppError> {
    if tickets.is_empty() {
        ui::say("there are no tickets to queue");
        return Ok(Exit::Ok);
    }
    let met = meet(app, vec![ApiRequest::Accept { tickets, again, start: false }]).await?;
    let mut exits = vec![Exit::Ok];
    for reply in &met.replies {
        context::accepted(reply)?;
        if let ApiReply::Accepted { tickets } = reply {
            exits.push(say_acceptances(tickets, false));
        }
    }
    Ok(Exit::first_of(exits))
}

/// Says what became of tickets; with `json`, standard output is for other lines.
pub fn say_acceptances(tickets: &[Acceptance], json: bool) -> Exit {
    let mut exit = Exit::Ok;
    let done = |id, did, line: String| if json { ui::say(line) } else { ui::did(Some(id), did, line) };
    // Already there: for programs a result, for people no data.
    let known =
        |id, did, line: String| if json || !json::is_on() { ui::say(line) } else { ui::did(Some(id), did, line) };
    for ticket in tickets {
        match ticket {
            Acceptance::Queued { id } => done(id, "queued", format!("{id}: queued")),
            Acceptance::Updated { id } => done(id, "updated", format!("{id}: updated, it was edited")),
            Acceptance::Open { id, status } => known(id, "open", format!("{id}: open already ({status})")),
            Acceptance::Finished { id, status } => {
                known(id, "finished", format!("{id}: finished already ({status}); --again takes it up again"));
            }
            Acceptance::Refused { id, why, hint } => {
                exit = Exit::Usage;
                if json::is_on() {
                    ui::error(&AppError::usage(format!("{id}: {why}")).hint(hint));
                } else {
                    ui::wrong(format!("{id}: {why}"));
                    ui::say_hint(hint);
                }
            }
        }
    }
    exit
}
