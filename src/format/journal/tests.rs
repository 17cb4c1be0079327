//! Tests of journal lines: there and back, torn, spoilt, from a newer version.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    entry::Entry,
    samples::{entry, every_row, id, leaving, row, some_events, time},
};

fn lines(entries: &[Entry]) -> Vec<u8> {
    entries.iter().flat_map(|e| encode_entry(e).unwrap()).collect()
}

fn decode(line: &[u8]) -> Line {
    decode_line(line.strip_suffix(b"\n").unwrap()).unwrap()
}

#[test]
fn every_row_and_event_round_trips() {
    for row in every_row() {
        let step = entry(1, row);
        assert_eq!(decode(&encode_entry(&step).unwrap()), Line::Entry(Box::new(step)));
    }
    for event in some_events() {
        let step = Entry { event, ..leaving(2, "T-1") };
        assert_eq!(decode(&encode_entry(&step).unwrap()), Line::Entry(Box::new(step)));
    }
    let rows = every_row();
    let line = encode_snapshot(9, time(1), &rows.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(decode(&line), Line::Snapshot(Snapshot { seq: 9, at: time(1), rows }));
}

#[test]
fn the_checksum_is_over_all_after_its_comma() {
    let line = String::from_utf8(encode_entry(&entry(1, row("a"))).unwrap()).unwrap();
    let rest = line.trim_end().strip_prefix(r#"{"v":1,"crc":""#).unwrap();
    let (crc, rest) = rest.split_once("\",").unwrap();
    assert_eq!(crc, format!("{:08x}", crc32fast::hash(rest.as_bytes())));
    assert!(rest.starts_with(r#""seq":1,"at":"2023-11-14T22:13:21.123456789Z","ticket":"a","event":{"#), "{rest}");
}

#[test]
fn a_newer_version_is_refused_by_its_number() {
    let journal = lines(&[entry(1, row("a"))]);
    for tail in [&b"{\"v\":2,\"crc\":\"whatever"[..], b"{\"v\":2,\"what\":\"ever\"}\n", b"{\"v\":2,\"a\":1}\nmore\n"] {
        let bytes = [&journal, tail].concat();
        assert_eq!(read_all(&bytes).unwrap_err(), JournalError::Newer(2));
    }
    assert_eq!(decode_line(br#"{"v":17,"x":1}"#).unwrap_err(), JournalError::Newer(17));
    assert!(matches!(decode_line(br#"{"v":99999999999999999999999,"x":1}"#).unwrap_err(), JournalError::Bad(_)));
}

#[test]
fn the_last_row_of_each_ticket_counts() {
    let mut second = row("a");
    second.title = "second".to_owned();
    let steps = [entry(1, row("a")), entry(2, row("b")), entry(3, second.clone()), leaving(4, "b")];
    let loaded = read_all(&lines(&steps)).unwrap();
    assert_eq!(loaded.rows, BTreeMap::from([(id("a"), second)]));
    assert_eq!((loaded.seq, loaded.last_at, loaded.dropped_tail), (4, Some(steps[3].at), false));
}

#[test]
fn a_snapshot_replaces_what_stands_before_it() {
    let (b, c) = (row("b"), row("c"));
    let mut bytes = lines(&[entry(1, row("a"))]);
    bytes.extend(encode_snapshot(7, time(1), &[&b]).unwrap());
    bytes.extend(lines(&[entry(8, c.clone())]));
    let loaded = read_all(&bytes).unwrap();
    assert_eq!(loaded.rows, BTreeMap::from([(id("b"), b), (id("c"), c)]));
    assert_eq!(loaded.seq, 8);
    assert_eq!(loaded.steps.len(), 1);
}

#[test]
fn a_torn_last_line_is_dropped_and_said() {
    let whole = lines(&[entry(1, row("a")), entry(2, row("b"))]);
    let first = lines(&[entry(1, row("a"))]).len();
    for cut in first + 1..whole.len() {
        let loaded = read_all(&whole[..cut]).unwrap();
        assert_eq!((loaded.seq, loaded.dropped_tail, loaded.valid_len), (1, true, first), "cut at {cut}");
    }
    let mut flipped = whole;
    let near_end = flipped.len() - 5;
    flipped[near_end] ^= 1;
    let loaded = read_all(&flipped).unwrap();
    assert_eq!((loaded.seq, loaded.dropped_tail, loaded.valid_len), (1, true, first));
}

#[test]
fn a_bad_line_in_the_middle_is_refused_with_its_number() {
    let three = [entry(1, row("a")), entry(2, row("b")), entry(3, row("c"))];
    let first = lines(&three[..1]).len();
    let mut bytes = lines(&three);
    bytes[first + 40] ^= 1;
    assert!(matches!(read_all(&bytes).unwrap_err(), JournalError::BadLine { line: 2, .. }));
    let blank = [lines(&three[..1]), b"\n".to_vec(), lines(&three[1..])].concat();
    assert!(matches!(read_all(&blank).unwrap_err(), JournalError::BadLine { line: 2, .. }));
}

#[test]
fn a_gap_is_refused() {
    let table: [(&[u64], usize, u64, u64); 5] =
        [(&[2], 1, 1, 2), (&[1, 3], 2, 2, 3), (&[1, 1], 2, 2, 1), (&[1, 2, 1], 3, 3, 1), (&[0], 1, 1, 0)];
    for (seqs, line, expected, found) in table {
        let steps: Vec<_> = seqs.iter().map(|seq| entry(*seq, row("a"))).collect();
        assert_eq!(read_all(&lines(&steps)).unwrap_err(), JournalError::Gap { line, expected, found }, "{seqs:?}");
    }
    let back = [lines(&[entry(1, row("a")), entry(2, row("a"))]), encode_snapshot(1, time(1), &[]).unwrap()].concat();
    assert!(matches!(read_all(&back).unwrap_err(), JournalError::Gap { line: 3, expected: 2, found: 1 }));
}

#[test]
fn a_damaged_line_feed_gives_up_no_step_that_was_acknowledged() {
    let mut whole = lines(&[entry(1, row("a")), entry(2, row("b")), entry(3, row("c"))]);
    let feeds: Vec<_> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    whole[feeds[1]] = b' ';
    assert!(matches!(read_all(&whole).unwrap_err(), JournalError::BadLine { line: 2, .. }));
    let cut = &whole[..whole.len() - 1];
    assert!(matches!(read_all(cut).unwrap_err(), JournalError::BadLine { line: 2, .. }));
}

#[test]
fn a_row_under_another_tickets_name_is_refused() {
    let wrong = Entry { ticket: id("b"), ..entry(1, row("a")) };
    assert!(matches!(read_all(&lines(&[wrong])).unwrap_err(), JournalError::BadLine { line: 1, .. }));
}

proptest! {
    #[test]
    fn any_bytes_give_a_result(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(decode_line(&bytes));
        drop(read_all(&bytes));
    }

    #[test]
    fn any_sealed_text_gives_a_result(text in r#"[{}"\[\]:,a-z0-9 ]{0,60}"#) {
        let rest = format!("\"seq\":{text}}}");
        let line = format!("{{\"v\":1,\"crc\":\"{:08x}\",{rest}", crc32fast::hash(rest.as_bytes()));
        drop(decode_line(line.as_bytes()));
        drop(read_all(format!("{line}\n").as_bytes()));
    }

    #[test]
    fn any_damaged_byte_is_noticed(at in 0usize..2000, flip in 1u8..=255) {
        let steps = [entry(1, row("a")), entry(2, row("b")), entry(3, row("c"))];
        let good = lines(&steps);
        let mut bytes = good.clone();
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Ok(loaded) = read_all(&bytes) {
            // Only the last line may be given up, and that is said.
            prop_assert!(loaded.dropped_tail);
            prop_assert_eq!(&bytes[..loaded.valid_len], &good[..loaded.valid_len]);
            prop_assert_eq!(loaded.seq, 2);
        }
    }
}
