//! The archive, the claims on ids, the audit trails and what is read without the lock.

use autodo::{
    adapters::store::{Claim, claim_id, read_archive, read_glances, read_queue, release_id},
    domain::{
        glance::Glance,
        row::Status,
        samples::{entry, id, leaving, row},
    },
    ports::store::Store,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;

fn landed(ticket: &str) -> Row {
    Row { status: Status::Landed, ..row(ticket) }
}

fn archive_ids(bed: &Bed) -> Vec<String> {
    let (rows, notices) = read_archive(&bed.home).unwrap();
    assert_eq!(notices, [""; 0]);
    rows.into_iter().map(|r| r.id.to_string()).collect()
}

/// Archives a row completely.
fn archive(books: &mut Books, row: &Row) {
    commit(books, row);
    books.archive(row).unwrap();
    books.commit(&leaving(books.seq() + 1, row.id.as_str())).unwrap();
}

#[test]
fn an_archived_ticket_is_in_the_archive_alone() {
    let bed = Bed::with(&[row("a"), row("b")], 0);
    let (mut books, _) = bed.open();
    archive(&mut books, &landed("a"));
    drop(books);
    let loaded = bed.reopened();
    assert_eq!((ids(&loaded.rows), archive_ids(&bed)), (vec!["b"], vec!["a".to_owned()]));
    assert_eq!(read_archive(&bed.home).unwrap().0, [landed("a")]);
    assert!(bed.home.archive("2023-11").exists(), "the month in which it last changed");
}

#[test]
fn an_archiving_that_was_cut_off_is_done_at_the_next_start() {
    let bed = Bed::with(&[row("a"), row("b"), landed("a")], 3);
    let (mut books, _) = bed.open();
    books.archive(&landed("a")).unwrap();
    drop(books);
    let loaded = bed.reopened();
    assert_eq!((ids(&loaded.rows), archive_ids(&bed)), (vec!["b"], vec!["a".to_owned()]));
    assert!(loaded.notices[0].contains("a was being archived"), "{:?}", loaded.notices);
    assert_eq!(read_queue(&bed.home).unwrap().rows, [row("b")]);
}

#[test]
fn archiving_twice_keeps_one() {
    let bed = Bed::with(&[landed("a")], 1);
    let (mut books, _) = bed.open();
    books.archive(&landed("a")).unwrap();
    archive(&mut books, &landed("a"));
    assert_eq!(archive_ids(&bed), ["a"]);
}

#[test]
fn an_archive_block_that_was_cut_off_is_dropped_and_the_ticket_stays_in_the_queue() {
    let bed = Bed::with(&[landed("z")], 0);
    let (mut books, _) = bed.open();
    archive(&mut books, &landed("z"));
    commit(&mut books, &landed("a"));
    let before = fs::read(bed.home.archive("2023-11")).unwrap();
    books.archive(&landed("a")).unwrap();
    drop(books);
    let whole = fs::read(bed.home.archive("2023-11")).unwrap();
    for cut in [before.len() + 5, before.len() + 12, before.len() + 40, whole.len() - 1] {
        fs::write(bed.home.archive("2023-11"), &whole[..cut]).unwrap();
        let loaded = bed.reopened();
        assert_eq!((ids(&loaded.rows), archive_ids(&bed)), (vec!["a"], vec!["z".to_owned()]), "{cut}");
        assert!(loaded.notices[0].contains("cut off"), "{:?}", loaded.notices);
    }
    let (mut books, _) = bed.open();
    archive(&mut books, &landed("a"));
    assert_eq!(archive_ids(&bed), ["z", "a"]);
}

#[test]
fn a_ticket_taken_up_again_leaves_the_archive() {
    for crash in [false, true] {
        let bed = Bed::with(&[row("a"), row("b")], 0);
        let (mut books, _) = bed.open();
        archive(&mut books, &landed("a"));
        archive(&mut books, &landed("b"));
        let archived = fs::read(bed.home.archive("2023-11")).unwrap();
        commit(&mut books, &titled("a", "again"));
        drop(books);
        if crash {
            fs::write(bed.home.archive("2023-11"), archived).unwrap();
        }
        assert_eq!(archive_ids(&bed).len(), if crash { 2 } else { 1 });
        let loaded = bed.reopened();
        assert_eq!((ids(&loaded.rows), archive_ids(&bed)), (vec!["a"], vec!["b".to_owned()]));
    }
}

#[test]
fn books_older_than_the_archive_do_not_bring_a_ticket_back() {
    let bed = Bed::with(&[row("a"), row("b")], 2);
    let (mut books, _) = bed.open();
    archive(&mut books, &landed("a"));
    drop(books);
    // The journal is lost, and queue.toml is as it was before.
    fs::remove_file(bed.home.journal()).unwrap();
    let loaded = bed.reopened();
    assert_eq!((ids(&loaded.rows), archive_ids(&bed)), (vec!["b"], vec!["a".to_owned()]));
    assert_eq!(loaded.seq, 3, "no number is used twice");
}

#[test]
fn a_damaged_archive_is_said_left_alone_and_frees_no_id() {
    let bed = Bed::with(&[landed("a"), landed("b")], 0);
    let (mut books, _) = bed.open();
    archive(&mut books, &landed("a"));
    archive(&mut books, &landed("b"));
    drop(books);
    edit(&bed.home.archive("2023-11"), replaced("title of a", "title of x"));
    let bytes = fs::read(bed.home.archive("2023-11")).unwrap();
    let (_, loaded) = bed.open();
    assert!(loaded.notices[0].contains("line 4: a ticket cannot be read"), "{:?}", loaded.notices);
    assert_eq!(fs::read(bed.home.archive("2023-11")).unwrap(), bytes);
    assert_eq!(claim_id(&bed.home, &id("a")).unwrap(), Claim::Held(id("a")));
}

#[test]
fn an_id_has_one_claim_without_regard_to_case() {
    let bed = Bed::new();
    assert_eq!(claim_id(&bed.home, &id("T-1")).unwrap(), Claim::Made);
    assert_eq!(claim_id(&bed.home, &id("t-1")).unwrap(), Claim::Held(id("T-1")));
    release_id(&bed.home, &id("T-1")).unwrap();
    assert_eq!(claim_id(&bed.home, &id("t-1")).unwrap(), Claim::Made);
}

#[test]
fn one_of_several_claims_wins() {
    let bed = Bed::new();
    let made = std::thread::scope(|scope| {
        let tries: Vec<_> = ["T-1", "t-1", "T-1", "t-1"]
            .into_iter()
            .map(|text| scope.spawn(|| claim_id(&bed.home, &id(text)).unwrap()))
            .collect();
        tries.into_iter().map(|t| t.join().unwrap()).filter(|c| *c == Claim::Made).count()
    });
    assert_eq!(made, 1);
}

#[test]
fn claims_are_what_queue_and_archive_say_after_a_start() {
    let bed = Bed::with(&[row("Open"), landed("Done")], 0);
    let (mut books, _) = bed.open();
    archive(&mut books, &landed("Done"));
    drop(books);
    assert_eq!(claim_id(&bed.home, &id("orphan")).unwrap(), Claim::Made);
    fs::remove_file(bed.home.claim(&id("Open"))).unwrap();
    bed.reopened();
    assert_eq!(claim_id(&bed.home, &id("orphan")).unwrap(), Claim::Made);
    for taken in ["Open", "Done"] {
        assert_eq!(claim_id(&bed.home, &id(&taken.to_lowercase())).unwrap(), Claim::Held(id(taken)));
    }
}

fn trail(bed: &Bed, ticket: &str) -> Vec<Value> {
    let text = fs::read_to_string(bed.home.events(&id(ticket))).unwrap();
    assert!(text.ends_with('\n'), "{text}");
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

#[test]
fn a_line_of_the_trail_begins_with_number_time_and_kind() {
    let bed = Bed::with(&[row("a")], 0);
    let (mut books, _) = bed.open();
    books.audit(&id("a"), &json!({"text": "x", "kind": "key", "at": "2026-01-01T00:00:00Z"})).unwrap();
    books.audit(&id("a"), &json!({"text": "y"})).unwrap();
    assert!(books.audit(&id("a"), &json!("no object")).is_err());
    let text = fs::read_to_string(bed.home.events(&id("a"))).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with(r#"{"seq":1,"at":""#) && lines[0].contains("transition"), "{text}");
    assert_eq!(lines[1], r#"{"seq":1,"at":"2026-01-01T00:00:00Z","kind":"key","text":"x"}"#);
    assert_eq!(lines[2], r#"{"seq":1,"at":"2023-11-14T22:13:21.123456789Z","kind":"note","text":"y"}"#);
}

#[test]
fn a_torn_line_of_the_trail_is_cut_off_before_the_next() {
    for reopened in [true, false] {
        let bed = Bed::with(&[row("a")], 0);
        let (mut books, _) = bed.open();
        edit(&bed.home.events(&id("a")), |mut bytes| {
            bytes.extend(b"{\"seq\":1,\"at");
            bytes
        });
        if reopened {
            books = bed.open().0;
        }
        books.audit(&id("a"), &json!({"kind": "note", "text": "whole"})).unwrap();
        let kinds: Vec<Value> = trail(&bed, "a").into_iter().map(|l| l["kind"].clone()).collect();
        assert_eq!(kinds, ["transition", "note"]);
    }
}

#[test]
fn transitions_that_a_crash_kept_from_the_trail_are_added_once() {
    let bed = Bed::with(&[row("a"), row("b")], 2);
    let (mut books, _) = bed.open();
    let next = landed("a");
    let written = autodo::domain::audit::line(&entry(3, next.clone()), Some(&row("a")));
    books.commit(&entry(3, next)).unwrap();
    books.audit(&id("a"), &written).unwrap();
    commit(&mut books, &titled("a", "no transition"));
    commit(&mut books, &row("a"));
    books.commit(&leaving(6, "b")).unwrap();
    drop(books);
    bed.reopened();
    let story = |ticket| -> Vec<(u64, String)> {
        let lines = trail(&bed, ticket).into_iter();
        lines.map(|l| (l["seq"].as_u64().unwrap(), format!("{} -> {}", l["from"], l["to"]))).collect()
    };
    let line = |seq, text: &str| (seq, text.to_owned());
    // The line of step 3 was not written again; step 4 went back to queued, step 5 changed no status.
    assert_eq!(
        story("a"),
        [
            line(1, "null -> \"queued\""),
            line(3, "\"queued\" -> \"landed\""),
            line(4, "\"landed\" -> \"queued\""),
            line(5, "null -> null")
        ]
    );
    assert_eq!(story("b"), [line(2, "null -> \"queued\""), line(6, "\"queued\" -> \"archived\"")]);
}

#[test]
fn reading_without_the_lock_writes_nothing_and_sees_steps_that_are_not_published() {
    let younger = Row { created: row("b").created + SignedDuration::from_secs(1), ..row("a") };
    let bed = Bed::with(&[row("b"), younger], 2);
    let (mut books, _) = bed.open();
    books.publish().unwrap();
    commit(&mut books, &titled("a", "newer"));
    commit(&mut books, &row("c"));
    edit(&bed.home.journal(), |mut bytes| {
        bytes.extend(b"{\"v\":1,\"crc\":\"being writ");
        bytes
    });
    let before = bed.files();
    let read = read_queue(&bed.home).unwrap();
    assert_eq!(read.rows.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!((read.rows[1].title.as_str(), read.seq, read.notices.len()), ("newer", 4, 0));
    assert_eq!(bed.files(), before);

    for bad in ["edited", "missing"] {
        if bad == "edited" {
            edit(&bed.home.queue(), replaced("seq = 2", "seq = 3"));
        } else {
            fs::remove_file(bed.home.queue()).unwrap();
        }
        let before = bed.files();
        let read = read_queue(&bed.home).unwrap();
        assert_eq!(
            (ids(&read.rows.into_iter().map(|r| (r.id.clone(), r)).collect()), read.seq),
            (vec!["a", "b", "c"], 4)
        );
        assert_eq!(bed.files(), before, "{bad}");
    }
}

/// What `list` reads is what the rows say; true: it came from its own file.
#[track_caller]
fn glanced(bed: &Bed) -> bool {
    let mut rows: Vec<Glance> = read_queue(&bed.home).unwrap().rows.iter().map(Glance::from).collect();
    rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
    assert_eq!(read_glances(&bed.home).unwrap().0, rows);
    // Another title in the file alone is seen only where the file is what is read.
    let Ok(written) = fs::read(bed.home.list()) else { return false };
    fs::remove_file(bed.home.list()).unwrap();
    assert_eq!(read_glances(&bed.home).unwrap().0, rows);
    fs::write(bed.home.list(), &written).unwrap();
    let version =
        fs::metadata(bed.home.queue()).map(|meta| autodo::adapters::fs::version_of(&meta)).unwrap_or_default();
    autodo::format::glances::parse(&written, &version).is_some()
}

#[test]
fn the_queue_at_a_glance_is_what_the_rows_say_whatever_happened_to_the_files() {
    let bed = Bed::with(&[row("b"), row("a")], 2);
    assert!(glanced(&bed));
    let (mut books, _) = bed.open();
    assert!(glanced(&bed));
    commit(&mut books, &titled("a", "newer"));
    commit(&mut books, &row("c"));
    assert!(glanced(&bed), "steps after it come from the journal");
    publish(&mut books);
    assert!(glanced(&bed));
    archive(&mut books, &landed("b"));
    assert!(glanced(&bed));
    publish(&mut books);
    let kept = fs::read(bed.home.list()).unwrap();
    commit(&mut books, &titled("c", "newest"));
    publish(&mut books);
    fs::write(bed.home.list(), kept).unwrap();
    assert!(!glanced(&bed), "that of an older queue.toml");
    publish(&mut books);
    assert!(glanced(&bed));
    edit(&bed.home.queue(), replaced("newest", "edited"));
    assert!(!glanced(&bed), "an edit by hand is told, not hidden");
    assert!(read_glances(&bed.home).unwrap().1[0].contains("changed by hand"));
}

#[test]
fn an_empty_home_reads_as_an_empty_queue() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::at(&dir.path().join("not there"));
    assert_eq!(read_queue(&home).unwrap(), Default::default());
    assert_eq!(read_archive(&home).unwrap(), Default::default());
    assert!(!home.root().exists());
}
