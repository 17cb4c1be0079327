//! What each dispatch leaves when it ends: `summaries/<time>.md` for a person, and `<time>.json`, by which the page can
//! be made again as things stand later.

use std::path::PathBuf;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

use super::{Wanted, make, markdown};
use crate::{
    adapters::{
        fs::{self, Sync},
        home::Home,
    },
    app::{error::AppError, open::App},
    domain::id::TicketId,
};

/// Dispatches whose pages are kept.
const KEPT: usize = 60;

/// Version of the file.
const VERSION: u32 = 1;

/// What a dispatch was about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Version of the file.
    pub version: u32,
    /// Its id: the time at which it ended, `20260219-063000`; a second one within a second has `-2` behind it.
    pub id: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// Its tickets: those open when it began, and those that have changed since.
    pub tickets: Vec<TicketId>,
}

fn named(home: &Home, id: &str, kind: &str) -> PathBuf {
    home.summaries().join(format!("{id}.{kind}"))
}

/// The ids of the dispatches whose pages are kept, oldest first.
#[must_use]
pub fn ids(home: &Home) -> Vec<String> {
    let listed = fs::list_dir(&home.summaries()).present().unwrap_or_default();
    let mut ids: Vec<String> =
        listed.iter().filter_map(|file| file.name.to_str()?.strip_suffix(".json").map(str::to_owned)).collect();
    ids.sort();
    ids
}

/// The dispatch that `text` names: an id, a unique beginning of one, or `last`.
///
/// # Errors
/// None does, or several do, or its file cannot be read.
pub fn find(home: &Home, text: &str) -> Result<Batch, AppError> {
    let ids = ids(home);
    let matching: Vec<&String> = match text {
        "last" => ids.last().into_iter().collect(),
        text => {
            let whole: Vec<&String> = ids.iter().filter(|id| *id == text).collect();
            if whole.is_empty() { ids.iter().filter(|id| id.starts_with(text)).collect() } else { whole }
        }
    };
    let shown = home.summaries().display().to_string();
    let id = match matching.as_slice() {
        [id] => id,
        [] => {
            return Err(AppError::usage(format!("there is no dispatch {text:?} in {shown}"))
                .hint("autodo summary --batch last, or a time as those files are named"));
        }
        several => {
            return Err(AppError::usage(format!("{text:?} is the beginning of {} dispatches", several.len())).hint(
                format!(
                    "type more of it: {}",
                    several.iter().take(5).map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
                ),
            ));
        }
    };
    let path = named(home, id, "json");
    let unusable = |why: String| AppError::new(why).hint("autodo summary --since TIME needs no such file");
    let text = fs::read_to_string(&path).map_err(|e| unusable(e.to_string()))?;
    let batch: Batch = serde_json::from_str(&text).map_err(|e| unusable(format!("{}: {e}", path.display())))?;
    if batch.version > VERSION {
        return Err(unusable(format!("{} is of a newer version ({})", path.display(), batch.version)));
    }
    Ok(batch)
}

/// Writes what a dispatch has come to, takes away the oldest pages above `KEPT`, and returns the page's file.
///
/// # Errors
/// The books cannot be read, or a file cannot be written.
pub fn write(app: &App, began: Timestamp, mut tickets: Vec<TicketId>) -> Result<(PathBuf, super::Page), AppError> {
    let folder = app.home.summaries();
    let failed = |e: fs::FsError| AppError::new(e.to_string()).hint("autodo summary shows the same; mend the folder");
    fs::create_dir_private(&folder).map_err(failed)?;
    tickets.sort();
    tickets.dedup();
    let ended = app.world.clock.now();
    let mut batch = Batch { version: VERSION, id: String::new(), began, ended, tickets };
    let stem = ended.to_zoned(zone(app)).strftime("%Y%m%d-%H%M%S").to_string();
    for n in 1..1000 {
        batch.id = if n == 1 { stem.clone() } else { format!("{stem}-{n}") };
        let text = serde_json::to_string(&batch).unwrap_or_default() + "\n";
        let made = fs::write_aside(&named(&app.home, &batch.id, "json"), text.as_bytes(), fs::PRIVATE, Sync::None);
        if made.map_err(failed)?.put_new().map_err(failed)? {
            break;
        }
    }
    let wanted = Wanted { batch: Some(batch.clone()), ..Wanted::default() };
    let (page, _) = make(app, &wanted)?;
    let path = named(&app.home, &batch.id, "md");
    fs::write_atomic(&path, markdown(&page).as_bytes(), fs::PRIVATE, Sync::None).map_err(failed)?;
    forget_old(&app.home);
    Ok((path, page))
}

fn zone(app: &App) -> TimeZone {
    app.world.clock.zone()
}

/// Keeps the newest [`KEPT`].
fn forget_old(home: &Home) {
    let ids = ids(home);
    for id in ids.iter().take(ids.len().saturating_sub(KEPT)) {
        for kind in ["json", "md"] {
            // Ignored: one that stays is tried again after the next dispatch.
            fs::remove(&named(home, id, kind)).ok();
        }
    }
}
