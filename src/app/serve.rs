//! Meets requests, where the queue is held: in the supervisor for those that come over its socket, and in a command
//! that took the lock itself.

use tokio::sync::{mpsc, oneshot};

use super::{
    api::{Acceptance, ApiReply, ApiRequest, NewTicket},
    error::AppError,
    open::App,
    orphans::{self, Orphan},
};
use crate::{
    adapters::{
        fs::{self, Sync},
        store::{self, Claim},
    },
    agent::sanitize,
    domain::{
        event::{Event, Request, Retry},
        id::TicketId,
        row::{Row, Status},
        run::NextRun,
        ticket::Ticket,
    },
    format::accepted,
    supervisor::{
        event_loop::Call,
        queue::{Queue, TakeError},
    },
};

/// Bytes of an answer that are kept in the journal; the whole of it goes to the agent from its file.
const ANSWER_IN_JOURNAL: usize = 2_000;

/// The way to the event loop.
#[derive(Clone)]
pub struct Handle {
    /// The app whose queue it is.
    pub app: App,
    /// The loop's calls.
    pub calls: mpsc::Sender<Call>,
}

/// What to do where the home's files fail.
const HOME: &str = "autodo doctor looks at the home";

fn gone() -> ApiReply {
    ApiReply::Failed { why: "the supervisor is ending".into(), hint: "try again".into() }
}

fn reply_of(result: Result<bool, TakeError>) -> ApiReply {
    match result {
        Ok(changed) => ApiReply::Done { changed },
        Err(TakeError::Refused(refusal)) => ApiReply::Refused { why: refusal.why, hint: refusal.hint },
        Err(TakeError::NoTicket(id)) => ApiReply::Refused {
            why: format!("there is no ticket {id} in the queue"),
            hint: "autodo list shows them; autodo list --all also those that are archived".into(),
        },
        Err(TakeError::Store(error)) => ApiReply::Failed { why: error.to_string(), hint: error.hint },
        Err(TakeError::Ticket(why)) => ApiReply::Failed { why, hint: HOME.into() },
    }
}

impl Handle {
    /// Meets one request.
    pub async fn serve(&self, request: ApiRequest) -> ApiReply {
        match request {
            ApiRequest::Ping => ApiReply::Done { changed: false },
            ApiRequest::Drain => match self.calls.send(Call::Drain).await {
                Ok(()) => ApiReply::Done { changed: true },
                Err(_) => gone(),
            },
            ApiRequest::Ask { ticket, by, request, text, refresh } => {
                if let Some(new) = refresh
                    && let Err(reply) = self.refresh(&ticket, &new).await
                {
                    return reply;
                }
                self.ask(ticket, by, request, text).await
            }
            ApiRequest::Accept { tickets, again, start } => self.accept(tickets, again, start).await,
            ApiRequest::Discard { orphan } => self.discard(&orphan).await,
            ApiRequest::Archive { ticket, by } => {
                let (reply, answer) = oneshot::channel();
                let event = Event::Archived { by };
                if self.calls.send(Call::Archive { ticket, event, reply }).await.is_err() {
                    return gone();
                }
                answer.await.map_or_else(|_| gone(), reply_of)
            }
        }
    }

    async fn discard(&self, orphan: &Orphan) -> ApiReply {
        let _none_comes = self.app.accepting.lock().await;
        let ending = || AppError::new("the supervisor is ending").hint("try again");
        let rows = async || {
            let read = self.with(|queue| queue.rows().values().cloned().collect::<Vec<Row>>()).await;
            read.ok_or_else(ending)
        };
        match orphans::remove(&self.app, orphan, rows).await {
            Ok(gone) => ApiReply::Discarded { gone },
            Err(error) => ApiReply::Refused { why: error.message, hint: error.hint },
        }
    }

