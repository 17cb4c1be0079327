//! Commands for a shell, as far as they can be understood with certainty, and as far as they can be suspected.

/// A word of a rule or a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Without its quotes.
    pub text: String,
    /// True if any part of it stood in quotes: nothing in it is a wildcard.
    pub quoted: bool,
}

/// The words of `command`, if it is one simple command that any shell takes exactly so: no operator, redirection,
/// expansion, assignment, comment, wildcard or escape, all quotes closed. `None` wherever that is not certain.
pub(super) fn simple(command: &str) -> Option<Vec<String>> {
    let words = words(command, |c| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c), |c| !"$`\\!".contains(c))?;
    // `NAME=value` in front of a command, and `=name` in zsh.
    let is_odd = |word: &Word| !word.quoted && word.text.starts_with('=');
    if words.first().is_none_or(|first| first.text.contains('=') || first.text.is_empty()) || words.iter().any(is_odd) {
        return None;
    }
    Some(words.into_iter().map(|word| word.text).collect())
}

/// Splits `text` at blanks and takes its quotes away. `None`: a quote is open, a control character is in it, or a
/// character that `plain` (outside quotes) or `in_double` (between double quotes) does not let pass.
pub(super) fn words(text: &str, plain: impl Fn(char) -> bool, in_double: impl Fn(char) -> bool) -> Option<Vec<Word>> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote: Option<char> = None;
    for c in text.chars() {
        if c.is_control() {
            return None;
        }
        match quote {
            Some(open) if c == open => quote = None,
            Some(open) => {
                if open == '"' && !in_double(c) {
                    return None;
                }
                word.get_or_insert_with(empty).text.push(c);
            }
            None if c == ' ' => words.extend(word.take()),
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_with(empty).quoted = true;
            }
            None if plain(c) => word.get_or_insert_with(empty).text.push(c),
            None => return None,
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(word);
    Some(words)
}

fn empty() -> Word {
    Word { text: String::new(), quoted: false }
}

/// `word` so that a shell, and a rule, takes it literally; `None`: it cannot be written in one line.
pub(super) fn quoted(word: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c);
    if word.chars().any(char::is_control) {
        return None;
    }
    if !word.is_empty() && word.chars().all(is_plain) && !word.starts_with('=') {
        return Some(word.to_owned());
    }
    match (word.contains('\''), word.contains(['"', '$', '`', '\\', '!'])) {
        (false, _) => Some(format!("'{word}'")),
        (true, false) => Some(format!("\"{word}\"")),
        (true, true) => None,
    }
}

/// A word of a line that may hold anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Loose {
    /// Without quotes and backslashes.
    pub text: String,
    /// A command may end behind it.
    pub may_end: bool,
}

/// All that may be a word of a command in `line`, in order: whatever stands between blanks, operators and expansions,
/// without quotes. What is inside quotes is looked at in the same way, since it may be a command for another shell.
pub(super) fn loose(line: &str) -> Vec<Loose> {
    let mut all: Vec<Loose> = Vec::new();
    let mut text = String::new();
    let mut push = |text: &mut String, may_end: bool| {
        if !text.is_empty() {
            all.push(Loose { text: std::mem::take(text), may_end });
        } else if let Some(last) = all.last_mut() {
            last.may_end |= may_end;
        }
    };
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // A quote may part a word or end a command, or both.
            '\'' | '"' if chars.peek().is_none_or(|next| next.is_whitespace() || ";&|)".contains(*next)) => {
                push(&mut text, true);
            }
            // A line that goes on behind its end.
            '\\' if chars.peek() == Some(&'\n') => {
                chars.next();
            }
            '\'' | '"' | '\\' => {}
            // `2>` belongs to no word.
            '<' | '>' => {
                if text.bytes().all(|b| b.is_ascii_digit()) {
                    text.clear();
                }
                push(&mut text, true);
            }
            ';' | '&' | '|' | '(' | ')' | '{' | '}' | '`' | '$' | '\n' | '\r' => push(&mut text, true),
            c if c.is_whitespace() || c.is_control() => push(&mut text, false),
            c => text.push(c),
        }
    }
    push(&mut text, true);
    all
}
