//! What opening makes of damaged books: the table of recovery, and the journal cut anywhere.

use autodo::{
    adapters::store::{COMPACT_ABOVE, read_queue},
    domain::samples::{entry, every_row, full_row, id, leaving, row},
    format::journal::{encode_entry, read_all},
    ports::store::Store,
};
use proptest::prelude::*;

use super::*;

#[test]
fn what_was_committed_is_there_again() {
    let bed = Bed::new();
    let (mut books, loaded) = bed.open();
    assert_eq!(loaded, Loaded::default());
    let rows: Vec<Row> = every_row().into_iter().step_by(7).collect();
    rows.iter().for_each(|row| commit(&mut books, row));
    publish(&mut books);
    let loaded = bed.reopened();
    assert_eq!(loaded.rows, rows.into_iter().map(|r| (r.id.clone(), r)).collect());
    assert_eq!((loaded.notices, loaded.unprojected.len()), (Vec::new(), 0));
}

#[test]
fn rows_after_the_published_step_are_applied_and_named() {
    let bed = Bed::with(&[row("a"), row("b"), titled("a", "new")], 2);
    let loaded = bed.reopened();
    assert_eq!((loaded.rows[&id("a")].title.as_str(), loaded.seq), ("new", 3));
    assert_eq!(loaded.unprojected, [id("a")].into());
    assert_eq!(loaded.notices, [""; 0]);
}

