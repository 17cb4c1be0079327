//! A set of tickets: ids, dependencies, cycles.
//!
//! [`check`] names what is wrong with the set; [`fallout`] says which others can't be queued if some are left out.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
};

use super::{id::TicketId, ticket::Ticket};

/// Something wrong with one ticket of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Index of the ticket in the set.
    pub index: usize,
    /// Where the ticket was read from, as shown to people.
    pub origin: String,
    /// The ticket.
    pub id: TicketId,
    /// What is wrong.
    pub kind: TroubleKind,
}

/// What can be wrong with a ticket among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// Other tickets have the same id, or one that differs only in case.
    SameId {
        /// Origin and id of each other one.
        others: Vec<(String, TicketId)>,
    },
    /// It depends on a ticket that nobody knows.
    UnknownDependency {
        /// The id as written.
        after: TicketId,
    },
    /// It depends on itself.
    SelfDependency,
    /// It depends on itself by way of others; the other tickets of the cycle have no trouble of their own for it.
    Cycle {
        /// The ids on the way: each depends on the next, and the first stands at the end again.
        path: Vec<TicketId>,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, id, .. } = self;
        match &self.kind {
            TroubleKind::SameId { others } => {
                write!(f, "{origin}: the id {id} is not unique (case does not count): also")?;
                for (index, (origin, id)) in others.iter().enumerate() {
                    write!(f, "{} {id} in {origin}", if index == 0 { "" } else { "," })?;
                }
                Ok(())
            }
            TroubleKind::UnknownDependency { after } => {
                write!(f, "{origin}: {id} depends on {after}, which is unknown")
            }
            TroubleKind::SelfDependency => write!(f, "{origin}: {id} depends on itself"),
            TroubleKind::Cycle { path } => {
                let path: Vec<&str> = path.iter().map(TicketId::as_str).collect();
                write!(f, "{origin}: {id} depends on itself: {}", path.join(" → "))
            }
        }
    }
}

impl Trouble {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match &self.kind {
            TroubleKind::SameId { .. } => "give one of them another `id:`",
            TroubleKind::UnknownDependency { .. } => "correct `after:`, or dispatch that ticket too",
            TroubleKind::SelfDependency => "take the id out of `after:`",
            TroubleKind::Cycle { .. } => "take one of these dependencies out of `after:`",
        }
    }
}

/// Finds what is wrong with a set of tickets. `tickets` are pairs of origin and ticket; `known` holds the ids of the
/// home, folded to lower case ([`TicketId::folded`]): they may be depended on, and a ticket of the set may be one of
/// them again. Troubles come in the order of their tickets.
#[must_use]
pub fn check(tickets: &[(String, Ticket)], known: &BTreeSet<String>) -> Vec<Trouble> {
    let graph = Graph::new(tickets);
    let mut troubles = Vec::new();
    let mut add = |index: usize, kind: TroubleKind| {
        let (origin, ticket) = &tickets[index];
        troubles.push(Trouble { index, origin: origin.clone(), id: ticket.id.clone(), kind });
    };
    for (index, (_, ticket)) in tickets.iter().enumerate() {
        let own = ticket.id.folded();
        let same = graph.holders.get(&own).map_or(&[][..], Vec::as_slice);
        let others: Vec<(String, TicketId)> = same
            .iter()
            .filter(|other| **other != index)
            .map(|other| (tickets[*other].0.clone(), tickets[*other].1.id.clone()))
            .collect();
        if !others.is_empty() {
            add(index, TroubleKind::SameId { others });
        }
        for after in &ticket.after {
            let folded = after.folded();
            if folded == own {
                add(index, TroubleKind::SelfDependency);
            } else if !known.contains(&folded) && !graph.holders.contains_key(&folded) {
                add(index, TroubleKind::UnknownDependency { after: after.clone() });
            }
        }
    }
    for cycle in graph.cycles() {
        let Some(first) = cycle.first() else { continue };
        let path = cycle.iter().chain([first]).map(|index| tickets[*index].1.id.clone()).collect();
        add(*first, TroubleKind::Cycle { path });
    }
    troubles.sort_by_key(|trouble| trouble.index);
    troubles
}

/// The tickets that can't be queued if those at `left_out` are not: all that depend on one of them, directly or by way
/// of others. Each with the dependency that takes it down. None of `left_out` is among them.
#[must_use]
pub fn fallout(tickets: &[(String, Ticket)], left_out: &BTreeSet<usize>) -> BTreeMap<usize, TicketId> {
    let graph = Graph::new(tickets);
    let mut lost = BTreeMap::new();
    let mut next: VecDeque<usize> = left_out.iter().copied().filter(|index| *index < tickets.len()).collect();
    while let Some(index) = next.pop_front() {
        for dependent in graph.dependents_of(index) {
            if !left_out.contains(&dependent) && !lost.contains_key(&dependent) {
                lost.insert(dependent, tickets[index].1.id.clone());
                next.push_back(dependent);
            }
        }
    }
    lost
}

