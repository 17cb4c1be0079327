//! The checks of a ticket as they run, one after the other: the command, what it writes, how it ended.

use super::{put, tail::Tail};
use crate::{
    app::{App, AppError},
    cli::show::run_of,
    domain::{
        check::CheckResult,
        id::RunId,
        row::{Row, Status},
        run::Phase,
    },
};

/// How far the checks of a ticket were told.
pub struct Checks {
    /// How much to begin with of a check that runs already.
    lines: usize,
    /// The run and the round that are told; `None` before the first look.
    round: Option<(RunId, u32)>,
    /// The next check of the round; its log, once it has begun.
    next: usize,
    log: Option<Tail>,
}

impl Checks {
    /// Begins with the last `lines` lines of a check that runs already.
    #[must_use]
    pub fn new(lines: usize) -> Self {
        Self { lines, round: None, next: 0, log: None }
    }

    /// Tells what is new.
    ///
    /// # Errors
    /// A log cannot be read.
    pub fn look(&mut self, app: &App, row: &Row) -> Result<(), AppError> {
        let round = (run_of(row), row.check_round);
        let (done, is_checking) = results(row);
        let is_first = self.round.is_none();
        if self.round.as_ref() != Some(&round) {
            if let Some(log) = &mut self.log.take() {
                close(log, None)?;
            }
            self.round = Some(round);
            self.next = match (is_first, is_checking) {
                (true, true) => done.len(),
                (false, true) => 0,
                // A round so quick that it was over between two looks; what else has results is no news.
                (false, false) if matches!(row.status, Status::NeedsReview) => 0,
                (_, false) => usize::MAX,
            };
        }
        let Some((run, number)) = &self.round else { return Ok(()) };
        // Ignored: without their commands the checks that have ended are told all the same.
        let frozen = app.world.files.accepted(&row.id).ok();
        let command = |index: usize| frozen.as_ref().and_then(|(_, frozen)| frozen.commands().nth(index));
        let open = |index: usize| {
            let name = command(index).or_else(|| done.get(index).map(|result| result.command.as_str()));
            put(&format!("$ {}\n", name.unwrap_or("(a check)")));
            Tail::new(&app.home.check_dir(run, *number, u32::try_from(index).unwrap_or(u32::MAX)).join("log"))
        };
        while let Some(result) = done.get(self.next) {
            let mut log = self.log.take().unwrap_or_else(|| open(self.next));
            close(&mut log, Some(result))?;
            self.next += 1;
        }
        if is_checking && command(self.next).is_some() {
            if self.log.is_none() {
                let mut log = open(self.next);
                if is_first {
                    put(&log.begin(self.lines));
                }
                self.log = Some(log);
            }
            if let Some(log) = &mut self.log {
                put(&log.told()?);
            }
        }
        Ok(())
    }
}

/// The results of the latest round, and whether it goes on.
fn results(row: &Row) -> (&[CheckResult], bool) {
    if let Status::Running(run) = &row.status
        && let Phase::Checking { done, .. } = &run.phase
    {
        return (done, true);
    }
    (row.proof.as_ref().map_or(&[], |proof| &proof.checks), false)
}

/// Tells the rest of a check, and how it ended.
fn close(log: &mut Tail, result: Option<&CheckResult>) -> Result<(), AppError> {
    put(&log.told()?);
    let rest = log.rest();
    if !rest.is_empty() {
        put(&(rest + "\n"));
    }
    if let Some(result) = result {
        put(&format!("# {}, {} ms\n", result.end, result.took_ms));
    }
    Ok(())
}
