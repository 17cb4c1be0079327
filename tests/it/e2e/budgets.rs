//! Budgets of tickets and of dispatches, by what agents tell of their cost.

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject},
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

/// The agent's status line tells what the conversation has cost so far.
fn cost(usd: &str) -> String {
    format!("run echo '{{\"cost\":{{\"total_cost_usd\":{usd}}}}}' | \"$AUTODO_BIN\" hook statusline\n")
}

/// A project whose agent tells its cost by its status line.
fn project(world: &World) -> FakeProject<'_> {
    let p = FakeProject::new(world).resumable("");
    let records = format!(
        "records = {{ file = \"{}/r-{{conversation}}.jsonl\", status_line = true, head = {{ when = {{ \"/t\" = \"head\" }}, conversation = \
         \"/id\", folder = \"/cwd\" }}, prompt = {{ when = {{ \"/t\" = \"prompt\" }}, text = \"/text\" }} }}",
        p.folder().display()
    );
    p.profile(&records)
}

fn wait(p: &FakeProject<'_>, gate: &str) -> String {
    format!("wait-file {}\n", p.gate(gate))
}

#[test]
fn a_ticket_is_set_aside_when_its_budget_is_spent_and_a_tenth_more() {
    let world = World::new();
    let p = project(&world).ticket("T-1", "budget: 1.00");
    let script = [BEGIN, &cost("0"), &cost("1.05"), COMMIT, &wait(&p, "more"), &cost("1.10"), "busy 600\n"].concat();
    let p = p.scenario_of("T-1", 1, &script).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    wait_for("the cost to be known", || (p.row("T-1")["cost_usd"] == 1.05).then_some(()), || world.story());
    assert_eq!(p.status("T-1"), "running working null", "what is at work goes on to a tenth more");
    p.open("more");
    assert_eq!(dispatch.wait(PATIENCE).code, 8);
    assert_eq!(p.status("T-1"), "parked budget null");
    let shown = p.autodo(&["show", "T-1"]).ok().both();
    assert!(shown.contains("its budget of $1.00") && shown.contains("$1.10"), "{shown}");
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]).lines().count(), 1, "what was done stays");
    // Resumed as it is, it is set aside again, and nothing is started.
    p.autodo(&["resume", "T-1"]).ok();
    p.dispatch(&[]).code(8);
    assert_eq!((p.status("T-1").as_str(), p.row("T-1")["run"].as_u64()), ("parked budget null", Some(1)));
}

#[test]
fn a_dispatch_starts_nothing_more_once_its_budget_is_spent() {
    let world = World::new();
    let p = project(&world).ticket("T-1", "priority: 1").ticket("T-2", "");
    let script = [BEGIN, &cost("0"), &cost("2.05"), COMMIT, DONE].concat();
    let p = p.scenario_of("T-1", 1, &script).scenario_of("T-2", 1, &[BEGIN, COMMIT, DONE].concat()).set_up();
    let run = p.dispatch(&["--parallel", "1", "--budget", "2"]).code(0);
    assert_eq!((p.status("T-1").as_str(), p.status("T-2").as_str()), ("needs_review null true", "queued null null"));
    assert!(run.stderr.contains("the budget of $2.00 is spent ($2.05)"), "{}", run.both());
    // Another dispatch has a budget of its own.
    p.dispatch(&["--parallel", "1", "--budget", "2"]).code(0);
    assert_eq!(p.status("T-2"), "needs_review null true");
}

#[test]
fn a_dispatch_stops_all_that_runs_when_a_tenth_too_much_is_spent() {
    let world = World::new();
    let p = project(&world).ticket("T-1", "").ticket("T-2", "");
    let spends = [BEGIN, &cost("0"), &cost("0.50"), &wait(&p, "more"), &cost("1.20"), "busy 600\n"].concat();
    let p = p.scenario_of("T-1", 1, &spends).scenario_of("T-2", 1, &[BEGIN, "busy 600\n"].concat()).set_up();
    let dispatch = p.start(&["--parallel", "2", "--budget", "1"]);
    p.wait_status("T-1", "running working");
    p.wait_status("T-2", "running working");
    p.open("more");
    let run = dispatch.wait(PATIENCE);
    assert_eq!(run.code, 8, "{}", run.both());
    assert_eq!((p.status("T-1").as_str(), p.status("T-2").as_str()), ("parked budget null", "parked budget null"));
    assert!(run.stderr.contains("$1.20"), "{}", run.both());
    assert!(run.stderr.contains("1 ticket did not tell"), "{}", run.both());
}
