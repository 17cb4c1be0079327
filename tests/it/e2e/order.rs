//! Which tickets run when, and what they stand on.

use serde_json::json;

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject, is_there},
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

/// When the runs of all tickets began, in order: ids.
fn starts(world: &World) -> Vec<(String, jiff::Timestamp)> {
    let lines = world.journal();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    lines
        .filter(|line| line["event"]["event"] == "start")
        .map(|line| (line["ticket"].as_str().unwrap().to_owned(), line["at"].as_str().unwrap().parse().unwrap()))
        .collect()
}

/// Steps that write a file of the ticket's own and commit it.
fn own_file(id: &str, text: &str) -> String {
    format!("run echo {text} > {id}.txt && git add -A && git commit -q -m {id}\n")
}

#[test]
fn no_more_agents_are_alive_than_there_are_slots_and_all_get_their_turn() {
    let world = World::new();
    let mut p = FakeProject::new(&world);
    let count = world.root().join("count");
    std::fs::create_dir(&count).unwrap();
    let here = count.display();
    let script = format!(
        "run touch {here}/$AUTODO_TICKET; ls {here} | wc -l >> {here}.log\n{BEGIN}{COMMIT}run rm {here}/$AUTODO_TICKET\n{DONE}"
    );
    for number in 1..=5 {
        p = p.ticket(&format!("T-{number}"), "");
    }
    p.scenario(&script).set_up().dispatch(&["--parallel", "2"]);
    let alive = std::fs::read_to_string(world.root().join("count.log")).unwrap();
    let most = alive.lines().map(|line| line.trim().parse::<u32>().unwrap()).max();
    assert_eq!((alive.lines().count(), most), (5, Some(2)), "{alive}");
}

#[test]
fn tickets_start_by_priority_and_then_as_they_were_accepted() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .ticket("T-1", "")
        .ticket("T-2", "priority: 5")
        .ticket("T-3", "priority: 1")
        .ticket("T-4", "")
        .set_up();
    p.autodo(&["dispatch", "--parallel", "1"]).code(0);
    let order: Vec<String> = starts(&world).into_iter().map(|(id, _)| id).collect();
    assert_eq!(order, ["T-3", "T-1", "T-4", "T-2"]);
}

#[test]
fn starts_are_staggered_and_limited_in_number() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "").ticket("T-3", "").set_up();
    p.autodo(&["dispatch", "--parallel", "3", "--stagger", "2s", "--max", "2"]).code(0);
    let starts = starts(&world);
    assert_eq!(starts.len(), 2, "{starts:?}");
    assert!(starts[1].1.duration_since(starts[0].1).as_millis() >= 2_000, "{starts:?}");
    assert_eq!(p.row("T-3")["status"], "queued");
}

#[test]
fn a_ticket_stands_on_the_work_of_the_one_it_comes_after() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .ticket("A", "")
        .ticket("B", "after: [A]")
        .scenario_of("A", 1, &[BEGIN, &own_file("A", "a"), DONE].concat())
        .scenario_of("B", 1, &[BEGIN, "run cat A.txt > B.txt\n", &own_file("C", "c"), DONE].concat())
        .dispatched(0);
    assert_eq!((p.status("A").as_str(), p.status("B").as_str()), ("needs_review null true", "needs_review null true"));
    assert_eq!(std::fs::read_to_string(p.worktree("B").join("B.txt")).unwrap(), "a\n");
    assert_eq!(p.row("B")["base"].as_str().unwrap(), p.git("A", &["rev-parse", "HEAD"]));
    assert_eq!(p.git("B", &["log", "--format=%s", "autodo/A.."]), "C", "only what is behind the base is its own");
    p.autodo(&["approve", "B"]).code(1);
    assert_eq!(p.row("B")["status"], "needs_review", "not before the one it stands on");
    p.autodo(&["approve", "A", "B"]).code(0);
}

