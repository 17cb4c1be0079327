//! Watching: one look at all panes per round (T1), then the screens of only those that changed (T2).
//!
//! While few panes are at work, every changed one is captured in each round (rounds come quickly while things happen, and
//! half-second by half-second where the panes have shown nothing but work for a while); when they are many, those that went quiet,
//! and every one now and then. tmux counts a pane's activity in whole seconds, so quiet is a pane that printed nothing
//! in the second of the look: rounds over many panes come `IN_SECOND` after the clock's full second, when one at work
//! has printed and one that asks has not. A reading counts when two looks agree, so the first sight of something new
//! asks for a second look soon.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::Instant;

use super::{World, targets::Target};
use crate::{
    agent::{
        classify, limit, prompt,
        stability::{Look as Steady, Stability},
    },
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
        permission::{self, Asked, Policy, Subject},
        reconcile::{LaunchLife, PaneLife, Seen},
        screen::{Screen, ScreenState, Sighting},
    },
    ports::terminal::PaneSeen,
};

/// Up to this many panes at work, each changed one is captured in each round.
const FEW: usize = 16;

/// Up to this many panes in all, rounds come in quick succession while few of them are at work.
const FEW_IN_ALL: usize = 50;

/// A pane is captured at least this often while it changes.
const SAFETY_NET: Duration = Duration::from_secs(10);

/// A pane that must be looked at soon is captured at least this often.
const URGENT: Duration = Duration::from_secs(1);

/// A pane is at work if its last output is at most so many seconds old.
const AT_WORK_S: i64 = 2;

/// Time between two rounds while few panes are at work.
const QUICK: Duration = Duration::from_millis(120);

/// Time between two rounds over few panes that have shown nothing but work for [`STEADY`]: each round is a process, and
/// eight busy panes cost 2 % of a core in quick succession, 0.5 % so.
const UNHURRIED: Duration = Duration::from_millis(500);

/// When nothing but work was seen and nothing else has happened for so long, the next thing may wait a moment more.
pub const STEADY: Duration = Duration::from_secs(5);

/// Time between two rounds while none is.
pub const AT_REST: Duration = Duration::from_millis(500);

/// Time between two rounds while none of many is: a look at two hundred panes is 3 ms of work.
const MANY_AT_REST: Duration = Duration::from_secs(2);

/// When in a second of the clock a round over many panes is best: an agent at work redraws more often than this.
const IN_SECOND: Duration = Duration::from_millis(200);

/// Lines of scrollback in which markers are counted.
const SCROLLBACK: u32 = 3_000;

/// Time from the first sight of something new to the second look.
pub const SECOND_LOOK: Duration = Duration::from_millis(60);

/// What changes in a row when a pane prints: second of its activity, scrollback, cursor, title.
type Signature = (i64, u64, (u16, u16), String);

/// What the watch remembers of a pane.
#[derive(Default)]
struct Memory {
    pane: Option<PaneId>,
    stability: Stability,
    captured: Option<Captured>,
    second_look: bool,
}

/// The latest capture of a pane.
struct Captured {
    /// The row before it.
    signature: Signature,
    /// When it was asked for: what came later may not be on it.
    at: Instant,
    /// The second of the clock in which it was asked for.
    second: i64,
}

/// What a round saw of one ticket.
pub enum News {
    /// Its screen means something new.
    Sighted {
        /// What.
        sighting: Sighting,
        /// The profile knows a harmless answer to the dialog shown.
        answerable: bool,
    },
    /// It has changed since the last such news.
    Alive,
    /// Its pane or its launch is not alive.
    Life(Seen),
}

/// What a round saw.
#[derive(Default)]
pub struct Round {
    /// All panes were looked at, or there were none.
    pub has_looked: bool,
    /// News, each with the target it is about.
    pub news: Vec<(Target, News)>,
    /// How many panes were at work, or were to be looked at soon.
    pub lively: usize,
    /// Something new was seen once: look again after [`SECOND_LOOK`].
    pub look_again: bool,
}

/// The watch over all panes.
#[derive(Default)]
pub struct Watch {
    panes: BTreeMap<TicketId, Memory>,
}

impl Watch {
    /// Forgets what was seen of a ticket: what it shows next is news again.
    pub fn forget(&mut self, ticket: &TicketId) {
        self.panes.remove(ticket);
    }

