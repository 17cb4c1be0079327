//! Finds the `sh` blocks of a ticket in the prompt that holds it.
//!
//! The prompt holds the ticket's body as it was written, behind the heading `## The ticket`, at its end; a text without
//! that heading is taken for the body. Its blocks are the fenced code blocks (three or more backquotes or tildes,
//! indented by at most three blanks) whose info string begins with the word `sh`, between the heading `## Run` (in any
//! case) and the next heading of level 1 or 2. Headings inside fences are text; HTML comments are nothing.
//!
//! What is not known is not run: blocks under two such headings are an error.

/// The heading behind which a prompt holds the ticket's body.
const TICKET: &str = "The ticket";

/// One block: one `sh -eu`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its number in the ticket, from 1.
    pub index: usize,
    /// What is given to `sh`, each line with its line end.
    pub code: String,
    /// Line of its opening fence in the prompt, from 1.
    pub line: usize,
}

impl Block {
    /// The first line that says something, cut to 100 characters: how people recognise the block.
    #[must_use]
    pub fn first_line(&self) -> String {
        let says = |line: &&str| line.contains(char::is_alphanumeric) && !line.trim_start().starts_with('#');
        let line = self.code.lines().find(says).or_else(|| self.code.lines().find(|l| !l.trim().is_empty()));
        line.unwrap_or("(an empty block)").trim().chars().take(100).collect()
    }
}

/// Why no blocks can be taken from a prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlocksError {
    /// No section, or a section without blocks.
    #[error("this ticket has no sh blocks under ## Run")]
    None,
    /// A fence is never closed, so it is unknown where the block ends.
    #[error("the block that begins at line {line} of the prompt is never closed")]
    Unclosed {
        /// Line of the opening fence, from 1.
        line: usize,
    },
    /// Two sections hold blocks.
    #[error("the prompt has blocks under two headings ## Run (lines {first} and {second}): which are the ticket's?")]
    Several {
        /// Line of the first heading, from 1.
        first: usize,
        /// Line of the second, from 1.
        second: usize,
    },
}

/// Returns the blocks in the order in which they are to run.
///
/// # Errors
/// See [`BlocksError`]; nothing may be run then.
pub fn blocks(prompt: &str) -> Result<Vec<Block>, BlocksError> {
    let (_, body, skipped) = parts(prompt);
    let mut found: Vec<Block> = Vec::new();
    let mut comment = false;
    let (mut section, mut taken_from): (Option<usize>, Option<usize>) = (None, None);
    let mut open: Option<Open> = None;
    for (number, line) in (skipped + 1..).zip(body.lines()) {
        if comment {
            comment = !line.contains("-->");
        } else if let Some(fence) = &mut open {
            if !fence.closes(line) {
                fence.take(line);
                continue;
            }
            if let (true, Some(heading)) = (fence.runs, section) {
                let first = *taken_from.get_or_insert(heading);
                if first != heading {
                    return Err(BlocksError::Several { first, second: heading });
                }
                found.push(Block { index: found.len() + 1, code: std::mem::take(&mut fence.code), line: fence.line });
            }
            open = None;
        } else if line.trim_start().starts_with("<!--") {
            comment = !line.contains("-->");
        } else if let Some(fence) = Open::parse(line, number) {
            open = Some(fence);
        } else if let Some((level, text)) = heading(line)
            && level <= 2
        {
            section = (level == 2 && text.eq_ignore_ascii_case("run")).then_some(number);
        }
    }
    match open {
        Some(fence) if fence.runs && section.is_some() => Err(BlocksError::Unclosed { line: fence.line }),
        _ if found.is_empty() => Err(BlocksError::None),
        _ => Ok(found),
    }
}

/// What stands before the ticket's body in a prompt, the body, and the number of lines before it.
fn parts(prompt: &str) -> (&str, &str, usize) {
    let mut at = 0;
    for (number, line) in (1..).zip(prompt.split_inclusive('\n')) {
        at += line.len();
        if heading(line.trim_end()) == Some((2, TICKET)) {
            return (prompt.get(..at).unwrap_or_default(), prompt.get(at..).unwrap_or_default(), number);
        }
    }
    ("", prompt, 0)
}

