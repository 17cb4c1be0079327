//! An agent's own record of a conversation, one JSON object per line, read by what its profile says of it: where in a
//! line stands what. Any bytes give a result, never a panic; a line that is no JSON says nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::hook;
use crate::domain::{
    id::RunKey,
    report::Hook,
    usage::{Mark, Tokens},
};

/// Longest line that is looked at, in bytes: a longer one is passed over.
pub const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Messages that are remembered, so that one which is told again is not counted again.
const RECENT: usize = 3;

/// JSON pointers (RFC 6901), each with the text that must stand there. None: matches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When(pub BTreeMap<String, String>);

impl When {
    /// True if `line` may match: a look at its bytes, since most lines of a record say nothing and are long.
    fn may_hold(&self, line: &str) -> bool {
        !self.0.is_empty() && self.0.values().all(|text| line.contains(text.as_str()))
    }

    fn holds(&self, line: &Value) -> bool {
        !self.0.is_empty() && self.0.iter().all(|(at, text)| line.pointer(at).and_then(Value::as_str) == Some(text))
    }
}

/// How a record is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    /// The line that says whose the record is; `None`: its name does.
    pub head: Option<Head>,
    /// A prompt that was taken.
    pub prompt: Option<Prompt>,
    /// The end of a turn.
    pub turn_end: Option<TurnEnd>,
    /// Tokens.
    pub tokens: Option<TokensAt>,
    /// The quota of the account.
    pub quota: Option<QuotaAt>,
}

/// Where the head of a record says whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which line it is.
    pub when: When,
    /// The conversation's id.
    pub conversation: String,
    /// The folder in which the agent works.
    pub folder: String,
}

/// Where a prompt stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// Which line it is.
    pub when: When,
    /// Its text, or a list of blocks with a `text` each.
    pub text: String,
}

/// Where the end of a turn stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnEnd {
    /// Which line it is.
    pub when: When,
    /// The agent's last message.
    pub text: String,
    /// The turn's id.
    pub turn: Option<String>,
    /// The error it ended with, as a word, or as an object whose one key is the word; null or absent: none.
    pub error: Option<String>,
    /// The error's words for people.
    pub error_text: Option<String>,
    /// The program's words for errors, and those of `domain::report::Hook::Failed` for the same.
    pub error_words: BTreeMap<String, String>,
}

/// Where it stands how much of an account's quota is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaAt {
    /// Which line it is.
    pub when: When,
    /// The windows that are counted; one that is null or absent is not.
    pub windows: Vec<String>,
    /// In a window: how much of it is used, in percent.
    pub used_percent: String,
    /// In a window: when it begins anew, in seconds since the epoch.
    pub resets_at: String,
    /// From so many percent on the window is spent.
    pub spent_percent: u32,
}

/// One window of a quota.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// How much of it is used, in percent.
    pub used_percent: f64,
    /// When it begins anew.
    pub resets_at: Timestamp,
}

/// Where tokens stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokensAt {
    /// Which line it is.
    pub when: When,
    /// The id of the message they are of: they count message by message, each once. `None`: they are running totals.
    pub message: Option<String>,
    /// Tokens read.
    pub input: String,
    /// True: those of the cache are counted among `input` too.
    pub input_holds_cache: bool,
    /// Read from the cache.
    pub cache_read: Option<String>,
    /// Written into the cache.
    pub cache_write: Option<String>,
    /// Written by the model.
    pub output: String,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Whose the record is.
    Head {
        /// The conversation's id.
        conversation: String,
        /// Where the agent works.
        folder: String,
    },
    /// Something happened, in the words of the hooks.
    Hook(Hook),
    /// Tokens.
    Tokens {
        /// The message they are of; `None`: they are running totals.
        message: Option<String>,
        /// How many.
        tokens: Tokens,
    },
}

impl Format {
    /// What `line` says, at most one thing. `key` is that of the run, by which a marker is known.
    #[must_use]
    pub fn read(&self, line: &[u8], key: &RunKey) -> Option<Fact> {
        let text = std::str::from_utf8(line).ok()?;
        let rules = [
            self.head.as_ref().map(|rule| &rule.when),
            self.prompt.as_ref().map(|rule| &rule.when),
            self.turn_end.as_ref().map(|rule| &rule.when),
            self.tokens.as_ref().map(|rule| &rule.when),
        ];
        if !rules.into_iter().flatten().any(|when| when.may_hold(text)) {
            return None;
        }
        let line: Value = serde_json::from_str(text).ok()?;
        let head = || self.head.as_ref().filter(|rule| rule.when.holds(&line))?.read(&line);
        let prompt = || self.prompt.as_ref().filter(|rule| rule.when.holds(&line))?.read(&line);
        let turn_end = || Some(self.turn_end.as_ref().filter(|rule| rule.when.holds(&line))?.read(&line, key));
        let tokens = || self.tokens.as_ref().filter(|rule| rule.when.holds(&line))?.read(&line);
        head().or_else(prompt).or_else(turn_end).or_else(tokens)
    }
}

fn text_at<'a>(line: &'a Value, at: &str) -> Option<&'a str> {
    line.pointer(at).and_then(Value::as_str)
}

impl Head {
    fn read(&self, line: &Value) -> Option<Fact> {
        let conversation = text_at(line, &self.conversation)?;
        // It becomes an argument.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if conversation.is_empty() || conversation.starts_with('-') || !conversation.chars().all(is_plain) {
            return None;
        }
        let folder = text_at(line, &self.folder)?.to_owned();
        Some(Fact::Head { conversation: conversation.to_owned(), folder })
    }
}

