//! A night of a long backlog under random faults: nothing is lost, nothing done twice, nothing wrongly called done, and
//! nothing left over. `scripts/soak` builds and runs it.
//!
//! The backlog ([`backlog`]) has tickets of every kind, each with the end that it must come to. While a supervisor works
//! on it, faults ([`faults`]) are injected by chance, and a person ([`person`]) does what a person would: answers,
//! resumes, retries. Then all comes to its end in peace, and is reckoned up ([`reckon`]). Which ticket stands on which,
//! and which fault comes next, is the seed's choice; what a fault meets depends on the machine's pace as well.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    dead_code,
    reason = "a program of its own, for tests only, with the support code of all tests"
)]

mod backlog;
mod faults;
mod options;
mod person;
mod reckon;
mod stage;
mod support;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use options::Options;
use person::Person;
use stage::Stage;
use support::chance::Chance;

fn main() -> ExitCode {
    interrupts_count();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::parse(&arguments) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(2);
        }
    };
    if soak(&options) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A shell has its background jobs ignore SIGINT, `nohup` SIGHUP, and what they start inherits that: here they are among
/// the faults.
#[expect(unsafe_code, reason = "sets signals back to their default: no handler runs")]
fn interrupts_count() {
    for one in [Signal::SIGINT, Signal::SIGHUP] {
        // SAFETY: no handler is installed, only the default, and no other thread runs yet.
        unsafe { nix::sys::signal::signal(one, nix::sys::signal::SigHandler::SigDfl) }.unwrap();
    }
}

/// True if nothing is wrong.
fn soak(options: &Options) -> bool {
    let mut chance = Chance::new(options.seed);
    let tickets = backlog::make(options.tickets, &mut chance);
    let mut stage = Stage::set(&tickets);
    let mut person = Person::default();
    let played = catch_unwind(AssertUnwindSafe(|| {
        let calm = night(&mut stage, &mut person, &mut chance, options);
        stage.end_supervisor(Signal::SIGINT);
        reckon::reckon(&mut stage, &person);
        calm
    }));
    let calm = played.unwrap_or_else(|_| {
        stage.wrong("other", "the soak itself panicked; see above".to_owned());
        Duration::ZERO
    });
    print(&stage, &person, options, calm);
    let is_good = stage.wrong.is_empty();
    if !is_good || options.keep {
        stage.world.keep();
    }
    is_good
}

/// Works until all is over, or the time is; returns how long the calm after the faults lasted.
fn night(stage: &mut Stage, person: &mut Person, chance: &mut Chance, options: &Options) -> Duration {
    let mut looked = Instant::now();
    let mut checked = Instant::now();
    let faults_until = Instant::now() + options.time;
    let mut open = options.tickets;
    while Instant::now() < faults_until && open > 0 {
        if stage.keep_supervised().is_some() && checked.elapsed() > Duration::from_secs(20) {
            stage.end_supervisor(Signal::SIGINT);
            stage.check();
            checked = Instant::now();
            continue;
        }
        std::thread::sleep(chance.millis(0, options.pause));
        faults::inject(stage, chance);
        if looked.elapsed() > Duration::from_millis(1500) {
            looked = Instant::now();
            open = person.look(stage).unwrap_or(open);
        }
    }
    stage.log("no more faults");
    let calm = Instant::now();
    while calm.elapsed() < options.calm {
        faults::hand_in_the_rest(stage);
        stage.keep_supervised();
        open = person.look(stage).unwrap_or(open);
        if open == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    calm.elapsed()
}

fn print(stage: &Stage, person: &Person, options: &Options, calm: Duration) {
    let sum = |counts: &std::collections::BTreeMap<String, usize>| counts.values().sum::<usize>();
    let faults: usize = stage.faults.values().sum();
    println!(
        "seed {}: {} tickets, {faults} faults in {:.0} s; {:.0} s after the last one all was over",
        options.seed,
        stage.tickets.len(),
        (stage.age().saturating_sub(calm)).as_secs_f64(),
        calm.as_secs_f64()
    );
    for (kind, times) in &stage.faults {
        println!("{times:6}  {kind}");
    }
    println!("a person: {} answers, {} retries", sum(&person.answers), sum(&person.retries));
    for kind in reckon::KINDS {
        let wrong: Vec<&String> = stage.wrong.iter().filter(|(of, _)| *of == kind).map(|(_, words)| words).collect();
        println!("{:6}  {kind}", wrong.len());
        for words in wrong.iter().take(10) {
            println!("          {}", words.replace('\n', "\n          "));
        }
    }
    let other: Vec<_> = stage.wrong.iter().filter(|(of, _)| !reckon::KINDS.contains(of)).collect();
    for (kind, words) in &other {
        println!("          {kind}: {words}");
    }
    if !stage.wrong.is_empty() {
        println!(
            "kept in {}, with soak.log; again: scripts/soak --minutes {} --seed {} --tickets {} --pause {}",
            stage.world.root().display(),
            options.time.as_secs_f64() / 60.0,
            options.seed,
            options.tickets,
            options.pause
        );
    }
}
