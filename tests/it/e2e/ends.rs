//! How agents end, hang and leave things behind, and what comes of it.

use crate::support::{
    fakes::{COMMIT, DONE, FakeProject},
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

#[test]
fn an_agent_that_hangs_is_nudged_once_and_then_set_aside() {
    let world = World::new();
    let p = FakeProject::new(&world).limit("stall = \"1s\"").scenario(&[BEGIN, "ready\nprompts:\nready\n"].concat());
    let p = p.dispatched(8);
    assert_eq!(p.status("T-1"), "parked stalled null");
    assert_eq!(p.prompts("T-1").len(), 2, "{:?}", p.prompts("T-1"));
    assert!(p.row("T-1")["parked_until"].is_null());
    assert!(p.pane("T-1").is_none(), "its session is closed");
}

#[test]
fn a_nudge_that_wakes_an_agent_leads_to_its_claim() {
    let world = World::new();
    let script = [BEGIN, "ready\nprompts:\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).limit("stall = \"1s\"").scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.prompts("T-1").len(), 2);
}

#[test]
fn an_agent_that_is_deaf_and_dumb_is_set_aside_and_ended() {
    let world = World::new();
    let p = FakeProject::new(&world).limit("stall = \"1s\"").limit("delivery = \"1s\"");
    let p = p.scenario(&[BEGIN, "deaf\nhang\n"].concat()).dispatched(8);
    assert_eq!(p.status("T-1"), "parked stalled null");
    assert!(!world.processes().iter().any(|(_, argv)| argv.contains("fake-agent")), "{:?}", world.processes());
}

#[test]
fn a_run_works_no_longer_than_its_limit() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "limit: 1s").scenario(&[BEGIN, COMMIT, "busy 600\n"].concat());
    let p = p.dispatched(8);
    assert_eq!(p.status("T-1"), "parked limit null");
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "work", "what it did stays");
}

#[test]
fn an_agent_that_never_gets_ready_counts_as_crashed() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .limit("start = \"1s\"")
        .limit("crashes = 1")
        .scenario("status booting\nhang\n")
        .dispatched(5);
    assert!(p.status("T-1").starts_with("failed the agent was not ready for a prompt within 1 s"), "{}", p.row("T-1"));
}

#[test]
fn a_crash_is_followed_by_another_run_in_the_same_worktree_and_the_third_is_the_last() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .ticket("T-1", "")
        .ticket("T-2", "")
        .scenario_of("T-1", 1, &[BEGIN, "run echo one > one.txt\n", "crash 3\n"].concat())
        .scenario_of("T-1", 2, &[BEGIN, "run git add one.txt && git commit -q -m two\n", "signal 9\n"].concat())
        .scenario_of("T-1", 3, &[BEGIN, COMMIT, DONE].concat())
        .scenario_of("T-2", 1, "crash 7\n")
        .scenario_of("T-2", 2, &[BEGIN, "signal 11\n"].concat())
        .scenario_of("T-2", 3, &[BEGIN, "crash 3\n"].concat())
        .dispatched(5);
    let (row, failed) = (p.row("T-1"), p.row("T-2"));
    assert_eq!(p.status("T-1"), "needs_review null true", "one ticket failing never holds up another");
    assert_eq!(row["run"], 3, "{row}");
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "work\ntwo");
    assert!(p.prompt_md("T-1", 2).contains("the agent ended: exit 3"), "{}", p.prompt_md("T-1", 2));
    assert!(p.prompt_md("T-1", 3).contains("the agent ended: signal 9"), "{}", p.prompt_md("T-1", 3));
    assert_eq!(
        (&failed["status"], &failed["run"], &failed["attention"]),
        (&"failed".into(), &3.into(), &"retry".into())
    );
    assert!(failed["reason"].as_str().unwrap().contains("crash 3 of 3"), "{failed}");
}

#[test]
fn between_crashes_it_waits_for_its_back_off() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .limit("backoff = \"1s\"")
        .limit("crashes = 3")
        .scenario_of("T-1", 1, &[BEGIN, "crash 1\n"].concat())
        .scenario_of("T-1", 2, &[BEGIN, "crash 1\n"].concat())
        .dispatched(0);
    let events = p.events("T-1");
    let at = |event: &serde_json::Value| event["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let crashed: Vec<_> = events.iter().filter(|e| e["event"] == "agent_exited").map(at).collect();
    let starts: Vec<_> = events.iter().filter(|e| e["event"] == "start").map(at).collect();
    assert_eq!((crashed.len(), starts.len()), (2, 3), "{events:#?}");
    let back_off = |event: &&serde_json::Value| event["reason"] == "back_off" && event["to"] == "queued";
    assert_eq!(events.iter().filter(back_off).count(), 2, "{events:#?}");
    // Counted from the crash itself: on a busy machine closing the session takes a part of it.
    let waited = |n: usize| starts[n + 1].duration_since(crashed[n]).as_millis();
    assert!(waited(0) >= 1_000 && waited(1) >= 2_000, "{} {}", waited(0), waited(1));
    assert_eq!(p.status("T-1"), "needs_review null true");
}

#[test]
fn a_child_that_an_agent_leaves_behind_is_ended_with_its_session() {
    let world = World::new();
    let p = FakeProject::new(&world).scenario(&[BEGIN, "background 600\n", COMMIT, DONE].concat()).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    let records = p.records("T-1");
    let pid = records.iter().find_map(|record| record["background"].as_i64()).unwrap();
    let left = world.processes();
    assert!(!left.iter().any(|(of, argv)| i64::from(*of) == pid || argv.contains("sleep 600")), "{left:?}");
}

