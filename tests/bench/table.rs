//! The figures as text, and whether they meet the targets.

use std::process::Command;

use crate::{
    Trouble,
    cost::{Cost, Kind},
    latency::{Latencies, Way, quantile},
    options::Options,
};

/// What autodo may add at a hundred busy panes, beside what the loop adds.
const RATIO: f64 = 1.0 / 30.0;
/// What it may add at two hundred idle ones, as a share of a core: 0.3 CPU seconds a minute.
const IDLE: f64 = 0.3 / 60.0;
/// Memory that a supervisor may use, in MB.
const RESIDENT_MB: f64 = 15.0;

/// What was measured where.
///
/// # Errors
/// There is no tmux.
pub fn heading(options: &Options) -> Result<String, Trouble> {
    let output = Command::new("tmux").arg("-V").output().map_err(|why| format!("cannot run tmux: {why}"))?;
    let tmux = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let (pairs, seconds) = (options.pairs, options.seconds);
    Ok(format!("{tmux}, {cores} cores; costs: medians of {pairs} interleaved pairs of {seconds} s\n"))
}

/// The table of costs.
pub fn costs(rows: &[Cost], options: &Options) -> String {
    let mut text = format!(
        "CPU in % of a core, and in brackets CPU seconds per minute; beside a loop that spawns capture-pane for each\n\
         pane every 500 ms. Median of {} interleaved pairs; \"tmux +\" is over the tmux server alone.\n\n\
         panes  agents |  autodo: itself  children  tmux +    sum          MB | loop: itself   tmux +    sum          \
         | tmux alone | autodo : loop\n",
        options.pairs
    );
    let percent = |part: f64| format!("{:.2}", part * 100.0);
    let both = |part: f64| format!("{:.2} ({:.2})", part * 100.0, part * 60.0);
    for row in rows {
        let sums = (row.autodo.sum() + row.autodo_tmux, row.peer + row.peer_tmux);
        text.push_str(&format!(
            "{:>5}  {:<6} | {:>15} {:>9} {:>7} {:>14} {:>6.1} | {:>12} {:>8} {:>16} | {:>10} | 1 : {:.1}\n",
            row.panes,
            if row.kind == Kind::Idle { "idle" } else { "busy" },
            percent(row.autodo.own),
            percent(row.autodo.children),
            percent(row.autodo_tmux),
            both(sums.0),
            row.resident_mb,
            percent(row.peer),
            percent(row.peer_tmux),
            both(sums.1),
            percent(row.floor),
            1.0 / row.ratio,
        ));
    }
    text.push('\n');
    for row in rows {
        let what = match row.kind {
            Kind::Busy if row.panes == 100 => "100 busy panes: at most 1/30 of the loop",
            Kind::Idle if row.panes == 200 => "200 idle panes: at most 0.3 CPU seconds a minute",
            Kind::Busy | Kind::Idle => continue,
        };
        text.push_str(&verdict(what, is_cheap(row)));
    }
    let most = rows.iter().map(|row| row.resident_mb).fold(0.0, f64::max);
    text.push_str(&verdict(&format!("memory of the supervisor: at most {RESIDENT_MB} MB"), most <= RESIDENT_MB));
    text
}

/// True if the costs are what they may be.
pub fn cost_targets(rows: &[Cost]) -> bool {
    rows.iter().all(|row| row.resident_mb <= RESIDENT_MB && is_cheap(row))
}

/// True unless the row has a target and misses it.
fn is_cheap(row: &Cost) -> bool {
    match row.kind {
        Kind::Busy if row.panes == 100 => row.ratio <= RATIO,
        Kind::Idle if row.panes == 200 => row.autodo.sum() + row.autodo_tmux <= IDLE,
        Kind::Busy | Kind::Idle => true,
    }
}

/// The table of latencies.
pub fn latencies(rows: &[Latencies]) -> String {
    let mut text = String::from(
        "Milliseconds until the new status is durable: its line in the journal, and queue.toml (written after the\n\
         journal is synced).\n\n\
         panes  from              | moments  missed | journal: median    p90    p99    max | queue.toml: median    p90    \
         p99    max\n",
    );
    for row in rows {
        let figures =
            |values: &[f64]| [0.5, 0.9, 0.99, 1.0].map(|part| format!("{:>6.1}", quantile(values, part))).join(" ");
        text.push_str(&format!(
            "{:>5}  {:<17} | {:>7}  {:>6} |         {} |            {}\n",
            row.panes,
            if row.way == Way::Report { "a report" } else { "the screen alone" },
            row.journal.len(),
            row.missed,
            figures(&row.journal),
            figures(&row.queue),
        ));
    }
    text.push('\n');
    for row in rows {
        if let Some((median, p99)) = target(row) {
            let way = if row.way == Way::Report { "report" } else { "screen" };
            let limits = p99.map_or(String::new(), |p99| format!(", p99 under {p99} ms"));
            let what = format!("{}, {} panes: median under {median} ms{limits}, none missed", way, row.panes);
            text.push_str(&verdict(&what, is_met(row)));
        }
    }
    text
}

/// True if the latencies are what they may be.
pub fn latency_targets(rows: &[Latencies]) -> bool {
    rows.iter().all(is_met)
}

/// Median, and 99th of a hundred, in milliseconds; `None`: nothing is promised.
fn target(row: &Latencies) -> Option<(f64, Option<f64>)> {
    match (row.way, row.panes) {
        (Way::Report, 100..) => Some((20.0, Some(100.0))),
        (Way::Screen, ..=10) => Some((200.0, None)),
        (Way::Screen, 100..) => Some((1000.0, Some(1500.0))),
        _ => None,
    }
}

fn is_met(row: &Latencies) -> bool {
    let Some((median, p99)) = target(row) else { return true };
    row.missed == 0 && quantile(&row.queue, 0.5) < median && p99.is_none_or(|p99| quantile(&row.queue, 0.99) < p99)
}

/// One line: a target, and whether it is met.
pub fn verdict(what: &str, is_met: bool) -> String {
    format!("{}  {what}\n", if is_met { "met   " } else { "MISSED" })
}