    /// One round over `targets`; those in `woken` have their launch looked at even while their pane lives.
    pub async fn round(&mut self, world: &World, targets: Vec<Target>, woken: &BTreeSet<TicketId>) -> Round {
        let mut round = Round::default();
        let watched: BTreeSet<&TicketId> = targets.iter().map(|target| &target.ticket).collect();
        self.panes.retain(|ticket, _| watched.contains(ticket));
        // Before the look: what is quiet by this second is quiet.
        let asked = world.clock.now().as_second();
        let seen = match world.terminal.panes().await {
            Observed::Present(panes) => panes,
            Observed::Absent => Arc::default(),
            Observed::Unknown(why) => {
                tracing::debug!(why, "tmux could not be looked at");
                return round;
            }
        };
        round.has_looked = true;
        let by_pane: BTreeMap<&PaneId, &PaneSeen> = seen.iter().map(|p| (&p.pane, p)).collect();
        // A server that runs has a pane that is no ticket's.
        let servers: BTreeSet<usize> = seen.iter().map(|row| row.pane.server()).collect();
        let is_lively = |target: &Target| {
            let row = by_pane.get(&target.pane).filter(|row| !row.dead);
            row.is_some_and(|row| target.is_urgent || row.activity_s >= asked - AT_WORK_S)
        };
        round.lively = targets.iter().filter(|target| is_lively(target)).count();
        let is_few = round.lively <= FEW;
        let mut to_capture = Vec::new();
        for target in targets {
            let row = by_pane.get(&target.pane).copied();
            let life = match row {
                Some(row) if row.dead => Observed::Present(PaneLife::Dead),
                Some(_) => Observed::Present(PaneLife::Alive),
                None => Observed::Absent,
            };
            if woken.contains(&target.ticket) || life != Observed::Present(PaneLife::Alive) {
                let launch = launch_life(world, &target);
                let server_gone = !servers.contains(&target.pane.server());
                round.news.push((target.clone(), News::Life(Seen { pane: life, server_gone, launch })));
            }
            let Some(row) = row.filter(|row| !row.dead) else { continue };
            if is_sign_of_life(row, &target) {
                round.news.push((target.clone(), News::Alive));
            }
            if self.panes.get(&target.ticket).is_none_or(|memory| memory.pane.as_ref() != Some(&target.pane)) {
                let memory = Memory { pane: Some(target.pane.clone()), ..Memory::default() };
                self.panes.insert(target.ticket.clone(), memory);
            }
            let Some(memory) = self.panes.get(&target.ticket) else { continue };
            if memory.wants_capture(row, is_few, target.is_urgent, asked) {
                to_capture.push((target, signature(row)));
            }
        }
        self.capture(world, to_capture, &mut round).await;
        round
    }

    async fn capture(&mut self, world: &World, targets: Vec<(Target, Signature)>, round: &mut Round) {
        if targets.is_empty() {
            return;
        }
        let (at, now) = (Instant::now(), world.clock.now());
        let screens = match world.terminal.screens(targets.iter().map(|(t, _)| t.pane.clone()).collect()).await {
            Observed::Present(screens) => screens,
            Observed::Absent | Observed::Unknown(_) => return,
        };
        let mut by_pane: BTreeMap<PaneId, Observed<Screen>> = screens.into_iter().collect();
        for (target, signature) in targets {
            let Some(Observed::Present(screen)) = by_pane.remove(&target.pane) else { continue };
            let Some(memory) = self.panes.get_mut(&target.ticket) else { continue };
            memory.captured = Some(Captured { signature, at, second: now.as_second() });
            let mut sighting = classify::classify(&target.profile, &screen, target.key.as_ref());
            if sighting.marker.is_some() && !marker_is_new(world, &target, &screen).await {
                sighting.marker = None;
            }
            if sighting.state == ScreenState::Limited {
                sighting.lifts = limit::lifts_at(&sighting.text, now, &world.clock.zone());
            }
            match memory.stability.look(now, sighting) {
                Steady::Same => memory.second_look = false,
                Steady::FirstSight => {
                    memory.second_look = true;
                    round.look_again = true;
                }
                Steady::Changed(sighting) => {
                    memory.second_look = false;
                    let mut sighting = sighting;
                    sighting.request = sighting.request.map(|asked| Box::new(judged(world, &target, *asked)));
                    let answerable = classify::answer(&target.profile, &screen).is_some();
                    round.news.push((target, News::Sighted { sighting, answerable }));
                }
            }
        }
    }
}

