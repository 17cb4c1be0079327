//! Reports of an agent on their way into the books: kept first, then committed, then taken out of the outbox.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::{
    World,
    queue::{Queue, TakeError, Taken},
};
use crate::{
    domain::{
        effect::Effect,
        event::Event,
        id::TicketId,
        observed::Observed,
        risk::{RiskOrigin, RiskSource, Tier},
        row::Status,
    },
    ports::outbox::Stamp,
};

/// An outbox is looked into again and again for this long after it changed: a second change in the same tick of the
/// file system's clock does not show in its stamp.
const UNSETTLED: Duration = Duration::from_secs(1);

/// An outbox is looked into at least this often, whatever its stamp says.
const SAFETY_NET: Duration = Duration::from_secs(10);

/// What is known of the outboxes, so that those in which nothing has changed are not read in every turn.
#[derive(Default)]
pub struct Outboxes {
    known: BTreeMap<TicketId, Known>,
}

struct Known {
    stamp: Stamp,
    /// When this stamp was first seen.
    since: Instant,
    /// When the outbox was last found empty, long enough after that.
    empty: Option<Instant>,
}

impl Outboxes {
    /// Takes all reports that wait for ticket `id`; returns the effects they call for.
    ///
    /// # Errors
    /// The books cannot be written; the reports stay where they are.
    pub fn take(&mut self, queue: &mut Queue, world: &World, id: &TicketId) -> Result<Vec<Effect>, TakeError> {
        let Some(row) = queue.rows().get(id) else { return Ok(vec![]) };
        let began = Instant::now();
        let known = match world.outbox.stamp(&row.worktree) {
            Observed::Absent => {
                self.known.remove(id);
                return Ok(vec![]);
            }
            Observed::Unknown(_) => None,
            Observed::Present(stamp) => {
                let fresh = || Known { stamp, since: began, empty: None };
                let known = self.known.entry(id.clone()).or_insert_with(fresh);
                if known.stamp != stamp {
                    *known = fresh();
                }
                Some(known)
            }
        };
        if known.as_ref().and_then(|known| known.empty).is_some_and(|at| at.elapsed() < SAFETY_NET) {
            return Ok(vec![]);
        }
        let (effects, found) = take_reports(queue, world, id)?;
        if let Some(known) = known {
            let is_settled = began.duration_since(known.since) >= UNSETTLED;
            known.empty = (found == 0 && is_settled).then_some(began);
        }
        Ok(effects)
    }
}

/// Takes all reports that wait for ticket `id`; returns the effects they call for, and how many files lay there.
fn take_reports(queue: &mut Queue, world: &World, id: &TicketId) -> Result<(Vec<Effect>, usize), TakeError> {
    let mut effects = Vec::new();
    let Some(row) = queue.rows().get(id) else { return Ok((effects, 0)) };
    if !matches!(row.status, Status::Running(_) | Status::Blocked(_)) {
        return Ok((effects, 0));
    }
    let (Some(run), Some(key)) = (row.run_id(), row.key.clone()) else { return Ok((effects, 0)) };
    let waiting = world.outbox.waiting(&row.worktree.clone(), &run, &key);
    let count = waiting.len();
    for found in waiting {
        if let Err(why) = world.outbox.keep(&found, &run) {
            tracing::warn!(ticket = %id, why, "a report waits: it could not be kept");
            break;
        }
        (world.point)("report.kept");
        let event = match &found.report {
            Ok(report) => {
                let tally = world.outbox.tally(&run);
                let flags = u32::try_from(tally.flags.len()).unwrap_or(u32::MAX);
                let risks = tally
                    .flags
                    .iter()
                    .filter(|flag| flag.tier > Tier::Low)
                    .map(|flag| RiskSource {
                        source: RiskOrigin::Agent,
                        tier: flag.tier,
                        why: flag.text.chars().take(120).collect(),
                    })
                    .collect();
                Event::Reported { report: report.clone(), summary: tally.summary, flags, risks }
            }
            Err(why) => {
                let file = found.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                Event::ReportRejected { file, why: why.clone() }
            }
        };
        if let Taken::Done(more) = queue.take(id, event)? {
            effects.extend(more);
        }
        world.outbox.forget(&found);
    }
    Ok((effects, count))
}
