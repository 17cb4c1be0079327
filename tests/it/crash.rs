//! Killing anything at any moment loses nothing.

mod books;
mod kills;
mod matrix;
mod night;
mod plant;
