//! tmux: autodo's own servers, their sessions and panes, by spawned commands and a control client.
//!
//! [`Tmux`] implements [`crate::ports::terminal::Terminal`]. Every command can be a short-lived client with a fixed
//! environment, a time limit and an absolute socket path; a resident supervisor has most of them run by one client that
//! stays, takes no output of panes, and can be done without at any moment.
//! `docs/design/tmux.md` lists what can go wrong with tmux, and why each of it cannot happen here.
//!
//! | file | what |
//! |---|---|
//! | `command` | commands as argument lists, and the two ways of quoting them |
//! | `client` | one run of the tmux program: environment, time limit, exit |
//! | `control` | the client that stays, for looks, openings, pastes and keys |
//! | `error` | what tmux says on its error output, as a kind |
//! | `server` | start, configuration, a socket that was deleted |
//! | `rows`, `pulse`, `capture` | looking: all panes, those that changed, their screens |
//! | `guard` | what must hold in a pane at the moment of an act, checked inside the server |
//! | `single` | one server |
//! | `shared` | looks that many share |
//! | `session`, `input` | opening and closing; typing |

mod capture;
mod client;
mod command;
mod control;
mod error;
mod guard;
mod input;
mod place;
mod pulse;
mod rows;
mod server;
mod session;
mod shared;
mod single;
mod terminal;

pub use place::TmuxPlace;
pub use terminal::Tmux;
