//! Pastes and keys: every byte, once, into its own pane, or not at all.

use autodo::{
    domain::id::PaneId,
    ports::terminal::{Guard, Key, KeySent, Terminal as _, TerminalError},
};
use tokio::task::JoinSet;

use crate::support::{
    tmux::{Bed, bracketed, tag},
    wait_for,
};

fn shows(text: &str) -> Guard {
    Guard { shows: Some(text.to_owned()), hides: Vec::new() }
}

fn hides(texts: &[&str]) -> Guard {
    Guard { shows: None, hides: texts.iter().map(|text| (*text).to_owned()).collect() }
}

/// Texts that something on the way to the pane could take for its own.
fn nasty() -> Vec<String> {
    let mut texts: Vec<String> = [
        "a plain line",
        "ends in a semicolon;",
        ";",
        "\\;",
        "Enter",
        "C-c",
        "-t %0",
        "--",
        "-",
        "#{pane_id} #(touch evil) #S ##",
        "$(touch evil) `touch evil` $HOME ~ ${x}",
        "'single' \"double\" \\ back",
        "{ braces } [a] * ? %begin %end",
        "emoji 👩‍👩‍👧 ✳ é 漢字 \u{202e}rtl",
        "tab\tin\tthe middle",
        "many\nlines\n\nand an empty one\n",
        "\n",
        " ",
        "crlf\r\nand a bare cr\rhere",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("0123456789 é漢👩 ;#{}$\n".repeat(4_500));
    texts.push("x".repeat(16_384));
    texts
}

#[test]
fn every_text_arrives_byte_for_byte_and_once() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    let mut expected = Vec::new();
    for text in nasty() {
        bed.paste(&recorder.pane, &text).unwrap();
        expected.extend(bracketed(&text));
        let got = recorder.wait_for_end(&bracketed(&text));
        assert!(got == expected, "{:?}", &text[..text.len().min(60)]);
    }
    assert_eq!(bed.says(&["list-buffers"]), "", "no buffer is left");
    assert!(!bed.dir.path().join("evil").exists());
}

#[test]
fn a_megabyte_arrives() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    let text = "0123456789abcdef é漢👩\n".repeat(40_000);
    assert!(text.len() > 1 << 20);
    bed.paste(&recorder.pane, &text).unwrap();
    assert!(recorder.wait_for_end(b"\x1b[201~") == bracketed(&text));
}

#[test]
fn twenty_at_once_each_reach_their_own_pane() {
    let bed = super::bed();
    let recorders: Vec<_> = (0..20).map(|number| bed.recorder(&format!("T-{number}"))).collect();
    let text = |number: usize| format!("prompt {number};\n").repeat(40 * number + 1);
    bed.block(async {
        let mut all = JoinSet::new();
        for (number, recorder) in recorders.iter().enumerate() {
            let (tmux, pane) = (bed.tmux.clone(), recorder.pane.clone());
            all.spawn(async move { tmux.paste(pane, text(number)).await.unwrap() });
        }
        all.join_all().await;
    });
    for (number, recorder) in recorders.iter().enumerate() {
        assert!(recorder.wait_for_end(b"\x1b[201~") == bracketed(&text(number)), "{number}");
    }
    assert_eq!(bed.says(&["list-buffers"]), "");
}

#[test]
fn an_empty_text_and_a_control_sequence_are_refused() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    bed.says(&["set-buffer", "-b", "somebody", "somebody's text"]);
    for text in ["", "a\u{1b}[201~\rrm -rf ~\r", "\u{9b}201~", "nul\0"] {
        assert!(matches!(bed.paste(&recorder.pane, text), Err(TerminalError::Other(_))), "{text:?}");
    }
    bed.paste(&recorder.pane, "end").unwrap();
    assert_eq!(recorder.wait_for_end(b"\x1b[201~"), bracketed("end"));
    assert_eq!(bed.says(&["list-buffers", "-F", "#{buffer_name}"]), "somebody", "a person's buffer stays");
}