/// What the rules say to a request that the screen shows.
fn judged(world: &World, target: &Target, mut asked: Asked) -> Asked {
    if let Some(Subject::Command { line, .. }) = &mut asked.subject {
        *line = permission::named(line, &world.files.places().program().to_string_lossy());
    }
    let frozen = target.accepted.as_ref().map(|accepted| accepted.1.permissions.as_slice());
    let policy = world.files.live_rules(&target.repo).and_then(|live| {
        let frozen = frozen.ok_or("the ticket's file cannot be read")?;
        let texts = (live.iter().map(String::as_str), frozen.iter().map(String::as_str));
        Policy::of(texts.0, texts.1).map_err(|why| why.to_string())
    });
    match policy {
        Ok(policy) => asked.decided(&policy),
        Err(why) => {
            tracing::warn!(ticket = %target.ticket, why, "a person is asked: the rules for permissions cannot be read");
            asked
        }
    }
}

/// When the next round should begin, if `targets` panes are watched, `lively` of them were at work in the last one, and
/// nothing else has happened for `since`.
#[must_use]
pub fn next_round(targets: usize, lively: usize, since: Duration, now: Timestamp) -> Duration {
    match (targets, lively) {
        (0..=FEW_IN_ALL, 0) => AT_REST,
        (0..=FEW_IN_ALL, 1..=FEW) if since >= STEADY => UNHURRIED,
        (0..=FEW_IN_ALL, 1..=FEW) => QUICK,
        (_, 0) => MANY_AT_REST,
        _ => {
            let second = Duration::from_secs(1);
            let gone = Duration::from_nanos(u64::try_from(now.subsec_nanosecond()).unwrap_or(0));
            let wait = if gone < IN_SECOND { IN_SECOND - gone } else { second + IN_SECOND - gone };
            // A timer that fires a moment early must not make two rounds of one.
            if wait < QUICK { wait + second } else { wait }
        }
    }
}

fn signature(row: &PaneSeen) -> Signature {
    (row.activity_s, row.history, row.cursor, row.title.clone())
}

impl Memory {
    /// True if the pane is to be captured, as `row` shows it, in a look that began in the second `asked`.
    fn wants_capture(&self, row: &PaneSeen, is_few: bool, is_urgent: bool, asked: i64) -> bool {
        let Some(captured) = &self.captured else { return true };
        let (activity, history, cursor, title) = &captured.signature;
        let is_as_captured =
            (row.activity_s, row.history, row.cursor, &row.title) == (*activity, *history, *cursor, title);
        // What it printed in the second of the capture may have come after it.
        let is_unseen = !is_as_captured || row.activity_s >= captured.second;
        // An activity ahead of the clock is of a clock that was set back.
        let is_quiet = !(asked..=asked + 1).contains(&row.activity_s);
        let age = captured.at.elapsed();
        self.second_look
            || (is_unseen && (is_few || is_quiet || age >= SAFETY_NET))
            || (is_urgent && (!is_as_captured || age >= URGENT))
    }
}

/// True if the pane has changed a good while after the last sign of life in the books. Taken from tmux's own clock of
/// the pane, so that it also counts what happened while nobody watched.
fn is_sign_of_life(row: &PaneSeen, target: &Target) -> bool {
    target.alive.is_some_and(|alive| row.activity_s - alive.as_second() >= target.alive_every_s)
}

/// True if a marker on the screen was printed after the latest prompt was submitted.
async fn marker_is_new(world: &World, target: &Target, screen: &Screen) -> bool {
    let Some(key) = &target.key else { return false };
    let on_screen = classify::markers(&target.profile, &screen.rows, key);
    let Some(last) = on_screen.last().map(|(row, _)| *row) else { return false };
    if let Some(delivery) = &target.delivery {
        let tag = prompt::tag(delivery);
        if let Some(echo) = screen.rows.iter().rposition(|row| row.contains(&tag)) {
            return last > echo;
        }
    }
    if target.markers == 0 {
        return true;
    }
    match world.terminal.scrollback(target.pane.clone(), SCROLLBACK).await {
        Observed::Present(text) => {
            let rows: Vec<String> = text.lines().map(str::to_owned).collect();
            let count = classify::markers(&target.profile, &rows, key).len();
            count > usize::try_from(target.markers).unwrap_or(usize::MAX)
        }
        Observed::Absent | Observed::Unknown(_) => false,
    }
}

/// What the files and the process of a launch say.
#[must_use]
pub fn launch_life(world: &World, target: &Target) -> Observed<LaunchLife> {
    world.launches.look(target.launch_folder.clone()).map(|seen| match (seen.exited, seen.started) {
        (Some(exit), _) => LaunchLife::Ended { end: exit.end, outside: exit.by_autodo },
        (None, Some(_)) if seen.alive => LaunchLife::Alive,
        (None, Some(_)) => LaunchLife::Gone { other_boot: seen.other_boot },
        (None, None) => LaunchLife::Waiting,
    })
}

#[cfg(test)]
mod tests;