/// A queue that cannot be used, made so by a change of the file.
fn with_bad_queue(change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Bed {
    let bed = Bed::with(&[row("a"), row("b")], 2);
    edit(&bed.home.queue(), change);
    bed
}

#[test]
fn a_queue_that_cannot_be_used_is_renamed_aside_said_and_rebuilt() {
    type Change = Box<dyn FnOnce(Vec<u8>) -> Vec<u8>>;
    let changes: [(&str, Change); 5] = [
        ("changed by hand", Box::new(replaced("status = \"queued\"", "status = \"reviewed\""))),
        (
            "changed by hand",
            Box::new(|mut bytes| {
                bytes.extend(b"# a note\n");
                bytes
            }),
        ),
        ("not UTF-8", Box::new(|_| vec![0xff, 0xfe])),
        ("not TOML", Box::new(|bytes| bytes[..bytes.len() - 3].to_vec())),
        ("no version", Box::new(|_| Vec::new())),
    ];
    for (why, change) in changes {
        let bed = with_bad_queue(change);
        let bad = fs::read(bed.home.queue()).unwrap();
        let loaded = bed.reopened();
        assert_eq!((ids(&loaded.rows), loaded.seq), (vec!["a", "b"], 2), "{why}");
        let asides = bed.names("queue.toml.unreadable-");
        assert_eq!(asides.len(), 1, "{why}");
        assert_eq!(fs::read(bed.home.root().join(&asides[0])).unwrap(), bad, "{why}");
        let [notice] = &loaded.notices[..] else { panic!("{:?}", loaded.notices) };
        assert!(notice.contains(why) && notice.contains(&asides[0]), "{notice}");
        assert_eq!(read_queue(&bed.home).unwrap().seq, 2);
    }
}

#[test]
fn a_missing_queue_is_rebuilt_and_said() {
    let bed = Bed::with(&[row("a")], 1);
    fs::remove_file(bed.home.queue()).unwrap();
    let loaded = bed.reopened();
    assert_eq!((ids(&loaded.rows), loaded.notices.len()), (vec!["a"], 1));
}

#[test]
fn without_a_journal_the_rows_come_from_the_queue_and_the_journal_goes_on() {
    for gone in [true, false] {
        let bed = Bed::with(&[full_row("a"), row("b"), row("c")], 3);
        let before = bed.open().1;
        if gone {
            fs::remove_file(bed.home.journal()).unwrap();
        } else {
            fs::write(bed.home.journal(), b"").unwrap();
        }
        let (mut books, loaded) = bed.open();
        assert_eq!((&loaded.rows, loaded.seq), (&before.rows, before.seq));
        assert!(loaded.notices[0].contains("the journal is gone"), "{:?}", loaded.notices);
        commit(&mut books, &titled("b", "after"));
        drop(books);
        let loaded = bed.reopened();
        assert_eq!((loaded.seq, loaded.rows.len()), (before.seq + 1, before.rows.len()));
        assert_eq!(loaded.rows[&id("b")].title, "after");
    }
}

#[test]
fn with_a_journal_behind_the_queue_the_rows_come_from_the_queue() {
    let bed = Bed::with(&[row("a")], 1);
    let old = fs::read(bed.home.journal()).unwrap();
    let (mut books, _) = bed.open();
    commit(&mut books, &row("b"));
    publish(&mut books);
    drop(books);
    fs::write(bed.home.journal(), &old).unwrap();
    let loaded = bed.reopened();
    assert_eq!((ids(&loaded.rows), loaded.seq), (vec!["a", "b"], 2));
    assert!(loaded.notices[0].contains("behind queue.toml"), "{:?}", loaded.notices);
    assert!(fs::read(bed.home.journal()).unwrap().starts_with(&old), "what the journal had is kept");
}

#[test]
fn without_a_journal_and_a_usable_queue_nothing_is_begun() {
    let bed = with_bad_queue(replaced("priority = 3", "priority = 1"));
    fs::remove_file(bed.home.journal()).unwrap();
    let before = bed.files();
    let error = bed.try_open().unwrap_err();
    assert!(error.why.contains("changed by hand") && !error.hint.is_empty(), "{error}");
    assert_eq!(bed.files(), before);
}

#[test]
fn a_newer_version_is_refused_and_nothing_is_touched() {
    let journal = |bed: &Bed| edit(&bed.home.journal(), replaced("{\"v\":1,", "{\"v\":2,"));
    let queue = |bed: &Bed| edit(&bed.home.queue(), replaced("version = 1", "version = 2"));
    let archive = |bed: &Bed| fs::write(bed.home.archive("2026-01"), "version = 2\n").unwrap();
    type Fault<'a> = (&'a str, &'a dyn Fn(&Bed));
    let faults: [Fault<'_>; 3] = [("journal", &journal), ("queue", &queue), ("archive", &archive)];
    for (name, fault) in faults {
        let bed = Bed::with(&[row("a"), row("b")], 1);
        fault(&bed);
        // A cut-off last line would be mended, were the books opened.
        edit(&bed.home.journal(), |bytes| bytes[..bytes.len() - 1].to_vec());
        let before = bed.files();
        let error = bed.try_open().unwrap_err();
        assert!(error.why.contains("newer autodo") && !error.hint.is_empty(), "{name}: {error}");
        assert_eq!(bed.files(), before, "{name}");
    }
}

#[test]
fn a_bad_line_in_the_middle_is_refused_with_its_number_and_nothing_is_touched() {
    let bed = Bed::with(&[row("a"), row("b"), row("c")], 3);
    edit(&bed.home.journal(), replaced("title of b", "title of x"));
    let before = bed.files();
    let error = bed.try_open().unwrap_err();
    assert!(error.to_string().contains("line 2 is damaged"), "{error}");
    assert!(error.hint.contains("the rows then come from queue.toml"));
    assert_eq!(bed.files(), before);
    // The hint does what it says.
    fs::rename(bed.home.journal(), bed.home.root().join("journal.bad")).unwrap();
    assert_eq!(ids(&bed.reopened().rows), ["a", "b", "c"]);
}

#[test]
fn a_torn_last_line_is_cut_off_and_said_and_the_next_step_takes_its_number() {
    let bed = Bed::with(&[row("a"), row("b")], 1);
    edit(&bed.home.journal(), |bytes| bytes[..bytes.len() - 10].to_vec());
    let (mut books, loaded) = bed.open();
    assert_eq!((ids(&loaded.rows), loaded.seq), (vec!["a"], 1));
    assert!(loaded.notices[0].contains("cut off"), "{:?}", loaded.notices);
    commit(&mut books, &row("c"));
    drop(books);
    assert_eq!(ids(&bed.reopened().rows), ["a", "c"]);
}

#[test]
fn a_step_out_of_turn_is_refused_and_not_written() {
    let bed = Bed::with(&[row("a")], 1);
    let (mut books, _) = bed.open();
    let before = fs::read(bed.home.journal()).unwrap();
    for seq in [0, 1, 3] {
        assert!(books.commit(&entry(seq, row("b"))).is_err(), "{seq}");
    }
    let stranger = autodo::domain::entry::Entry { ticket: id("b"), ..entry(2, row("a")) };
    assert!(books.commit(&stranger).is_err());
    assert_eq!(fs::read(bed.home.journal()).unwrap(), before);
}

#[test]
fn a_large_journal_is_rewritten_as_one_snapshot_and_goes_on() {
    assert_eq!(COMPACT_ABOVE, 16 * 1024 * 1024);
    let bed = Bed::new();
    let mut books = bed.open().0.compacting_above(40_000);
    let mut longest = 0;
    for n in 0..120 {
        commit(&mut books, &titled(&format!("t-{}", n % 5), &format!("step {n}")));
        longest = longest.max(books.journal_length());
    }
    books.commit(&leaving(121, "t-4")).unwrap();
    assert!(longest < 45_000 && books.journal_length() < 45_000);
    let kept = books.rows().clone();
    let on_disk = read_all(&fs::read(bed.home.journal()).unwrap()).unwrap();
    assert_eq!((on_disk.rows, on_disk.seq), (kept.clone(), 121));
    drop(books);
    let loaded = bed.reopened();
    assert_eq!((loaded.rows.len(), loaded.seq), (4, 121));
    assert_eq!(loaded.rows, kept);
}

#[test]
fn a_journal_removed_while_it_is_open_is_written_anew() {
    let bed = Bed::with(&[row("a")], 1);
    let (mut books, _) = bed.open();
    fs::remove_file(bed.home.journal()).unwrap();
    commit(&mut books, &row("b"));
    drop(books);
    let loaded = bed.reopened();
    assert_eq!((ids(&loaded.rows), loaded.seq), (vec!["a", "b"], 2));
}

#[test]
fn leftovers_of_a_crash_are_removed() {
    let bed = Bed::with(&[row("a")], 1);
    fs::create_dir_all(bed.home.ticket(&id("a"))).unwrap();
    let left = [bed.home.root().to_owned(), bed.home.archive_dir(), bed.home.ids(), bed.home.ticket(&id("a"))];
    for folder in &left {
        fs::write(folder.join(".autodo-tmp-x"), b"half").unwrap();
    }
    bed.reopened();
    assert!(left.iter().all(|folder| !folder.join(".autodo-tmp-x").exists()));
}

#[derive(Clone, Debug)]
enum Act {
    Commit(u8, u8),
    Leave(u8),
    Publish,
    Reopen,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..4_u8, any::<u8>()).prop_map(|(ticket, title)| Act::Commit(ticket, title)),
        1 => (0..4_u8).prop_map(Act::Leave),
        2 => Just(Act::Publish),
        1 => Just(Act::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_journal_cut_anywhere_in_its_last_line_gives_the_state_before_or_after(
        acts in proptest::collection::vec(act(), 0..12),
        published_after in any::<bool>(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 3),
    ) {
        let bed = Bed::new();
        let mut books = bed.open().0.compacting_above(6_000);
        for act in acts {
            match act {
                Act::Commit(ticket, title) => commit(&mut books, &titled(&format!("t-{ticket}"), &format!("n {title}"))),
                Act::Leave(ticket) => drop(books.commit(&leaving(books.seq() + 1, &format!("t-{ticket}"))).unwrap()),
                Act::Publish => publish(&mut books),
                Act::Reopen => books = bed.open().0.compacting_above(6_000),
            }
        }
        let before = (books.rows().clone(), books.seq());
        let length = usize::try_from(books.journal_length()).unwrap();
        commit(&mut books.compacting_above(u64::MAX), &full_row("last"));
        let mut after = before.clone();
        after.0.insert(id("last"), full_row("last"));
        after.1 += 1;
        let line = encode_entry(&entry(after.1, full_row("last"))).unwrap();
        let whole = fs::read(bed.home.journal()).unwrap();
        prop_assert_eq!(whole.len(), length + line.len());
        if published_after {
            let (mut books, _) = bed.open();
            publish(&mut books);
        }
        let queue = fs::read(bed.home.queue()).unwrap();
        for cut in cuts.iter().map(|cut| length + cut.index(line.len() + 1)).chain([length, whole.len() - 1, whole.len()]) {
            fs::write(bed.home.queue(), &queue).unwrap();
            fs::write(bed.home.journal(), &whole[..cut]).unwrap();
            let read = read_queue(&bed.home).unwrap();
            let (books, loaded) = bed.open();
            let state = (loaded.rows, loaded.seq);
            let expected = if cut == whole.len() || published_after { &after } else { &before };
            prop_assert_eq!(&state, expected, "cut at {} of {}..{}", cut, length, whole.len());
            prop_assert_eq!((books.rows(), books.seq()), (&expected.0, expected.1));
            prop_assert_eq!((read.rows.into_iter().map(|r| (r.id.clone(), r)).collect(), read.seq), state);
        }
    }
}
