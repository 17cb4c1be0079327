//! What a long history costs: `list` and its neighbours beside an archive, written by the code that writes it in use.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use autodo::{
    adapters::{
        home::Home,
        store::{self, Books, Lock},
    },
    domain::{
        audit,
        check::{CheckResult, ChecksStatus, CommandEnd},
        entry::Entry,
        event::Event,
        id::TicketId,
        risk::RiskSummary,
        row::{Proof, Row, Source, Status},
        samples,
    },
    ports::store::Store,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Trouble,
    cost::median,
    latency::quantile,
    options::Options,
    room::{Room, run, timed},
    usage::resident_mb,
};

/// `list` may take so many milliseconds.
const LIST_MS: f64 = 10.0;
/// Steps after which the fixture is published, as a supervisor would from time to time.
const PUBLISHED_EVERY: u64 = 1000;

/// Milliseconds of one command.
pub struct Call {
    /// Words for it.
    pub what: String,
    /// Sorted.
    pub ms: Vec<f64>,
    /// The median may be so much.
    pub target: Option<f64>,
}

/// Measures all rows.
///
/// # Errors
/// The fixture could not be made, or a command failed.
pub fn measure(options: &Options) -> Result<Vec<Call>, Trouble> {
    let room = Room::new(options, &options.folder)?;
    room.make_repo(10, "version = 1\nprofile = \"bench\"\nchecks = []\n")?;
    let (open, archived, began) = (options.open, options.archived, Instant::now());
    fill(&room, open, archived)?;
    eprintln!("list: {open} open, {archived} archived, made in {:.0} s", began.elapsed().as_secs_f64());
    room.make_profile()?;
    let mut calls = Vec::new();
    let add = |what: &str, times: usize, target: Option<f64>, arguments: &dyn Fn(usize) -> Vec<String>| {
        let mut ms = Vec::new();
        for n in 0..times {
            let words = arguments(n);
            ms.push(timed(&mut room.autodo(&words.iter().map(String::as_str).collect::<Vec<_>>()))?);
        }
        ms.sort_by(f64::total_cmp);
        eprintln!("list: {what}: {:.1} ms", median(ms.clone()));
        Ok::<_, Trouble>(Call { what: what.to_owned(), ms, target })
    };
    let fixed = |words: &'static str| move |_: usize| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let few = (options.samples / 20).max(3);
    // As after a crash, or beside a copy: nothing is known of the archive but its files.
    for file in std::fs::read_dir(room.home().join("archive")).map_err(|why| why.to_string())? {
        let path = file.map_err(|why| why.to_string())?.path();
        if path.extension().is_some_and(|extension| extension == "index") {
            std::fs::remove_file(&path).map_err(|why| why.to_string())?;
        }
    }
    calls.push(add("tick, the indices lost", 1, None, &fixed("tick --for 1s"))?);
    calls.push(add("list", few * 4, Some(LIST_MS), &fixed("list"))?);
    calls.push(add("list --json", few, None, &fixed("list --json"))?);
    calls.push(add("list --all", 3, None, &fixed("list --all"))?);
    let old = format!("A-{}", options.archived / 2);
    calls.push(add("show an archived ticket", few, None, &|_| vec!["show".into(), old.clone()])?);
    calls.push(add("add", few, None, &|n| vec!["add".into(), "--id".into(), format!("N-{n}"), format!("New {n}")])?);
    calls.push(add("cancel", few, None, &|n| vec!["cancel".into(), format!("N-{n}")])?);
    calls.push(add("clean", few, None, &|n| vec!["clean".into(), format!("N-{n}")])?);
    calls.push(add("tick with nothing to do", few, None, &fixed("tick --for 1s"))?);
    calls.push(add("dispatch with nothing to do", few, None, &fixed("dispatch --no-intake"))?);
    let memory = memory(&room)?;
    eprintln!("list: a supervisor beside it has {memory:.1} MB");
    calls.push(Call { what: "MB of a supervisor".into(), ms: vec![memory], target: None });
    Ok(calls)
}

/// Memory of a supervisor that waits, in MB.
fn memory(room: &Room<'_>) -> Result<f64, Trouble> {
    room.make_ticket("M-1", "ready\nexpect-prompt\nstamp got\nhang\n")?;
    let mut supervisor = room.start(&["dispatch"])?;
    crate::room::wait("the agent to work", Duration::from_secs(120), || {
        room.stamp("M-1").is_some() || !supervisor.runs()
    })?;
    std::thread::sleep(Duration::from_secs(2));
    let resident = resident_mb(supervisor.pid());
    supervisor.interrupt()?;
    resident
}

