//! `autodo clean`: what finished tickets no longer need is taken away, and they go to the archive.

mod orphans;
mod room;

use clap::Args;

use super::{
    context::{Context, person_only},
    find, ui,
};
use crate::{
    adapters::git::GitError,
    app::{
        App, AppError, Exit,
        clean::{self, Cleaning, Rule},
        intake::worktree_root,
        trim::Wanted,
    },
    domain::row::Row,
    format::{size::parse_size, time::parse_duration},
    supervisor::review::short,
};

/// `clean`.
#[derive(Args)]
pub struct CleanArgs {
    /// Ids, or unique beginnings of ids.
    #[arg(
        required_unless_present_any = [
            "pool", "status", "older_than", "larger_than", "orphans", "logs", "builds",
        ],
        conflicts_with_all = ["status", "older_than", "larger_than"],
        value_name = "ID"
    )]
    ids: Vec<String>,
    /// All finished tickets of this status; may be repeated. Work that is not merged is kept as with --rescue.
    #[arg(long, value_name = "STATUS", value_parser = ["reviewed", "landed", "failed", "cancelled"])]
    status: Vec<String>,
    /// All finished tickets to which nothing has happened for so long, such as 7d. Work that is not merged is kept as
    /// with --rescue.
    #[arg(long, value_name = "TIME")]
    older_than: Option<String>,
    /// All finished tickets whose worktree takes so much on its disk, such as 500M; with --logs or --builds those of
    /// which so much can be taken away. Work that is not merged is kept as with --rescue.
    #[arg(long, value_name = "SIZE")]
    larger_than: Option<String>,
    /// Take away what a rule such as --older-than means, or --orphans lists; without it that is only listed.
    #[arg(long, conflicts_with = "ids")]
    yes: bool,
    /// Take away the warm checkouts of this project (worktree.pool) that nobody touched.
    #[arg(long)]
    pool: bool,
    /// What is autodo's and nobody's any more: sessions without a ticket, processes without a session, worktrees without
    /// either, of the projects that have tickets and of this one. Work that is not merged is kept as with --rescue.
    #[arg(long, conflicts_with_all = ["ids", "status", "older_than", "larger_than", "pool", "rescue", "logs", "builds"])]
    orphans: bool,
    /// Take away only the logs of finished tickets, archived ones too: screens, output of checks and of the set-up. With
    /// no id and no rule: of all of them.
    #[arg(long, conflicts_with_all = ["pool", "rescue"])]
    logs: bool,
    /// Take away only the build folders in the worktrees of finished tickets: folders that git ignores, such as target/
    /// or node_modules/; never an ignored file that is in no such folder. With no id and no rule: of all of them.
    #[arg(long, conflicts_with_all = ["pool", "rescue"])]
    builds: bool,
    /// Take it away even if it has commits that are not merged or changes that are not committed, after these are kept
    /// in refs/autodo/rescue/ID/1: see autodo rescue.
    #[arg(long)]
    rescue: bool,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Lists what it takes away of each ticket, then takes it away. A ticket that is refused does not hold up the others.
///
/// # Errors
/// A ticket is not there, or the queue cannot be read.
pub async fn run(context: &Context, args: &CleanArgs) -> Result<Exit, AppError> {
    person_only("clean")?;
    let app = context.app()?;
    if args.pool {
        pool(context, &app, args.dry_run).await?;
    }
    if args.orphans {
        return orphans::run(context, &app, args.yes && !args.dry_run, args.dry_run).await;
    }
    if args.logs || args.builds {
        let wanted = Wanted { logs: args.logs, builds: args.builds };
        let acts = !args.dry_run && (args.yes || !args.ids.is_empty());
        return room::run(&app, &args.ids, &rule(args)?, wanted, acts, args.dry_run).await;
    }
    let all = find::rows(&app)?;
    let mut exits = vec![Exit::Ok];
    let mut cleanings = Vec::new();
    let rule = rule(args)?;
    let is_by_rule = !rule.is_empty();
    let meant = if is_by_rule { meant(&app, &all, &rule, &mut exits) } else { find::among(&all, &args.ids)? };
    if is_by_rule && meant.is_empty() {
        ui::say("no finished ticket is meant");
    }
    // Who names no ticket has not looked at its work.
    let rescue = args.rescue || is_by_rule;
    for row in meant {
        match clean::plan(&app, &all, &row, rescue).await {
            Ok(cleaning) => cleanings.push(cleaning),
            Err(error) => {
                exits.push(error.exit);
                ui::error(&error);
            }
        }
    }
    let only_says = args.dry_run || (is_by_rule && !args.yes);
    for cleaning in &cleanings {
        list(cleaning, only_says);
    }
    if only_says {
        if !args.dry_run && !cleanings.is_empty() {
            ui::say_hint("nothing was changed: the same with --yes takes it away");
        }
        return Ok(Exit::first_of(exits));
    }
    for cleaning in &cleanings {
        let id = &cleaning.row.id;
        match clean::act(&app, cleaning).await {
            Ok(removed) => {
                ui::did(Some(id), "cleaned", format!("{id}: cleaned, and in the archive"));
                if let Some(name) = &removed.rescue {
                    ui::did(Some(id), "rescued", format!("{id}: its work is kept in {name}"));
                    let short = name.trim_start_matches("refs/autodo/rescue/");
                    ui::say_hint(&format!("autodo rescue restore {short} brings it back"));
                } else if let Some(tip) = removed.branch_tip {
                    ui::say_hint(&format!("git branch {} {} brings its branch back", id.branch(), short(&tip)));
                }
                for left in removed.left.iter().filter(|_| cleaning.removal.worktree.is_some()) {
                    ui::say(format!("{id}: {left}"));
                }
            }
            Err(error) => {
                exits.push(error.exit);
                ui::error(&error);
            }
        }
    }
    Ok(Exit::first_of(exits))
}

