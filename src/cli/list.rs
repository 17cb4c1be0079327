//! `autodo list`: the queue at a glance.

use std::collections::BTreeSet;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{context::Context, find, ui};
use crate::{
    adapters::{env, store},
    app::{
        App, AppError, Exit,
        dispatch::shortage,
        view::{self, Beside},
    },
    domain::{
        glance::{Glance, Glances},
        id::TicketId,
        reconcile::has_agent,
        row::Row,
        schedule::{self, Rows},
    },
};

mod table;
mod watch;

use table::{Fit, Table};

/// Lists the tickets of all projects.
#[derive(Args)]
pub struct ListArgs {
    /// Only the project of this folder.
    #[arg(long)]
    here: bool,
    /// Also the tickets in the archive.
    #[arg(long)]
    all: bool,
    /// Again whenever the queue changes, until Ctrl-C or q; at a terminal in its place.
    #[arg(long)]
    watch: bool,
    /// JSON, for programs; with --watch one line for each change.
    #[arg(long)]
    json: bool,
}

/// Which tickets are looked at.
struct Looker {
    app: App,
    here: Option<String>,
    archive: bool,
}

/// What was seen of them.
struct Seen {
    shown: Vec<Glance>,
    all: Glances,
    notices: Vec<String>,
    /// The machine has no room for a start.
    is_short: bool,
}

/// Runs it.
///
/// # Errors
/// The queue cannot be read.
pub async fn run(context: &Context, args: &ListArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let here = if args.here { Some(context.project(&app).await?.repo.root) } else { None };
    let here = here.map(|here| here.to_string_lossy().into_owned());
    let looker = Looker { app, here, archive: args.all };
    if args.watch {
        return watch::run(&looker, args.json).await;
    }
    if args.json {
        ui::json(&json!({ "version": 1, "tickets": looker.rows()? }));
        return Ok(Exit::Ok);
    }
    let seen = looker.look()?;
    seen.notices.iter().for_each(|notice| ui::notice(notice));
    if seen.shown.is_empty() {
        ui::say("there are no tickets yet");
        ui::say_hint("autodo add \"title\" takes one; autodo dispatch takes a folder of them and starts");
        return Ok(Exit::Ok);
    }
    let user = env::home().map(|home| home.to_string_lossy().into_owned());
    let fit = Fit { columns: ui::width(), rows: None };
    let lines = seen.table(user.as_deref()).lines(looker.app.world.clock.now(), fit);
    ui::out(lines.join("\n"));
    Ok(Exit::Ok)
}

impl Looker {
    /// The tickets at a glance, oldest first.
    fn look(&self) -> Result<Seen, AppError> {
        let (mut glances, mut notices) = store::read_glances(&self.app.home)?;
        let short = shortage(&self.app.home);
        let is_short = short.is_some();
        notices.extend(short.map(|why| format!("nothing more is started for now: {why}")));
        if self.archive {
            let (rows, more) = store::read_archive(&self.app.home)?;
            notices.extend(more);
            glances.extend(rows.iter().map(Glance::from));
            glances.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        }
        // What a ticket waits for may be of any project.
        let named: BTreeSet<&TicketId> = glances.iter().flat_map(|glance| &glance.after).collect();
        let named = glances.iter().filter(|glance| named.contains(&glance.id));
        let all: Glances = named.map(|glance| (glance.id.clone(), glance.clone())).collect();
        glances.retain(|glance| self.here.as_ref().is_none_or(|here| glance.repo == *here));
        Ok(Seen { shown: glances, all, notices, is_short })
    }

    /// The tickets as JSON has them, oldest first.
    fn rows(&self) -> Result<Vec<Value>, AppError> {
        let mut rows = find::rows(&self.app)?;
        if self.archive {
            let (more, notices) = store::read_archive(&self.app.home)?;
            notices.iter().for_each(|notice| ui::notice(notice));
            rows.extend(more);
        }
        rows.retain(|row: &Row| self.here.as_ref().is_none_or(|here| row.repo.to_string_lossy() == **here));
        rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        let room = Room::of(&self.app)?;
        Ok(rows.iter().map(|row| view::ticket_with(row, &room.beside(&self.app, row))).collect())
    }
}

/// What stands in the way of starts, with all that says which tickets those are.
pub(super) struct Room {
    why: Option<String>,
    rows: Rows,
    now: Timestamp,
}

impl Room {
    /// As it is now.
    ///
    /// # Errors
    /// The queue cannot be read.
    pub(super) fn of(app: &App) -> Result<Self, AppError> {
        let why = shortage(&app.home);
        let all = if why.is_some() { store::read_queue(&app.home)?.rows } else { vec![] };
        let rows = all.into_iter().map(|row| (row.id.clone(), row)).collect();
        Ok(Self { why, rows, now: app.world.clock.now() })
    }

    /// What is known of a ticket beside its row: what its agent takes while it lives, and whether the machine has no room
    /// for its start.
    pub(super) fn beside(&self, app: &App, row: &Row) -> Beside {
        let run = row.run_id().filter(|_| has_agent(row));
        let is_held = self.why.is_some() && schedule::is_due(&self.rows, row, self.now);
        Beside {
            measured: run.and_then(|run| app.world.files.measured(&run)),
            admission: self.why.clone().filter(|_| is_held),
        }
    }
}

impl Seen {
    fn table<'a>(&'a self, user: Option<&'a str>) -> Table<'a> {
        Table { shown: &self.shown, all: &self.all, user, is_short: self.is_short }
    }
}
