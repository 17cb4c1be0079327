//! The lines of a list: a line for each ticket; at a terminal under a heading for each project, in colours, cut to fit.

use std::collections::BTreeSet;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;

use super::super::ui;
use crate::{
    domain::glance::{Glance, Glances},
    format::time::{human_duration, stamp},
};

/// Words of the statuses, in the order in which a person should look at them.
pub const STATUSES: [&str; 9] =
    ["blocked", "failed", "running", "needs_review", "parked", "queued", "reviewed", "landed", "cancelled"];

/// What the lines are for.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// The widest a line may be, in columns of a terminal; `None`: it is none, and lines are whole, without headings.
    pub columns: Option<usize>,
    /// The most lines there may be.
    pub rows: Option<usize>,
}

/// Tickets with what to know of them.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// Those to be shown, oldest first.
    pub shown: &'a [Glance],
    /// All: what a ticket waits for may be of any project.
    pub all: &'a Glances,
    /// The user's home folder, which is shown as `~`.
    pub user: Option<&'a str>,
    /// The machine has no room for a start.
    pub is_short: bool,
}

impl Table<'_> {
    /// The lines. Where there are too many, those are left out that a person has least to do with, and the last line
    /// says what they were.
    #[must_use]
    pub fn lines(&self, now: Timestamp, fit: Fit) -> Vec<String> {
        let mut groups = self.groups();
        let headings = fit.columns.is_some() && groups.len() > 1;
        let needed = self.shown.len() + if headings { groups.len() } else { 0 };
        let mut left_out = Vec::new();
        if let Some(rows) = fit.rows.filter(|rows| needed > *rows) {
            left_out = reduce(&mut groups, rows.saturating_sub(1), headings);
        }
        // Room to breathe only where there is room.
        let spaced = headings && fit.rows.is_none_or(|rows| needed + groups.len() - 1 <= rows);
        let width = self.shown.iter().map(|glance| glance.id.as_str().len()).max().unwrap_or(0).max(4);
        let mut lines = Vec::new();
        for group in groups {
            if headings {
                if spaced && !lines.is_empty() {
                    lines.push(String::new());
                }
                lines.extend(group.first().map(|first| self.heading(first, fit)));
            }
            for glance in group {
                let line = line(glance, self, width, now);
                lines.push(painted(cut(line, fit), width + 2, &glance.status));
            }
        }
        if !left_out.is_empty() {
            let more = format!("… {} more: {}", left_out.len(), counts(&left_out));
            lines.push(dim(&cut(more, fit)));
        }
        lines
    }

    /// The tickets by project, by the projects' names; in each the oldest first.
    fn groups(&self) -> Vec<Vec<&Glance>> {
        let mut sorted: Vec<&Glance> = self.shown.iter().collect();
        if sorted.iter().any(|glance| glance.repo != sorted[0].repo) {
            let key = |glance: &Glance| (glance.project.clone(), glance.repo.clone());
            // Stable: what was the oldest first remains so.
            sorted.sort_by_cached_key(|glance| key(glance));
        }
        sorted.chunk_by(|a, b| a.repo == b.repo).map(<[&Glance]>::to_vec).collect()
    }

    /// `shop  ~/src/shop  1 blocked, 3 queued`
    fn heading(&self, first: &Glance, fit: Fit) -> String {
        let of_it: Vec<&Glance> = self.shown.iter().filter(|glance| glance.repo == first.repo).collect();
        let name = ui::plain(&first.project);
        let rest = self.user.and_then(|user| first.repo.strip_prefix(user)).filter(|rest| rest.starts_with('/'));
        let place = rest.map_or_else(|| first.repo.clone(), |rest| format!("~{rest}"));
        let text = cut(format!("{name}  {}  {}", ui::plain(&place), counts(&of_it)), fit);
        match text.strip_prefix(name.as_str()) {
            Some(rest) => format!("{bold}{name}{bold:#}{}", dim(rest), bold = Style::new().bold()),
            None => text,
        }
    }
}

