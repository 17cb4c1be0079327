//! What a request says of its conversation, whichever of the two APIs it came by.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What tells the ticket in a prompt, and in one that no ticket is behind.
static TICKET: LazyLock<Vec<Regex>> =
    LazyLock::new(|| regexes(&[r"then do what it says \(([A-Za-z0-9._-]+)\)", r"SCENARIO ([\w-]+)"]));
/// What tells the key.
static KEY: LazyLock<Vec<Regex>> = LazyLock::new(|| regexes(&[r"and the key `([0-9a-f]+)`"]));
/// What tells the file for a plan.
static PLAN: LazyLock<Vec<Regex>> = LazyLock::new(|| regexes(&[r"(/\S+/\.claude/plans/[\w-]+\.md)"]));
/// What tells the working folder.
static FOLDER: LazyLock<Vec<Regex>> = LazyLock::new(|| regexes(&[r"- Folder: `([^`]+)`"]));

/// The patterns above, which are all good.
fn regexes(patterns: &[&str]) -> Vec<Regex> {
    patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect()
}

/// A conversation as far as an answer depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// The ticket that its prompt names; `None`: it is not about a ticket.
    pub ticket: Option<String>,
    /// How often the model has answered.
    pub turn: usize,
    /// The newest words of the user that are no result of a tool.
    pub prompt: String,
    /// Length and CRC-32 of all words of the user, in order.
    pub heard: Vec<(usize, u32)>,
    /// The run's key, once it was read.
    pub key: Option<String>,
    /// The working folder.
    pub cwd: Option<String>,
    /// The file for its plan, where the agent names one.
    pub plan: Option<String>,
    /// Names of the tools that the agent offers.
    pub tools: Vec<String>,
    /// The agent has no tools: it takes edits out of the words of an answer.
    pub edits_by_words: bool,
}

/// Who says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// The user.
    User,
    /// A tool.
    Tool,
    /// The model: `true` begins a further answer.
    Model(bool),
}

impl Conversation {
    /// Takes one text in.
    pub fn hear(&mut self, speaker: Speaker, text: &str) {
        match speaker {
            Speaker::Model(true) => self.turn += 1,
            Speaker::Model(false) => {}
            Speaker::User | Speaker::Tool => {
                if speaker == Speaker::User && !is_of_the_agent(text) {
                    text.clone_into(&mut self.prompt);
                    self.heard.push((text.len(), crc32fast::hash(text.as_bytes())));
                }
                let found = |patterns: &[Regex]| {
                    let found = patterns.iter().find_map(|pattern| pattern.captures(text))?;
                    found.get(1).map(|group| group.as_str().to_owned())
                };
                self.ticket = self.ticket.take().or_else(|| found(&TICKET));
                self.key = found(&KEY).or(self.key.take());
                self.plan = found(&PLAN).or(self.plan.take());
                self.cwd = found(&FOLDER).or(self.cwd.take());
            }
        }
    }
}

/// True for what the agent itself says in the user's place: what stands in tags, and a reminder of Claude Code 2.1.197.
fn is_of_the_agent(text: &str) -> bool {
    ["<", "The task tools haven't been used recently."].iter().any(|begin| text.trim_start().starts_with(begin))
}

/// The texts of a content that is a string, or a list of blocks with a `text`.
pub fn texts(content: &Value) -> Vec<String> {
    match content {
        Value::String(text) => vec![text.clone()],
        Value::Array(blocks) => blocks
            .iter()
            .flat_map(|block| match (block.get("text"), block.get("content").or(block.get("output"))) {
                (Some(Value::String(text)), _) => vec![text.clone()],
                (_, Some(inner)) => texts(inner),
                _ => vec![],
            })
            .collect(),
        _ => vec![],
    }
}
