//! `[records]` of a profile: where the agent's own record of a conversation lies, and what stands where in it.

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;
use toml::Spanned;

use super::{Conversation, raw::Text};
use crate::{
    agent::placeholder::Template,
    format::record::{Format, Head, Prompt, QuotaAt, TokensAt, TurnEnd, When},
};

pub use crate::format::record::{Fact, MAX_LINE_BYTES, count, lines};

type Fault = (Range<usize>, String);
type Checked<T> = Result<T, Fault>;

/// Placeholders of these paths, beside `places`.
const KNOWN: [&str; 4] = ["home", "worktree_slug", "conversation", "date"];

/// From so many percent on a window of a quota is spent: the next turn would hardly come to its end.
const SPENT_PERCENT: u32 = 99;

/// Where an agent's own record lies, and how it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// The record. With `{conversation}` it is one path; else the file's name has a `*`, and its head says whose it is.
    pub file: Template,
    /// Records of helpers whose tokens count as well: the file's name has a `*`.
    pub helpers: Option<Template>,
    /// Folders that a variable names, and where they are if it is not set.
    pub places: BTreeMap<String, PlaceOf>,
    /// True: the program tells what it costs through `autodo hook statusline`.
    pub status_line: bool,
    /// What stands where.
    pub format: Format,
}

/// A folder that a variable names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOf {
    /// The variable.
    pub variable: String,
    /// Where it is without.
    pub default: Template,
}

impl Records {
    /// True if the record is found by looking for it, since nobody knows the conversation's id before.
    #[must_use]
    pub fn is_searched(&self) -> bool {
        !self.file.uses("conversation")
    }

    /// A path of this profile, filled: `value` gives `home`, `conversation`, `date` and variables (as `$NAME`);
    /// `worktree` is the agent's folder. `None`: something has no value.
    #[must_use]
    pub fn path(&self, template: &Template, worktree: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        let with_slug = |name: &str| if name == "worktree_slug" { Some(slug(worktree)) } else { value(name) };
        fill(template, &self.places, &with_slug)
    }
}

/// `template` with its places filled: `value` gives variables (as `$NAME`), and whatever is none of `places`. `None`:
/// something has no value.
pub(super) fn fill(
    template: &Template,
    places: &BTreeMap<String, PlaceOf>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let of = |name: &str| match places.get(name) {
        // Ignored: a place without a value is none.
        Some(place) => value(&format!("${}", place.variable)).or_else(|| place.default.fill(&|name| value(name)).ok()),
        None => value(name),
    };
    // Ignored: see above.
    template.fill(&of).ok()
}

