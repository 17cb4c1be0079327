//! Text of others inside a Markdown line: what an agent says can never become structure, and is read back exactly.
//!
//! A line feed becomes a hard break (a backslash at the end of the line) and an indented line. A character that could
//! not stand there as itself becomes a backslash escape or a character reference, both of which Markdown shows as the
//! character itself. Text that a person wrote, wrapped over lines, is read as Markdown reads it: joined by spaces.

/// What separates a text from its reason.
const DASH: char = '—';

/// Where a text stands, which says what must be escaped in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Before ` — reason`.
    BeforeReason,
    /// A path that may be followed by ` (note)`.
    Path,
    /// Such a note.
    Note,
    /// Anywhere else.
    Plain,
}

/// The lines of a text, ready to stand after a bullet's mark: all but the first need `indent` before them.
pub(super) fn encode(text: &str, spot: Spot, indent: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 8);
    // True until the first character of a line but the first is written.
    let mut at_start = false;
    for (index, &c) in chars.iter().enumerate() {
        let before = index.checked_sub(1).map(|i| chars[i]);
        let after = chars.get(index + 1).copied();
        let edge = |c: Option<char>| c.is_none_or(|c| c == '\n');
        let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
        let starts = std::mem::take(&mut at_start);
        match c {
            '\n' if after.is_some() => {
                out.push_str("\\\n");
                out.push_str(indent);
                at_start = true;
            }
            ' ' | '\t' if !edge(before) && !edge(after) => out.push(c),
            '\\' if !after.is_some_and(char::is_alphanumeric) => out.push_str("\\\\"),
            '&' if matches!(after, Some('#')) || text_follows(&chars, index, "&amp;") => out.push_str("&amp;"),
            DASH if spot == Spot::BeforeReason && blank(before) && blank(after) => reference(&mut out, c),
            '(' if spot == Spot::Note && blank(before) => out.push_str("\\("),
            ')' if spot == Spot::Path && after.is_none() => out.push_str("\\)"),
            '<' if after == Some('!') => out.push_str("\\<"),
            '-' | '#' | '>' | '`' | '~' | '<' | '*' | '+' | '=' | '|' | '_' | '[' if starts => {
                out.push('\\');
                out.push(c);
            }
            ' ' | '\t' | '\n' => reference(&mut out, c),
            c if is_hidden(c) => reference(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

fn text_follows(chars: &[char], index: usize, text: &str) -> bool {
    text.chars().enumerate().all(|(offset, c)| chars.get(index + offset) == Some(&c))
}

fn reference(out: &mut String, c: char) {
    out.push_str(&format!("&#{};", u32::from(c)));
}

/// Characters that a person would not see, or that change how others look: control characters, Unicode's own line
/// ends, marks of the writing direction, the byte order mark.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{61c}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text on one line, whatever it holds.
pub(super) fn on_one_line(text: &str) -> String {
    encode(text, Spot::Plain, "").replace("\\\n", "&#10;")
}

/// Markdown of others as it may be shown over several lines: what a person would not see becomes a reference.
pub(super) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        if is_hidden(c) && !matches!(c, '\n' | '\t') { reference(&mut out, c) } else { out.push(c) }
    }
    out
}

/// The lines of one bullet as one text, still encoded: lines are joined by a space, or by `\n` at a hard break.
pub(super) fn join(lines: &[&str]) -> String {
    let mut out = String::new();
    let mut hard = true;
    for line in lines {
        let line = line.trim_matches([' ', '\t', '\r', '\n']);
        if line.is_empty() {
            continue;
        }
        if !hard {
            out.push(' ');
        }
        let slashes = line.len() - line.trim_end_matches('\\').len();
        hard = slashes % 2 == 1;
        if hard {
            out.push_str(&line[..line.len() - 1]);
            out.push('\n');
        } else {
            out.push_str(line);
        }
    }
    out
}

/// Splits an encoded text at the first dash between blanks.
pub(super) fn split_reason(joined: &str) -> (&str, Option<&str>) {
    let blank = |c: Option<char>| c.is_none_or(|c| matches!(c, ' ' | '\t' | '\n'));
    for (at, _) in joined.match_indices(DASH) {
        let (before, after) = (&joined[..at], &joined[at + DASH.len_utf8()..]);
        if blank(before.chars().next_back()) && blank(after.chars().next()) {
            let text = before.strip_suffix([' ', '\t', '\n']).unwrap_or(before);
            return (text, Some(after.strip_prefix([' ', '\t', '\n']).unwrap_or(after)));
        }
    }
    (joined, None)
}

/// Splits an encoded text at its last ` (`, where it ends with `)`.
pub(super) fn split_note(joined: &str) -> (&str, Option<&str>) {
    let Some(inner) = joined.strip_suffix(')').filter(|inner| !ends_escaped(inner)) else { return (joined, None) };
    match inner.rfind(" (") {
        Some(at) => (&inner[..at], Some(&inner[at + 2..])),
        None => inner.strip_prefix('(').map_or((joined, None), |note| ("", Some(note))),
    }
}

fn ends_escaped(text: &str) -> bool {
    (text.len() - text.trim_end_matches('\\').len()) % 2 == 1
}

/// Reads what [`encode`] wrote, or what a person did.
pub(super) fn decode(encoded: &str) -> String {
    let mut out = String::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c == '\\' && after.starts_with(|c: char| c.is_ascii_punctuation()) {
            out.push_str(&after[..1]);
            rest = &after[1..];
        } else if let Some(more) = rest.strip_prefix("&amp;") {
            out.push('&');
            rest = more;
        } else if let Some((c, more)) = rest.strip_prefix("&#").and_then(referred) {
            out.push(c);
            rest = more;
        } else {
            out.push(c);
            rest = after;
        }
    }
    out
}

