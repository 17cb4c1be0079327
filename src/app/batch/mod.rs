//! Batches: what fires `dispatch --cron` every night, as a block of the crontab or as units of systemd. There is one for
//! each project, and all that is known of it stands there.

mod cron;
mod install;
mod plan;
mod systemd;

pub use install::{Batch, Kind, install, installed, remove, shown, troubles, usual_kind};
pub use plan::{Plan, Wish, plan};
