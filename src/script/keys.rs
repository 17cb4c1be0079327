//! Bytes of a terminal in raw mode to keys and pastes.
//!
//! Bracketed paste: what comes between `ESC[200~` and `ESC[201~` is text, whatever it holds; a carriage return in it is
//! a line end and never Enter. Source: xterm control sequences, "Bracketed Paste Mode"; sent by tmux 3.3a for
//! `paste-buffer -p`.

/// Something a person or a program typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Text, typed or pasted; its only control characters are line feed and tab.
    Text(String),
    /// Enter.
    Enter,
    /// Backspace.
    Backspace,
    /// Ctrl-C or Ctrl-U: empty the box.
    Clear,
    /// Ctrl-D.
    Eof,
}

/// Where the reader is.
#[derive(Debug, Default)]
enum Mode {
    #[default]
    Ground,
    Escape,
    /// A control sequence, and its bytes so far.
    Sequence(Vec<u8>),
    /// A paste, and its bytes so far.
    Paste(Vec<u8>),
}

/// The reader.
#[derive(Debug, Default)]
pub struct Keys {
    mode: Mode,
    typed: Vec<u8>,
}

const PASTE_END: &[u8] = b"\x1b[201~";

impl Keys {
    /// Takes bytes as they were read and returns the keys that are complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Key> {
        let mut keys = Vec::new();
        for byte in bytes {
            self.take(*byte, &mut keys);
        }
        self.flush(&mut keys, false);
        keys
    }

    fn take(&mut self, byte: u8, keys: &mut Vec<Key>) {
        match &mut self.mode {
            Mode::Paste(text) => {
                text.push(byte);
                if text.ends_with(PASTE_END) {
                    text.truncate(text.len() - PASTE_END.len());
                    let text = pasted(text);
                    self.mode = Mode::Ground;
                    if !text.is_empty() {
                        keys.push(Key::Text(text));
                    }
                }
            }
            Mode::Escape => {
                self.mode = match byte {
                    b'[' | b'O' => Mode::Sequence(Vec::new()),
                    0x1b => Mode::Escape,
                    _ => Mode::Ground,
                };
            }
            Mode::Sequence(sequence) => {
                sequence.push(byte);
                if (0x40..=0x7e).contains(&byte) {
                    self.mode = if sequence == b"200~" { Mode::Paste(Vec::new()) } else { Mode::Ground };
                } else if byte < 0x20 || sequence.len() > 32 {
                    // Not a sequence that anything sends; a control character in it counts for itself.
                    self.mode = Mode::Ground;
                    if byte < 0x20 {
                        self.ground(byte, keys);
                    }
                }
            }
            Mode::Ground => self.ground(byte, keys),
        }
    }

    fn ground(&mut self, byte: u8, keys: &mut Vec<Key>) {
        let key = match byte {
            b'\r' => Key::Enter,
            0x7f | 0x08 => Key::Backspace,
            0x03 | 0x15 => Key::Clear,
            0x04 => Key::Eof,
            0x1b => {
                self.flush(keys, true);
                self.mode = Mode::Escape;
                return;
            }
            b'\n' | b'\t' | 0x20.. => return self.typed.push(byte),
            _ => return,
        };
        self.flush(keys, true);
        keys.push(key);
    }

    /// Gives out the typed text. Unless `all`, a character whose last bytes have not come yet waits for them.
    fn flush(&mut self, keys: &mut Vec<Key>, all: bool) {
        let keep = if all { 0 } else { unfinished(&self.typed) };
        let rest = self.typed.split_off(self.typed.len() - keep);
        let text = std::mem::replace(&mut self.typed, rest);
        if !text.is_empty() {
            keys.push(Key::Text(pasted(&text)));
        }
    }
}

/// How many bytes at the end begin a character that is not complete.
fn unfinished(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
        _ => 0,
    }
}

/// Pasted bytes as text: CR LF and CR become LF; other control characters but tab are dropped.
fn pasted(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Key {
        Key::Text(text.to_owned())
    }

    /// The same bytes in one read and in single ones, with neighbouring texts joined.
    fn both(bytes: &[u8]) -> Vec<Key> {
        let mut single = Keys::default();
        let apart = join(bytes.iter().flat_map(|b| single.push(&[*b])).collect());
        assert_eq!(join(Keys::default().push(bytes)), apart);
        apart
    }

    fn join(keys: Vec<Key>) -> Vec<Key> {
        keys.into_iter().fold(Vec::new(), |mut all, key| {
            match (all.last_mut(), &key) {
                (Some(Key::Text(before)), Key::Text(more)) => before.push_str(more),
                _ => all.push(key),
            }
            all
        })
    }

    #[test]
    fn enter_inside_a_paste_is_text() {
        assert_eq!(both(b"\x1b[200~a\rb\r\nc\nd\x1b[201~\r"), [text("a\nb\nc\nd"), Key::Enter]);
        assert_eq!(both(b"a\rb"), [text("a"), Key::Enter, text("b")]);
    }

    #[test]
    fn a_paste_keeps_tabs_and_loses_control_characters() {
        assert_eq!(both(b"\x1b[200~\x03\x04a\tb\x1b[31m\x07\x1b[201~"), [text("a\tb[31m")]);
        assert_eq!(both(b"\x1b[200~\x1b[201~x"), [text("x")]);
    }

    #[test]
    fn keys_that_mean_nothing_here_are_swallowed_whole() {
        assert_eq!(both(b"a\x1b[A\x1b[1;5C\x1bOPb\x1bxc\x1b\x1b[Bd\x07"), [text("abcd")]);
        assert_eq!(both(b"\x1b[1\x03x"), [Key::Clear, text("x")]);
    }

    #[test]
    fn editing_keys_are_known() {
        assert_eq!(both(b"\x7f\x08\x03\x15\x04"), [Key::Backspace, Key::Backspace, Key::Clear, Key::Clear, Key::Eof]);
    }

    #[test]
    fn characters_arrive_whole() {
        assert_eq!(both("é漢🚀".as_bytes()), [text("é漢🚀")]);
        assert_eq!(Keys::default().push("é".as_bytes().get(..1).unwrap()), []);
        assert_eq!(Keys::default().push(b"\xff"), [text("\u{fffd}")]);
    }
}
