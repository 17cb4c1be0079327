//! Reports of an agent on their way into the books: kept first, then committed, then taken out of the outbox.

use super::{
    World,
    queue::{Queue, TakeError, Taken},
};
use crate::domain::{
    effect::Effect,
    event::Event,
    id::TicketId,
    risk::{RiskOrigin, RiskSource, Tier},
    row::Status,
};

/// Takes all reports that wait for ticket `id`; returns the effects they call for.
///
/// # Errors
/// The books cannot be written; the reports stay where they are.
pub fn take_reports(queue: &mut Queue, world: &World, id: &TicketId) -> Result<Vec<Effect>, TakeError> {
    let mut effects = Vec::new();
    let Some(row) = queue.rows().get(id) else { return Ok(effects) };
    if !matches!(row.status, Status::Running(_) | Status::Blocked(_)) {
        return Ok(effects);
    }
    let (Some(run), Some(key)) = (row.run_id(), row.key.clone()) else { return Ok(effects) };
    for found in world.outbox.waiting(&row.worktree.clone(), &run, &key) {
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
    Ok(effects)
}
