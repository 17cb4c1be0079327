//! `clean --orphans`: what is autodo's and nobody's any more, and all that looks like it and is somebody's.

use std::path::{Path, PathBuf};

use nix::{sys::signal::kill, unistd::Pid};
use serde_json::Value;

use super::doctor::told;
use crate::support::{PATIENCE, desk::Desk, wait_for};

fn worktrees(desk: &Desk) -> PathBuf {
    desk.repo.path.with_file_name("proj.worktrees")
}

/// `doctor` on one kind: status and detail.
fn doctor(desk: &Desk, name: &str) -> (String, String) {
    let (status, detail, fix) = told(&desk.autodo(&["doctor", "--json"]), name);
    assert_eq!(status == "warn", fix.contains("autodo clean --orphans"), "{name}: {fix}");
    (status, detail)
}

fn listed(desk: &Desk, more: &[&str]) -> Vec<Value> {
    let run = desk.autodo(&[&["clean", "--orphans", "--json"], more].concat()).ok();
    run.json()["orphans"].as_array().unwrap().clone()
}

/// Takes a ticket out of the books as if autodo had never heard of it; what was made for it stays.
fn forget(desk: &Desk) {
    for file in ["journal.jsonl", "queue.toml", "list.jsonl"] {
        // Ignored: not each of them need be there.
        std::fs::remove_file(desk.world.home().join(file)).ok();
    }
}

fn lives(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(Pid::from_raw(pid), None).is_ok() && !stat.contains(") Z ")
}

/// A process with this launch folder in its environment, as one that outlived its launch has it.
fn outlived(desk: &Desk, launch: &Path, run: &str) -> i32 {
    let line = "setsid sleep 600 >/dev/null 2>&1 </dev/null & echo $!";
    let mut started = desk.world.program("sh", &["-c", line]);
    started = started.env("AUTODO_LAUNCH", launch.to_str().unwrap()).env("AUTODO_RUN", run);
    started.run().ok().stdout.trim().parse().unwrap()
}

#[test]
fn a_session_without_a_ticket_is_shown_and_ended_with_what_runs_in_it() {
    let desk = Desk::new();
    desk.held("T-1", "", "true");
    let mut supervisor = desk.supervisor(&[]);
    desk.until_at_work("T-1");
    assert_eq!(doctor(&desk, "sessions"), ("ok".to_owned(), "1 sessions of tickets".to_owned()));
    assert_eq!(listed(&desk, &["--yes"]), Vec::<Value>::new(), "its ticket is at work");
    supervisor.signal(nix::sys::signal::Signal::SIGKILL);
    supervisor.wait(PATIENCE);
    forget(&desk);
    let (status, detail) = doctor(&desk, "sessions");
    assert!(
        status == "warn" && detail.contains("session ad-T-1 (run 1, launch 1): there is no ticket T-1"),
        "{detail}"
    );
    let said = desk.autodo(&["clean", "--orphans"]).ok();
    assert!(said.stdout.contains("would remove: session ad-T-1") && said.stderr.contains("the same with --yes"));
    assert_eq!(desk.world.tmux(&["has-session", "-t", "=ad-T-1"]).code, 0, "it was only listed");
    let gone = listed(&desk, &["--yes"]);
    let session = gone.iter().find(|one| one["kind"] == "session").unwrap();
    assert_eq!((session["session"].as_str(), session["removed"].as_bool()), (Some("ad-T-1"), Some(true)));
    assert_ne!(desk.world.tmux(&["has-session", "-t", "=ad-T-1"]).code, 0);
    assert_eq!(listed(&desk, &[]).iter().filter(|one| one["kind"] != "worktree").count(), 0);
    assert!(!desk.world.processes().iter().any(|(_, argv)| argv.contains(" launch ")), "{}", desk.world.story());
}

#[test]
fn sessions_that_autodo_did_not_open_are_shown_and_left_and_those_of_another_server_are_not_seen() {
    let desk = Desk::new();
    desk.autodo(&["list"]).ok();
    desk.world.tmux(&["new-session", "-d", "-s", "mine", "sleep", "600"]).ok();
    let other = desk.world.root().join("other.sock");
    let at = |args: &[&str]| {
        let all = [&["-S", other.to_str().unwrap(), "-f", "/dev/null"], args].concat();
        desk.world.program("tmux", &all).run()
    };
    at(&["new-session", "-d", "-s", "ad-T-1", "sleep", "600"]).ok();
    at(&["set-option", "-p", "-t", "=ad-T-1:", "@autodo_ticket", "T-1"]).ok();
    let all = listed(&desk, &["--yes"]);
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((all[0]["session"].as_str(), all[0]["removed"].as_bool()), (Some("mine"), Some(false)));
    assert!(all[0]["by_hand"].as_str().unwrap().contains("kill-session -t '=mine'"), "{all:?}");
    assert_eq!(desk.world.tmux(&["has-session", "-t", "=mine"]).code, 0);
    assert_eq!(at(&["has-session", "-t", "=ad-T-1"]).code, 0);
    at(&["kill-server"]).ok();
}

