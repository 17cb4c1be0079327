//! Permissions as a policy: which of the things that an agent asks for are allowed or denied by a rule, and which are a
//! person's to answer.
//!
//! A rule is one line: `allow Bash cargo test`, `allow Bash npm run *`, `deny Bash git push *`, `allow Edit src/**`,
//! `allow mcp__docs__search`, `ask *`. The first rule that matches decides; where none does, a person is asked. An `allow`
//! matches only what is understood with certainty; a `deny` or `ask` matches whatever could be meant.

mod shell;
mod tools;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use tools::{Place, Tools, named};

use super::glob;
use shell::Word;

/// What is to become of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may be done.
    Allow,
    /// It may not be done; the agent is told and goes on.
    Deny,
    /// A person answers.
    #[default]
    Ask,
}

impl Verdict {
    /// The word in rules and files.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Ask => "ask",
        }
    }

    /// True for [`Verdict::Ask`].
    #[must_use]
    pub fn is_ask(&self) -> bool {
        *self == Self::Ask
    }
}

/// Something that an agent wants to do, and what rules say to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The tool, as the agent names it.
    pub tool: String,
    /// What the tool would get, as JSON; cut. Empty: it is not known.
    pub input: String,
    /// What rules look at; `None`: it is nothing that a rule may answer, or nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    /// What the rules say.
    #[serde(default, skip_serializing_if = "Verdict::is_ask")]
    pub verdict: Verdict,
    /// The rule that said so; `None`: none matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// What rules look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A command for a shell.
    Command {
        /// As the agent wrote it.
        line: String,
        /// True if more hangs on it than its words: it is cut, would run outside the worktree, or with settings of its
        /// own. No rule allows it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unclear: bool,
    },
    /// A file.
    Path {
        /// As the agent wrote it.
        path: String,
        /// From the worktree's root, links resolved, with `/`; `None`: it lies outside.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        inside: Option<String>,
    },
    /// Anything else: the input as a whole.
    Input,
}

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(String);

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    verdict: Verdict,
    tool: String,
    what: What,
    text: String,
}

/// What of a tool's calls a rule is about.
#[derive(Clone, Debug, PartialEq)]
enum What {
    /// All of them.
    Everything,
    /// Those with these words; or, as one word, with this path.
    Words {
        words: Vec<Word>,
        /// Any further words may follow.
        more: bool,
    },
    /// Those with exactly this input.
    Input(Value),
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let wrong = |what: String| Err(RuleError(format!("{what}, in the rule {:?}", text.trim())));
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return wrong("a rule is one line without control characters".into());
        }
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let verdict = match word {
            "allow" => Verdict::Allow,
            "deny" => Verdict::Deny,
            "ask" => Verdict::Ask,
            _ => return wrong(format!("expected allow, deny or ask, found {word:?}")),
        };
        let rest = rest.trim_start();
        let (tool, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
        if tool.is_empty() || !(tool == "*" || tool.chars().all(is_name)) {
            return wrong("expected the name of a tool, such as Bash, or * for every one".into());
        }
        let rest = rest.trim_start();
        let what = if rest.is_empty() {
            What::Everything
        } else if tool == "*" {
            return wrong("the tool * stands for every call of every tool, so nothing can follow it".into());
        } else if let Some(json) = rest.strip_prefix("= ") {
            match serde_json::from_str(json) {
                Ok(input) => What::Input(input),
                Err(why) => return wrong(format!("expected the tool's input as JSON behind \"=\" ({why})")),
            }
        } else {
            match what_words(verdict, rest) {
                Ok(what) => what,
                Err(why) => return wrong(why),
            }
        };
        Ok(Self { verdict, tool: tool.to_owned(), what, text: text.to_owned() })
    }

    /// What it says.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// True if it is about this request.
    #[must_use]
    pub fn matches(&self, asked: &Asked) -> bool {
        let Some(subject) = &asked.subject else { return false };
        if self.tool != "*" && self.tool != asked.tool {
            return false;
        }
        let is_allow = self.verdict == Verdict::Allow;
        match (&self.what, subject) {
            (What::Everything, _) if !is_allow => true,
            (What::Everything, Subject::Command { line, unclear }) => !unclear && shell::simple(line).is_some(),
            (What::Everything, Subject::Path { inside, .. }) => inside.as_ref().is_some_and(|path| covers("**", path)),
            (What::Everything, Subject::Input) => true,
            (What::Words { words, more }, Subject::Command { line, unclear }) if is_allow => {
                !unclear && is_command(words, *more, line)
            }
            (What::Words { words, more }, Subject::Command { line, .. }) => could_be(words, *more, line),
            (What::Words { words, more }, Subject::Path { path, inside }) => match (words.as_slice(), is_allow) {
                ([], _) => *more && (!is_allow || inside.as_ref().is_some_and(|inside| covers("*", inside))),
                ([word], true) => !more && inside.as_ref().is_some_and(|inside| is_path(word, inside)),
                ([word], false) => {
                    let given = lexical(path);
                    [Some(path), Some(&given), inside.as_ref()].into_iter().flatten().any(|p| could_be_path(word, p))
                }
                _ => false,
            },
            (What::Words { .. }, Subject::Input) => false,
            (What::Input(_), Subject::Command { unclear: true, .. }) if is_allow => false,
            (What::Input(wanted), _) => serde_json::from_str::<Value>(&asked.input).is_ok_and(|given| given == *wanted),
        }
    }
}