#[test]
fn work_on_a_base_that_was_sent_back_is_flagged_until_a_retry_rebases_it() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .ticket("A", "")
        .ticket("B", "after: [A]")
        .scenario_of("A", 1, &[BEGIN, &own_file("A", "a"), DONE].concat())
        .scenario_of("A", 2, &[BEGIN, "run echo better > A.txt && git commit -qam better\n", DONE].concat())
        .scenario_of("B", 1, &[BEGIN, &own_file("B", "b"), DONE].concat())
        .scenario_of("B", 2, &[BEGIN, DONE].concat())
        .dispatched(0);
    p.autodo(&["reject", "A", "-m", "do better"]).code(0);
    p.dispatch(&[]).code(0);
    let row = p.row("B");
    assert_eq!((&row["status"], &row["flags_count"]), (&json!("needs_review"), &json!(1)), "{row}");
    assert!(p.review("B")["flags"].to_string().contains("stale"), "{}", p.review("B"));
    assert!(!p.autodo(&["approve-low"]).both().contains("B: reviewed"));
    assert_eq!(p.row("B")["status"], "needs_review");
    p.autodo(&["retry", "B"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.row("B")["flags_count"], 0, "{}", p.review("B"));
    assert_eq!(std::fs::read_to_string(p.worktree("B").join("A.txt")).unwrap(), "better\n");
    assert_eq!(p.git("B", &["log", "--format=%s", "autodo/A.."]), "B");
}

#[test]
fn what_comes_after_a_ticket_that_failed_is_set_aside_and_comes_back_with_it() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .limit("crashes = 1")
        .ticket("A", "")
        .ticket("B", "after: [A]")
        .ticket("C", "after: [B]")
        .ticket("D", "")
        .scenario_of("A", 1, &[BEGIN, "crash 1\n"].concat())
        .dispatched(5);
    assert_eq!(p.row("A")["status"], "failed");
    assert_eq!(p.status("B"), "parked dependency null");
    assert_eq!(p.status("D"), "needs_review null true", "one failing never holds up the rest");
    assert!(p.prompts("B").is_empty() && p.prompts("C").is_empty());
    assert!(!is_there(p.worktree("B")));
    p.autodo(&["retry", "A"]).code(0);
    p.dispatch(&[]);
    for id in ["A", "B", "C"] {
        assert_eq!(p.status(id), "needs_review null true", "{id}");
    }
}

#[test]
fn two_dependencies_are_merged_first_and_a_conflict_is_a_persons() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .ticket("A", "")
        .ticket("B", "")
        .ticket("C", "")
        .ticket("D", "after: [A, B]")
        .ticket("E", "after: [A, C]")
        .scenario_of("A", 1, &[BEGIN, &own_file("A", "a"), DONE].concat())
        .scenario_of("B", 1, &[BEGIN, &own_file("B", "b"), DONE].concat())
        .scenario_of("C", 1, &[BEGIN, "run echo c > A.txt\n", &own_file("C", "c"), DONE].concat())
        .dispatched(8);
    assert_eq!(p.status("D"), "needs_review null true");
    assert!(is_there(p.worktree("D").join("A.txt")) && is_there(p.worktree("D").join("B.txt")));
    assert_eq!(p.status("E"), "blocked conflict null");
    let question = p.row("E")["question"].as_str().unwrap().to_owned();
    assert!(question.contains("A.txt"), "{question}");
    assert!(p.prompts("E").is_empty());
}

#[test]
fn a_dependency_that_is_not_verified_is_not_stood_on() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .limit("feedback_rounds = 0")
        .ticket("A", "accept: [\"false\"]")
        .ticket("B", "after: [A]")
        .set_up();
    p.dispatch(&[]);
    assert_eq!(p.status("A"), "needs_review checks_failed false");
    assert_eq!(p.row("B")["status"], "queued");
    p.autodo(&["approve", "A"]).code(0);
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("B"), "needs_review null true", "a person's word is enough");
}

#[test]
fn a_drained_supervisor_finishes_what_runs_and_starts_nothing_more() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "");
    let gate = p.gate("gate");
    let p = p.scenario(&format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}")).set_up();
    let dispatch = p.start(&["--parallel", "1"]);
    p.wait_prompts("T-1", 1);
    p.autodo(&["drain"]).code(0);
    p.open("gate");
    dispatch.wait(PATIENCE);
    assert_eq!((p.status("T-1").as_str(), &p.row("T-2")["status"]), ("needs_review null true", &json!("queued")));
    wait_for("its end", || (!p.autodo(&["list"]).both().contains("running")).then_some(()), || world.story());
}
