//! The time of day, and randomness for keys.

use jiff::{Timestamp, tz::TimeZone};

/// Where the supervisor takes time and randomness from.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// The zone in which people here read times of day.
    fn zone(&self) -> TimeZone;
    /// 32 random bits.
    fn random(&self) -> u32;
}
