//! Flags that autodo raises itself, beside those of the agent.

use super::{
    decision::Flag,
    risk::{RiskOrigin, Tier},
    row::Row,
};

/// What autodo itself wants a person to look at.
#[must_use]
pub fn own_flags(row: &Row) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut flag = |tier, text: String, why: &str| flags.push(Flag { tier, text, why: Some(why.to_owned()) });
    if let Some(proof) = &row.proof {
        if let Some(why) = &proof.no_change {
            let text = match proof.commits {
                0 => format!("nothing was changed: {why}"),
                n => format!("the agent says that nothing had to change ({why}), but there are {n} commits"),
            };
            flag(Tier::Medium, text, "the agent says that nothing had to change");
        }
        match proof.reason.as_deref() {
            Some("no_claim") => flag(Tier::Medium, "the agent ended without saying that it is done".into(), "no claim"),
            Some("uncommitted") => flag(
                Tier::Medium,
                format!("{} changed paths are not committed", proof.dirty),
                "they are in the worktree only",
            ),
            Some("left_by_checks") => flag(
                Tier::Medium,
                format!(
                    "the tree was clean before the checks, and {} paths were not committed after them",
                    proof.dirty
                ),
                "let git ignore what the checks leave, or commit it; then retry --checks-only",
            ),
            Some("checks_unknown") => {
                flag(Tier::Medium, "the checks could not be brought to an end".into(), "run them: retry --checks-only");
            }
            Some("branch_moved") => {
                flag(Tier::Medium, "the branch moved while the checks ran".into(), "something is still at work on it");
            }
            Some("off_branch") => {
                flag(Tier::High, "the worktree is not on the ticket's branch".into(), "look at its history");
            }
            _ => {}
        }
    }
    if let Some(why) = &row.stale_base {
        flag(Tier::Medium, format!("the base is stale: {why}"), "retry rebases it, or accept it as it is");
    }
    let said = row.risk_sources.iter().filter(|s| s.source == RiskOrigin::Agent).map(|s| s.tier).max();
    let said = row.risk_summary.maximum().max(said.unwrap_or_default());
    // A person who set the tier has seen what the diff says.
    if row.tier_set.is_none()
        && let Some(source) = row
            .risk_sources
            .iter()
            .filter(|s| s.source == RiskOrigin::Diff)
            .max_by_key(|s| s.tier)
            .filter(|s| s.tier > said)
    {
        let text = format!("the diff is of {} risk, the agent said at most {said}: {}", source.tier, source.why);
        flag(source.tier, text, "under-reported");
    }
    flags
}

#[cfg(test)]
mod tests;