impl Prompt {
    fn read(&self, line: &Value) -> Option<Fact> {
        let at = line.pointer(&self.text)?;
        let blocks = at.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(|block| text_at(block, "/text"));
        let delivery = at.as_str().into_iter().chain(blocks).find_map(hook::delivery)?;
        Some(Fact::Hook(Hook::Submitted { delivery: Some(delivery.to_owned()) }))
    }
}

impl TurnEnd {
    fn read(&self, line: &Value, key: &RunKey) -> Fact {
        let error = self.error.as_ref().and_then(|at| line.pointer(at));
        let words = self.error_text.as_ref().and_then(|at| text_at(line, at));
        let word = match error {
            None | Some(Value::Null) => words.map(|_| "error"),
            Some(Value::String(word)) => Some(word.as_str()),
            Some(Value::Object(kinds)) => Some(kinds.keys().next().map_or("error", String::as_str)),
            Some(_) => Some("error"),
        };
        Fact::Hook(match word {
            Some(word) => Hook::Failed {
                error: hook::cut(self.error_words.get(word).map_or(word, String::as_str)),
                text: hook::cut(words.unwrap_or("no details were given")),
            },
            None => {
                let last = text_at(line, &self.text).unwrap_or_default();
                let turn = self.turn.as_ref().and_then(|at| text_at(line, at)).map(hook::cut);
                Hook::Stopped { background: 0, marker: hook::marker(last, key), text: hook::cut(last), turn }
            }
        })
    }
}

impl QuotaAt {
    /// The windows of the last line in `text` that tells of any; a line that is not whole says nothing.
    #[must_use]
    pub fn latest(&self, text: &[u8]) -> Vec<Window> {
        let lines = text.rsplit(|byte| *byte == b'\n');
        lines.map(|line| self.read(line)).find(|windows| !windows.is_empty()).unwrap_or_default()
    }

    fn read(&self, line: &[u8]) -> Vec<Window> {
        let text = std::str::from_utf8(line).ok().filter(|text| self.when.may_hold(text));
        let line = text.and_then(|text| serde_json::from_str::<Value>(text).ok()).filter(|line| self.when.holds(line));
        let Some(line) = line else { return vec![] };
        let window = |at: &String| {
            let window = line.pointer(at)?;
            let resets_at = window.pointer(&self.resets_at)?.as_i64()?;
            Some(Window {
                used_percent: window.pointer(&self.used_percent)?.as_f64()?,
                resets_at: Timestamp::from_second(resets_at).ok()?,
            })
        };
        self.windows.iter().filter_map(window).collect()
    }

    /// When the quota is there again that these windows say is spent at `now`; `None`: it is not.
    #[must_use]
    pub fn spent_until(&self, windows: &[Window], now: Timestamp) -> Option<Timestamp> {
        let is_spent =
            |window: &&Window| window.used_percent >= f64::from(self.spent_percent) && window.resets_at > now;
        windows.iter().filter(is_spent).map(|window| window.resets_at).max()
    }
}

impl TokensAt {
    fn read(&self, line: &Value) -> Option<Fact> {
        let number = |at: &str| line.pointer(at).and_then(Value::as_u64);
        let more = |at: &Option<String>| at.as_deref().and_then(number).unwrap_or(0);
        let (cache_read, cache_write) = (more(&self.cache_read), more(&self.cache_write));
        let held = if self.input_holds_cache { cache_read.saturating_add(cache_write) } else { 0 };
        let tokens = Tokens {
            input: number(&self.input)?.saturating_sub(held),
            cache_read,
            cache_write,
            output: number(&self.output)?,
        };
        let message = match &self.message {
            None => None,
            Some(at) => Some(text_at(line, at)?.chars().take(100).collect()),
        };
        Some(Fact::Tokens { message, tokens })
    }
}

/// Counts what a line says of tokens: into `mark.own`, those of the present run.
pub fn count(mark: &mut Mark, message: Option<String>, tokens: Tokens) {
    let Some(message) = message else {
        // A total that fell is that of another count: it begins anew.
        let before = mark.total.filter(|before| before.total() <= tokens.total()).unwrap_or_default();
        mark.own = mark.own.plus(tokens.minus(before));
        mark.total = Some(tokens);
        return;
    };
    let before = mark.recent.iter_mut().find(|(id, _)| *id == message);
    let known = before.as_ref().map_or_else(Tokens::default, |(_, tokens)| *tokens);
    let now = known.max(tokens);
    mark.own = mark.own.plus(now.minus(known));
    match before {
        Some((_, known)) => *known = now,
        None => mark.recent.push((message, now)),
    }
    if mark.recent.len() > RECENT {
        mark.recent.remove(0);
    }
}

/// Cuts the bytes that follow `mark` in its file into whole lines, and moves it behind the last one. Bytes of a line
/// that is not whole yet stay for the next time, unless there are more than [`MAX_LINE_BYTES`].
pub fn lines<'a>(mark: &mut Mark, bytes: &'a [u8]) -> Vec<(u64, &'a [u8])> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        mark.offset += end as u64 + 1;
        found.push((mark.offset, &rest[..end]));
        rest = &rest[end + 1..];
    }
    if rest.len() >= MAX_LINE_BYTES {
        mark.offset += rest.len() as u64;
    }
    found
}

#[cfg(test)]
mod tests;
