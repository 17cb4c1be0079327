//! The page for the morning: what the tickets of a queue, of a time or of one dispatch have come to, and what to type
//! next. Made once, as [`Page`]; written as text, Markdown, HTML or JSON.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use super::{error::AppError, open::App, view};
use crate::{
    adapters::{fs, store},
    domain::{
        glance::{Glance, Glances},
        machine,
        observed::Observed,
        risk::Tier,
        row::{Row, Status},
        schedule::{Limited, LoggedOut, Rows},
        usage::{MicroUsd, Tokens, usd},
    },
    format::{
        harmless::{plain, plain_lines},
        time::{human_duration, stamp},
    },
};

pub mod batch;
pub mod faults;
mod html;
mod json;
mod markdown;
mod text;

pub use faults::Faults;
pub use html::html;
pub use json::json;
pub use markdown::markdown;
pub use text::text;

/// The groups, in the order in which a person wants them, with their headings.
pub const GROUPS: [(&str, &str); 9] = [
    ("landed", "Landed"),
    ("needs_review", "To review"),
    ("blocked", "Blocked"),
    ("parked", "Parked"),
    ("failed", "Failed"),
    ("queued", "Not started"),
    ("running", "Running"),
    ("reviewed", "Reviewed"),
    ("cancelled", "Cancelled"),
];

/// Lines of a last screen that are shown.
const SCREEN_LINES: usize = 20;
/// Most bytes of a kept screen that are read for them.
const SCREEN_BYTES: u64 = 64 * 1024;

/// Which tickets a page is about.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Open ones, and those that have changed since then; `None`: all of the queue.
    pub since: Option<Timestamp>,
    /// Only these, wherever they are now, and faults only up to that time.
    pub batch: Option<batch::Batch>,
    /// Only those of this checkout.
    pub repo: Option<std::path::PathBuf>,
    /// Whether a supervisor is at work.
    pub supervised: bool,
}

/// A ticket on the page. All texts are harmless for a terminal; they are not escaped.
#[derive(Clone, Debug)]
pub struct Card {
    /// The row, for JSON.
    pub row: Row,
    /// Its title in one line.
    pub title: String,
    /// Effective risk, where it is to be reviewed.
    pub risk: Option<Tier>,
    /// Short facts, in order.
    pub facts: Vec<String>,
    /// Sentences about it: why it failed or was parked.
    pub notes: Vec<String>,
    /// What it asks, word for word.
    pub question: Option<String>,
    /// Answers to choose from.
    pub options: Vec<String>,
    /// The last lines of its last screen, where it failed.
    pub screen: Option<String>,
    /// What a queued ticket waits for, in words that stand behind "waits for".
    pub waits_for: Option<String>,
}

/// Sums over the tickets of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Seconds that agents and checks have worked, all together.
    pub worked_s: u64,
    /// Millionths of a US dollar, as far as agents told; `None`: none told anything.
    #[serde(skip)]
    pub cost: Option<MicroUsd>,
    /// True if every ticket that was started told all that it cost.
    pub cost_is_all: bool,
    /// Tokens, where every ticket that was started told them.
    pub tokens: Option<u64>,
    /// Runs after the first.
    pub retries: u64,
    /// What was survived.
    pub faults: Faults,
}

/// The page.
#[derive(Clone, Debug)]
pub struct Page {
    /// When it was made.
    pub made: Timestamp,
    /// The zone for its times.
    pub zone: TimeZone,
    /// Since when, if it was asked so.
    pub since: Option<Timestamp>,
    /// The dispatch it is about.
    pub batch: Option<String>,
    /// The tickets by the word of their status, in the order of [`GROUPS`]; empty ones too.
    pub groups: Vec<(&'static str, &'static str, Vec<Card>)>,
    /// Sums.
    pub totals: Totals,
    /// What a person would type now.
    pub next: Vec<String>,
}

