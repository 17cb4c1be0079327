//! Nouns and decisions: no I/O, no async, no clock, no environment, no randomness.
//!
//! Start with [`row::Row`] (what the queue knows of a ticket), then [`event::Event`], [`effect::Effect`] and the step
//! from one row to the next in `machine`.

pub mod admission;
pub mod audit;
pub mod backlog;
pub mod budget;
pub mod channel;
pub mod check;
pub mod decision;
pub mod effect;
pub mod entry;
pub mod event;
pub mod flags;
pub mod glance;
pub mod glob;
pub mod id;
pub mod machine;
pub mod mailbox;
pub mod measured;
pub mod notice;
pub mod observed;
pub mod permission;
pub mod reconcile;
pub mod report;
pub mod review;
pub mod risk;
pub mod risk_rules;
pub mod row;
pub mod run;
#[cfg(any(test, feature = "test-fakes"))]
pub mod samples;
pub mod schedule;
pub mod screen;
pub mod ticket;
pub mod todo;
pub mod usage;
