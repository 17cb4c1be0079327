//! Bytes from the terminal to keys. The thread that reads logs each byte before it looks at it.

use std::{
    io::Read,
    sync::mpsc::{Receiver, channel},
};

use crate::log;

/// What came.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// A typed character.
    Char(char),
    /// A bracketed paste, as it came.
    Paste(String),
    /// Enter.
    Enter,
    /// Backspace.
    Backspace,
    /// Escape alone.
    Escape,
    /// Ctrl and this letter.
    Ctrl(char),
    /// The terminal is gone.
    Closed,
}

/// Starts to read; the keys come through the channel.
pub fn listen() -> Receiver<Key> {
    let (keys, arriving) = channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 65536];
        let mut rest = Vec::new();
        loop {
            let count = std::io::stdin().read(&mut bytes).unwrap_or(0);
            if count == 0 {
                // Ignored: nobody listens any more.
                keys.send(Key::Closed).ok();
                return;
            }
            log::append("FAKE_LOG", &bytes[..count]);
            rest.extend_from_slice(&bytes[..count]);
            while let Some((key, used)) = next(&rest) {
                rest.drain(..used);
                if key.is_some_and(|key| keys.send(key).is_err()) {
                    return;
                }
            }
        }
    });
    arriving
}

/// The first key in `bytes` and how many of them it takes; `None` while it is not complete.
fn next(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    const BEGIN: &[u8] = b"\x1b[200~";
    const END: &[u8] = b"\x1b[201~";
    let first = *bytes.first()?;
    if bytes.starts_with(BEGIN) {
        let at = bytes.windows(END.len()).position(|window| window == END)?;
        let text = String::from_utf8_lossy(&bytes[BEGIN.len()..at]).into_owned();
        return Some((Some(Key::Paste(text)), at + END.len()));
    }
    let key = match first {
        // tmux writes a sequence in one piece: an ESC at the end of what was read is the key.
        0x1b if bytes.len() == 1 => Key::Escape,
        0x1b if bytes[1] == b'[' || bytes[1] == b'O' => {
            let length = bytes.iter().skip(2).position(|byte| (0x40..=0x7e).contains(byte))?;
            return Some((None, length + 3));
        }
        0x1b => Key::Escape,
        b'\r' => Key::Enter,
        0x7f | 0x08 => Key::Backspace,
        b'\n' | b'\t' => Key::Char(char::from(first)),
        0x01..=0x1a => Key::Ctrl(char::from(first + 0x60)),
        0x00 | 0x1c..=0x1f => return Some((None, 1)),
        _ => return text(bytes),
    };
    Some((Some(key), 1))
}

fn text(bytes: &[u8]) -> Option<(Option<Key>, usize)> {
    let length = match bytes[0] {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    let part = bytes.get(..length)?;
    match std::str::from_utf8(part).ok().and_then(|text| text.chars().next()) {
        Some(c) => Some((Some(Key::Char(c)), length)),
        None => Some((Some(Key::Char('\u{fffd}')), 1)),
    }
}
