//! `[login]` and `[trust]` of a profile: what a person does once before an agent can work alone, and how that is seen.

use std::{collections::BTreeMap, ops::Range, path::Path};

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::{
    raw::Text,
    records::{self, PlaceOf, RawPlace},
};
use crate::agent::placeholder::Template;

type Fault = (Range<usize>, String);
type Checked<T> = Result<T, Fault>;

/// How the agent says whether somebody is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Program and arguments; it exits with 0 where somebody is. Asks nobody and needs no network.
    pub argv: Vec<String>,
    /// What to do where nobody is.
    pub fix: String,
}

/// Where the agent keeps which folders a person trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// A file of JSON, or of TOML if its name ends so.
    file: Template,
    places: BTreeMap<String, PlaceOf>,
    /// Keys from the outside in; `{folder}` is the one in question.
    path: Vec<Template>,
    value: Value,
    above_worktrees: bool,
    /// What to do where it is not trusted; `{folder}` is filled.
    fix: Template,
}

impl Trust {
    /// The file; `value` gives `home` and variables (as `$NAME`). `None`: there is no home.
    #[must_use]
    pub fn file(&self, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        records::fill(&self.file, &self.places, value)
    }

    /// What to do where `repo` is not trusted.
    #[must_use]
    pub fn fix(&self, repo: &str) -> String {
        // Ignored: `{folder}` is its only placeholder, which has a value.
        self.fix.fill(&|_| Some(repo.to_owned())).unwrap_or_default()
    }

    /// Whether `text`, what stands in the file `name`, says that an agent in a worktree of `repo` below `worktrees` is in
    /// a trusted folder. Both are absolute.
    ///
    /// # Errors
    /// The text is none of that format.
    pub fn is_given(&self, name: &str, text: &str, repo: &Path, worktrees: &Path) -> Result<bool, String> {
        let is_toml = Path::new(name).extension().is_some_and(|ending| ending == "toml");
        let all: Value = if is_toml {
            toml::from_str(text).map_err(|why| why.message().to_owned())?
        } else {
            serde_json::from_str(text).map_err(|why| why.to_string())?
        };
        let above = worktrees.ancestors().filter(|_| self.above_worktrees);
        Ok(std::iter::once(repo).chain(above).any(|folder| self.names(&all, folder)))
    }

    fn names(&self, all: &Value, folder: &Path) -> bool {
        let folder = folder.to_string_lossy();
        let found = self.path.iter().try_fold(all, |at, key| {
            // Ignored: as in `fix`.
            at.get(key.fill(&|_| Some(folder.to_string())).unwrap_or_default())
        });
        found == Some(&self.value)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLogin {
    argv: Spanned<Vec<String>>,
    fix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTrust {
    file: Text,
    #[serde(default)]
    places: BTreeMap<Text, RawPlace>,
    path: Spanned<Vec<Text>>,
    value: Spanned<toml::Value>,
    #[serde(default)]
    above_worktrees: bool,
    fix: Text,
}

pub(super) fn login(raw: RawLogin) -> Checked<Login> {
    let span = raw.argv.span();
    let argv = raw.argv.into_inner();
    if argv.first().is_none_or(String::is_empty) {
        return Err((span, "`argv` names a program and its arguments".to_owned()));
    }
    Ok(Login { argv, fix: raw.fix })
}

pub(super) fn trust(raw: &RawTrust) -> Checked<Trust> {
    let places = records::places(&raw.places)?;
    let file = records::template(&raw.file, &|name| name == "home" || places.contains_key(name))?;
    let only_folder = |name: &str| name == "folder";
    let span = raw.path.span();
    let path: Vec<Template> =
        raw.path.get_ref().iter().map(|key| records::template(key, &only_folder)).collect::<Result<_, _>>()?;
    if !path.iter().any(|key| key.uses("folder")) {
        return Err((span, "one of the keys names the {folder}".to_owned()));
    }
    let value = match raw.value.get_ref() {
        toml::Value::Boolean(yes) => Value::Bool(*yes),
        toml::Value::String(word) => Value::String(word.clone()),
        _ => return Err((raw.value.span(), "`value` is a text, true or false".to_owned())),
    };
    let fix = records::template(&raw.fix, &only_folder)?;
    Ok(Trust { file, places, path, value, above_worktrees: raw.above_worktrees, fix })
}

#[cfg(test)]
mod tests;
