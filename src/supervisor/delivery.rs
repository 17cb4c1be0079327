//! Delivery of a prompt into a pane: look, paste, see it in the box; then Enter as a key of its own, and proof.
//!
//! Never into a dialog: a prompt sent while a permission dialog is open would approve it. Never twice: the intent to
//! press Enter is committed between [`paste`] and [`submit`], and what cannot be proven afterwards is a person's to
//! say. No Escape, no Ctrl-C.

use std::time::Duration;

use tokio::time::Instant;

use super::{World, compose, launching::Job};
use crate::{
    agent::{
        classify::{self, BoxSeen},
        profile::Profile,
        prompt,
    },
    domain::{
        event::Event,
        id::PaneId,
        observed::Observed,
        run::{Delivery, LaunchKind, Purpose},
        screen::{Screen, ScreenState, Sighting},
    },
    ports::terminal::{Guard, Key, KeySent, PaneSeen},
};

/// Time between two looks.
const LOOK: Duration = Duration::from_millis(60);

/// Time after an Enter before another one, if the text still stands in the box.
const ENTER_AGAIN: Duration = Duration::from_millis(1_500);

/// Most Enters for one delivery.
const MAX_ENTERS: u32 = 3;

/// Bytes of a text that a box must show to be known by its beginning.
const MIN_SHOWN: usize = 8;

/// How long an agent may take to show what was pasted, before it counts as lost and is pasted once more.
const PASTE_SHOWS: Duration = Duration::from_secs(8);

/// Lines of scrollback in which a prompt is looked for.
const SCROLLBACK: u32 = 3_000;

/// What one look at the pane saw.
struct Look {
    pane: PaneSeen,
    screen: Screen,
    sighting: Sighting,
    input: BoxSeen,
}

/// One delivery at work.
struct Work<'a> {
    world: &'a World,
    job: &'a Job,
    delivery: &'a Delivery,
    profile: std::sync::Arc<Profile>,
    pane: PaneId,
    text: String,
    tag: String,
    end: Instant,
}

impl<'a> Work<'a> {
    fn begin(world: &'a World, job: &'a Job, delivery: &'a Delivery) -> Result<Self, String> {
        let row = &job.row;
        let profile = world.profiles.get(&row.profile, &row.repo)?;
        let pane = row.pane.clone().ok_or("the ticket has no pane")?;
        let text = compose::delivery_text(world, job, delivery)?;
        let limit = Duration::from_secs(job.frozen().limits.delivery_s.max(1));
        let end = Instant::now() + limit;
        Ok(Self { world, job, delivery, profile, pane, text, tag: prompt::tag(&delivery.id), end })
    }

    fn is_late(&self) -> bool {
        Instant::now() >= self.end
    }

    async fn look(&self) -> Observed<Look> {
        let panes = match self.world.terminal.panes().await {
            Observed::Present(panes) => panes,
            Observed::Absent => return Observed::Absent,
            Observed::Unknown(why) => return Observed::Unknown(why),
        };
        let Some(pane) = panes.iter().find(|p| p.pane == self.pane).cloned() else { return Observed::Absent };
        let screen = match self.world.terminal.screens(vec![self.pane.clone()]).await {
            Observed::Present(screens) => match screens.into_iter().next() {
                Some((_, screen)) => screen,
                None => Observed::Unknown("no screen was captured".into()),
            },
            Observed::Absent => Observed::Absent,
            Observed::Unknown(why) => Observed::Unknown(why),
        };
        screen.map(|screen| {
            let mut sighting = classify::classify(&self.profile, &screen, self.job.row.key.as_ref());
            let input = classify::box_content(&self.profile, &screen);
            if self.opens_again() && sighting.state.ends_a_turn() && !matches!(input, BoxSeen::Absent) {
                sighting.state = ScreenState::Ready;
            }
            Look { pane, screen, sighting, input }
        })
    }

    /// True if this is what a conversation is told that was opened again: above the box stand the words with which it
    /// ended, an interruption, a limit or an error.
    fn opens_again(&self) -> bool {
        let is_resumed = self.job.row.running().is_some_and(|run| run.start == LaunchKind::Resume);
        is_resumed && matches!(self.delivery.purpose, Purpose::Ticket | Purpose::GoOn | Purpose::Answer | Purpose::Send)
    }

    /// True if the box holds our text, as far as the box shows it.
    fn is_ours(&self, input: &BoxSeen, pasted_here: bool) -> bool {
        match input {
            BoxSeen::Text(shown) => {
                let (whole, shown) = (classify::solid(&self.text), classify::solid(shown));
                // A box that shows only the beginning of a long text may say so. What a person typed behind the
                // prompt makes it another text: it is not ours to submit.
                let (beginning, is_cut) = shown.split_once('…').map_or((shown.as_str(), false), |(b, _)| (b, true));
                whole == shown
                    || ((is_cut || pasted_here) && beginning.len() >= MIN_SHOWN && whole.starts_with(beginning))
            }
            // A stand-in for a long text says nothing of its content: it is ours only if we have just put it there.
            BoxSeen::Pasted => pasted_here,
            BoxSeen::Empty | BoxSeen::Absent => false,
        }
    }

