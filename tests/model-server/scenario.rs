//! What the model says, step by step.
//!
//! ```toml
//! [[step]]                        # the first answer of the conversation
//! say = "I look around first."    # text
//! run = "git status"              # a call of the agent's shell tool
//!
//! [[step]]
//! fail = { status = 529, times = 2 }                  # the first two requests for this answer fail
//! tool = { name = "Write", input = { file_path = "{cwd}/a", content = "x" } }
//!
//! [[step]]
//! say = "Done. AUTODO-DONE-{key}"                     # no call: the turn ends
//! ```
//!
//! An answer is the step whose number is that of the model's answers in the conversation before; after the last step it
//! says that there is nothing more. `{key}` stands for the run's key, `{cwd}` for the folder, `{plan}` for the file of the
//! plan, all as far as the conversation told them.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;

/// All steps of a ticket.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// In order.
    #[serde(default)]
    pub step: Vec<Step>,
}

/// One answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Text before the call, or the whole answer.
    pub say: String,
    /// A command for the shell tool.
    pub run: Option<String>,
    /// Any tool.
    pub tool: Option<Tool>,
    /// Fails first.
    pub fail: Option<Fail>,
    /// Why the answer ends, where that is something else than usual (Messages API only): `refusal`, `max_tokens`.
    pub stop: Option<String>,
    /// Seconds before the first byte.
    pub wait_s: f64,
    /// The first byte waits until this file is in the folder.
    pub gate: Option<String>,
    /// Milliseconds between words.
    pub pace_ms: u64,
    /// The connection is cut after so many words, the first time.
    pub cut_after: Option<usize>,
}

/// A call of a tool.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// As the agent names it.
    pub name: String,
    /// What it gets.
    pub input: serde_json::Value,
}

/// An error in place of an answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    /// HTTP status.
    pub status: u16,
    /// `type` of the error.
    #[serde(default)]
    pub kind: String,
    /// Its message.
    #[serde(default)]
    pub message: String,
    /// Further headers. `{reset}` is the time `reset_s` from now, in seconds since 1970.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Further fields of the error, where `{reset}` stands alone a number.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// `details` of the error (Gemini API only), as they are.
    #[serde(default)]
    pub details: Option<serde_json::Value>,
    /// Seconds until a limit lifts.
    #[serde(default)]
    pub reset_s: i64,
    /// So many requests fail; 0: all.
    #[serde(default)]
    pub times: u32,
    /// They fail until then, in seconds since 1970; 0: always.
    #[serde(default)]
    pub until: u64,
}

/// Reads the scenario of `ticket`; an empty one where there is none.
///
/// # Errors
/// The file cannot be read, or is no scenario.
pub fn read(folder: &Path, ticket: &str) -> Result<Scenario, String> {
    let path = folder.join(format!("{ticket}.toml"));
    match std::fs::read_to_string(&path) {
        Ok(text) => toml::from_str(&text).map_err(|why| format!("{}: {why}", path.display())),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(Scenario::default()),
        Err(why) => Err(format!("{}: {why}", path.display())),
    }
}