/// Spells each dependency as its ticket spells itself: `after: [t-1]` may name `T-1`. `known` are the ids of the home;
/// a ticket of the set goes before a known one.
pub fn spell_dependencies<'a>(tickets: &mut [(String, Ticket)], known: impl IntoIterator<Item = &'a TicketId>) {
    let mut spelling: BTreeMap<String, TicketId> = known.into_iter().map(|id| (id.folded(), id.clone())).collect();
    spelling.extend(tickets.iter().map(|(_, ticket)| (ticket.id.folded(), ticket.id.clone())));
    for after in tickets.iter_mut().flat_map(|(_, ticket)| &mut ticket.after) {
        if let Some(id) = spelling.get(&after.folded()) {
            after.clone_from(id);
        }
    }
}

/// Who depends on whom within a set. An id that occurs twice stands for both.
struct Graph {
    /// Tickets by folded id.
    holders: BTreeMap<String, Vec<usize>>,
    /// For each ticket, what it depends on; itself left out.
    after: Vec<Vec<usize>>,
}

impl Graph {
    fn new(tickets: &[(String, Ticket)]) -> Self {
        let mut holders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, (_, ticket)) in tickets.iter().enumerate() {
            holders.entry(ticket.id.folded()).or_default().push(index);
        }
        let after = tickets
            .iter()
            .map(|(_, ticket)| {
                let own = ticket.id.folded();
                let named = ticket.after.iter().map(TicketId::folded).filter(|id| *id != own);
                let found: BTreeSet<usize> = named.filter_map(|id| holders.get(&id)).flatten().copied().collect();
                found.into_iter().collect()
            })
            .collect();
        Self { holders, after }
    }

    fn dependents_of(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let depends = move |(dependent, after): (usize, &Vec<usize>)| after.contains(&index).then_some(dependent);
        self.after.iter().enumerate().filter_map(depends)
    }

    /// One shortest cycle through the first ticket of each knot of tickets that all depend on each other.
    fn cycles(&self) -> Vec<Vec<usize>> {
        let mut reported = BTreeSet::new();
        let mut cycles = Vec::new();
        // Tickets that nothing can depend on in a circle are peeled off first, so that a long chain costs nothing.
        let knotted = self.knotted();
        for start in &knotted {
            if reported.contains(start) {
                continue;
            }
            if let Some(cycle) = self.shortest_cycle(*start, &knotted) {
                // All that is reachable from here and reaches back belongs to the same knot.
                let forth = reach(*start, |index| self.after[index].clone());
                let back = reach(*start, |index| self.dependents_of(index).collect());
                reported.extend(forth.intersection(&back).copied());
                cycles.push(cycle);
            }
        }
        cycles
    }

    /// What is left when tickets without dependencies in the set, and tickets without dependents, are taken out again
    /// and again.
    fn knotted(&self) -> BTreeSet<usize> {
        let mut left: BTreeSet<usize> = (0..self.after.len()).collect();
        loop {
            let wanted: BTreeSet<usize> = left.iter().flat_map(|index| self.after[*index].iter().copied()).collect();
            let stays = |index: &usize| {
                wanted.contains(index) && self.after[*index].iter().any(|dependency| left.contains(dependency))
            };
            let next: BTreeSet<usize> = left.iter().copied().filter(stays).collect();
            if next.len() == left.len() {
                return left;
            }
            left = next;
        }
    }

    fn shortest_cycle(&self, start: usize, among: &BTreeSet<usize>) -> Option<Vec<usize>> {
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut next = VecDeque::from([start]);
        while let Some(index) = next.pop_front() {
            for dependency in self.after[index].iter().copied().filter(|d| among.contains(d)) {
                if dependency == start {
                    let mut path = vec![index];
                    while let Some(before) = path.last().filter(|last| **last != start).and_then(|l| came_from.get(l)) {
                        path.push(*before);
                    }
                    path.reverse();
                    return Some(path);
                }
                if let std::collections::btree_map::Entry::Vacant(place) = came_from.entry(dependency) {
                    place.insert(index);
                    next.push_back(dependency);
                }
            }
        }
        None
    }
}

/// All that can be reached from `start`, itself included.
fn reach(start: usize, step: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([start]);
    let mut next = vec![start];
    while let Some(index) = next.pop() {
        next.extend(step(index).into_iter().filter(|to| found.insert(*to)));
    }
    found
}

#[cfg(test)]
mod tests;
