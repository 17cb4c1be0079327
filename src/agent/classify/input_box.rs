//! The agent's input box: where it is on the screen, and what it holds.

use unicode_normalization::UnicodeNormalization;

use super::view::View;
use crate::{
    agent::profile::{InputBox, Profile},
    domain::screen::Screen,
};

/// What the input box holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoxSeen {
    /// There is no box on the screen.
    Absent,
    /// It is there and holds nothing, or only the agent's own hint.
    Empty,
    /// It holds this text: its rows, joined by line feeds. A long line stands in several rows.
    Text(String),
    /// It holds a placeholder for a pasted text.
    Pasted,
}

impl BoxSeen {
    /// True if the box holds exactly `text`, as far as [`solid`] tells.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Self::Text(seen) => solid(seen) == solid(text),
            Self::Absent | Self::Empty | Self::Pasted => false,
        }
    }
}

/// What of a text can be found again in a box: agents wrap and indent lines as they like, so white space does not count;
/// and Claude Code 2.1.197 shows a letter and its accents composed into one character (NFC) where there is one.
#[must_use]
pub fn solid(text: &str) -> String {
    text.nfc().filter(|c| !c.is_whitespace()).collect()
}

/// What the input box of `profile` holds on `screen`.
#[must_use]
pub fn box_content(profile: &Profile, screen: &Screen) -> BoxSeen {
    View::new(profile, screen).seen_box().map_or(BoxSeen::Absent, |b| b.content.clone())
}

/// How many of `lines`, the end of what a pane shows and has shown, stand above the input box of `profile`; all of them
/// where there is no box.
#[must_use]
pub fn lines_above_box(profile: &Profile, lines: &[&str]) -> usize {
    // Where the cursor is, such lines do not tell.
    let Some(spec) = profile.input_box.as_ref().map(|spec| InputBox { cursor: false, ..spec.clone() }) else {
        return lines.len();
    };
    let used = lines.iter().rposition(|line| !line.trim_end().is_empty()).map_or(0, |last| last + 1);
    let from = used.saturating_sub(2 * (spec.footer_rows + spec.max_rows));
    let screen = Screen::of_text(&lines[from..used].join("\n"));
    find_box(&spec, &screen, screen.rows.len()).map_or(lines.len(), |seen| from + seen.top)
}

/// A box on a screen. Rows count from 0.
pub(super) struct SeenBox {
    /// Its first row, the rule above included.
    pub top: usize,
    /// The row with the prompt.
    pub line: usize,
    /// Its last row, the rule below included.
    pub bottom: usize,
    /// What it holds.
    pub content: BoxSeen,
}

/// Finds the box that is lowest on the screen. `used` is the number of rows down to the last that is not blank.
pub(super) fn find_box(spec: &InputBox, screen: &Screen, used: usize) -> Option<SeenBox> {
    let rows = &screen.rows[..used];
    let lowest = used.saturating_sub(spec.footer_rows + spec.max_rows);
    (lowest..used).rev().find_map(|line| box_at(spec, screen, rows, line))
}

fn box_at(spec: &InputBox, screen: &Screen, rows: &[String], line: usize) -> Option<SeenBox> {
    let first = spec.line.captures(rows[line].trim_end())?;
    let mut content = vec![first.get(1).map_or("", |m| m.as_str())];
    let top = match &spec.above {
        None => line,
        Some(above) => line.checked_sub(1).filter(|up| above.is_match(rows[*up].trim_end()))?,
    };
    let mut bottom = line;
    let mut closed = spec.below.is_none();
    for row in &rows[line + 1..] {
        let row = row.trim_end();
        if spec.below.as_ref().is_some_and(|below| below.is_match(row)) {
            bottom += 1;
            closed = true;
            break;
        }
        match spec.continuation.as_ref().and_then(|c| c.captures(row)) {
            Some(more) => content.push(more.get(1).map_or("", |m| m.as_str())),
            // Between rules, a blank row is a blank line of the text; without a rule below it ends the box.
            None if row.is_empty() && spec.below.is_some() => content.push(""),
            None => break,
        }
        bottom += 1;
    }
    let fits = bottom - top < spec.max_rows && rows.len() - 1 - bottom <= spec.footer_rows;
    let cursor = usize::from(screen.cursor.1);
    let held = !spec.cursor || (top..=bottom).contains(&cursor);
    (closed && fits && held).then(|| SeenBox { top, line, bottom, content: meaning(spec, &content) })
}

fn meaning(spec: &InputBox, rows: &[&str]) -> BoxSeen {
    let blank = |c: char| c.is_whitespace() || spec.trim.contains(c);
    let text = rows.iter().map(|r| r.trim_end_matches(blank)).collect::<Vec<_>>().join("\n");
    let text = text.trim_matches(blank);
    if text.is_empty() || spec.empty.iter().any(|e| e.is_match(text)) {
        return BoxSeen::Empty;
    }
    if spec.pasted.iter().any(|p| p.is_match(text)) {
        return BoxSeen::Pasted;
    }
    BoxSeen::Text(text.to_owned())
}