/// The answer that a prompt gives to `question`: before the ticket's body, texts of others stand behind `> `, and an
/// answer is the next such text after its question. Questions are told apart by their first lines; the last one counts.
#[must_use]
pub fn answer(prompt: &str, question: &str) -> Option<String> {
    let mut quotes: Vec<String> = Vec::new();
    let mut inside = false;
    for line in parts(prompt).0.lines() {
        match (line.strip_prefix('>'), quotes.last_mut()) {
            (Some(text), Some(quote)) if inside => {
                quote.push('\n');
                quote.push_str(text.trim());
            }
            (Some(text), _) => quotes.push(text.trim().to_owned()),
            (None, _) => {}
        }
        inside = line.starts_with('>');
    }
    let first = |text: &str| text.lines().next().unwrap_or_default().trim().to_owned();
    let at = quotes.iter().rposition(|quote| first(quote) == first(question))?;
    quotes.get(at + 1).filter(|answer| !answer.is_empty()).cloned()
}

/// Returns the title of the ticket: the heading that names `ticket`, else the first heading of level 1.
#[must_use]
pub fn title(prompt: &str, ticket: &str) -> Option<String> {
    let headings: Vec<(usize, &str)> = prompt.lines().filter_map(heading).collect();
    let named = headings.iter().find_map(|(_, text)| {
        let rest = text.strip_prefix(ticket)?.trim_start_matches([':', ' ', '-', '·']).trim();
        (!rest.is_empty()).then_some(rest)
    });
    let first = headings.iter().find(|(level, _)| *level == 1).map(|(_, text)| *text);
    named.or(first).filter(|t| !t.is_empty()).map(str::to_owned)
}

/// A number that differs where the blocks differ: CRC-32 over each block's length and code, as 8 hexadecimal digits.
#[must_use]
pub fn digest(blocks: &[Block]) -> String {
    let mut hash = crc32fast::Hasher::new();
    for block in blocks {
        hash.update(&block.code.len().to_le_bytes());
        hash.update(block.code.as_bytes());
    }
    format!("{:08x}", hash.finalize())
}

/// An open fence and what it holds so far.
struct Open {
    mark: char,
    length: usize,
    indent: usize,
    runs: bool,
    line: usize,
    code: String,
}

impl Open {
    fn parse(line: &str, number: usize) -> Option<Self> {
        let rest = line.trim_start_matches(' ');
        let indent = line.len() - rest.len();
        let mark = rest.chars().next().filter(|c| *c == '`' || *c == '~')?;
        let info = rest.trim_start_matches(mark);
        let length = rest.len() - info.len();
        // Backquotes after backquotes are a code span in a line of text, not a fence.
        if indent > 3 || length < 3 || (mark == '`' && info.contains('`')) {
            return None;
        }
        let runs = info.split_whitespace().next() == Some("sh");
        Some(Self { mark, length, indent, runs, line: number, code: String::new() })
    }

    fn closes(&self, line: &str) -> bool {
        let rest = line.trim_start_matches(' ');
        let after = rest.trim_start_matches(self.mark);
        line.len() - rest.len() <= 3 && rest.len() - after.len() >= self.length && after.trim().is_empty()
    }

    fn take(&mut self, line: &str) {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        self.code.push_str(line.get(blanks.min(self.indent)..).unwrap_or(line));
        self.code.push('\n');
    }
}

