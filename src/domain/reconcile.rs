//! Compares a row with what is there, and says what must have happened. Level-triggered: it is asked at every look,
//! and a start-up is only the first look. Unknown never leads to an event.

use super::{
    check::CommandEnd,
    event::Event,
    observed::Observed,
    row::{Row, Status},
    run::Phase,
};

/// What one look saw of a ticket's launch and session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The session's pane: present while tmux has it, dead or alive.
    pub pane: Observed<PaneLife>,
    /// True if the whole tmux server is gone.
    pub server_gone: bool,
    /// What the launch's files and process say.
    pub launch: Observed<LaunchLife>,
}

/// A pane's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaneLife {
    /// Its program runs.
    Alive,
    /// Its program has ended.
    Dead,
}

/// A launch's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LaunchLife {
    /// Prepared, not begun.
    Waiting,
    /// The wrapper lives.
    Alive,
    /// The wrapper has said how it ended; `outside`: something ended it from outside.
    Ended {
        /// How.
        end: CommandEnd,
        /// A signal to the wrapper, not the program's own end.
        outside: bool,
    },
    /// The wrapper is gone without a word; `other_boot`: the machine went down.
    Gone {
        /// True if it was started before the machine's last start.
        other_boot: bool,
    },
}

/// What must have happened to the ticket's agent, if anything did.
#[must_use]
pub fn what_happened(row: &Row, seen: &Seen) -> Option<Event> {
    if !has_agent(row) {
        return None;
    }
    // Not even what the wrapper wrote is acted on while the other look failed: the next look is soon.
    if matches!(seen.launch, Observed::Unknown(_)) || matches!(seen.pane, Observed::Unknown(_)) {
        return None;
    }
    let launch = row.launch;
    let vanished = |blameless: bool, why: &str| Event::AgentVanished { launch, blameless, why: why.to_owned() };
    match (&seen.launch, &seen.pane) {
        (Observed::Present(LaunchLife::Ended { end, outside: false }), _) => {
            Some(Event::AgentExited { launch, end: end.clone() })
        }
        (Observed::Present(LaunchLife::Ended { end, outside: true }), _) => {
            Some(vanished(true, &format!("the agent's session was closed from outside ({end})")))
        }
        (Observed::Present(LaunchLife::Gone { other_boot: true }), _) => Some(vanished(true, "the machine went down")),
        (Observed::Present(LaunchLife::Gone { other_boot: false }), _) if seen.server_gone => {
            Some(vanished(true, "the tmux server went down"))
        }
        (
            Observed::Present(LaunchLife::Gone { other_boot: false }),
            Observed::Present(PaneLife::Dead) | Observed::Absent,
        ) => Some(vanished(false, "the agent's wrapper ended without a word")),
        (Observed::Present(LaunchLife::Alive), Observed::Absent) => {
            // A hang-up is on its way to the wrapper; it will say how it ended. Or it ignores it: then it is an orphan.
            Some(vanished(
                true,
                if seen.server_gone { "the tmux server went down" } else { "the agent's session is gone" },
            ))
        }
        // The session was open and nothing ever began in it: tmux went down between the two.
        (Observed::Present(LaunchLife::Waiting) | Observed::Absent, Observed::Absent) => {
            Some(vanished(true, "the agent's session is gone before its launch began"))
        }
        (Observed::Present(LaunchLife::Waiting), Observed::Present(PaneLife::Dead)) => {
            Some(vanished(false, "the agent's wrapper could not begin"))
        }
        (Observed::Unknown(_), _)
        | (Observed::Absent, _)
        | (Observed::Present(LaunchLife::Alive | LaunchLife::Gone { .. } | LaunchLife::Waiting), _) => None,
    }
}

/// True if an agent of this row should be alive in a session.
#[must_use]
pub fn has_agent(row: &Row) -> bool {
    if row.pane.is_none() {
        return false;
    }
    match &row.status {
        Status::Running(run) => !matches!(run.phase, Phase::Preparing | Phase::Launching | Phase::Closing { .. }),
        // One that makes room is being ended by autodo itself.
        Status::Blocked(blocked) => blocked.live && !blocked.is_retiring(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