fn what_words(verdict: Verdict, rest: &str) -> Result<What, String> {
    let read = shell::words(rest, |c| c != '\\', |c| c != '\\');
    let mut words = read.ok_or("a quote is not closed, or a backslash is in it (quote what means something)")?;
    if verdict == Verdict::Allow
        && let Some(word) =
            words.iter().find(|word| !word.quoted && word.text.contains([';', '&', '|', '<', '>', '$', '`', '(', ')']))
    {
        return Err(format!("an allow stands for one simple command or path, so it can never match {:?}", word.text));
    }
    let more = words.last().is_some_and(|last| !last.quoted && last.text == "*");
    if more {
        words.pop();
    }
    Ok(What::Words { words, more })
}

/// True if `line` is exactly one simple command of these words.
fn is_command(words: &[Word], more: bool, line: &str) -> bool {
    let Some(given) = shell::simple(line) else { return false };
    // `npm run *` also stands for `npm run` alone.
    let is_long_enough = if more { given.len() >= words.len() } else { given.len() == words.len() };
    is_long_enough && words.iter().zip(&given).all(|(word, given)| word.text == *given)
}

/// True if a command of these words may stand anywhere in `line`.
fn could_be(words: &[Word], more: bool, line: &str) -> bool {
    let given = shell::loose(line);
    if words.is_empty() {
        return more;
    }
    given.windows(words.len()).any(|window| {
        let ends = more || window.last().is_some_and(|last| last.may_end);
        ends && words.iter().zip(window).enumerate().all(|(index, (word, given))| {
            let name = given.text.rsplit('/').next().unwrap_or_default();
            could_be_word(word, &given.text) || (index == 0 && could_be_word(word, name))
        })
    })
}

fn could_be_word(word: &Word, given: &str) -> bool {
    if word.quoted { loose_text(&word.text) == given } else { glob::component(&loose_text(&word.text), given) }
}

/// A rule's word as [`shell::loose`] would show it.
fn loose_text(text: &str) -> String {
    text.chars().filter(|c| !"'\"\\".contains(*c)).collect()
}

fn is_path(word: &Word, inside: &str) -> bool {
    if word.quoted { word.text == inside } else { covers(&word.text, inside) }
}

fn could_be_path(word: &Word, path: &str) -> bool {
    if word.quoted { word.text == path } else { glob::matches(&word.text, path) }
}

/// True if an allow for `pattern` covers `path`: a wildcard stands for no name that begins with a dot, as in a shell.
fn covers(pattern: &str, path: &str) -> bool {
    let names: Vec<&str> = pattern.split('/').collect();
    let is_plain = |name: &str| !name.is_empty() && name != "." && name != "..";
    let may_name = |name: &str| !name.starts_with('.') || names.contains(&name);
    path.split('/').all(|name| is_plain(name) && may_name(name)) && glob::matches(pattern, path)
}

