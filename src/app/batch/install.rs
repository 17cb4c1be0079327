//! What is installed for a project: by which means, what would keep it from its work, and its coming and going.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    cron,
    plan::{Note, Plan},
    systemd,
};
use crate::{
    adapters::{fs, machine, process::find_program},
    app::{App, AppError},
    domain::observed::Observed,
    format::{time, window::Hours},
};

/// What fires a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The user's crontab.
    Cron,
    /// Units of the user's systemd.
    Systemd,
}

impl Kind {
    /// The word for people and programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::Systemd => "systemd",
        }
    }
}

/// A batch as it is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// What fires it.
    pub kind: Kind,
    /// The project's folder.
    pub project: String,
    /// Its hours and program, as they stand in its note; `None`: somebody edited that.
    pub note: Option<Note>,
    /// What is run, as a shell would; for systemd the timer's name.
    pub command: String,
}

impl Batch {
    /// When it fires next; `None`: its note cannot be read.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        time::clock(&self.note.as_ref()?.at, now, &TimeZone::system()).ok()
    }
}

/// All installed batches, and what could not be looked at.
pub async fn installed() -> (Vec<Batch>, Vec<AppError>) {
    let mut errors = Vec::new();
    let mut all = Vec::new();
    if find_program("crontab") != Observed::Absent {
        match cron::installed().await {
            Ok(found) => all.extend(found),
            Err(error) => errors.push(error),
        }
    }
    match systemd::installed() {
        Ok(found) => all.extend(found),
        Err(error) => errors.push(error),
    }
    (all, errors)
}

/// What would keep `batch` from firing, or from doing its work, as far as it can be seen.
pub async fn troubles(batch: &Batch) -> Vec<String> {
    let mut all = Vec::new();
    match &batch.note {
        None => all.push("its note was edited: install it again".to_owned()),
        Some(note) => {
            if find_program(&note.program) == Observed::Absent {
                all.push(format!("there is no program {} any more: install it again", note.program));
            }
            if Hours::parse(("at", &note.at), &note.until, note.hard_stop.as_deref()).is_err() {
                all.push("its hours cannot be read: install it again".to_owned());
            }
        }
    }
    if fs::look_kind(std::path::Path::new(&batch.project)).is_absent() {
        all.push(format!("there is no folder {} any more", batch.project));
    }
    all.extend(match batch.kind {
        Kind::Cron => daemon().into_iter().collect(),
        Kind::Systemd => systemd::troubles(batch).await,
    });
    all
}

/// Says that no cron runs, where that can be seen.
fn daemon() -> Option<String> {
    let names = ["cron", "crond", "fcron", "busybox"];
    (machine::runs_any(&names) == Observed::Absent)
        .then(|| "no cron runs on this machine that could be seen".to_owned())
}

/// What would fire a batch here where nobody says: cron where it runs, else systemd.
///
/// # Errors
/// There is neither.
pub async fn usual_kind() -> Result<Kind, AppError> {
    let has_crontab = matches!(find_program("crontab"), Observed::Present(_));
    if has_crontab && daemon().is_none() {
        return Ok(Kind::Cron);
    }
    match systemd::answers().await {
        Ok(()) => Ok(Kind::Systemd),
        Err(_) if has_crontab => Ok(Kind::Cron),
        Err(why) => Err(AppError::new(format!("nothing here could fire a batch: there is no crontab, and {why}"))
            .hint("install cron; or have whatever you have run what autodo batch install --cron --dry-run prints")),
    }
}

/// Installs a batch in the place of any other of its project. Returns what should be known.
///
/// # Errors
/// The crontab or the units cannot be written; nothing, or only the other kind, was changed.
pub async fn install(app: &App, plan: &Plan, kind: Kind) -> Result<Vec<String>, AppError> {
    let mut notes = Vec::new();
    match kind {
        Kind::Cron => {
            cron::install(plan).await?;
            if systemd::remove(&plan.project).await? {
                notes.push("the units of systemd that fired this project's batch were removed".to_owned());
            }
            notes.extend(daemon());
            notes.push("cron mails what it prints to you, or to MAILTO, where the machine can send mail".to_owned());
        }
        Kind::Systemd => {
            systemd::install(plan).await?;
            if find_program("crontab") != Observed::Absent && cron::remove(&plan.project).await? {
                notes.push("the block of the crontab that fired this project's batch was removed".to_owned());
            }
            notes.extend(systemd::lingering(&app.user()).await);
            notes.push(format!("what it prints: journalctl --user -u {}", plan.unit()));
        }
    }
    Ok(notes)
}

/// Removes the batch of `project`, whatever fires it; says what was there.
///
/// # Errors
/// The crontab or the units cannot be read or written.
pub async fn remove(project: &str) -> Result<Vec<Kind>, AppError> {
    let mut gone = Vec::new();
    if find_program("crontab") != Observed::Absent && cron::remove(project).await? {
        gone.push(Kind::Cron);
    }
    if systemd::remove(project).await? {
        gone.push(Kind::Systemd);
    }
    Ok(gone)
}

/// The texts that [`install`] would write, for people.
#[must_use]
pub fn shown(plan: &Plan, kind: Kind) -> Vec<String> {
    match kind {
        Kind::Cron => plan.crontab(),
        Kind::Systemd => {
            let units = plan.units();
            let heading = |name: &str| format!("# {name}");
            units
                .iter()
                .flat_map(|(name, text)| [heading(name)].into_iter().chain(text.lines().map(str::to_owned)))
                .collect()
        }
    }
}
