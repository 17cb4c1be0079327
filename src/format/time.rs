//! Times and durations as people and files write them.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Time, fmt::strtime, tz::TimeZone};

/// Longest duration that is accepted, in seconds: ten years of 366 days.
pub const LONGEST_S: u64 = 10 * 366 * 86_400;

/// Why a text is not a time or a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not a point in time.
    #[error("{0:?} is not a time such as 2026-02-19T14:30:22-0800")]
    NotAStamp(String),
    /// Not a length of time.
    #[error("{0:?} is not a duration such as 45s, 90m, 2h30m or a number of seconds")]
    NotADuration(String),
    /// More than [`LONGEST_S`].
    #[error("{0:?} is longer than ten years")]
    TooLong(String),
    /// Not anything that says when.
    #[error(
        "{0:?} is not a time of day such as 06:30, a duration such as 2h, or a time such as 2026-02-19T14:30:22-0800"
    )]
    NotAClock(String),
    /// A point in time that has gone by.
    #[error("{0:?} is in the past")]
    Past(String),
}

/// A time as `2026-02-19T14:30:22-0800`, in the given zone. Fractions of a second are cut off.
#[must_use]
pub fn stamp(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%z").to_string()
}

/// Reads a time with an offset: `-0800`, `-08:00` or `Z`.
///
/// # Errors
/// [`TimeError::NotAStamp`]; also for a time without an offset, which could be any of two dozen.
pub fn parse_stamp(text: &str) -> Result<Timestamp, TimeError> {
    let trimmed = text.trim();
    trimmed
        .parse::<Timestamp>()
        .or_else(|_| strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", trimmed).and_then(|t| t.to_timestamp()))
        .map_err(|_| TimeError::NotAStamp(text.to_owned()))
}

/// A duration for people: `18s`, `42min`, `3h05`.
#[must_use]
pub fn human_duration(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}min", seconds / 60),
        _ => format!("{}h{:02}", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Reads a duration in seconds: `45s`, `90m`, `42min`, `2h30m`, `3h05`, `1d`, or a bare number of seconds.
///
/// # Errors
/// [`TimeError::NotADuration`] or [`TimeError::TooLong`].
pub fn parse_duration(text: &str) -> Result<u64, TimeError> {
    let wrong = || TimeError::NotADuration(text.to_owned());
    let long = || TimeError::TooLong(text.to_owned());
    let mut rest = text.trim();
    let mut total: u64 = 0;
    // Seconds in the unit before; units must shrink, so that `5m2h` or `1h1h` is a mistake.
    let mut last = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Err(wrong());
        }
        let amount: u64 = rest[..digits].parse().map_err(|_| long())?;
        let after = &rest[digits..];
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match (&after[..letters], last) {
            ("d", _) => 86_400,
            ("h", _) => 3600,
            ("m" | "min", _) => 60,
            ("s" | "sec", _) => 1,
            ("", u64::MAX) => 1,
            ("", 3600) => 60,
            _ => return Err(wrong()),
        };
        if unit >= last {
            return Err(wrong());
        }
        total = amount.checked_mul(unit).and_then(|part| total.checked_add(part)).ok_or_else(long)?;
        last = unit;
        rest = after[letters..].trim_start();
    }
    if last == u64::MAX {
        return Err(wrong());
    }
    if total > LONGEST_S { Err(long()) } else { Ok(total) }
}

