//! Watching: one look at all panes per round (T1), then the screens of only those that changed (T2).
//!
//! While panes are few, every changed one is captured in each round; when they are many, those that went quiet, and
//! every one now and then. A reading counts when two looks agree, so the first sight of something new asks for a
//! second look soon.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;

use super::{World, targets::Target};
use crate::{
    agent::{
        classify, prompt,
        stability::{Look as Steady, Stability},
    },
    domain::{
        id::{PaneId, TicketId},
        observed::Observed,
        reconcile::{LaunchLife, PaneLife, Seen},
        screen::{Screen, Sighting},
    },
    ports::terminal::PaneSeen,
};

/// Up to this many panes, each changed one is captured in each round.
const FEW: usize = 16;

/// A pane is captured at least this often while it changes, in seconds.
const SAFETY_NET_S: i64 = 10;

/// A sign of life goes into the books when it is so much newer than the last one, in seconds.
const ALIVE_EVERY_S: i64 = 30;

/// Lines of scrollback in which markers are counted.
const SCROLLBACK: u32 = 3_000;

/// Time from the first sight of something new to the second look.
pub const SECOND_LOOK: Duration = Duration::from_millis(60);

/// What the watch remembers of a pane.
#[derive(Default)]
struct Memory {
    pane: Option<PaneId>,
    signature: Option<(i64, u64, (u16, u16), String)>,
    stability: Stability,
    captured_at: Option<Timestamp>,
    captured_signature: Option<(i64, u64, (u16, u16), String)>,
    second_look: bool,
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
    /// Some pane changed.
    pub is_lively: bool,
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
        self.panes.retain(|ticket, _| targets.iter().any(|t| t.ticket == *ticket));
        let (seen, server_gone) = match world.terminal.panes().await {
            Observed::Present(panes) => (panes, false),
            Observed::Absent => (vec![], true),
            Observed::Unknown(why) => {
                tracing::debug!(why, "tmux could not be looked at");
                return round;
            }
        };
        round.has_looked = true;
        let now = world.clock.now();
        let by_pane: BTreeMap<&PaneId, &PaneSeen> = seen.iter().map(|p| (&p.pane, p)).collect();
        let is_few = targets.len() <= FEW;
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
                round.news.push((target.clone(), News::Life(Seen { pane: life, server_gone, launch })));
            }
            if let Some(row) = row.filter(|row| !row.dead) {
                let memory = self.panes.entry(target.ticket.clone()).or_default();
                if memory.pane.as_ref() != Some(&target.pane) {
                    *memory = Memory { pane: Some(target.pane.clone()), ..Memory::default() };
                }
                let changed = memory.notice(row);
                round.is_lively |= changed;
                if is_sign_of_life(row, &target) {
                    round.news.push((target.clone(), News::Alive));
                }
                if memory.wants_capture(row, changed, is_few, target.is_urgent, now) {
                    to_capture.push(target);
                }
            }
        }
        self.capture(world, to_capture, now, &mut round).await;
        round
    }

    async fn capture(&mut self, world: &World, targets: Vec<Target>, now: Timestamp, round: &mut Round) {
        if targets.is_empty() {
            return;
        }
        let screens = match world.terminal.screens(targets.iter().map(|t| t.pane.clone()).collect()).await {
            Observed::Present(screens) => screens,
            Observed::Absent | Observed::Unknown(_) => return,
        };
        let mut by_pane: BTreeMap<PaneId, Observed<Screen>> = screens.into_iter().collect();
        for target in targets {
            let Some(Observed::Present(screen)) = by_pane.remove(&target.pane) else { continue };
            let Some(memory) = self.panes.get_mut(&target.ticket) else { continue };
            memory.captured_at = Some(now);
            memory.captured_signature.clone_from(&memory.signature);
            let mut sighting = classify::classify(&target.profile, &screen, target.key.as_ref());
            if sighting.marker.is_some() && !marker_is_new(world, &target, &screen).await {
                sighting.marker = None;
            }
            match memory.stability.look(now, sighting) {
                Steady::Same => memory.second_look = false,
                Steady::FirstSight => {
                    memory.second_look = true;
                    round.look_again = true;
                }
                Steady::Changed(sighting) => {
                    memory.second_look = false;
                    let answerable = classify::answer(&target.profile, &screen).is_some();
                    round.news.push((target, News::Sighted { sighting, answerable }));
                }
            }
        }
    }
}

impl Memory {
    /// Takes a row in; true if the pane has changed since the last one.
    fn notice(&mut self, row: &PaneSeen) -> bool {
        let signature = (row.activity_s, row.history, row.cursor, row.title.clone());
        let changed = self.signature.as_ref() != Some(&signature);
        self.signature = Some(signature);
        changed
    }

    fn wants_capture(&self, row: &PaneSeen, changed: bool, is_few: bool, is_urgent: bool, now: Timestamp) -> bool {
        let Some(captured_at) = self.captured_at else { return true };
        let age = now.duration_since(captured_at).as_secs();
        // tmux's activity counts whole seconds: a pane that changed within this one may change again unseen.
        let is_active = now.as_second() - row.activity_s <= 1;
        let unseen = self.captured_signature != self.signature;
        if self.second_look || (is_few && (changed || is_active || unseen)) || (is_urgent && (changed || age >= 1)) {
            return true;
        }
        let went_quiet = unseen && !is_active && !changed;
        went_quiet || (age >= SAFETY_NET_S && (changed || is_active || is_urgent))
    }
}

/// True if the pane has changed a good while after the last sign of life in the books. Taken from tmux's own clock of
/// the pane, so that it also counts what happened while nobody watched.
fn is_sign_of_life(row: &PaneSeen, target: &Target) -> bool {
    target.alive.is_some_and(|alive| row.activity_s - alive.as_second() >= ALIVE_EVERY_S)
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
