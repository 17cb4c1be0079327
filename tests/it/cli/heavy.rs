//! `autodo heavy`: who gets a slot, in which order, for how long, and what the command notices of it: nothing.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{
    PATIENCE,
    desk::Desk,
    program::{Background, Program},
    wait_for,
    world::World,
};

/// A world whose slots are its own.
fn world() -> World {
    let mut world = World::new();
    let folder = world.root().join("heavy");
    world.set("AUTODO_HEAVY_FOLDER", folder);
    world
}

/// `autodo heavy` with one slot, and a script that may wait for files of the world's folder.
fn heavy(world: &World, script: &str) -> Program {
    world.command(&["heavy", "--slots", "1", "--", "sh", "-c", script]).in_dir(world.root())
}

/// A heavy command that has its slot, until there is the file `go`.
fn holder(world: &World) -> Background {
    let script = "echo $$ > holds; while [ ! -e go ]; do sleep 0.02; done; echo holder >> order";
    let holder = heavy(world, script).spawn();
    wait_for("the holder", || world.root().join("holds").exists().then_some(()), || holder.said().both());
    holder
}

/// Who has come to an end, in order.
fn order(world: &World) -> String {
    std::fs::read_to_string(world.root().join("order")).unwrap_or_default()
}

fn let_go(world: &World) {
    std::fs::write(world.root().join("go"), "").unwrap();
}

/// Waits until `waiter` says that it waits.
fn until_it_waits(waiter: &Background) -> String {
    let says = || Some(waiter.said().stderr).filter(|said| said.contains("waits"));
    wait_for("a wait that is told", says, || waiter.said().both())
}

#[test]
fn the_command_takes_the_place_of_the_program_with_its_streams_and_its_end() {
    let world = world();
    let run = heavy(&world, "cat; echo err >&2; exit 7").stdin("in\0\n").run().code(7);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("in\0\n", "err\n"));
    let mut program = heavy(&world, "trap 'exit 9' TERM; echo $$ > pid; while :; do sleep 0.02; done").spawn();
    let pid = || std::fs::read_to_string(world.root().join("pid")).ok().filter(|pid| pid.ends_with('\n'));
    let pid = wait_for("its pid", pid, String::new);
    assert_eq!(pid.trim(), program.pid().to_string(), "no process stays around it");
    program.signal(Signal::SIGTERM);
    program.wait(PATIENCE).code(9);
    heavy(&world, "kill -KILL $$").run().code(137);
    world.command(&["heavy", "no-such-program", "--help"]).run().code(127);
    let run = world.command(&["heavy", "/"]).run().code(126);
    assert!(run.stderr.contains("cannot run /") && run.stderr.contains("hint:"), "{}", run.both());
    world.command(&["heavy"]).run().code(2);
    world.command(&["heavy", "--slots", "0", "true"]).run().code(2);
    // Options behind the command are its own.
    assert_eq!(world.command(&["heavy", "printf", "%s", "--json"]).run().ok().stdout, "--json");
}

#[test]
fn one_waits_for_the_other_also_from_another_home_and_says_so_once() {
    let world = world();
    let holder = holder(&world);
    let other = world.root().join("other-home");
    let waiter = heavy(&world, "echo waiter >> order").env("AUTODO_HOME", other).spawn();
    let said = until_it_waits(&waiter);
    assert!(said.contains("the slot for heavy commands was taken, by process") && said.contains("sh -c"), "{said}");
    assert!(!world.root().join("order").exists());
    let_go(&world);
    holder.wait(PATIENCE).ok();
    let said = waiter.wait(PATIENCE).ok();
    assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
    assert_eq!(order(&world), "holder\nwaiter\n");
}

