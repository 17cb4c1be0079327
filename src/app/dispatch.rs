//! The long jobs: `dispatch`, which runs until there is nothing more to do, and `tick`, which does what is due.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
    time::Instant,
};

use super::{
    api::{ApiReply, ApiRequest},
    error::AppError,
    notify,
    open::App,
    serve::Handle,
};
use crate::{
    adapters::{
        control::{ControlListener, Exchange},
        fs::{self, Sync},
        home::Home,
        interrupt, machine, memory, process,
        store::Lock,
        wake::WakeListener,
    },
    domain::{
        admission::{Free, Least, Need, Young, admitted},
        id::TicketId,
        reconcile::has_agent,
        row::Row,
        schedule::Slots,
        usage::MicroUsd,
    },
    ports::store::Entry,
    supervisor::{
        event_loop::{Admission, Call, Ending, Look, Supervisor, Until},
        queue::{Observer, Queue},
    },
};

/// After so long no command is still under way that was begun with an older program.
const COPY_AGE: Duration = Duration::from_secs(24 * 3600);

/// After so long nobody says any more that nothing is started.
const SHORTAGE_AGE: Duration = Duration::from_secs(60);

/// How often memory that is free is given back.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(10);

/// What a supervisor is to do.
pub struct Job {
    /// When it ends.
    pub until: Goal,
    /// How many tickets at once.
    pub parallel: u32,
    /// Seconds between two starts.
    pub stagger_s: u64,
    /// Only these; `None`: all.
    pub only: Option<BTreeSet<TicketId>>,
    /// At most so many starts.
    pub max: Option<u32>,
    /// At most so much is spent.
    pub budget: Option<MicroUsd>,
    /// Sessions of blocked tickets that stay open, of those that can be resumed.
    pub keep_blocked: u32,
    /// No agent lives after this time.
    pub hard_stop: Option<Timestamp>,
    /// What must be free for each start.
    pub least: Least,
    /// Whether what earlier runs took counts for that.
    pub measured: bool,
    /// Nobody is there: tickets that want a person are not started.
    pub unattended: bool,
    /// An agent that has been found logged out since then is not started again.
    pub logins_since: Timestamp,
}

/// When a supervisor ends.
pub enum Goal {
    /// Nothing more to do; nothing is started after the deadline.
    Idle {
        /// The deadline.
        deadline: Option<Timestamp>,
    },
    /// Nothing is due; at most so long.
    Quiet {
        /// The longest time.
        at_most: Duration,
    },
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// There was nothing more to do.
    Done,
    /// It was told to leave, or its time was up.
    Left,
    /// A person interrupted it; agents go on.
    Interrupted,
}

/// Runs a supervisor over `queue`, which belongs to `lock`'s holder, and serves its socket. The first interrupt ends it
/// and leaves the agents running; the second does not wait for that.
///
/// # Errors
/// The sockets cannot be made, or the books cannot be written any more.
pub async fn supervise(
    app: &App,
    queue: Queue,
    job: Job,
    observers: Vec<Box<dyn Observer>>,
    _lock: &Lock,
) -> Result<(Queue, Ended), AppError> {
    memory::keep_small();
    let mut queue = queue;
    for observer in observers {
        queue.observe(observer);
    }
    queue.observe(Box::new(Shortage::new(app)));
    let (postman, reporter) = notify::begin(app, queue.rows())?;
    queue.observe(Box::new(reporter));
    if !queue.rows().values().any(has_agent) {
        let program = app.world.files.places().program();
        process::remove_old_copies(&app.home.bin_dir(), &program, COPY_AGE);
    }
    let (calls, calls_rx) = mpsc::channel(64);
    let until = match job.until {
        Goal::Idle { deadline } => Until::Idle { deadline },
        Goal::Quiet { at_most } => Until::Quiet { at_most: Instant::now() + at_most },
    };
    let slots = Slots {
        parallel: job.parallel,
        stagger_s: job.stagger_s,
        last_start: None,
        only: job.only,
        starts_left: job.max,
        closed: false,
        held_back: BTreeSet::new(),
        logins_since: job.logins_since,
    };
    app.tmux.hold_control();
    let supervisor = Supervisor::new(queue, app.world.clone(), slots, until, calls_rx)
        .keeping_blocked(job.keep_blocked)
        .spending_at_most(job.budget)
        .through_a_night(job.hard_stop, job.unattended)
        .admitting(Admission { least: job.least, measured: job.measured, look: looks(app) });
    let socket = |error: &dyn std::fmt::Display| {
        AppError::new(format!("cannot listen in {}: {error}", app.home.runtime().display()))
            .hint("autodo doctor looks at the folder")
    };
    let control = ControlListener::bind(&app.home.supervisor_socket()).map_err(|e| socket(&e))?;
    let wake = WakeListener::bind(&app.home.wake_socket()).map_err(|e| socket(&e))?;
    let signals = Signals::new().map_err(|e| socket(&e))?;
    interrupt::second_is_immediate().map_err(|e| socket(&e))?;
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(serve_socket(control, Handle { app: app.clone(), calls: calls.clone() }));
    tasks.spawn(pass_wakes(wake, calls.clone()));
    tasks.spawn(give_back_memory());
    let interrupted = tasks.spawn(wait_for_signal(signals, calls));
    let (queue, ending) = supervisor.run().await;
    let was_interrupted = interrupted.is_finished();
    tasks.shutdown().await;
    postman.finish(notify::GRACE).await;
    match ending {
        Ending::Books(error) => Err(error.into()),
        Ending::Left if was_interrupted => Ok((queue, Ended::Interrupted)),
        Ending::Left => Ok((queue, Ended::Left)),
        Ending::Done => Ok((queue, Ended::Done)),
    }
}

