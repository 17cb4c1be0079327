//! Tests of the machine as a table: row and event in, row and effects out.

mod asks;
mod blocks;
mod delivery;
mod every;
mod hooks;
mod limits;
mod losses;
mod outcome;
mod permission;
mod play;
mod properties;
