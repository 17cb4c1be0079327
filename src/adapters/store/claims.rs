//! Claims on ids: one file per id without regard to case, made by exactly one of several who try.
//!
//! Claim only while holding the lock, before the ticket's first row is committed; [`super::open`] frees claims that
//! got no row.

use std::collections::BTreeSet;

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

/// Makes the claims say what the books say: one for each of `known`. Others are freed, unless `keep_others` because
/// not all of the books could be read.
pub(super) fn repair(home: &Home, known: &BTreeSet<&TicketId>, keep_others: bool) -> Result<(), FsError> {
    let folded: BTreeSet<String> = known.iter().map(|id| id.folded()).collect();
    let listed = match fs::list_dir(&home.ids()) {
        Observed::Present(listed) => listed,
        Observed::Absent => Vec::new(),
        Observed::Unknown(why) => return Err(FsError::refused("list", &home.ids(), why)),
    };
    fs::create_dir_private(&home.ids())?;
    let mut there = BTreeSet::new();
    for claim in listed {
        match claim.name.to_str().filter(|name| folded.contains(*name)) {
            Some(name) => {
                there.insert(name.to_owned());
            }
            None if claim.kind == Kind::File && !keep_others => {
                fs::remove(&claim.path)?;
            }
            None => {}
        }
    }
    for id in known {
        if !there.contains(&id.folded()) {
            // Not synced: the next start would make it again.
            fs::write_aside(&home.claim(id), format!("{id}\n").as_bytes(), PRIVATE, Sync::None)?.put_new()?;
        }
    }
    Ok(())
}
