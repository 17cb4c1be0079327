//! Risk tiers: what the agent said, what the diff shows, and the maximum of both.

use serde::{Deserialize, Serialize};

/// How much a person should care, in rising order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Style, naming, file organisation, which library for a simple task.
    #[default]
    Low,
    /// Architecture, API signatures, splitting or merging files, new dependencies.
    Medium,
    /// Deleting shared code, public API changes, anything irreversible or external.
    High,
    /// Genuinely stuck.
    Blocked,
}

impl Tier {
    /// All tiers, lowest first.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Blocked];

    /// The word in files and on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Blocked => "blocked",
        }
    }

    /// Reads the word, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.word().eq_ignore_ascii_case(text.trim()))
    }
}

impl std::fmt::Display for Tier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// How many decisions there are of each tier.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskSummary {
    /// Decisions of tier low.
    pub low: u32,
    /// Decisions of tier medium.
    pub medium: u32,
    /// Decisions of tier high.
    pub high: u32,
    /// Decisions of tier blocked.
    pub blocked: u32,
}

impl RiskSummary {
    /// Counts one more.
    pub fn add(&mut self, tier: Tier) {
        match tier {
            Tier::Low => self.low += 1,
            Tier::Medium => self.medium += 1,
            Tier::High => self.high += 1,
            Tier::Blocked => self.blocked += 1,
        }
    }

    /// Decisions of all tiers.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.low + self.medium + self.high + self.blocked
    }

    /// The highest tier with a decision; low where there are none.
    #[must_use]
    pub fn maximum(&self) -> Tier {
        if self.blocked > 0 {
            Tier::Blocked
        } else if self.high > 0 {
            Tier::High
        } else if self.medium > 0 {
            Tier::Medium
        } else {
            Tier::Low
        }
    }
}

/// One reason for the effective risk of a ticket, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RiskSource {
    /// Who says so.
    pub source: RiskOrigin,
    /// The tier it asks for.
    pub tier: Tier,
    /// Why, for people: a path, a rule, the agent's words.
    pub why: String,
}

/// Who found a risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskOrigin {
    /// The agent's own decisions and flags.
    Agent,
    /// autodo, from the diff.
    Diff,
    /// A person who set the tier (`review ID --tier`).
    Person,
}

/// The maximum over all sources; low where there are none.
#[must_use]
pub fn effective(sources: &[RiskSource]) -> Tier {
    sources.iter().map(|s| s.tier).max().unwrap_or_default()
}
