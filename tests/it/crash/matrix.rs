//! The supervisor kills itself at each point that a night's work reaches, is started again, and goes on to the end.
//!
//! By default each point is tried once in the night, the first or a later time that it is reached, and those between
//! which things happen that cannot be taken back both times; with `AUTODO_TEST_LONG=1` (`scripts/test --long`) each
//! time that it is reached.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::night::{KILLED, Night, STEPS, Step};

/// How many nights at once: they wait more than they work.
const AT_ONCE: usize = 4;

/// Name beginnings of the points of each family; the family of all others has none.
const FAMILIES: [&[&str]; 4] =
    [&["commit."], &["fs."], &["paste.", "submit.", "report."], &["git.", "prepare_worktree.", "open_session."]];

/// A place to die: in this command, at this point, `name#n`.
type Place = (Step, String);

#[test]
fn killed_at_a_commit_nothing_is_lost() {
    matrix(|name| of(0, name));
}

#[test]
fn killed_while_the_books_are_written_nothing_is_lost() {
    matrix(|name| of(1, name));
}

#[test]
fn killed_during_a_delivery_no_prompt_is_sent_twice() {
    matrix(|name| of(2, name));
}

#[test]
fn killed_while_an_agent_is_brought_to_life_there_is_only_one() {
    matrix(|name| of(3, name));
}

#[test]
fn killed_while_work_is_proven_and_closed_each_check_runs_once() {
    matrix(|name| (0..FAMILIES.len()).all(|family| !of(family, name)));
}

fn of(family: usize, name: &str) -> bool {
    FAMILIES[family].iter().any(|prefix| name.starts_with(prefix))
}

fn matrix(wanted: impl Fn(&str) -> bool) {
    let reached = Night::new().rehearse().into_iter();
    let reached = reached.flat_map(|(step, points)| points.into_iter().map(move |point| (step, point)));
    let places = chosen(reached.filter(|(_, point)| wanted(point)).collect());
    assert!(places.len() >= 4, "too few points were reached: {places:?}");
    eprintln!("{} places", places.len());
    let (next, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let faults = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(place) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match std::panic::catch_unwind(|| survive(place)) {
                        Ok(true) => _ = killed.fetch_add(1, Ordering::Relaxed),
                        Ok(false) => {}
                        Err(why) => faults.lock().unwrap().push(format!("{place:?}: {}", said(why.as_ref()))),
                    }
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    let told = faults.join("\n---- ");
    assert!(faults.is_empty(), "{} of {} places are not survived:\n---- {told}", faults.len(), places.len());
    // How often a point is reached varies a little from night to night, so a later time may not come.
    let killed = killed.into_inner();
    assert!(killed * 4 >= places.len() * 3, "only {killed} of {} kills happened", places.len());
}

/// What a panic said.
fn said(why: &(dyn std::any::Any + Send)) -> String {
    why.downcast_ref::<String>().cloned().unwrap_or_else(|| "?".to_owned())
}

/// Points around what cannot be taken back.
const DELICATE: [&str; 3] = ["paste.", "submit.", "open_session."];

/// The places to try: see the top of this file.
fn chosen(reached: Vec<Place>) -> Vec<Place> {
    if std::env::var_os("AUTODO_TEST_LONG").is_some_and(|set| set == "1") {
        return reached;
    }
    let mut times: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for place in reached {
        times.entry(place.1.split('#').next().unwrap_or_default().to_owned()).or_default().push(place);
    }
    let mut places = Vec::new();
    for (n, (name, times)) in times.iter().enumerate() {
        let is_delicate = DELICATE.iter().any(|prefix| name.starts_with(prefix));
        let first = times.first().filter(|_| is_delicate || n % 2 == 0);
        // Not the very last: how often a point is reached varies a little from night to night.
        let later = times.get(times.len() / 2).filter(|_| times.len() > 1 && is_delicate || n % 2 == 1);
        places.extend(first.into_iter().chain(later).cloned());
    }
    places
}

/// A night in which the command of one step dies at `place` and is typed again. False: it did not come there.
fn survive(place: &Place) -> bool {
    let night = Night::new();
    let mut killed = false;
    for step in STEPS {
        if step == place.0 {
            let run = night.command(step).env("AUTODO_CRASH_AT", &place.1).run();
            killed = run.code == KILLED;
            eprintln!("{step:?} {} exit {}", place.1, run.code);
            // What a person types first.
            night.world.autodo_in(&night.repo, &["list"]).ok();
        }
        night.step(step, step == place.0);
    }
    night.prove();
    killed
}
