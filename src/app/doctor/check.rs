//! What a check says.

use std::path::PathBuf;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// All is well, or it does not matter here.
    Ok,
    /// It works, and something may go wrong, or could not be looked at.
    Warn,
    /// It will not work until it is mended.
    Fail,
}

impl Health {
    /// The word in JSON and on the screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// What one look came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at: one word, stable.
    pub name: String,
    /// How it is.
    pub status: Health,
    /// What was seen.
    pub detail: String,
    /// What to do about it; `None` where nothing has to be done.
    pub fix: Option<String>,
}

impl Check {
    /// All is well.
    pub fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.to_owned(), status: Health::Ok, detail: detail.into(), fix: None }
    }

    /// Something may go wrong.
    pub fn warn(name: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.to_owned(), status: Health::Warn, detail: detail.into(), fix: Some(fix.into()) }
    }

    /// It will not work.
    pub fn fail(name: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { name: name.to_owned(), status: Health::Fail, detail: detail.into(), fix: Some(fix.into()) }
    }
}

/// All that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Socket of autodo's own tmux server, whether it runs or not.
    pub tmux_socket: PathBuf,
    /// Socket of the supervisor, whether it runs or not.
    pub supervisor_socket: PathBuf,
    /// The checkout that was looked at; `None`: there is none here, and what concerns a project was left out.
    pub project: Option<PathBuf>,
    /// The checks, in order.
    pub checks: Vec<Check>,
}

impl Report {
    /// The worst of all checks.
    #[must_use]
    pub fn worst(&self) -> Health {
        self.checks.iter().map(|check| check.status).max().unwrap_or(Health::Ok)
    }
}
