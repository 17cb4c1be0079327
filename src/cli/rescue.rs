//! `autodo rescue`: work that `clean` kept in references of its own, listed and brought back.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    context::{Context, person_only},
    find, ui,
};
use crate::{
    adapters::{git::Rescue, store},
    app::{
        App, AppError, Exit,
        intake::{project, repo_at, worktree_root},
    },
    format::time::stamp,
    supervisor::review::short,
};

/// `rescue`.
#[derive(Args)]
pub struct RescueArgs {
    #[command(subcommand)]
    verb: RescueVerb,
}

#[derive(Subcommand)]
enum RescueVerb {
    /// List what is kept, of all projects that the queue or the archive knows, and of this one.
    List {
        /// JSON, for programs.
        #[arg(long)]
        json: bool,
    },
    /// Bring one back: a worktree on a branch of its own, with what was not committed uncommitted again.
    Restore {
        /// Which, as listed: ID/1; ID alone where there is one.
        name: String,
        /// Where the worktree goes; unset: beside those of tickets.
        #[arg(long, value_name = "DIR")]
        into: Option<PathBuf>,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
}

/// Runs it.
///
/// # Errors
/// The queue cannot be read; for `restore`: nothing of that name is kept, or git could not bring it back.
pub async fn run(context: &Context, args: &RescueArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    match &args.verb {
        RescueVerb::List { json } => list(context, &app, *json).await,
        RescueVerb::Restore { name, into, dry_run } => {
            person_only("rescue restore")?;
            restore(context, &app, name, into.as_ref(), *dry_run).await
        }
    }
}

/// What all repositories keep, each with its checkout. One that is gone is said, and holds nothing up.
async fn kept(context: &Context, app: &App) -> Result<Vec<(PathBuf, Rescue)>, AppError> {
    let archive = store::read_archive(&app.home)?.0;
    let mut repos: Vec<PathBuf> = find::rows(app)?.into_iter().chain(archive).map(|row| row.repo).collect();
    match repo_at(&app.git, &context.folder()?).await {
        Ok(here) => repos.insert(0, here.main_root),
        // Outside a project the others are listed.
        Err(error) if error.exit == Exit::Usage => {}
        Err(error) => return Err(error),
    }
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for repo in repos {
        if seen.contains(&repo) {
            continue;
        }
        seen.push(repo.clone());
        match app.git.rescues(&repo).await {
            // Two checkouts of one repository share their references.
            Ok(found) => {
                for rescue in found {
                    let is_known =
                        |(_, known): &&(PathBuf, Rescue)| known.name == rescue.name && known.commit == rescue.commit;
                    if all.iter().find(is_known).is_none() {
                        all.push((repo.clone(), rescue));
                    }
                }
            }
            Err(why) => ui::notice(&format!("what {} keeps is not known: {why}", repo.display())),
        }
    }
    Ok(all)
}

async fn list(context: &Context, app: &App, as_json: bool) -> Result<Exit, AppError> {
    let all = kept(context, app).await?;
    let zone = jiff::tz::TimeZone::system();
    let made = |rescue: &Rescue| jiff::Timestamp::from_second(rescue.made).ok().map(|at| stamp(at, &zone));
    if as_json {
        let rescues: Vec<_> = all
            .iter()
            .map(|(repo, r)| {
                json!({
                    "name": format!("{}/{}", r.ticket, r.number), "ticket": r.ticket, "ref": r.name,
                    "commit": r.commit, "made": made(r), "subject": r.subject, "uncommitted": r.uncommitted,
                    "repo": repo.to_string_lossy(),
                })
            })
            .collect();
        ui::json(&json!({ "version": 1, "rescues": rescues }));
        return Ok(Exit::Ok);
    }
    if all.is_empty() {
        ui::say("nothing is kept");
    }
    for (repo, rescue) in &all {
        let Rescue { ticket, number, commit, subject, .. } = rescue;
        let when = made(rescue).unwrap_or_else(|| "at an unknown time".to_owned());
        ui::out(format!("{ticket}/{number}  {}  {when}  {}  {}", short(commit), repo.display(), ui::plain(subject)));
    }
    Ok(Exit::Ok)
}

async fn restore(
    context: &Context,
    app: &App,
    name: &str,
    into: Option<&PathBuf>,
    dry_run: bool,
) -> Result<Exit, AppError> {
    let all = kept(context, app).await?;
    let is_it = |r: &Rescue| name == r.ticket || name == r.name || name == format!("{}/{}", r.ticket, r.number);
    let found: Vec<&(PathBuf, Rescue)> = all.iter().filter(|(_, rescue)| is_it(rescue)).collect();
    let (repo, rescue) = match found.as_slice() {
        [one] => one,
        [] => {
            return Err(AppError::usage(format!("no work is kept under the name {name:?}"))
                .hint("autodo rescue list shows what is kept"));
        }
        several => {
            let names: Vec<String> = several.iter().map(|(_, r)| format!("{}/{}", r.ticket, r.number)).collect();
            return Err(AppError::usage(format!("{name:?} stands for {}", names.join(", ")))
                .hint("name one of them; where two projects share it, go to the project and use its ref with git"));
        }
    };
    let place = match into {
        Some(into) => context.folder()?.join(into),
        None => worktree_root(&project(app, repo, vec![]).await?)
            .join(format!("{}.rescue-{}", rescue.ticket, rescue.number)),
    };
    if dry_run {
        ui::did(None, "would restore", format!("would restore {} into {}", rescue.name, place.display()));
        return Ok(Exit::Ok);
    }
    let restored = app.git.restore(repo, rescue, &place).await.map_err(|error| {
        AppError::new(format!("cannot restore {}: {error}", rescue.name)).hint("--into DIR takes another place")
    })?;
    ui::did(None, "restored", restored.worktree.display().to_string());
    ui::say(format!("restored {} on the branch {}", rescue.name, restored.branch));
    ui::say_hint(&format!("the reference stays; git -C {} update-ref -d {} drops it", repo.display(), rescue.name));
    Ok(Exit::Ok)
}