/// How many there are of each status: `1 blocked, 3 queued`.
#[must_use]
pub fn counts(glances: &[&Glance]) -> String {
    let of = |word: &str| glances.iter().filter(|glance| glance.status == word).count();
    let words: Vec<String> =
        STATUSES.iter().map(|word| (of(word), word)).filter(|(n, _)| *n > 0).map(|(n, w)| format!("{n} {w}")).collect();
    words.join(", ")
}

/// Takes tickets out of `groups` until the rest has at most `rows` lines; those taken are returned.
fn reduce<'a>(groups: &mut Vec<Vec<&'a Glance>>, rows: usize, headings: bool) -> Vec<&'a Glance> {
    let rank = |glance: &Glance| STATUSES.iter().position(|word| *word == glance.status).unwrap_or(STATUSES.len());
    let mut by_rank: Vec<(usize, usize, &Glance)> = Vec::new();
    for (group, glances) in groups.iter().enumerate() {
        by_rank.extend(glances.iter().map(|glance| (rank(glance), group, *glance)));
    }
    by_rank.sort_by_key(|(rank, _, _)| *rank);
    let (mut kept, mut headed, mut used) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (_, group, glance) in by_rank {
        let cost = if headings && !headed.contains(&group) { 2 } else { 1 };
        if used + cost <= rows {
            used += cost;
            headed.insert(group);
            kept.insert(&glance.id);
        }
    }
    let mut left_out = Vec::new();
    for group in groups.iter_mut() {
        left_out.extend(group.iter().copied().filter(|glance| !kept.contains(&glance.id)));
        group.retain(|glance| kept.contains(&glance.id));
    }
    groups.retain(|group| !group.is_empty());
    left_out
}

fn cut(line: String, fit: Fit) -> String {
    match fit.columns {
        Some(columns) => ui::cut(&line, columns),
        None => line,
    }
}

/// `auto-20260219-143022  needs_review  42min  3L 1M 0H  Refactor resolve.py`
fn line(glance: &Glance, table: &Table<'_>, width: usize, now: Timestamp) -> String {
    let worked = glance.worked(now).map_or_else(|| "-".to_owned(), human_duration);
    let risk = glance.risk;
    let counts = format!("{}L {}M {}H", risk.low, risk.medium, risk.high);
    let title = ui::plain(&glance.title);
    let note = note(glance, table).map(|note| format!("  ({note})")).unwrap_or_default();
    // Behind what other programs read.
    let cost = glance.cost.as_ref().map(|cost| format!("  {cost}")).unwrap_or_default();
    let (id, status) = (&glance.id, &glance.status);
    format!("{id:<width$}  {status:<12}  {worked:>6}  {counts:<10}  {title}{note}{cost}")
}

/// What else a person should know of a ticket: why it is where it is.
fn note(glance: &Glance, table: &Table<'_>) -> Option<String> {
    let is_queued = glance.status == "queued";
    let waits = if is_queued { glance.waits_for(table.all) } else { Vec::new() };
    match (&glance.note, glance.until) {
        _ if !waits.is_empty() => Some(format!("after {}", waits.join(", "))),
        (Some(note), Some(until)) => {
            Some(format!("{} until {}", ui::plain(note), stamp(until, &jiff::tz::TimeZone::system())))
        }
        (Some(note), None) => Some(ui::plain(note)),
        (None, _) if is_queued && table.is_short => Some("no room".to_owned()),
        (None, _) => None,
    }
}

/// `line` with the word of its status, at `from`, in its colour.
fn painted(line: String, from: usize, status: &str) -> String {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    let style = match status {
        "blocked" => colour(AnsiColor::Yellow).bold(),
        "failed" => colour(AnsiColor::Red).bold(),
        "parked" => colour(AnsiColor::Yellow),
        "running" => colour(AnsiColor::Cyan),
        "needs_review" => colour(AnsiColor::Green),
        "queued" => return line,
        _ => Style::new().dimmed(),
    };
    // An id is ASCII, so columns and bytes are the same up to here.
    match (line.get(..from), line.get(from..from + status.len()), line.get(from + status.len()..)) {
        (Some(id), Some(word), Some(rest)) => format!("{id}{style}{word}{style:#}{rest}"),
        _ => line,
    }
}

fn dim(text: &str) -> String {
    let style = Style::new().dimmed();
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests;
