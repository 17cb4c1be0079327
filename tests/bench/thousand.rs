//! A long night: many tickets through the script agent, eight at a time, and what each costs as their number grows.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Trouble,
    options::Options,
    room::{Room, run, wait},
    usage::{cpu, resident_mb},
};

/// What a ticket of the last hundred may cost, of what one of the first hundred does.
const RATIO: f64 = 1.2;
/// Tickets at work at a time.
const PARALLEL: usize = 8;
/// Longest time for each part.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Where things stand when so many tickets are through.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    /// Tickets that need a review.
    pub through: usize,
    /// Seconds since the start.
    pub at: f64,
    /// CPU seconds of the supervisor itself.
    pub own: f64,
    /// Those of its children: git, tmux clients, checks.
    pub children: f64,
    /// Those of the tmux server.
    pub tmux: f64,
    /// Memory of the supervisor, in MB.
    pub resident_mb: f64,
    /// Bytes of the journal.
    pub journal: u64,
    /// Bytes of the home.
    pub home: u64,
}

impl Mark {
    /// CPU in all.
    fn cpu(&self) -> f64 {
        self.own + self.children + self.tmux
    }
}

/// Runs them; a mark for each tenth, the first when the first tickets are at work.
///
/// # Errors
/// Something did not start, or a ticket did not get through.
pub fn measure(options: &Options) -> Result<Vec<Mark>, Trouble> {
    let room = Room::new(options, &options.folder)?;
    room.make_repo(20, "version = 1\nprofile = \"script\"\nchecks = [\"true\"]\n")?;
    for n in 0..options.tickets {
        let id = format!("S-{n:04}");
        let work = format!("echo {n} > src/{n}.txt");
        let text = format!("---\nid: {id}\ntitle: Ticket {n}\n---\nWrites a file.\n\n## Run\n\n```sh\n{work}\n```\n");
        room.write(&format!("p/.autodo/tickets/{id}.md"), &text)?;
    }
    let mut supervisor = room.start(&["dispatch", "--parallel", &PARALLEL.to_string(), "--stagger", "0"])?;
    let (list, began) = (room.home().join("list.jsonl"), Instant::now());
    let count = |word: &str| {
        let text = std::fs::read_to_string(&list).unwrap_or_default();
        text.matches(&format!("\"status\":\"{word}\"")).count()
    };
    wait("the first ticket to start", PATIENCE, || !supervisor.runs() || count("running") > 0)?;
    let socket = room.home().join("run/tmux.sock");
    let server = || -> Result<i32, Trouble> {
        let mut command = room.command("tmux", &room.repo());
        let said = run(command.arg("-S").arg(&socket).args(["display-message", "-p", "#{pid}"]))?;
        said.trim().parse().map_err(|_| format!("tmux says that its pid is {said:?}"))
    };
    wait("the tmux server", PATIENCE, || !supervisor.runs() || server().is_ok())?;
    let server = server()?;
    let mark = |through: usize, pid: i32| -> Result<Mark, Trouble> {
        let used = cpu(pid)?;
        Ok(Mark {
            through,
            at: began.elapsed().as_secs_f64(),
            own: used.own,
            children: used.children,
            tmux: cpu(server)?.own,
            resident_mb: resident_mb(pid)?,
            journal: std::fs::metadata(room.home().join("journal.jsonl")).map_or(0, |meta| meta.len()),
            home: size(&room.home()),
        })
    };
    let mut marks = vec![mark(0, supervisor.pid())?];
    let step = (options.tickets / 10).max(1);
    // The very last ones have fewer beside them, and the supervisor leaves with the last.
    let ends = (1..=10).map(|n| if n == 10 { options.tickets - PARALLEL } else { n * step });
    for end in ends {
        let mut last = Instant::now();
        wait("tickets to get through", PATIENCE, || {
            // The look itself costs something on a machine that has other things to do.
            if last.elapsed() < Duration::from_millis(250) {
                return false;
            }
            last = Instant::now();
            !supervisor.runs() || count("needs_review") >= end
        })?;
        if !supervisor.runs() {
            return Err(format!("dispatch ended with {} tickets through", count("needs_review")));
        }
        let now = mark(count("needs_review"), supervisor.pid())?;
        eprintln!("thousand: {now:?}");
        marks.push(now);
    }
    wait("dispatch to end", PATIENCE, || !supervisor.runs())?;
    Ok(marks)
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.len(),
        // Ignored: it has just gone.
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

/// The table, and whether all targets are met.
pub fn table(marks: &[Mark]) -> (String, bool) {
    let mut text = format!(
        "Tickets through the script agent, {PARALLEL} at a time: what one costs, tenth by tenth. CPU in milliseconds.\n\n\
         through | wall ms | CPU  autodo  children  tmux |    MB | journal MB | home MB\n"
    );
    let each = |pair: &[Mark], value: fn(&Mark) -> f64| {
        let (Some(from), Some(to)) = (pair.first(), pair.last()) else { return f64::NAN };
        (value(to) - value(from)) * 1000.0 / (to.through - from.through).max(1) as f64
    };
    for pair in marks.windows(2) {
        let Some(to) = pair.last() else { continue };
        text.push_str(&format!(
            "{:>7} | {:>7.0} | {:>3.0} {:>7.1} {:>9.1} {:>5.1} | {:>5.1} | {:>10.2} | {:>7.1}\n",
            to.through,
            each(pair, |mark| mark.at),
            each(pair, Mark::cpu),
            each(pair, |mark| mark.own),
            each(pair, |mark| mark.children),
            each(pair, |mark| mark.tmux),
            to.resident_mb,
            to.journal as f64 / 1e6,
            to.home as f64 / 1e6,
        ));
    }
    let tenths: Vec<&[Mark]> = marks.windows(2).collect();
    let (Some(first), Some(last)) = (tenths.first(), tenths.last()) else { return (text, false) };
    let ratios = [each(last, Mark::cpu) / each(first, Mark::cpu), each(last, |m| m.at) / each(first, |m| m.at)];
    if let [begin, .., end] = marks {
        let tickets = (end.through - begin.through).max(1) as f64;
        text.push_str(&format!(
            "\na ticket adds {:.1} kB to the home and {:.2} kB to the supervisor's memory; journal rewritten above 16 MB\n\
             the last tenth, of the first: {:.2} of the CPU, {:.2} of the time\n\n",
            end.home.saturating_sub(begin.home) as f64 / 1e3 / tickets,
            (end.resident_mb - begin.resident_mb) * 1e3 / tickets,
            ratios[0],
            ratios[1],
        ));
    }
    let is_met = ratios.iter().all(|ratio| *ratio <= RATIO);
    let what = format!("a ticket of the last tenth costs at most {RATIO} of one of the first, in CPU and time");
    text.push_str(&crate::table::verdict(&what, is_met));
    (text, is_met)
}
