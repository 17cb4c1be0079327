//! Tests of tmux: the real program, a server of its own for each test.

mod looking;
mod opening;
mod server;
mod typing;
