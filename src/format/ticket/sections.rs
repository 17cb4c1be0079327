//! What stands in the body of a ticket: its first heading, acceptance criteria, blocks to run.

use crate::format::{
    frontmatter,
    markdown::{self, Kind, Line},
    problem::{Place, Problem},
};

/// Info strings of fences that look like something to run, but are not `sh`.
const OTHER_SHELLS: [&str; 9] =
    ["bash", "shell", "zsh", "ksh", "dash", "fish", "console", "shell-session", "shellscript"];

/// One fenced `sh` block below `## Run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunBlock {
    /// From 0.
    pub index: usize,
    /// The lines between the fences, each ended by `\n`.
    pub code: String,
    /// Line of the opening fence in the body, from 1.
    pub line: usize,
}

/// The words of the first heading of level 1 that has some.
pub(super) fn first_heading(body: &str) -> Option<&str> {
    markdown::lines(body).into_iter().find_map(|line| match line.kind {
        Kind::Heading(1, words) if !words.is_empty() => Some(words),
        _ => None,
    })
}

/// The acceptance criteria of a body: the `- [ ]` lines below `## Acceptance`, ticked or not, without the box. Lines
/// that go on below one, indented, belong to it. They are text for prompt and review, never commands.
#[must_use]
pub fn acceptance(body: &str) -> Vec<String> {
    let mut criteria: Vec<String> = Vec::new();
    let mut open = false;
    for line in markdown::section(body, "acceptance") {
        if line.kind != Kind::Text {
            open = false;
        } else if let Some(text) = criterion(line.text) {
            criteria.push(text.to_owned());
            open = true;
        } else if line.text.trim().is_empty() || !line.text.starts_with([' ', '\t']) || is_item(line.text) {
            open = false;
        } else if let Some(last) = criteria.last_mut().filter(|_| open) {
            last.push(' ');
            last.push_str(line.text.trim());
        }
    }
    criteria.retain(|text| !text.is_empty());
    criteria
}

fn is_item(line: &str) -> bool {
    line.trim_start().starts_with(['-', '*', '+'])
}

fn criterion(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix(['-', '*', '+'])?.trim_start();
    let rest = ["[ ]", "[x]", "[X]"].iter().find_map(|tick| rest.strip_prefix(tick))?;
    (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| rest.trim())
}

/// The blocks of a ticket for the profile `script`: the fences below `## Run` whose info string is `sh`, in order.
/// Fences marked as something that is no shell (`text`, `json`…) are for readers only. No block at all is no error.
///
/// # Errors
/// Every mistake, with lines counted from the first of the body and an empty file name: a fence that is never closed,
/// has no info string, names another shell, or is indented so far that it is no fence.
pub fn run_blocks(body: &str) -> Result<Vec<RunBlock>, Vec<Problem>> {
    blocks("", body, body, 1)
}

/// The same for the whole text of a ticket's file: problems name the file and count its lines; the lines of the blocks
/// still count from the first of the body.
///
/// # Errors
/// As [`run_blocks`]; a front matter that is never closed counts as body.
pub fn run_blocks_of(file: &str, text: &str) -> Result<Vec<RunBlock>, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // Ignored: such a ticket is refused by `parse_ticket`, which says so.
    let (body, line) = frontmatter::split(text).ok().map_or((text, 1), |split| (split.body, split.body_line));
    blocks(file, text, body, line)
}

fn blocks(file: &str, source: &str, body: &str, body_line: usize) -> Result<Vec<RunBlock>, Vec<Problem>> {
    let mut found: Vec<RunBlock> = Vec::new();
    let mut problems = Vec::new();
    let mut wrong = |line: &Line<'_>, message: &str, hint: &str| {
        let place = Place::line(line.number, line.text).below(body_line - 1);
        problems.push(Problem::new(file, source, place, message, hint));
    };
    // The fence that is open, and the block it fills, if it is one to run.
    let mut open: Option<(Line<'_>, Option<RunBlock>)> = None;
    for line in markdown::section(body, "run") {
        match &line.kind {
            Kind::FenceOpen(info) => {
                let word = info.split_whitespace().next().unwrap_or("");
                if word.is_empty() {
                    wrong(
                        &line,
                        "a fence below `## Run` does not say what it is",
                        "write ```sh to run it, ```text to show it",
                    );
                } else if OTHER_SHELLS.iter().any(|shell| shell.eq_ignore_ascii_case(word)) {
                    wrong(
                        &line,
                        &format!("blocks run in `sh`, not in `{word}`"),
                        "write ```sh; call `bash` inside the block if you need it",
                    );
                } else if word != "sh" && word.eq_ignore_ascii_case("sh") {
                    wrong(&line, &format!("`{word}` is not `sh`"), "write ```sh");
                }
                let block =
                    (word == "sh").then(|| RunBlock { index: found.len(), code: String::new(), line: line.number });
                open = Some((line, block));
            }
            Kind::Code(code) => {
                if let Some((_, Some(block))) = &mut open {
                    block.code.push_str(code);
                    block.code.push('\n');
                }
            }
            Kind::FenceClose => found.extend(open.take().and_then(|(_, block)| block)),
            Kind::Text if holds_a_fence(line.text) => {
                wrong(
                    &line,
                    "this fence is in a list, a quote or indented too far, so it would not run",
                    "begin the line with the fence",
                );
            }
            Kind::Text | Kind::Heading(..) | Kind::Comment => {}
        }
    }
    if let Some((line, _)) = open {
        wrong(&line, "this fence is never closed", "end the block with a line of the same marks");
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// True for text that begins with a fence behind indentation, a quote mark or a list mark.
fn holds_a_fence(line: &str) -> bool {
    let marks = |c: char| c.is_whitespace() || c.is_ascii_digit() || matches!(c, '>' | '-' | '*' | '+' | '.' | ')');
    let rest = line.trim_start_matches(marks);
    rest.starts_with("```") && !rest.trim_start_matches('`').contains('`') || rest.starts_with("~~~")
}
