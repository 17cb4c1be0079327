//! Tests of review.md.

use jiff::tz::TimeZone;

use super::*;
use crate::domain::{
    check::ChecksStatus,
    id::TicketId,
    review::{CheckLine, Review},
    risk::{RiskOrigin, RiskSource, Tier},
};

pub(super) fn zone() -> TimeZone {
    TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").unwrap()
}

fn decision(tier: Tier, text: &str, why: Option<&str>) -> Decision {
    Decision { tier, text: text.to_owned(), why: why.map(str::to_owned) }
}

pub(super) fn sample() -> Review {
    Review {
        id: TicketId::parse("auto-20260219-143022").unwrap(),
        title: "Refactor \"resolve.py\": part 1".to_owned(),
        started: Some("2026-02-19T22:30:22Z".parse().unwrap()),
        ended: Some("2026-02-19T23:12:40Z".parse().unwrap()),
        duration_minutes: Some(42),
        status: "needs_review".to_owned(),
        launched_by: "ann".to_owned(),
        launched_from: "/home/ada/proj".to_owned(),
        project: "proj".to_owned(),
        risk_summary: RiskSummary { low: 1, medium: 1, high: 0, blocked: 0 },
        task: "Split the resolver.\n\n## Acceptance\n- [ ] no import cycle\n".to_owned(),
        decisions: vec![
            decision(Tier::Low, "named it resolver/", Some("as its neighbours are")),
            decision(Tier::Medium, "two modules\n## Flagged for Review\n- [high] not a flag", None),
        ],
        flags: vec![Flag { tier: Tier::Medium, text: "API moved".to_owned(), why: Some("callers build".to_owned()) }],
        files: vec![
            FileChange { path: "src/resolve.py".to_owned(), note: "+10 −3".to_owned() },
            FileChange { path: "a (b).py".to_owned(), note: String::new() },
        ],
        question: Some(Question {
            text: "Which one?\nThe old or the new?".to_owned(),
            reason: "question".to_owned(),
            options: vec!["old".to_owned(), "new".to_owned()],
        }),
        checks: vec![CheckLine {
            command: "cargo test".to_owned(),
            result: "passed".to_owned(),
            passed: true,
            took_ms: 12_300,
            log: "runs/1/checks/0.log".to_owned(),
        }],
        checks_status: ChecksStatus::Green,
        evidence: vec!["2 commits since the base".to_owned()],
        summary: Some("Split it.".to_owned()),
        verified: Some(true),
        reason: None,
        effective_risk: Tier::Medium,
        risk_sources: vec![RiskSource { source: RiskOrigin::Diff, tier: Tier::Medium, why: "Cargo.lock".to_owned() }],
        branch: "autodo/auto-20260219-143022".to_owned(),
        base: Some("1f3c9aa".to_owned()),
        head: None,
        profile: "claude".to_owned(),
        runs: 1,
    }
}

pub(super) fn fresh(review: &Review) -> String {
    render(review, None, &zone()).text
}

