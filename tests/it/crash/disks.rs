//! Disks that are full, have no room for another file, or cannot be written: the home's, and that of the worktrees.
//!
//! Each test runs itself once more in a user and mount namespace of its own, where it may mount a small tmpfs. A machine
//! that allows none fails these tests, unless `AUTODO_TEST_WITHOUT_NAMESPACES=1` or `CI=true` says that this is known: then
//! they say loudly that they tested nothing.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output},
};

use super::plant::Plant;
use crate::support::{program::LIMIT, wait_for};

const INSIDE: &str = "AUTODO_TEST_INSIDE";
const HOLD: &str = "while ! test -e ROOT/gate; do sleep 0.02; done";

/// Runs `body` in namespaces of its own; `test` is the name of the test that calls.
fn in_namespaces(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        return body();
    }
    let unshare = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--mount", "--map-root-user"]);
        command
    };
    let said =
        |o: &Output| [o.stdout.clone(), o.stderr.clone()].map(|b| String::from_utf8_lossy(&b).into_owned()).concat();
    let folder = tempfile::tempdir().unwrap();
    let probe = unshare().args(["mount", "-t", "tmpfs", "tmpfs"]).arg(folder.path()).output().unwrap();
    if !probe.status.success() {
        let why = format!("no tmpfs can be mounted in a namespace here: {}", said(&probe).trim());
        let is = |name: &str, value: &str| std::env::var_os(name).is_some_and(|set| set == value);
        let is_known = is("AUTODO_TEST_WITHOUT_NAMESPACES", "1") || is("CI", "true");
        assert!(is_known, "{why}; set AUTODO_TEST_WITHOUT_NAMESPACES=1 to do without these tests");
        eprintln!("NOT TESTED: {test}: {why}");
        return;
    }
    let name = format!("crash::disks::{test}");
    let own = std::env::current_exe().unwrap();
    let output = unshare().arg(own).args(["--exact", &name, "--nocapture"]).env(INSIDE, "1").output().unwrap();
    let said = said(&output);
    assert!(output.status.success() && said.contains("1 passed"), "inside:\n{said}");
}

