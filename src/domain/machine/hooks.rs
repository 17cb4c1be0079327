//! Steps on what the agent's own hooks tell: stronger than its reports and its screen, and never needed.

use jiff::Timestamp;

use super::{
    super::{
        effect::Effect,
        id::DeliveryId,
        report::{Hook, Teller},
        row::{Row, Status},
        run::{Blocked, Claim, Phase, Purpose, Run},
        screen::Marker,
        ticket::Frozen,
    },
    blocked, ending, permission,
    running::{self, alive, by_argument, deliver, to},
};

type Next = Option<(Row, Vec<Effect>)>;

/// What a hook, or the agent's own record, means for a run at work.
pub(super) fn heard(row: Row, mut run: Run, hook: &Hook, teller: Teller, frozen: &Frozen, now: Timestamp) -> Next {
    permission::heard(&mut run, hook);
    if let Hook::Stopped { turn: Some(turn), .. } = hook {
        let other = run.ended_turn.replace((teller, turn.clone()));
        // A hook of somebody else may keep a turn going, so that its end is told by hooks more than once: each counts.
        // What the other teller said already is no news, and would be taken for the end of a later turn.
        if other.is_some_and(|(by, ended)| by != teller && ended == *turn) {
            return alive(row, run, now);
        }
    }
    match (hook, &run.phase) {
        // The prompt was taken, whatever the box shows. How many markers stood in the pane before a later one is not
        // known: from then on only reports and hooks count, which this agent has.
        (Hook::Submitted { delivery: Some(id) }, Phase::Pasting { delivery } | Phase::Submitting { delivery })
            if id == delivery.id.as_str() =>
        {
            run.markers = if delivery.purpose == Purpose::Ticket { 0 } else { u32::MAX };
            run.alive = now;
            let phase = if run.then_deliver.is_some() { Phase::Booting } else { Phase::Working };
            to(row, run, phase, vec![], now)
        }
        // That which stood in the argv.
        (Hook::Submitted { delivery: Some(id) }, Phase::Booting)
            if by_argument(&run, frozen) && *id == DeliveryId::new(row.run, 0).to_string() =>
        {
            to(row, run, Phase::Working, vec![], now)
        }
        (Hook::Stopped { background, .. }, _) if *background > 0 => alive(row, run, now),
        // While a prompt is on its way the turn that ended is an older one.
        (Hook::Stopped { marker: Some(Marker::Done), .. }, Phase::Booting | Phase::Working) => {
            let claim = Claim { claimed: true, ..Claim::default() };
            run.then_deliver = None;
            to(row, run, Phase::Proving { claim }, vec![Effect::Inspect], now)
        }
        (Hook::Stopped { marker: Some(Marker::Blocked), text, .. }, Phase::Booting | Phase::Working) => {
            run.then_deliver = None;
            run.enter(Phase::Working, now);
            Some(running::block_on_report(row, run, text, None, &[]))
        }
        // Back at its prompt without a word: there is no need to wait until it counts as stalled.
        (Hook::Stopped { marker: None, .. }, Phase::Working) if row.pane.is_some() && run.unsent.is_none() => {
            if frozen.limits.nudge && !run.nudged {
                run.nudged = true;
                return deliver(row, run, Purpose::Nudge, now);
            }
            let detail = "the agent ended its turn without a report, and did so again when it was asked";
            if run.nudged { Some(ending::park(row, run, "stalled", detail, frozen, now)) } else { alive(row, run, now) }
        }
        // Which limit it was, and until when, whether it is logged in, and whether the error passes, the screen tells.
        (Hook::Failed { error, text }, Phase::Working)
            if !matches!(error.as_str(), "rate_limit" | "authentication_failed" | "server_error") =>
        {
            Some(ending::park(row, run, "error", format!("{error}: {text}"), frozen, now))
        }
        (
            Hook::Started
            | Hook::Submitted { .. }
            | Hook::Asks(_)
            | Hook::Active
            | Hook::Stopped { .. }
            | Hook::Failed { .. }
            | Hook::Ended { .. },
            _,
        ) => alive(row, run, now),
    }
}

/// The prompt of which nobody knew whether it had arrived was taken.
pub(super) fn arrived_after_all(mut row: Row, blocked: &Blocked, id: &str, now: Timestamp) -> Next {
    let is_it = blocked.reason == "delivery_unverified" && *id == DeliveryId::new(row.run, row.delivery).to_string();
    if !is_it {
        return Some((row, vec![]));
    }
    let mut run = blocked::run_of(&row, blocked, now);
    run.then_deliver = None;
    // How many markers stood in the pane before is not known: from now on only reports and hooks count.
    run.markers = u32::MAX;
    run.enter(Phase::Working, now);
    row.status = Status::Running(Box::new(run));
    Some((row, vec![]))
}
