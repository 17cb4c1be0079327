//! The state machine of a ticket: `step(row, event, now)` gives the next row and what is to be done in the world.
//!
//! Pure and synchronous. Whoever calls it commits the result before acting on it. An event that does not fit the row
//! (a late answer of an effect that is no longer wanted, a repeated report) is ignored, never an error; a request that
//! cannot be met is refused with words for the person who asked.

mod answer;
mod beginning;
mod blocked;
mod claim;
mod ending;
mod hooks;
mod permission;
mod person;
mod running;
mod step;
mod still;
mod timers;

pub use ending::{MAX_BACKOFF_S, can_resume, limit_stops};
pub use person::low_gate;
use step::{Outcome, tally_only};
pub use step::{Refusal, Step, step};
pub use timers::{Jump, deadline, moved, pending};

#[cfg(test)]
mod tests;
