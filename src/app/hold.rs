//! How a command gets at the queue: it asks the supervisor that holds it, or takes the lock, does the step itself and
//! leaves.

use std::{collections::BTreeSet, time::Duration};

use tokio::{sync::mpsc, time::Instant};

use super::{
    api::{ApiReply, ApiRequest},
    error::{AppError, Exit},
    notify,
    open::App,
    serve::Handle,
};
use crate::{
    adapters::control::{self, ControlError},
    domain::{id::TicketId, schedule::Slots},
    supervisor::event_loop::{Ending, Supervisor, Until},
};

/// How long a command waits for another command's lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How long a supervisor may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// How long it may take to take something away: a large worktree is kept and removed file by file.
const DISCARD_WAIT: Duration = Duration::from_secs(600);

/// How long a command that holds the lock itself waits for its effects: a delivery, the end of an agent.
const EFFECTS_WAIT: Duration = Duration::from_secs(120);

/// What a request came to.
#[derive(Debug)]
pub struct Met {
    /// The answer to each request, in order.
    pub replies: Vec<ApiReply>,
    /// True: a supervisor runs and goes on watching; false: this command did it itself, and nobody watches now.
    pub by_supervisor: bool,
    /// What was repaired when the books were opened.
    pub notices: Vec<String>,
}

/// Meets `requests`, one after the other.
///
/// # Errors
/// Nobody could be asked and the lock could not be had (exit 75), or the books cannot be read or written.
pub async fn meet(app: &App, requests: Vec<ApiRequest>) -> Result<Met, AppError> {
    let end = Instant::now() + LOCK_WAIT;
    loop {
        match ask_supervisor(app, &requests).await {
            Err(ControlError::Nobody(_)) => {}
            Err(error) => {
                return Err(AppError::new(error.to_string())
                    .exit(Exit::Locked)
                    .hint("look with autodo list whether it was done; try again if not"));
            }
            Ok(replies) => return Ok(Met { replies, by_supervisor: true, notices: vec![] }),
        }
        // The holder may be a supervisor that starts just now, or another command: try both ways in turn.
        match app.lock(Duration::from_millis(200)) {
            Ok(lock) => return by_oneself(app, requests, &lock).await,
            Err(error) if error.exit != Exit::Locked || Instant::now() >= end => return Err(error),
            Err(_) => {}
        }
    }
}

async fn ask_supervisor(app: &App, requests: &[ApiRequest]) -> Result<Vec<ApiReply>, ControlError> {
    let socket = app.home.supervisor_socket();
    let mut replies = Vec::new();
    for request in requests {
        let line = serde_json::to_string(request).map_err(|e| broken(&socket, &e))?;
        let wait = if matches!(request, ApiRequest::Discard { .. }) { DISCARD_WAIT } else { ANSWER_WAIT };
        let answer = control::call(&socket, &line, wait).await?;
        replies.push(serde_json::from_str(&answer).map_err(|e| broken(&socket, &e))?);
    }
    Ok(replies)
}

fn broken(socket: &std::path::Path, error: &serde_json::Error) -> ControlError {
    ControlError::Broken(socket.to_owned(), std::io::Error::other(error.to_string()))
}

async fn by_oneself(
    app: &App,
    requests: Vec<ApiRequest>,
    lock: &crate::adapters::store::Lock,
) -> Result<Met, AppError> {
    let (queue, notices) = app.queue(lock)?;
    let (calls, calls_rx) = mpsc::channel(16);
    let slots = Slots {
        parallel: 0,
        stagger_s: 0,
        last_start: None,
        only: None,
        starts_left: None,
        closed: true,
        held_back: BTreeSet::new(),
        logins_since: jiff::Timestamp::MIN,
    };
    let until = Until::Settled { tickets: BTreeSet::new(), at_most: Instant::now() + EFFECTS_WAIT };
    let supervisor = Supervisor::new(queue, app.world.clone(), slots, until, calls_rx);
    let handle = Handle { app: app.clone(), calls };
    let asked: Vec<TicketId> = requests
        .iter()
        .filter_map(|request| match request {
            ApiRequest::Ask { ticket, .. } => Some(ticket.clone()),
            _ => None,
        })
        .collect();
    let serve = async move {
        let mut replies = Vec::new();
        for request in requests {
            replies.push(handle.serve(request).await);
        }
        // The handle is dropped here: the loop ends once the effects are done.
        replies
    };
    let ((queue, ending), replies) = tokio::join!(supervisor.run(), serve);
    notify::enter_todo(app, queue.rows(), &asked);
    match ending {
        Ending::Done | Ending::Left => Ok(Met { replies, by_supervisor: false, notices }),
        Ending::Books(error) => Err(error.into()),
    }
}

/// True if a supervisor answers on its socket.
pub async fn supervisor_runs(app: &App) -> bool {
    ask_supervisor(app, &[ApiRequest::Ping]).await.is_ok()
}
