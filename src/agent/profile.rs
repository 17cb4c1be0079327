//! Agent profiles: all that differs per agent, as data.
//!
//! A profile is one TOML file; `profiles/README.md` is its reference. The files in `profiles/` are part of the binary
//! ([`builtin`]); those of the user and the project are laid over them ([`Library`]). Everything is checked when a
//! profile is read, so that nothing can go wrong with it at night.

mod check;
mod error;
mod library;
mod raw;
pub mod records;
mod setup;

use std::collections::BTreeMap;

use regex::Regex;
use serde::Deserialize;

pub use error::{Place, ProfileError};
pub use library::{Library, Shown, builtin};
pub use records::Records;
pub use setup::{Login, Trust};

use super::placeholder::Template;
use crate::domain::{permission::Tools, screen::ScreenState, ticket::Limits};

/// Version of the schema.
pub const PROFILE_VERSION: u32 = 1;

/// A profile, checked and compiled.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name, by which tickets ask for it.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The file it comes from.
    pub origin: String,
    /// Whose the conversation's id is.
    pub conversation: Conversation,
    /// Failed checks go back to the agent.
    pub feedback: bool,
    /// A conversation can go on in a new launch.
    pub resumable: bool,
    /// It does nothing but run the `sh` blocks under `## Run`: a ticket without them is refused.
    pub needs_run_blocks: bool,
    /// A stalled agent is nudged once before it is parked.
    pub nudge: bool,
    /// Keys that make the agent end by itself.
    pub exit: Vec<Keystroke>,
    /// What nobody has tried with the real agent, a few words each.
    pub unverified: Vec<String>,
    /// Values for placeholders of its own, such as `model`; an empty one counts as none.
    pub options: BTreeMap<String, String>,
    /// How it is started.
    pub launch: Launch,
    /// Programs that must be there.
    pub programs: Vec<Program>,
    /// How prompts reach it.
    pub delivery: Delivery,
    /// How its input box is recognised; `None`: it has none, and nothing can be pasted.
    pub input_box: Option<InputBox>,
    /// Dialogs, looked for before the screens.
    pub dialogs: Vec<Dialog>,
    /// Rules for screens, in order.
    pub screens: Vec<Rule>,
    /// How its requests to be allowed something are known.
    pub permissions: Permissions,
    /// How a marker line may begin.
    pub marker: MarkerLine,
    /// The agent's own record of a conversation; `None`: nothing is known of it.
    pub records: Option<Records>,
    /// How it says whether somebody is logged in; `None`: it cannot be asked.
    pub login: Option<Login>,
    /// Where it keeps which folders a person trusts; `None`: nothing is known of that.
    pub trust: Option<Trust>,
    limits: LimitsOverride,
}

/// Whose the id of a conversation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conversation {
    /// There is none that autodo knows.
    #[default]
    None,
    /// autodo chooses it, and hands it over in the argv.
    Chosen,
    /// The agent chooses it, and tells it in its own record.
    Recorded,
}

/// How the first prompt of a launch arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum First {
    /// Pasted into the input box, like all later ones.
    #[default]
    Paste,
    /// As `{prompt}` in the argv.
    Argument,
}

/// What to do with a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Send its `answer`.
    Answer,
    /// A person answers.
    Ask,
}

/// Which part of the screen a rule looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// All of it.
    #[default]
    Screen,
    /// The rows above the input box; never matches where there is none.
    AboveBox,
    /// The rows below the input box; never matches where there is none.
    BelowBox,
}

/// What a rule wants of the input box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// It is there, whatever it holds.
    Visible,
    /// It is there and holds nothing.
    Empty,
    /// It is not there.
    Absent,
}

