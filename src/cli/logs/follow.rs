//! `logs -f`: what becomes of a ticket's log, through launches and runs, until nobody works on the ticket any more.

use std::time::Duration;

use super::{What, checks::Checks, growing::Growing, kept_screen, put, tail::Tail};
use crate::{
    adapters::{changes::Changes, fs, stdout, store},
    agent::{classify::lines_above_box, profile::Profile},
    app::{App, AppError, Exit, hold},
    cli::{context::Interrupt, find, show::run_of, ui},
    domain::{
        audit,
        id::RunId,
        observed::Observed,
        row::{Row, Status},
        run::Phase,
    },
};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(400);

/// Lines of scrollback that are looked at: as many as are kept of a session that was closed.
const SCROLLBACK: u32 = 2_000;

/// Looks after which it is said, once, that nobody works on what is waited for.
const LOOKS_ALONE: u32 = 5;

/// True if nobody works on the ticket any more, unless a person lets it go on.
pub fn is_over(row: &Row) -> bool {
    match &row.status {
        Status::Queued { .. } | Status::Running(_) | Status::Blocked(_) => false,
        Status::Parked(parked) => parked.until.is_none(),
        Status::NeedsReview
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Failed { .. }
        | Status::Cancelled { .. } => true,
    }
}

/// Follows it until it is over, the person leaves, or nobody reads any more.
///
/// # Errors
/// The queue or the log cannot be read.
pub async fn run(app: &App, row: Row, what: What, lines: usize) -> Result<Exit, AppError> {
    let mut interrupt = Interrupt::new()?;
    tokio::select! {
        exit = until_over(app, row, what, lines) => exit,
        () = interrupt.came() => Ok(Exit::Ok),
        () = stdout::reader_gone() => Ok(Exit::Ok),
    }
}

