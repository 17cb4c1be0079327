//! The layers that settings come from, and reading each into named values.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    problem::{ConfigProblem, Spot, meant},
    settings::{Definition, TABLE},
    value::Value,
};

/// Version of the files that this program writes and reads.
pub const FILE_VERSION: u32 = 1;

/// Variables with autodo's prefix that are not settings.
const OTHER_VARIABLES: &[&str] = &[
    "AUTODO_HOME",
    "AUTODO_TICKET",
    "AUTODO_RUN",
    "AUTODO_LAUNCH",
    "AUTODO_STATE",
    "AUTODO_WAKE",
    "AUTODO_PREPARING",
    "AUTODO_HEAVY",
    "AUTODO_KEY",
    "AUTODO_OUTBOX",
    "AUTODO_BIN",
    "AUTODO_POLICY",
    "AUTODO_LOG",
    "AUTODO_CRASH_AT",
    "AUTODO_CRASH_LOG",
];

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileLayer {
    /// `$AUTODO_HOME/config.toml`: holds for all projects of a user.
    User,
    /// `<repo>/.autodo/config.toml`: holds for all who work on the project.
    Project,
}

/// A value given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// The flag as typed, such as `--parallel`.
    pub flag: String,
    /// Name of the setting.
    pub name: String,
    /// Its value as typed.
    pub text: String,
}

/// One source of settings. Layers are given weakest first: a later one's value replaces an earlier one's as a whole.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A file that was read.
    File {
        /// Whose.
        whose: FileLayer,
        /// Where it lies, for messages and origins.
        path: PathBuf,
        /// What it says.
        text: String,
    },
    /// The environment: name and value. Names that are no settings of autodo are passed over.
    Variables(Vec<(String, String)>),
    /// The command line, in order.
    Flags(Vec<Flag>),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Part of the program.
    BuiltIn,
    /// A line of a file.
    File {
        /// Whose.
        whose: FileLayer,
        /// Which.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
    },
    /// An environment variable, by its name.
    Variable(String),
    /// A flag, as typed.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("built-in"),
            Self::File { path, line, .. } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// Named values with their origins.
pub(super) type Values = BTreeMap<&'static str, (Value, Origin)>;

impl Layer {
    /// Reads this layer into `values`; what is wrong goes into `problems`.
    pub(super) fn read(&self, values: &mut Values, problems: &mut Vec<ConfigProblem>) {
        match self {
            Self::File { whose, path, text } => File { whose: *whose, path, text, values, problems }.read(),
            Self::Variables(pairs) => read_variables(pairs, values, problems),
            Self::Flags(flags) => read_flags(flags, values, problems),
        }
    }
}

/// A file on its way into values.
struct File<'a> {
    whose: FileLayer,
    path: &'a PathBuf,
    text: &'a str,
    values: &'a mut Values,
    problems: &'a mut Vec<ConfigProblem>,
}

