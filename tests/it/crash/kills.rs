//! Kills from outside: the supervisor at any moment, wrappers, agents, checks, the tmux server and its socket.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::plant::{Plant, slay};
use crate::support::{program::LIMIT, wait_for};

/// Holds its caller until the gate `gate` is open.
const HOLD: &str = "while ! test -e ROOT/gate; do sleep 0.02; done";
/// A check that writes down each of its runs, and waits at the gate `checked`.
const GATED_CHECK: &str = "echo check >> ROOT/done; while ! test -e ROOT/checked; do sleep 0.02; done";
/// A check that writes down each of its runs.
const CHECK: &str = "echo \"check $AUTODO_TICKET\" >> ROOT/done";

/// The next of a sequence that looks random and is always the same (an LCG: Knuth, MMIX).
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

#[test]
fn a_supervisor_killed_ten_times_at_random_does_all_work_exactly_once() {
    let plant = Plant::new(&[CHECK]);
    for n in 1..=6 {
        let after = if n % 3 == 0 { format!("after: [t{}]", n - 1) } else { String::new() };
        plant.script(&format!("t{n}"), &after, &["sleep 0.3; echo 1 > one", "sleep 0.3; echo 2 > two"]);
    }
    let mut seed = 20_260_219;
    for round in 1..=10 {
        let mut supervisor = plant.dispatch();
        let until = Instant::now() + Duration::from_millis(50 + next(&mut seed) % 1200);
        while Instant::now() < until && supervisor.is_running() {
            std::thread::sleep(Duration::from_millis(5));
        }
        supervisor.signal(Signal::SIGKILL);
        let ended = supervisor.wait(LIMIT);
        assert!([0, 137].contains(&ended.code), "round {round}: {}", ended.both());
        plant.autodo(&["list"]).ok();
    }
    plant.autodo(&["dispatch"]).ok();
    let mut expected = BTreeMap::new();
    for n in 1..=6 {
        for name in [format!("t{n}.1"), format!("t{n}.2"), format!("check t{n}")] {
            expected.insert(name, 1);
        }
        let row = plant.row(&format!("t{n}"));
        assert_eq!((&row["status"], &row["runs"]), (&"needs_review".into(), &1.into()), "{row}");
        assert_eq!((&row["verified"], &row["risk_summary"]["low"]), (&true.into(), &2.into()), "{row}");
    }
    assert_eq!(plant.done(), expected);
    plant.check();
}

#[test]
fn a_killed_wrapper_is_a_crash_and_its_block_is_not_run_again_unasked() {
    let plant = Plant::new(&[]);
    plant.script("x", "", &["echo 1 > one", HOLD]);
    let supervisor = plant.dispatch();
    plant.wait_done("x.2", 1);
    slay(plant.wrapper("x/runs/1/launches/1"));
    let row = plant.wait_row("x", "status", "blocked");
    assert_eq!((&row["runs"], &row["reason"]), (&2.into(), &"question".into()), "{row}");
    assert_eq!(supervisor.wait(LIMIT).code, 8);
    assert_eq!((plant.done()["x.1"], plant.done()["x.2"]), (1, 1));
    plant.check();
    plant.open("gate");
    plant.autodo(&["answer", "x", "rerun"]).ok();
    plant.autodo(&["dispatch"]).ok();
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{row}");
    assert_eq!((plant.done()["x.1"], plant.done()["x.2"]), (1, 2));
    plant.check();
}

#[test]
fn a_killed_agent_is_a_crash_and_the_third_is_the_end() {
    let plant = Plant::new(&[]);
    plant.fake("x", "ready\nexpect-prompt\nrun echo prompt >> ROOT/done\nhang\n");
    let supervisor = plant.dispatch();
    for run in 1..=3 {
        plant.wait_done("prompt", run);
        slay(plant.under(plant.wrapper(&format!("x/runs/{run}/launches/1"))));
    }
    assert_eq!(supervisor.wait(LIMIT).code, 5);
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["runs"]), (&"failed".into(), &3.into()), "{row}");
    let firsts: Vec<String> = plant.prompts().iter().map(|p| p.chars().take(17).collect()).collect();
    assert_eq!(firsts, ["Task [autodo 1.1]", "Task [autodo 2.1]", "Task [autodo 3.1]"]);
    assert_eq!(plant.events("x").iter().filter(|e| *e == "agent_exited").count(), 3);
    plant.check();
}

