//! `clean --logs`, `--builds`: disk space of finished tickets, and what is never given away for it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::desk::Desk;

const IGNORED: &str = "target/\nnode_modules/\n.env\nsecrets/\n*.log\nvendored/\n";

/// Makes 2 MB in `target` and 1 MB in `web/node_modules`, and what must stay.
const BUILD: &str = "mkdir -p target/debug web/node_modules/m vendored/lib\n\
    head -c 2000000 /dev/urandom > target/debug/big\nhead -c 1000000 /dev/urandom > web/node_modules/m/x\n\
    echo key > .env; echo key > web/.env; echo said > run.log; git init --quiet vendored/lib; echo a > a.txt";

/// A project with a check, whose tickets T-1 and T-2 built something; T-1 is approved.
fn built() -> Desk {
    let desk = Desk::new();
    desk.repo.commit(&[(".gitignore", IGNORED)], "what is ignored");
    fs::create_dir(desk.repo.path.join("secrets")).unwrap();
    desk.repo.write("secrets/token", "mine");
    desk.repo.settings(
        "version = 1\nprofile = \"script\"\nchecks = [\"head -c 300000 /dev/zero | tr '\\\\0' x\"]\n[worktree]\ncopy = \
         [\"secrets/token\"]\n",
    );
    for id in ["T-1", "T-2"] {
        desk.ticket(id, "", BUILD);
    }
    desk.autodo(&["dispatch"]).ok();
    desk.autodo(&["approve", "T-1"]).ok();
    desk
}

fn worktree(desk: &Desk, id: &str) -> PathBuf {
    desk.repo.path.with_file_name("proj.worktrees").join(id)
}

fn log_of_check(desk: &Desk, id: &str) -> PathBuf {
    let runs = desk.world.home().join(id).join("runs/1/checks");
    let all = crate::support::files::files_below(&runs);
    all.into_iter().find(|path| path.ends_with("log")).unwrap_or_else(|| runs.join("none"))
}

#[track_caller]
fn stays(folder: &Path, files: &[&str]) {
    for file in files {
        assert!(folder.join(file).exists(), "{file} is gone from {}", folder.display());
    }
}

#[test]
fn build_folders_of_finished_tickets_go_and_nothing_that_nobody_can_make_again() {
    let desk = built();
    let place = worktree(&desk, "T-1");
    let listed = desk.autodo(&["clean", "--builds"]).ok();
    assert!(listed.stdout.contains("would clear: T-1") && !listed.stdout.contains("T-2"), "{}", listed.both());
    let lines: Vec<&str> = listed.stdout.lines().filter(|line| line.starts_with("  build")).collect();
    assert!(lines.len() == 2 && lines[0].contains("1.9 MiB") && lines[0].ends_with("T-1/target"), "{lines:?}");
    assert!(lines[1].ends_with("web/node_modules"), "{lines:?}");
    assert!(listed.stdout.contains("secrets: secrets/token was copied or linked there"), "{}", listed.both());
    assert!(listed.stdout.contains("lib is a repository of its own"), "{}", listed.both());
    assert!(
        listed.stderr.contains(" MiB in all") && listed.stderr.contains("the same with --yes"),
        "{}",
        listed.both()
    );
    stays(&place, &["target", "web/node_modules"]);
    let done = desk.autodo(&["clean", "--builds", "--yes"]).ok();
    assert!(
        done.stdout.contains("T-1: cleared, 2.8 MiB") || done.stdout.contains("T-1: cleared, 2.9 MiB"),
        "{}",
        done.both()
    );
    assert!(!place.join("target").exists() && !place.join("web/node_modules").exists());
    stays(&place, &[".env", "web/.env", "run.log", "secrets/token", "vendored/lib/.git", "a.txt", ".autodo/run"]);
    stays(&worktree(&desk, "T-2"), &["target/debug/big"]);
    assert_eq!(desk.status("T-1"), "reviewed");
    assert!(log_of_check(&desk, "T-1").exists(), "logs were not asked for");
    let again = desk.autodo(&["clean", "--builds"]).ok();
    assert!(again.stderr.contains("no finished ticket has anything to give back"), "{}", again.both());
}

