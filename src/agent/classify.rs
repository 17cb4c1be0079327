//! classify(profile, screen): what a screen means.
//!
//! Dialogs are looked for first, then the profile's rules in order; the first that holds decides. Where none holds the
//! answer is `unknown`, never "idle".

mod input_box;
mod marker;
mod view;

pub use input_box::{BoxSeen, box_content, lines_above_box, solid};

use view::{Found, View};

use super::profile::{Dialog, Keystroke, Policy, Profile};
use crate::domain::{
    id::RunKey,
    screen::{Marker, Screen, ScreenState, Sighting, WORDS},
};

/// Longest marker line, in columns.
pub const MARKER_COLUMNS: usize = 40;

/// What `screen` means to `profile`. With the key of the run, a marker line of this run is found too.
#[must_use]
pub fn classify(profile: &Profile, screen: &Screen, key: Option<&RunKey>) -> Sighting {
    let view = View::new(profile, screen);
    let sighting = |state, rule: &str, row: Option<usize>, text| Sighting {
        state,
        rule: rule.to_owned(),
        row: row.and_then(|r| u32::try_from(r).ok()),
        text,
        marker: key.and_then(|key| marker::last(&profile.marker, &view, key)),
        box_empty: view.seen_box().is_some_and(|b| b.content == BoxSeen::Empty),
        choices: vec![],
        takes_words: false,
        request: None,
        lifts: None,
    };
    if let Some((dialog, found)) = open_dialog(profile, &view) {
        let state = if keys(dialog, &view).is_some() { ScreenState::Dialog } else { dialog.asks };
        let offered = dialog.options.as_ref().map(|look| view.options(look)).unwrap_or_default();
        let choices = dialog.choices.keys().cloned().chain(offered.into_iter().map(|(_, says)| says)).collect();
        let request = dialog.request.as_ref().and_then(|look| view.request(look)).map(Box::new);
        return Sighting {
            choices,
            takes_words: !dialog.words.is_empty(),
            request,
            ..sighting(state, &dialog.name, found.row, view.text_of(&dialog.look, &found))
        };
    }
    for rule in &profile.screens {
        if let Some(found) = view.find(&rule.look) {
            let text = if for_people(rule.state) || rule.look.text.is_some() {
                view.text_of(&rule.look, &found)
            } else {
                String::new()
            };
            return sighting(rule.state, &rule.name, found.row, text);
        }
    }
    sighting(ScreenState::Unknown, "", None, String::new())
}

/// True for the states in which a person should read something.
pub(super) fn for_people(state: ScreenState) -> bool {
    match state {
        ScreenState::Dialog
        | ScreenState::Permission
        | ScreenState::Question
        | ScreenState::Limited
        | ScreenState::LoggedOut
        | ScreenState::Overloaded
        | ScreenState::Error => true,
        ScreenState::Booting | ScreenState::Ready | ScreenState::Busy | ScreenState::Unknown => false,
    }
}

/// The answer that the profile gives to an open dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The dialog.
    pub rule: &'a str,
    /// Its keys, in order.
    pub keys: &'a [Keystroke],
    /// Text of the screen by which the dialog was known: it must still show when a key is sent.
    pub shows: String,
}

/// The answer to the dialog that is open on `screen`; `None`: none is, or a person has to answer it.
#[must_use]
pub fn answer<'a>(profile: &'a Profile, screen: &Screen) -> Option<Answer<'a>> {
    let view = View::new(profile, screen);
    let (dialog, found) = open_dialog(profile, &view)?;
    let keys = keys(dialog, &view)?;
    let shows = found.row.and_then(|r| screen.rows.get(r)).map_or("", |row| row.trim()).to_owned();
    Some(Answer { rule: &dialog.name, keys, shows })
}

/// The keys for a person's answer to the dialog `rule` on `screen`: a name of the profile's, what an option says, in
/// any case, or the key itself. [`WORDS`]: those that close the dialog for words. `None`: it takes no such answer.
#[must_use]
pub fn keys_for(profile: &Profile, screen: &Screen, rule: &str, answer: &str) -> Option<Vec<Keystroke>> {
    let itself = || {
        let mut chars = answer.chars();
        let one = chars.next().filter(|_| chars.next().is_none())?;
        Some(vec![Keystroke::Char(one)])
    };
    let Some(dialog) = profile.dialogs.iter().find(|dialog| dialog.name == rule) else { return itself() };
    if answer == WORDS {
        return Some(dialog.words.clone()).filter(|keys| !keys.is_empty());
    }
    if let Some(keys) = dialog.choices.get(answer) {
        return Some(keys.clone());
    }
    let offered = dialog.options.as_ref().map(|look| View::new(profile, screen).options(look)).unwrap_or_default();
    let chosen = offered.into_iter().find(|(_, says)| says.to_lowercase() == answer.to_lowercase());
    chosen.map(|(key, _)| vec![Keystroke::Char(key)]).or_else(itself)
}

/// Every rule and dialog that would hold on `screen`, in order, with its state: two of different states on one screen
/// are decided by their order alone.
#[must_use]
pub fn holding<'a>(profile: &'a Profile, screen: &Screen) -> Vec<(&'a str, ScreenState)> {
    let view = View::new(profile, screen);
    let dialogs = profile.dialogs.iter().map(|d| (d.name.as_str(), ScreenState::Dialog, &d.look));
    let rules = profile.screens.iter().map(|r| (r.name.as_str(), r.state, &r.look));
    dialogs.chain(rules).filter(|(_, _, look)| view.find(look).is_some()).map(|(n, s, _)| (n, s)).collect()
}

fn open_dialog<'a>(profile: &'a Profile, view: &View<'_>) -> Option<(&'a Dialog, Found)> {
    profile.dialogs.iter().find_map(|d| view.find(&d.look).map(|found| (d, found)))
}

fn keys<'a>(dialog: &'a Dialog, view: &View<'_>) -> Option<&'a [Keystroke]> {
    let selected = dialog.selected.as_ref().is_none_or(|s| view.rows().iter().any(|row| s.is_match(row)));
    (dialog.policy == Policy::Answer && selected).then_some(dialog.answer.as_slice())
}

/// All markers of this run among `rows`, oldest first, each with its row: of a screen, or of a scrollback.
#[must_use]
pub fn markers(profile: &Profile, rows: &[String], key: &RunKey) -> Vec<(usize, Marker)> {
    marker::all(&profile.marker, rows, key)
}

/// The two marker lines of a run.
#[must_use]
pub fn marker_line(marker: Marker, key: &RunKey) -> String {
    match marker {
        Marker::Done => format!("AUTODO-DONE-{key}"),
        Marker::Blocked => format!("AUTODO-BLOCKED-{key}"),
    }
}

#[cfg(test)]
mod tests;
