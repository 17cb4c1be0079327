//! Prompts: the file the agent reads, and the lines that are injected.

mod line;

use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};

pub use line::{FEEDBACK_FILE, LineInput, MAX_LINE, PROMPT_FILE, line, tag};

/// Takes [`PromptInput::acceptance`] out of a ticket's body.
pub use crate::format::ticket::acceptance;

use super::{classify::marker_line, profile::Profile, sanitize::without_controls};
use crate::domain::{
    id::{RunId, RunKey},
    screen::Marker,
};

/// The template of the prompt's file, unless the user or the project has one.
pub const TEMPLATE: &str = include_str!("../../profiles/prompt.md");

/// All that the prompt's file says.
#[derive(Clone, Debug)]
pub struct PromptInput {
    /// The run.
    pub run: RunId,
    /// Its key.
    pub key: RunKey,
    /// The ticket's title.
    pub title: String,
    /// The ticket's body, Markdown.
    pub body: String,
    /// Acceptance criteria, one line each.
    pub acceptance: Vec<String>,
    /// Commands that must succeed: the project's checks, then the ticket's.
    pub commands: Vec<String>,
    /// Absolute path of the autodo program.
    pub autodo: String,
    /// Absolute path of the worktree.
    pub worktree: String,
    /// The ticket's branch.
    pub branch: String,
    /// The branch it is for.
    pub target: Option<String>,
    /// What people want different, oldest first.
    pub corrections: Vec<String>,
    /// Questions and their answers, oldest first.
    pub answers: Vec<Answered>,
    /// What else is to be known of earlier runs.
    pub notes: Vec<String>,
    /// What the agent can.
    pub can: Capabilities,
}

/// A question of an earlier run, answered by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// What the prompt promises to an agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Failed checks come back to it.
    pub feedback: bool,
    /// Its conversation goes on after a question.
    pub resumable: bool,
}

impl From<&Profile> for Capabilities {
    fn from(profile: &Profile) -> Self {
        Self { feedback: profile.feedback, resumable: profile.resumable }
    }
}

/// Why there is no prompt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// The template is wrong.
    #[error("the prompt template does not work{}: {why}", line.map(|l| format!(", line {l}")).unwrap_or_default())]
    Template {
        /// Line of the template, from 1.
        line: Option<usize>,
        /// What is wrong.
        why: String,
    },
    /// The prompt would hold the whole marker, so its echo on the screen would pass for a claim.
    #[error("the prompt holds the whole marker {0:?}: a template gives word and key apart")]
    Marker(String),
    /// The prompt doesn't say how to report.
    #[error("the prompt does not name {0}: without it the agent cannot report")]
    Silent(&'static str),
}

/// Makes the text of the prompt's file. The ticket's words are values only: braces in them mean nothing. Control
/// characters and escape sequences are taken out of all values, for agents show the file in their terminal.
///
/// The template (Jinja, undefined names are errors) sees `id title body acceptance commands run key autodo worktree
/// branch target corrections answers[question answer] notes feedback resumable`, `autodo` quoted for the shell; and
/// the filters `quoted` (`> ` before each line) and `code` (an indented code block).
///
/// # Errors
/// See [`PromptError`].
pub fn prompt_file(input: &PromptInput, template: &str) -> Result<String, PromptError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_filter("quoted", |text: &str| each_line(text, "> "));
    environment.add_filter("code", |text: &str| each_line(text, "    "));
    let clean = |text: &String| without_controls(text);
    let all = |texts: &[String]| texts.iter().map(clean).collect::<Vec<_>>();
    let answers: Vec<_> =
        input.answers.iter().map(|a| context! { question => clean(&a.question), answer => clean(&a.answer) }).collect();
    let program = shell_words::quote(&input.autodo);
    let values = context! {
        id => input.run.ticket.as_str(),
        run => input.run.number,
        key => input.key.as_str(),
        title => clean(&input.title).replace('\n', " "),
        body => clean(&input.body).trim_end(),
        acceptance => all(&input.acceptance),
        commands => all(&input.commands),
        autodo => program.as_ref(),
        worktree => &input.worktree,
        branch => &input.branch,
        target => &input.target,
        corrections => all(&input.corrections),
        answers => answers,
        notes => all(&input.notes),
        feedback => input.can.feedback,
        resumable => input.can.resumable,
    };
    let made = environment.render_named_str("prompt.md", template, values).map_err(|e| PromptError::Template {
        line: e.line(),
        why: e.detail().map_or_else(|| e.kind().to_string(), |detail| format!("{}: {detail}", e.kind())),
    })?;
    for marker in [Marker::Done, Marker::Blocked] {
        let whole = marker_line(marker, &input.key);
        if made.contains(&whole) {
            return Err(PromptError::Marker(whole));
        }
    }
    if !made.contains(input.key.as_str()) {
        return Err(PromptError::Silent("the key of the run"));
    }
    if !made.contains(program.as_ref()) {
        return Err(PromptError::Silent("the autodo program by its path"));
    }
    Ok(made.trim_end().to_owned() + "\n")
}

/// The text with `lead` before each line.
fn each_line(text: &str, lead: &str) -> String {
    text.lines().map(|line| format!("{lead}{line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