impl File<'_> {
    fn read(&mut self) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            // A file that is no TOML says nothing for certain: none of it is taken.
            let message = format!("not valid TOML: {}", error.message().lines().next().unwrap_or_default());
            self.problem(message, &error.span().unwrap_or(0..0));
        }
        if errors.is_empty() && self.version_is_known(table.get_ref()) {
            self.table("", table.get_ref());
        }
    }

    /// A newer file may mean other things by the same words: nothing else of it is read.
    fn version_is_known(&mut self, table: &DeTable<'_>) -> bool {
        let Some((_, value)) = table.iter().find(|(key, _)| key.get_ref() == "version") else { return true };
        let number = value.get_ref().as_integer().and_then(|n| i64::from_str_radix(n.as_str(), n.radix()).ok());
        let message = match number {
            Some(n) if n == i64::from(FILE_VERSION) => return true,
            Some(n) if n > i64::from(FILE_VERSION) => {
                format!("version {n} is newer than this autodo reads ({FILE_VERSION}); update autodo")
            }
            Some(_) | None => format!("expected version = {FILE_VERSION}"),
        };
        self.problem(message, &value.span());
        false
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            if prefix.is_empty() && key.get_ref() == "version" {
                continue;
            }
            let name = match prefix {
                "" => key.get_ref().to_string(),
                prefix => format!("{prefix}.{}", key.get_ref()),
            };
            self.key(&name, key, value);
        }
    }

    fn key(&mut self, name: &str, key: &Spanned<toml::de::DeString<'_>>, value: &Spanned<DeValue<'_>>) {
        if let Some(definition) = Definition::find(name) {
            if self.whose == FileLayer::Project && is_the_users(name) {
                let message = format!("{name}: a project cannot set this; it belongs in config.toml of AUTODO_HOME");
                self.problem(message, &key.span());
                return;
            }
            match definition.kind.of_toml(value.get_ref()) {
                Ok(read) => {
                    let line = Spot::of(self.text, &key.span()).line;
                    let origin = Origin::File { whose: self.whose, path: self.path.clone(), line };
                    self.values.insert(definition.name, (read, origin));
                }
                Err(wrong) => {
                    let span = definition.kind.first_wrong(value.get_ref()).unwrap_or_else(|| value.span());
                    self.problem(format!("{name}: {wrong}"), &span);
                }
            }
            return;
        }
        let is_section = TABLE.iter().any(|d| d.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')));
        match value.get_ref() {
            DeValue::Table(inner) if is_section => self.table(name, inner),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                let message = match is_section {
                    true => format!("{name}: expected a table [{name}]"),
                    false => unknown(name),
                };
                self.problem(message, &key.span());
            }
        }
    }

    fn problem(&mut self, message: String, span: &std::ops::Range<usize>) {
        let spot = Some(Spot::of(self.text, span));
        self.problems.push(ConfigProblem { place: self.path.display().to_string(), message, spot });
    }
}

/// True for what decides where messages and secrets of a user go, what is run beside the work, and what all projects
/// share: a repository from elsewhere must not.
fn is_the_users(name: &str) -> bool {
    (name.starts_with("notify.") && name != "notify.todo") || name.starts_with("heavy.") || name == "preflight.quota"
}

/// The message for a name that no setting has.
fn unknown(name: &str) -> String {
    let sections = TABLE.iter().filter_map(|d| d.name.rsplit_once('.')).map(|(section, _)| section);
    match meant(name, TABLE.iter().map(|d| d.name).chain(sections)) {
        Some(near) => format!("unknown setting {name:?}; did you mean {near:?}?"),
        None => format!("unknown setting {name:?}"),
    }
}

fn read_variables(pairs: &[(String, String)], values: &mut Values, problems: &mut Vec<ConfigProblem>) {
    let names: Vec<String> = TABLE.iter().map(Definition::variable).collect();
    for (name, text) in pairs.iter().filter(|(name, _)| name.starts_with("AUTODO_")) {
        let mut wrong = |message: String| problems.push(ConfigProblem { place: name.clone(), message, spot: None });
        match names.iter().position(|known| known == name).and_then(|at| TABLE.get(at)) {
            Some(definition) => match definition.kind.of_word(text) {
                Ok(read) => {
                    values.insert(definition.name, (read, Origin::Variable(name.clone())));
                }
                Err(message) => wrong(message),
            },
            // Other programs may have variables of this prefix; only what looks like a slip is one.
            None if OTHER_VARIABLES.contains(&name.as_str()) => {}
            None => {
                if let Some(near) = meant(name, names.iter().map(String::as_str)) {
                    wrong(format!("no setting has this variable; did you mean {near}?"));
                }
            }
        }
    }
}

fn read_flags(flags: &[Flag], values: &mut Values, problems: &mut Vec<ConfigProblem>) {
    for Flag { flag, name, text } in flags {
        let read = Definition::find(name)
            .ok_or_else(|| unknown(name))
            .and_then(|definition| Ok((definition.name, definition.kind.of_word(text)?)));
        match read {
            Ok((name, value)) => {
                values.insert(name, (value, Origin::Flag(flag.clone())));
            }
            Err(message) => problems.push(ConfigProblem { place: flag.clone(), message, spot: None }),
        }
    }
}
