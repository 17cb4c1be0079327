//! When a usage limit lifts, read from what the agents say of it.
//!
//! Seen: Claude Code 2.1.197 `You've hit your session limit · resets 6:16pm (UTC)`, codex-cli 0.169.0 `… or try again at
//! 6:34 PM.` A day before the time (`Nov 24, 5pm`, `Nov 24th, 2026 6:34 PM`) is read as well.

use std::sync::LazyLock;

use jiff::{
    SignedDuration, Timestamp, ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};
use regex::{Captures, Regex};

/// A time of day so little in the past is today's: the limit has just lifted.
const JUST_NOW: SignedDuration = SignedDuration::from_hours(1);

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

static TOLD: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:resets?|try again)(?: at| on)? ",
        r"(?:(?P<month>[a-z]{3})[a-z]*\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?(?:,? (?P<year>20\d\d))?(?:,| at)? )?",
        r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))? ?(?P<half>[ap])\.?m\b\.?(?: \((?P<zone>[A-Za-z0-9_+/-]+)\))?",
    ))
    .ok()
});

/// The time that `text` names, as it is to be understood at `now`: in the zone that it names, else in `zone`. `None`: it
/// names none.
#[must_use]
pub fn lifts_at(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    // A narrow terminal wraps it.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = TOLD.as_ref()?.captures(&text)?;
    let zone = match told.name("zone").map(|name| TimeZone::get(name.as_str())) {
        Some(Ok(named)) => named,
        // A zone that is not known could be any.
        Some(Err(_)) => return None,
        None => zone.clone(),
    };
    let time = time_of(&told)?;
    let today = now.to_zoned(zone.clone()).date();
    let at = |date: Date| date.to_datetime(time).to_zoned(zone.clone()).ok().map(|at| at.timestamp());
    if told.name("month").is_some() {
        return at(date_of(&told, today)?);
    }
    let earliest = now.checked_sub(JUST_NOW).unwrap_or(now);
    at(today).filter(|at| *at >= earliest).or_else(|| at(today.checked_add(1.day()).ok()?))
}

fn number<N: std::str::FromStr>(told: &Captures<'_>, name: &str) -> Option<N> {
    told.name(name)?.as_str().parse().ok()
}

fn time_of(told: &Captures<'_>) -> Option<Time> {
    let hour = number(told, "hour").filter(|hour| (1..=12_i8).contains(hour))?;
    let minute = number(told, "minute").unwrap_or(0_i8);
    let is_afternoon = told.name("half")?.as_str().eq_ignore_ascii_case("p");
    Time::new(hour % 12 + if is_afternoon { 12 } else { 0 }, minute, 0, 0).ok()
}

/// The day that is named; without a year the next such day.
fn date_of(told: &Captures<'_>, today: Date) -> Option<Date> {
    let name = told.name("month")?.as_str().to_lowercase();
    let month = i8::try_from(MONTHS.iter().position(|month| name == *month)? + 1).ok()?;
    let day = number(told, "day")?;
    if let Some(year) = number(told, "year") {
        return Date::new(year, month, day).ok();
    }
    let this_year = Date::new(today.year(), month, day).ok()?;
    if this_year < today { Date::new(today.year().checked_add(1)?, month, day).ok() } else { Some(this_year) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_the_agents_say_is_understood() {
        let now = at("2026-11-21T17:00:00Z");
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let table = [
            ("You've hit your session limit · resets 6:16pm (UTC)", Some("2026-11-21T18:16:00Z")),
            ("You've hit your session limit · resets 8pm (Europe/Berlin)", Some("2026-11-21T19:00:00Z")),
            ("You've hit your weekly limit · resets Nov 24, 5pm (UTC)", Some("2026-11-24T17:00:00Z")),
            ("… to purchase more credits or try again at 6:34 PM.", Some("2026-11-21T17:34:00Z")),
            ("… more credits or try again\n at Nov 24th, 2026 6:34 PM.", Some("2026-11-24T17:34:00Z")),
            ("resets 4:30pm (UTC)", Some("2026-11-21T16:30:00Z")),
            ("resets 3:30pm (UTC)", Some("2026-11-22T15:30:00Z")),
            ("resets 12am (UTC)", Some("2026-11-22T00:00:00Z")),
            ("resets Jan 2, 12pm (UTC)", Some("2027-01-02T12:00:00Z")),
            ("resets Abc 2, 12pm (UTC)", None),
            ("resets 6pm (Nowhere/Land)", None),
            ("resets 13pm", None),
            ("resets soon", None),
            ("try again later", None),
        ];
        for (text, expected) in table {
            assert_eq!(lifts_at(text, now, &berlin), expected.map(at), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_a_time_or_none(
            text in "(resets|try again at) (Feb 3[01],? )?[0-9]{1,3}(:[0-9]{2})? ?[ap]m( \\([A-Z/]{1,5}\\))?",
        ) {
            let now = at("2026-11-21T17:00:00Z");
            if let Some(lifts) = lifts_at(&text, now, &TimeZone::UTC) {
                prop_assert!(lifts >= now.checked_sub(JUST_NOW).unwrap(), "{text}: {lifts}");
            }
        }
    }
}