/// Writes the books: through a home in memory, since each step is synced, and then by a copy.
fn fill(room: &Room<'_>, open: usize, archived: usize) -> Result<(), Trouble> {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { room.path("") };
    let scratch = tempfile::Builder::new().prefix("adb").tempdir_in(parent);
    let scratch = scratch.map_err(|why| format!("cannot make a folder: {why}"))?;
    let home = Home::open(&scratch.path().join("ad")).map_err(|why| why.to_string())?;
    write(&home, open, archived)?;
    // Ignored: it is not there yet.
    std::fs::remove_dir_all(room.home()).ok();
    run(room.command("cp", scratch.path()).arg("-a").arg(home.root()).arg(room.home()))?;
    run(&mut room.command("sync", scratch.path())).map(drop)
}

fn write(home: &Home, open: usize, archived: usize) -> Result<(), Trouble> {
    let said = |why: &dyn std::fmt::Display| why.to_string();
    let lock = Lock::acquire(home, Duration::ZERO).map_err(|why| said(&why))?;
    let (mut books, _) = store::open(home, &lock).map_err(|why| said(&why))?;
    let begun = Timestamp::now() - SignedDuration::from_hours(24 * 120);
    for n in 0..archived + open {
        let is_archived = n < archived;
        let id = if is_archived { format!("A-{n}") } else { format!("O-{}", n - archived) };
        let id = TicketId::parse(&id).map_err(|why| said(&why))?;
        let at = begun + SignedDuration::from_secs(i64::try_from(n * 100).unwrap_or(0));
        let status = if is_archived { Status::Landed } else { Status::NeedsReview };
        let row = ticket(&id, n, status, at);
        store::claim_id(home, &id).map_err(|why| said(&why))?;
        let step = |books: &mut Books, row: Option<Row>, event: Event| {
            let entry = Entry { seq: books.seq() + 1, at, ticket: id.clone(), event, effects: vec![], row };
            books.commit(&entry)?;
            books.audit(&id, &audit::line(&entry, None))
        };
        step(&mut books, Some(row.clone()), Event::Accepted { row: Box::new(row.clone()) })
            .map_err(|why| said(&why))?;
        if is_archived {
            books.archive(&row).map_err(|why| said(&why))?;
            step(&mut books, None, Event::Archived { by: "bench".into() }).map_err(|why| said(&why))?;
        }
        if books.seq() % PUBLISHED_EVERY == 0 {
            books.publish().map_err(|why| said(&why))?;
        }
    }
    books.publish().map_err(|why| said(&why))
}

/// A ticket as one is after its work.
fn ticket(id: &TicketId, n: usize, status: Status, at: Timestamp) -> Row {
    let check = |command: &str| CheckResult {
        command: command.to_owned(),
        end: CommandEnd::Exited { code: 0 },
        took_ms: 12_345,
        log: "runs/1/checks/1/0/log.txt".into(),
    };
    let ended = at + SignedDuration::from_mins(42);
    Row {
        title: format!("Ticket {n}, about as long as titles of tickets are"),
        labels: vec!["bench".into()],
        project: "p".into(),
        profile: "claude".into(),
        target: Some("main".into()),
        base: "8c7dd922ad47494fc02c388e12c00eac4b1ffdd6".into(),
        base_commit: Some("8c7dd922ad47494fc02c388e12c00eac4b1ffdd6".into()),
        source: Some(Source { path: format!("/src/repo/.autodo/tickets/{id}.md").into(), digest: "0f".repeat(32) }),
        status,
        created: at,
        changed: ended,
        started: Some(at),
        ended: Some(ended),
        worked_s: 42 * 60,
        run: 1,
        launch: 1,
        delivery: 1,
        check_round: 1,
        conversation: Some("4f7d3c1e-90ab-4cde-8f01-23456789abcd".into()),
        risk_summary: RiskSummary { low: 3, medium: 1, high: 0, blocked: 0 },
        flags: 1,
        proof: Some(Proof {
            verified: true,
            reason: None,
            checks_status: ChecksStatus::Green,
            checks: vec![check("cargo test"), check("cargo clippy --all-targets")],
            head: Some("ffac537e6cbbf934b08745a378932722df287a53".into()),
            commits: 3,
            dirty: 0,
            summary: Some("The parser takes both forms now; a test holds it. Nothing else was touched.".into()),
            no_change: None,
        }),
        ..samples::row(id.as_str())
    }
}

/// The table, and whether all targets are met.
pub fn table(calls: &[Call], options: &Options) -> (String, bool) {
    let mut text = format!(
        "Milliseconds of wall time, {} tickets open, {} archived.\n\n{:<28} | calls   median      max\n",
        options.open, options.archived, "command"
    );
    for call in calls {
        let (median, most) = (median(call.ms.clone()), quantile(&call.ms, 1.0));
        text.push_str(&format!("{:<28} | {:>5} {median:>8.1} {most:>8.1}\n", call.what, call.ms.len()));
    }
    text.push('\n');
    let mut all = true;
    for call in calls {
        let Some(target) = call.target else { continue };
        let is_met = median(call.ms.clone()) < target;
        all &= is_met;
        text.push_str(&crate::table::verdict(&format!("{}: median under {target} ms", call.what), is_met));
    }
    (text, all)
}