#[test]
fn a_control_client_that_is_killed_again_and_again_costs_nobody_anything() {
    let plant = Plant::new(&[CHECK]);
    for n in 1..=4 {
        plant.fake(
            &format!("x{n}"),
            "ready\nexpect-prompt\nrun echo prompt >> ROOT/done; echo work > work\nshow thinking\nwait-file ROOT/gate\n\
             run git add . && git commit -qm work\nreport done --summary did\n",
        );
    }
    let supervisor = plant.dispatch();
    let mut killed = 0;
    let mut kill_all = || {
        let clients = plant.world.tmux(&["list-clients", "-F", "#{client_pid} #{client_control_mode}"]);
        let pids = clients.stdout.lines().filter_map(|line| line.strip_suffix(" 1")?.parse::<i32>().ok());
        // One may have ended by itself since it was listed.
        killed += pids.filter(|pid| kill(Pid::from_raw(*pid), Signal::SIGKILL).is_ok()).count();
        killed
    };
    let prompts = || plant.done().get("prompt").copied().unwrap_or(0);
    wait_for("all prompts", || (kill_all() > 0 && prompts() == 4).then_some(()), || plant.world.story());
    wait_for("another one", || (kill_all() > 2).then_some(()), || plant.world.story());
    plant.open("gate");
    assert_eq!(supervisor.wait(LIMIT).code, 0);
    for n in 1..=4 {
        let row = plant.row(&format!("x{n}"));
        assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
        assert_eq!(plant.done()[&format!("check x{n}")], 1);
    }
    plant.check();
}

#[test]
fn a_killed_tmux_server_comes_back_and_no_agent_is_to_blame() {
    let plant = Plant::new(&[]);
    plant.fake(
        "x",
        "ready\nexpect-prompt\nrun echo prompt >> ROOT/done; echo dirty > dirty\nwait-file ROOT/gate\n\
         run git add . && git commit -qm work\nreport done --summary did\n",
    );
    plant.script("y", "", &["echo 1 > one"]);
    let supervisor = plant.dispatch();
    plant.wait_done("prompt", 1);
    // In the midst of its block it would rightly ask a person whether to run it again.
    let through = || (plant.row("y")["status"] == "needs_review").then_some(());
    wait_for("y to be through", through, || plant.world.story());
    let pid: i32 = plant.world.tmux(&["display-message", "-p", "#{pid}"]).ok().stdout.trim().parse().unwrap();
    slay(pid);
    plant.wait_done("prompt", 2);
    plant.open("gate");
    assert_eq!(supervisor.wait(LIMIT).code, 0);
    let (row, books) = (plant.row("x"), plant.books("x"));
    assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &2.into(), &true.into()));
    assert_eq!((&books["crashes"], &books["losses"]), (&0.into(), &1.into()), "{books}");
    assert_eq!(plant.prompts().len(), 2);
    let show = plant.repo.git(&["show", "--format=", "--name-only", "autodo/x"]);
    assert_eq!(show, "dirty", "what was not committed when it was lost is still there");
    assert_eq!(plant.row("y")["status"], "needs_review");
    plant.check();
}

#[test]
fn a_tmux_server_killed_while_nobody_watches_is_found_gone() {
    let plant = Plant::new(&[]);
    plant.script("x", "", &["echo 1 > one\ntest -e ROOT/gate", "echo 2 > two"]);
    plant.autodo(&["dispatch"]).code(8);
    plant.world.tmux(&["kill-server"]).ok();
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["reason"]), (&"blocked".into(), &"question".into()), "{row}");
    plant.open("gate");
    plant.autodo(&["answer", "x", "rerun"]).ok();
    plant.autodo(&["dispatch"]).ok();
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{row}");
    assert_eq!((plant.done()["x.1"], plant.done()["x.2"]), (2, 1));
    plant.check();
}

#[test]
fn a_deleted_tmux_socket_costs_nothing() {
    let plant = Plant::new(&[CHECK]);
    plant.script("x", "", &[HOLD, "echo 2 > two"]);
    let supervisor = plant.dispatch();
    plant.wait_done("x.1", 1);
    fs::remove_file(plant.world.tmux_socket()).unwrap();
    plant.open("gate");
    assert_eq!(supervisor.wait(LIMIT).code, 0);
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
    assert_eq!(plant.done().values().copied().collect::<Vec<_>>(), [1, 1, 1]);
    plant.check();
}

#[test]
fn a_check_that_outlives_its_supervisor_is_adopted() {
    let plant = Plant::new(&[GATED_CHECK]);
    plant.script("x", "", &["echo 1 > one"]);
    for _ in 0..2 {
        let mut supervisor = plant.dispatch();
        plant.wait_done("check", 1);
        plant.wait_row("x", "reason", "checking");
        supervisor.signal(Signal::SIGKILL);
        supervisor.wait(LIMIT);
    }
    let supervisor = plant.dispatch();
    plant.open("checked");
    assert_eq!(supervisor.wait(LIMIT).code, 0);
    let row = plant.row("x");
    assert_eq!((&row["verified"], &row["checks_status"]), (&true.into(), &"green".into()), "{row}");
    assert_eq!(plant.done()["check"], 1, "it ran once, under three supervisors");
    plant.check();
}