#[test]
fn who_came_first_goes_first_and_one_that_is_stopped_holds_nobody_up() {
    let world = world();
    let holder = holder(&world);
    let mut waiters: Vec<Background> = Vec::new();
    for n in 0..4 {
        waiters.push(heavy(&world, &format!("echo {n} >> order")).spawn());
        until_it_waits(waiters.last().unwrap());
    }
    waiters[0].signal(Signal::SIGSTOP);
    let_go(&world);
    holder.wait(PATIENCE).ok();
    wait_for("the others", || (order(&world).lines().count() == 4).then_some(()), || order(&world));
    waiters[0].signal(Signal::SIGCONT);
    for waiter in waiters {
        waiter.wait(PATIENCE).ok();
    }
    assert_eq!(order(&world), "holder\n1\n2\n3\n0\n");
}

#[test]
fn a_killed_holder_frees_its_slot_and_so_does_a_killed_waiter_its_place() {
    let world = world();
    let mut holder = holder(&world);
    let mut first = heavy(&world, "echo first >> order").spawn();
    until_it_waits(&first);
    let second = heavy(&world, "echo second >> order").spawn();
    until_it_waits(&second);
    first.signal(Signal::SIGKILL);
    first.wait(PATIENCE).code(137);
    holder.signal(Signal::SIGKILL);
    second.wait(PATIENCE).ok();
    holder.wait(PATIENCE).code(137);
    assert_eq!(order(&world), "second\n");
}

#[test]
fn what_a_command_leaves_running_holds_no_slot() {
    let world = world();
    let script = "(while [ ! -e go ]; do sleep 0.02; done) >/dev/null 2>&1 & echo $!";
    heavy(&world, script).run().ok();
    heavy(&world, "echo next >> order").limit(Duration::from_secs(20)).run().ok();
    let_go(&world);
    assert_eq!(order(&world), "next\n");
}

#[test]
fn a_heavy_command_in_a_heavy_command_has_its_slot_already() {
    let world = world();
    let bin = crate::support::world::program_beside("autodo");
    let inner = format!("'{}' heavy --slots 1 --wait 0s -- sh -c 'echo inner'", bin.display());
    assert_eq!(heavy(&world, &inner).run().ok().stdout, "inner\n");
    // One that lives on behind it has none.
    let later =
        format!("(while [ ! -e holds ]; do sleep 0.02; done; {inner}; echo $? > code) </dev/null >/dev/null 2>&1 &");
    heavy(&world, &later).run().ok();
    let holder = holder(&world);
    let code = || std::fs::read_to_string(world.root().join("code")).ok().filter(|code| code.ends_with('\n'));
    assert_eq!(wait_for("its end", code, String::new), "75\n");
    let_go(&world);
    holder.wait(PATIENCE).ok();
}

#[test]
fn who_waits_for_a_time_only_gives_up_with_a_code_of_its_own_and_runs_nothing() {
    let world = world();
    let holder = holder(&world);
    let began = Instant::now();
    let run =
        world.command(&["heavy", "--slots=1", "--wait", "1s", "touch", "ran"]).in_dir(world.root()).run().code(75);
    assert!(began.elapsed() >= Duration::from_secs(1));
    for word in ["touch ran was not run", "taken", "for 1s", "hint:"] {
        assert!(run.stderr.contains(word), "{word}: {}", run.both());
    }
    assert!(!world.root().join("ran").exists());
    // With one slot more there is one.
    world.command(&["heavy", "--slots=2", "--wait", "0s", "true"]).run().ok();
    let run = world.command(&["heavy", "--wait", "soon", "true"]).run().code(2);
    assert!(run.stderr.contains("--wait \"soon\""), "{}", run.both());
    let_go(&world);
    holder.wait(PATIENCE).ok();
    let args = ["heavy", "--wait", "0s", "true"];
    let run = world.command(&args).env("AUTODO_HEAVY_MEMORY_MB", "4000000000").run().code(75);
    assert!(run.stderr.contains("heavy.memory_mb wants 4000000000"), "{}", run.both());
}

