//! What belongs to a run is found, and ended to the last process; nothing else is touched.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use autodo::{
    adapters::process::table,
    domain::{check::CommandEnd, observed::Observed},
};
use nix::sys::signal::Signal;

use crate::support::{
    process::{World, lives, signal},
    wait_for,
};

fn pids(world: &World) -> Vec<i32> {
    match table::processes_of(&world.run, world.dir.path()) {
        Observed::Present(all) => all.iter().map(|p| p.pid).collect(),
        Observed::Absent => Vec::new(),
        Observed::Unknown(why) => panic!("{why}"),
    }
}

/// A sleep that carries the name of a run and the launch folder of a home.
fn sleep(run: &str, home: &Path) -> Child {
    let launch = home.join("T/runs/1/launches/1");
    let variables = [("AUTODO_RUN", run.into()), ("AUTODO_LAUNCH", launch.into_os_string())];
    Command::new("sleep").arg("100").envs(variables).spawn().unwrap()
}

#[test]
fn a_run_whose_name_begins_with_anothers_and_one_of_another_home_are_others() {
    let world = World::new();
    let home = world.dir.path();
    let (run, elsewhere) = (world.run.to_string(), World::new());
    let mut beside = home.as_os_str().to_owned();
    beside.push("2");
    let mut others = vec![
        sleep(&format!("{run}2"), home),
        sleep(&format!("x{run}"), home),
        sleep(&run, elsewhere.dir.path()),
        sleep(&run, Path::new(&beside)),
    ];
    let mut own = sleep(&run, home);
    let pid = own.id().cast_signed();
    wait_for("it to be seen", || (pids(&world) == [pid]).then_some(()), || format!("{:?}", pids(&world)));
    world.end_all(5000).unwrap();
    assert!(own.try_wait().unwrap().is_some());
    for other in &mut others {
        assert_eq!(other.try_wait().unwrap(), None, "another run's process lives");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}

#[test]
fn a_killed_wrapper_leaves_no_exit_and_its_orphans_are_ended() {
    let world = World::new();
    // A grandchild in a session of its own that ignores the hang-up; and one that dropped its environment.
    let mut spec = world.spec(
        "setsid sh -c 'trap \"\" HUP TERM; echo $$ > apart; while :; do sleep 1; done' &
         env -i sh -c 'echo $$ > bare; exec sleep 100' &
         echo $$ > main; wait",
    );
    spec.output = None;
    let mut run = world.start("a", &spec);
    let all = ["main", "apart", "bare"].map(|name| world.process(name));
    signal(&run, Signal::SIGKILL);
    run.wait().unwrap();
    let seen = world.look("a");
    assert!(seen.started.is_some() && seen.exited.is_none() && !seen.alive);
    assert!(all.iter().all(|p| lives(*p)));
    let found = pids(&world);
    assert!(all.iter().all(|(pid, _)| found.contains(pid)), "{found:?} {all:?}");
    world.end_all(300).unwrap();
    assert!(!all.iter().any(|p| lives(*p)));
    assert_eq!(table::processes_of(&world.run, world.dir.path()), Observed::Absent);
}

#[test]
fn ending_a_run_lets_its_wrapper_write_the_end() {
    let world = World::new();
    let mut spec = world.spec("trap '' TERM; echo $$ > pid; while :; do sleep 0.1; done");
    spec.output = None;
    let mut run = world.start("a", &spec);
    let program = world.process("pid");
    let wrapper = run.id().cast_signed();
    assert!(pids(&world).contains(&wrapper), "the wrapper belongs to the run");
    world.end_all(200).unwrap();
    assert!(!lives(program));
    assert!(run.try_wait().unwrap().is_some());
    let exited = world.exited("a");
    assert_eq!((exited.end, exited.by_autodo), (CommandEnd::Signalled { signal: 9 }, true));
}

#[test]
fn a_bare_process_is_found_as_long_as_the_wrapper_lives() {
    let world = World::new();
    let mut spec = world.spec(
        "env -i setsid sh -c 'echo $$ > bare; exec sleep 100' & until [ -s bare ]; do sleep 0.01; done; exec sleep 100",
    );
    spec.output = None;
    let mut run = world.start("a", &spec);
    let bare = world.process("bare");
    assert!(pids(&world).contains(&bare.0));
    world.end_all(2000).unwrap();
    assert!(!lives(bare));
    run.wait().unwrap();
}

#[test]
fn a_run_without_processes_is_ended_already() {
    let world = World::new();
    assert_eq!(table::processes_of(&world.run, world.dir.path()), Observed::Absent);
    world.end_all(0).unwrap();
}

#[test]
fn an_agent_that_drops_its_environment_is_still_known_as_one() {
    // The program under the wrapper is this very test, which then only says what it sees.
    const NAME: &str = "process::ending::an_agent_that_drops_its_environment_is_still_known_as_one";
    if let Some(answer) = std::env::var_os("ANSWER") {
        std::fs::write(answer, format!("{}\n", table::descends_from_wrapper())).unwrap();
        return;
    }
    assert_eq!(table::descends_from_wrapper(), std::env::var_os("AUTODO_RUN").is_some());
    let world = World::new();
    let test = std::env::current_exe().unwrap();
    let ask = |kind: &str, how: &str| {
        let script = format!("{how} ANSWER={kind}.txt '{}' --exact {NAME} --nocapture; exit 0", test.display());
        let mut spec = world.spec(&script);
        spec.output = None;
        assert_eq!(world.finish(kind, &spec).0, Some(0));
        assert_eq!(world.line(&format!("{kind}.txt")), "true");
    };
    ask("plain", "env");
    ask("bare", "exec env -i");
    ask("apart", "exec env -i setsid --wait env");
}

#[test]
fn a_zombie_is_not_alive() {
    let mut child = Command::new("true").stdin(Stdio::null()).spawn().unwrap();
    let pid = child.id().cast_signed();
    wait_for("its end", || table::start_time(pid).is_absent().then_some(()), String::new);
    child.wait().unwrap();
}
