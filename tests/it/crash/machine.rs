//! The machine itself: a clock that is set, a long sleep, locks that do not hold, a tmux that answers late, wrongly or
//! not at all.

use std::{fs, os::unix::fs::PermissionsExt};

use super::plant::Plant;
use crate::support::{program::LIMIT, shim, wait_for};

const HOLD: &str = "while ! test -e ROOT/gate; do sleep 0.02; done";
const DAY: i64 = 86_400;

/// A plant whose programs see the clock of [`shim::set_clock`].
fn with_clock() -> Plant {
    let mut plant = Plant::new(&["echo \"check $AUTODO_TICKET\" >> ROOT/done"]);
    let library = shim::build(&plant.world);
    plant.world.set("LD_PRELOAD", library);
    let clock = plant.path("clock");
    plant.world.set("FAKE_CLOCK", clock);
    plant
}

/// A supervisor over `x`, which is at work when the clock is set, and `y`, which stands on it.
fn set_while_at_work(seconds: i64) {
    let plant = with_clock();
    plant.script("x", "", &["echo 1 > one", HOLD, "echo 3 > three"]);
    plant.script("y", "after: [x]", &["echo 1 > one-y"]);
    let supervisor = plant.dispatch();
    plant.wait_done("x.2", 1);
    plant.wait_row("x", "status", "running");
    shim::set_clock(&plant.world, seconds);
    let looked = || plant.autodo(&["list"]).ok().stdout.contains("running").then_some(());
    wait_for("the list", looked, || plant.world.story());
    // Long enough for every deadline to be looked at.
    let from = std::time::Instant::now();
    wait_for("two seconds", || (from.elapsed().as_secs() >= 2).then_some(()), String::new);
    let row = plant.row("x");
    assert_eq!(row["status"], "running", "nobody is to blame for the clock: {row}");
    plant.open("gate");
    let ended = supervisor.wait(LIMIT).code(0);
    assert!(ended.both().contains("the clock"), "it is said: {}", ended.both());
    for id in ["x", "y"] {
        let row = plant.row(id);
        assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
    }
    assert!(plant.done().values().all(|times| *times == 1), "{:?}", plant.done());
    plant.check();
}

#[test]
fn a_clock_set_back_holds_nothing_up() {
    set_while_at_work(-DAY);
}

#[test]
fn a_clock_set_forward_or_a_machine_that_slept_makes_nobody_stalled() {
    set_while_at_work(DAY);
}

#[test]
fn a_home_on_a_file_system_without_working_locks_is_refused() {
    let mut plant = Plant::new(&[]);
    plant.script("x", "", &["echo 1 > one"]);
    let library = shim::build(&plant.world);
    plant.world.set("LD_PRELOAD", library);
    for (how, says) in [("none", "had at once"), ("error", "No locks available")] {
        plant.world.set("FAKE_FLOCK", how);
        for args in [&["dispatch"][..], &["import", ".autodo/tickets"], &["tick"]] {
            let run = plant.autodo(args).code(1);
            for word in [says, "supervisor.lock", "hint:", "local disk"] {
                assert!(run.stderr.contains(word), "{how}: {word} is missing: {}", run.both());
            }
        }
        assert!(plant.world.journal().is_empty(), "nothing was written");
    }
    plant.world.unset("FAKE_FLOCK");
    plant.autodo(&["dispatch"]).ok();
    assert_eq!(plant.row("x")["status"], "needs_review");
    plant.check();
}

/// Puts a program `tmux` before the real one, which does `first` and then what it should; once the gate `tmux-again` is
/// open, only what it should: those who look at the end ask the real one.
fn tmux_that(plant: &mut Plant, first: &str) {
    let path = std::env::var("PATH").unwrap();
    let real = path.split(':').map(|dir| format!("{dir}/tmux")).find(|tmux| fs::exists(tmux).unwrap()).unwrap();
    let folder = plant.path("bin");
    fs::create_dir_all(&folder).unwrap();
    let root = plant.world.root().display().to_string();
    let text = format!(
        "#!/bin/sh\ntest -e {root}/tmux-again || {{\n{}\n}}\nexec {real} \"$@\"\n",
        first.replace("ROOT", &root)
    );
    fs::write(folder.join("tmux"), text).unwrap();
    fs::set_permissions(folder.join("tmux"), fs::Permissions::from_mode(0o755)).unwrap();
    plant.world.set("PATH", format!("{}:{path}", folder.display()));
}

#[test]
fn a_tmux_that_answers_late_or_now_and_then_with_garbage_only_costs_time() {
    let late = "sleep 0.3";
    let garbage =
        "echo x >> ROOT/calls; test $(( $(wc -l < ROOT/calls) % 11 )) != 0 || { echo '%garbage 1 2'; exit 0; }";
    for first in [late, garbage] {
        let mut plant = Plant::new(&[]);
        tmux_that(&mut plant, first);
        plant.script("x", "", &["echo 1 > one", "echo 2 > two"]);
        plant.autodo(&["dispatch"]).ok();
        let row = plant.row("x");
        assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{first}: {row}");
        assert_eq!((plant.done()["x.1"], plant.done()["x.2"]), (1, 1), "{first}");
        plant.open("tmux-again");
        plant.check();
    }
}

#[test]
fn a_tmux_that_does_not_answer_at_all_is_waited_for_and_said() {
    let mut plant = Plant::new(&[]);
    tmux_that(&mut plant, "while ! test -e ROOT/tmux-again; do sleep 0.05; done");
    plant.script("x", "", &["echo 1 > one"]);
    let supervisor = plant.dispatch();
    let said = || plant.world.file("x/events.jsonl").contains("tmux").then_some(());
    wait_for("the trail to tell of it", said, || supervisor.said().both() + &plant.world.story());
    plant.open("tmux-again");
    supervisor.wait(LIMIT).code(0);
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{row}");
    assert_eq!(plant.done()["x.1"], 1);
    plant.check();
}
