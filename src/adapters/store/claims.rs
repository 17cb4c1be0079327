//! Claims on ids: one file per id without regard to case, made by exactly one of several who try.
//!
//! Claim only while holding the lock, before the ticket's first row is committed; [`super::open`] frees claims that
//! got no row.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    archive,
    archive_ids::{Hashes, IdSet},
};

use crate::{
    adapters::{
        fs::{self, FsError, Kind, PRIVATE, Sync},
        home::Home,
    },
    domain::{id::TicketId, observed::Observed},
    ports::store::StoreError,
};

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The id is ours.
    Made,
    /// A ticket of the queue or the archive has it: this one, or one that differs in case only.
    Held(TicketId),
}

/// Claims `ticket`'s id.
///
/// # Errors
/// The claim could not be written or read.
pub fn claim_id(home: &Home, ticket: &TicketId) -> Result<Claim, StoreError> {
    let path = home.claim(ticket);
    fs::create_dir_private(&home.ids())?;
    if fs::exclusive_create(&path, format!("{ticket}\n").as_bytes(), PRIVATE)? {
        return Ok(Claim::Made);
    }
    let text = fs::read_to_string(&path)?;
    match TicketId::parse(text.trim()) {
        Ok(holder) if holder.folded() == ticket.folded() => Ok(Claim::Held(holder)),
        Ok(_) | Err(_) => Err(FsError::refused("read the claim", &path, "it does not name its id").into()),
    }
}

/// Frees an id that [`claim_id`] made ours, because its ticket was not accepted after all.
///
/// # Errors
/// The claim could not be removed; the next start frees it.
pub fn release_id(home: &Home, ticket: &TicketId) -> Result<(), StoreError> {
    fs::remove(&home.claim(ticket))?;
    Ok(())
}

/// Makes the claims say what the books say: one for each ticket of the queue, and each that is archived. Others are
/// freed, unless `keep_others` because not all of the books could be read.
pub(super) fn repair<'a>(
    home: &Home,
    queue: impl Iterator<Item = &'a TicketId>,
    archive: &archive::Files,
    archived: &IdSet,
    keep_others: bool,
) -> Result<(), FsError> {
    let mut open: BTreeMap<String, &TicketId> = queue.map(|id| (id.folded(), id)).collect();
    let mut free = Vec::new();
    let mut found = Hashes::default();
    let seen = fs::visit_dir(&home.ids(), |name, kind| {
        // Ignored: a name that is no text is no id.
        let name = name.to_str().unwrap_or_default();
        if open.remove(name).is_none() {
            if archived.contains(name) {
                found.push(name);
            } else if kind == Kind::File && !keep_others {
                free.push(home.ids().join(name));
            }
        }
    });
    if let Observed::Unknown(why) = seen {
        return Err(FsError::refused("list", &home.ids(), why));
    }
    fs::create_dir_private(&home.ids())?;
    for claim in free {
        fs::remove(&claim)?;
    }
    // Not synced: the next start would make it again.
    let make = |id: &TicketId| {
        fs::write_aside(&home.claim(id), format!("{id}\n").as_bytes(), PRIVATE, Sync::None)?.put_new().map(drop)
    };
    open.values().try_for_each(|id| make(id))?;
    let found = IdSet::from(found);
    if found.len() < archived.len() {
        let missing = archive.entries().filter(|(_, entry)| archived.contains(entry.id) && !found.contains(entry.id));
        let missing: BTreeSet<TicketId> = missing.filter_map(|(_, entry)| TicketId::parse(entry.id).ok()).collect();
        missing.iter().try_for_each(make)?;
    }
    Ok(())
}