#[test]
fn sessions_on_a_further_server_of_the_home_are_found_too() {
    let desk = Desk::new();
    desk.autodo(&["list"]).ok();
    let second = desk.world.home().join("run/tmux-2.sock");
    let at = |args: &[&str]| {
        let all = [&["-S", second.to_str().unwrap(), "-f", "/dev/null"], args].concat();
        desk.world.program("tmux", &all).run()
    };
    at(&["new-session", "-d", "-s", "ad-T-9", "sleep", "600"]).ok();
    for (option, value) in [("@autodo_ticket", "T-9"), ("@autodo_run", "1"), ("@autodo_launch", "2")] {
        at(&["set-option", "-p", "-t", "=ad-T-9:", option, value]).ok();
    }
    assert!(doctor(&desk, "sessions").1.contains("ad-T-9 (run 1, launch 2)"));
    assert_eq!(listed(&desk, &["--yes"])[0]["removed"], true);
    assert_ne!(at(&["has-session", "-t", "=ad-T-9"]).code, 0);
}

#[test]
fn a_process_without_a_session_is_shown_and_ended() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    let launch = desk.world.home().join("T-1/runs/1/launches/1");
    let left = outlived(&desk, &launch, "T-1/1");
    let unknown = outlived(&desk, &desk.world.home().join("T-7/runs/1/checks/1/0"), "T-7/1");
    let (status, detail) = doctor(&desk, "processes");
    assert!(status == "warn" && detail.contains(&format!("process {left} (sleep): T-1 is needs_review")), "{detail}");
    assert!(detail.contains(&format!("process {unknown} (sleep): there is no ticket T-7")), "{detail}");
    let all = listed(&desk, &[]);
    assert!(all.iter().all(|one| one["removed"] == false) && lives(left) && lives(unknown), "{all:?}");
    let all = listed(&desk, &["--yes"]);
    assert!(all.len() == 2 && all.iter().all(|one| one["removed"] == true), "{all:?}");
    assert!(!lives(left) && !lives(unknown));
    assert_eq!(doctor(&desk, "processes").0, "ok");
}

