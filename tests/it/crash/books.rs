//! The books in every state in which a person, a disk or a crash may leave them while nobody runs: what commands say,
//! what they exit with, and that `list` still reads.

use std::fs;

use super::plant::Plant;
use crate::support::program::Run;

/// Two tickets that are queued, and a third that waits for an answer.
fn plant() -> Plant {
    let plant = Plant::new(&[]);
    plant.script("x", "", &["test -e ROOT/gate"]);
    plant.autodo(&["dispatch"]).code(8);
    for id in ["y", "z"] {
        plant.script(id, "", &["echo 1 > one"]);
    }
    plant.autodo(&["import", ".autodo/tickets"]).ok();
    assert_eq!(listed(&plant), EXPECTED);
    plant
}

const EXPECTED: &str = "x blocked, y queued, z queued";

/// Ids and statuses, as `list` reads them without the lock.
fn listed(plant: &Plant) -> String {
    let list = plant.autodo(&["list", "--json"]).ok().json();
    let rows = list["tickets"].as_array().unwrap().clone();
    let mut all: Vec<String> =
        rows.iter().map(|r| format!("{} {}", r["id"].as_str().unwrap(), r["status"].as_str().unwrap())).collect();
    all.sort();
    all.join(", ")
}

/// A command that takes the lock and steps: it cancels `y`.
fn cancel(plant: &Plant) -> Run {
    plant.autodo(&["cancel", "y"])
}

/// Everything goes on as if nothing had been.
fn goes_on(plant: &Plant) {
    plant.open("gate");
    plant.autodo(&["answer", "x", "rerun"]).ok();
    plant.autodo(&["dispatch"]).ok();
    assert_eq!(listed(plant), "x needs_review, y cancelled, z needs_review");
    assert_eq!(plant.row("x")["runs"], 1);
    assert_eq!((plant.done()["x.1"], plant.done()["z.1"], plant.done().get("y.1")), (2, 1, None));
    plant.check();
}

fn write(plant: &Plant, name: &str, change: impl FnOnce(String) -> String) {
    let path = plant.world.home().join(name);
    fs::write(&path, change(fs::read_to_string(&path).unwrap())).unwrap();
}

/// Files beside `queue.toml` that were renamed out of the way.
fn aside(plant: &Plant) -> Vec<String> {
    let names = fs::read_dir(plant.world.home()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("queue.toml") && name != "queue.toml").collect()
}

fn says(run: &Run, words: &[&str]) {
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is missing:\n{}", run.both());
    }
}

#[test]
fn a_hand_edited_queue_is_kept_aside_and_never_taken() {
    let plant = plant();
    write(&plant, "queue.toml", |text| text.replace("status = \"blocked\"", "status = \"needs_review\""));
    assert_eq!(listed(&plant), EXPECTED, "an edit is not believed by those who only read, either");
    says(&plant.autodo(&["list"]).ok(), &["queue.toml", "changed by hand"]);
    says(&cancel(&plant).ok(), &["queue.toml", "changed by hand", "journal"]);
    let aside = aside(&plant);
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert!(plant.world.file(&aside[0]).contains("status = \"needs_review\""), "the edit is not lost");
    assert!(!plant.autodo(&["list"]).ok().stderr.contains("queue.toml"), "it is said once");
    goes_on(&plant);
}

#[test]
fn a_queue_cut_off_emptied_or_deleted_is_rebuilt_from_the_journal() {
    type Harm = fn(&Plant);
    let harms: [(&str, Harm); 4] = [
        ("cut off", |p| write(p, "queue.toml", |text| text[..text.len() / 2].to_owned())),
        ("emptied", |p| write(p, "queue.toml", |_| String::new())),
        ("of zeros", |p| write(p, "queue.toml", |text| "\0".repeat(text.len()))),
        ("deleted", |p| fs::remove_file(p.world.home().join("queue.toml")).unwrap()),
    ];
    for (name, harm) in harms {
        let plant = plant();
        harm(&plant);
        assert_eq!(listed(&plant), EXPECTED, "{name}");
        says(&cancel(&plant).ok(), &["queue.toml", "journal"]);
        assert!(plant.world.file("queue.toml").contains("cancelled"), "{name}");
        goes_on(&plant);
    }
}

