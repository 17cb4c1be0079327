//! Time from what an agent does until its new status is in the books.

use std::time::{Duration, Instant};

use crate::{
    Trouble,
    books::{Follower, Step},
    options::Options,
    stage::{Stage, id},
};

/// Longest time for all moments of a row.
const PATIENCE: Duration = Duration::from_secs(600);

/// With more panes only costs are measured.
const MOST_PANES: usize = 100;

/// How an agent says that it is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `autodo report blocked`; from the start of that program.
    Report,
    /// A question on its screen and nothing else; from when it stands there.
    Screen,
}

/// One row: milliseconds, sorted.
pub struct Latencies {
    /// Panes watched.
    pub panes: usize,
    /// How the agents say it.
    pub way: Way,
    /// Until the line was in the journal.
    pub journal: Vec<f64>,
    /// Until `queue.toml` showed it.
    pub queue: Vec<f64>,
    /// Moments of which nothing was seen.
    pub missed: usize,
}

/// Measures all rows.
///
/// # Errors
/// Something could not be started, or ended by itself.
pub fn measure(options: &Options) -> Result<Vec<Latencies>, Trouble> {
    let mut rows = Vec::new();
    for panes in options.panes.iter().filter(|panes| **panes <= MOST_PANES) {
        for way in [Way::Report, Way::Screen] {
            eprintln!("latency: {panes} panes, {way:?}");
            rows.push(row(options, *panes, way)?);
        }
    }
    Ok(rows)
}

/// Seconds for which an agent is blocked; then it goes on by itself, as after an answer in its pane.
const BLOCKED_S: u32 = 4;

/// Busy, then blocked at a moment that no clock shares, and so on: at any time most agents are busy.
fn scenario(number: usize, panes: usize, way: Way) -> String {
    // With ten panes or fewer each is blocked for a third of the time, with a hundred for a fifteenth.
    let turn = if panes <= 16 { 8 } else { 60 };
    let mut text = String::from("spinner 10\n");
    let busy = |text: &mut String, seconds: usize| {
        text.push_str(&format!("repeat {seconds}\nbusy 1\nshow a line of work, as agents print them\nend\n"));
    };
    busy(&mut text, 1 + number * turn / panes);
    let part = (number * 61 + 17) % 100;
    text.push_str("loop\n");
    text.push_str(&format!("busy 0.{part:02}\nshow ? Which of the two?\n"));
    text.push_str(match way {
        Way::Screen => "status question\nstamp asks\n",
        Way::Report => "ready\nstamp asks\nreport blocked --question 'Which of the two?'\n",
    });
    text.push_str(&format!("pause {BLOCKED_S}\n"));
    busy(&mut text, turn);
    text.push_str("end\n");
    text
}

fn row(options: &Options, panes: usize, way: Way) -> Result<Latencies, Trouble> {
    let stage = Stage::set(options, panes, |number| scenario(number, panes, way))?;
    let begun = crate::books::now();
    let follower = Follower::begin(&stage.home())?;
    let end = Instant::now() + PATIENCE;
    let moments = |until: f64| -> usize {
        let all = (0..panes).flat_map(|number| stage.stamps(number));
        all.filter(|(_, at)| (begun..until).contains(at)).count()
    };
    while moments(f64::INFINITY) < options.samples && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(500));
    }
    // What happened last has its time, too.
    let until = crate::books::now();
    std::thread::sleep(Duration::from_secs(u64::from(BLOCKED_S)));
    let steps = follower.end()?;
    let mut found = Latencies { panes, way, journal: vec![], queue: vec![], missed: 0 };
    for number in 0..panes {
        let own: Vec<&Step> = steps.iter().filter(|step| step.ticket == id(number)).collect();
        for (_, at) in stage.stamps(number).into_iter().filter(|(_, at)| (begun..until).contains(at)) {
            // Later than the agent went on by itself, it counts as not seen.
            let shown = own.iter().find(|step| step.status == "blocked" && step.journal >= at);
            match shown.filter(|step| step.journal < at + f64::from(BLOCKED_S)) {
                Some(step) => {
                    found.journal.push((step.journal - at) * 1000.0);
                    found.queue.push((step.queue - at) * 1000.0);
                }
                None => found.missed += 1,
            }
        }
    }
    found.journal.sort_by(f64::total_cmp);
    found.queue.sort_by(f64::total_cmp);
    Ok(found)
}

/// The value below which that part of the sorted values lies.
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let at = (part * sorted.len() as f64).ceil() as usize;
    sorted.get(at.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}
