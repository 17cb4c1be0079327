//! What the tickets of a night have survived, counted from their audit trails.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::counted;
use crate::{
    adapters::fs,
    app::open::App,
    domain::{id::TicketId, observed::Observed},
};

/// Most of an audit trail that is read, in bytes: its end.
const MOST: u64 = 4 * 1024 * 1024;

/// Faults by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// Agents that failed or vanished by themselves.
    pub crashes: u64,
    /// Agents lost without blame: tmux or the machine went down.
    pub losses: u64,
    /// Starts that git, tmux or the machine hindered.
    pub hindered: u64,
    /// Conversations that went on in a new launch.
    pub resumed: u64,
    /// Usage limits that were waited for.
    pub limits: u64,
}

impl Faults {
    /// Adds those of another ticket.
    pub fn add(&mut self, more: &Self) {
        self.crashes += more.crashes;
        self.losses += more.losses;
        self.hindered += more.hindered;
        self.resumed += more.resumed;
        self.limits += more.limits;
    }

    /// In words, those that there were.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        [
            (self.crashes, "crash", "crashes"),
            (self.losses, "lost session", "lost sessions"),
            (self.hindered, "hindered start", "hindered starts"),
            (self.resumed, "resumed conversation", "resumed conversations"),
            (self.limits, "usage limit", "usage limits"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| counted(count, one, many))
        .collect()
    }
}

/// Those of one ticket in a time. A trail that cannot be read counts nothing.
#[must_use]
pub fn of(app: &App, ticket: &TicketId, since: Option<Timestamp>, until: Option<Timestamp>) -> Faults {
    let Observed::Present((start, bytes)) = fs::look_tail(&app.home.events(ticket), MOST) else {
        return Faults::default();
    };
    let text = String::from_utf8_lossy(&bytes);
    // What was cut begins in the middle of a line.
    let whole = if start > 0 { text.split_once('\n').map_or("", |(_, rest)| rest) } else { &text };
    count(whole, since, until)
}

fn count(lines: &str, since: Option<Timestamp>, until: Option<Timestamp>) -> Faults {
    let mut faults = Faults::default();
    let mut opened: u64 = 0;
    // What ended the latest launch: a run that then begins anew after a back-off had crashed.
    let mut exited = false;
    for line in lines.lines() {
        // Ignored: a torn line is a line that is not there.
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let at = line["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let event = line["event"].as_str().unwrap_or_default();
        let counts = at.is_some_and(|at| since.is_none_or(|s| at >= s) && until.is_none_or(|u| at <= u));
        let one = u64::from(counts);
        let to = line["to"].as_str().unwrap_or_default();
        match event {
            "start" => opened = 0,
            "session_opened" => {
                // A second launch of the same run goes on with its conversation.
                faults.resumed += if opened > 0 { one } else { 0 };
                opened += 1;
                exited = false;
            }
            "agent_vanished" if line["blameless"] == true => faults.losses += one,
            "agent_vanished" => faults.crashes += one,
            "agent_exited" => exited = true,
            "worktree_failed" | "launch_failed" => faults.hindered += one,
            "closed" => {
                if exited && (to == "failed" || (to == "queued" && line["reason"] == "back_off")) {
                    faults.crashes += one;
                }
                if to == "parked" && line["reason"] == "usage_limit" {
                    faults.limits += one;
                }
                exited = false;
            }
            _ => {}
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIL: &str = r#"{"seq":1,"at":"2026-01-01T00:00:01Z","kind":"transition","to":"running","event":"start","run":1}
{"seq":2,"at":"2026-01-01T00:00:02Z","kind":"effect","event":"session_opened","run":1}
{"seq":3,"at":"2026-01-01T00:00:03Z","kind":"transition","event":"agent_exited","run":1}
{"seq":4,"at":"2026-01-01T00:00:04Z","kind":"transition","event":"closed","from":"running","to":"queued","reason":"back_off"}
{"seq":5,"at":"2026-01-01T00:00:05Z","kind":"transition","to":"running","event":"start","run":2}
{"seq":6,"at":"2026-01-01T00:00:06Z","kind":"effect","event":"session_opened","run":2}
{"seq":7,"at":"2026-01-01T00:00:07Z","kind":"transition","event":"agent_vanished","blameless":true,"run":2}
{"seq":8,"at":"2026-01-01T00:00:08Z","kind":"transition","event":"closed","from":"running","to":"queued"}
{"seq":9,"at":"2026-01-01T00:00:09Z","kind":"effect","event":"session_opened","run":2}
{"seq":10,"at":"2026-01-01T00:00:10Z","kind":"transition","event":"closed","to":"parked","reason":"usage_limit"}
{"seq":11,"at":"2026-01-01T00:00:11Z","kind":"transition","event":"clo"#;

    #[test]
    fn a_trail_tells_what_was_survived_and_when() {
        let all = Faults { crashes: 1, losses: 1, hindered: 0, resumed: 1, limits: 1 };
        assert_eq!(count(TRAIL, None, None), all);
        let late = "2026-01-01T00:00:05Z".parse().ok();
        assert_eq!(count(TRAIL, late, None), Faults { crashes: 0, ..all });
        let early = "2026-01-01T00:00:08Z".parse().ok();
        assert_eq!(count(TRAIL, late, early), Faults { losses: 1, ..Faults::default() });
        assert_eq!(all.words().join(", "), "1 crash, 1 lost session, 1 resumed conversation, 1 usage limit");
    }

    #[test]
    fn an_agent_that_ends_as_it_should_is_no_fault() {
        let trail = TRAIL.lines().next().unwrap().to_owned()
            + "\n{\"at\":\"2026-01-01T00:00:03Z\",\"event\":\"agent_exited\"}\n{\"at\":\"2026-01-01T00:00:04Z\",\"event\":\"closed\",\"to\":\"needs_review\"}";
        assert_eq!(count(&trail, None, None), Faults::default());
    }
}