#[test]
fn a_flood_of_output_hides_nothing() {
    let world = World::new();
    let script = [BEGIN, "flood 20000\n", COMMIT, "flood 5000\n", DONE, "flood 20000\n"].concat();
    let p = FakeProject::new(&world).checks(&["true"]).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.prompts("T-1").len(), 1);
}

#[test]
fn a_marker_after_a_flood_is_seen() {
    let world = World::new();
    let script = [BEGIN, COMMIT, "flood 20000\nmarker done\n"].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
}

#[test]
fn a_ticket_that_a_usage_limit_holds_back_is_waited_for_no_longer_than_one_that_is_parked() {
    let world = World::new();
    let script = [BEGIN, "usage-limit You have hit your limit, resets Jan 2, 3pm (UTC)\nhang\n"].concat();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "").scenario(&script).set_up();
    let said = p.dispatch(&["--parallel", "1"]).code(0);
    assert_eq!((p.status("T-1").as_str(), p.row("T-2")["run"].is_null()), ("parked usage_limit null", true));
    assert!(said.both().contains("T-2: not started: the usage limit of fake lifts at"), "{}", said.both());
}

#[test]
fn a_usage_limit_sets_the_ticket_aside_with_the_agents_words() {
    let world = World::new();
    let script = |words: &str| [BEGIN, "usage-limit ", words, "\nhang\n"].concat();
    let p = FakeProject::new(&world).scenario(&script("You have hit your limit, resets soon")).dispatched(8);
    assert_eq!(p.status("T-1"), "parked usage_limit null");
    assert!(p.row("T-1")["parked_until"].is_null() && p.review_md("T-1").contains("resets soon"));
    let p =
        p.ticket("T-2", "").scenario_of("T-2", 1, &script("You have hit your limit, resets Jan 2, 3pm (UTC)")).set_up();
    p.autodo(&["cancel", "T-1"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-2"), "parked usage_limit null");
    let until = p.row("T-2")["parked_until"].as_str().unwrap().to_owned();
    assert!(until.contains(":02:00"), "two minutes after the hour: {until}");
}

#[test]
fn a_service_that_is_overloaded_in_the_midst_of_a_turn_costs_time_only() {
    let world = World::new();
    let fails = [BEGIN, "show API error 529, overloaded\nstatus overloaded\nhang\n"].concat();
    let goes_on = ["ready\nexpect-prompt\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).resumable(&goes_on).scenario(&fails).dispatched(0);
    assert_eq!((p.status("T-1"), p.row("T-1")["run"].as_u64()), ("needs_review null true".into(), Some(1)));
    let prompts = p.prompts("T-1");
    assert_eq!(prompts.len(), 2, "its prompt once, and once that it is to go on: {prompts:?}");
    assert!(
        p.events("T-1").iter().any(|line| line.to_string().contains("API error 529, overloaded")),
        "and why is told"
    );
}

#[test]
fn the_last_screen_is_kept() {
    let world = World::new();
    let script = [BEGIN, "show the last words\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    let kept = std::fs::read_to_string(p.run_folder("T-1", 1).join("screens/1.txt")).unwrap();
    assert!(kept.contains("the last words"), "{kept}");
}

#[test]
fn an_agent_whose_session_is_closed_by_hand_is_not_to_blame() {
    let world = World::new();
    let gate = world.root().join("gate").display().to_string();
    let p = FakeProject::new(&world)
        .limit("crashes = 1")
        .scenario_of("T-1", 1, &[BEGIN, "busy 600\n"].concat())
        .scenario_of("T-1", 2, &format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}"))
        .set_up();
    let dispatch = p.start(&[]);
    p.wait_prompts("T-1", 1);
    p.wait_status("T-1", "running working");
    let session = p.row("T-1")["session"].as_str().unwrap().to_owned();
    world.tmux(&["kill-session", "-t", &format!("={session}")]).ok();
    p.wait_prompts("T-1", 2);
    p.open("gate");
    dispatch.wait(crate::support::PATIENCE).code(0);
    let row = p.row("T-1");
    assert_eq!((p.status("T-1").as_str(), &row["run"]), ("needs_review null true", &2.into()));
}

#[test]
fn a_tmux_server_that_is_killed_costs_no_ticket_anything() {
    let world = World::new();
    let p = FakeProject::new(&world).limit("crashes = 1").ticket("T-1", "").ticket("T-2", "");
    let gate = p.gate("gate");
    let p = p.scenario(&format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}")).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    p.wait_status("T-2", "running working");
    wait_for(
        "both to commit",
        || (p.commands("T-1").len() + p.commands("T-2").len() == 2).then_some(()),
        || world.story(),
    );
    world.tmux(&["kill-server"]).ok();
    p.wait_prompts("T-1", 2);
    p.wait_prompts("T-2", 2);
    p.open("gate");
    dispatch.wait(crate::support::PATIENCE).code(0);
    for id in ["T-1", "T-2"] {
        assert_eq!(p.status(id), "needs_review null true");
        assert_eq!(p.row(id)["run"], 2);
    }
}

#[test]
fn an_agent_that_is_busy_for_longer_than_a_stall_is_not_stalled() {
    let world = World::new();
    let script = [BEGIN, "busy 5\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).limit("stall = \"2s\"").scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.prompts("T-1").len(), 1, "it was not nudged: {:?}", p.prompts("T-1"));
}

#[test]
fn words_of_a_limit_that_the_agent_only_prints_hold_nothing_up() {
    let world = World::new();
    let diff = "show +You have hit your limit, resets 3pm\nshow You have hit your limit\nready\n";
    let script = [BEGIN, diff, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
}
