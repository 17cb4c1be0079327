//! The tests of looking, opening and typing, by a process for each command.

mod looking;
mod opening;
mod typing;

use crate::support::tmux::Bed;

fn bed() -> Bed {
    Bed::new()
}
