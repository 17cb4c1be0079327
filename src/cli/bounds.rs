//! `--until` and `--hard-stop`: what a dispatch may not go beyond.

use jiff::{Timestamp, tz::TimeZone};

use super::dispatch::DispatchArgs;
use crate::{
    app::AppError,
    format::{time::clock, window::Night},
};

/// What a dispatch may not go beyond.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    /// After it nothing is started.
    pub until: Option<Timestamp>,
    /// After it no agent lives.
    pub hard_stop: Option<Timestamp>,
}

impl Bounds {
    /// True from the last start on.
    pub(super) fn starts_nothing(self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl From<Night> for Bounds {
    fn from(night: Night) -> Self {
        Self { until: Some(night.until), hard_stop: night.hard_stop }
    }
}

/// What `--until` and `--hard-stop` mean now.
pub(super) fn bounds(args: &DispatchArgs, now: Timestamp) -> Result<Bounds, AppError> {
    let read = |option: &str, text: &Option<String>, example: &str| {
        let at = text.as_ref().map(|text| {
            clock(text, now, &TimeZone::system())
                .map_err(|e| AppError::usage(format!("{option} {text:?}: {e}")).hint(format!("for example {example}")))
        });
        at.transpose()
    };
    let until = read("--until", &args.until, "--until 06:30, or --until 2h")?;
    let hard_stop = read("--hard-stop", &args.hard_stop, "--hard-stop 07:30, or --hard-stop 3h")?;
    match (until, hard_stop) {
        (Some(until), Some(stop)) if stop < until => Err(AppError::usage(format!(
            "--hard-stop {} comes before --until {}",
            args.hard_stop.as_deref().unwrap_or_default(),
            args.until.as_deref().unwrap_or_default()
        ))
        .hint("name a hard stop that comes after the last start")),
        _ => Ok(Bounds { until, hard_stop }),
    }
}