fn mount(folder: &Path, options: &str) {
    fs::create_dir_all(folder).unwrap();
    let output = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn remount(folder: &Path, options: &str) {
    let output = Command::new("mount").args(["-o", &format!("remount,{options}")]).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A plant whose home is a disk with so many free bytes beside the copy of the program, and so many files.
fn plant(free: u64, files: u64) -> Plant {
    let plant = Plant::new(&["echo \"check $AUTODO_TICKET\" >> ROOT/done"]);
    let program = fs::metadata(env!("CARGO_BIN_EXE_autodo")).unwrap().len();
    mount(&plant.world.home(), &format!("mode=700,size={},nr_inodes={files}", program + free));
    admit(&plant);
    plant
}

/// Work begins however little room there is.
fn admit(plant: &Plant) {
    let home = plant.world.home();
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("config.toml"), "version = 1\n[admission]\ndisk_mb = 0\n").unwrap();
}

/// Fills a disk to its last byte.
fn fill(file: &Path) {
    let mut filler = fs::File::create(file).unwrap();
    for size in [1 << 20, 1 << 12, 1] {
        while filler.write_all(&vec![0; size]).is_ok() {}
    }
}

fn all_done_once(plant: &Plant) {
    let row = plant.row("x");
    assert_eq!((&row["status"], &row["runs"], &row["verified"]), (&"needs_review".into(), &1.into(), &true.into()));
    let done = plant.done();
    assert!(done.len() == 3 && done.values().all(|times| *times == 1), "{done:?}");
    plant.check();
}

#[test]
fn a_full_disk_ends_the_supervisor_with_words_and_loses_nothing() {
    in_namespaces("a_full_disk_ends_the_supervisor_with_words_and_loses_nothing", || {
        let plant = plant(8 << 20, 10_000);
        plant.script("x", "", &["echo 1 > one", HOLD]);
        let supervisor = plant.dispatch();
        plant.wait_done("x.2", 1);
        plant.wait_row("x", "status", "running");
        let filler = plant.world.home().join("filler");
        fill(&filler);
        plant.open("gate");
        let ended = supervisor.wait(LIMIT).code(1);
        for word in ["error:", "journal.jsonl", "No space left on device", "hint:"] {
            assert!(ended.stderr.contains(word), "{word} is missing: {}", ended.both());
        }
        plant.autodo(&["list"]).ok();
        let refused = plant.autodo(&["stop", "x"]).code(1);
        assert!(refused.stderr.contains("No space left") && refused.stderr.contains("hint:"), "{}", refused.both());
        fs::remove_file(filler).unwrap();
        plant.autodo(&["dispatch"]).ok();
        all_done_once(&plant);
    });
}

#[test]
fn a_disk_without_room_for_another_file_holds_the_work_up_until_there_is() {
    in_namespaces("a_disk_without_room_for_another_file_holds_the_work_up_until_there_is", || {
        let plant = plant(32 << 20, 600);
        plant.script("x", "", &["echo 1 > one", HOLD]);
        let supervisor = plant.dispatch();
        plant.wait_done("x.2", 1);
        plant.wait_row("x", "status", "running");
        let folder = plant.world.home().join("filler");
        fs::create_dir(&folder).unwrap();
        for number in 0.. {
            if fs::File::create(folder.join(number.to_string())).is_err() {
                break;
            }
        }
        plant.open("gate");
        let said = || supervisor.said().stderr.contains("No space left on device").then_some(());
        wait_for("the supervisor to say it", said, || supervisor.said().both() + &plant.world.story());
        fs::remove_dir_all(folder).unwrap();
        supervisor.wait(LIMIT).code(0);
        all_done_once(&plant);
    });
}

#[test]
fn a_read_only_home_can_be_read_and_nothing_is_begun() {
    in_namespaces("a_read_only_home_can_be_read_and_nothing_is_begun", || {
        let plant = plant(8 << 20, 10_000);
        plant.script("x", "", &["echo 1 > one", "test -e ROOT/gate"]);
        plant.autodo(&["dispatch"]).code(8);
        plant.world.tmux(&["kill-server"]).ok();
        let home = plant.world.home();
        let none = || plant.world.processes().iter().all(|(_, argv)| !argv.contains("ad/run/tmux.sock")).then_some(());
        wait_for("the server's end", none, || plant.world.story());
        remount(&home, "ro");
        let row = plant.row("x");
        assert_eq!((&row["status"], &row["reason"]), (&"blocked".into(), &"question".into()), "{row}");
        plant.open("gate");
        for args in [&["dispatch"][..], &["tick"], &["answer", "x", "rerun"]] {
            let refused = plant.autodo(args).code(1);
            for word in ["error:", "Read-only file system", "hint:"] {
                assert!(refused.stderr.contains(word), "{word} is missing: {}", refused.both());
            }
        }
        remount(&home, "rw");
        plant.autodo(&["answer", "x", "rerun"]).ok();
        plant.autodo(&["dispatch"]).ok();
        let row = plant.row("x");
        assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{row}");
        assert_eq!((plant.done()["x.1"], plant.done()["x.2"]), (1, 2));
        plant.check();
    });
}

#[test]
fn a_full_disk_of_the_worktrees_is_told_and_the_ticket_goes_on_once_there_is_room() {
    in_namespaces("a_full_disk_of_the_worktrees_is_told_and_the_ticket_goes_on_once_there_is_room", || {
        let plant = Plant::new(&[]);
        plant.repo.write("large", &"x".repeat(400_000));
        plant.repo.git(&["add", "large"]);
        plant.repo.git(&["commit", "-qm", "large"]);
        let plant = plant.planted_again();
        let worktrees = plant.path("repo.worktrees");
        mount(&worktrees, "size=128k");
        admit(&plant);
        plant.script("x", "", &["echo 1 > one"]);
        plant.autodo(&["dispatch"]).code(8);
        let row = plant.row("x");
        assert_eq!((&row["status"], &row["reason"]), (&"parked".into(), &"start".into()), "{row}");
        let run = plant.autodo(&["show", "x"]).ok();
        let is_told = ["No space left on device", "unable to write"].iter().any(|words| run.both().contains(words));
        assert!(is_told, "it says why: {}", run.both());
        remount(&worktrees, "size=32m");
        plant.autodo(&["resume", "x"]).ok();
        plant.autodo(&["dispatch"]).ok();
        let row = plant.row("x");
        assert_eq!((&row["status"], &row["verified"]), (&"needs_review".into(), &true.into()), "{row}");
        assert_eq!(plant.done()["x.1"], 1);
        plant.check();
    });
}
