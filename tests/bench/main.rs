//! What autodo costs, and how fast it is, beside the way that most tools watch panes. `scripts/bench` builds and runs it.
//!
//! Tickets are real: `autodo dispatch` has started their agents, scripted ones, in worktrees and panes of its own tmux
//! server, and watches them. For each pair the same panes are watched by autodo, then by nobody (the floor), then by a
//! loop that spawns `tmux capture-pane -p` for each pane every 500 ms. What a watcher costs is its own CPU and that of
//! its children, and what the tmux server uses more than under nobody's eyes.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own, for measurements only"
)]

mod archive;
mod batch;
mod books;
mod calls;
mod cost;
mod dispatching;
mod latency;
mod options;
mod peer;
mod recovery;
mod room;
mod stage;
mod table;
mod thousand;
mod usage;

use std::process::ExitCode;

use options::Options;

/// What went wrong, for people.
pub type Trouble = String;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == peer::VERB) {
        return peer::run(&arguments[1..]);
    }
    let done = Options::parse(&arguments).and_then(|options| match options {
        None => {
            print!("{}", options::HELP);
            Ok(true)
        }
        Some(options) => measure(&options),
    });
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints all that was asked for; true if every target was met.
fn measure(options: &Options) -> Result<bool, Trouble> {
    println!("{}", table::heading(options)?);
    let mut met = true;
    if options.wants("cost") {
        let costs = cost::measure(options)?;
        println!("{}", table::costs(&costs, options));
        met &= table::cost_targets(&costs);
    }
    if options.wants("latency") {
        let all = latency::measure(options)?;
        println!("{}", table::latencies(&all));
        met &= table::latency_targets(&all);
    }
    let mut show = |(text, is_met): (String, bool)| {
        println!("{text}");
        met &= is_met;
    };
    if options.wants("list") {
        show(archive::table(&archive::measure(options)?, options));
    }
    if options.wants("dispatch") {
        show(dispatching::table(&dispatching::measure(options)?, options));
    }
    if options.wants("calls") {
        show(calls::table(&calls::measure(options)?));
    }
    if options.wants("thousand") {
        show(thousand::table(&thousand::measure(options)?));
    }
    if options.wants("batch") {
        show(batch::table(&batch::measure(options)?, options));
    }
    if options.wants("recovery") {
        show(recovery::table(&recovery::measure(options)?, options));
    }
    Ok(met)
}
