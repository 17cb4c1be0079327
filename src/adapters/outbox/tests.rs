//! Tests of the outbox on a real file system: hostile names, links, floods and half-written reports.

use std::{fs as std_fs, os::unix::fs::symlink};

use tempfile::TempDir;

use super::*;
use crate::domain::{risk::Tier, samples::id};

struct World {
    dir: TempDir,
    outbox: FsOutbox,
    run: RunId,
    key: RunKey,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("home")).unwrap();
        std_fs::create_dir(dir.path().join("tree")).unwrap();
        let run = RunId { ticket: id("T-1"), number: 2 };
        Self { dir, outbox: FsOutbox { home }, run, key: RunKey::from_bits(5) }
    }

    fn tree(&self) -> PathBuf {
        self.dir.path().join("tree")
    }

    fn folder(&self) -> PathBuf {
        outbox_of(&self.tree())
    }

    fn report(&self, said: Said) -> Report {
        Report { version: 1, id: new_report_id(), run: self.run.to_string(), key: self.key.clone(), said }
    }

    fn write(&self, said: Said) -> Report {
        let report = self.report(said);
        write_report(&self.folder(), &report).unwrap();
        report
    }

    fn waiting(&self) -> Vec<Found> {
        self.outbox.waiting(&self.tree(), &self.run, &self.key)
    }

    /// Why the only file that waits is rejected.
    fn rejection(&self) -> String {
        let found = self.waiting();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].report.clone().unwrap_err()
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::create_dir_private(&self.folder()).unwrap();
        std_fs::write(self.folder().join(name), bytes).unwrap();
    }
}

fn note(text: &str) -> Said {
    Said::Note { text: text.to_owned() }
}

#[test]
fn reports_come_oldest_first_and_go_once_forgotten() {
    let world = World::new();
    assert!(world.waiting().is_empty(), "no outbox is an empty one");
    let written: Vec<Report> = (0..20).map(|n| world.write(note(&n.to_string()))).collect();
    let found = world.waiting();
    assert_eq!(found.iter().map(|f| f.report.clone().unwrap()).collect::<Vec<_>>(), written);
    found.iter().for_each(|f| world.outbox.forget(f));
    assert!(world.waiting().is_empty());
    world.outbox.forget(&found[0]);
}

#[test]
fn a_folder_that_was_cleaned_away_is_made_again() {
    let world = World::new();
    world.write(note("1"));
    std_fs::remove_dir_all(world.tree().join(".autodo")).unwrap();
    assert!(world.waiting().is_empty());
    world.write(note("2"));
    assert_eq!(world.waiting().len(), 1);
}

#[test]
fn a_file_being_written_is_not_seen() {
    let world = World::new();
    world.put(".autodo-tmp-x", b"{");
    world.put(".hidden.json", b"{");
    assert!(world.waiting().is_empty());
}

#[test]
fn what_is_no_report_of_this_run_is_rejected_with_a_reason() {
    let json = |edit: &dyn Fn(&mut serde_json::Value)| {
        let mut value = serde_json::to_value(World::new().report(note("x"))).unwrap();
        edit(&mut value);
        value.to_string().into_bytes()
    };
    let table: [(Vec<u8>, &str); 6] = [
        (b"not json".to_vec(), "it is not a report"),
        (b"\xff\xfe\0".to_vec(), "it is not a report"),
        (json(&|v| v["version"] = 2.into()), "version 2"),
        (json(&|v| v["run"] = "T-1/1".into()), "of the run \"T-1/1\""),
        (json(&|v| v["key"] = "00000006".into()), "its key"),
        (vec![b' '; 1024 * 1024 + 1], "larger than 1048576 bytes"),
    ];
    for (bytes, why) in table {
        let world = World::new();
        world.put("a.json", &bytes);
        assert!(world.rejection().contains(why), "{why}: {}", world.rejection());
    }
}

#[test]
fn links_and_pipes_are_rejected_and_never_followed() {
    let world = World::new();
    let secret = world.dir.path().join("secret.json");
    std_fs::write(&secret, serde_json::to_vec(&world.report(note("x"))).unwrap()).unwrap();
    fs::create_dir_private(&world.folder()).unwrap();
    symlink(&secret, world.folder().join("a.json")).unwrap();
    assert!(world.rejection().contains("symbolic link"), "{}", world.rejection());
    let found = world.waiting().remove(0);
    world.outbox.keep(&found, &world.run).unwrap();
    world.outbox.forget(&found);
    assert!(secret.exists() && world.waiting().is_empty());
    let rejected = world.outbox.home.rejected(&world.run);
    assert!(!rejected.join("a.json").exists(), "what the link names was not read");
    assert!(std_fs::read_to_string(rejected.join("a.json.why")).unwrap().contains("symbolic link"));

    nix::unistd::mkfifo(&world.folder().join("pipe.json"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(world.rejection().contains("not a regular file"));
}

#[test]
fn an_outbox_that_is_another_tickets_is_not_touched() {
    let (mine, other) = (World::new(), World::new());
    other.write(note("the other's"));
    fs::create_dir_private(mine.folder().parent().unwrap()).unwrap();
    symlink(other.folder(), mine.folder()).unwrap();
    assert!(mine.waiting().is_empty());
    assert_eq!(other.waiting().len(), 1);
}

#[test]
fn keeping_twice_changes_nothing_and_loses_nothing() {
    let world = World::new();
    let decision = |text: &str| Said::Decision { risk: Tier::Medium, text: text.to_owned(), why: None };
    world.write(decision("first"));
    let found = world.waiting().remove(0);
    for _ in 0..3 {
        world.outbox.keep(&found, &world.run).unwrap();
    }
    assert_eq!(world.outbox.tally(&world.run).decisions.len(), 1);
    // Another report under the same file name, as a misbehaving agent may write it.
    let other = Found { report: Ok(world.report(decision("second"))), ..found };
    world.outbox.keep(&other, &world.run).unwrap();
    let texts: Vec<String> = world.outbox.tally(&world.run).decisions.into_iter().map(|d| d.text).collect();
    assert_eq!(texts, ["first", "second"]);
}

#[test]
fn the_tally_counts_the_believed_reports_of_all_runs_up_to_this() {
    let world = World::new();
    let runs = [1, 2, 3].map(|number| RunId { number, ..world.run.clone() });
    for run in &runs {
        let said = [
            Said::Decision { risk: Tier::High, text: format!("d{}", run.number), why: Some("w".to_owned()) },
            Said::Flag { risk: Tier::Low, text: "f".to_owned() },
            note("n"),
            Said::Done { summary: "s".to_owned(), no_change: None },
        ];
        for said in said {
            let report = world.report(said);
            let path = world.folder().join(format!("{}.json", report.id));
            world.outbox.keep(&Found { path: path.clone(), report: Ok(report) }, run).unwrap();
            world.outbox.keep(&Found { path, report: Err("no".to_owned()) }, run).unwrap();
        }
    }
    let tally = world.outbox.tally(&world.run);
    assert_eq!((tally.summary.high, tally.summary.total()), (2, 2));
    assert_eq!(tally.decisions.iter().map(|d| d.text.as_str()).collect::<Vec<_>>(), ["d1", "d2"]);
    assert_eq!((tally.flags.len(), tally.notes.len()), (2, 2));
}

#[test]
fn an_id_that_is_a_path_is_not_written() {
    let world = World::new();
    for id in ["", "../x", "a/b", ".a"] {
        let report = Report { id: id.to_owned(), ..world.report(note("x")) };
        assert!(write_report(&world.folder(), &report).is_err(), "{id}");
    }
}