async fn until_over(app: &App, mut row: Row, what: What, lines: usize) -> Result<Exit, AppError> {
    let home = &app.home;
    let mut changes = Changes::of(home.root(), vec![home.journal(), home.queue()]);
    let mut log = match what {
        What::Screen => Log::Screen(Pane::new(lines)),
        What::Events => Log::Events(Tail::new(&home.events(&row.id))),
        What::Checks => Log::Checks(Checks::new(lines)),
    };
    if let Log::Events(tail) = &mut log {
        put(&tail.begin(lines));
    }
    let (mut said, mut looks) = (String::new(), 0);
    loop {
        log.look(app, &row).await?;
        let words = words(&row);
        if words != said && !words.is_empty() {
            ui::say(format!("==> {}: {words}", row.id));
            if matches!(row.status, Status::Blocked(_)) {
                ui::say_hint(&format!("autodo answer {} \"…\"", row.id));
            }
            said = words;
        }
        if is_over(&row) {
            return Ok(Exit::Ok);
        }
        looks += 1;
        if looks == LOOKS_ALONE && !matches!(row.status, Status::Blocked(_)) && !hold::supervisor_runs(app).await {
            ui::notice("no supervisor runs: what is followed goes on only when one does");
            ui::say_hint("autodo dispatch --detach starts one; autodo tick looks once");
        }
        tokio::time::sleep(LOOK).await;
        if changes.look() {
            row = now(app, &row)?;
            if is_over(&row) {
                // What belongs to the step is written after it: a look later it is there.
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

/// The row as it is now: of the queue, or of the archive where it has left the queue meanwhile.
fn now(app: &App, row: &Row) -> Result<Row, AppError> {
    let rows = store::read_queue(&app.home)?.rows;
    match rows.into_iter().find(|other| other.id == row.id) {
        Some(row) => Ok(row),
        None => find::anywhere(app, row.id.as_str()),
    }
}

/// Where it is, in a line; empty: it is on its way to another place: `running, run 2`, `blocked (question): Which colour?`.
fn words(row: &Row) -> String {
    let word = row.status.word();
    match &row.status {
        Status::Running(run) => match &run.phase {
            Phase::Proving { .. } | Phase::Checking { .. } => format!("{word}, run {}: checking", row.run),
            // Of no news to a person: what it comes to is said in a moment.
            Phase::Closing { .. } => String::new(),
            Phase::Preparing
            | Phase::Launching
            | Phase::Booting
            | Phase::Pasting { .. }
            | Phase::Submitting { .. }
            | Phase::Working => format!("{word}, run {}", row.run),
        },
        Status::Blocked(blocked) => {
            let question = blocked.words();
            format!("{word} ({}): {}", blocked.reason, ui::plain(question.lines().next().unwrap_or_default()))
        }
        Status::Queued { .. } if !row.after.is_empty() => {
            let after: Vec<&str> = row.after.iter().map(|id| id.as_str()).collect();
            format!("{word}, after {}", after.join(", "))
        }
        Status::Parked(parked) => match parked.until {
            Some(until) => {
                let until = crate::format::time::stamp(until, &jiff::tz::TimeZone::system());
                format!("{word} ({}) until {until}", ui::plain(&parked.reason))
            }
            None => format!("{word} ({})", ui::plain(&parked.reason)),
        },
        Status::Queued { .. }
        | Status::NeedsReview
        | Status::Reviewed { .. }
        | Status::Landed
        | Status::Failed { .. }
        | Status::Cancelled { .. } => {
            audit::reason(row).map_or_else(|| word.to_owned(), |reason| format!("{word} ({})", ui::plain(&reason)))
        }
    }
}

/// What is followed.
enum Log {
    Screen(Pane),
    Events(Tail),
    Checks(Checks),
}

impl Log {
    async fn look(&mut self, app: &App, row: &Row) -> Result<(), AppError> {
        match self {
            Self::Screen(pane) => pane.look(app, row).await,
            Self::Events(tail) => put(&tail.told()?),
            Self::Checks(checks) => checks.look(app, row)?,
        }
        Ok(())
    }
}

/// The panes of a ticket, launch after launch.
struct Pane {
    lines: usize,
    launch: Option<(RunId, u32)>,
    /// The last screen of that launch was told.
    is_ended: bool,
    growing: Growing,
    profile: Option<std::sync::Arc<Profile>>,
}

impl Pane {
    fn new(lines: usize) -> Self {
        Self { lines, launch: None, is_ended: false, growing: Growing::default(), profile: None }
    }

    async fn look(&mut self, app: &App, row: &Row) {
        let launch = (row.run > 0).then(|| (run_of(row), row.launch));
        if self.launch != launch {
            self.end(app);
            if self.launch.is_some() {
                // Of what comes after the first all is told.
                self.lines = usize::MAX;
            }
            (self.launch, self.is_ended, self.growing) = (launch, false, Growing::default());
            // Ignored: without its profile its input box is told as well.
            self.profile = app.world.profiles.get(&row.profile, &row.repo).ok();
        }
        if let Some(pane) = &row.pane
            && let Observed::Present(text) = app.world.terminal.scrollback(pane.clone(), SCROLLBACK).await
        {
            let lines = self.above_box(&text);
            let told = match self.growing.is_begun() {
                true => self.growing.look(&lines),
                false => self.growing.begin(&lines, self.lines),
            };
            tell(&told);
        }
        // While it runs without a pane, the next one is being opened.
        if row.pane.is_none() && !matches!(row.status, Status::Running(_)) {
            self.end(app);
        }
    }

    /// What a pane has shown, without the box at its end.
    fn above_box<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let mut lines: Vec<&str> = text.trim_end().lines().collect();
        if let Some(profile) = &self.profile {
            lines.truncate(lines_above_box(profile, &lines));
        }
        while lines.last().is_some_and(|line| line.is_empty()) {
            lines.pop();
        }
        lines
    }

    /// Tells what is left of the launch, by its last screen.
    fn end(&mut self, app: &App) {
        let Some((run, launch)) = self.launch.as_ref().filter(|_| !self.is_ended) else { return };
        if let Observed::Present(text) = fs::look_text(&kept_screen(app, run, *launch)) {
            let lines = self.above_box(&text);
            if !self.growing.is_begun() {
                tell(&self.growing.begin(&lines, self.lines));
            }
            tell(&self.growing.end(&lines));
            self.is_ended = true;
        }
    }
}

fn tell(lines: &[String]) {
    if !lines.is_empty() {
        put(&(lines.join("\n") + "\n"));
    }
}