#[test]
fn nothing_is_pasted_in_copy_mode_or_with_input_off_or_into_a_dead_pane() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    let pane = &recorder.pane;
    bed.says(&["copy-mode", "-t", pane.as_str()]);
    assert!(matches!(bed.paste(pane, "one"), Err(TerminalError::Other(why)) if why.contains("mode")));
    assert_eq!(bed.key(pane, Key::Enter, Guard::default()).unwrap(), KeySent::Refused);
    assert!(bed.seen(pane).in_mode);
    bed.block(bed.tmux.leave_mode(pane.clone())).unwrap();
    assert!(!bed.seen(pane).in_mode);
    bed.block(bed.tmux.leave_mode(pane.clone())).unwrap();
    bed.says(&["select-pane", "-d", "-t", pane.as_str()]);
    assert!(matches!(bed.paste(pane, "two"), Err(TerminalError::Other(why)) if why.contains("input")));
    assert_eq!(bed.key(pane, Key::Enter, Guard::default()).unwrap(), KeySent::Refused);
    bed.says(&["select-pane", "-e", "-t", pane.as_str()]);
    bed.paste(pane, "three").unwrap();
    assert_eq!(recorder.wait_for_end(b"\x1b[201~"), bracketed("three"));
    let dead = bed.open("T-2", &["true", "x"]);
    wait_for("its death", || bed.seen(&dead).dead.then_some(()), String::new);
    assert!(matches!(bed.paste(&dead, "four"), Err(TerminalError::Other(why)) if why.contains("ended")));
    assert_eq!(bed.key(&dead, Key::Enter, Guard::default()).unwrap(), KeySent::Refused);
    bed.block(bed.tmux.close(tag("T-2", 1, 1))).unwrap();
    assert!(matches!(bed.paste(&dead, "five"), Err(TerminalError::NoTarget(_))));
    for guard in [Guard::default(), shows("x")] {
        let gone = bed.key(&dead, Key::Enter, guard);
        assert!(matches!(gone, Err(TerminalError::NoTarget(_))), "{gone:?}");
    }
    assert!(matches!(bed.block(bed.tmux.leave_mode(dead)), Err(TerminalError::NoTarget(_))));
    assert_eq!(bed.says(&["list-buffers"]), "", "no buffer is left");
}

#[test]
fn keys_are_sent_as_they_are_named() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    let mut expected: Vec<u8> = Vec::new();
    let chars = ['1', ';', '"', '\'', '$', '#', '\\', '}', '{', '~', '-', ' ', 'é', '漢'];
    let keys = chars.into_iter().map(|c| (Key::Char(c), c.to_string().into_bytes())).chain([
        (Key::Enter, b"\r".to_vec()),
        (Key::Named("Up"), b"\x1b[A".to_vec()),
        (Key::Named("C-u"), b"\x15".to_vec()),
        (Key::Named("BSpace"), b"\x7f".to_vec()),
        (Key::Named("Tab"), b"\t".to_vec()),
        (Key::Named("Escape"), b"\x1b".to_vec()),
    ]);
    for (key, bytes) in keys {
        assert_eq!(bed.key(&recorder.pane, key.clone(), Guard::default()).unwrap(), KeySent::Yes, "{key:?}");
        expected.extend(bytes);
        assert_eq!(recorder.wait_for_end(&expected), expected, "{key:?}");
    }
    for key in [Key::Char('\r'), Key::Char('\u{1b}'), Key::Named("kill-server"), Key::Named("x ; y")] {
        assert!(matches!(bed.key(&recorder.pane, key, Guard::default()), Err(TerminalError::Other(_))));
    }
    assert_eq!(recorder.bytes(), expected);
}

