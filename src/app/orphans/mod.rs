//! What is ours and nobody's any more: sessions without a ticket, processes without a session, worktrees without
//! either. Found by looking at the world first and at the queue after it: what is made for a ticket is made after its
//! row, so that what was seen and has no row is left over.
//!
//! What is not provably of this home, and of this home alone, is shown at most, and never taken away.

mod judge;
mod look;
mod orphan;
mod remove;

pub use look::{Place, find, places};
pub use orphan::{Found, Left, Orphan, Orphans, Unseen};
pub use remove::{Gone, remove};
