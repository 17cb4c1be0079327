//! The time of day, and randomness for keys.

use jiff::Timestamp;

/// Where the supervisor takes time and randomness from.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// 32 random bits.
    fn random(&self) -> u32;
}
