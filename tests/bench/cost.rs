//! CPU and memory of watching.

use std::time::Duration;

use crate::{
    Trouble,
    options::Options,
    peer::Peer,
    stage::Stage,
    usage::{Meter, Share, resident_mb},
};

/// What the agents do while they are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Print nothing.
    Idle,
    /// Redraw a spinner ten times a second and print a line every second.
    Busy,
}

/// One row of costs: medians over all pairs. CPU as a share of one core.
pub struct Cost {
    /// Panes watched.
    pub panes: usize,
    /// What they do.
    pub kind: Kind,
    /// The supervisor and its children.
    pub autodo: Share,
    /// What the tmux server uses more than alone, under autodo.
    pub autodo_tmux: f64,
    /// Memory of the supervisor, in MB: the most that was seen.
    pub resident_mb: f64,
    /// The loop and its children.
    pub peer: f64,
    /// What the tmux server uses more than alone, under the loop.
    pub peer_tmux: f64,
    /// The tmux server alone.
    pub floor: f64,
    /// The sum of what autodo adds, pair by pair against that of the loop.
    pub ratio: f64,
}

/// Measures all rows.
///
/// # Errors
/// Something could not be started, or ended by itself.
pub fn measure(options: &Options) -> Result<Vec<Cost>, Trouble> {
    let mut rows = Vec::new();
    for panes in &options.panes {
        for kind in [Kind::Idle, Kind::Busy] {
            eprintln!("cost: {panes} panes, {kind:?}");
            rows.push(row(options, *panes, kind)?);
        }
    }
    Ok(rows)
}

/// Settling time before a measurement: what starting and ending leaves behind is not what is measured.
const SETTLE: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Pair {
    autodo: Share,
    under_autodo: f64,
    resident_mb: f64,
    floor: f64,
    peer: f64,
    under_peer: f64,
}

fn row(options: &Options, panes: usize, kind: Kind) -> Result<Cost, Trouble> {
    let scenario = match kind {
        Kind::Idle => "status thinking\nhang\n",
        Kind::Busy => "spinner 10\nloop\nshow a line of work, as agents print them while they work\nbusy 1\nend\n",
    };
    let mut stage = Stage::set(options, panes, |_| scenario.to_owned())?;
    let agents = stage.agents()?;
    let measured = Duration::from_secs(options.seconds);
    let mut pairs = Vec::new();
    for number in 0..options.pairs {
        let mut pair = Pair::default();
        if number > 0 {
            stage.watch()?;
        }
        std::thread::sleep(SETTLE);
        let servers = stage.servers()?;
        let with = |pid: i32| [vec![pid], servers.clone()].concat();
        let meter = Meter::begin(&with(stage.supervisor()))?;
        std::thread::sleep(measured);
        (pair.autodo, pair.under_autodo) = two(&meter.end()?);
        pair.resident_mb = resident_mb(stage.supervisor())?;
        stage.unwatch()?;

        std::thread::sleep(SETTLE);
        let meter = Meter::begin(&servers)?;
        std::thread::sleep(measured);
        pair.floor = meter.end()?.iter().map(|share| share.own).sum();

        let peer = Peer::start(&agents)?;
        std::thread::sleep(SETTLE);
        let meter = Meter::begin(&with(peer.pid()))?;
        std::thread::sleep(measured);
        let (share, under_peer) = two(&meter.end()?);
        (pair.peer, pair.under_peer) = (share.sum(), under_peer);
        pairs.push(pair);
    }
    let of = |value: fn(&Pair) -> f64| median(pairs.iter().map(value).collect());
    Ok(Cost {
        panes,
        kind,
        autodo: Share { own: of(|p| p.autodo.own), children: of(|p| p.autodo.children) },
        autodo_tmux: of(|p| p.under_autodo - p.floor),
        resident_mb: pairs.iter().map(|p| p.resident_mb).fold(0.0, f64::max),
        peer: of(|p| p.peer),
        peer_tmux: of(|p| p.under_peer - p.floor),
        floor: of(|p| p.floor),
        ratio: of(|p| (p.autodo.sum() + p.under_autodo - p.floor) / (p.peer + p.under_peer - p.floor)),
    })
}

/// A watcher's share, and what the servers used of their own.
fn two(shares: &[Share]) -> (Share, f64) {
    let (watcher, servers) = shares.split_first().map_or((Share::default(), &[][..]), |(first, rest)| (*first, rest));
    (watcher, servers.iter().map(|server| server.own).sum())
}

/// The middle value; of an even number of values the mean of the two in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => values[odd / 2],
        even => f64::midpoint(values[even / 2 - 1], values[even / 2]),
    }
}