#[test]
fn a_guard_holds_only_for_what_is_on_the_screen() {
    let bed = super::bed();
    // Every hazard of a format, of a shell pattern and of a command line, on one row.
    let row = "❯ a;b, #{pane_id} #(x) } { *?[!x]\\ \"q\" 'r' $HOME ~ %H #, | é漢👩";
    let intro = "printf '%s\\r\\n' $(seq 1 50) \"$ROW\"; printf 'READY'";
    let recorder = bed.recorder_that(&format!("ROW=$(cat {}); {intro}", row_file(&bed, row)), "T-1");
    let pane = &recorder.pane;
    let rows = bed.screen(pane).rows;
    assert!(rows.iter().any(|shown| shown == row), "{rows:?}");
    let mut sent = 0;
    let mut check = |guard: Guard, holds: bool| {
        let expected = if holds { KeySent::Yes } else { KeySent::Refused };
        assert_eq!(bed.key(pane, Key::Char('y'), guard.clone()).unwrap(), expected, "{guard:?}");
        sent += usize::from(holds);
    };
    let pieces: Vec<String> = row.char_indices().map(|(at, _)| row[at..].to_owned()).collect();
    for piece in pieces.iter().filter(|piece| !piece.trim().is_empty()) {
        check(shows(piece), true);
        check(hides(&[piece.as_str()]), false);
        let (absent, twice) = (format!("{piece}Z"), format!("Z{piece}"));
        check(shows(&absent), false);
        check(hides(&[absent.as_str(), twice.as_str()]), true);
    }
    for never in ["*", "?EADY", "[R]EADY", "READ*", "R.*Y", "#{pane_id", "#{C:x}", "ready", "READY;", "0", "1,1"] {
        let on_row = rows.iter().any(|row| row.contains(never));
        check(shows(never), on_row);
        check(hides(&[never]), !on_row);
    }
    // Rows that have scrolled away do not count, nor does one of several that is missing.
    check(shows("11"), false);
    check(Guard { shows: Some("READY".to_owned()), hides: vec!["nope".to_owned(), "a;b".to_owned()] }, false);
    check(Guard { shows: Some("READY".to_owned()), hides: vec!["nope".to_owned(), "no;".to_owned()] }, true);
    assert_eq!(recorder.wait_for_end(&vec![b'y'; sent]).len(), sent);
    let options = bed.says(&["show-options", "-p", "-t", pane.as_str()]);
    assert!(!options.contains("guard"), "{options}");
}

fn row_file(bed: &Bed, row: &str) -> String {
    let file = bed.dir.path().join("row");
    std::fs::write(&file, row).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_guard_that_no_row_could_meet_is_an_error() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    for guard in [shows(""), shows("a\nb"), hides(&["a\tb"]), hides(&[""])] {
        assert!(matches!(bed.key(&recorder.pane, Key::Enter, guard), Err(TerminalError::Other(_))));
    }
    assert_eq!(recorder.bytes(), b"");
}

#[test]
fn a_pane_id_of_an_older_server_is_never_typed_into() {
    let bed = super::bed();
    let old: Vec<PaneId> = ["T-1", "T-2"].iter().map(|id| bed.recorder(id).pane).collect();
    bed.end_server();
    let other = bed.other(|_| {});
    // Another process opens sessions: the new server counts panes from 0 again.
    let new: Vec<PaneId> = ["T-3", "T-4"]
        .iter()
        .map(|id| bed.block(other.open(crate::support::tmux::spec(tag(id, 1, 1), &["sleep", "600"]))).unwrap())
        .collect();
    assert_eq!(old, new);
    let pasted = bed.paste(&old[0], "for T-1");
    assert!(matches!(pasted, Err(TerminalError::NoServer(_))), "{pasted:?}");
    let key = bed.key(&old[0], Key::Enter, Guard::default());
    assert!(matches!(key, Err(TerminalError::NoServer(_))), "{key:?}");
    // After a look the caller knows better.
    bed.panes();
    bed.paste(&new[0], "for T-3").unwrap();
}

#[test]
fn a_buffer_that_a_dead_process_left_is_removed() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    bed.says(&["set-buffer", "-b", "autodo-left", "half a prompt"]);
    bed.paste(&recorder.pane, "one").unwrap();
    let names = || bed.says(&["list-buffers", "-F", "#{buffer_name}"]);
    assert_eq!(names(), "autodo-left", "a young one may be in use");
    // A wrapper that makes the buffer look an hour old.
    let aged = bed
        .script("aged", "exec tmux \"$@\" | awk -F'|' 'BEGIN { OFS = \"|\" } /^autodo-left/ { $3 -= 3600 } { print }'");
    bed.block(bed.other(|place| place.program = aged).paste(recorder.pane, "two".to_owned())).unwrap();
    assert_eq!(names(), "");
}

#[test]
fn a_load_that_did_not_arrive_whole_is_never_pasted() {
    let bed = super::bed();
    let recorder = bed.recorder("T-1");
    let cut = bed.script(
        "cut",
        "for word; do test \"$word\" = load-buffer && { head -c 3 | tmux \"$@\"; exit; }; done; exec tmux \"$@\"",
    );
    let pasted = bed.block(bed.other(|place| place.program = cut).paste(recorder.pane.clone(), "longer".to_owned()));
    assert!(matches!(&pasted, Err(TerminalError::Other(why)) if why.contains("nothing was pasted")), "{pasted:?}");
    bed.paste(&recorder.pane, "end").unwrap();
    assert_eq!(recorder.wait_for_end(b"\x1b[201~"), bracketed("end"));
    assert_eq!(bed.says(&["list-buffers"]), "");
}