#[test]
fn logs_of_finished_tickets_go_archived_ones_too_and_what_tells_of_the_ticket_stays() {
    let desk = built();
    desk.repo.git(&["merge", "--quiet", "autodo/T-1"]);
    desk.autodo(&["clean", "T-1"]).ok();
    let kept = desk.world.home().join("T-1");
    let log = log_of_check(&desk, "T-1");
    assert!(log.exists());
    let listed = desk.autodo(&["clean", "--logs", "--larger-than", "200K"]).ok();
    assert!(listed.stdout.contains("would clear: T-1"), "{}", listed.both());
    let large = desk.autodo(&["clean", "--logs", "--larger-than", "1G", "--yes"]).ok();
    assert!(large.stderr.contains("anything to give back") && log.exists(), "{}", large.both());
    desk.autodo(&["clean", "--logs", "--older-than", "1d", "--yes"]).ok();
    assert!(log.exists(), "it is not that old");
    let done = desk.autodo(&["clean", "--logs", "--yes"]).ok();
    assert!(done.stdout.contains("T-1: cleared") && !log.exists(), "{}", done.both());
    assert!(!kept.join("runs/1/screens").exists() && !kept.join("state").join("0").exists());
    stays(&kept, &["ticket.md", "review.md", "events.jsonl", "runs/1/prompt.md"]);
    stays(log.parent().unwrap(), &["exit.json"]);
    assert!(desk.autodo(&["review", "T-1"]).ok().stdout.contains("## Checks"));
    assert!(desk.autodo(&["logs", "T-1", "--events"]).ok().stdout.contains("archived"));
    assert!(log_of_check(&desk, "T-2").exists(), "it waits for its review");
}

#[test]
fn a_ticket_by_its_name_is_cleared_at_once_and_one_that_is_not_finished_is_refused() {
    let desk = built();
    let refused = desk.autodo(&["clean", "--logs", "--builds", "T-2", "T-1"]).code(1);
    assert!(refused.stderr.contains("cannot clear T-2: it is needs_review"), "{}", refused.both());
    assert!(refused.stdout.contains("T-1: cleared"), "{}", refused.both());
    assert!(!worktree(&desk, "T-1").join("target").exists() && !log_of_check(&desk, "T-1").exists());
    stays(&worktree(&desk, "T-2"), &["target/debug/big"]);
    // Nothing of it is missed: its work is checked and approved as before.
    desk.autodo(&["diff", "T-1"]).ok();
    desk.autodo(&["retry", "T-1"]).ok();
    desk.autodo(&["dispatch", "--only", "T-1"]).ok();
    assert_eq!(desk.status("T-1"), "needs_review");
}

#[test]
fn what_may_say_why_a_ticket_failed_stays_until_it_is_archived() {
    let desk = Desk::new();
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = []\n[limits]\ncrashes = 1\n[worktree]\nsetup = [\"echo set up\"]\n");
    desk.ticket("T-1", "", "kill -9 $PPID");
    desk.autodo(&["dispatch"]);
    assert_eq!(desk.status("T-1"), "failed", "{}", desk.world.story());
    let runs = desk.world.home().join("T-1/runs");
    let before = crate::support::files::files_below(&runs).len();
    let said = desk.autodo(&["clean", "--logs", "T-1"]).ok();
    assert!(said.stdout.contains("it may say why the ticket failed"), "{}", said.both());
    assert_eq!(crate::support::files::files_below(&runs).len(), before);
    let last = fs::read_dir(&runs).unwrap().count();
    stays(&runs.join(last.to_string()), &["screens", "setup.log"]);
}
