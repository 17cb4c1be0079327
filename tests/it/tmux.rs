//! Tests of tmux: the real program, a server of its own for each test. All that holds by a process for each command
//! holds by the control client too.

mod by_processes;
mod control;
mod server;
mod servers;

#[expect(clippy::duplicate_mod, reason = "the same rules, held in another way")]
#[path = "tmux/by_processes"]
mod by_control {
    mod looking;
    mod opening;
    mod typing;

    use crate::support::tmux::Bed;

    fn bed() -> Bed {
        let bed = Bed::new();
        bed.tmux.hold_control();
        bed
    }
}