/// How an agent is started.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    /// For a new conversation; empty: this profile is only a base for others.
    pub argv: Vec<Arg>,
    /// For a conversation that goes on.
    pub resume: Option<Vec<Arg>>,
    /// Variables to set.
    pub env: BTreeMap<String, Template>,
    /// Variables to take away.
    pub unset: Vec<String>,
    /// Variables that must be set where autodo is started.
    pub require: Vec<String>,
    /// JSON of a settings file that is written for each launch: `{settings}` is its path.
    pub settings: Option<String>,
}

/// Arguments that stand or fall together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// The arguments.
    pub parts: Vec<Template>,
    /// True: left out where one of them has no value. False: then the launch fails.
    pub optional: bool,
}

/// A program that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Looked up on the PATH.
    pub name: String,
    /// Prints its version; empty: cannot be asked.
    pub version_argv: Vec<String>,
    /// The version that the profile was checked against; empty: nobody says.
    pub checked: String,
    /// What another version may do otherwise, and what helps then; empty: nothing that is known.
    pub otherwise: String,
}

/// How prompts reach the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The first one of a launch.
    pub first: First,
    /// A harmless word that begins every line autodo composes, and disarms texts that begin with a special character.
    pub prefix: String,
    /// Characters that mean something to this agent at the beginning of a prompt.
    pub disarm: String,
    /// A prompt sent while it works becomes a turn of its own.
    pub queues_while_busy: bool,
    /// Milliseconds to let pass between text seen in the box and Enter.
    pub enter_delay_ms: u64,
    /// Literal texts that must not be on the screen when Enter is sent: checked inside the terminal server.
    pub hides: Vec<String>,
}

/// How the input box is recognised.
#[derive(Clone, Debug)]
pub struct InputBox {
    /// Its first row; group 1 is the content.
    pub line: Regex,
    /// A further row; group 1 is the content. `None`: it has one row.
    pub continuation: Option<Regex>,
    /// The row right above it.
    pub above: Option<Regex>,
    /// The row right below it.
    pub below: Option<Regex>,
    /// At most so many rows stand below it, blank ones among them, on a screen without trailing blank rows.
    pub footer_rows: usize,
    /// It is never higher than this, rules included.
    pub max_rows: usize,
    /// The cursor must be in it.
    pub cursor: bool,
    /// Characters that count as blank in it, beside white space.
    pub trim: String,
    /// Contents that are only hints: the box is empty.
    pub empty: Vec<Regex>,
    /// Contents that stand for a pasted text which the agent does not show.
    pub pasted: Vec<Regex>,
}

/// What a screen must show to mean something; all that is given must hold.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, for records.
    pub name: String,
    /// What the screen means then.
    pub state: ScreenState,
    /// The look itself.
    pub look: LookFor,
}

/// The conditions of a rule.
#[derive(Clone, Debug)]
pub struct LookFor {
    /// Found in the region; the row where it begins decided.
    pub pattern: Option<Regex>,
    /// Found in the pane's title.
    pub title: Option<Regex>,
    /// Found in the row of the cursor.
    pub cursor_row: Option<Regex>,
    /// What the input box must be.
    pub when: Option<When>,
    /// None of these is found in the region.
    pub not: Vec<Regex>,
    /// The region is cut to its last rows, trailing blank ones not counted.
    pub last_rows: usize,
    /// Where `pattern` and `not` look.
    pub region: Region,
    /// What a person should read: its last match on the whole screen, group 1 where there is one.
    pub text: Option<Regex>,
    /// Taken out of that text wherever it is found.
    pub strip: Option<Regex>,
}

/// A dialog: a rule with an answer.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// Its name, for records.
    pub name: String,
    /// What the screen means where a person has to answer: never `dialog`.
    pub asks: ScreenState,
    /// How it is recognised.
    pub look: LookFor,
    /// What to do with it.
    pub policy: Policy,
    /// One row must match this, or a person has to answer: the choice that Enter takes.
    pub selected: Option<Regex>,
    /// The keys.
    pub answer: Vec<Keystroke>,
    /// Keys for what a person may say, such as `allow` and `deny`.
    pub choices: BTreeMap<String, Vec<Keystroke>>,
    /// How it numbers what there is to choose from; `None`: it does not.
    pub options: Option<OptionsLook>,
    /// Keys that close it, so that the agent takes words instead; empty: it takes none.
    pub words: Vec<Keystroke>,
    /// How the dialog of a permission says what it is about; `None`: only a person can tell.
    pub request: Option<RequestLook>,
}