/// Reads when: the next time of day (`06:30`, `06:30:15`), a duration from now (`2h`), or a full time.
///
/// A time of day that a clock change skips is moved forward by the length of the gap.
///
/// # Errors
/// [`TimeError::NotAClock`]; [`TimeError::Past`] for a full time that is not after `now`. A bare number is refused: it
/// could be meant as an hour.
pub fn clock(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, TimeError> {
    let trimmed = text.trim();
    let wrong = || TimeError::NotAClock(text.to_owned());
    if let Ok(at) = parse_stamp(trimmed) {
        return if at > now { Ok(at) } else { Err(TimeError::Past(text.to_owned())) };
    }
    if let Some(time) = time_of_day(trimmed) {
        let today = now.to_zoned(zone.clone()).date();
        for days in 0..3 {
            let date = today.checked_add(days.days()).map_err(|_| wrong())?;
            let at = date.to_datetime(time).to_zoned(zone.clone()).map_err(|_| wrong())?.timestamp();
            if at > now {
                return Ok(at);
            }
        }
        return Err(wrong());
    }
    if trimmed.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let seconds = match parse_duration(trimmed) {
        Ok(seconds) => i64::try_from(seconds).map_err(|_| wrong())?,
        Err(TimeError::TooLong(text)) => return Err(TimeError::TooLong(text)),
        Err(_) => return Err(wrong()),
    };
    now.checked_add(SignedDuration::from_secs(seconds)).map_err(|_| wrong())
}

/// `6:30`, `06:30` or `06:30:15`.
pub(crate) fn time_of_day(text: &str) -> Option<Time> {
    let mut parts = text.split(':');
    let mut next = |required: bool| match parts.next() {
        Some(part) if (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()) => part.parse().ok(),
        None if !required => Some(0),
        _ => None,
    };
    let (hour, minute, second) = (next(true)?, next(true)?, next(false)?);
    if parts.next().is_some() {
        return None;
    }
    // Ignored: a time that no clock shows, such as 25:00, is simply not a time of day.
    Time::new(hour, minute, second, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::posix(name).unwrap()
    }

    fn pacific() -> TimeZone {
        zone("PST8PDT,M3.2.0,M11.1.0")
    }

    #[test]
    fn a_stamp_has_an_offset_without_a_colon() {
        let at: Timestamp = "2026-02-19T22:30:22.9Z".parse().unwrap();
        assert_eq!(stamp(at, &pacific()), "2026-02-19T14:30:22-0800");
        assert_eq!(stamp(at, &TimeZone::UTC), "2026-02-19T22:30:22+0000");
        assert_eq!(stamp(at, &zone("<+0530>-5:30")), "2026-02-20T04:00:22+0530");
    }

    #[test]
    fn a_stamp_is_read_with_any_spelling_of_its_offset() {
        let want: Timestamp = "2026-02-19T22:30:22Z".parse().unwrap();
        for text in [
            "2026-02-19T14:30:22-0800",
            "2026-02-19T14:30:22-08:00",
            "2026-02-19T22:30:22Z",
            " 2026-02-19T22:30:22+0000 ",
            "2026-02-19T22:30:22.000Z",
        ] {
            assert_eq!(parse_stamp(text), Ok(want), "{text}");
        }
        for text in
            ["", "2026-02-19", "2026-02-19T14:30:22", "yesterday", "2026-02-30T00:00:00Z", "2026-02-19T25:00:00Z"]
        {
            assert!(parse_stamp(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_short() {
        for (seconds, text) in [
            (0, "0s"),
            (18, "18s"),
            (59, "59s"),
            (60, "1min"),
            (2520, "42min"),
            (3599, "59min"),
            (11_100, "3h05"),
            (97_200, "27h00"),
        ] {
            assert_eq!(human_duration(seconds), text);
        }
    }

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [
            ("90", 90),
            ("0", 0),
            ("45s", 45),
            ("90m", 5400),
            ("42min", 2520),
            ("2h", 7200),
            ("2h30m", 9000),
            ("2h 30m", 9000),
            ("3h05", 11_100),
            ("1d2h", 93_600),
            (" 5m10s ", 310),
        ] {
            assert_eq!(parse_duration(text), Ok(seconds), "{text}");
        }
        for text in ["", "h", "2 hours", "-5m", "1.5h", "5m2h", "1h1h", "10m5", "1:30", "2H", "²", "1d5", "h2"] {
            assert!(matches!(parse_duration(text), Err(TimeError::NotADuration(_))), "{text}");
        }
        for text in ["99999999999999999999999", "99999999999999999d", "4000d", "18446744073709551615s"] {
            assert!(matches!(parse_duration(text), Err(TimeError::TooLong(_))), "{text}");
        }
    }

    #[test]
    fn a_time_of_day_is_the_next_one() {
        let now: Timestamp = "2026-02-19T22:30:00Z".parse().unwrap(); // 14:30 in the zone
        let at = |text: &str| clock(text, now, &pacific()).map(|t| stamp(t, &pacific()));
        assert_eq!(at("06:30").unwrap(), "2026-02-20T06:30:00-0800");
        assert_eq!(at("6:30").unwrap(), "2026-02-20T06:30:00-0800");
        assert_eq!(at("23:00:15").unwrap(), "2026-02-19T23:00:15-0800");
        assert_eq!(at("14:30").unwrap(), "2026-02-20T14:30:00-0800");
        assert_eq!(at("2h").unwrap(), "2026-02-19T16:30:00-0800");
        assert_eq!(at("2026-02-20T06:00:00Z").unwrap(), "2026-02-19T22:00:00-0800");
        assert!(matches!(at("2026-02-19T06:00:00Z"), Err(TimeError::Past(_))));
        for text in ["", "6", "630", "25:00", "06:60", "06:30:61", "06:30:00:00", "soon", ":30", "06:", "+6:30", "1d1d"]
        {
            assert!(matches!(at(text), Err(TimeError::NotAClock(_))), "{text}");
        }
    }

    #[test]
    fn a_time_of_day_that_the_clock_change_skips_is_moved_forward() {
        let now: Timestamp = "2026-03-08T08:00:00Z".parse().unwrap(); // midnight before the change
        let at = clock("02:30", now, &pacific()).unwrap();
        assert_eq!(stamp(at, &pacific()), "2026-03-08T03:30:00-0700");
    }

    proptest! {
        #[test]
        fn a_stamp_reads_back_to_the_second(second in -62_000_000_000i64..250_000_000_000i64, nano in 0i32..1_000_000_000) {
            let at = Timestamp::new(second, nano).unwrap();
            for zone in [pacific(), TimeZone::UTC, zone("<-0330>3:30")] {
                let back = parse_stamp(&stamp(at, &zone)).unwrap();
                // Before 1970 the fraction counts the other way in `as_second`, so compare in nanoseconds.
                let lost = at.as_nanosecond() - back.as_nanosecond();
                prop_assert!((0..1_000_000_000).contains(&lost), "{at} {back}");
            }
        }

        #[test]
        fn any_text_is_a_time_or_an_error(text in "[0-9hmsd:TZ+. -]{0,30}", other in any::<String>()) {
            let now = Timestamp::new(1_700_000_000, 0).unwrap();
            for text in [text, other] {
                if let Ok(at) = clock(&text, now, &pacific()) {
                    prop_assert!(at >= now);
                }
                if let Ok(seconds) = parse_duration(&text) {
                    prop_assert!(seconds <= LONGEST_S);
                }
            }
        }
    }
}