/// How the free memory and disk space are looked at.
fn looks(app: &App) -> Look {
    let home = app.home.root().to_owned();
    Arc::new(move |folders| {
        let free = |folder: &Path| machine::disk(&fs::nearest_folder(folder)).present().map(|disk| disk.free_mb);
        let disk_mb = folders.iter().copied().chain([home.as_path()]).filter_map(free).min();
        Free { memory_mb: machine::free_memory_mb(), disk_mb }
    })
}

/// Why nothing could be started now; `None`: there is room.
#[must_use]
pub fn no_room(app: &App, least: Least) -> Option<String> {
    admitted(&[Need::of(least, None, true)], Young::default(), looks(app)(&[]), least).1
}

/// Keeps in a file that nothing is started for now, and why, for `list`; [`shortage`] reads it.
struct Shortage(PathBuf);

impl Shortage {
    fn new(app: &App) -> Self {
        let file = Self(app.home.shortage());
        file.put(None);
        file
    }

    fn put(&self, why: Option<&str>) {
        // Ignored: it is for people only, and whoever cannot read it sees that nothing starts.
        match why {
            Some(why) => fs::write_atomic(&self.0, why.as_bytes(), 0o600, Sync::None).ok(),
            None => fs::remove(&self.0).map(drop).ok(),
        };
    }
}

impl Observer for Shortage {
    fn committed(&mut self, _entry: &Entry, _before: Option<&Row>) {}

    fn waits(&mut self, why: Option<&str>, _is_news: bool) {
        self.put(why);
    }
}

impl Drop for Shortage {
    fn drop(&mut self) {
        self.put(None);
    }
}

/// Why a supervisor starts nothing for now; it says so anew every ten seconds. `None`: nothing is known of that.
#[must_use]
pub fn shortage(home: &Home) -> Option<String> {
    let file = home.shortage();
    let is_fresh = fs::age(&file).is_some_and(|age| age < SHORTAGE_AGE);
    fs::look_text(&file).present().filter(|_| is_fresh)
}

/// The signals that end a supervisor.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None`: it was started to live on without its terminal.
    hangup: Option<Signal>,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: if interrupt::outlives_terminal() { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    async fn any(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hangup => {}
        }
    }
}

async fn wait_for_signal(mut signals: Signals, calls: mpsc::Sender<Call>) {
    signals.any().await;
    // Ignored: the loop has ended already.
    calls.send(Call::Leave).await.ok();
}

async fn give_back_memory() {
    let mut moments = tokio::time::interval(GIVE_BACK_EVERY);
    loop {
        moments.tick().await;
        memory::give_back();
    }
}

async fn pass_wakes(mut wake: WakeListener, calls: mpsc::Sender<Call>) {
    loop {
        wake.woken().await;
        if calls.send(Call::Wake).await.is_err() {
            return;
        }
    }
}

async fn serve_socket(listener: ControlListener, handle: Handle) {
    let mut exchanges = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(stream) => {
                    let handle = handle.clone();
                    exchanges.spawn(async move {
                        let Ok(exchange) = Exchange::read(stream).await else { return };
                        let reply = match serde_json::from_str::<ApiRequest>(&exchange.request) {
                            Ok(request) => handle.serve(request).await,
                            Err(error) => ApiReply::Failed {
                                why: format!("the request was not understood: {error}"),
                                hint: "the supervisor is of another version: let it end, then dispatch again".into(),
                            },
                        };
                        let line = serde_json::to_string(&reply).unwrap_or_default();
                        // Ignored: whoever asked has gone; what was committed stands.
                        exchange.answer(&line).await.ok();
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = exchanges.join_next(), if !exchanges.is_empty() => {}
        }
    }
}
