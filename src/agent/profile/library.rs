//! All profiles there are, in layers: built-in, the user's, the project's; a later file of the same name hides the
//! earlier one, or extends it.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Deserialize as _;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{PROFILE_VERSION, Place, Profile, ProfileError, check, raw::Raw};

/// The profiles that are part of the binary: file name and text.
#[must_use]
pub fn builtin() -> &'static [(&'static str, &'static str)] {
    &[
        ("aider.toml", include_str!("../../../profiles/aider.toml")),
        ("claude.toml", include_str!("../../../profiles/claude.toml")),
        ("codex.toml", include_str!("../../../profiles/codex.toml")),
        ("gemini.toml", include_str!("../../../profiles/gemini.toml")),
        ("generic.toml", include_str!("../../../profiles/generic.toml")),
        ("opencode.toml", include_str!("../../../profiles/opencode.toml")),
        ("script.toml", include_str!("../../../profiles/script.toml")),
    ]
}

/// Profiles by name, lowest layer first.
#[derive(Clone, Debug, Default)]
pub struct Library {
    files: Vec<File>,
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    origin: String,
    text: String,
}

/// A profile for people to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The files it is made of, the strongest first.
    pub origins: Vec<String>,
    /// TOML: the file as it is where it extends nothing, else what the files come to together, without comments.
    pub text: String,
}

/// A file and those below it, their texts laid one behind the other so that one offset says file and place: each is
/// read behind as many blanks as all before it are long.
struct Stack<'a> {
    top: &'a File,
    /// Where each begins.
    below: Vec<(usize, &'a File)>,
}

impl Stack<'_> {
    fn place(&self, span: std::ops::Range<usize>, message: &str) -> ProfileError {
        let part = self.below.iter().rev().find(|(from, _)| *from <= span.start);
        let (from, file) = part.map_or((0, self.top), |(from, file)| (*from, *file));
        let span = span.start.saturating_sub(from)..span.end.saturating_sub(from);
        fault(&file.origin, &file.text, span, message.to_owned())
    }

    /// The text of each file, behind as many blanks as all before it are long.
    fn texts(&self) -> Vec<String> {
        let below = self.below.iter().map(|(from, file)| " ".repeat(*from) + &file.text);
        std::iter::once(self.top.text.clone()).chain(below).collect()
    }

    /// All of `texts` laid over each other.
    fn merged<'t>(&self, texts: &'t [String]) -> Result<Spanned<DeTable<'t>>, ProfileError> {
        let mut merged: Option<Spanned<DeTable<'t>>> = None;
        for text in texts.iter().rev() {
            let own = DeTable::parse(text).map_err(|e| self.place(e.span().unwrap_or(0..0), &said(&e)))?;
            merged = Some(match merged {
                None => own,
                Some(base) => {
                    let span = own.span();
                    Spanned::new(span, merge(base.into_inner(), own.into_inner()))
                }
            });
        }
        Ok(merged.unwrap_or_else(|| Spanned::new(0..0, DeTable::new())))
    }

    fn origin(&self) -> String {
        let all = std::iter::once(self.top).chain(self.below.iter().map(|(_, file)| *file));
        all.map(|file| file.origin.as_str()).collect::<Vec<_>>().join(", over ")
    }
}

fn fault(origin: &str, text: &str, span: std::ops::Range<usize>, message: String) -> ProfileError {
    ProfileError::Text(Box::new(Place::new(origin, text, span, message)))
}

impl Library {
    /// The built-in profiles.
    #[must_use]
    pub fn of_builtin() -> Self {
        let files = builtin().iter().map(|(file, text)| File {
            name: file.trim_end_matches(".toml").to_owned(),
            origin: format!("built-in {file}"),
            text: (*text).to_owned(),
        });
        Self { files: files.collect() }
    }

    /// Adds a file on top of all others and returns the profile's name. Its other keys are looked at by
    /// [`Library::get`].
    ///
    /// # Errors
    /// It is not TOML, is of another version, or says no name.
    pub fn add(&mut self, text: &str, origin: &str) -> Result<String, ProfileError> {
        let table = DeTable::parse(text).map_err(|e| fault(origin, text, e.span().unwrap_or(0..0), said(&e)))?;
        let span_of = |key: &str| table.get_ref().get(key).map_or(0..0, Spanned::span);
        let version = table.get_ref().get("version").and_then(|v| v.get_ref().as_integer());
        let version = version.and_then(|v| u32::from_str_radix(v.as_str(), v.radix()).ok());
        match version {
            Some(PROFILE_VERSION) => {}
            Some(newer) if newer > PROFILE_VERSION => {
                let what = format!("version {newer} is newer than this autodo can read ({PROFILE_VERSION})");
                return Err(fault(origin, text, span_of("version"), what));
            }
            _ => {
                let what = format!("a profile begins with `version = {PROFILE_VERSION}`");
                return Err(fault(origin, text, span_of("version"), what));
            }
        }
        let name = table.get_ref().get("name").and_then(|v| v.get_ref().as_str()).unwrap_or("").to_owned();
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > 40 || !name.chars().all(good) {
            let what = "a profile has a `name` of at most 40 lower-case letters, digits, '-' and '_'".to_owned();
            return Err(fault(origin, text, span_of("name"), what));
        }
        self.files.push(File { name: name.clone(), origin: origin.to_owned(), text: text.to_owned() });
        Ok(name)
    }

