//! Usage limits: what one ticket reaches, the others of its account are parked for. And logins: what one agent lacks, no
//! other ticket with it is started for.

use jiff::{SignedDuration, Timestamp};
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject},
    files::files_below,
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

/// A step that reaches a limit which lifts in about two hours.
fn limit() -> String {
    let lifts = (Timestamp::now() + SignedDuration::from_hours(2)).strftime("%-I:%M%P");
    format!("usage-limit You have hit your session limit · resets {lifts} (UTC)\nhang\n")
}

/// `T-1` reaches a limit as soon as the gate `go` is open; `T-2` has the same agent and works for as long as it may;
/// the agent of `T-3` is another one, which ends when the gate `end` is open.
fn stage(world: &World) -> FakeProject<'_> {
    let p = FakeProject::new(world).setting("parallel = 3");
    let (go, end) = (p.gate("go"), p.gate("end"));
    let resumed = [BEGIN, COMMIT, DONE].concat();
    let p = p.resumable(&resumed).ticket("T-1", "").ticket("T-2", "").ticket("T-3", "profile: other");
    let p = p
        .scenario_of("T-1", 1, &format!("{BEGIN}wait-file {go}\n{}", limit()))
        .scenario_of("T-2", 1, &format!("{BEGIN}hang\n"))
        .scenario_of("T-3", 1, &format!("{BEGIN}wait-file {end}\n{COMMIT}{DONE}"));
    p.repo.write(".autodo/profiles/other.toml", "version = 1\nname = \"other\"\nextends = \"fake\"\n");
    p.set_up()
}

/// Until both tickets are parked for the same time.
fn both_parked(p: &FakeProject<'_>) -> serde_json::Value {
    for id in ["T-1", "T-2", "T-3"] {
        p.wait_prompts(id, 1);
    }
    p.wait_status("T-2", "running working");
    p.open("go");
    for id in ["T-1", "T-2"] {
        p.wait_status(id, "parked usage_limit");
    }
    let until = p.row("T-1")["parked_until"].clone();
    assert!(until.is_string(), "{until}");
    assert_eq!(p.row("T-2")["parked_until"], until);
    until
}

#[test]
fn a_limit_parks_what_works_with_the_same_agent_and_who_is_resumed_in_spite_of_it_is_left_alone() {
    let world = World::new();
    let p = stage(&world);
    let dispatch = p.start(&[]);
    both_parked(&p);
    let parked = &p.events_of("T-2", "account_limited");
    assert_eq!((parked.len(), &parked[0]["by"]), (1, &json!("T-1")));
    assert!(p.autodo(&["show", "T-2"]).ok().stdout.contains("T-1"), "it says whose limit it was");
    p.autodo(&["resume", "T-2"]).code(0);
    p.wait_status("T-2", "needs_review null true");
    assert_eq!((p.prompts("T-2").len(), p.row("T-2")["run"].as_u64()), (2, Some(1)), "once, in the same conversation");
    assert_eq!(p.events_of("T-2", "account_limited").len(), 1, "it is not parked for the same limit again");
    assert_eq!(p.status("T-1"), "parked usage_limit null", "the limit itself stands");
    assert_eq!(p.status("T-3"), "running working null", "another agent has another account");
    p.open("end");
    dispatch.wait(PATIENCE);
    assert_eq!(p.status("T-3"), "needs_review null true");
}

#[test]
fn the_time_of_a_limit_outlives_the_supervisor_and_the_machine() {
    let world = World::new();
    let p = stage(&world);
    let mut dispatch = p.start(&[]);
    let until = both_parked(&p);
    // The machine goes down: no supervisor, no server, no agent, and what was started belongs to an earlier boot.
    dispatch.signal(Signal::SIGKILL);
    dispatch.wait(PATIENCE);
    world.tmux(&["kill-server"]);
    for (pid, _) in world.processes() {
        // Ignored: it has ended meanwhile.
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL).ok();
    }
    wait_for("all to be gone", || world.processes().is_empty().then_some(()), || world.story());
    let started: Vec<_> = files_below(&world.home()).into_iter().filter(|f| f.ends_with("started.json")).collect();
    assert!(started.len() >= 3, "{started:?}");
    for file in started {
        let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        assert!(json["boot_id"].is_string(), "{json}");
        json["boot_id"] = json!("00000000-0000-0000-0000-000000000000");
        std::fs::write(&file, json.to_string()).unwrap();
    }
    p.open("end");
    p.dispatch(&[]);
    assert_eq!((p.status("T-3").as_str(), p.row("T-3")["run"].as_u64()), ("needs_review null true", Some(1)));
    for id in ["T-1", "T-2"] {
        assert_eq!((p.status(id).as_str(), &p.row(id)["parked_until"]), ("parked usage_limit null", &until));
        assert_eq!((p.prompts(id).len(), p.events_of(id, "start").len()), (1, 1), "{id} was not tried");
    }
    // A night whose agents are all limited until after it does not begin; one of another agent's tickets does.
    p.repo.ticket("T-4", "title: Another", "Do it.\n");
    for args in [&["dispatch", "--cron"][..], &["dispatch", "--cron", "--until", "30m"]] {
        let run = p.autodo(args).code(1);
        let says = "nothing was started: limits:fake: T-1 has reached the usage limit of fake, which lifts at";
        assert!(run.stdout.contains(says), "{}", run.both());
    }
    assert!(!p.autodo(&["list"]).ok().stdout.contains("T-4"), "it was not taken");
}

#[test]
fn an_agent_that_is_not_logged_in_costs_one_ticket_and_the_others_wait_unstarted() {
    let world = World::new();
    let p = FakeProject::new(&world).setting("parallel = 1");
    let go = p.gate("login");
    let out = format!("{BEGIN}show Please log in again\nstatus logged out\nwait-file {go}\nbusy 0\n{COMMIT}{DONE}");
    let p = p.scenario_of("T-1", 1, &out);
    let p = p.ticket("T-1", "").ticket("T-2", "").ticket("T-3", "").ticket("T-4", "profile: other");
    p.repo.write(".autodo/profiles/other.toml", "version = 1\nname = \"other\"\nextends = \"fake\"\n");
    let p = p.set_up();
    let said = p.dispatch(&[]).code(4).stderr;
    assert_eq!(p.status("T-1"), "blocked logged_out null");
    assert_eq!(p.row("T-1")["question"], json!("Please log in again"));
    for id in ["T-2", "T-3"] {
        assert!(said.contains(&format!("{id}: not started: fake is not logged in, as T-1 has found")), "{said}");
        assert!(p.status(id) == "queued null null" && p.row(id)["run"].is_null(), "nothing is burnt: {}", p.row(id));
    }
    assert_eq!(p.status("T-4"), "needs_review null true", "another agent has another login");
    let page = p.autodo(&["summary"]).ok().stdout;
    assert!(page.contains("waits for the login of fake, for which T-1 asks"), "{page}");
    // Somebody logs in, in the pane: the ticket goes on by itself, and the next dispatch does all the others.
    p.open("login");
    p.dispatch(&[]).code(0);
    for id in ["T-1", "T-2", "T-3"] {
        assert_eq!((p.status(id), p.row(id)["run"].as_u64()), ("needs_review null true".into(), Some(1)), "{id}");
    }
    assert_eq!(p.prompts("T-1").len(), 1);
}