/// `path` without `.`, `..` and doubled `/`, as far as the text alone tells.
fn lexical(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => drop(names.pop()),
            name => names.push(name),
        }
    }
    format!("{}{}", if path.starts_with('/') { "/" } else { "" }, names.join("/"))
}

/// Rules in order: those that the person added while agents worked, and those that were frozen with the ticket.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// Of the project's live policy in the home.
    pub live: Vec<Rule>,
    /// Of the project's settings, when the ticket was accepted.
    pub frozen: Vec<Rule>,
}

impl Policy {
    /// Reads both lists.
    ///
    /// # Errors
    /// A text is no rule.
    pub fn of<'a>(
        live: impl IntoIterator<Item = &'a str>,
        frozen: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RuleError> {
        let rules = |texts: &mut dyn Iterator<Item = &'a str>| texts.map(Rule::parse).collect::<Result<Vec<_>, _>>();
        Ok(Self { live: rules(&mut live.into_iter())?, frozen: rules(&mut frozen.into_iter())? })
    }
}

/// What the policy says to a request, and by which rule (`None`: no rule matches).
///
/// The live rules go before the frozen ones; but where the frozen ones come to `deny`, that stands: what the project
/// forbids is not allowed by a word that was said in passing.
#[must_use]
pub fn decide<'a>(policy: &'a Policy, asked: &Asked) -> (Verdict, Option<&'a Rule>) {
    let first = |rules: &'a [Rule]| rules.iter().find(|rule| rule.matches(asked));
    let (live, frozen) = (first(&policy.live), first(&policy.frozen));
    let forbidden = frozen.filter(|rule| rule.verdict == Verdict::Deny);
    let rule = forbidden.or(live).or(frozen);
    (rule.map_or(Verdict::Ask, |rule| rule.verdict), rule)
}

impl Asked {
    /// The same, with what `policy` says to it.
    #[must_use]
    pub fn decided(mut self, policy: &Policy) -> Self {
        let (verdict, rule) = decide(policy, &self);
        self.rule = rule.map(ToString::to_string);
        self.verdict = verdict;
        self
    }

    /// The rule that allows exactly this and nothing else; `None`: there is none, as for a command that is not simple.
    #[must_use]
    pub fn exact_rule(&self) -> Option<Rule> {
        let words = match self.subject.as_ref()? {
            Subject::Command { line, unclear: false } => {
                shell::simple(line)?.iter().map(|word| shell::quoted(word)).collect::<Option<Vec<_>>>()?.join(" ")
            }
            Subject::Path { inside: Some(inside), .. } => shell::quoted(inside)?,
            Subject::Input => format!("= {}", serde_json::from_str::<Value>(&self.input).ok()?),
            Subject::Command { unclear: true, .. } | Subject::Path { inside: None, .. } => return None,
        };
        // Read back and tried: what does not come to the same is none.
        Rule::parse(&format!("allow {} {words}", self.tool)).ok().filter(|rule| rule.matches(self))
    }

    /// The request for people, whole: the tool, then what it would do.
    #[must_use]
    pub fn words(&self) -> String {
        let what = match &self.subject {
            Some(Subject::Command { line, .. }) => line,
            Some(Subject::Path { path, .. }) => path,
            Some(Subject::Input) | None => &self.input,
        };
        format!("{}: {what}", self.tool)
    }

    /// True if a dialog that says `text` may be about this request: it shows how the request begins.
    #[must_use]
    pub fn may_be(&self, text: &str) -> bool {
        let squeezed = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let begins = |text: &str| squeezed(text).chars().take(24).collect::<String>();
        match &self.subject {
            Some(Subject::Command { line, .. }) => squeezed(text).contains(&begins(line)),
            Some(Subject::Path { path, .. }) => {
                squeezed(text).contains(&begins(path.rsplit('/').next().unwrap_or(path)))
            }
            Some(Subject::Input) | None => true,
        }
    }
}

#[cfg(test)]
mod tests;
