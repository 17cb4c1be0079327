//! Text for a terminal: what other programs print, made harmless; and lines that fit.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Longest line, in bytes, that is waited for; a longer one is shown in parts.
const LONGEST: usize = 4096;

/// Splits the output of a program into lines that can be shown.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes more output and returns the lines that are complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                lines.push(clean(&std::mem::take(&mut self.rest)));
            } else {
                // A part ends before a character, never inside one.
                if self.rest.len() >= LONGEST && byte & 0xC0 != 0x80 {
                    lines.push(clean(&std::mem::take(&mut self.rest)));
                }
                self.rest.push(*byte);
            }
        }
        lines
    }

    /// Returns what is left when the output ends.
    pub fn finish(&mut self) -> Option<String> {
        (!self.rest.is_empty()).then(|| clean(&std::mem::take(&mut self.rest)))
    }
}

/// Makes one line harmless: control sequences and control characters are taken out, tabs become blanks, of what was
/// overwritten after a carriage return only the last stays, and bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches('\r');
    let last = text.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
    let mut shown = String::with_capacity(last.len());
    let mut chars = last.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            '\t' => {
                let blanks = 8 - shown.width() % 8;
                shown.extend(std::iter::repeat_n(' ', blanks));
            }
            c if c.is_control() || is_direction(c) => {}
            c => shown.push(c),
        }
    }
    shown
}

/// Characters that make a terminal or a reader show text in another order.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Skips what follows an ESC.
fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => skip_csi(chars),
        // OSC, DCS, SOS, PM, APC: a string up to BEL or ESC backslash.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if c == '\u{7}' || c == '\u{9c}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                    return;
                }
            }
        }
        // Intermediate bytes, then one final byte, such as ESC ( B.
        Some(' '..='/') => while chars.next().is_some_and(|c| (' '..='/').contains(&c)) {},
        _ => {}
    }
}

fn skip_csi(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while chars.next_if(|c| (' '..='?').contains(c)).is_some() {}
    chars.next_if(|c| ('@'..='~').contains(c));
}

/// Columns that `text` takes in a terminal; about right for most of Unicode.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cuts `text` into rows of at most `columns` columns (at least 1 is taken as the width). Line ends begin a new row.
#[must_use]
pub fn rows(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut rows = Vec::new();
    for line in text.split('\n') {
        let (mut row, mut used) = (String::new(), 0);
        for c in line.chars() {
            let wide = c.width().unwrap_or(0);
            if used + wide > columns && !row.is_empty() {
                rows.push(std::mem::take(&mut row));
                used = 0;
            }
            used += wide;
            row.push(c);
        }
        rows.push(row);
    }
    rows
}

/// Cuts `text` to at most `columns` columns.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    text.chars().take_while(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_do_not_reach_the_screen() {
        let table = [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pq#0\u{1b}\\after", "after"),
            ("\u{1b}(Bx\u{1b}7y\u{1b}[?25lz", "xyz"),
            ("a\u{7}\u{8}\u{0}b\u{85}\u{9b}2Jc", "abc"),
            ("10%\r20%\r30%\r", "30%"),
            ("a\tb", "a       b"),
            ("\u{1b}[", ""),
            ("\u{202e}evil", "evil"),
        ];
        for (line, shown) in table {
            assert_eq!(clean(line.as_bytes()), shown, "{line:?}");
        }
        assert_eq!(clean(b"\xff\xfe"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn lines_are_found_over_reads_and_long_ones_come_in_parts() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"on"), Vec::<String>::new());
        assert_eq!(lines.push(b"e\ntwo\r\nth"), ["one", "two"]);
        assert_eq!(lines.finish().as_deref(), Some("th"));
        assert_eq!(lines.finish(), None);
        let long = "é".repeat(LONGEST);
        let parts = lines.push(format!("{long}\n").as_bytes());
        assert_eq!((parts.len(), parts.concat()), (2, long));
    }

    #[test]
    fn rows_fit_and_lose_nothing() {
        assert_eq!(rows("abcdef\ng", 4), ["abcd", "ef", "g"]);
        assert_eq!(rows("漢字x", 3), ["漢", "字x"]);
        assert_eq!(rows("漢", 1), ["漢"]);
        assert_eq!(rows("", 0), [""]);
        assert_eq!(cut("漢字x", 3), "漢");
    }
}
