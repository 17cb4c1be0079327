//! Steps from the worktree to a prompt that is submitted.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        event::{Event, LaunchTrouble, WorktreeTrouble},
        row::{Row, Status},
        run::{Delivery, Phase, Purpose, Run},
        screen::ScreenState,
        ticket::Frozen,
    },
    ending,
    running::{block, to},
};

pub(super) fn preparing(
    mut row: Row,
    run: Run,
    event: &Event,
    frozen: &Frozen,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    match event {
        Event::WorktreeReady { base_commit, stacked_on } => {
            // Adopted as it was, the work still stands where it stood.
            if row.base_commit.as_ref() != Some(base_commit) || row.stacked_on != *stacked_on {
                row.stale_base = None;
                row.stale_accepted = None;
            }
            row.base_commit = Some(base_commit.clone());
            row.stacked_on.clone_from(stacked_on);
            row.launch += 1;
            to(row, run, Phase::Launching, vec![Effect::OpenSession], now)
        }
        Event::WorktreeFailed { kind, why } => Some(match kind {
            WorktreeTrouble::Taken => ending::park(row, run, "worktree", why, frozen, now),
            WorktreeTrouble::Passing => ending::hindered(row, run, why, frozen, now),
            WorktreeTrouble::Conflict => block(row, run, "conflict", why, false),
            WorktreeTrouble::Setup => block(row, run, "setup", why, false),
        }),
        _ => None,
    }
}

pub(super) fn launching(
    mut row: Row,
    mut run: Run,
    event: &Event,
    frozen: &Frozen,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    match event {
        Event::SessionOpened { pane } => {
            row.pane = Some(pane.clone());
            row.usage_begins();
            run.alive = now;
            to(row, run, Phase::Booting, vec![], now)
        }
        Event::LaunchFailed { kind, why } => Some(match kind {
            LaunchTrouble::Environment => ending::park(row, run, "environment", why, frozen, now),
            LaunchTrouble::Taken => ending::park(row, run, "session", why, frozen, now),
            LaunchTrouble::Passing => ending::hindered(row, run, why, frozen, now),
        }),
        _ => None,
    }
}

pub(super) fn delivering(
    mut row: Row,
    mut run: Run,
    delivery: Delivery,
    event: &Event,
    now: Timestamp,
) -> Option<(Row, Vec<Effect>)> {
    match event {
        Event::Pasted { delivery: id } if *id == delivery.id && !delivery.enter_intended => {
            let delivery = Delivery { enter_intended: true, ..delivery };
            let effects = vec![Effect::Submit { delivery: delivery.clone() }];
            to(row, run, Phase::Submitting { delivery }, effects, now)
        }
        Event::Submitted { delivery: id, markers, .. } if *id == delivery.id => {
            run.alive = now;
            run.markers = *markers;
            // A question while it started was answered: the prompt is still to come.
            let phase = if run.then_deliver.is_some() { Phase::Booting } else { Phase::Working };
            to(row, run, phase, vec![], now)
        }
        Event::NotPasted { delivery: id, why, dialog } if *id == delivery.id => {
            // A nudge that finds no room is no news: the stall goes on.
            if delivery.purpose == Purpose::Nudge {
                return to(row, run, Phase::Working, vec![], now);
            }
            // Nobody waits for words on the way: the work goes on, and who sent them is told.
            if delivery.purpose == Purpose::Send && !dialog {
                run.unsent = Some(why.clone());
                return to(row, run, Phase::Working, vec![], now);
            }
            // The text stands in the box behind the dialog: Enter follows once the dialog is gone.
            if *dialog && delivery.enter_intended {
                let (mut row, effects) = block(row, run, "permission", why, true);
                if let Status::Blocked(blocked) = &mut row.status {
                    blocked.settled = true;
                }
                return Some((row, effects));
            }
            run.then_deliver = Some(delivery.purpose);
            run.enter(Phase::Booting, now);
            let (mut row, effects) = block(row, run, if *dialog { "dialog" } else { "delivery" }, why, true);
            if let (Status::Blocked(blocked), false) = (&mut row.status, *dialog) {
                blocked.options = vec!["again".into()];
            }
            Some((row, effects))
        }
        // Whether a nudge arrived is not worth a person's time: what follows shows it, or the agent is set aside.
        Event::Unverified { delivery: id, .. } if *id == delivery.id && delivery.purpose == Purpose::Nudge => {
            to(row, run, Phase::Working, vec![], now)
        }
        Event::Unverified { delivery: id, why } if *id == delivery.id => {
            run.then_deliver = Some(delivery.purpose);
            let question = format!("{why}. Did the agent get the prompt {}?", delivery.id);
            let (mut row, effects) = block(row, run, "delivery_unverified", question, true);
            if let Status::Blocked(blocked) = &mut row.status {
                blocked.options = vec!["accepted".into(), "again".into()];
            }
            Some((row, effects))
        }
        // A claim may come while a nudge is on its way; the screen says nothing new until the delivery is through.
        Event::Seen { sighting, .. } if matches!(sighting.state, ScreenState::Busy) => {
            run.alive = now;
            row.status = Status::Running(Box::new(run));
            Some((row, vec![]))
        }
        _ => None,
    }
}
