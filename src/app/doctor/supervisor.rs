//! What runs now: the supervisor, the books that it keeps, and sessions that nobody keeps.

use std::time::Duration;

use super::{Check, run::Scene};
use crate::{
    adapters::{
        control::{self, ControlError},
        fs,
        store::{self, Lock},
    },
    app::api::ApiRequest,
    domain::{
        observed::Observed,
        row::{Row, Status},
    },
    ports::terminal::{PaneSeen, Terminal},
};

/// Longest that a supervisor may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// The session that keeps the server company.
const ANCHOR: &str = "_autodo";

pub(super) async fn checks(scene: &Scene) -> Vec<Check> {
    let (books, rows) = books(scene);
    let supervisor = supervisor(scene, rows.as_deref()).await;
    let mut checks = vec![books, supervisor];
    if let Some(rows) = &rows {
        checks.push(sessions(scene, rows).await);
    }
    checks
}

/// The queue, read without the lock; no rows where it cannot be.
fn books(scene: &Scene) -> (Check, Option<Vec<Row>>) {
    let name = "queue";
    match store::read_queue(&scene.home) {
        Ok(read) => {
            let open = read.rows.len();
            let check = match read.notices.as_slice() {
                [] => Check::ok(name, format!("{open} tickets")),
                some => Check::warn(
                    name,
                    some.join("; "),
                    "the next command that changes something repairs it, and says so",
                ),
            };
            (check, Some(read.rows))
        }
        Err(error) => {
            let fix = error.hint.clone();
            (Check::fail(name, error.to_string(), fix), None)
        }
    }
}

async fn supervisor(scene: &Scene, rows: Option<&[Row]>) -> Check {
    let name = "supervisor";
    let socket = scene.home.supervisor_socket();
    let ping = serde_json::to_string(&ApiRequest::Ping).unwrap_or_default();
    match control::call(&socket, &ping, ANSWER_WAIT).await {
        Ok(_) => return Check::ok(name, format!("runs: {}", Lock::holder(&scene.home))),
        Err(ControlError::Nobody(_)) => {}
        Err(why) => {
            let fix = "look at that process; what is in the queue is safe";
            return Check::fail(name, format!("{why}; the lock says: {}", Lock::holder(&scene.home)), fix);
        }
    }
    match Lock::is_held(&scene.home) {
        Observed::Present(true) => {
            let detail = format!("the lock is held by {}, which takes no requests now", Lock::holder(&scene.home));
            return Check::warn(name, detail, "look again in a moment: a command may be at work");
        }
        Observed::Unknown(why) => return Check::warn(name, why, "mend the permissions of the home"),
        Observed::Present(false) | Observed::Absent => {}
    }
    let running = rows.unwrap_or_default().iter().filter(|row| matches!(row.status, Status::Running(_))).count();
    match running {
        0 => Check::ok(name, "does not run, and nothing waits for it"),
        some => Check::warn(
            name,
            format!("does not run, and nobody watches {some} running tickets"),
            "autodo dispatch --detach, or autodo tick from cron",
        ),
    }
}

/// Sessions on autodo's own server that belong to no ticket of the queue.
async fn sessions(scene: &Scene, rows: &[Row]) -> Check {
    let name = "sessions";
    if !matches!(fs::look_kind(&scene.home.tmux_socket()), Observed::Present(_)) {
        return Check::ok(name, "no tmux server of autodo runs");
    }
    let panes = match scene.tmux.panes().await {
        Observed::Present(panes) => panes,
        Observed::Absent => return Check::ok(name, "no tmux server of autodo runs"),
        Observed::Unknown(why) => {
            return Check::warn(name, why, format!("try: {}", scene.tmux.list_plain()));
        }
    };
    let is_kept = |ticket: &str| rows.iter().any(|row| row.id.as_str() == ticket);
    let mut left: Vec<&PaneSeen> = panes
        .iter()
        .filter(|pane| pane.session != ANCHOR)
        .filter(|pane| pane.tag.as_ref().is_none_or(|tag| !is_kept(tag.ticket.as_str())))
        .collect();
    left.sort_by_key(|pane| &pane.session);
    left.dedup_by_key(|pane| &pane.session);
    let kept = panes.iter().filter(|pane| pane.session != ANCHOR).count().saturating_sub(left.len());
    match left.as_slice() {
        [] => Check::ok(name, format!("{kept} sessions of tickets")),
        some @ [first, ..] => {
            let end = format!("look at it, then end it: {}", scene.tmux.end_plain(&first.session, &first.pane));
            let names: Vec<&str> = some.iter().map(|pane| pane.session.as_str()).collect();
            Check::warn(name, format!("sessions without a ticket: {}", names.join(", ")), end)
        }
    }
}
