//! Makes a text safe to paste.
//!
//! | in the text | arrives as |
//! |---|---|
//! | CR LF, CR | LF |
//! | tab | four spaces |
//! | `ESC [ … final byte` (a CSI sequence: colours, cursor keys, `ESC[200~`, `ESC[201~`) | nothing |
//! | any other ESC | nothing; what follows it stays as text |
//! | C0 other than LF (NUL, BEL, BS, `^D` …), DEL | nothing |
//! | C1 (U+0080 to U+009F) | nothing |
//! | blank lines at the beginning and the end | nothing |
//! | first character one of the profile's `disarm` (default `!` and `/`), blanks before it or not | `Task: ` (the profile's `prefix`) before it |
//! | last character `\` | the `\` and one space: Enter after a bare one makes a new line in Claude Code 2.1.197 |
//! | anything else: letters of all scripts, emoji, quotes, `;`, `$()`, `#{}`, backticks, leading `-`, the word `Enter` | itself, byte for byte |
//!
//! As no ESC is ever left, nothing in a text can end the bracketed paste that carries it. A text made safe once stays
//! as it is.

use super::profile::Delivery;

/// Makes `text` safe to paste into the box of an agent with these rules of delivery. Nothing is left of a blank text.
#[must_use]
pub fn sanitize(text: &str, delivery: &Delivery) -> String {
    let clean = without_controls(text).replace('\t', "    ");
    let body = without_blank_ends(&clean);
    let armed = body.trim_start().starts_with(|c: char| delivery.disarm.contains(c));
    let mut safe = if armed { format!("{}: {body}", delivery.prefix) } else { body.to_owned() };
    if safe.ends_with('\\') {
        safe.push(' ');
    }
    safe
}

/// The text without control characters and escape sequences; line ends become LF, tabs stay.
#[must_use]
pub fn without_controls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut after = &rest[c.len_utf8()..];
        match c {
            '\r' => {
                out.push('\n');
                after = after.strip_prefix('\n').unwrap_or(after);
            }
            '\n' | '\t' => out.push(c),
            '\u{1b}' => after = behind_csi(after),
            c if c.is_control() => {}
            c => out.push(c),
        }
        rest = after;
    }
    out
}

/// What follows a CSI sequence, whose ESC is taken already (ECMA-48, 5.4); the text itself where it is none.
fn behind_csi(text: &str) -> &str {
    let Some(sequence) = text.strip_prefix('[') else { return text };
    let rest = sequence.trim_start_matches(|c| ('\u{30}'..='\u{3f}').contains(&c));
    let rest = rest.trim_start_matches(|c| ('\u{20}'..='\u{2f}').contains(&c));
    rest.strip_prefix(|c| ('\u{40}'..='\u{7e}').contains(&c)).unwrap_or(text)
}

/// The text without blank lines at both ends; blanks that stand in a line with something stay.
fn without_blank_ends(text: &str) -> &str {
    let first = text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len());
    let last = text.rfind(|c: char| !c.is_whitespace()).unwrap_or(0);
    let from = text[..first].rfind('\n').map_or(0, |at| at + 1);
    let to = text[last..].find('\n').map_or(text.len(), |at| last + at);
    if first == text.len() { "" } else { &text[from..to] }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn safe(text: &str) -> String {
        sanitize(text, &Delivery::default())
    }

    #[test]
    fn each_row_of_the_table_holds() {
        for (text, arrives) in [
            ("a\r\nb\rc\nd", "a\nb\nc\nd"),
            ("a\tb", "a    b"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("a\u{1b}[201~b\u{1b}[200~c", "abc"),
            ("\u{1b}]0;title\u{7}x", "]0;titlex"),
            ("a\u{1b}", "a"),
            ("a\u{1b}[", "a["),
            ("a\u{1b}[31", "a[31"),
            ("\u{1b}\u{1b}[0m[201~", "[201~"),
            ("a\0b\u{7}c\u{8}d\u{4}e\u{7f}f\u{c}g", "abcdefg"),
            ("a\u{9b}201~\u{85}b", "a201~b"),
            ("\n \n  a\n\n b \n \n", "  a\n\n b "),
            (" \n\t\n", ""),
            ("!ls", "Task: !ls"),
            ("\n  /clear", "Task:   /clear"),
            ("\u{1b}[0m!ls", "Task: !ls"),
            ("/", "Task: /"),
            ("path\\", "path\\ "),
            ("!\\", "Task: !\\ "),
            (
                "-n; Enter; $(x) `y` #{pane_id} 'q' \"q\" #a @b 👩‍👩‍👧 ﷽",
                "-n; Enter; $(x) `y` #{pane_id} 'q' \"q\" #a @b 👩‍👩‍👧 ﷽",
            ),
            ("trailing;", "trailing;"),
        ] {
            assert_eq!(safe(text), arrives, "{text:?}");
        }
    }

    #[test]
    fn the_profile_says_what_is_special() {
        let delivery = Delivery { disarm: "#@".to_owned(), prefix: "Please".to_owned(), ..Delivery::default() };
        assert_eq!(sanitize("@file", &delivery), "Please: @file");
        assert_eq!(sanitize("!x", &delivery), "!x");
    }

    proptest! {
        #[test]
        fn no_control_is_left_and_the_second_time_changes_nothing(
            text in "(?s)([\u{1b}\\[0-9;~m]|[\0-\u{a0}]|[!/\\\\ \t\r\n]|.){0,60}"
        ) {
            let once = safe(&text);
            prop_assert!(once.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", once);
            prop_assert!(!once.trim_start().starts_with(['!', '/']));
            prop_assert!(!once.ends_with(['\\', '\n']));
            prop_assert_eq!(safe(&once), once);
        }

        #[test]
        fn a_harmless_text_arrives_byte_for_byte(text in "[a-zA-Z0-9äß漢😀][ -~äß漢😀\n]{0,40}[a-z;]") {
            prop_assert_eq!(safe(&text), text);
        }
    }
}