#[test]
fn the_file_looks_like_this() {
    let text = fresh(&sample());
    let (shown, sealed) = text.split_once("<!-- autodo wrote:").unwrap();
    insta::assert_snapshot!(shown, @r##"
    ---
    id: auto-20260219-143022
    title: "Refactor \"resolve.py\": part 1"
    started: 2026-02-19T14:30:22-0800
    ended: 2026-02-19T15:12:40-0800
    duration_minutes: 42
    status: needs_review
    launched_by: ann
    launched_from: /home/ada/proj
    project: proj
    risk_summary:
      low: 1
      medium: 1
      high: 0
      blocked: 0
    decisions_count: 2
    flags_count: 1
    version: 1
    verified: true
    reason: null
    checks_status: green
    effective_risk: medium
    profile: claude
    runs: 1
    branch: autodo/auto-20260219-143022
    base: 1f3c9aa
    head: null
    ---

    ## Task

    > Split the resolver.
    >
    > ## Acceptance
    > - [ ] no import cycle

    ## Decisions Made

    - [low] named it resolver/ — as its neighbours are
    - [medium] two modules\
      \## Flagged for Review\
      \- [high] not a flag

    ## Flagged for Review

    - [medium] API moved — callers build

    ## Files Changed

    - src/resolve.py (+10 −3)
    - a (b).py

    ## Question

    > Which one?\
    > The old or the new?

    Reason: question

    - old
    - new

    ## Checks

    - [passed] cargo test — passed, 12s, runs/1/checks/0.log

    ## Evidence

    - verified
    - 2 commits since the base
    - the agent says: Split it.
    - effective risk: medium
    - risk medium, diff: Cargo.lock
    "##);
    assert!(sealed.ends_with(" -->\n\n## Human Notes\n"));
    assert!(sealed.contains(" decisions_made=") && sealed.contains(" checks_status="), "{sealed}");
}

#[test]
fn keys_and_sections_stand_in_their_order() {
    let text = fresh(&sample());
    let split = crate::format::frontmatter::split(&text).unwrap();
    let keys: Vec<String> =
        crate::format::frontmatter::entries(split.yaml.unwrap()).unwrap().into_iter().map(|e| e.key).collect();
    assert_eq!(keys, KEYS);
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert_eq!(headings[..7], SECTIONS);
    assert_eq!(headings[7..], [HUMAN_NOTES]);
}

#[test]
fn what_is_written_is_read_back() {
    let review = sample();
    let parsed = parse("review.md", &fresh(&review)).unwrap();
    assert_eq!(parsed.decisions, review.decisions);
    assert_eq!(parsed.flags, review.flags);
    assert_eq!(parsed.files, review.files);
    assert_eq!(parsed.question, review.question);
    assert_eq!(parsed.task, review.task.trim_end());
    let front = parsed.front;
    assert_eq!(front.id.as_deref(), Some("auto-20260219-143022"));
    assert_eq!(front.title.as_deref(), Some(review.title.as_str()));
    assert_eq!((front.started, front.ended, front.duration_minutes), (review.started, review.ended, Some(42)));
    assert_eq!(front.risk_summary, Some(review.risk_summary));
    assert_eq!((front.verified, front.reason, front.base.as_deref()), (Some(true), None, Some("1f3c9aa")));
    assert_eq!((front.version, front.runs, front.decisions_count), (Some(1), Some(1), Some(2)));
    assert_eq!((parsed.unknown, parsed.human_notes.as_str()), (Vec::new(), ""));
}

#[test]
fn notes_and_keys_of_people_survive_byte_for_byte() {
    let notes =
        "\r\nlooks *good*\n## Decisions Made\n- [low] mine\n---\n<!-- autodo wrote: x=1 -->\n\u{85}tail, no line end  ";
    let mut text = fresh(&sample()) + notes;
    text = text.replace(
        "head: null\n",
        "head: null\n# why\nreviewer:   {name: 'ann',  age: 0x1F}   # kept\nmulti: |\n  a\n\n  b\n",
    );
    text = text
        .replace("\n## Task\n", "\nA word above.\n\n## Task\n")
        .replace("\n## Checks\n", "\n## Todo\n\n- buy milk\n\n## Checks\n");
    let mut review = sample();
    review.status = "reviewed".to_owned();
    review.decisions.clear();
    let again = render(&review, Some(&text), &zone());
    assert_eq!(again.edited, Vec::<String>::new());
    assert!(again.text.ends_with(&format!("\n## Human Notes\n{notes}")), "{}", again.text);
    assert!(
        again
            .text
            .contains("head: null\n# why\nreviewer:   {name: 'ann',  age: 0x1F}   # kept\nmulti: |\n  a\n\n  b\n---\n")
    );
    assert!(again.text.contains("---\n\nA word above.\n\n## Task\n"), "{}", again.text);
    assert!(again.text.contains("\n## Todo\n\n- buy milk\n\n<!-- autodo wrote:"), "{}", again.text);
    assert!(again.text.contains("status: reviewed\n"));
    let parsed = parse("r", &again.text).unwrap();
    assert_eq!((parsed.human_notes.as_str(), parsed.unknown.len(), parsed.decisions.len()), (notes, 2, 0));
    assert_eq!(render(&review, Some(&again.text), &zone()), Rendered { text: again.text, edited: Vec::new() });
}

#[test]
fn an_edit_of_what_autodo_writes_is_undone_and_said() {
    let review = sample();
    let text = fresh(&review);
    for (from, to, name) in [
        ("status: needs_review", "status: reviewed", "status"),
        ("  medium: 1", "  medium: 0", "risk_summary"),
        ("verified: true\n", "", "verified"),
        ("checks_status: green", "checks_status: green\nchecks_status: none", "checks_status"),
        ("- [low] named", "- [high] named", "decisions_made"),
        ("None.", "", ""),
        ("## Evidence\n", "## Evidence\n\n- it is fine\n", "evidence"),
        ("## Files Changed\n", "## Files\n", "files_changed"),
        ("Split the resolver.", "Split the world.", "task"),
    ] {
        let edited = text.replace(from, to);
        let again = render(&review, Some(&edited), &zone());
        let want: Vec<&str> = Some(name).filter(|name| !name.is_empty()).into_iter().collect();
        assert_eq!(again.edited, want, "{from}");
        // A renamed section is one of the person's own now, and kept.
        if name != "files_changed" {
            assert_eq!(again.text, text, "{from}");
        }
    }
}

#[test]
fn spelling_alone_is_no_edit() {
    let text = fresh(&sample());
    let respelt = text.replace("status: needs_review", "status:   'needs_review'  # hm").replace('\n', "\r\n");
    let again = render(&sample(), Some(&respelt), &zone());
    assert_eq!(again.edited, Vec::<String>::new());
}

#[test]
fn front_matter_that_cannot_be_read_is_kept_below_the_notes() {
    let text = fresh(&sample()) + "my notes";
    for broken in ["status: [needs", "```\nstatus: {"] {
        let again = render(&sample(), Some(&text.replace("status: needs_review", broken)), &zone());
        assert_eq!(again.edited, ["front matter"]);
        let notes = parse("r", &again.text).unwrap().human_notes;
        assert!(
            notes.starts_with("my notes\n") && notes.contains(broken) && notes.contains("launched_by: ann"),
            "{notes}"
        );
        assert_eq!(render(&sample(), Some(&again.text), &zone()), Rendered { text: again.text, edited: Vec::new() });
    }
    // Without the second fence nothing of the file is front matter: all of it is kept as text.
    let again = render(&sample(), Some("---\nstatus: mine\nand more"), &zone());
    assert_eq!(again.edited, ["front matter", "seal"]);
    assert!(again.text.contains("---\nstatus: mine\nand more\n"));
}

#[test]
fn without_the_seal_nothing_is_known_and_notes_are_kept() {
    let text = fresh(&sample()) + "mine\n";
    let seal = text.lines().find(|line| line.starts_with("<!--")).unwrap().to_owned();
    let again = render(&sample(), Some(&text.replace(&seal, "")), &zone());
    assert_eq!((again.edited, again.text), (vec!["seal".to_owned()], text.clone()));
    // The heading of the notes was renamed: what is below the seal is the person's all the same.
    let again = render(&sample(), Some(&text.replace("## Human Notes", "## My Notes")), &zone());
    assert!(again.text.ends_with("## Human Notes\n\n## My Notes\nmine\n"), "{}", again.text);
    // A second section of that name above the seal joins the notes.
    let again = render(&sample(), Some(&text.replace("## Checks", "## Human Notes\nfirst\n## Checks")), &zone());
    assert!(again.text.ends_with("\n## Human Notes\nfirst\nmine\n"), "{}", again.text);
}

const FOREIGN: &str = "---
id: sup-007
title: \"Refactor resolve.py\"
started: 2026-02-19T14:30:22-0800
ended: 2026-02-19T15:12:40-08:00
duration_minutes: 42
status: needs_review
launched_by: session-a1b2c3
launched_from: pane
project: rivus
risk_summary: {low: 3, medium: 1}
decisions_count: 4
flags_count: 1
cost: 1.20
---

# A title

## Task
Refactor resolve.py
into two.

## Decisions Made
- [low] Named it `resolver` — as its neighbours
- [LOW] one
that is wrapped
    over lines —
  with a reason
  - and a point
- [medium]two

## Flagged for Review
- [medium] The API moved — check
  that callers build

## Files Changed
- src/resolve.py (major)
- src/x.py
- tests/test_resolve.py (new tests)
";

#[test]
fn a_file_of_another_program_is_read() {
    let parsed = parse("review.md", FOREIGN).unwrap();
    assert_eq!(
        parsed.decisions,
        [
            decision(Tier::Low, "Named it `resolver`", Some("as its neighbours")),
            decision(Tier::Low, "one that is wrapped over lines", Some("with a reason - and a point")),
            decision(Tier::Medium, "two", None),
        ]
    );
    assert_eq!(parsed.flags[0].why.as_deref(), Some("check that callers build"));
    let files: Vec<(&str, &str)> = parsed.files.iter().map(|f| (f.path.as_str(), f.note.as_str())).collect();
    assert_eq!(files, [("src/resolve.py", "major"), ("src/x.py", ""), ("tests/test_resolve.py", "new tests")]);
    assert_eq!(parsed.task, "Refactor resolve.py\ninto two.");
    assert_eq!(parsed.front.ended, Some("2026-02-19T23:12:40Z".parse().unwrap()));
    assert_eq!(parsed.front.risk_summary, Some(RiskSummary { low: 3, medium: 1, high: 0, blocked: 0 }));
    assert_eq!((parsed.front.version, parsed.question), (None, None));
    assert_eq!(parsed.unknown.iter().map(|e| e.raw.as_str()).collect::<Vec<_>>(), ["cost: 1.20\n"]);
    let taken = render(&sample(), Some(FOREIGN), &zone());
    assert_eq!(taken.edited, ["seal"]);
    assert!(taken.text.contains("cost: 1.20\n---\n\n# A title\n\n## Task\n"));
}

#[test]
fn every_mistake_of_a_file_is_named() {
    let text = FOREIGN
        .replace("2026-02-19T14:30:22-0800", "yesterday")
        .replace("flags_count: 1", "flags_count: [1]\nversion: 2")
        .replace("- [medium]two", "- two");
    let found: Vec<(usize, String)> =
        parse("review.md", &text).unwrap_err().into_iter().map(|p| (p.line, p.message)).collect();
    assert_eq!(
        found,
        [
            (14, "the file has version 2, and this autodo knows versions up to 1".to_owned()),
            (4, "`started` must be a time such as 2026-02-19T14:30:22-0800, not text".to_owned()),
            (13, "`flags_count` must be a whole number, not a list".to_owned()),
            (31, "a line below `## Decisions Made` does not begin with a tier".to_owned()),
        ]
    );
}
