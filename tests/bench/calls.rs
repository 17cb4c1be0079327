//! What agents call all the time: `autodo report` and `autodo hook`, beside a process that does nothing.

use std::{
    io::Write,
    process::Stdio,
    time::{Duration, Instant},
};

use crate::{Trouble, cost::median, latency::quantile, options::Options, room::Room, room::run};

/// A call may take so many milliseconds.
const CALL_MS: f64 = 3.0;

/// One row: milliseconds, sorted.
pub struct Row {
    /// The command.
    pub what: &'static str,
    /// Tickets in the queue.
    pub tickets: usize,
    /// Milliseconds.
    pub ms: Vec<f64>,
    /// True: the target is for it.
    pub counts: bool,
}

/// Measures all rows, interleaved.
///
/// # Errors
/// A call failed.
pub fn measure(options: &Options) -> Result<Vec<Row>, Trouble> {
    let room = Room::new(options, &options.folder)?;
    room.make_repo(10, "version = 1\nprofile = \"bench\"\nchecks = []\n")?;
    room.make_profile()?;
    let autodo = options.autodo.to_string_lossy().into_owned();
    let mut rows = Vec::new();
    for tickets in [1, 1000] {
        eprintln!("calls: {tickets} tickets");
        for n in 0..tickets {
            let id = format!("C-{n}");
            room.write(&format!("p/.autodo/tickets/{id}.md"), &format!("---\nid: {id}\ntitle: {id}\n---\nWork.\n"))?;
        }
        run(&mut room.autodo(&["import", ".autodo/tickets"]))?;
        let mut calls: Vec<(&'static str, Vec<&str>, &'static str, bool)> = vec![
            ("true", vec!["/bin/true"], "", false),
            ("autodo --version", vec![&autodo, "--version"], "", false),
            ("autodo report note", vec![&autodo, "report", "note", "a step is done"], "", true),
            ("autodo hook, sign of life", vec![&autodo, "hook", "PreToolUse"], LIFE, true),
            ("autodo hook, the agent stops", vec![&autodo, "hook", "Stop"], STOP, true),
        ];
        let mut all: Vec<Vec<f64>> = vec![Vec::new(); calls.len()];
        for _ in 0..options.samples {
            for (call, ms) in calls.iter_mut().zip(&mut all) {
                ms.push(one(&room, &call.1, call.2)?);
            }
        }
        for (call, mut ms) in calls.into_iter().zip(all) {
            ms.sort_by(f64::total_cmp);
            rows.push(Row { what: call.0, tickets, ms, counts: call.3 });
        }
    }
    Ok(rows)
}

const LIFE: &str = r#"{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_input":{"command":"cargo test"}}"#;
const STOP: &str = r#"{"hook_event_name":"Stop","last_assistant_message":"All is done, and the tests pass."}"#;

/// One call, as from an agent's session: its outbox, its keys, and nobody who listens.
fn one(room: &Room<'_>, words: &[&str], given: &str) -> Result<f64, Trouble> {
    let (Some(program), arguments) = (words.first(), words.get(1..).unwrap_or_default()) else {
        return Err("no program".into());
    };
    for folder in ["outbox", "launch"] {
        std::fs::create_dir_all(room.path(folder)).map_err(|why| why.to_string())?;
    }
    let mut command = room.command(program, &room.repo());
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null());
    command.envs([("AUTODO_TICKET", "C-0"), ("AUTODO_RUN", "C-0/1"), ("AUTODO_KEY", "0123456789abcdef")]);
    command.env("AUTODO_OUTBOX", room.path("outbox")).env("AUTODO_LAUNCH", room.path("launch"));
    command.env("AUTODO_WAKE", room.home().join("run/wake.sock"));
    let began = Instant::now();
    let mut child = command.spawn().map_err(|why| format!("cannot run {program}: {why}"))?;
    if let Some(mut input) = child.stdin.take() {
        // Ignored: a program that reads nothing has gone already.
        input.write_all(given.as_bytes()).ok();
    }
    let status = child.wait().map_err(|why| why.to_string())?;
    let took = began.elapsed();
    // A little rest, so that one call does not pay for what the last one left to the system.
    std::thread::sleep(Duration::from_millis(1));
    if status.success() { Ok(took.as_secs_f64() * 1000.0) } else { Err(format!("{program} ended with {status}")) }
}

/// The table, and whether all targets are met.
pub fn table(rows: &[Row]) -> (String, bool) {
    let mut text = format!("Milliseconds of a call.\n\n{:<28} | tickets   calls   median      p99\n", "command");
    for row in rows {
        let (median, p99) = (median(row.ms.clone()), quantile(&row.ms, 0.99));
        let (what, tickets, calls) = (row.what, row.tickets, row.ms.len());
        text.push_str(&format!("{what:<28} | {tickets:>7} {calls:>7} {median:>8.2} {p99:>8.2}\n"));
    }
    let is_met = rows.iter().all(|row| !row.counts || median(row.ms.clone()) < CALL_MS);
    text.push('\n');
    text.push_str(&crate::table::verdict(&format!("report and hook: median under {CALL_MS} ms a call"), is_met));
    (text, is_met)
}