#[test]
fn without_a_journal_the_rows_come_from_the_queue() {
    type Harm = fn(&Plant);
    let harms: [(&str, Harm); 2] = [
        ("deleted", |p| fs::remove_file(p.world.home().join("journal.jsonl")).unwrap()),
        ("emptied", |p| write(p, "journal.jsonl", |_| String::new())),
    ];
    for (name, harm) in harms {
        let plant = plant();
        harm(&plant);
        assert_eq!(listed(&plant), EXPECTED, "{name}");
        says(&cancel(&plant).ok(), &["the journal is gone", "queue.toml"]);
        goes_on(&plant);
    }
}

#[test]
fn a_torn_last_line_of_the_journal_never_happened() {
    let plant = plant();
    write(&plant, "journal.jsonl", |text| {
        let half = text.lines().last().unwrap()[..200].to_owned();
        text + &half
    });
    assert_eq!(listed(&plant), EXPECTED);
    says(&cancel(&plant).ok(), &["last line of the journal was cut off by a crash"]);
    goes_on(&plant);
}

#[test]
fn a_journal_damaged_in_the_middle_is_refused_and_nothing_is_changed() {
    let plant = plant();
    let whole = plant.world.file("journal.jsonl");
    write(&plant, "journal.jsonl", |text| text.replacen("\"seq\":3", "\"seq\":4", 1));
    let (journal, queue) = (plant.world.file("journal.jsonl"), plant.world.file("queue.toml"));
    assert_eq!(listed(&plant), EXPECTED, "queue.toml is whole, and list reads it");
    for args in [&["cancel", "y"][..], &["dispatch"], &["answer", "x", "rerun"], &["tick"]] {
        let run = plant.autodo(args).code(1);
        says(&run, &["error:", "journal.jsonl", "line 3", "hint:", "backup", "queue.toml", "nothing was changed"]);
    }
    assert_eq!((plant.world.file("journal.jsonl"), plant.world.file("queue.toml")), (journal, queue));
    // As the hint says: brought back from a backup.
    write(&plant, "journal.jsonl", |_| whole);
    cancel(&plant).ok();
    goes_on(&plant);
}

#[test]
fn books_of_a_newer_autodo_are_left_alone() {
    let plant = plant();
    let (journal, queue) = (plant.world.file("journal.jsonl"), plant.world.file("queue.toml"));
    write(&plant, "journal.jsonl", |text| text.replace("{\"v\":1,", "{\"v\":2,"));
    let newer = plant.world.file("journal.jsonl");
    says(&cancel(&plant).code(1), &["newer autodo", "journal version 2", "hint:"]);
    assert_eq!(plant.world.file("journal.jsonl"), newer);
    write(&plant, "journal.jsonl", |_| journal);
    write(&plant, "queue.toml", |text| text.replace("version = 1", "version = 2"));
    says(&plant.autodo(&["list"]).code(1), &["newer autodo", "version 2", "hint:"]);
    says(&cancel(&plant).code(1), &["newer autodo", "version 2", "hint:"]);
    assert!(aside(&plant).is_empty());
    write(&plant, "queue.toml", |_| queue);
    cancel(&plant).ok();
    goes_on(&plant);
}

#[test]
fn with_both_books_unusable_nothing_is_guessed() {
    let plant = plant();
    let queue = plant.world.file("queue.toml");
    fs::remove_file(plant.world.home().join("journal.jsonl")).unwrap();
    write(&plant, "queue.toml", |text| text.replace("\"blocked\"", "\"landed\""));
    let edited = plant.world.file("queue.toml");
    for args in [&["list"][..], &["cancel", "y"], &["dispatch"], &["tick"]] {
        says(&plant.autodo(args).code(1), &["error:", "queue.toml", "changed by hand", "hint:"]);
    }
    assert_eq!(plant.world.file("queue.toml"), edited, "what is left is left as it is");
    write(&plant, "queue.toml", |_| queue);
    cancel(&plant).ok();
    goes_on(&plant);
}

#[test]
fn a_journal_deleted_under_a_running_supervisor_is_written_anew() {
    let plant = Plant::new(&[]);
    plant.script("x", "", &["while ! test -e ROOT/gate; do sleep 0.02; done", "echo 2 > two"]);
    plant.script("y", "after: [x]", &["echo 1 > one"]);
    let supervisor = plant.dispatch();
    plant.wait_done("x.1", 1);
    plant.wait_row("x", "status", "running");
    fs::remove_file(plant.world.home().join("journal.jsonl")).unwrap();
    plant.open("gate");
    let ended = supervisor.wait(crate::support::program::LIMIT).code(0);
    says(&ended, &["journal", "removed"]);
    assert_eq!(listed(&plant), "x needs_review, y needs_review");
    plant.check();
}
