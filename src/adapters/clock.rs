//! The system's clock and randomness.

use jiff::{Timestamp, tz::TimeZone};

use crate::ports::clock::Clock;

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::system()
    }

    fn random(&self) -> u32 {
        // Without randomness a key would be guessable, but the work must go on: the clock's nanoseconds serve then.
        getrandom::u32().unwrap_or_else(|_| Timestamp::now().subsec_nanosecond().unsigned_abs())
    }
}