#[test]
fn processes_of_a_ticket_at_work_and_of_another_home_are_left_alone() {
    let desk = Desk::new();
    desk.held("T-1", "", "true");
    let supervisor = desk.supervisor(&[]);
    desk.until_at_work("T-1");
    let launch = desk.world.home().join("T-1/runs/1/launches/1");
    let at_work = outlived(&desk, &launch, "T-1/1");
    // A home whose path begins like this one's.
    let other = outlived(&desk, &desk.world.root().join("ad-other/T-1/runs/1/launches/1"), "T-1/1");
    assert_eq!(listed(&desk, &["--yes"]), Vec::<Value>::new());
    assert!(lives(at_work) && lives(other));
    kill(Pid::from_raw(at_work), nix::sys::signal::Signal::SIGKILL).unwrap();
    desk.let_go("T-1");
    supervisor.wait(PATIENCE).ok();
    assert_eq!(listed(&desk, &["--yes"]), Vec::<Value>::new());
    assert!(lives(other));
    kill(Pid::from_raw(other), nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[test]
fn a_worktree_without_a_ticket_goes_and_its_work_is_kept_commits_and_changes() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    assert_eq!(listed(&desk, &["--yes"]), Vec::<Value>::new(), "its ticket is in the queue");
    let place = worktrees(&desk).join("T-1");
    std::fs::write(place.join("notes.txt"), "mine").unwrap();
    forget(&desk);
    let (status, detail) = doctor(&desk, "strays");
    assert!(status == "warn" && detail.contains(&format!("worktree {} on the branch autodo/T-1", place.display())));
    assert_eq!(listed(&desk, &["--dry-run", "--yes"])[0]["removed"], false);
    assert!(place.is_dir());
    let said = desk.autodo(&["clean", "--orphans", "--yes"]).ok();
    assert!(said.stdout.contains("its work is kept in refs/autodo/rescue/T-1/1"), "{}", said.both());
    assert!(!place.exists());
    let kept = |file: &str| desk.repo.git(&["show", &format!("refs/autodo/rescue/T-1/1:{file}")]);
    assert_eq!((kept("a.txt").as_str(), kept("notes.txt").as_str()), ("a", "mine"));
    assert_eq!(desk.repo.git(&["branch", "--list", "autodo/*"]), "");
    assert_eq!(doctor(&desk, "strays").0, "ok");
}

#[test]
fn a_half_made_worktree_of_a_ticket_that_is_no_more_goes_without_a_trace() {
    let mut desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    for point in ["git.adding", "git.added", "git.set_up"] {
        desk.world.set("AUTODO_CRASH_AT", format!("{point}#1"));
        desk.autodo(&["dispatch"]);
        desk.world.unset("AUTODO_CRASH_AT");
        forget(&desk);
        for one in listed(&desk, &["--yes"]) {
            assert_eq!((one["removed"].as_bool(), one["rescue"].as_str()), (Some(true), None), "{point}: {one}");
        }
        assert!(!worktrees(&desk).join("T-1").exists(), "{point}");
        assert!(!desk.repo.git(&["worktree", "list"]).contains("T-1"), "{point}");
    }
}

#[test]
fn a_checkout_that_was_just_drawn_from_the_pool_goes_too() {
    for point in ["git.pool_registered", "git.pool_moved"] {
        let mut desk = Desk::new();
        desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = []\n[worktree]\npool = 1\n");
        desk.ticket("T-1", "", "echo a > a.txt");
        desk.autodo(&["dispatch"]).ok();
        let list = || desk.repo.git(&["worktree", "list", "--porcelain"]);
        wait_for("a warm checkout", || list().contains("locked autodo-pool\n").then_some(()), list);
        desk.ticket("T-2", "", "echo b > b.txt");
        desk.world.set("AUTODO_CRASH_AT", format!("{point}#1"));
        desk.autodo(&["dispatch", "--only", "T-2"]);
        desk.world.unset("AUTODO_CRASH_AT");
        forget(&desk);
        let all = listed(&desk, &["--yes"]);
        let one = all.iter().find(|one| one["ticket"] == "T-2").unwrap_or_else(|| panic!("{point}: {all:?}"));
        assert_eq!((one["removed"].as_bool(), one["rescue"].as_str()), (Some(true), None), "{point}: {one}");
        let left = desk.repo.git(&["worktree", "list"]);
        assert!(!left.contains("T-2") && !worktrees(&desk).join("T-2").exists(), "{point}: {left}");
    }
}

#[test]
fn a_half_made_worktree_of_a_ticket_that_was_cancelled_just_then_is_cleaned_like_any_other() {
    let mut desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.world.set("AUTODO_CRASH_AT", "git.added#1");
    desk.autodo(&["dispatch"]);
    desk.world.unset("AUTODO_CRASH_AT");
    let place = worktrees(&desk).join("T-1");
    // Somebody has been there after all.
    std::fs::write(place.join("mine.txt"), "mine").unwrap();
    desk.autodo(&["cancel", "T-1"]).ok();
    // As an older autodo left it.
    desk.repo.git(&["worktree", "lock", "--reason", "autodo-creating", place.to_str().unwrap()]);
    let refused = desk.autodo(&["clean", "T-1"]).code(1);
    assert!(refused.stderr.contains("changes that are not committed: mine.txt"), "{}", refused.both());
    std::fs::remove_file(place.join("mine.txt")).unwrap();
    desk.autodo(&["clean", "T-1"]).ok();
    assert!(!place.exists() && desk.repo.git(&["for-each-ref", "refs/autodo", "refs/heads/autodo"]).is_empty());
}

#[test]
fn a_person_s_worktrees_the_pool_and_those_of_another_home_are_left_alone() {
    let mut desk = Desk::new();
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = []\n[worktree]\npool = 1\n");
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    let is_warm = || desk.repo.git(&["worktree", "list", "--porcelain"]).contains("locked autodo-pool\n").then_some(());
    wait_for("a warm checkout", is_warm, || desk.repo.git(&["worktree", "list"]));
    let folder = worktrees(&desk);
    let at = |name: &str| folder.join(name).display().to_string();
    let (mine, like) = (at("mine"), at("T-8"));
    desk.repo.git(&["worktree", "add", "--quiet", "-b", "feature", &mine]);
    desk.repo.git(&["worktree", "add", "--quiet", "-b", "autodo/T-8", &like]);
    std::fs::create_dir(at("plain")).unwrap();
    desk.world.program("git", &["init", "--quiet", &at("repo")]).run().ok();
    // Another home works in the same project.
    let first = desk.world.home();
    desk.world.set("AUTODO_HOME", desk.world.root().join("b"));
    desk.ticket("T-2", "", "echo b > b.txt");
    desk.autodo(&["dispatch", "--only", "T-2"]).ok();
    desk.world.set("AUTODO_HOME", first);
    let all = listed(&desk, &["--yes"]);
    let left: Vec<(&str, bool)> =
        all.iter().map(|one| (one["path"].as_str().unwrap(), one["removed"].as_bool().unwrap())).collect();
    assert_eq!(left, [(like.as_str(), false), (at("plain").as_str(), false)], "{all:?}");
    assert!(all[0]["left"].as_str().unwrap().contains("no home says that it is its own"), "{all:?}");
    for name in ["mine", "T-8", "plain", "repo", "T-1", "T-2", ".pool-1"] {
        assert!(Path::new(&at(name)).is_dir(), "{name}");
    }
    // Its home is gone: shown then, and left.
    std::fs::remove_dir_all(desk.world.root().join("b")).unwrap();
    let all = listed(&desk, &["--yes"]);
    let one = all.iter().find(|one| one["ticket"] == "T-2").unwrap();
    assert!(one["removed"] == false && one["left"].as_str().unwrap().contains("which is gone"), "{one}");
    assert!(Path::new(&at("T-2")).is_dir());
}

#[test]
fn a_worktree_that_two_homes_took_belongs_to_the_one_that_has_its_ticket() {
    let mut desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    forget(&desk);
    let first = desk.world.home();
    desk.world.set("AUTODO_HOME", desk.world.root().join("b"));
    desk.autodo(&["dispatch"]);
    desk.world.set("AUTODO_HOME", first);
    assert_eq!(listed(&desk, &["--yes"]), Vec::<Value>::new());
    assert!(worktrees(&desk).join("T-1").is_dir());
}

#[test]
fn orphans_go_beside_a_running_supervisor() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    forget(&desk);
    std::fs::remove_file(desk.repo.path.join(".autodo/tickets/T-1.md")).unwrap();
    desk.held("T-2", "", "true");
    let supervisor = desk.supervisor(&[]);
    desk.until_at_work("T-2");
    let all = listed(&desk, &["--yes"]);
    assert!(all.len() == 1 && all[0]["ticket"] == "T-1" && all[0]["removed"] == true, "{all:?}");
    assert!(worktrees(&desk).join("T-2").is_dir() && !worktrees(&desk).join("T-1").exists());
    desk.let_go("T-2");
    supervisor.wait(PATIENCE).ok();
}

