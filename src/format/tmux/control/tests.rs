//! The parser of control mode: what was recorded, however it is cut, and what is no such thing.

use proptest::{collection::vec, prelude::*};

use super::*;

/// What a client of tmux 3.3a said: its start, a command that failed to parse, a list whose second command failed.
const RECORDED: &str = "%begin 1795293729 1468 0\n%end 1795293729 1468 0\n%session-changed $0 _autodo\n\
%begin 1795293734 2393 1\nparse error: unknown command: bogus\n%error 1795293734 2393 1\n\
%begin 1795293734 2399 1\na\n%end 1795293734 2399 1\n%begin 1795293734 2400 1\ncan't find session: nope\n\
%error 1795293734 2400 1\n%sessions-changed\n";

fn read(pieces: &[&[u8]]) -> Result<Vec<Message>, Unreadable> {
    let mut parser = Parser::default();
    let mut all = Vec::new();
    for piece in pieces {
        parser.feed(piece);
        while let Some(message) = parser.message()? {
            all.push(message);
        }
    }
    Ok(all)
}

fn block(is_own: bool, is_ok: bool, output: &str) -> Message {
    Message::Block(Block { is_own, is_ok, output: output.as_bytes().to_vec() })
}

fn recorded() -> Vec<Message> {
    vec![
        block(false, true, ""),
        Message::Notice("session-changed $0 _autodo".to_owned()),
        block(true, false, "parse error: unknown command: bogus\n"),
        block(true, true, "a\n"),
        block(true, false, "can't find session: nope\n"),
        Message::Notice("sessions-changed".to_owned()),
    ]
}

#[test]
fn what_a_client_said_is_read_however_it_is_cut() {
    assert_eq!(read(&[RECORDED.as_bytes()]).unwrap(), recorded());
    for at in 0..RECORDED.len() {
        let (head, tail) = RECORDED.as_bytes().split_at(at);
        assert_eq!(read(&[head, tail]).unwrap(), recorded(), "cut at {at}");
    }
    let single: Vec<&[u8]> = RECORDED.as_bytes().chunks(1).collect();
    assert_eq!(read(&single).unwrap(), recorded());
}

#[test]
fn what_looks_like_a_mark_within_a_block_is_output() {
    let inside = "%end 1 2 0\n%begin 5 6 1\n%error 1 3 1\n%output %1 x\n %end 1 2 1\n%end 1 2 1 \n";
    let said = format!("%begin 1 2 1\n{inside}%end 1 2 1\n");
    assert_eq!(read(&[said.as_bytes()]).unwrap(), [block(true, true, inside)]);
}

#[test]
fn what_no_control_client_says_is_an_error() {
    for odd in [
        "hello\n",
        "\n",
        "%\n",
        "%5\n",
        "%end 1 2 1\n",
        "%error 1 2 1\n",
        "%begin\n%end\n",
        "%begin 1 2\n",
        "%begin 1 2 3\n",
        "%begin x 2 1\n",
        "%begin 1 2 1 4\n",
        "%begin 1  1\n",
        "\u{1b}P1000p%begin 1 2 1\n",
    ] {
        let said = read(&[odd.as_bytes()]);
        assert!(said.is_err(), "{odd:?}: {said:?}");
    }
}

#[test]
fn a_line_without_end_is_an_error_and_not_the_end_of_memory() {
    let mut parser = Parser::default();
    let piece = vec![b'x'; 1 << 20];
    let failed = (0..64).find(|_| {
        parser.feed(&piece);
        parser.message().is_err()
    });
    assert_eq!(failed, Some(16));
    let mut parser = Parser::default();
    parser.feed(b"%begin 1 2 1\n");
    let line = [piece, b"\n".to_vec()].concat();
    let failed = (0..64).find(|_| {
        parser.feed(&line);
        parser.message().is_err()
    });
    assert_eq!(failed, Some(15));
}

/// Bytes that a control client might say, and any others.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let known = prop_oneof![
        Just(b"%begin 1 2 1\n".to_vec()),
        Just(b"%end 1 2 1\n".to_vec()),
        Just(b"%error 1 2 1\n".to_vec()),
        Just(b"%exit\n".to_vec()),
        Just(b"text\n".to_vec()),
        Just(b"%".to_vec()),
        Just(b"\n".to_vec()),
    ];
    prop_oneof![3 => known, 1 => vec(any::<u8>(), 0..20)]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_and_cutting_changes_nothing(all in vec(pieces(), 0..30)) {
        let whole: Vec<u8> = all.concat();
        let cut: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(read(&[whole.as_slice()]), read(&cut));
    }

    #[test]
    fn every_block_comes_back_as_it_was_sent(
        blocks in vec((any::<bool>(), any::<bool>(), vec("[ -~]{0,30}", 0..5)), 0..8),
        size in 1_usize..40,
    ) {
        let mut said = String::new();
        let mut wanted = Vec::new();
        for (number, (is_own, is_ok, lines)) in blocks.into_iter().enumerate() {
            let mark = format!("1795293734 {number} {}", u8::from(is_own));
            let output: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let word = if is_ok { "end" } else { "error" };
            said.push_str(&format!("%begin {mark}\n{output}%{word} {mark}\n"));
            wanted.push(block(is_own, is_ok, &output));
        }
        let pieces: Vec<&[u8]> = said.as_bytes().chunks(size).collect();
        prop_assert_eq!(read(&pieces).unwrap(), wanted);
    }
}