/// The rule that the options make.
fn rule(args: &CleanArgs) -> Result<Rule, AppError> {
    let wrong = |option: &str, why: String, such: &str| {
        AppError::usage(format!("{option}: {why}")).hint(format!("for example {option} {such}"))
    };
    let age = args.older_than.as_deref().map(parse_duration).transpose();
    let size = args.larger_than.as_deref().map(parse_size).transpose();
    Ok(Rule {
        statuses: args.status.clone(),
        older_than_s: age.map_err(|e| wrong("--older-than", e.to_string(), "7d"))?,
        larger_than: size.map_err(|e| wrong("--larger-than", e.to_string(), "500M"))?,
    })
}

/// The tickets that the rule means. What it cannot tell of one is said.
fn meant(app: &App, all: &[Row], rule: &Rule, exits: &mut Vec<Exit>) -> Vec<Row> {
    let now = app.world.clock.now();
    let mut meant = Vec::new();
    for row in all {
        match rule.means(row, now) {
            Ok(true) => meant.push(row.clone()),
            Ok(false) => {}
            Err(error) => {
                exits.push(error.exit);
                ui::error(&error);
            }
        }
    }
    meant
}

/// Lists the warm checkouts, then takes them away.
async fn pool(context: &Context, app: &App, dry_run: bool) -> Result<(), AppError> {
    let project = context.project(app).await?;
    let (repo, folder) = (&project.repo.root, worktree_root(&project));
    let failed = |error: GitError| AppError::new(error.to_string()).hint("autodo doctor looks at the pool");
    let (ready, touched) = app.git.warm(repo, &folder).await.map_err(failed)?;
    for path in &ready {
        ui::out(format!("{}: {}", if dry_run { "would clean" } else { "clean" }, path.display()));
    }
    for path in touched {
        ui::say(format!("{} is left, unless a process that is gone was making it", path.display()));
    }
    if !dry_run {
        let removed = app.git.empty_pool(repo, &folder).await.map_err(failed)?;
        ui::out(format!("{} warm checkouts are gone", removed.len()));
    }
    Ok(())
}

fn list(cleaning: &Cleaning, dry_run: bool) {
    let row = &cleaning.row;
    let would = if dry_run { "would clean" } else { "clean" };
    ui::did(Some(&row.id), would, format!("{would}: {} — {} ({})", row.id, ui::plain(&row.title), row.status.word()));
    if let Some(worktree) = &cleaning.removal.worktree {
        ui::did(Some(&row.id), "worktree", format!("  worktree  {}", worktree.display()));
    }
    if let Some(tip) = &cleaning.removal.branch_tip {
        let is_in =
            if cleaning.removal.rescue.is_empty() { format!("is in {}", cleaning.target) } else { "is kept".into() };
        ui::did(Some(&row.id), "branch", format!("  branch    {}, whose tip {} {is_in}", row.id.branch(), short(tip)));
    }
    for why in &cleaning.removal.rescue {
        ui::did(Some(&row.id), "rescue", format!("  rescue    {}", ui::plain(why)));
    }
    for tag in &cleaning.sessions {
        ui::did(
            Some(&row.id),
            "session",
            format!("  session   {} (run {}, launch {})", row.id.session(), tag.run, tag.launch),
        );
    }
}
