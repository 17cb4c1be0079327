//! A mistake in a file that a person wrote: where it is, what is wrong, and what to do about it.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// Longest message of another program that is repeated, in characters.
const LONGEST_MESSAGE: usize = 300;

/// A place in a text. Lines and columns count from 1, columns in characters; line 0: the file as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
    /// Length on that line, in characters; at least one is marked.
    pub len: usize,
}

impl Place {
    /// The file as a whole.
    pub const FILE: Self = Self { line: 0, column: 0, len: 0 };

    /// The whole of a line.
    #[must_use]
    pub fn line(line: usize, text: &str) -> Self {
        let indent = text.chars().take_while(|c| c.is_whitespace()).count();
        Self { line, column: indent + 1, len: text.trim().chars().count() }
    }

    /// The same place in a text that has `lines` more lines above.
    #[must_use]
    pub fn below(self, lines: usize) -> Self {
        if self.line == 0 { self } else { Self { line: self.line + lines, ..self } }
    }
}

/// One mistake in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, as shown to people.
    pub file: String,
    /// Line from 1; 0: the file as a whole.
    pub line: usize,
    /// Column from 1, in characters; 0: the file as a whole.
    pub column: usize,
    /// What is wrong: lower case, one line.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    /// Message, place, the line itself with a caret, and the hint, over several lines, without colour. Control
    /// characters of the file are shown as pictures.
    pub snippet: String,
}

impl Problem {
    /// A problem at `place` of the text `source`.
    #[must_use]
    pub fn new(file: &str, source: &str, place: Place, message: &str, hint: &str) -> Self {
        let file = one_line(file);
        let message = one_line(message);
        let snippet = render(&file, source, place, &message, hint);
        Self { file, line: place.line, column: place.column, message, hint: hint.to_owned(), snippet }
    }

    /// A problem of a file that could not be read at all.
    #[must_use]
    pub fn whole_file(file: &str, message: &str, hint: &str) -> Self {
        Self::new(file, "", Place::FILE, message, hint)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.snippet)
    }
}

/// Text on one line of bounded length: line ends and other control characters become spaces.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_MESSAGE).collect()
}

fn render(file: &str, source: &str, place: Place, message: &str, hint: &str) -> String {
    let title = Level::ERROR.primary_title(message.to_owned());
    let line = source.split('\n').nth(place.line.wrapping_sub(1)).map(|l| l.trim_end_matches('\r'));
    let group = match line {
        Some(line) if place.line > 0 => {
            let from = byte_of(line, place.column.saturating_sub(1));
            let to = byte_of(line, place.column.saturating_sub(1) + place.len.max(1));
            let mark = AnnotationKind::Primary.span(from..to.max(from));
            title.element(Snippet::source(line).path(file).line_start(place.line).annotation(mark))
        }
        _ => title.element(annotate_snippets::Origin::path(file)),
    };
    let group = group.element(Level::HELP.message(hint.to_owned()));
    Renderer::plain().term_width(120).render(&[group])
}

/// Byte offset of the character at index `chars`, or the end.
fn byte_of(line: &str, chars: usize) -> usize {
    line.char_indices().nth(chars).map_or(line.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_the_mistake_even_behind_wide_characters() {
        let source = "---\ntitle: 日本語\n日本: priorty\n---\n";
        let place = Place { line: 3, column: 5, len: 7 };
        let problem = Problem::new("a/T-1.md", source, place, "no such word", "write priority");
        let lines: Vec<&str> = problem.snippet.lines().collect();
        assert!(lines[0].contains("no such word"), "{}", problem.snippet);
        assert!(problem.snippet.contains("a/T-1.md:3:5"), "{}", problem.snippet);
        assert!(problem.snippet.contains("3 | 日本: priorty"), "{}", problem.snippet);
        assert!(problem.snippet.contains("  |       ^^^^^^^"), "{}", problem.snippet);
        assert!(problem.snippet.contains("write priority"), "{}", problem.snippet);
    }

    #[test]
    fn no_control_character_of_a_file_reaches_the_terminal() {
        let source = "a\u{1b}[2Jb\u{7}\tc";
        for column in 0..12 {
            let place = Place { line: 1, column, len: 3 };
            let problem = Problem::new("x\u{1b}\n.md", source, place, "bad\u{1b}[31m\nthing", "mend it");
            assert!(!problem.snippet.chars().any(|c| c.is_control() && c != '\n'), "{:?}", problem.snippet);
        }
    }

    #[test]
    fn a_place_outside_the_text_is_no_panic() {
        for (line, column, len) in [(0, 0, 0), (1, 99, 9), (99, 1, 1), (2, 0, 0), (usize::MAX, usize::MAX / 2, 1)] {
            let problem = Problem::new("x", "one\ntwo\r\n", Place { line, column, len }, "m", "mend it");
            assert!(problem.snippet.contains('m'));
        }
    }
}
