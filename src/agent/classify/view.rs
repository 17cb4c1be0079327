//! A screen made ready for rules: its rows as one text, its input box, and the regions between.

use super::input_box::{SeenBox, find_box};
use crate::{
    agent::profile::{LookFor, OptionsLook, Profile, Region, RequestLook, When},
    domain::{
        permission::{Asked, Subject},
        screen::Screen,
    },
};

/// A screen, looked at with a profile.
pub(super) struct View<'a> {
    screen: &'a Screen,
    /// Rows down to the last that is not blank, joined by line feeds.
    text: String,
    /// Where each of those rows begins in `text`; one more entry for the end.
    starts: Vec<usize>,
    seen_box: Option<SeenBox>,
}

/// Where a rule was found.
pub(super) struct Found {
    /// The row that decided; `None`: the title alone did.
    pub row: Option<usize>,
}

impl<'a> View<'a> {
    pub fn new(profile: &Profile, screen: &'a Screen) -> Self {
        let used = screen.rows.iter().rposition(|r| !r.trim_end().is_empty()).map_or(0, |last| last + 1);
        let mut text = String::with_capacity(used * 100);
        let mut starts = Vec::with_capacity(used + 1);
        for row in &screen.rows[..used] {
            starts.push(text.len());
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text.pop();
        starts.push(text.len() + 1);
        let seen_box = profile.input_box.as_ref().and_then(|b| find_box(b, screen, used));
        Self { screen, text, starts, seen_box }
    }

    pub fn seen_box(&self) -> Option<&SeenBox> {
        self.seen_box.as_ref()
    }

    /// The rows down to the last that is not blank.
    pub fn rows(&self) -> &'a [String] {
        &self.screen.rows[..self.starts.len() - 1]
    }

    /// The row in which the byte `at` of the text lies.
    fn row_at(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// The rows of a region, cut to its last `last_rows`: from, to (exclusive).
    fn window(&self, look: &LookFor) -> Option<(usize, usize)> {
        let used = self.starts.len() - 1;
        let (from, to) = match (look.region, &self.seen_box) {
            (Region::Screen, _) => (0, used),
            (Region::AboveBox, Some(b)) => (0, b.top),
            (Region::BelowBox, Some(b)) => ((b.bottom + 1).min(used), used),
            (Region::AboveBox | Region::BelowBox, None) => return None,
        };
        let rows = &self.screen.rows[from..to];
        let to = from + rows.iter().rposition(|r| !r.trim_end().is_empty()).map_or(0, |last| last + 1);
        Some((from.max(to.saturating_sub(look.last_rows)), to))
    }

    /// Where the rule holds; `None`: it doesn't.
    pub fn find(&self, look: &LookFor) -> Option<Found> {
        let box_holds = match (look.when, &self.seen_box) {
            (None, _) | (Some(When::Visible), Some(_)) | (Some(When::Absent), None) => true,
            (Some(When::Empty), Some(b)) => b.content == super::BoxSeen::Empty,
            (Some(When::Visible | When::Empty), None) | (Some(When::Absent), Some(_)) => false,
        };
        if !box_holds || look.title.as_ref().is_some_and(|t| !t.is_match(&self.screen.title)) {
            return None;
        }
        let mut row = look.when.and(self.seen_box.as_ref()).map(|b| b.line);
        if let Some(wanted) = &look.cursor_row {
            let at = usize::from(self.screen.cursor.1);
            self.screen.rows.get(at).filter(|r| wanted.is_match(r.trim_end()))?;
            row = Some(at);
        }
        if look.pattern.is_none() && look.not.is_empty() {
            return Some(Found { row });
        }
        let (from, to) = self.window(look)?;
        let begin = self.starts[from];
        // The line feed behind the last row belongs to no row.
        let window = if from < to { &self.text[begin..self.starts[to] - 1] } else { "" };
        if let Some(pattern) = &look.pattern {
            row = Some(self.row_at(begin + pattern.find(window)?.start()));
        }
        (!look.not.iter().any(|not| not.is_match(window))).then_some(Found { row })
    }

    /// What there is to choose from, each with its key: those of the last list that is numbered from 1 on.
    pub fn options(&self, look: &OptionsLook) -> Vec<(char, String)> {
        let found: Vec<(char, String)> = look
            .row
            .captures_iter(&self.text)
            .filter_map(|row| {
                let key = row.get(1)?.as_str().chars().next()?;
                Some((key, row.get(2)?.as_str().trim().to_owned()))
            })
            .collect();
        let first = found.iter().rposition(|(key, _)| *key == '1').unwrap_or(found.len());
        let is_none = |says: &str| look.except.as_ref().is_some_and(|except| except.is_match(says));
        found.into_iter().skip(first).filter(|(_, says)| !says.is_empty() && !is_none(says)).collect()
    }

    /// What the agent wants to run, where the screen says it whole.
    pub fn request(&self, look: &RequestLook) -> Option<Asked> {
        let found = look.command.captures(&self.text)?;
        let mut said = found.iter().skip(1).flatten().map(|group| group.as_str());
        let line = said.next()?;
        if line.is_empty() || said.any(|other| other != line) {
            return None;
        }
        let input = serde_json::json!({ "command": line }).to_string();
        let subject = Some(Subject::Command { line: line.to_owned(), unclear: false });
        Some(Asked { tool: look.tool.clone(), input, subject, ..Asked::default() })
    }

    /// What a person should read of it.
    pub fn text_of(&self, look: &LookFor, found: &Found) -> String {
        let matched = look.text.as_ref().and_then(|wanted| {
            let last = wanted.captures_iter(&self.text).last()?;
            last.get(1).or_else(|| last.get(0)).map(|m| m.as_str().to_owned())
        });
        let row = || found.row.and_then(|r| self.screen.rows.get(r)).map_or("", |r| r.trim()).to_owned();
        let text = matched.unwrap_or_else(row);
        let text = look.strip.as_ref().map_or_else(|| text.clone(), |s| s.replace_all(&text, "").into_owned());
        text.trim_matches('\n').trim_end().to_owned()
    }
}