/// Makes the page from the queue, and from the archive where the past is asked for.
///
/// # Errors
/// The books cannot be read. With the page comes what was odd about them.
pub fn make(app: &App, wanted: &Wanted) -> Result<(Page, Vec<String>), AppError> {
    let read = store::read_queue(&app.home)?;
    let (mut all, mut notices) = (read.rows, read.notices);
    let rows: Rows = all.iter().map(|row| (row.id.clone(), row.clone())).collect();
    // What a ticket waits for may be of any project.
    let glances: Glances = all.iter().map(|row| (row.id.clone(), Glance::from(row))).collect();
    if wanted.since.is_some() || wanted.batch.is_some() {
        // Of a dispatch no more than its own is read: each one that ends does this, however long the history.
        let is_of_it =
            |id: &str| wanted.batch.as_ref().is_none_or(|batch| batch.tickets.iter().any(|t| t.as_str() == id));
        let (archived, said) = store::read_archived(&app.home, is_of_it)?;
        notices.extend(said);
        all.extend(archived.into_iter().filter(|row| !rows.contains_key(&row.id)));
    }
    all.retain(|row| wants(wanted, row) && wanted.repo.as_ref().is_none_or(|repo| row.repo == *repo));
    all.sort_by_key(order);
    let now = app.world.clock.now();
    let zone = app.world.clock.zone();
    let since = wanted.since.or(wanted.batch.as_ref().map(|batch| batch.began));
    let until = wanted.batch.as_ref().map(|batch| batch.ended);
    let totals = totals(app, &all, since, until, now);
    let next = next(&all, wanted.supervised);
    let mut groups: Vec<_> = GROUPS.iter().map(|(word, heading)| (*word, *heading, Vec::new())).collect();
    let limited = Limited::of(&rows);
    // Whether the next start would try again, no page can know.
    let logged_out = LoggedOut::of(&rows, Timestamp::MIN);
    for row in all {
        let word = row.status.word();
        let card =
            Cards { app, glances: &glances, limited: &limited, logged_out: &logged_out, zone: &zone, now }.card(row);
        if let Some((_, _, cards)) = groups.iter_mut().find(|(group, ..)| *group == word) {
            cards.push(card);
        }
    }
    let batch = wanted.batch.as_ref().map(|batch| batch.id.clone());
    Ok((Page { made: now, zone, since, batch, groups, totals, next }, notices))
}

fn wants(wanted: &Wanted, row: &Row) -> bool {
    if let Some(batch) = &wanted.batch {
        return batch.tickets.contains(&row.id);
    }
    let is_open = !row.status.is_over() || matches!(row.status, Status::Failed { .. });
    wanted.since.is_none_or(|since| row.changed >= since || is_open)
}

/// To review: by risk, the least first; queued: as they will be started; then as accepted.
fn order(row: &Row) -> (Tier, u8, Timestamp, String) {
    let risk = if matches!(row.status, Status::NeedsReview) { row.effective_risk() } else { Tier::Low };
    let priority = if matches!(row.status, Status::Queued { .. }) { row.priority } else { 0 };
    (risk, priority, row.created, row.id.to_string())
}

fn totals(app: &App, rows: &[Row], since: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp) -> Totals {
    let mut totals = Totals { cost_is_all: true, tokens: Some(0), ..Totals::default() };
    for row in rows.iter().filter(|row| row.run > 0) {
        totals.worked_s += view::worked_s(row, now).unwrap_or(0);
        totals.retries += u64::from(row.run.saturating_sub(1));
        totals.cost = totals.cost.into_iter().chain(row.spent()).reduce(MicroUsd::saturating_add);
        totals.cost_is_all &= row.is_cost_known();
        totals.tokens = totals.tokens.and_then(|sum| Some(sum.saturating_add(row.tokens().map(Tokens::total)?)));
        totals.faults.add(&faults::of(app, &row.id, since, until));
    }
    totals
}

impl Totals {
    /// For people: time, cost, retries, faults.
    #[must_use]
    pub fn words(&self) -> String {
        let mut parts = vec![format!("{} of work", human_duration(self.worked_s))];
        if let Some(cost) = self.cost {
            parts.push(format!("{}{}", usd(cost), if self.cost_is_all { "" } else { "+" }));
        }
        if self.retries > 0 {
            parts.push(counted(self.retries, "retry", "retries"));
        }
        parts.extend(self.faults.words());
        parts.join(", ")
    }
}

/// A number with its noun.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What makes cards.
struct Cards<'a> {
    app: &'a App,
    glances: &'a Glances,
    limited: &'a Limited<'a>,
    logged_out: &'a LoggedOut<'a>,
    zone: &'a TimeZone,
    now: Timestamp,
}