/// The character of `123;` and what follows.
fn referred(rest: &str) -> Option<(char, &str)> {
    let (digits, more) = rest.split_once(';')?;
    let good = (1..=7).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    // Ignored: what is no number of a character is not a reference, and stays as it is.
    let number: u32 = digits.parse().ok().filter(|_| good)?;
    Some((char::from_u32(number)?, more))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::format::review) fn nasty() -> impl Strategy<Value = String> {
        prop_oneof![
            any::<String>(),
            "(\n|\r|\r\n| |\t|\\\\|&|&#13;|&amp;|#|-|---|— | —|—|\\(|\\)|<!--|-->|## Human Notes|```|> |1\\.|\\[low\\]|a|é|\u{85}|\u{2028}|\u{202e}){0,10}",
        ]
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        for text in [
            "use serde_json, not a parser of our own",
            "C:\\dir and \\d+",
            "Vec<u8> & co, a — b? (x)",
            "*a* `b` [c](d)",
        ] {
            assert_eq!(encode(text, Spot::Plain, "  "), text);
        }
    }

    #[test]
    fn structure_is_taken_out() {
        for (text, want) in [
            ("a\n## Flagged for Review\n---\n- [low] b", "a\\\n  \\## Flagged for Review\\\n  \\---\\\n  \\- [low] b"),
            ("a\n\n  b\n", "a\\\n  \\\n  &#32; b&#10;"),
            ("a\r\nb\u{1b}[31m", "a&#13;\\\n  b&#27;[31m"),
            ("tail\\\nb \\", "tail\\\\\\\n  b \\\\"),
            ("&#13; &amp; &lt;", "&amp;#13; &amp;amp; &lt;"),
            ("x<!-- y", "x\\<!-- y"),
        ] {
            assert_eq!(encode(text, Spot::Plain, "  "), want);
        }
        assert_eq!(encode("a — b", Spot::BeforeReason, ""), "a &#8212; b");
        assert_eq!(encode("a (b)", Spot::Path, ""), "a (b\\)");
    }

    #[test]
    fn wrapped_text_is_joined_as_markdown_joins_it() {
        assert_eq!(join(&[" one ", "   two\r", "", "three\\", "four"]), "one two three\nfour");
        assert_eq!(split_reason("text —\treason — more"), ("text", Some("reason — more")));
        assert_eq!(split_reason("a—b"), ("a—b", None));
        assert_eq!(split_note("a (b) (c d)"), ("a (b)", Some("c d")));
        assert_eq!(decode("&#0; &#x41; &#99999999; &#; \\a \\."), "\0 &#x41; &#99999999; &#; \\a .");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in nasty(), why in nasty()) {
            for spot in [Spot::Plain, Spot::BeforeReason, Spot::Path, Spot::Note] {
                let encoded = encode(&text, spot, "  ");
                let lines: Vec<&str> = encoded.split('\n').collect();
                prop_assert_eq!(decode(&join(&lines)), text.as_str(), "{:?}", encoded);
                prop_assert!(!encoded.chars().any(|c| is_hidden(c) && c != '\n' && c != '\t'));
                for line in &lines[1..] {
                    let start = line.strip_prefix("  ").unwrap();
                    prop_assert!(!start.starts_with(['-', '#', '<', '`', '~', '>', ' ', '\t']), "{:?}", encoded);
                }
            }
            let both = format!("{} — {}", encode(&text, Spot::BeforeReason, "  "), encode(&why, Spot::Plain, "  "));
            let joined = join(&both.split('\n').collect::<Vec<_>>());
            let (a, b) = split_reason(&joined);
            prop_assert_eq!((decode(a), b.map(decode)), (text.clone(), Some(why.clone())), "{:?}", both);
            let both = format!("{} ({})", encode(&text, Spot::Path, "  "), encode(&why, Spot::Note, "  "));
            let joined = join(&both.split('\n').collect::<Vec<_>>());
            let (a, b) = split_note(&joined);
            prop_assert_eq!((decode(a), b.map(decode)), (text, Some(why)), "{:?}", both);
        }

        #[test]
        fn any_text_can_be_decoded(text in any::<String>(), lump in "[\\\\&#;0-9amp—() \n]{0,40}") {
            for text in [text, lump] {
                let joined = join(&text.lines().collect::<Vec<_>>());
                let _ = (decode(split_reason(&joined).0), decode(split_note(&joined).0));
            }
        }
    }
}