#[test]
fn never_more_run_at_once_than_there_are_slots() {
    let world = world();
    let script = "n=$(ls in | wc -l); mkdir in/$$; [ $n -lt 2 ] || touch many; sleep 0.05; rmdir in/$$";
    std::fs::create_dir(world.root().join("in")).unwrap();
    let args = ["heavy", "--slots", "2", "--", "sh", "-c", script];
    let all: Vec<Background> = (0..12).map(|_| world.command(&args).in_dir(world.root()).spawn()).collect();
    for one in all {
        one.wait(PATIENCE).ok();
    }
    assert!(!world.root().join("many").exists());
}

#[test]
fn the_folder_is_private_and_somebody_elses_is_refused() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let mut world = world();
    heavy(&world, "true").run().ok();
    let folder = std::fs::metadata(world.root().join("heavy")).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::metadata(world.root().join("heavy/slots")).unwrap().mode() & 0o777, 0o600);
    symlink(world.root().join("heavy"), world.root().join("link")).unwrap();
    let link = world.root().join("link");
    world.set("AUTODO_HEAVY_FOLDER", link);
    let run = heavy(&world, "true").run().code(1);
    assert!(run.stderr.contains("symbolic link") && run.stderr.contains("heavy.folder"), "{}", run.both());
}

/// The milliseconds that the launch below `folder` has waited for a slot, as it was told of.
fn told_wait(folder: &std::path::Path) -> Option<u64> {
    let file = std::fs::read_dir(folder.join("heavy")).ok()?.next()?.ok()?.path();
    let text = std::fs::read_to_string(file).ok()?;
    let mut times = text.split_ascii_whitespace().map(|word| word.parse::<u64>().ok());
    let since = times.next()??;
    Some(times.next()??.saturating_sub(since))
}

#[test]
fn neither_a_check_nor_an_agent_is_late_for_what_it_waits_for_a_slot() {
    let mut desk = Desk::new();
    let folder = desk.world.root().join("heavy");
    desk.world.set("AUTODO_HEAVY_FOLDER", folder);
    let bin = crate::support::world::program_beside("autodo");
    let heavy = |command: &str| format!("'{}' heavy --slots 1 -- {command}", bin.display());
    desk.repo.settings(&format!(
        "version = 1\nprofile = \"script\"\nchecks = [\"\"\"{}\"\"\"]\n[limits]\ncheck = \"2s\"\nstall = \"2s\"\n",
        heavy("sh -c '[ ! -e slow ] || sleep 60'")
    ));
    desk.ticket("T-1", "", &format!("{}\necho a > a.txt", heavy("true")));
    desk.ticket("T-2", "after: [T-1]", "echo b > slow");
    let run = desk.world.home().join("T-1/runs/1");
    let first = holder(&desk.world);
    let dispatch = desk.spawn(&["dispatch"]);
    let agent = run.join("launches/1");
    wait_for("the agent's wait", || told_wait(&agent), || desk.world.story());
    // Behind the agent's command, and before the check.
    let script = "touch again; while [ ! -e done ]; do sleep 0.02; done";
    let second = self::heavy(&desk.world, script).spawn();
    let long = || told_wait(&agent).filter(|waited| *waited > 5_000);
    wait_for("a long wait of the agent", long, || desk.world.story());
    let_go(&desk.world);
    first.wait(PATIENCE).ok();
    let again = || desk.world.root().join("again").exists().then_some(());
    wait_for("the second holder", again, || desk.world.story());
    let check = run.join("checks/1/0");
    let long = || told_wait(&check).filter(|waited| *waited > 5_000);
    wait_for("a long wait of the check", long, || desk.world.story());
    std::fs::write(desk.world.root().join("done"), "").unwrap();
    second.wait(PATIENCE).ok();
    desk.until("T-1", "needs_review");
    assert_eq!(desk.row("T-1")["verified"], true, "{}", desk.world.story());
    // What takes its time itself is ended as ever.
    dispatch.wait(PATIENCE).ok();
    assert_eq!(desk.row("T-2")["reason"], "checks_failed", "{}", desk.world.story());
    let events = std::fs::read_to_string(desk.world.home().join("T-1/events.jsonl")).unwrap();
    assert!(!events.contains("stall"), "{events}");
}
