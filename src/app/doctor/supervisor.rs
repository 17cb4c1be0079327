//! What runs now: the supervisor, the books that it keeps, and what nobody keeps.

use std::time::Duration;

use super::{Check, orphans, run::Scene};
use crate::{
    adapters::{
        control::{self, ControlError},
        store::{self, Lock},
    },
    app::api::ApiRequest,
    domain::{
        observed::Observed,
        row::{Row, Status},
    },
};

/// Longest that a supervisor may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);

pub(super) async fn checks(scene: &Scene) -> Vec<Check> {
    let (books, rows) = books(scene);
    let supervisor = supervisor(scene, rows.as_deref()).await;
    let mut checks = vec![books, supervisor];
    if let Some(rows) = &rows {
        checks.extend(orphans::checks(scene, rows).await);
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