/// Level and text of an ATX heading.
fn heading(line: &str) -> Option<(usize, &str)> {
    let rest = line.trim_start_matches(' ');
    let text = rest.trim_start_matches('#');
    let level = rest.len() - text.len();
    let is_heading =
        line.len() - rest.len() <= 3 && (1..=6).contains(&level) && (text.is_empty() || text.starts_with([' ', '\t']));
    is_heading.then(|| (level, text.trim().trim_end_matches('#').trim_end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(prompt: &str) -> Vec<String> {
        blocks(prompt).unwrap().into_iter().map(|b| b.code).collect()
    }

    #[test]
    fn only_sh_fences_under_run_are_blocks() {
        let prompt = "# T-1: Tidy\n```sh\nno\n```\n## Run\ntext\n```sh\none\n\n  two\n```\n```rust\nno\n```\n\
                      ### Part\n~~~~ sh title\nthree\n~~~\n~~~~\n## Then\n```sh\nno\n```\n";
        assert_eq!(codes(prompt), ["one\n\n  two\n", "three\n~~~\n"]);
        assert_eq!(blocks(prompt).unwrap()[1].line, 16);
    }

    #[test]
    fn a_heading_inside_a_fence_is_text() {
        assert_eq!(codes("## Run\n```sh\n## Run\n# x\n```\n```sh\ny\n```"), ["## Run\n# x\n", "y\n"]);
        assert_eq!(blocks("```\n## Run\n```\n```sh\nno\n```"), Err(BlocksError::None));
    }

    #[test]
    fn a_fence_is_unindented_by_its_own_blanks_and_crlf_is_a_line_end() {
        assert_eq!(codes("## Run ##\r\n  ```sh\r\n  a\r\n    b\r\n c\r\n  ```\r\n"), ["a\n  b\nc\n"]);
    }

    #[test]
    fn what_is_not_known_is_not_run() {
        assert_eq!(blocks(""), Err(BlocksError::None));
        assert_eq!(blocks("## Run\n```shell\nx\n```"), Err(BlocksError::None));
        assert_eq!(blocks("### Run\n```sh\nx\n```"), Err(BlocksError::None));
        assert_eq!(blocks("## Run\n\n```sh\nx\n"), Err(BlocksError::Unclosed { line: 3 }));
        let twice = "## Run\n```sh\nx\n```\n## Run\n```sh\ny\n```";
        assert_eq!(blocks(twice), Err(BlocksError::Several { first: 1, second: 5 }));
    }

    #[test]
    fn only_the_ticket_itself_is_read() {
        let prompt = "# T-1: x\n## Run\n```sh\nno\n```\n## The ticket\n<!-- ## Run\n```sh\nno\n```\n-->\n## RUN\n\
                      ```sh\nyes\n```\n";
        assert_eq!(codes(prompt), ["yes\n"]);
        assert_eq!(blocks(prompt).unwrap()[0].line, 13);
    }

    #[test]
    fn an_answer_is_the_quote_after_its_question() {
        let prompt = "The question was:\n\n> block 1 failed: x\n> output\n\nand the answer is:\n\n> skip\n>\n> please\n\n\
                      Another:\n\n> block 2 failed: y\n\n> \n\n## The ticket\n> block 3 failed: z\n\n> no\n";
        assert_eq!(answer(prompt, "block 1 failed: x\nother output").as_deref(), Some("skip\n\nplease"));
        assert_eq!(answer(prompt, "block 2 failed: y"), None);
        assert_eq!(answer(prompt, "block 3 failed: z"), None);
    }

    #[test]
    fn the_first_line_is_the_first_that_says_something() {
        let block = |code: &str| Block { index: 1, code: code.to_owned(), line: 1 }.first_line();
        assert_eq!(block("\n# why\n  cargo fmt\n"), "cargo fmt");
        assert_eq!(block("{\n    echo one\n} > file\n"), "echo one");
        assert_eq!(block("# only\n"), "# only");
        assert_eq!(block(" \n"), "(an empty block)");
    }

    #[test]
    fn the_title_is_the_heading_that_names_the_ticket() {
        assert_eq!(title("# Your task\n## T-1: Tidy up\n", "T-1").as_deref(), Some("Tidy up"));
        assert_eq!(title("# Your task\n", "T-1").as_deref(), Some("Your task"));
        assert_eq!(title("text\n", "T-1"), None);
    }

    #[test]
    fn the_digest_tells_where_a_block_ends() {
        let of = |prompt: &str| digest(&blocks(prompt).unwrap());
        let (one, two) = ("## Run\n```sh\na\nb\n```\n", "## Run\n```sh\na\n```\n```sh\nb\n```\n");
        assert_ne!(of(one), of(two));
        assert_eq!(of(one), of(&format!("Other words.\n{one}")));
    }
}
