//! Progress of a dispatch: bars on a terminal, one line per event otherwise, audit lines with `--json`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::ui;
use crate::{
    domain::{
        audit,
        budget::{Pot, Used},
        id::TicketId,
        row::{Row, Status},
        run::NextRun,
        schedule::Rows,
        usage::usd,
    },
    ports::store::Entry,
    supervisor::queue::Observer,
};

/// Keeps the display; finish it before anything else is printed.
pub struct Display {
    bars: Option<MultiProgress>,
}

impl Display {
    /// Takes the bars away.
    pub fn finish(self) {
        if let Some(bars) = self.bars {
            // Ignored: a display that cannot be cleared is no reason to fail.
            bars.clear().ok();
        }
    }
}

/// An observer that shows what happens, and its display.
#[must_use]
pub fn observer(rows: &Rows, json: bool) -> (Box<dyn Observer>, Display) {
    if json {
        return (Box::new(Json), Display { bars: None });
    }
    if !ui::status_is_terminal() || ui::is_hushed() {
        return (Box::new(Lines), Display { bars: None });
    }
    let bars = MultiProgress::new();
    let mut shown = Bars { bars: bars.clone(), of: BTreeMap::new() };
    for row in rows.values().filter(|row| matches!(row.status, Status::Running(_))) {
        shown.show(row);
    }
    (Box::new(shown), Display { bars: Some(bars) })
}

struct Json;

impl Observer for Json {
    fn committed(&mut self, entry: &Entry, before: Option<&Row>) {
        let mut line = audit::line(entry, before);
        if let Some(fields) = line.as_object_mut() {
            fields.insert("ticket".into(), serde_json::json!(entry.ticket));
        }
        super::json::line(&line.to_string());
    }
}

struct Lines;

impl Observer for Lines {
    fn committed(&mut self, entry: &Entry, before: Option<&Row>) {
        if let Some(line) = line(entry, before) {
            ui::say(line);
        }
    }

    fn waits(&mut self, why: Option<&str>, is_news: bool) {
        if let Some(why) = why.filter(|_| is_news) {
            ui::notice(&format!("nothing more is started for now: {why}"));
        }
    }
}

/// What a person wants to hear of a step; `None`: nothing. Of a run at work its begin, and that it is checked.
#[must_use]
pub fn line(entry: &Entry, before: Option<&Row>) -> Option<String> {
    let row = entry.row.as_ref()?;
    let old = before.map(|b| (b.status.word(), heard(b)));
    let now = (row.status.word(), heard(row));
    if old.as_ref() == Some(&now) || matches!((&old, &now), (Some(("running", _)), ("running", None))) {
        return None;
    }
    let reason = now.1.map(|r| format!(" ({r})")).unwrap_or_default();
    let question = match &row.status {
        Status::Blocked(blocked) => format!(": {}", ui::cut(&ui::plain(&blocked.question), 100)),
        Status::Parked(parked) => format!(": {}", ui::cut(&ui::plain(&parked.detail), 100)),
        Status::Queued { not_before: Some(_), next: NextRun::GoOn { because } } => {
            format!(": {}", ui::cut(&ui::plain(because), 100))
        }
        _ => String::new(),
    };
    Some(format!("{}: {}{reason}{question}", row.id, now.0))
}

/// Says how far the budget of a dispatch is used up, where that matters, and what it could not count.
pub fn say_budget(pot: &Pot, rows: &Rows, counted: &BTreeSet<TicketId>) {
    let (sum, spent) = (usd(pot.budget), usd(pot.spent(rows)));
    match pot.used(rows) {
        Used::Within => ui::say(format!("{spent} of the budget of {sum} are spent")),
        Used::Full | Used::Over => {
            ui::notice(&format!("the budget of {sum} is spent ({spent}): nothing more was started"));
        }
    }
    let is_silent = |row: &&Row| counted.contains(&row.id) && row.run > 0 && !row.is_cost_known();
    match rows.values().filter(is_silent).count() {
        0 => {}
        1 => ui::notice("1 ticket did not tell all that it cost: the budget does not count that"),
        n => ui::notice(&format!("{n} tickets did not tell all that they cost: the budget does not count that")),
    }
}

/// The word behind a status; of the phases of a run only the one that has a name outside of autodo.
fn heard(row: &Row) -> Option<String> {
    audit::reason(row).filter(|reason| !matches!(row.status, Status::Running(_)) || reason == "checking")
}

struct Bars {
    bars: MultiProgress,
    of: BTreeMap<TicketId, ProgressBar>,
}

impl Bars {
    fn show(&mut self, row: &Row) {
        let bar = self.of.entry(row.id.clone()).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:<22} {elapsed:>4} {msg}") {
                bar.set_style(style);
            }
            bar.set_prefix(row.id.to_string());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        let reason = audit::reason(row).unwrap_or_default();
        bar.set_message(format!("{reason}  {}", ui::cut(&ui::plain(&row.title), 50)));
    }
}

impl Observer for Bars {
    fn committed(&mut self, entry: &Entry, before: Option<&Row>) {
        let Some(row) = &entry.row else { return };
        if matches!(row.status, Status::Running(_)) {
            self.show(row);
            return;
        }
        if let Some(bar) = self.of.remove(&row.id) {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
        if let Some(line) = line(entry, before) {
            // Ignored: a terminal that cannot be written to shows nothing anyway.
            self.bars.println(line).ok();
        }
    }

    fn waits(&mut self, why: Option<&str>, is_news: bool) {
        if let Some(why) = why.filter(|_| is_news) {
            // Ignored: as above.
            self.bars.println(format!("note: nothing more is started for now: {why}")).ok();
        }
    }
}

/// How many tickets are where, and what to type next.
pub fn summary(rows: &[Row]) {
    let count = |word: &str| rows.iter().filter(|row| row.status.word() == word).count();
    let parts: Vec<String> = ["needs_review", "blocked", "parked", "failed", "queued", "running"]
        .iter()
        .filter(|word| count(word) > 0)
        .map(|word| format!("{} {word}", count(word)))
        .collect();
    if parts.is_empty() {
        ui::say("nothing to do");
        return;
    }
    ui::say(parts.join(", "));
    if count("needs_review") > 0 {
        ui::say_hint("autodo list, autodo review ID, then autodo approve-low");
    } else if count("blocked") > 0 {
        ui::say_hint("autodo list shows the questions; autodo answer ID \"…\"");
    }
}
