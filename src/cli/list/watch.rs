//! `list --watch`: the list again whenever the queue changes; at a terminal in its place.

use std::{io::IsTerminal, time::Duration};

use jiff::tz::TimeZone;
use serde_json::json;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

use super::{
    Looker, Seen,
    table::{Fit, counts},
};
use crate::{
    adapters::{
        changes::Changes,
        display::{self, Display},
        env, stdout,
    },
    app::{AppError, Exit, hold},
    cli::ui,
    domain::glance::Glance,
};

/// The shortest time between two looks at the queue; the longest is [`SHARE`] times as long as a look takes.
const PAUSE: Duration = Duration::from_millis(100);

/// A look is given at most one part in this many of the time.
const SHARE: u32 = 10;

/// Time between two drawings while something runs: the times worked grow.
const TICK: Duration = Duration::from_secs(1);

/// Time between two drawings otherwise: the clock.
const SLOW_TICK: Duration = Duration::from_secs(15);

/// Time between two looks whether a supervisor is there.
const SUPERVISOR_LOOK: Duration = Duration::from_secs(5);

/// How long a supervisor may take to answer before nothing is said of it.
const SUPERVISOR_WAIT: Duration = Duration::from_secs(1);

/// What a terminal sends for Ctrl-L: please draw it all again.
const CTRL_L: u8 = 0x0c;

/// Ctrl-C, and the other ways to end or resize a program that shows something.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
    stop: Signal,
    resized: Signal,
}

enum Came {
    Interrupt,
    End,
    Stop,
    Resized,
}

impl Signals {
    fn new() -> Result<Self, AppError> {
        let on = |kind| {
            signal(kind).map_err(|e| {
                AppError::new(format!("cannot listen for signals: {e}"))
                    .hint("autodo list without --watch shows it once")
            })
        };
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
            hangup: on(SignalKind::hangup())?,
            stop: on(display::stop_asked())?,
            resized: on(SignalKind::window_change())?,
        })
    }

    async fn came(&mut self) -> Came {
        tokio::select! {
            _ = self.interrupt.recv() => Came::Interrupt,
            _ = self.terminate.recv() => Came::End,
            _ = self.hangup.recv() => Came::End,
            _ = self.stop.recv() => Came::Stop,
            _ = self.resized.recv() => Came::Resized,
        }
    }
}

/// Shows the list until the person leaves it, or nobody reads any more.
///
/// # Errors
/// The queue cannot be read.
pub async fn run(looker: &Looker, json: bool) -> Result<Exit, AppError> {
    let home = &looker.app.home;
    let changes = Changes::of(home.root(), vec![home.journal(), home.queue(), home.list()]);
    let is_dumb = env::var("TERM").is_none_or(|term| term == "dumb");
    if json || !std::io::stdout().is_terminal() || is_dumb {
        return lines(looker, json, changes).await;
    }
    drawn(looker, changes).await
}

/// One list, or one line of JSON, for each change.
async fn lines(looker: &Looker, json: bool, mut changes: Changes) -> Result<Exit, AppError> {
    crate::cli::json::lines();
    let mut interrupt = crate::cli::context::Interrupt::new()?;
    let watch = async {
        let mut before = None;
        loop {
            let began = Instant::now();
            let text = if json {
                let text = json!({ "version": 1, "tickets": looker.rows()? }).to_string();
                let is_new = before.as_ref() != Some(&text);
                is_new.then(|| {
                    before = Some(text.clone());
                    text
                })
            } else {
                let seen = looker.look()?;
                let glances = format!("{:?}", seen.shown);
                let is_new = before.as_ref() != Some(&glances);
                before = Some(glances);
                is_new.then(|| {
                    seen.notices.iter().for_each(|notice| ui::notice(notice));
                    // A blank line ends each list.
                    let fit = Fit { columns: None, rows: None };
                    let lines = seen.table(None).lines(looker.app.world.clock.now(), fit);
                    lines.into_iter().map(|line| line + "\n").collect()
                })
            };
            if let Some(text) = text {
                ui::print(&text);
            }
            tokio::time::sleep(pause(began)).await;
            changes.came().await;
        }
    };
    tokio::select! {
        end = watch => end,
        () = interrupt.came() => Ok(Exit::Ok),
        () = stdout::reader_gone() => Ok(Exit::Ok),
    }
}

fn pause(began: Instant) -> Duration {
    PAUSE.max(began.elapsed() * SHARE)
}

/// What is on the screen.
struct Shown {
    seen: Seen,
    trouble: Option<String>,
    supervisor: Option<bool>,
    asked: Option<Instant>,
}

