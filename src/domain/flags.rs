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
            flag(Tier::Medium, format!("nothing was changed: {why}"), "the agent says that nothing had to change");
        }
        match proof.reason.as_deref() {
            Some("no_claim") => flag(Tier::Medium, "the agent ended without saying that it is done".into(), "no claim"),
            Some("uncommitted") => flag(
                Tier::Medium,
                format!("{} changed paths are not committed", proof.dirty),
                "they are in the worktree only",
            ),
            Some("off_branch") => {
                flag(Tier::High, "the worktree is not on the ticket's branch".into(), "look at its history");
            }
            _ => {}
        }
    }
    if let Some(why) = &row.stale_base {
        flag(Tier::Medium, format!("the base is stale: {why}"), "retry rebases it, or accept it as it is");
    }
    let said = row.risk_summary.maximum();
    if let Some(source) = row
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
