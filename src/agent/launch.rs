//! argv and environment of a launch, from the profile.

use std::collections::BTreeMap;

use super::{
    placeholder::Template,
    profile::{Arg, Profile, ProfileError},
};
use crate::domain::{
    id::{RunId, RunKey},
    run::LaunchKind,
};

/// Longest title in an argument, in characters.
const TITLE: usize = 60;

/// What a launch is made of. Paths are absolute.
#[derive(Clone, Debug)]
pub struct LaunchVars {
    /// The autodo program that the agent is to call.
    pub autodo: String,
    /// The run.
    pub run: RunId,
    /// Its key.
    pub key: RunKey,
    /// The ticket's title, as its author wrote it.
    pub title: String,
    /// The ticket's branch.
    pub branch: String,
    /// The worktree.
    pub worktree: String,
    /// The folder of this run in autodo's home.
    pub run_dir: String,
    /// A folder of the ticket for files that the agent itself keeps from launch to launch.
    pub state_dir: String,
    /// Where reports go.
    pub outbox: String,
    /// The prompt's file.
    pub prompt_file: String,
    /// A folder for the sockets of terminal servers that the agent itself may start.
    pub tmux_tmpdir: String,
    /// The line that is injected; only for a profile that takes its first prompt as an argument.
    pub prompt: Option<String>,
    /// The conversation's id.
    pub conversation: Option<String>,
    /// The worktree's own git folder, and the repository's: `.git/worktrees/x` and `.git`.
    pub git_dirs: Option<(String, String)>,
    /// Values that go before the profile's `options`, such as a model named by the ticket.
    pub options: BTreeMap<String, String>,
}

/// A launch, ready for the wrapper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchPlan {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Variables to set.
    pub env: BTreeMap<String, String>,
    /// Variables to take away first.
    pub unset: Vec<String>,
    /// Variables that must be set after all that.
    pub require: Vec<String>,
    /// The text of [`SETTINGS_FILE`]; `None`: this agent wants none.
    pub settings: Option<String>,
}

/// The settings file of a launch, in the folder of its run.
pub const SETTINGS_FILE: &str = "settings.json";

/// What an unattended agent needs in its environment: nothing that waits for a person at a terminal.
const QUIET: [(&str, &str); 6] = [
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_EDITOR", "true"),
    ("GIT_SEQUENCE_EDITOR", "true"),
    ("GIT_MERGE_AUTOEDIT", "no"),
    ("GIT_PAGER", "cat"),
    ("PAGER", "cat"),
];

/// What would tell the agent that it runs inside a terminal server, or which worktree git is to use.
const NESTING: [&str; 7] =
    ["TMUX", "TMUX_PANE", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"];

/// Makes argv and environment of a launch.
///
/// # Errors
/// The profile has no argv of this kind, or wants a value that `vars` has not.
pub fn launch(profile: &Profile, kind: LaunchKind, vars: &LaunchVars) -> Result<LaunchPlan, ProfileError> {
    let args = match kind {
        LaunchKind::Fresh if profile.launch.argv.is_empty() => {
            return Err(ProfileError::NoArgv(profile.name.clone()));
        }
        LaunchKind::Fresh => &profile.launch.argv,
        LaunchKind::Resume => {
            profile.launch.resume.as_ref().ok_or_else(|| ProfileError::NoResume(profile.name.clone()))?
        }
    };
    let value = |name: &str| value(profile, vars, name);
    let missing = |placeholder| ProfileError::NoValue { profile: profile.name.clone(), placeholder };
    let mut argv = Vec::new();
    for Arg { parts, optional } in args {
        let filled: Result<Vec<String>, String> = parts.iter().map(|part| part.fill(&value)).collect();
        match filled {
            Ok(filled) => argv.extend(filled),
            // Left out: the user has set no value for it.
            Err(_) if *optional => {}
            Err(name) => return Err(missing(name)),
        }
    }
    let mut env: BTreeMap<String, String> = QUIET.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    for (name, template) in &profile.launch.env {
        env.insert(name.clone(), Template::fill(template, &value).map_err(missing)?);
    }
    let own = [
        ("AUTODO_TICKET", vars.run.ticket.to_string()),
        ("AUTODO_RUN", vars.run.to_string()),
        ("AUTODO_KEY", vars.key.to_string()),
        ("AUTODO_OUTBOX", vars.outbox.clone()),
        ("AUTODO_BIN", vars.autodo.clone()),
        ("AUTODO_STATE", vars.state_dir.clone()),
        ("TMUX_TMPDIR", vars.tmux_tmpdir.clone()),
    ];
    env.extend(own.map(|(name, value)| (name.to_owned(), value)));
    let mut unset: Vec<String> = NESTING.iter().map(|n| (*n).to_owned()).chain(profile.launch.unset.clone()).collect();
    unset.retain(|name| !env.contains_key(name));
    unset.sort();
    unset.dedup();
    Ok(LaunchPlan {
        argv,
        env,
        unset,
        require: profile.launch.require.clone(),
        settings: profile.launch.settings.clone(),
    })
}

fn value(profile: &Profile, vars: &LaunchVars, name: &str) -> Option<String> {
    let text = match name {
        "autodo" => &vars.autodo,
        "ticket" => vars.run.ticket.as_str(),
        "title_safe" => return Some(title_safe(&vars.title, vars.run.ticket.as_str())),
        "run" => return Some(vars.run.to_string()),
        "key" => vars.key.as_str(),
        "branch" => &vars.branch,
        "worktree" => &vars.worktree,
        "run_dir" => &vars.run_dir,
        "state_dir" => &vars.state_dir,
        "outbox" => &vars.outbox,
        "prompt_file" => &vars.prompt_file,
        "prompt" => vars.prompt.as_deref()?,
        "conversation" => vars.conversation.as_deref()?,
        "settings" => {
            profile.launch.settings.as_ref()?;
            return Some(format!("{}/{SETTINGS_FILE}", vars.run_dir));
        }
        "git_dir" => &vars.git_dirs.as_ref()?.0,
        "git_common" => &vars.git_dirs.as_ref()?.1,
        option => vars.options.get(option).or_else(|| profile.options.get(option)).filter(|v| !v.is_empty())?,
    };
    Some(text.to_owned())
}

/// A title that is only a title, wherever the agent shows it: letters, digits, blanks and a few marks, no option, no
/// format, no escape sequence. The ticket's id where nothing is left.
#[must_use]
pub fn title_safe(title: &str, ticket: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.,:+/".contains(c) { c } else { ' ' };
    let words: String = title.chars().map(plain).collect();
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let words: String = words.trim_start_matches(|c: char| !c.is_alphanumeric()).chars().take(TITLE).collect();
    let words = words.trim_end();
    if words.is_empty() { ticket.to_owned() } else { words.to_owned() }
}

/// An id for a new conversation, in the form of a random UUID (RFC 9562, version 4).
#[must_use]
pub fn conversation_id(mut random: impl FnMut() -> u32) -> String {
    let (a, b, c, d) = (random(), random(), random(), random());
    let version = 0x4000 | (b & 0x0fff);
    let variant = 0x8000 | ((c >> 16) & 0x3fff);
    format!("{a:08x}-{:04x}-{version:04x}-{variant:04x}-{:04x}{d:08x}", b >> 16, c & 0xffff)
}

#[cfg(test)]
mod tests;