    /// The profiles' names with the file that counts, sorted by name.
    #[must_use]
    pub fn names(&self) -> Vec<(&str, &str)> {
        let names: BTreeSet<&str> = self.files.iter().map(|f| f.name.as_str()).collect();
        names.into_iter().filter_map(|n| self.find(n, usize::MAX).map(|(_, f)| (n, f.origin.as_str()))).collect()
    }

    fn find(&self, name: &str, below: usize) -> Option<(usize, &File)> {
        self.files.iter().enumerate().rev().find(|(at, f)| *at < below && f.name == name)
    }

    /// Reads the profile `name`, with all that it extends.
    ///
    /// # Errors
    /// There is none; or what is wrong, with its place.
    pub fn get(&self, name: &str) -> Result<Profile, ProfileError> {
        let stack = self.stack(name)?;
        let texts = stack.texts();
        let read = Raw::deserialize(toml::de::Deserializer::from(stack.merged(&texts)?));
        let raw = read.map_err(|e| stack.place(e.span().unwrap_or(0..0), &said(&e)))?;
        check::check(raw, &stack.origin()).map_err(|(span, what)| stack.place(span, &what))
    }

    /// What the profile `name` comes to once all that it extends is laid under it.
    ///
    /// # Errors
    /// There is none; or what is wrong, with its place.
    pub fn show(&self, name: &str) -> Result<Shown, ProfileError> {
        self.get(name)?;
        let stack = self.stack(name)?;
        let texts = stack.texts();
        let origins = std::iter::once(stack.top).chain(stack.below.iter().map(|(_, file)| *file));
        let origins = origins.map(|file| file.origin.clone()).collect();
        if stack.below.is_empty() {
            return Ok(Shown { origins, text: stack.top.text.clone() });
        }
        let merged = toml::Table::deserialize(toml::de::Deserializer::from(stack.merged(&texts)?));
        let mut merged = merged.map_err(|e| stack.place(e.span().unwrap_or(0..0), &said(&e)))?;
        merged.remove("extends");
        let text = toml::to_string_pretty(&merged).map_err(|e| stack.place(0..0, &e.to_string()))?;
        Ok(Shown { origins, text })
    }

    /// The file that counts for `name`, and those that it extends.
    fn stack(&self, name: &str) -> Result<Stack<'_>, ProfileError> {
        let Some((mut at, top)) = self.find(name, usize::MAX) else {
            let known = self.names().into_iter().map(|(n, _)| n).collect::<Vec<_>>().join(", ");
            return Err(ProfileError::NotFound { name: name.to_owned(), known });
        };
        let mut stack = Stack { top, below: Vec::new() };
        let mut seen = BTreeSet::from([at]);
        let mut file = top;
        let mut from = 0;
        // Each file names the one below it; `Place` of a fault is found by the offset, see `Stack`.
        while let Some(base) = base_of(file)? {
            // A file may extend the one that it hides.
            let below = if *base.get_ref() == file.name { at } else { usize::MAX };
            let wrong = |what: String| stack.place(from + base.span().start..from + base.span().end, &what);
            let Some((index, next)) = self.find(base.get_ref(), below) else {
                return Err(wrong(format!("there is no profile {:?} to extend", base.get_ref())));
            };
            if !seen.insert(index) {
                return Err(wrong(format!("{:?} extends itself in a circle", base.get_ref())));
            }
            from += file.text.len() + 1;
            stack.below.push((from, next));
            (at, file) = (index, next);
        }
        Ok(stack)
    }
}

fn said(error: &toml::de::Error) -> String {
    error.message().trim_end().replace('\n', "; ")
}

/// What `file` says in `extends`.
fn base_of(file: &File) -> Result<Option<Spanned<String>>, ProfileError> {
    let table =
        DeTable::parse(&file.text).map_err(|e| fault(&file.origin, &file.text, e.span().unwrap_or(0..0), said(&e)))?;
    let Some(value) = table.get_ref().get("extends") else { return Ok(None) };
    match value.get_ref().as_str() {
        Some(name) => Ok(Some(Spanned::new(value.span(), name.to_owned()))),
        None => Err(fault(&file.origin, &file.text, value.span(), "`extends` is the name of a profile".to_owned())),
    }
}

/// Lays `own` over `base`: tables are merged key by key, arrays and values replaced.
fn merge<'a>(mut base: DeTable<'a>, own: DeTable<'a>) -> DeTable<'a> {
    for (key, value) in own {
        let span = value.span();
        let below = base.remove::<Spanned<Cow<'_, str>>>(&key);
        let merged = match (below.map(Spanned::into_inner), value.into_inner()) {
            (Some(DeValue::Table(below)), DeValue::Table(own)) => DeValue::Table(merge(below, own)),
            (_, own) => own,
        };
        base.insert(key, Spanned::new(span, merged));
    }
    base
}
