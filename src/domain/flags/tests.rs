//! Which flags autodo raises itself.

use super::*;
use crate::domain::{
    risk::{RiskSource, RiskSummary},
    row::Proof,
    samples,
};

fn reason(word: &str) -> Row {
    Row { proof: Some(Proof { reason: Some(word.into()), dirty: 2, ..Proof::default() }), ..samples::row("T-1") }
}

fn source(source: RiskOrigin, tier: Tier) -> RiskSource {
    RiskSource { source, tier, why: "why".into() }
}

#[test]
fn each_has_a_tier_and_says_what_to_do() {
    let no_change = |commits| Row {
        proof: Some(Proof { no_change: Some("right already".into()), commits, ..Proof::default() }),
        ..samples::row("T-1")
    };
    let table = [
        (no_change(0), Tier::Medium, "nothing was changed: right already"),
        (no_change(2), Tier::Medium, "but there are 2 commits"),
        (reason("no_claim"), Tier::Medium, "without saying that it is done"),
        (reason("uncommitted"), Tier::Medium, "2 changed paths"),
        (reason("checks_unknown"), Tier::Medium, "could not be brought to an end"),
        (reason("branch_moved"), Tier::Medium, "moved while the checks ran"),
        (reason("off_branch"), Tier::High, "not on the ticket's branch"),
        (Row { stale_base: Some("T-0 moved".into()), ..samples::row("T-1") }, Tier::Medium, "T-0 moved"),
    ];
    for (row, tier, text) in table {
        let flags = own_flags(&row);
        assert_eq!(flags.len(), 1, "{flags:?}");
        assert!(flags[0].tier == tier && flags[0].text.contains(text) && flags[0].why.is_some(), "{flags:?}");
        assert_eq!(row.flags_count(), 1);
    }
    assert_eq!(own_flags(&samples::row("T-1")), []);
}

#[test]
fn a_diff_of_more_risk_than_the_agent_said_is_flagged_until_a_person_has_set_it() {
    let row = |said: RiskSummary, sources: Vec<RiskSource>| Row {
        risk_summary: said,
        risk_sources: sources,
        ..samples::row("T-1")
    };
    let high = || source(RiskOrigin::Diff, Tier::High);
    let one = |medium, high| RiskSummary { low: 0, medium, high, blocked: 0 };
    let flagged = row(one(1, 0), vec![source(RiskOrigin::Diff, Tier::Medium), high()]);
    assert_eq!(own_flags(&flagged).len(), 1);
    assert_eq!(flagged.effective_risk(), Tier::High);
    assert_eq!(own_flags(&row(one(0, 1), vec![high()])), [], "the agent said so itself");
    assert_eq!(own_flags(&row(one(0, 0), vec![high(), source(RiskOrigin::Agent, Tier::High)])), [], "in a flag");
    let lowered = Row { tier_set: Some(Tier::Low), ..flagged };
    assert_eq!((own_flags(&lowered), lowered.effective_risk()), (vec![], Tier::Medium), "what the agent said stays");
}
