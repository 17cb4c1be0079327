//! The schema of a profile, as it is read: every key there is. `profiles/README.md` explains it to users.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{Conversation, First, Policy, Region, When};
use crate::domain::screen::ScreenState;

pub(super) type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// Looked at before this is read; here so that the key is known.
    #[serde(rename = "version")]
    pub _version: u32,
    pub name: Text,
    #[serde(default)]
    pub description: String,
    /// Resolved before this is read; here so that the key is known.
    #[serde(rename = "extends")]
    pub _extends: Option<String>,
    #[serde(default)]
    pub conversation: Conversation,
    #[serde(default = "yes")]
    pub feedback: bool,
    pub resumable: Option<Spanned<bool>>,
    #[serde(default)]
    pub needs_run_blocks: bool,
    #[serde(default = "yes")]
    pub nudge: bool,
    #[serde(default)]
    pub exit: Vec<Text>,
    #[serde(default)]
    pub unverified: Vec<Text>,
    #[serde(default)]
    pub options: BTreeMap<Text, String>,
    #[serde(default)]
    pub launch: RawLaunch,
    #[serde(default)]
    pub programs: Vec<RawProgram>,
    #[serde(default)]
    pub delivery: RawDelivery,
    #[serde(rename = "box")]
    pub input_box: Option<RawBox>,
    #[serde(default)]
    pub screens: Vec<RawRule>,
    #[serde(default)]
    pub dialogs: Vec<RawDialog>,
    #[serde(default)]
    pub marker: RawMarker,
    pub records: Option<super::records::RawRecords>,
    pub login: Option<super::setup::RawLogin>,
    pub trust: Option<super::setup::RawTrust>,
    #[serde(default)]
    pub permissions: RawPermissions,
    #[serde(default)]
    pub limits: super::LimitsOverride,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPermissions {
    pub hook: bool,
    pub questions: Option<Vec<String>>,
    pub command: Option<Vec<String>>,
    pub path: Option<Vec<String>>,
    pub beside: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRequest {
    pub tool: Text,
    pub command: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOptions {
    pub row: Text,
    pub except: Option<Text>,
}

fn yes() -> bool {
    true
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLaunch {
    #[serde(default)]
    pub argv: Vec<RawArg>,
    pub resume: Option<Spanned<Vec<RawArg>>>,
    #[serde(default)]
    pub env: BTreeMap<Text, Text>,
    #[serde(default)]
    pub unset: Vec<Text>,
    #[serde(default)]
    pub require: Vec<Text>,
    pub settings: Option<toml::Table>,
}

/// One argument, or an array of several that are left out together where one has no value. An untagged enum would
/// lose the places in the file.
pub(super) type RawArg = Spanned<toml::Value>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProgram {
    pub name: String,
    #[serde(default)]
    pub version_argv: Vec<String>,
    #[serde(default)]
    pub checked: String,
    #[serde(default)]
    pub otherwise: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDelivery {
    #[serde(default)]
    pub first: First,
    pub prefix: Option<Text>,
    pub disarm: Option<Text>,
    #[serde(default)]
    pub queues_while_busy: bool,
    pub enter_delay_ms: Option<Spanned<u64>>,
    #[serde(default)]
    pub hides: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawBox {
    pub line: Text,
    pub continuation: Option<Text>,
    pub above: Option<Text>,
    pub below: Option<Text>,
    #[serde(default)]
    pub footer_rows: usize,
    pub max_rows: Option<usize>,
    #[serde(default)]
    pub cursor: bool,
    #[serde(default)]
    pub trim: String,
    #[serde(default)]
    pub empty: Vec<Text>,
    #[serde(default)]
    pub pasted: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    pub name: Text,
    pub state: Spanned<ScreenState>,
    pub pattern: Option<Text>,
    pub title: Option<Text>,
    pub cursor_row: Option<Text>,
    #[serde(default, rename = "box")]
    pub when: Option<Spanned<When>>,
    #[serde(default)]
    pub not: Vec<Text>,
    pub last_rows: Option<Spanned<usize>>,
    pub region: Option<Spanned<Region>>,
    pub text: Option<Text>,
    pub strip: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDialog {
    pub name: Text,
    pub pattern: Text,
    pub policy: Spanned<Policy>,
    pub state: Option<Spanned<ScreenState>>,
    #[serde(default)]
    pub not: Vec<Text>,
    pub last_rows: Option<Spanned<usize>>,
    pub selected: Option<Text>,
    #[serde(default)]
    pub answer: Vec<Text>,
    #[serde(default)]
    pub choices: BTreeMap<String, Vec<Text>>,
    pub options: Option<RawOptions>,
    #[serde(default)]
    pub words: Vec<Text>,
    pub request: Option<RawRequest>,
    pub text: Option<Text>,
    pub strip: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMarker {
    pub bullets: String,
    pub indent: usize,
}

impl Default for RawMarker {
    fn default() -> Self {
        Self { bullets: String::new(), indent: 2 }
    }
}
