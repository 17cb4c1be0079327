//! `review.md` on disk: rendered, with what a person wrote into the old one kept.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use crate::{
    adapters::{
        fs::{self, FsError, PRIVATE, Sync},
        home::Home,
    },
    domain::{observed::Observed, review::Review},
};

// SHIM, from here to its end mark: goes once `format::review` renders. Then it is
// `use crate::format::review::render;`, and nothing else changes.
/// A rendered review.
pub(super) struct Rendered {
    /// The file's text.
    pub text: String,
    /// Machine fields that a person had edited, and that were written anew.
    pub edited: Vec<String>,
}

/// A short form of the review, until the full one is in `format::review`.
fn render(review: &Review, previous: Option<&str>, tz: &TimeZone) -> Rendered {
    let mut text = format!("---\nid: {}\nstatus: {}\n", review.id, review.status);
    if let Some(started) = review.started {
        // Ignored: writing to a String cannot fail.
        writeln!(text, "started: {}", started.to_zoned(tz.clone()).strftime("%FT%T%z")).ok();
    }
    text.push_str("---\n\n## Task\n\n");
    text.push_str(&review.task);
    let notes = previous.and_then(|old| old.split_once("\n## Human Notes\n")).map_or("", |(_, notes)| notes);
    text.push_str("\n\n## Human Notes\n");
    text.push_str(notes);
    Rendered { text, edited: Vec::new() }
}
// END OF SHIM.

/// Writes the review and returns what belongs into the audit trail about it.
pub(super) fn write(home: &Home, review: &Review, tz: &TimeZone) -> Result<Vec<String>, FsError> {
    let path = home.review(&review.id);
    let mut notes = Vec::new();
    let previous = match fs::look_text(&path) {
        Observed::Present(text) => Some(text),
        Observed::Absent => None,
        Observed::Unknown(why) => {
            let aside = fs::rename_aside(&path)?;
            notes.push(format!("review.md could not be read and was renamed to {}: {why}", aside.display()));
            None
        }
    };
    let rendered = render(review, previous.as_deref(), tz);
    if !rendered.edited.is_empty() {
        notes.push(format!("review.md: written anew where it was edited: {}", rendered.edited.join(", ")));
    }
    if previous.as_deref() != Some(rendered.text.as_str()) {
        fs::create_dir_private(&home.ticket(&review.id))?;
        fs::write_atomic(&path, rendered.text.as_bytes(), PRIVATE, Sync::None)?;
    }
    Ok(notes)
}
