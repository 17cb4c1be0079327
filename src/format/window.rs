//! The hours of a night: from a time of day to another, and which of them it is now.

use jiff::{Timestamp, ToSpan, civil::Time, tz::TimeZone};

use super::time::time_of_day;

const MINUTES: i32 = 24 * 60;

/// Times of day that a night has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: Time,
    until: Time,
    hard_stop: Option<Time>,
}

/// Why texts are not the hours of a night.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not a time of day.
    #[error("{0} {1:?} is not a time of day such as 06:30")]
    NotATime(&'static str, String),
    /// They begin and end at once.
    #[error("a night from {0} until {0} has no time in it")]
    Empty(String),
    /// The hard stop comes before the end.
    #[error("the hard stop at {0} comes before {1}, until when tickets are started")]
    StopsEarly(String, String),
}

/// One night, with its days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    /// After it nothing is started.
    pub until: Timestamp,
    /// After it no agent lives.
    pub hard_stop: Option<Timestamp>,
}

impl Hours {
    /// Reads the hours; `names` are those of the options, for errors.
    ///
    /// # Errors
    /// One is no time of day, or they are not in order.
    pub fn parse(from: (&'static str, &str), until: &str, hard_stop: Option<&str>) -> Result<Self, HoursError> {
        let time =
            |name, text: &str| time_of_day(text.trim()).ok_or_else(|| HoursError::NotATime(name, text.to_owned()));
        let hours = Self {
            from: time(from.0, from.1)?,
            until: time("--until", until)?,
            hard_stop: hard_stop.map(|text| time("--hard-stop", text)).transpose()?,
        };
        if hours.from == hours.until {
            return Err(HoursError::Empty(from.1.to_owned()));
        }
        match (hours.hard_stop, hard_stop) {
            (Some(at), Some(text)) if hours.after_from(at) < hours.after_from(hours.until) => {
                Err(HoursError::StopsEarly(text.to_owned(), until.to_owned()))
            }
            _ => Ok(hours),
        }
    }

    /// Hour and minute at which it begins.
    #[must_use]
    pub fn begins(&self) -> (i8, i8) {
        (self.from.hour(), self.from.minute())
    }

    /// Minutes from the begin of the night to `time`.
    fn after_from(&self, time: Time) -> i32 {
        let minutes = |time: Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
        (minutes(time) - minutes(self.from)).rem_euclid(MINUTES)
    }

    /// The night that it is at `now`, up to its very end; `None`: it is day.
    #[must_use]
    pub fn at(&self, now: Timestamp, zone: &TimeZone) -> Option<Night> {
        let today = now.to_zoned(zone.clone()).date();
        for days in 0..2 {
            let date = today.checked_sub(days.days()).ok()?;
            // A time that a clock change skips is moved forward, as `at` of cron's is.
            let on = |date: jiff::civil::Date, time: Time| {
                Some(date.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
            };
            if on(date, self.from)? > now {
                continue;
            }
            let later = |time: Time| {
                let is_next_day = time <= self.from;
                on(if is_next_day { date.tomorrow().ok()? } else { date }, time)
            };
            let night = Night {
                until: later(self.until)?,
                hard_stop: match self.hard_stop {
                    Some(at) => Some(later(at)?),
                    None => None,
                },
            };
            return (now < night.hard_stop.unwrap_or(night.until)).then_some(night);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(from: &str, until: &str, hard_stop: Option<&str>) -> Hours {
        Hours::parse(("--from", from), until, hard_stop).unwrap()
    }

    fn at(hours: Hours, now: &str) -> String {
        let zone = TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").unwrap();
        let now = now.parse::<jiff::civil::DateTime>().unwrap().to_zoned(zone.clone()).unwrap().timestamp();
        let shown = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%d %H:%M").to_string();
        match hours.at(now, &zone) {
            None => "day".to_owned(),
            Some(night) => {
                [Some(night.until), night.hard_stop].into_iter().flatten().map(shown).collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn a_night_is_known_from_its_first_moment_to_its_last_also_over_midnight() {
        let small = hours("01:00", "06:30", Some("07:30"));
        let over = hours("22:00", "06:30", None);
        let stop_next_day = hours("20:00", "23:00", Some("01:00"));
        for (hours, now, expected) in [
            (small, "2026-02-19T00:59:59", "day"),
            (small, "2026-02-19T01:00:00", "19 06:30, 19 07:30"),
            (small, "2026-02-19T06:45:00", "19 06:30, 19 07:30"),
            (small, "2026-02-19T07:30:00", "day"),
            (over, "2026-02-19T21:59:00", "day"),
            (over, "2026-02-19T22:00:00", "20 06:30"),
            (over, "2026-02-20T06:29:59", "20 06:30"),
            (over, "2026-02-20T06:30:00", "day"),
            (stop_next_day, "2026-02-19T23:30:00", "19 23:00, 20 01:00"),
            (stop_next_day, "2026-02-20T00:59:00", "19 23:00, 20 01:00"),
            (stop_next_day, "2026-02-20T01:00:00", "day"),
            // The clock goes from 2 to 3 that night.
            (hours("02:30", "06:00", None), "2026-03-08T03:29:00", "day"),
            (hours("02:30", "06:00", None), "2026-03-08T03:30:00", "08 06:00"),
        ] {
            assert_eq!(at(hours, now), expected, "{now}");
        }
    }

    #[test]
    fn hours_that_cannot_be_meant_are_refused() {
        let parse = |from, until, stop| Hours::parse(("--at", from), until, stop).unwrap_err().to_string();
        assert_eq!(parse("1", "06:30", None), "--at \"1\" is not a time of day such as 06:30");
        assert_eq!(parse("01:00", "2h", None), "--until \"2h\" is not a time of day such as 06:30");
        assert_eq!(parse("01:00", "06:30", Some("x")), "--hard-stop \"x\" is not a time of day such as 06:30");
        assert!(parse("01:00", "01:00", None).contains("no time in it"));
        assert!(parse("01:00", "06:30", Some("06:00")).contains("comes before"));
        assert!(Hours::parse(("--at", "01:00"), "06:30", Some("06:30")).is_ok());
    }
}
