//! Killing anything at any moment loses nothing.

mod books;
mod disks;
mod hands;
mod kills;
mod machine;
mod matrix;
mod night;
mod plant;
mod soak;
