//! A batch: forty tickets through the script agent, eight at a time, three minutes each, which is little for an agent; and
//! what the supervisor takes of a core meanwhile, from its first moment to its last.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use crate::{
    Trouble,
    options::Options,
    room::{Room, run, wait},
    table::verdict,
    usage::{Cpu, cpu, peak_mb},
};

/// What the supervisor may use of a core, on average.
const SHARE: f64 = 0.01;
/// Memory that it may have at its highest, in MB.
const PEAK_MB: f64 = 15.0;
/// Tickets at work at a time.
const PARALLEL: usize = 8;
/// Blocks of a ticket, each of which works for the same part of its time, writes a file and is a decision.
const BLOCKS: usize = 3;
/// Between two looks at what was used: what the last moments take is missed.
const EVERY: Duration = Duration::from_millis(100);
/// Longest time for all of it.
const PATIENCE: Duration = Duration::from_secs(7200);

/// What was measured.
pub struct Batch {
    /// Seconds from the start of `dispatch` to its end.
    pub wall: f64,
    /// CPU seconds of the supervisor, and of the processes it started and waited for.
    pub used: Cpu,
    /// CPU seconds of the tmux server.
    pub tmux: f64,
    /// Memory of the supervisor at its highest, in MB.
    pub peak_mb: f64,
    /// Tickets that need a review and are verified.
    pub verified: usize,
}

/// Runs it.
///
/// # Errors
/// Something did not start or never ended.
pub fn measure(options: &Options) -> Result<Batch, Trouble> {
    let mut room = Room::new(options, &options.folder)?;
    room.leave();
    room.make_repo(200, "version = 1\nprofile = \"script\"\nchecks = [\"true\"]\n")?;
    let each = options.work as f64 / BLOCKS as f64;
    for n in 0..options.batch {
        let mut text = format!("---\nid: B-{n:03}\ntitle: Ticket {n}\n---\nWrites {BLOCKS} files.\n\n## Run\n");
        for block in 0..BLOCKS {
            // Ignored: writing to a string cannot fail.
            write!(text, "\n```sh\nsleep {each:.3}\necho {n} > src/{n}-{block}.txt\n```\n").ok();
        }
        room.write(&format!("p/.autodo/tickets/B-{n:03}.md"), &text)?;
    }
    eprintln!("batch: {} tickets of {} s, {PARALLEL} at a time", options.batch, options.work);
    let began = Instant::now();
    let mut supervisor = room.start(&["dispatch", "--parallel", &PARALLEL.to_string()])?;
    let socket = room.home().join("run/tmux.sock");
    let server = || {
        let mut command = room.command("tmux", &room.repo());
        let said = run(command.arg("-N").arg("-S").arg(&socket).args(["display-message", "-p", "#{pid}"])).ok()?;
        said.trim().parse::<i32>().ok()
    };
    wait("the tmux server", PATIENCE, || !supervisor.runs() || server().is_some())?;
    let server = server().ok_or("dispatch ended without a tmux server")?;
    let mut batch = Batch { wall: 0.0, used: Cpu::default(), tmux: 0.0, peak_mb: 0.0, verified: 0 };
    while supervisor.runs() {
        if began.elapsed() > PATIENCE {
            return Err("the batch never ended".to_owned());
        }
        // Ignored: it has just ended, and what was seen last counts.
        if let Ok(used) = cpu(supervisor.pid()) {
            batch.used = Cpu { own: used.own.max(batch.used.own), children: used.children.max(batch.used.children) };
        }
        batch.tmux = cpu(server).map_or(batch.tmux, |used| used.own);
        batch.peak_mb = peak_mb(supervisor.pid()).unwrap_or(batch.peak_mb);
        batch.wall = began.elapsed().as_secs_f64();
        std::thread::sleep(EVERY);
    }
    let said = run(&mut room.autodo(&["list", "--json"]))?;
    let list: serde_json::Value = serde_json::from_str(&said).map_err(|why| format!("autodo list --json: {why}"))?;
    let rows = list["tickets"].as_array().map(Vec::as_slice).unwrap_or_default();
    batch.verified = rows.iter().filter(|row| row["status"] == "needs_review" && row["verified"] == true).count();
    Ok(batch)
}

/// The table, and whether all targets are met.
pub fn table(batch: &Batch, options: &Options) -> (String, bool) {
    let share = |seconds: f64| seconds / batch.wall;
    let percent = |seconds: f64| format!("{:.2}", share(seconds) * 100.0);
    let each = |seconds: f64| format!("{:.0}", seconds * 1000.0 / options.batch as f64);
    let mut text = format!(
        "A batch of {} tickets through the script agent, {PARALLEL} at a time; each works for {} s in {BLOCKS} blocks.\n\
         Over all of `dispatch` ({:.0} s); {} tickets need a review and are verified.\n\n\
         {:<19} | supervisor | its children | tmux server | peak MB\n",
        options.batch, options.work, batch.wall, batch.verified, ""
    );
    let rows: [(&str, &dyn Fn(f64) -> String); 2] = [("% of a core", &percent), ("ms of CPU a ticket", &each)];
    for (name, figure) in rows {
        let peak = if name.starts_with('%') { format!("{:.1}", batch.peak_mb) } else { String::new() };
        let (own, children, tmux) = (figure(batch.used.own), figure(batch.used.children), figure(batch.tmux));
        text.push_str(&format!("{name:<19} | {own:>10} | {children:>12} | {tmux:>11} | {peak:>7}\n"));
    }
    text.push_str(&format!(
        "{:<19} | {:>10.2} | {:>12} | {:>11} | {:>7.2}\n\n",
        "of its target",
        share(batch.used.own) / SHARE,
        "",
        "",
        batch.peak_mb / PEAK_MB
    ));
    let targets = [
        ("a batch: every ticket needs a review and is verified".to_owned(), batch.verified == options.batch),
        (format!("a batch: the supervisor under {} % of a core", SHARE * 100.0), share(batch.used.own) < SHARE),
        (format!("a batch: the supervisor's memory under {PEAK_MB} MB at its highest"), batch.peak_mb < PEAK_MB),
    ];
    for (what, is_met) in &targets {
        text.push_str(&verdict(what, *is_met));
    }
    (text, targets.iter().all(|(_, is_met)| *is_met))
}
