//! The indices of the archive: always what a reading of the whole archive gives, and never believed beside another file.

use std::{fs, path::PathBuf};

use autodo::{
    adapters::store::{archived_ids, read_archive, read_archived},
    domain::{
        row::{Row, Status},
        samples::{leaving, row},
    },
    ports::store::Store,
};

use super::{Bed, commit};

fn landed(ticket: &str) -> Row {
    Row { status: Status::Landed, ..row(ticket) }
}

fn archive(books: &mut autodo::adapters::store::Books, ticket: &str) {
    commit(books, &landed(ticket));
    books.archive(&landed(ticket)).unwrap();
    books.commit(&leaving(books.seq() + 1, ticket)).unwrap();
}

fn index(bed: &Bed) -> PathBuf {
    bed.home.archive("2023-11").with_extension("index")
}

fn ids(bed: &Bed) -> Vec<String> {
    let ids = archived_ids(&bed.home, |_| true).unwrap();
    let (rows, notices) = read_archive(&bed.home).unwrap();
    assert_eq!((rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>(), notices.len()), (ids.clone(), 0));
    ids.iter().map(|id| id.as_str().to_owned()).collect()
}

/// The index as it is; after that the one that a start makes of the archive alone, which must be the same.
fn rebuilt(bed: &Bed) -> (Vec<u8>, Vec<u8>) {
    let kept = fs::read(index(bed)).unwrap();
    fs::remove_file(index(bed)).unwrap();
    bed.open();
    (kept, fs::read(index(bed)).unwrap())
}

#[test]
fn an_index_that_grew_with_its_file_is_the_one_that_is_made_of_it() {
    let bed = Bed::new();
    let (mut books, _) = bed.open();
    for ticket in ["a", "b", "c", "d"] {
        archive(&mut books, ticket);
        drop(books);
        let (kept, made) = rebuilt(&bed);
        assert_eq!(String::from_utf8(kept).unwrap(), String::from_utf8(made).unwrap());
        books = bed.open().0;
    }
    // Taken up again: its block leaves the file.
    commit(&mut books, &row("b"));
    drop(books);
    let (kept, made) = rebuilt(&bed);
    assert_eq!(kept, made);
    assert_eq!(ids(&bed), ["a", "c", "d"]);
    let wanted = read_archived(&bed.home, |id| id == "c").unwrap().0;
    assert_eq!(wanted, [landed("c")]);
}

/// Puts something else in the place of the index; `one` and `two` are what it was after the first block and the second.
type Fault = fn(one: &[u8], two: &[u8]) -> Option<Vec<u8>>;

#[test]
fn an_index_of_another_moment_is_not_believed_and_is_mended() {
    let faults: [(&str, Fault); 7] = [
        ("killed before it was written", |one, _| Some(one.to_vec())),
        ("killed within its line", |one, two| Some([one, &two[one.len()..two.len() - 3]].concat())),
        ("killed between line and head", |one, two| Some([&one[..192], &two[192..]].concat())),
        ("killed within the head", |one, two| Some([&two[..40], &one[40..192], &two[192..]].concat())),
        ("lost", |_, _| None),
        ("emptied", |_, _| Some(vec![])),
        ("not ours", |_, _| Some(b"\xff".repeat(300))),
    ];
    for (name, fault) in faults {
        for is_open in [false, true] {
            let bed = Bed::new();
            let (mut books, _) = bed.open();
            archive(&mut books, "a");
            let one = fs::read(index(&bed)).unwrap();
            archive(&mut books, "b");
            let two = fs::read(index(&bed)).unwrap();
            match fault(&one, &two) {
                Some(bytes) => fs::write(index(&bed), bytes).unwrap(),
                None => fs::remove_file(index(&bed)).unwrap(),
            }
            assert_eq!(ids(&bed), ["a", "b"], "read, {name}");
            if !is_open {
                drop(books);
                bed.reopened();
                assert_eq!(fs::read(index(&bed)).unwrap(), two, "mended, {name}");
                books = bed.open().0;
            }
            archive(&mut books, "c");
            drop(books);
            assert_eq!(ids(&bed), ["a", "b", "c"], "appended, {name}");
            let (kept, made) = rebuilt(&bed);
            assert_eq!(kept, made, "appended, {name}");
        }
    }
}

#[test]
fn an_archive_changed_by_hand_is_read_anew() {
    let bed = Bed::new();
    let (mut books, _) = bed.open();
    archive(&mut books, "a");
    archive(&mut books, "b");
    drop(books);
    let path = bed.home.archive("2023-11");
    let text = fs::read_to_string(&path).unwrap();
    let second = text.rfind("\n[[ticket]]").unwrap();
    fs::write(&path, &text[..second]).unwrap();
    assert_eq!(ids(&bed), ["a"]);
    bed.reopened();
    assert_eq!(ids(&bed), ["a"]);
    let (mut books, _) = bed.open();
    archive(&mut books, "c");
    drop(books);
    assert_eq!(ids(&bed), ["a", "c"]);
    let (kept, made) = rebuilt(&bed);
    assert_eq!(kept, made);
}
