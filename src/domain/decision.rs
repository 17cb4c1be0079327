//! What the agent decided by itself, and what it wants a person to look at.

use serde::{Deserialize, Serialize};

use super::risk::Tier;

/// A choice the agent made by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// How much it matters.
    pub tier: Tier,
    /// What was decided.
    pub text: String,
    /// Why; `None` where the agent did not say.
    pub why: Option<String>,
}

/// Something a person should look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// How much it matters.
    pub tier: Tier,
    /// What, and what to verify.
    pub text: String,
    /// What to verify; `None` where nobody said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
