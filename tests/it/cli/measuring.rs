//! What agents take of the machine: measured while they live, kept with their run, and what a start beside them needs.

use serde_json::Value;

use crate::support::{PATIENCE, desk::Desk, wait_for};

/// A figure of `show --json`.
fn figure(desk: &Desk, id: &str, name: &str) -> Value {
    desk.autodo(&["show", id, "--json"]).ok().json()[name].clone()
}

fn needs(desk: &Desk) -> String {
    std::fs::read_to_string(desk.world.home().join("needs.json")).unwrap_or_default()
}

#[test]
fn the_process_tree_of_an_agent_is_measured_and_its_peak_is_kept() {
    let desk = Desk::new();
    // A child of the agent's shell holds 60 MB, and has worked for them.
    let block = "sh -c 'x=$(head -c 60000000 /dev/zero | tr \"\\0\" x); while [ ! -e go ]; do sleep 0.02; done'";
    desk.ticket("T-1", "", &format!("{block}\nrm -f go; echo a > a.txt"));
    let dispatch = desk.supervisor(&[]);
    desk.until_at_work("T-1");
    assert_eq!(desk.row("T-1")["admission"], Value::Null);
    let measured = || desk.row("T-1")["memory_mb"].as_u64().filter(|memory| *memory >= 60);
    let memory = wait_for("its memory", measured, || desk.row("T-1").to_string());
    assert!(memory < 2000, "{memory}");
    assert!(desk.row("T-1")["memory_peak_mb"].as_u64().is_some_and(|peak| peak >= memory), "{}", desk.row("T-1"));
    assert!(desk.row("T-1")["cpu_seconds"].as_u64().is_some_and(|seconds| (1..60).contains(&seconds)));
    let show = desk.autodo(&["show", "T-1"]).ok();
    assert!(show.stdout.contains("MiB of memory, ") && show.stdout.contains("of processor time"), "{}", show.stdout);
    let worktree = desk.row("T-1")["worktree"].as_str().unwrap().to_owned();
    std::fs::write(format!("{worktree}/go"), "").unwrap();
    dispatch.wait(PATIENCE).ok();
    assert_eq!(desk.status("T-1"), "needs_review");
    assert_eq!(figure(&desk, "T-1", "memory_mb"), Value::Null);
    assert!(figure(&desk, "T-1", "memory_peak_mb").as_u64().unwrap() >= 60);
    let show = desk.autodo(&["show", "T-1"]).ok();
    assert!(show.stdout.contains("MiB of memory at most; "), "{}", show.stdout);
    assert!(needs(&desk).contains("\"script\":["), "{}", needs(&desk));
}

#[test]
fn a_start_beside_others_needs_what_earlier_runs_took_and_the_list_says_why_it_waits() {
    let desk = Desk::new();
    // So much no machine has: three runs of this agent are said to have taken it.
    let book = "{\"version\":1,\"figures\":{\"script\":[900000000,900000000,900000000]}}\n";
    std::fs::create_dir_all(desk.world.home()).unwrap();
    std::fs::write(desk.world.home().join("needs.json"), book).unwrap();
    desk.held("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "", "echo b > b.txt");
    desk.ticket("T-3", "after: [T-2]", "echo c > c.txt");
    let dispatch = desk.supervisor(&["--parallel", "3"]);
    desk.until_at_work("T-1");
    let held = || desk.row("T-2")["admission"].as_str().map(str::to_owned);
    let why = wait_for("the reason", held, || dispatch.said().both());
    assert!(why.contains("a start wants 900000000") && why.contains("as earlier runs took"), "{why}");
    assert_eq!(
        (desk.row("T-1")["admission"].clone(), desk.row("T-3")["admission"].clone()),
        (Value::Null, Value::Null)
    );
    let list = desk.autodo(&["list"]).ok();
    let line = |id: &str| list.stdout.lines().find(|line| line.starts_with(id)).unwrap_or_default().to_owned();
    assert!(line("T-2").ends_with("(no room)") && line("T-3").ends_with("(after T-2)"), "{}", list.stdout);
    assert!(list.stderr.contains("nothing more is started for now"), "{}", list.stderr);
    let show = desk.autodo(&["show", "T-2"]).ok();
    assert!(show.stdout.contains("the machine has no room: "), "{}", show.stdout);
    desk.let_go("T-1");
    // Alone an agent starts: else none that once took more than there is would ever start again.
    dispatch.wait(PATIENCE).ok();
    let all = ["T-1", "T-2", "T-3"].map(|id| desk.status(id));
    assert_eq!(all, ["needs_review", "needs_review", "needs_review"]);
    // It can be left out.
    desk.held("T-4", "", "echo d > d.txt");
    desk.ticket("T-5", "", "echo e > e.txt");
    std::fs::write(desk.world.home().join("needs.json"), book).unwrap();
    let dispatch = desk.command(&["dispatch", "--parallel", "2"]).env("AUTODO_ADMISSION_MEASURED", "false").spawn();
    let until_listed = || desk.autodo(&["list"]).ok().stdout.contains("T-5").then_some(());
    wait_for("the tickets", until_listed, || dispatch.said().both());
    desk.until("T-5", "needs_review");
    assert_eq!(desk.status("T-4"), "running");
    desk.let_go("T-4");
    dispatch.wait(PATIENCE).ok();
}
