//! What a request says of its conversation, whichever of the two APIs it came by.

use regex::Regex;
use serde_json::Value;

/// A conversation as far as an answer depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation {
    /// The ticket that its prompt names; `None`: it is not about a ticket.
    pub ticket: Option<String>,
    /// How often the model has answered.
    pub turn: usize,
    /// The newest words of the user that are no result of a tool.
    pub prompt: String,
    /// The run's key, once it was read.
    pub key: Option<String>,
    /// The working folder.
    pub cwd: Option<String>,
    /// The file for its plan, where the agent names one.
    pub plan: Option<String>,
    /// Names of the tools that the agent offers.
    pub tools: Vec<String>,
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
                if speaker == Speaker::User && !text.trim_start().starts_with('<') {
                    text.clone_into(&mut self.prompt);
                }
                let found = |pattern: &str| {
                    // The patterns below are all good.
                    let found = Regex::new(pattern).ok()?.captures(text)?;
                    found.get(1).map(|group| group.as_str().to_owned())
                };
                let ticket =
                    found(r"then do what it says \(([A-Za-z0-9._-]+)\)").or_else(|| found(r"SCENARIO ([\w-]+)"));
                self.ticket = self.ticket.take().or(ticket);
                self.key = found(r"and the key `([0-9a-f]+)`").or(self.key.take());
                self.plan = found(r"(/\S+/\.claude/plans/[\w-]+\.md)").or(self.plan.take());
                self.cwd = found(r"- Folder: `([^`]+)`").or(self.cwd.take());
            }
        }
    }
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
