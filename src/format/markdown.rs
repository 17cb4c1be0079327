//! Reads the lines of a Markdown text for what they are: headings, fences, comments, text.
//!
//! After CommonMark 0.31.2 (spec.commonmark.org), as far as tickets need it: ATX headings, fenced code with backticks
//! or tildes, HTML comments that begin a line. A heading that is underlined is text here.

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// `## Title ##`: level 1 to 6 and the words.
    Heading(u8, &'a str),
    /// The line that opens a fence, with its info string.
    FenceOpen(&'a str),
    /// A line inside a fence, without the indentation of the fence.
    Code(&'a str),
    /// The line that closes a fence.
    FenceClose,
    /// A line of an HTML comment that began at the start of a line.
    Comment,
    /// Anything else.
    Text,
}

/// One line, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// From 1.
    pub number: usize,
    /// As it stands, without `\n` or `\r\n`.
    pub text: &'a str,
    /// What it is.
    pub kind: Kind<'a>,
}

/// The lines of a text, each with what it is. A fence that is never closed goes on to the end.
#[must_use]
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut fence: Option<Fence> = None;
    let mut comment = false;
    let mut all = Vec::new();
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let text = raw.strip_suffix('\n').unwrap_or(raw);
        let text = text.strip_suffix('\r').unwrap_or(text);
        let kind = if let Some(open) = &fence {
            if open.is_closed_by(text) {
                fence = None;
                Kind::FenceClose
            } else {
                Kind::Code(open.dedent(text))
            }
        } else if comment || starts_comment(text) {
            let from = if comment { text } else { text.trim_start().get(4..).unwrap_or("") };
            comment = !from.contains("-->");
            Kind::Comment
        } else if let Some((open, info)) = Fence::opened_by(text) {
            fence = Some(open);
            Kind::FenceOpen(info)
        } else if let Some((level, words)) = heading(text) {
            Kind::Heading(level, words)
        } else {
            Kind::Text
        };
        all.push(Line { number: index + 1, text, kind });
    }
    all
}

/// The lines below the first heading of level 2 that reads `name` in any case, up to the next heading of level 1 or 2.
#[must_use]
pub fn section<'a>(text: &'a str, name: &str) -> Vec<Line<'a>> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in lines(text) {
        if let Kind::Heading(level @ (1 | 2), words) = line.kind {
            if inside {
                break;
            }
            inside = level == 2 && words.eq_ignore_ascii_case(name);
        } else if inside {
            found.push(line);
        }
    }
    found
}

struct Fence {
    mark: char,
    count: usize,
    indent: usize,
}

impl Fence {
    fn opened_by(line: &str) -> Option<(Self, &str)> {
        let indent = indent_of(line)?;
        let rest = &line[indent..];
        let mark = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
        let count = rest.chars().take_while(|c| *c == mark).count();
        let info = rest[count..].trim();
        (count >= 3 && !(mark == '`' && info.contains('`'))).then_some((Self { mark, count, indent }, info))
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let Some(indent) = indent_of(line) else { return false };
        let rest = line[indent..].trim_end_matches([' ', '\t']);
        rest.chars().count() >= self.count && rest.chars().all(|c| c == self.mark)
    }

    fn dedent<'a>(&self, line: &'a str) -> &'a str {
        let spaces = line.bytes().take(self.indent).take_while(|b| *b == b' ').count();
        &line[spaces..]
    }
}

/// Spaces before the first other character; `None` for four or more, which is indented code.
fn indent_of(line: &str) -> Option<usize> {
    let indent = line.bytes().take_while(|b| *b == b' ').count();
    (indent < 4).then_some(indent)
}

fn starts_comment(line: &str) -> bool {
    indent_of(line).is_some_and(|indent| line[indent..].starts_with("<!--"))
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let rest = &line[indent_of(line)?..];
    let level = rest.bytes().take_while(|b| *b == b'#').count();
    let words = &rest[level..];
    if !(1..=6).contains(&level) || !(words.is_empty() || words.starts_with([' ', '\t'])) {
        return None;
    }
    let words = words.trim();
    let open = words.trim_end_matches('#');
    let words = if open.is_empty() || open.ends_with([' ', '\t']) { open.trim_end() } else { words };
    Some((u8::try_from(level).unwrap_or(6), words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<Kind<'_>> {
        lines(text).into_iter().map(|l| l.kind).collect()
    }

    #[test]
    fn headings_follow_commonmark() {
        for (line, want) in [
            ("# a", Some((1, "a"))),
            ("   ## a b ##  ", Some((2, "a b"))),
            ("###### x#", Some((6, "x#"))),
            ("##", Some((2, ""))),
            ("#\ta", Some((1, "a"))),
            ("## ##", Some((2, ""))),
            ("#a", None),
            ("    # a", None),
            ("####### a", None),
            ("\\# a", None),
        ] {
            assert_eq!(heading(line), want, "{line:?}");
        }
    }

    #[test]
    fn fences_follow_commonmark() {
        assert_eq!(
            kinds("````sh x\n```\n ## no\n`````  \n~~~\r\na\r\n```\n~~~"),
            [
                Kind::FenceOpen("sh x"),
                Kind::Code("```"),
                Kind::Code(" ## no"),
                Kind::FenceClose,
                Kind::FenceOpen(""),
                Kind::Code("a"),
                Kind::Code("```"),
                Kind::FenceClose
            ]
        );
        assert_eq!(kinds("  ```sh\n    a\n b\n  ```")[1..3], [Kind::Code("  a"), Kind::Code("b")]);
        assert_eq!(kinds("``` a`b\n    ```"), [Kind::Text, Kind::Text]);
    }

    #[test]
    fn a_comment_hides_headings_and_fences() {
        assert_eq!(
            kinds("<!-- a -->\n<!--\n## x\n```sh\n-->\n## y"),
            [Kind::Comment, Kind::Comment, Kind::Comment, Kind::Comment, Kind::Comment, Kind::Heading(2, "y")]
        );
    }

    #[test]
    fn a_section_ends_at_the_next_heading_of_its_level() {
        let text = "## Run\na\n### sub\nb\n## Other\nc\n## run\nd\n";
        let found: Vec<&str> = section(text, "run").iter().map(|l| l.text).collect();
        assert_eq!(found, ["a", "### sub", "b"]);
    }

    proptest! {
        #[test]
        fn any_text_has_as_many_lines_as_line_feeds_say(text in any::<String>(), lump in "[`~#<!>\\- \t\r\na]{0,80}") {
            for text in [text, lump] {
                prop_assert_eq!(lines(&text).len(), text.split_inclusive('\n').count());
            }
        }
    }
}
