//! Killing anything at any moment loses nothing.

mod books;
mod matrix;
mod night;
mod plant;