    /// Runs `act` with the queue between two steps.
    async fn with<T: Send + 'static>(&self, act: impl FnOnce(&mut Queue) -> T + Send + 'static) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        // Ignored: whoever asked is this very function.
        let call = Call::With(Box::new(move |queue| {
            reply.send(act(queue)).ok();
        }));
        self.calls.send(call).await.ok()?;
        answer.await.ok()
    }

    async fn ask(&self, ticket: TicketId, by: String, request: Request, text: Option<String>) -> ApiReply {
        let mut request = request;
        if let Some(text) = &text {
            let safe = sanitize::without_controls(text);
            if safe.trim().is_empty() {
                return ApiReply::Refused {
                    why: "there is no text to send".into(),
                    hint: "give it as an argument, or on standard input with -".into(),
                };
            }
            match &mut request {
                Request::Answer { text: short } => {
                    *short = safe.chars().take(ANSWER_IN_JOURNAL).collect();
                }
                Request::Send { bytes } => *bytes = text.len() as u64,
                _ => {}
            }
        }
        let (reply, answer) = oneshot::channel();
        if self.calls.send(Call::Ask { ticket, by, request, text, reply }).await.is_err() {
            return gone();
        }
        answer.await.map_or_else(|_| gone(), reply_of)
    }

    /// Freezes checks and settings of a ticket anew.
    async fn refresh(&self, id: &TicketId, new: &NewTicket) -> Result<(), ApiReply> {
        let failed = |why: String| ApiReply::Failed { why, hint: HOME.into() };
        let (ticket, _) = self.app.world.files.accepted(id).map_err(failed)?;
        let (_, frozen) = accepted::parse(&new.accepted).map_err(|e| failed(e.to_string()))?;
        let text = accepted::render(&ticket, &frozen).map_err(|e| failed(e.to_string()))?;
        self.write_ticket(id, &text).map_err(failed)?;
        let id = id.clone();
        self.with(move |queue| queue.forget(&id)).await.ok_or_else(gone)
    }

    fn write_ticket(&self, id: &TicketId, text: &str) -> Result<(), String> {
        let path = self.app.home.ticket_md(id);
        fs::create_dir_private(&self.app.home.ticket(id)).map_err(|e| e.to_string())?;
        fs::write_atomic(&path, text.as_bytes(), 0o600, Sync::Full).map_err(|e| e.to_string())
    }

    async fn accept(&self, tickets: Vec<NewTicket>, again: bool, start: bool) -> ApiReply {
        let _one = self.app.accepting.lock().await;
        let mut done = Vec::new();
        // An id that had to be changed is changed in the dependencies of what follows, too.
        let mut renamed: Vec<(TicketId, TicketId)> = Vec::new();
        for new in tickets {
            let (ticket, frozen) = match accepted::parse(&new.accepted) {
                Ok(parsed) => parsed,
                Err(error) => return ApiReply::Failed { why: error.to_string(), hint: HOME.into() },
            };
            let mut ticket = ticket;
            for (old, fresh) in &renamed {
                for after in ticket.after.iter_mut().filter(|after| *after == old) {
                    *after = fresh.clone();
                }
            }
            let asked = ticket.id.clone();
            let acceptance = match self.accept_one(&new, ticket, &frozen, again).await {
                Ok(acceptance) => acceptance,
                Err(reply) => return reply,
            };
            if *acceptance.id() != asked {
                renamed.push((asked, acceptance.id().clone()));
            }
            done.push(acceptance);
        }
        if start {
            let admitted = super::api::open_ids(&done);
            // Ignored: a loop that ends starts nothing.
            self.calls.send(Call::Admit(admitted)).await.ok();
        }
        ApiReply::Accepted { tickets: done }
    }

    async fn accept_one(
        &self,
        new: &NewTicket,
        mut ticket: Ticket,
        frozen: &crate::domain::ticket::Frozen,
        again: bool,
    ) -> Result<Acceptance, ApiReply> {
        let failed = |why: String| ApiReply::Failed { why, hint: HOME.into() };
        let base_id = ticket.id.clone();
        for attempt in 1..=100_u32 {
            let folded = ticket.id.folded();
            let known = self
                .with(move |queue| queue.rows().values().find(|row| row.id.folded() == folded).cloned())
                .await
                .ok_or_else(gone)?;
            match known {
                Some(row) if row.repo == new.repo && row.id == ticket.id && !new.id_is_generated => {
                    return self.known(new, &row, ticket, frozen, again).await;
                }
                Some(row) if row.repo == new.repo && !new.id_is_generated => {
                    return Ok(Acceptance::Refused {
                        why: format!("the id {} differs from {} only in case", ticket.id, row.id),
                        id: ticket.id,
                        hint: "give it another id".into(),
                    });
                }
                Some(_) => {}
                None => match store::claim_id(&self.app.home, &ticket.id).map_err(|e| failed(e.to_string()))? {
                    Claim::Made => return self.queue_new(new, ticket, frozen, None).await,
                    // Not in the queue, but claimed: archived, or left by an acceptance that came to nothing.
                    Claim::Held(_) => match self.archived(&ticket.id)? {
                        None => return self.queue_new(new, ticket, frozen, None).await,
                        Some(row) if row.repo == new.repo && !new.id_is_generated => {
                            if again {
                                return self.queue_new(new, ticket, frozen, Some(&row)).await;
                            }
                            let status = format!("archived, {}", row.status.word());
                            return Ok(Acceptance::Finished { id: ticket.id, status });
                        }
                        Some(_) => {}
                    },
                },
            }
            ticket.id = next_id(&base_id, &new.project, new.id_is_generated, attempt)
                .ok_or_else(|| failed(format!("no free id could be made of {base_id}")))?;
        }
        Err(failed(format!("no free id could be made of {base_id}")))
    }

    fn archived(&self, id: &TicketId) -> Result<Option<Row>, ApiReply> {
        let is_it = |other: &str| other.eq_ignore_ascii_case(id.as_str());
        let (rows, _) = store::read_archived(&self.app.home, is_it)
            .map_err(|e| ApiReply::Failed { why: e.to_string(), hint: e.hint })?;
        Ok(rows.into_iter().max_by_key(|row| row.run))
    }

    async fn queue_new(
        &self,
        new: &NewTicket,
        ticket: Ticket,
        frozen: &crate::domain::ticket::Frozen,
        earlier: Option<&Row>,
    ) -> Result<Acceptance, ApiReply> {
        let failed = |why: String| ApiReply::Failed { why, hint: HOME.into() };
        let text = accepted::render(&ticket, frozen).map_err(|e| failed(e.to_string()))?;
        self.write_ticket(&ticket.id, &text).map_err(failed)?;
        let mut row = first_row(new, &ticket, self.app.world.clock.now());
        if let Some(earlier) = earlier {
            // Its folder has the runs of its earlier life: they are not run again, and what they kept is not believed.
            row.run = earlier.run;
            row.epoch = earlier.epoch + 1;
        }
        let id = ticket.id.clone();
        self.take(&id, Event::Accepted { row: Box::new(row) }).await?;
        Ok(Acceptance::Queued { id })
    }

    async fn known(
        &self,
        new: &NewTicket,
        row: &Row,
        ticket: Ticket,
        frozen: &crate::domain::ticket::Frozen,
        again: bool,
    ) -> Result<Acceptance, ApiReply> {
        let failed = |why: String| ApiReply::Failed { why, hint: HOME.into() };
        let id = row.id.clone();
        let status = row.status.word().to_owned();
        match &row.status {
            Status::Queued { .. } => {
                let edited = match (&row.source, &new.source) {
                    (Some(old), Some(now)) => old.digest != now.digest,
                    _ => false,
                };
                if !edited {
                    return Ok(Acceptance::Open { id, status });
                }
                let text = accepted::render(&ticket, frozen).map_err(|e| failed(e.to_string()))?;
                self.write_ticket(&id, &text).map_err(failed)?;
                let mut fresh = row.clone();
                let first = first_row(new, &ticket, row.created);
                fresh.title = first.title;
                fresh.priority = first.priority;
                fresh.after = first.after;
                fresh.profile = first.profile;
                fresh.labels = first.labels;
                fresh.source = first.source;
                self.take(&id, Event::Updated { row: Box::new(fresh) }).await?;
                Ok(Acceptance::Updated { id })
            }
            Status::Reviewed { .. } | Status::Landed | Status::Cancelled { .. } if again => {
                let request = Request::Retry { how: Retry::Again };
                self.take(&id, Event::Asked { by: new.by.clone(), request }).await?;
                Ok(Acceptance::Queued { id })
            }
            Status::Reviewed { .. } | Status::Landed | Status::Cancelled { .. } => {
                Ok(Acceptance::Finished { id, status })
            }
            Status::Running(_)
            | Status::Parked(_)
            | Status::Blocked(_)
            | Status::NeedsReview
            | Status::Failed { .. } => Ok(Acceptance::Open { id, status }),
        }
    }

    async fn take(&self, id: &TicketId, event: Event) -> Result<(), ApiReply> {
        let (reply, answer) = oneshot::channel();
        let call = Call::Take { ticket: id.clone(), event, reply };
        self.calls.send(call).await.map_err(|_| gone())?;
        match answer.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(reply_of(Err(error))),
            Err(_) => Err(gone()),
        }
    }
}

