//! `review.md` on disk: rendered, with what a person wrote into the old one kept.

use jiff::tz::TimeZone;

use crate::{
    adapters::{
        fs::{self, FsError, PRIVATE, Sync},
        home::Home,
    },
    domain::{observed::Observed, review::Review},
    format::review::render,
};

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