/// The list in its place at the terminal.
async fn drawn(looker: &Looker, mut changes: Changes) -> Result<Exit, AppError> {
    let mut signals = Signals::new()?;
    let gone = |e: std::io::Error| {
        AppError::new(format!("cannot draw on this terminal: {e}")).hint("autodo list --watch --json needs no terminal")
    };
    // Before the terminal is taken: what cannot be read at all is said as ever.
    let mut shown = Shown { seen: looker.look()?, trouble: None, supervisor: None, asked: None };
    let colours = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
    let user = env::home().map(|home| home.to_string_lossy().into_owned());
    let mut display = Display::take().map_err(gone)?;
    let mut minute = String::new();
    let mut next_look = Instant::now();
    loop {
        shown.ask_supervisor(looker).await;
        let now = looker.app.world.clock.now();
        let clock = now.to_zoned(TimeZone::system()).strftime("%H:%M").to_string();
        if clock != minute {
            // Once a minute all is written anew, over what others may have written there.
            display.forget();
            minute.clone_from(&clock);
        }
        let (columns, rows) = display::size();
        let fit = Fit { columns: Some(columns.saturating_sub(1)), rows: Some(rows.saturating_sub(1)) };
        let mut frame = vec![shown.header(&clock, columns.saturating_sub(1))];
        frame.extend(shown.seen.table(user.as_deref()).lines(now, fit));
        if shown.seen.shown.is_empty() {
            frame.push(ui::cut("there are no tickets yet: autodo add, autodo dispatch", columns.saturating_sub(1)));
        }
        frame.truncate(rows);
        if !colours {
            frame.iter_mut().for_each(|line| *line = anstream::adapter::strip_str(line).to_string());
        }
        display.draw(&frame).map_err(gone)?;
        let tick = if shown.seen.shown.iter().any(|glance| glance.since.is_some()) { TICK } else { SLOW_TICK };
        tokio::select! {
            () = async { tokio::time::sleep_until(next_look).await; changes.came().await } => {
                let began = Instant::now();
                match looker.look() {
                    Ok(seen) => {
                        shown.trouble = seen.notices.first().cloned();
                        shown.seen = seen;
                        if shown.supervisor == Some(false) {
                            // What has changed was perhaps changed by one.
                            shown.asked = None;
                        }
                    }
                    Err(error) => shown.trouble = Some(error.message),
                }
                next_look = Instant::now() + pause(began);
            }
            came = signals.came() => match came {
                Came::Interrupt => return Ok(Exit::Ok),
                Came::End => return Ok(Exit::Interrupted),
                Came::Stop => display.suspend().map_err(gone)?,
                Came::Resized => display.forget(),
            },
            typed = display.typed() => {
                if typed.contains(&b'q') {
                    return Ok(Exit::Ok);
                }
                if typed.contains(&CTRL_L) {
                    display.forget();
                }
            }
            () = tokio::time::sleep(tick) => {}
        }
    }
}

impl Shown {
    /// Looks from time to time whether a supervisor is there, while there is something for it to do.
    async fn ask_supervisor(&mut self, looker: &Looker) {
        if !self.seen.shown.iter().any(|glance| matches!(glance.status.as_str(), "running" | "queued")) {
            (self.supervisor, self.asked) = (None, None);
            return;
        }
        if self.asked.is_some_and(|asked| asked.elapsed() < SUPERVISOR_LOOK) {
            return;
        }
        // Ignored: one that is slow to answer is there, or is not; nothing is said then.
        self.supervisor = tokio::time::timeout(SUPERVISOR_WAIT, hold::supervisor_runs(&looker.app)).await.ok();
        self.asked = Some(Instant::now());
    }

    /// `2 running, 10 queued · no supervisor runs            q leaves · 14:32`
    fn header(&self, clock: &str, columns: usize) -> String {
        let all: Vec<&Glance> = self.seen.shown.iter().collect();
        let mut left = counts(&all);
        if self.supervisor == Some(false) {
            left.push_str(" · no supervisor runs");
        }
        if let Some(trouble) = &self.trouble {
            left = ui::plain(trouble);
        }
        let right = format!("q leaves · {clock}");
        let left = ui::cut(&left, columns.saturating_sub(right.chars().count() + 2));
        let room = columns.saturating_sub(ui::columns_of(&left) + right.chars().count());
        let bold = anstyle::Style::new().bold();
        let dim = anstyle::Style::new().dimmed();
        format!("{bold}{left}{bold:#}{}{dim}{right}{dim:#}", " ".repeat(room))
    }
}