    async fn in_scrollback(&self) -> bool {
        if !self.text.contains(&self.tag) {
            return false;
        }
        match self.world.terminal.scrollback(self.pane.clone(), SCROLLBACK).await {
            Observed::Present(text) => text.contains(&self.tag),
            Observed::Absent | Observed::Unknown(_) => false,
        }
    }

    async fn markers(&self) -> u32 {
        let Some(key) = &self.job.row.key else { return 0 };
        match self.world.terminal.scrollback(self.pane.clone(), SCROLLBACK).await {
            Observed::Present(text) => {
                let rows: Vec<String> = text.lines().map(str::to_owned).collect();
                u32::try_from(classify::markers(&self.profile, &rows, key).len()).unwrap_or(u32::MAX)
            }
            Observed::Absent | Observed::Unknown(_) => 0,
        }
    }

    /// What must be on the screen for Enter: something that only our text in the box shows.
    fn guard(&self, look: &Look) -> Guard {
        let shows = if self.text.contains(&self.tag) && look.screen.text().contains(&self.tag) {
            Some(self.tag.clone())
        } else {
            let shown = match &look.input {
                BoxSeen::Text(shown) => shown.lines().next().unwrap_or_default(),
                BoxSeen::Pasted | BoxSeen::Empty | BoxSeen::Absent => "",
            };
            let plain: String = shown.chars().take(40).collect();
            (!plain.trim().is_empty()).then_some(plain)
        };
        // The answer to a question is typed while the question still stands on the screen.
        let hides = match self.delivery.purpose {
            Purpose::Answer | Purpose::Denied { .. } => vec![],
            _ => self.profile.delivery.hides.clone(),
        };
        Guard { shows, hides }
    }

    fn unverified(&self, why: impl Into<String>) -> Vec<Event> {
        vec![Event::Unverified { delivery: self.delivery.id.clone(), why: why.into() }]
    }

    fn not_pasted(&self, why: impl Into<String>, dialog: bool) -> Vec<Event> {
        vec![Event::NotPasted { delivery: self.delivery.id.clone(), why: why.into(), dialog }]
    }

    fn submitted(&self, evidence: impl Into<String>, markers: u32) -> Vec<Event> {
        vec![Event::Submitted { delivery: self.delivery.id.clone(), evidence: evidence.into(), markers }]
    }
}

/// True for a text that is an answer to what the agent asks above its box.
fn answers(purpose: &Purpose) -> bool {
    matches!(purpose, Purpose::Answer | Purpose::Denied { .. })
}

/// True where a key would answer something, so that this prompt may not be sent. A question that is asked above an input
/// box is answered by a text in that box; every other delivery waits.
fn asks(look: &Look, purpose: &Purpose) -> bool {
    let takes_text = !matches!(look.input, BoxSeen::Absent);
    match look.sighting.state {
        ScreenState::Question => !(takes_text && answers(purpose)),
        ScreenState::Dialog | ScreenState::Permission | ScreenState::Limited | ScreenState::LoggedOut => true,
        ScreenState::Booting
        | ScreenState::Ready
        | ScreenState::Busy
        | ScreenState::Overloaded
        | ScreenState::Error
        | ScreenState::Unknown => false,
    }
}

/// True if two looks saw the same.
fn settled(last: &mut Option<(ScreenState, bool)>, now: (ScreenState, bool)) -> bool {
    last.replace(now) == Some(now)
}

