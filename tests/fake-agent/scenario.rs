//! The language of scenarios.
//!
//! One step per line, run from the top; blank lines and lines beginning with `#` are nothing. `{key}`, `{ticket}` and
//! `{run}` in a line stand for what the agent found in its environment; `\e`, `\n`, `\t` and `\\` in texts are escapes.
//! After the last step the agent stays ready, and takes prompts until it is ended.
//!
//! | step | what happens |
//! |---|---|
//! | `ready`, `status WORDS` | the status line |
//! | `busy SECS`, `spinner HZ` | busy with a spinner for that long; frames per second (4) |
//! | `pause SECS` | stay as it is for that long |
//! | `stamp WORDS` | record these words and the time |
//! | `show TEXT`, `title TEXT`, `flood LINES` | output; the pane's title; that many lines of output |
//! | `alt-screen` | go on in the alternate screen |
//! | `box PREFIX` | stands before the text in the box instead of `> ` |
//! | `expect-prompt` | wait until something is submitted; busy from then on |
//! | `if-prompt WORDS` … `end` | only if the last prompt holds these words |
//! | `echo-prompt` | print the last prompt |
//! | `wait-file PATH` | wait until that file is there |
//! | `swallow-enter N` | the next N Enters do nothing |
//! | `enter-newline-if-within MS` | Enter so soon after a paste is a line end in the box (0: never) |
//! | `paste-delay MS` | a paste shows in the box only after so long |
//! | `trust-dialog`, `trust-dialog no-preselected` | a dialog at start-up; No exits 1 |
//! | `permission TEXT` | a dialog; waits for the answer |
//! | `dialog-before-enter TEXT` | such a dialog opens by itself as soon as a paste stands in the box |
//! | `question TEXT` | a question above the box; waits for a text |
//! | `usage-limit TEXT` | prints the text, status `limited` |
//! | `run CMD` | `sh -c`, its output shown |
//! | `report ARGS` | `$AUTODO_BIN report ARGS`, split as a shell would |
//! | `report-as RUN KEY ARGS` | the same in another run's name |
//! | `approve ARGS` | `$AUTODO_BIN approve ARGS`; without any, the own ticket |
//! | `marker done`, `marker blocked`, then maybe a glyph | the marker alone on a line, behind the glyph |
//! | `marker-quoted` | lines that hold the done marker and are none |
//! | `rm-autodo`, `edit-config`, `kill-server` | what agents should not do |
//! | `background SECS` | leaves a child behind that ignores SIGHUP |
//! | `deaf` | ignore SIGTERM, SIGHUP and SIGINT from now on |
//! | `hang` | nothing more, ever; bytes are still logged |
//! | `crash CODE`, `signal N`, `exit N` | end at once without tidying up; by a signal; in order |
//! | `loop` … `end`, `repeat N` … `end` | for ever; N times |
//! | `prompts:` | what follows, to the end of the file, is done for each later prompt; then `ready` |

/// One step with its argument.
#[derive(Clone, Debug)]
pub enum Step {
    /// Something to do: its word, and the rest of the line.
    Do(&'static str, String),
    /// Steps that are repeated; `None`: for ever.
    Repeat(Option<u32>, Vec<Step>),
    /// Steps that are done if the last prompt holds the words.
    IfPrompt(String, Vec<Step>),
}

/// A scenario.
#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// What is done first.
    pub steps: Vec<Step>,
    /// What is done for each later prompt; `None`: nothing.
    pub prompts: Option<Vec<Step>>,
}

/// Words that take no argument, may take one, need a text, need a number.
const PLAIN: &[&str] = &[
    "ready",
    "alt-screen",
    "expect-prompt",
    "echo-prompt",
    "marker-quoted",
    "rm-autodo",
    "edit-config",
    "kill-server",
];
const LONELY: &[&str] = &["deaf", "hang"];
const MAYBE: &[&str] = &["show", "approve", "title", "box"];
const TEXT: &[&str] = &[
    "status",
    "wait-file",
    "permission",
    "dialog-before-enter",
    "question",
    "usage-limit",
    "run",
    "report",
    "report-as",
    "stamp",
];
const NUMBER: &[&str] = &[
    "busy",
    "pause",
    "spinner",
    "flood",
    "swallow-enter",
    "enter-newline-if-within",
    "paste-delay",
    "background",
    "crash",
    "signal",
    "exit",
];

/// Reads a scenario.
pub fn parse(text: &str) -> Result<Scenario, String> {
    let mut lines = (1..).zip(text.lines().map(str::trim)).filter(|(_, l)| !l.is_empty() && !l.starts_with('#'));
    let (steps, end) = block(&mut lines, false)?;
    let prompts = match end {
        End::Prompts => Some(block(&mut lines, false)?),
        _ => None,
    };
    match prompts {
        Some((_, End::Prompts)) => Err("prompts: stands twice".to_owned()),
        other => Ok(Scenario { steps, prompts: other.map(|(steps, _)| steps) }),
    }
}

#[derive(PartialEq)]
enum End {
    File,
    Block,
    Prompts,
}

fn block<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>, inner: bool) -> Result<(Vec<Step>, End), String> {
    let mut steps = Vec::new();
    while let Some((number, line)) = lines.next() {
        let wrong = |why: &str| format!("line {number}: {line:?}: {why}");
        let (word, rest) = line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()));
        let mut within = |what: &str| match block(&mut *lines, true)? {
            (steps, End::Block) => Ok(steps),
            _ => Err(format!("line {number}: {what} has no end")),
        };
        let step = match word {
            "end" if inner => return Ok((steps, End::Block)),
            "prompts:" if !inner => return Ok((steps, End::Prompts)),
            "loop" => Step::Repeat(None, within(word)?),
            "repeat" => {
                let times = rest.parse().map_err(|_| wrong("a number is missing"))?;
                Step::Repeat(Some(times), within(word)?)
            }
            "if-prompt" => Step::IfPrompt(rest.to_owned(), within(word)?),
            _ => one(word, rest).map_err(|why| wrong(&why))?,
        };
        steps.push(step);
    }
    Ok((steps, End::File))
}

fn one(word: &str, rest: &str) -> Result<Step, String> {
    let known = |words: &[&'static str]| words.iter().copied().find(|known| *known == word);
    let step = |word| Ok(Step::Do(word, rest.to_owned()));
    if let Some(word) = known(PLAIN).or_else(|| known(LONELY)) {
        if rest.is_empty() { step(word) } else { Err("it takes no argument".to_owned()) }
    } else if let Some(word) = known(MAYBE) {
        step(word)
    } else if let Some(word) = known(TEXT) {
        if rest.is_empty() { Err("a text is missing".to_owned()) } else { step(word) }
    } else if let Some(word) = known(NUMBER) {
        rest.parse::<f64>().map_err(|_| "a number is missing".to_owned()).and_then(|_| step(word))
    } else {
        match (word, rest.split(' ').next().unwrap_or_default()) {
            ("marker", "done" | "blocked") => step("marker"),
            ("trust-dialog", "" | "no-preselected") => step("trust-dialog"),
            _ => Err("unknown step".to_owned()),
        }
    }
}
