//! Looks at all panes by the control client: a few values of each, and whole rows of only those that changed.
//!
//! A pane that printed nothing since its row was read has the row it had. tmux counts activity in whole seconds, so what
//! was printed in the second of the reading, or after it, counts as a change. What a person may change without a word
//! of the pane (names, sizes, tags) is seen by the next look at everything.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tmux_interface::{DisplayMessage, ListPanes};
use tokio::time::Instant;

use super::{client::Client, command::Cmd};
use crate::{
    format::tmux::{PANE_FORMAT, PULSE_FORMAT, PaneRow, Pulse, SERVER_FORMAT, pane_rows, pulses},
    ports::terminal::TerminalError,
};

/// Everything is looked at this often, whatever the pulses say.
const WHOLE_EVERY: Duration = Duration::from_secs(10);
/// Rows that are read one by one in one look; with more, all are read at once.
const MOST_SINGLE: usize = 40;
/// Looks at everything that follow one in which more had changed.
const BUSY_LOOKS: u32 = 5;

/// The rows of the latest look.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<Option<Rows>>);

#[derive(Clone, Debug)]
struct Rows {
    rows: Vec<PaneRow>,
    /// For each row, the second of the clock in which it was asked for.
    asked_s: Vec<i64>,
    whole_at: Instant,
    /// Looks that ask for everything at once.
    busy: u32,
}

impl Known {
    /// All panes, by reading only what changed; `None`: everything must be looked at.
    pub(super) async fn look(&self, client: &Client) -> Option<Vec<PaneRow>> {
        let mut known = self.take()?;
        if known.whole_at.elapsed() > WHOLE_EVERY {
            return None;
        }
        if known.busy > 0 {
            // Put back for the next look at everything, which counts it down.
            self.put(known);
            return None;
        }
        let asked_s = now_s();
        let server = Cmd::of(&DisplayMessage::new().print().message(SERVER_FORMAT).build());
        let list = Cmd::of(&ListPanes::new().all().format(PULSE_FORMAT).build());
        // Ignored: whatever is wrong, the look at everything says it.
        let answer = client.look_control(&[server, list]).await?.ok().filter(|answer| answer.is_ok)?;
        let (server, pulses) = pulses(&answer.stdout).ok()?;
        let stale = known.stale(&pulses).filter(|_| known.rows.iter().all(|row| row.server == server))?;
        if stale.len() > MOST_SINGLE {
            known.busy = BUSY_LOOKS;
            self.put(known);
            return None;
        }
        known.read(client, &stale, asked_s).await?;
        let rows = known.rows.clone();
        self.put(known);
        Some(rows)
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// As `look`; nothing is known then.
    pub(super) async fn renew(
        &self,
        look: impl Future<Output = Result<Vec<PaneRow>, TerminalError>>,
    ) -> Result<Vec<PaneRow>, TerminalError> {
        let busy = self.take().map_or(0, |known| known.busy.saturating_sub(1));
        let asked = now_s();
        let rows = look.await?;
        let asked_s = vec![asked; rows.len()];
        self.put(Rows { rows: rows.clone(), asked_s, whole_at: Instant::now(), busy });
        Ok(rows)
    }

    /// Taken out while it is renewed: of a look that fails nothing is kept.
    fn take(&self) -> Option<Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, rows: Rows) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(rows);
    }
}

impl Rows {
    /// The rows that are not as they were; `None`: there are other panes now, or one stands in two sessions.
    fn stale(&self, pulses: &[Pulse]) -> Option<Vec<usize>> {
        let is_same =
            pulses.len() == self.rows.len() && pulses.iter().zip(&self.rows).all(|(pulse, row)| pulse.pane == row.pane);
        let mut panes: Vec<&str> = pulses.iter().map(|pulse| pulse.pane.as_str()).collect();
        panes.sort_unstable();
        if !is_same || panes.windows(2).any(|two| two.first() == two.last()) {
            return None;
        }
        let all = pulses.iter().zip(&self.rows).zip(&self.asked_s).enumerate();
        let is_stale = |pulse: &Pulse, row: &PaneRow, asked_s: i64| {
            (pulse.dead, pulse.in_mode, pulse.attached, pulse.activity_s)
                != (row.dead, row.in_mode, row.attached, row.activity_s)
                || pulse.activity_s >= asked_s
        };
        let stale = all.filter(|(_, ((pulse, row), asked_s))| is_stale(pulse, row, **asked_s));
        Some(stale.map(|(at, _)| at).collect())
    }

    /// Reads the rows at `stale` anew; `None`: one cannot be read.
    async fn read(&mut self, client: &Client, stale: &[usize], asked_s: i64) -> Option<()> {
        if stale.is_empty() {
            return Some(());
        }
        let ask = |row: &PaneRow| {
            Cmd::of(&DisplayMessage::new().print().target_pane(row.pane.as_str()).message(PANE_FORMAT).build())
        };
        let commands: Vec<Cmd> = stale.iter().filter_map(|at| self.rows.get(*at)).map(ask).collect();
        // Ignored: as in `look`.
        let answer = client.look_control(&commands).await?.ok().filter(|answer| answer.is_ok)?;
        let rows = pane_rows(&answer.stdout).ok().filter(|rows| rows.len() == stale.len())?;
        for (at, new) in stale.iter().zip(rows) {
            let row = self.rows.get_mut(*at).filter(|row| row.pane == new.pane)?;
            *row = new;
            *self.asked_s.get_mut(*at)? = asked_s;
        }
        Some(())
    }
}

/// The second of the clock by which tmux counts activity.
fn now_s() -> i64 {
    // Ignored: before 1970 every row counts as changed.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(0)
}