/// The id that is tried after `attempt` others: `x-2`, `x-3` for generated ones, else `<project>-x`, `<project>-x-2`.
fn next_id(base: &TicketId, project: &str, is_generated: bool, attempt: u32) -> Option<TicketId> {
    let slug: String = project.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let slug = slug.trim_matches('-');
    let text = match (is_generated, attempt) {
        (true, n) => format!("{base}-{}", n + 1),
        (false, 1) => format!("{slug}-{base}"),
        (false, n) => format!("{slug}-{base}-{n}"),
    };
    TicketId::parse(&text).ok()
}

/// The row of a ticket that has just been accepted.
#[must_use]
pub fn first_row(new: &NewTicket, ticket: &Ticket, now: jiff::Timestamp) -> Row {
    Row {
        id: ticket.id.clone(),
        title: ticket.title.clone(),
        priority: ticket.priority,
        after: ticket.after.clone(),
        profile: new.profile.clone(),
        labels: ticket.labels.clone(),
        project: new.project.clone(),
        repo: new.repo.clone(),
        target: new.target.clone(),
        base: new.base.clone(),
        base_commit: None,
        stacked_on: vec![],
        worktree: new.worktree_root.join(ticket.id.as_str()),
        source: new.source.clone(),
        launched_by: new.by.clone(),
        launched_from: new.from.clone(),
        created: now,
        started: None,
        ended: None,
        changed: now,
        worked_s: 0,
        run: 0,
        launch: 0,
        check_round: 0,
        delivery: 0,
        key: None,
        crashes: 0,
        losses: 0,
        limited_until: None,
        limit_waived: None,
        epoch: 0,
        conversation: None,
        record: None,
        usage: vec![],
        pane: None,
        proof: None,
        risk_summary: crate::domain::risk::RiskSummary::default(),
        flags: 0,
        risk_sources: vec![],
        tier_set: None,
        stale_base: None,
        stale_accepted: None,
        status: Status::Queued { not_before: None, next: NextRun::Ticket },
    }
}
