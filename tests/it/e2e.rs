//! End to end: the real program, real tmux, real git, and the scripted fake agent.

mod budgets;
mod circumstances;
mod claims;
mod deliveries;
mod delivery;
mod ends;
mod hard_stop;
mod hazards;
mod limits;
mod nights;
mod order;
mod people;
mod permissions;
mod records;
mod waiting;
