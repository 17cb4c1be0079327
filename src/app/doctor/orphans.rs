//! What is ours and nobody's any more: a check each for sessions, processes and worktrees.

use super::{Check, run::Scene};
use crate::{
    adapters::store,
    app::{
        error::AppError,
        orphans::{self, Found, Orphan, Orphans},
    },
    domain::row::Row,
};

/// What lists them, and what it takes to be rid of them.
const CLEAN: &str = "autodo clean --orphans lists them; with --yes it takes away what is surely autodo's";
/// Orphans of one kind that are named; of more only how many.
const NAMED: usize = 5;

pub(super) async fn checks(scene: &Scene, rows: &[Row]) -> Vec<Check> {
    let places = orphans::places(&scene.git, &scene.home, rows, scene.project.as_ref()).await;
    let again = async || store::read_queue(&scene.home).map(|read| read.rows).map_err(AppError::from);
    let all = match orphans::find(&scene.home, &scene.git, &scene.tmux, &places, again).await {
        Ok(all) => all,
        Err(error) => return vec![Check::fail("sessions", error.message, error.hint)],
    };
    let sessions = match all.sessions {
        Some(kept) => format!("{kept} sessions of tickets"),
        None => "no tmux server of autodo runs".to_owned(),
    };
    let mut checks = vec![
        kind(scene, &all, "sessions", &["session"], &sessions),
        kind(scene, &all, "processes", &["processes"], "none is left over"),
    ];
    if !places.is_empty() {
        checks.push(kind(scene, &all, "strays", &["worktree", "folder"], "no worktree is without a ticket"));
    }
    checks
}

fn kind(scene: &Scene, all: &Orphans, name: &str, kinds: &[&str], well: &str) -> Check {
    if let Some(unseen) = all.unseen.iter().find(|unseen| kinds.contains(&unseen.kind)) {
        let fix = match name {
            "sessions" => format!("try: {}", scene.tmux.list_plain()),
            _ => "mend what it says, and look again".to_owned(),
        };
        return Check::warn(name, format!("could not be looked at: {}", unseen.why), fix);
    }
    let of: Vec<&Found> = all.found.iter().filter(|found| kinds.contains(&found.orphan.kind())).collect();
    // A folder may be anybody's: it is told of, and nobody is to do anything about it.
    let is_folder = |found: &&&Found| matches!(found.orphan, Orphan::Folder { .. });
    if of.is_empty() {
        return Check::ok(name, well);
    }
    let mut lines: Vec<String> = of
        .iter()
        .take(NAMED)
        .map(|found| match &found.left {
            Some(left) => format!("{} ({})", found.what, left.why),
            None => found.what.clone(),
        })
        .collect();
    if of.len() > NAMED {
        lines.push(format!("and {} more", of.len() - NAMED));
    }
    let detail = lines.join("\n");
    if of.iter().filter(is_folder).count() == of.len() {
        return Check::ok(name, detail);
    }
    match of.iter().find(|found| found.left.is_none()).or(of.first()).and_then(|found| found.left.as_ref()) {
        Some(left) => Check::warn(name, detail, left.by_hand.clone()),
        None => Check::warn(name, detail, CLEAN),
    }
}
