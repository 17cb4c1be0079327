//! Budgets: what may be spent on one ticket, and on all tickets of one dispatch. Only what agents themselves told counts.

use std::collections::BTreeMap;

use super::{id::TicketId, row::Status, run::Phase, schedule::Rows, usage::MicroUsd};

/// How far a budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Used {
    /// Something is left.
    Within,
    /// Nothing is left: nothing more is started.
    Full,
    /// More than a tenth too much is spent: what runs is stopped.
    Over,
}

/// How far `budget` is used up by `spent`.
#[must_use]
pub fn used(spent: MicroUsd, budget: MicroUsd) -> Used {
    let (spent, budget) = (u128::from(spent), u128::from(budget));
    match () {
        () if spent * 10 >= budget * 11 => Used::Over,
        () if spent >= budget => Used::Full,
        () => Used::Within,
    }
}

/// The budget of one dispatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pot {
    /// How much may be spent.
    pub budget: MicroUsd,
    /// What each ticket had cost before.
    before: BTreeMap<TicketId, MicroUsd>,
}

impl Pot {
    /// A budget that begins now.
    #[must_use]
    pub fn new(budget: MicroUsd, rows: &Rows) -> Self {
        let before = rows.iter().filter_map(|(id, row)| Some((id.clone(), row.spent()?))).collect();
        Self { budget, before }
    }

    /// What has been spent since it began.
    #[must_use]
    pub fn spent(&self, rows: &Rows) -> MicroUsd {
        let of = |(id, now): (&TicketId, MicroUsd)| now.saturating_sub(self.before.get(id).copied().unwrap_or(0));
        rows.iter().filter_map(|(id, row)| row.spent().map(|now| of((id, now)))).fold(0, MicroUsd::saturating_add)
    }

    /// How far it is used up.
    #[must_use]
    pub fn used(&self, rows: &Rows) -> Used {
        used(self.spent(rows), self.budget)
    }
}

/// Tickets at which an agent is at work: those that a budget stops. Checks cost nothing, and what is ending ends.
#[must_use]
pub fn at_work(rows: &Rows) -> Vec<TicketId> {
    let has_agent = |status: &Status| match status {
        Status::Running(run) => match run.phase {
            Phase::Preparing
            | Phase::Launching
            | Phase::Booting
            | Phase::Pasting { .. }
            | Phase::Submitting { .. }
            | Phase::Working => true,
            Phase::Proving { .. } | Phase::Checking { .. } | Phase::Closing { .. } => false,
        },
        _ => false,
    };
    rows.values().filter(|row| has_agent(&row.status)).map(|row| row.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{samples, usage::Noted};

    fn rows(spent: &[(&str, Option<MicroUsd>)]) -> Rows {
        let row = |(name, usd): &(&str, Option<MicroUsd>)| {
            let mut row = samples::row(name);
            (row.run, row.launch) = (1, 1);
            row.usage_begins();
            if usd.is_some() {
                row.note_usage(&Noted { usd: *usd, ..Noted::default() });
            }
            (row.id.clone(), row)
        };
        spent.iter().map(row).collect()
    }

    #[test]
    fn a_budget_is_full_at_its_sum_and_over_at_a_tenth_more() {
        let table =
            [(99, Used::Within), (100, Used::Full), (109, Used::Full), (110, Used::Over), (u64::MAX, Used::Over)];
        for (spent, expected) in table {
            assert_eq!(used(spent, 100), expected, "{spent}");
        }
    }

    #[test]
    fn a_pot_counts_what_was_spent_since_it_began_and_what_is_known() {
        let before = rows(&[("a", Some(40)), ("b", None)]);
        let pot = Pot::new(100, &before);
        assert_eq!(pot.spent(&before), 0);
        let now = rows(&[("a", Some(70)), ("b", None), ("c", Some(80))]);
        assert_eq!((pot.spent(&now), pot.used(&now)), (110, Used::Over));
    }
}