/// A path as Claude Code 2.1.197 makes a folder's name of it: all but letters and digits becomes `-`.
fn slug(path: &str) -> String {
    path.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRecords {
    file: Text,
    helpers: Option<Text>,
    #[serde(default)]
    places: BTreeMap<Text, RawPlace>,
    #[serde(default)]
    status_line: bool,
    head: Option<RawHead>,
    prompt: Option<RawPrompt>,
    turn_end: Option<RawTurnEnd>,
    tokens: Option<RawTokens>,
    quota: Option<RawQuota>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPlace {
    variable: String,
    default: Text,
}

type RawWhen = Spanned<BTreeMap<String, String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHead {
    when: RawWhen,
    conversation: Text,
    folder: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrompt {
    when: RawWhen,
    text: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTurnEnd {
    when: RawWhen,
    text: Text,
    turn: Option<Text>,
    error: Option<Text>,
    error_text: Option<Text>,
    #[serde(default)]
    error_words: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTokens {
    when: RawWhen,
    message: Option<Text>,
    input: Text,
    #[serde(default)]
    input_holds_cache: bool,
    cache_read: Option<Text>,
    cache_write: Option<Text>,
    output: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuota {
    when: RawWhen,
    windows: Vec<Text>,
    used_percent: Text,
    resets_at: Text,
    spent_percent: Option<Spanned<u32>>,
}

/// Checks what was read. `None` fits every profile but one whose conversation is `recorded`.
pub(super) fn check(raw: Option<RawRecords>, name: &Text, conversation: Conversation) -> Checked<Option<Records>> {
    let Some(raw) = raw else {
        if conversation == Conversation::Recorded {
            return Err((name.span(), "conversation = \"recorded\" needs a table [records]".to_owned()));
        }
        return Ok(None);
    };
    let is_place = |name: &str| raw.places.keys().any(|place| place.get_ref() == name);
    let known = |name: &str| KNOWN.contains(&name) || is_place(name);
    let places = places(&raw.places)?;
    let file = template(&raw.file, &known)?;
    let has_head = raw.head.is_some();
    let wrong = match (conversation, file.uses("conversation")) {
        (Conversation::None, _) => Some("records need a conversation that is \"chosen\" or \"recorded\""),
        (Conversation::Chosen, false) => Some("the file of a chosen conversation holds {conversation}"),
        (Conversation::Recorded, true) => Some("nobody knows {conversation} before the record is found"),
        (Conversation::Recorded, false) if !has_head => Some("a file that is looked for needs [records.head]"),
        (Conversation::Recorded, false) => one_star(raw.file.get_ref()),
        (Conversation::Chosen, true) => raw.file.get_ref().contains('*').then_some("this file is one path, without *"),
    };
    if let Some(what) = wrong {
        return Err((raw.file.span(), what.to_owned()));
    }
    let helpers = raw.helpers.as_ref().map(|text| match one_star(text.get_ref()) {
        Some(what) => Err((text.span(), what.to_owned())),
        None => template(text, &known),
    });
    Ok(Some(Records {
        helpers: helpers.transpose()?,
        file,
        places,
        status_line: raw.status_line,
        format: Format {
            head: raw.head.map(RawHead::check).transpose()?,
            prompt: raw.prompt.map(RawPrompt::check).transpose()?,
            turn_end: raw.turn_end.map(RawTurnEnd::check).transpose()?,
            tokens: raw.tokens.map(RawTokens::check).transpose()?,
            quota: raw.quota.map(RawQuota::check).transpose()?,
        },
    }))
}

/// Checks the folders that a variable names.
pub(super) fn places(raw: &BTreeMap<Text, RawPlace>) -> Checked<BTreeMap<String, PlaceOf>> {
    let only_home = |name: &str| name == "home";
    let mut places = BTreeMap::new();
    for (name, place) in raw {
        if KNOWN.contains(&name.get_ref().as_str()) {
            return Err((name.span(), format!("{{{}}} is filled by autodo itself", name.get_ref())));
        }
        let default = template(&place.default, &only_home)?;
        places.insert(name.get_ref().clone(), PlaceOf { variable: place.variable.clone(), default });
    }
    Ok(places)
}

/// What is wrong with a path whose last part is to hold one `*`.
fn one_star(path: &str) -> Option<&'static str> {
    let (folder, name) = path.rsplit_once('/').unwrap_or_default();
    (folder.contains('*') || name.matches('*').count() != 1)
        .then_some("the last part of this path, and no other, has one *")
}

pub(super) fn template(text: &Text, known: &dyn Fn(&str) -> bool) -> Checked<Template> {
    Template::parse(text.get_ref(), known).map_err(|e| (text.span(), e.to_string()))
}

fn pointer(text: Text) -> Checked<String> {
    if text.get_ref().starts_with('/') {
        return Ok(text.into_inner());
    }
    Err((text.span(), "a JSON pointer begins with / (RFC 6901)".to_owned()))
}

fn maybe(text: Option<Text>) -> Checked<Option<String>> {
    text.map(pointer).transpose()
}

fn when(raw: RawWhen) -> Checked<When> {
    let span = raw.span();
    let pairs = raw.into_inner();
    if pairs.is_empty() || pairs.iter().any(|(at, text)| !at.starts_with('/') || text.is_empty()) {
        let what = "`when` has JSON pointers, each with the text that stands there: { \"/type\" = \"assistant\" }";
        return Err((span, what.to_owned()));
    }
    Ok(When(pairs))
}

impl RawHead {
    fn check(self) -> Checked<Head> {
        Ok(Head { when: when(self.when)?, conversation: pointer(self.conversation)?, folder: pointer(self.folder)? })
    }
}

impl RawPrompt {
    fn check(self) -> Checked<Prompt> {
        Ok(Prompt { when: when(self.when)?, text: pointer(self.text)? })
    }
}

impl RawTurnEnd {
    fn check(self) -> Checked<TurnEnd> {
        Ok(TurnEnd {
            when: when(self.when)?,
            text: pointer(self.text)?,
            turn: maybe(self.turn)?,
            error: maybe(self.error)?,
            error_text: maybe(self.error_text)?,
            error_words: self.error_words,
        })
    }
}

impl RawTokens {
    fn check(self) -> Checked<TokensAt> {
        Ok(TokensAt {
            when: when(self.when)?,
            message: maybe(self.message)?,
            input: pointer(self.input)?,
            input_holds_cache: self.input_holds_cache,
            cache_read: maybe(self.cache_read)?,
            cache_write: maybe(self.cache_write)?,
            output: pointer(self.output)?,
        })
    }
}

impl RawQuota {
    fn check(self) -> Checked<QuotaAt> {
        let spent = match &self.spent_percent {
            Some(percent) if !(1..=100).contains(percent.get_ref()) => {
                return Err((percent.span(), "a percentage from 1 to 100".to_owned()));
            }
            Some(percent) => *percent.get_ref(),
            None => SPENT_PERCENT,
        };
        Ok(QuotaAt {
            when: when(self.when)?,
            windows: self.windows.into_iter().map(pointer).collect::<Checked<_>>()?,
            used_percent: pointer(self.used_percent)?,
            resets_at: pointer(self.resets_at)?,
            spent_percent: spent,
        })
    }
}

#[cfg(test)]
mod tests;
