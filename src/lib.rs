//! autodo works through a backlog of tickets with coding agents in tmux: for every ticket one git worktree, one tmux
//! session, one agent.
//!
//! # The map of the house
//!
//! Imports point one way; `docs/design/house.md` has the table, and a test holds it.
//!
//! | room | what lives there |
//! |---|---|
//! | [`domain`] | nouns and decisions, pure: the [row](domain::row::Row) of a ticket, the [machine](domain::machine) that steps it, the [schedule](domain::schedule), [what must have happened](domain::reconcile) |
//! | [`mod@format`] | text to domain and back, pure: tickets, reviews, the journal, `queue.toml` |
//! | [`config`] | settings in layers, each value with its origin |
//! | [`agent`] | what differs per agent, as data: [profiles](agent::profile), [what a screen means](agent::classify), prompts, launches |
//! | [`ports`] | small traits: what the supervisor needs of the world |
//! | [`adapters`] | the only code that touches the world: tmux, git, processes, files, sockets |
//! | [`supervisor`] | the event loop, the effects, delivery, the watch; knows the ports only |
//! | [`app`] | puts the pieces together; requests met, tickets taken in, doctor |
//! | [`hooks`] | a front door: what an agent's own hooks call |
//! | [`script`] | a front door: the embedded offline agent |
//! | [`cli`] | a front door: the command line |
//!
//! # The way of the data
//!
//! ```text
//! screens, reports, exits, timers, commands -> Event
//!   -> machine::step(row, event, now)    pure
//!   -> commit: one line of the journal   remember before acting
//!   -> Effect -> tmux, git, files        each can be done twice
//!   -> what came of it, as an Event      and round again
//! ```
//!
//! Starting is recovery: the effects that should be at work are a function of the rows, so a supervisor that starts
//! with none simply starts them, and each finds what an earlier attempt made.
//!
//! # Where do I look for …
//!
//! - what makes a ticket done: [`domain::machine`], `claim.rs`; the table is in `docs/concepts/outcome.md`
//! - how a prompt gets into a pane: [`supervisor::delivery`]
//! - why a screen means what it means: [`agent::classify`], and `autodo debug screen`
//! - what a crash leaves behind, and how it is mended: [`adapters::store`], [`domain::reconcile`]
//! - a verb of the command line: [`cli`], one file each

pub mod adapters;
pub mod agent;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod format;
pub mod hooks;
pub mod ports;
pub mod script;
pub mod supervisor;
