//! Tests of `queue.toml`: there and back, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::domain::samples::{every_row, row};

#[test]
fn every_row_round_trips() {
    let rows = every_row();
    let text = render(42, &rows.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(parse(text.as_bytes()).unwrap(), Queue { seq: 42, rows });
}

#[test]
fn each_row_is_as_it_would_be_alone() {
    for row in every_row() {
        let text = render(1, &[&row]).unwrap();
        assert_eq!(parse(text.as_bytes()).unwrap().rows, [row], "{text}");
    }
}

#[test]
fn a_bare_row_is_short_and_begins_with_what_matters() {
    let text = render(3, &[&row("T-1")]).unwrap();
    let head = "version = 1\nseq = 3\nchecksum = \"";
    assert!(text.contains(head), "{text}");
    let block = text.split_once("[[ticket]]\n").unwrap().1;
    assert!(block.starts_with("id = \"T-1\"\ntitle = \"title of T-1\"\nstatus = \"queued\"\n"), "{block}");
    assert!(!block.contains("crashes"), "{block}");
    assert!(block.lines().count() < 20, "{block}");
}

#[test]
fn an_edit_by_hand_is_noticed_wherever_it_is() {
    let text = render(3, &[&row("T-1"), &row("T-2")]).unwrap();
    let edits = [
        ("seq = 3", "seq = 4"),
        ("priority = 3", "priority = 1"),
        ("status = \"queued\"", "status = \"reviewed\""),
        ("checksum = \"", "#checksum = \""),
        ("# Written by autodo", "# Edited by me"),
    ];
    for (from, to) in edits {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text, "{from}");
        assert_eq!(parse(edited.as_bytes()).unwrap_err(), QueueError::Edited, "{from}");
    }
    assert_eq!(parse(format!("{text}\n# note\n").as_bytes()).unwrap_err(), QueueError::Edited);
}

#[test]
fn what_is_no_queue_is_named() {
    for bytes in
        [&b""[..], b"\0\0\0\0", b"\xff\xfe", b"version = ", b"seq = 1\n", b"version = \"1\"\n", b"version = 0\n"]
    {
        assert!(matches!(parse(bytes).unwrap_err(), QueueError::Unreadable(_)), "{bytes:?}");
    }
    assert_eq!(parse(b"version = 2\nnew = \"thing\"\n").unwrap_err(), QueueError::Newer(2));
}

fn archive(rows: &[Row]) -> Vec<u8> {
    let mut text = archive_head();
    for (n, row) in rows.iter().enumerate() {
        text.push_str(&render_archived(n as u64, row).unwrap());
    }
    text.into_bytes()
}

#[test]
fn an_archive_round_trips() {
    let rows = every_row();
    let bytes = archive(&rows);
    let read = parse_archive(&bytes).unwrap();
    assert_eq!(read.blocks.iter().map(|b| b.seq).max(), Some(rows.len() as u64 - 1));
    assert_eq!(
        read.blocks.iter().map(|b| b.id.clone()).collect::<Vec<_>>(),
        rows.iter().map(|r| r.id.clone()).collect::<Vec<_>>()
    );
    let row = |b: &Archived| archived_row(&bytes[b.bytes.clone()]).unwrap().1;
    assert_eq!(read.blocks.iter().map(row).collect::<Vec<_>>(), rows);
    assert_eq!((read.dropped_tail, read.damaged), (false, Vec::new()));
}

#[test]
fn an_archive_cut_anywhere_gives_the_blocks_before() {
    let rows = [row("a"), row("b"), row("c")];
    let whole = archive(&rows);
    let ends: Vec<usize> = (0..=rows.len()).map(|n| archive(&rows[..n]).len()).collect();
    for cut in 0..whole.len() {
        let read = parse_archive(&whole[..cut]).unwrap();
        let complete = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(read.blocks.len(), complete.saturating_sub(1), "cut at {cut}");
        // An appended block after the valid part is read again: what follows a repair is not lost.
        let repaired = if read.valid_len == 0 { archive_head().into_bytes() } else { whole[..read.valid_len].to_vec() };
        let more = [repaired, render_archived(9, &row("d")).unwrap().into_bytes()].concat();
        let again = parse_archive(&more).unwrap();
        assert_eq!(again.blocks.len(), read.blocks.len() + 1, "cut at {cut}");
        assert!(!again.dropped_tail && again.damaged.is_empty(), "cut at {cut}");
    }
}

#[test]
fn a_damaged_block_in_the_middle_is_named_and_the_others_count() {
    let bytes = archive(&[row("a"), row("b"), row("c")]);
    let text = String::from_utf8(bytes).unwrap().replacen("title of b", "title of x", 1);
    let read = parse_archive(text.as_bytes()).unwrap();
    assert_eq!(read.blocks.iter().map(|b| b.id.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    assert_eq!(read.damaged.len(), 1);
    assert_eq!(text.lines().nth(read.damaged[0].0 - 1), Some("[[ticket]]"));
}

#[test]
fn a_newer_archive_is_refused() {
    let text = String::from_utf8(archive(&[row("a")])).unwrap().replacen("version = 1", "version = 2", 1);
    assert_eq!(parse_archive(text.as_bytes()).unwrap_err(), QueueError::Newer(2));
}

proptest! {
    #[test]
    fn any_text_round_trips(title in any::<String>(), label in any::<String>()) {
        let row = Row { title, labels: vec![label], ..row("a") };
        let text = render(1, &[&row]).unwrap();
        prop_assert_eq!(parse(text.as_bytes()).unwrap().rows, vec![row.clone()]);
        let bytes = archive(std::slice::from_ref(&row));
        let block = parse_archive(&bytes).unwrap().blocks[0].bytes.clone();
        prop_assert_eq!(archived_row(&bytes[block]).unwrap(), (0, row));
    }

    #[test]
    fn any_bytes_give_a_result(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(parse(&bytes));
        drop(parse_archive(&bytes));
        drop(parse_archive(&[archive_head().as_bytes(), &bytes].concat()));
    }
}