/// Where a screen says what there is to choose from.
#[derive(Clone, Debug)]
pub struct OptionsLook {
    /// A row with an option: group 1 is its key, one character, from `1` on; group 2 what it says.
    pub row: Regex,
    /// Options that say this are none to offer.
    pub except: Option<Regex>,
}

/// Where a screen says what the agent wants to run.
#[derive(Clone, Debug)]
pub struct RequestLook {
    /// The tool that is meant.
    pub tool: String,
    /// Found on the screen only where the command is whole; all its groups that take part hold the same text: the command.
    pub command: Regex,
}

/// How an agent's requests to be allowed something are known.
#[derive(Clone, Debug, Default)]
pub struct Permissions {
    /// Its hooks ask autodo before a person is asked.
    pub hook: bool,
    /// How its tools name what they would do.
    pub tools: Tools,
}

/// How a marker line may begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkerLine {
    /// Glyphs, one of which may stand before the marker.
    pub bullets: String,
    /// At most so many blanks before the glyph, and again after it.
    pub indent: usize,
}

/// A key. The names are tmux's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keystroke {
    /// Enter.
    Enter,
    /// One printable ASCII character.
    Char(char),
    /// One of [`Keystroke::NAMED`].
    Named(&'static str),
}

impl Keystroke {
    /// The named keys, beside Enter.
    pub const NAMED: [&'static str; 8] = ["Escape", "Up", "Down", "C-c", "C-d", "C-u", "BSpace", "Tab"];

    /// Reads a key; `None` where there is no such key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_ascii_graphic() || c == ' ' => Some(Self::Char(c)),
            _ if text == "Enter" => Some(Self::Enter),
            _ => Self::NAMED.into_iter().find(|n| *n == text).map(Self::Named),
        }
    }
}

/// Times and counts that differ from [`Limits::default`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsOverride {
    run_s: Option<u64>,
    start_s: Option<u64>,
    delivery_s: Option<u64>,
    stall_s: Option<u64>,
    feedback_rounds: Option<u32>,
    crashes: Option<u32>,
    backoff_s: Option<u64>,
    after_reset_s: Option<u64>,
}

impl Profile {
    /// Reads a profile; `extends` finds built-in ones only. See [`Library`] for layers.
    ///
    /// # Errors
    /// What is wrong, with line and column in `origin`.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ProfileError> {
        let mut library = Library::of_builtin();
        let name = library.add(text, origin)?;
        library.get(&name)
    }

    /// The limits of a run with this profile, where nobody says otherwise.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let base = Limits::default();
        let own = &self.limits;
        Limits {
            run_s: own.run_s.unwrap_or(base.run_s),
            start_s: own.start_s.unwrap_or(base.start_s),
            delivery_s: own.delivery_s.unwrap_or(base.delivery_s),
            stall_s: own.stall_s.unwrap_or(base.stall_s),
            feedback_rounds: if self.feedback { own.feedback_rounds.unwrap_or(base.feedback_rounds) } else { 0 },
            crashes: own.crashes.unwrap_or(base.crashes),
            backoff_s: own.backoff_s.unwrap_or(base.backoff_s),
            after_reset_s: own.after_reset_s.unwrap_or(base.after_reset_s),
            resumable: self.resumable,
            feedback: self.feedback,
            nudge: self.nudge,
            argument: self.delivery.first == First::Argument,
            ..base
        }
    }
}

#[cfg(test)]
mod tests;
