//! Killing anything at any moment loses nothing.

mod matrix;
mod night;
