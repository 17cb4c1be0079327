//! What the agent cannot go on from.

use super::{
    ledger,
    runner::{self, Ran},
};

/// Why the agent itself cannot go on: not a failing block, which is a question.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{name} is not set: this agent is to be started by autodo")]
    Environment { name: &'static str },
    #[error(transparent)]
    Ledger(#[from] ledger::LedgerError),
    #[error("the agent was told to end")]
    Ending,
    #[error("cannot {what}: {why}")]
    Io { what: String, why: String },
    #[error("{what} failed with {end}")]
    Refused { what: String, end: runner::End, tail: Vec<String> },
}

impl Trouble {
    pub(super) fn of(what: &str, why: &std::io::Error) -> Self {
        Self::Io { what: what.to_owned(), why: why.to_string() }
    }

    pub(super) fn refused(what: &str, ran: &Ran) -> Self {
        Self::Refused { what: what.to_owned(), end: ran.end, tail: ran.last(20) }
    }

    /// What the failing program said last.
    pub(super) fn tail(&self) -> &[String] {
        if let Self::Refused { tail, .. } = self { tail } else { &[] }
    }
}