impl Cards<'_> {
    fn card(&self, row: Row) -> Card {
        let mut card = Card {
            title: plain(&row.title),
            risk: None,
            facts: vec![],
            notes: vec![],
            question: None,
            options: vec![],
            screen: None,
            waits_for: None,
            row,
        };
        let row = &card.row;
        if let Some(worked) = view::worked_s(row, self.now) {
            card.facts.push(human_duration(worked));
        }
        if row.spent().is_some() {
            card.facts.push(row.cost_words());
        }
        if row.run > 1 {
            card.facts.push(format!("run {}", row.run));
        }
        match &row.status {
            Status::NeedsReview => {
                card.risk = Some(row.effective_risk());
                let risk = row.risk_summary;
                card.facts.push(format!("{}L {}M {}H", risk.low, risk.medium, risk.high));
                match row.flags_count() {
                    0 => {}
                    flags => card.facts.push(counted(flags.into(), "flag", "flags")),
                }
                card.facts.extend(Glance::from(row).note.map(|note| plain(&note)));
            }
            Status::Blocked(blocked) => {
                card.facts.push(plain(&blocked.reason));
                card.question = Some(plain_lines(&blocked.words()));
                card.options = blocked.options.iter().map(|option| plain(option)).collect();
            }
            Status::Parked(parked) => {
                card.facts.push(plain(&parked.reason));
                card.facts.push(
                    parked
                        .until
                        .map_or_else(|| "until you say so".to_owned(), |at| format!("until {}", stamp(at, self.zone))),
                );
                card.notes.extend(Some(plain(&parked.detail)).filter(|detail| !detail.is_empty()));
            }
            Status::Failed { reason } => {
                card.notes.push(plain(reason));
                card.screen = last_screen(self.app, row);
            }
            Status::Running(run) => card.facts.push(run.phase.word().to_owned()),
            Status::Queued { .. } => {
                card.waits_for = self.waits_for(row);
                card.facts.extend(card.waits_for.as_ref().map(|what| format!("waits for {what}")));
            }
            Status::Reviewed { by } => card.facts.push(format!("by {}", plain(by))),
            Status::Landed | Status::Cancelled { .. } => {}
        }
        card
    }

    /// What a queued ticket waits for; `None`: it is not queued.
    fn waits_for(&self, row: &Row) -> Option<String> {
        let Status::Queued { not_before, .. } = &row.status else { return None };
        let glance = Glance::from(row);
        let dependencies = glance.waits_for(self.glances);
        if !dependencies.is_empty() {
            return Some(dependencies.join(", "));
        }
        if let Some(until) = self.limited.held_until(row, self.now) {
            return Some(format!("the usage limit of {}, until {}", plain(&row.profile), stamp(until, self.zone)));
        }
        if self.app.wants_a_person(row) {
            return Some("a dispatch with a person there (unattended: false)".to_owned());
        }
        if let Some(by) = self.logged_out.holds(row) {
            return Some(format!("the login of {}, for which {by} asks", plain(&row.profile)));
        }
        Some(not_before.map_or_else(|| "a slot".to_owned(), |at| stamp(at, self.zone)))
    }
}

/// The last lines that the ticket's agent has written; `None`: none were kept.
fn last_screen(app: &App, row: &Row) -> Option<String> {
    let screens = app.home.run_dir(&row.run_id()?).join("screens");
    let kept = (1..=row.launch.max(1)).rev().find_map(|launch| {
        match fs::look_tail(&screens.join(format!("{launch}.txt")), SCREEN_BYTES) {
            Observed::Present((_, bytes)) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Observed::Absent | Observed::Unknown(_) => None,
        }
    })?;
    let text = plain_lines(kept.trim_end());
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.get(lines.len().saturating_sub(SCREEN_LINES)..).unwrap_or_default().join("\n");
    Some(shown).filter(|text| !text.trim().is_empty())
}

/// What a person would type now.
fn next(rows: &[Row], supervised: bool) -> Vec<String> {
    let first = |is: &dyn Fn(&Row) -> bool| rows.iter().find(|row| is(row)).map(|row| row.id.to_string());
    let mut lines = Vec::new();
    if let Some(id) = first(&|row| matches!(row.status, Status::Blocked(_))) {
        lines.push(format!("autodo answer {id} \"…\""));
    }
    let is_low = |row: &Row| matches!(row.status, Status::NeedsReview) && machine::low_gate(row).is_ok();
    if rows.iter().any(is_low) {
        lines.push("autodo approve-low".to_owned());
    }
    if let Some(id) = first(&|row| matches!(row.status, Status::NeedsReview) && !is_low(row)) {
        lines.push(format!("autodo review {id}, then autodo approve {id} or autodo reject {id} -m \"…\""));
    }
    if let Some(id) = first(&|row| matches!(&row.status, Status::Parked(parked) if parked.until.is_none())) {
        lines.push(format!("autodo show {id}, then autodo resume {id} or autodo retry {id}"));
    }
    if let Some(id) = first(&|row| matches!(row.status, Status::Failed { .. })) {
        lines.push(format!("autodo logs {id}, then autodo retry {id}"));
    }
    let open = first(&|row| matches!(row.status, Status::Queued { .. } | Status::Running(_)));
    if !supervised && open.is_some() {
        lines.push("autodo dispatch (no supervisor runs)".to_owned());
    }
    lines
}

impl Page {
    /// How many tickets are in each group that has some, in words; empty: there are no tickets.
    #[must_use]
    pub fn counts(&self) -> String {
        let some = self.groups.iter().filter(|(_, _, cards)| !cards.is_empty());
        some.map(|(_, heading, cards)| format!("{} {}", cards.len(), heading.to_lowercase()))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The groups with something in them.
    fn shown(&self) -> impl Iterator<Item = (&'static str, &[Card])> {
        self.groups
            .iter()
            .filter(|(_, _, cards)| !cards.is_empty())
            .map(|(_, heading, cards)| (*heading, cards.as_slice()))
    }

    /// What it is about, in words: of which dispatch, since when, made when.
    fn about(&self) -> String {
        let mut parts = vec![];
        if let Some(batch) = &self.batch {
            parts.push(format!("dispatch {}", plain(batch)));
        }
        parts.extend(self.since.map(|since| format!("since {}", stamp(since, &self.zone))));
        parts.push(format!("made {}", stamp(self.made, &self.zone)));
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests;
