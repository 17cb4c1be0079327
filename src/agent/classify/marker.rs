//! Marker lines: a whole line that says, with the run's key, that the agent is done or blocked.

use super::{MARKER_COLUMNS, marker_line, view::View};
use crate::{
    agent::profile::MarkerLine,
    domain::{id::RunKey, screen::Marker},
};

/// The last marker of this run on the screen, apart from the input box.
pub(super) fn last(spec: &MarkerLine, view: &View<'_>, key: &RunKey) -> Option<Marker> {
    let kinds = [Marker::Done, Marker::Blocked].map(|m| (m, marker_line(m, key)));
    let boxed = |row: usize| view.seen_box().is_some_and(|b| (b.top..=b.bottom).contains(&row));
    view.rows().iter().enumerate().rev().filter(|(row, _)| !boxed(*row)).find_map(|(_, text)| {
        let said = bare(spec, text)?;
        kinds.iter().find(|(_, line)| line == said).map(|(marker, _)| *marker)
    })
}

/// All markers of this run among `rows`, each with its row.
pub(super) fn all(spec: &MarkerLine, rows: &[String], key: &RunKey) -> Vec<(usize, Marker)> {
    let kinds = [Marker::Done, Marker::Blocked].map(|m| (m, marker_line(m, key)));
    let said = rows.iter().enumerate().filter_map(|(row, text)| Some((row, bare(spec, text)?)));
    said.filter_map(|(row, said)| kinds.iter().find(|(_, line)| line == said).map(|(marker, _)| (row, *marker)))
        .collect()
}

/// The line without the agent's glyph and the blanks around it; `None`: it cannot be a marker line.
fn bare<'a>(spec: &MarkerLine, row: &'a str) -> Option<&'a str> {
    let row = row.trim_end();
    if !row.ends_with(|c: char| c.is_ascii_hexdigit()) || row.chars().count() > MARKER_COLUMNS {
        return None;
    }
    let row = unindented(row, spec.indent)?;
    match row.strip_prefix(|c: char| spec.bullets.contains(c)) {
        Some(rest) => unindented(rest, spec.indent),
        None => Some(row),
    }
}

/// The text behind at most `most` blanks.
fn unindented(text: &str, most: usize) -> Option<&str> {
    let rest = text.trim_start_matches([' ', '\u{a0}']);
    (text[..text.len() - rest.len()].chars().count() <= most).then_some(rest)
}