#[test]
fn what_cannot_be_looked_at_is_an_error_and_nothing_is_ended_because_of_it() {
    let desk = Desk::new();
    let said = desk.autodo(&["clean", "--orphans"]).ok();
    assert!(said.stderr.contains("nothing is left over"), "{}", said.both());
    let left = outlived(&desk, &desk.world.home().join("T-7/runs/1/launches/1"), "T-7/1");
    // A server that takes the call and says nothing: whether that process has a session is not known.
    let socket = desk.world.home().join("run/tmux.sock");
    let mute = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let said = desk.autodo(&["clean", "--orphans", "--yes"]).code(1);
    assert!(said.stderr.contains("cannot look for a session that is left over"), "{}", said.both());
    assert!(said.stderr.contains("which of them have a session is not known"), "{}", said.both());
    assert!(lives(left) && said.stdout.is_empty(), "{}", said.both());
    drop(mute);
    std::fs::remove_file(socket).unwrap();
    assert_eq!(listed(&desk, &["--yes"])[0]["removed"], true);
    assert!(!lives(left));
}

#[test]
fn orphans_are_asked_for_alone() {
    let desk = Desk::new();
    for bad in [&["T-1", "--orphans"][..], &["--orphans", "--older-than", "1d"], &["--orphans", "--logs"]] {
        assert_eq!(desk.autodo(&[&["clean"], bad].concat()).code, 2, "{bad:?}");
    }
}