#[test]
fn a_check_that_ended_while_nobody_watched_counts() {
    let plant = Plant::new(&[GATED_CHECK]);
    plant.script("x", "", &["echo 1 > one"]);
    let mut supervisor = plant.dispatch();
    plant.wait_done("check", 1);
    plant.wait_row("x", "reason", "checking");
    supervisor.signal(Signal::SIGKILL);
    supervisor.wait(LIMIT);
    plant.open("checked");
    let exit = plant.world.home().join("x/runs/1/checks/1/0/exit.json");
    wait_for("the end of the check", || exit.exists().then_some(()), || plant.world.story());
    plant.autodo(&["dispatch"]).ok();
    assert_eq!((&plant.row("x")["verified"], plant.done()["check"]), (&true.into(), 1));
    plant.check();
}

#[test]
fn a_check_whose_wrapper_is_killed_is_run_again_but_never_beside_itself() {
    // The lock goes when the last process of the check does.
    let alone = "exec 9> ROOT/lock; flock -n 9 || echo twice >> ROOT/done";
    let plant = Plant::new(&[&format!("{alone}; {GATED_CHECK}")]);
    plant.script("x", "", &["echo 1 > one"]);
    let supervisor = plant.dispatch();
    plant.wait_done("check", 1);
    slay(plant.wrapper("x/runs/1/checks/1/0"));
    plant.wait_done("check", 2);
    plant.open("checked");
    assert_eq!(supervisor.wait(LIMIT).code, 0);
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
    assert_eq!((plant.done()["check"], plant.done().get("twice")), (2, None));
    plant.check();
}

#[test]
fn a_supervisor_told_to_go_leaves_its_agents_at_work() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let plant = Plant::new(&[]);
        plant.script("x", "", &[HOLD]);
        let mut supervisor = plant.dispatch();
        plant.wait_done("x.1", 1);
        plant.wait_row("x", "status", "running");
        supervisor.signal(signal);
        let ended = supervisor.wait(Duration::from_secs(10)).code(130);
        assert!(ended.stderr.contains("autodo dispatch goes on with them"), "{signal}: {}", ended.both());
        plant.check();
        let wrapper = plant.wrapper("x/runs/1/launches/1");
        assert!(fs::exists(format!("/proc/{wrapper}")).unwrap(), "{signal}: the agent goes on");
        plant.open("gate");
        plant.autodo(&["dispatch"]).ok();
        let row = plant.row("x");
        assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
        assert_eq!(plant.done()["x.1"], 1);
        plant.check();
    }
}

#[test]
fn an_interrupt_does_not_wait_for_an_agent_that_is_being_ended() {
    let plant = Plant::new(&[]);
    // It ends only by SIGKILL, which takes seconds.
    let work = "run echo 1 > one && git add . && git commit -qm 1";
    plant.fake("x", &format!("ready\nexpect-prompt\n{work}\nreport done --summary s\ndeaf\nhang\n"));
    let mut supervisor = plant.dispatch();
    let closing = || (plant.books("x")["phase"] == "closing").then_some(());
    wait_for("the closing", closing, || plant.world.story());
    let asked = Instant::now();
    supervisor.signal(Signal::SIGINT);
    supervisor.wait(Duration::from_secs(10)).code(130);
    assert!(asked.elapsed() < Duration::from_millis(1500), "it took {:?}", asked.elapsed());
    plant.autodo(&["dispatch"]).ok();
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
    assert_eq!(plant.prompts().len(), 1);
    plant.check();
}

#[test]
fn the_second_interrupt_ends_a_supervisor_that_is_stuck() {
    let plant = Plant::new(&[]);
    plant.script("x", "", &[HOLD]);
    plant.autodo(&["import", ".autodo/tickets"]).ok();
    // Its output goes into a pipe that is full and that nobody reads: the loop is stuck at its first word.
    let line = format!(
        "(head -c 65536 /dev/zero; exec sh -c 'echo $$ > {}/pid; exec {} dispatch --no-intake --json') 2>&1 | sleep 9999",
        plant.world.root().display(),
        env!("CARGO_BIN_EXE_autodo")
    );
    let pipeline = plant.world.program("sh", &["-c", &line]).in_dir(&plant.repo).spawn();
    let started = || plant.events("x").contains(&"start".to_owned()).then_some(());
    wait_for("the first step", started, || plant.world.story());
    let pid: i32 = fs::read_to_string(plant.path("pid")).unwrap().trim().parse().unwrap();
    let lives = || fs::exists(format!("/proc/{pid}")).unwrap();
    for _ in 0..2 {
        assert!(lives());
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGINT).unwrap();
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until && lives() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
    wait_for("its end", || (!lives()).then_some(()), || plant.world.story());
    drop(pipeline);
    plant.open("gate");
    plant.autodo(&["dispatch"]).ok();
    assert_eq!(plant.row("x")["verified"], true);
    plant.check();
}
