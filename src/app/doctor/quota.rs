//! Whether there is quota for a batch: by the usage limits that its own tickets have reached, by what the agents' records
//! tell of their accounts, and by a command of the user's.

use std::{collections::BTreeSet, path::Path, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{Check, preflight::Batch};
use crate::{
    adapters::process::ask,
    agent::profile::{Library, Profile},
    app::App,
    domain::{observed::Observed, schedule},
    format::time::stamp,
};

/// Longest that the user's command may take.
const COMMAND_WAIT: Duration = Duration::from_secs(60);

/// Records of so many days are looked at: the longest window of a quota that is known is a week.
const DAYS: i64 = 7;

/// At most so many records are looked at, the newest first: one in which nothing was answered tells of no quota.
const RECORDS: usize = 5;

/// So much of a record's end is read: each answer tells of the quota.
const END: u64 = 512 * 1024;

/// Fails where every agent of the batch has its quota spent until after the last start: nothing would come of it. Where
/// one has some left, its tickets are worked on, and the others wait; where it is there again before the last start, they
/// wait for that.
pub(super) fn limits(app: &App, library: &Library, batch: &Batch<'_>) -> Vec<Check> {
    let now = app.world.clock.now();
    let mut checks = Vec::new();
    for name in &batch.starting {
        let of_tickets = schedule::spent_until(batch.rows, name, now)
            .map(|(until, by)| (until, format!("{by} has reached the usage limit of {name}, which lifts")));
        // Ignored: a profile that is not there or wrong has no records; its tickets are parked with that reason.
        let told = library.get(name).ok().and_then(|profile| told(app, &profile, now));
        let of_records =
            told.map(|until| (until, format!("{name} has told that its quota is spent, until it begins anew")));
        let Some((until, what)) = of_tickets.into_iter().chain(of_records).max() else { return vec![] };
        if batch.until.is_some_and(|last| until < last) {
            return vec![];
        }
        let zone = TimeZone::system();
        let last = batch.until.map_or_else(
            || "and a batch without --until does not wait".to_owned(),
            |last| format!("after the last start at {}", stamp(last, &zone)),
        );
        let detail = format!("{what} at {}, {last}", stamp(until, &zone));
        let fix = "name a later --until; or if there is quota again: autodo resume ID of what is parked";
        checks.push(Check::fail(&format!("limits:{name}"), detail, fix));
    }
    checks
}

/// Until when the newest of the agent's records says that its quota is spent; `None`: it is not, or nothing is told.
fn told(app: &App, profile: &Profile, now: Timestamp) -> Option<Timestamp> {
    let records = profile.records.as_ref().filter(|records| records.is_searched())?;
    let quota = records.format.quota.as_ref()?;
    let disk = &app.world.records;
    let mut found = Vec::new();
    // The agent names its folders by its own time zone.
    for days in -1..=DAYS {
        // Ignored: a day that no calendar has holds no record.
        let Ok(day) = now.checked_sub(SignedDuration::from_hours(24 * days)) else { continue };
        let value = |name: &str| match name {
            "home" => disk.variable("HOME"),
            "date" => Some(day.strftime("%Y/%m/%d").to_string()),
            variable => disk.variable(variable.strip_prefix('$')?),
        };
        let Some(pattern) = records.path(&records.file, "", &value) else { continue };
        if let Observed::Present(more) = disk.matching(Path::new(&pattern), &BTreeSet::new()) {
            found.extend(more);
        }
    }
    found.sort_by_key(|(_, stamp)| std::cmp::Reverse(stamp.changed_ns));
    found.dedup_by(|one, other| one.0 == other.0);
    let windows = found.iter().take(RECORDS).find_map(|(path, stamp)| {
        let end = disk.read(path, stamp.size.saturating_sub(END), END).present()?;
        Some(quota.latest(&end)).filter(|windows| !windows.is_empty())
    })?;
    quota.spent_until(&windows, now)
}

/// What the user's own command says. That it cannot be asked is no reason to stop.
pub(super) async fn command(line: &str) -> Check {
    let argv = ["/bin/sh", "-c", line].map(str::to_owned);
    let fix = "wait for it; the command is preflight.quota in config.toml of AUTODO_HOME";
    match ask(&argv, COMMAND_WAIT).await {
        Ok(said) if said.is_ok => Check::ok("quota", "the command of preflight.quota says that there is some"),
        Ok(said) => {
            let words = said.text.split_whitespace().collect::<Vec<_>>().join(" ");
            let words: String = words.chars().filter(|c| !c.is_control()).take(300).collect();
            let why = if words.is_empty() { "it does not say why".to_owned() } else { words };
            Check::fail("quota", format!("`{line}` says that there is none: {why}"), fix)
        }
        Err(why) => Check::warn("quota", format!("whether there is quota is not known: {why}"), fix),
    }
}