/// Puts the prompt into the box, and sees it there.
pub async fn paste(world: &World, job: &Job, delivery: &Delivery) -> Vec<Event> {
    let work = match Work::begin(world, job, delivery) {
        Ok(work) => work,
        Err(why) => return vec![Event::NotPasted { delivery: delivery.id.clone(), why, dialog: false }],
    };
    let mut last = None;
    let mut pasted = 0;
    let mut pasted_at: Option<Instant> = None;
    let mut why = String::from("the agent's box was never ready");
    loop {
        match work.look().await {
            // The pane or its program is gone: the watch says how.
            Observed::Absent => return vec![],
            Observed::Unknown(reason) => {
                if work.is_late() {
                    return work.unverified(format!("the pane could not be looked at: {reason}"));
                }
            }
            Observed::Present(look) if look.pane.dead => return vec![],
            Observed::Present(look) if look.pane.in_mode => {
                // Copy mode swallows keys; a person who scrolls is put back to the end of the screen.
                if let Err(error) = world.terminal.leave_mode(work.pane.clone()).await {
                    why = error.to_string();
                }
            }
            Observed::Present(look) if work.is_ours(&look.input, pasted > 0) && !asks(&look, &delivery.purpose) => {
                (world.point)("paste.seen");
                return vec![Event::Pasted { delivery: delivery.id.clone() }];
            }
            Observed::Present(look) => {
                let state = look.sighting.state;
                let empty = matches!(look.input, BoxSeen::Empty);
                let stable = settled(&mut last, (state, empty));
                if asks(&look, &delivery.purpose) && stable && pasted > 0 {
                    // The text stands behind the dialog, or was lost to it: the box tells once the dialog is gone.
                    return vec![Event::Pasted { delivery: delivery.id.clone() }];
                }
                if asks(&look, &delivery.purpose) && stable {
                    let text = if look.sighting.text.is_empty() { state.word().into() } else { look.sighting.text };
                    return work.not_pasted(text, true);
                }
                let takes = state == ScreenState::Ready
                    || (state == ScreenState::Question && answers(&delivery.purpose))
                    || (state == ScreenState::Busy
                        && work.profile.delivery.queues_while_busy
                        && matches!(delivery.purpose, Purpose::Send));
                let is_lost = pasted_at.is_none_or(|at| at.elapsed() >= PASTE_SHOWS);
                if empty && takes && stable && pasted < 2 && is_lost {
                    if work.in_scrollback().await {
                        let markers = 0;
                        return work.submitted("the prompt stands in the scrollback above an empty box", markers);
                    }
                    let is_foreground =
                        look.pane.pid.map_or(Observed::Present(false), |pid| world.launches.is_foreground(pid));
                    if let Observed::Present(false) = is_foreground {
                        why = "the agent is not in the foreground of its pane".into();
                    } else {
                        (world.point)("paste.before");
                        match world.terminal.paste(work.pane.clone(), work.text.clone()).await {
                            Ok(()) => {
                                pasted += 1;
                                pasted_at = Some(Instant::now());
                            }
                            Err(error) => why = error.to_string(),
                        }
                        (world.point)("paste.after");
                        last = None;
                    }
                } else if let BoxSeen::Text(other) = &look.input {
                    why = format!("the agent's box holds other text: {}", other.chars().take(80).collect::<String>());
                }
            }
        }
        if work.is_late() {
            return if pasted > 0 {
                work.unverified("the prompt was pasted, but it was not seen in the agent's box")
            } else {
                work.not_pasted(why, false)
            };
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Presses Enter while the prompt stands in the box, and proves that it was submitted.
pub async fn submit(world: &World, job: &Job, delivery: &Delivery) -> Vec<Event> {
    let work = match Work::begin(world, job, delivery) {
        Ok(work) => work,
        Err(why) => return vec![Event::Unverified { delivery: delivery.id.clone(), why }],
    };
    let markers = work.markers().await;
    let mut enters = 0;
    let mut last_enter: Option<Instant> = None;
    let mut last = None;
    loop {
        match work.look().await {
            Observed::Absent => return vec![],
            Observed::Unknown(_) => {}
            Observed::Present(look) if look.pane.dead => return vec![],
            Observed::Present(look) if look.pane.in_mode => {
                if let Err(error) = world.terminal.leave_mode(work.pane.clone()).await {
                    tracing::debug!(%error, "copy mode was not left");
                }
            }
            Observed::Present(look) => {
                let state = look.sighting.state;
                let empty = matches!(look.input, BoxSeen::Empty);
                let stable = settled(&mut last, (state, empty));
                let ours = work.is_ours(&look.input, true);
                if asks(&look, &delivery.purpose) {
                    if enters > 0 && stable && !ours {
                        // The agent asks about the work it was just given.
                        return work.submitted(format!("Enter ×{enters}; then the agent asked"), markers);
                    }
                    if stable {
                        let text = if look.sighting.text.is_empty() { state.word().into() } else { look.sighting.text };
                        return work.not_pasted(text, true);
                    }
                } else if ours {
                    let due = last_enter.is_none_or(|at| at.elapsed() >= ENTER_AGAIN);
                    if due && enters < MAX_ENTERS {
                        (world.point)("submit.before");
                        match world.terminal.key(work.pane.clone(), Key::Enter, work.guard(&look)).await {
                            Ok(KeySent::Yes) => {
                                enters += 1;
                                last_enter = Some(Instant::now());
                            }
                            Ok(KeySent::Refused) => {}
                            Err(error) => tracing::debug!(%error, "Enter was not sent"),
                        }
                        (world.point)("submit.after");
                    }
                } else if enters > 0 && (empty || state == ScreenState::Busy) {
                    let what = if state == ScreenState::Busy { "the agent is busy" } else { "the box emptied" };
                    return work.submitted(format!("Enter ×{enters}; {what}"), markers);
                } else if enters == 0 && stable && (empty || state == ScreenState::Busy) {
                    // Enter was intended before a restart. Was it sent?
                    if work.in_scrollback().await {
                        return work.submitted("the prompt stands in the scrollback above the box", 0);
                    }
                    if state == ScreenState::Ready {
                        return work
                            .unverified("Enter was intended, the box is empty, and the prompt is nowhere to be seen");
                    }
                }
            }
        }
        if work.is_late() {
            return work
                .unverified(format!("Enter was pressed {enters} times, and nothing shows that it was accepted"));
        }
        tokio::time::sleep(LOOK).await;
    }
}
