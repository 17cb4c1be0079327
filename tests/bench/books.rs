//! Follows the books of a running supervisor: when a status was in the journal, and when in `queue.toml`.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::Trouble;

/// Between two looks.
const EVERY: Duration = Duration::from_micros(500);

/// One step of a ticket.
#[derive(Clone, Debug)]
pub struct Step {
    /// The ticket.
    pub ticket: String,
    /// Its status after the step.
    pub status: String,
    /// When its line was in the journal, in seconds since the epoch.
    pub journal: f64,
    /// When `queue.toml` reflected it; the journal is synced before that file is written.
    pub queue: f64,
}

/// Follows in a thread of its own.
pub struct Follower {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Step>, Trouble>>,
}

impl Follower {
    /// Begins behind what the journal in `home` holds now.
    ///
    /// # Errors
    /// There is no journal.
    pub fn begin(home: &Path) -> Result<Self, Trouble> {
        let path = home.join("journal.jsonl");
        let journal = File::open(&path).map_err(|why| format!("{}: {why}", path.display()))?;
        let at = journal.metadata().map_err(|why| format!("{}: {why}", path.display()))?.len();
        let stop = Arc::new(AtomicBool::new(false));
        let (told, queue) = (stop.clone(), home.join("queue.toml"));
        let thread = std::thread::spawn(move || follow(&journal, at, &queue, &told));
        Ok(Self { stop, thread })
    }

    /// Ends it; all steps since its beginning.
    ///
    /// # Errors
    /// The books could not be read.
    pub fn end(self) -> Result<Vec<Step>, Trouble> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| "the follower of the journal failed".to_owned())?
    }
}

/// Seconds since the epoch.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn follow(journal: &File, mut at: u64, queue: &PathBuf, stop: &AtomicBool) -> Result<Vec<Step>, Trouble> {
    let mut steps = Vec::new();
    let mut waiting: BTreeMap<u64, Step> = BTreeMap::new();
    let mut rest: Vec<u8> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(EVERY);
        let length = journal.metadata().map_err(|why| format!("journal: {why}"))?.len();
        if length > at {
            let mut bytes = vec![0; usize::try_from(length - at).unwrap_or(0)];
            journal.read_exact_at(&mut bytes, at).map_err(|why| format!("journal: {why}"))?;
            let seen = now();
            at = length;
            rest.extend(bytes);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                waiting.extend(step(&line, seen));
            }
        }
        if !waiting.is_empty()
            && let Some(seq) = seq_of(queue)
        {
            let seen = now();
            let later = waiting.split_off(&(seq + 1));
            steps.extend(std::mem::replace(&mut waiting, later).into_values().map(|step| Step { queue: seen, ..step }));
        }
    }
    Ok(steps)
}

/// Number and step of a line; `None` for those that are no step of a ticket.
fn step(line: &[u8], seen: f64) -> Option<(u64, Step)> {
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    let ticket = text(&value["ticket"])?;
    let status = text(&value["row"]["status"])?;
    Some((value["seq"].as_u64()?, Step { ticket, status, journal: seen, queue: f64::NAN }))
}

/// The step that `queue.toml` reflects.
fn seq_of(queue: &PathBuf) -> Option<u64> {
    // Its number stands in the first lines.
    let mut head = Vec::new();
    File::open(queue).ok()?.take(400).read_to_end(&mut head).ok()?;
    String::from_utf8_lossy(&head).lines().find_map(|line| line.strip_prefix("seq = "))?.parse().ok()
}
