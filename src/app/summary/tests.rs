//! The page in all its forms, with texts in it that try to get out of them.

use super::*;
use crate::domain::samples;

const NASTY: &str = "<script>alert(1)</script> \u{1b}[2J `x` [a](javascript:b) & \"q\" \u{202e}";

fn page() -> Page {
    let card = |id: &str| Card {
        title: plain(NASTY),
        risk: None,
        facts: vec!["3min".to_owned(), "$0.10".to_owned()],
        notes: vec![],
        question: None,
        options: vec![],
        screen: None,
        waits_for: None,
        row: samples::row(id),
    };
    let review = Card { risk: Some(Tier::Medium), ..card("T-1") };
    let question = Some(plain_lines(&format!("Which?\n{NASTY}\n```\n# no heading")));
    let blocked = Card { question, options: vec!["red".into(), "<b>".into()], ..card("T-2") };
    let failed = Card { notes: vec![plain(NASTY)], screen: Some("$ make\n<img src=x>".to_owned()), ..card("T-3") };
    let mut groups: Vec<_> = GROUPS.iter().map(|(word, heading)| (*word, *heading, vec![])).collect();
    groups[1].2.push(review);
    groups[2].2.push(blocked);
    groups[4].2.push(failed);
    let faults = Faults { crashes: 2, ..Faults::default() };
    Page {
        made: samples::time(1_700_000_000),
        zone: TimeZone::UTC,
        since: Some(samples::time(1_600_000_000)),
        batch: Some("20260101-063000".to_owned()),
        groups,
        totals: Totals { worked_s: 200, cost: Some(100_000), retries: 1, faults, ..Totals::default() },
        next: vec!["autodo answer T-2 \"…\"".to_owned()],
    }
}

#[test]
fn the_text_says_it_all_and_steers_no_terminal() {
    let text = text(&page()).join("\n");
    assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert!(text.starts_with("1 to review, 1 blocked, 1 failed\n3min of work, $0.10+, 1 retry, 2 crashes\n"), "{text}");
    assert!(text.contains("  medium   T-1  <script>"), "{text}");
    assert!(text.contains("    Which?\n    <script>") && text.contains("    [red | <b>]"), "{text}");
    assert!(text.contains("    | $ make\n    | <img src=x>"), "{text}");
    assert!(text.ends_with("Next\n  autodo answer T-2 \"…\""), "{text}");
}

#[test]
fn in_the_html_nothing_runs_nothing_is_loaded_and_every_text_is_text() {
    let html = html(&page());
    let mut rest = html.as_str();
    while let Some((_, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
        let known = "!DOCTYPE html head meta title style body h1 h2 p small strong br ul li span pre";
        assert!(known.split(' ').any(|known| known == name), "<{tag}>");
        rest = after;
    }
    assert!(!html.contains("src=\"") && !html.contains("href"), "{html}");
    assert!(!html.contains(['\u{1b}', '\u{202e}']), "{html}");
    assert!(html.contains("<pre>Which?\n&lt;script&gt;alert(1)"), "{html}");
    assert!(html.contains("default-src 'none'"), "{html}");
}

#[test]
fn in_the_markdown_no_text_is_a_mark_and_no_question_ends_its_block() {
    let page = markdown(&page());
    assert!(page.starts_with("# Summary\n\ndispatch 20260101-063000, since 2020-09-13T12:26:40+0000, made "), "{page}");
    assert!(page.contains("- medium: **T-1** \\<script\\>alert(1)\\</script\\>"), "{page}");
    assert!(page.contains("  ````text\n  Which?\n"), "{page}");
    assert!(page.contains("  # no heading\n  ````\n"), "{page}");
    assert!(page.contains("## Next\n\n```text\nautodo answer T-2"), "{page}");
}

#[test]
fn the_json_tells_what_is_not_known_as_null() {
    let value = json(&page());
    assert_eq!((&value["counts"]["failed"], &value["totals"]["crashes"]), (&1.into(), &serde_json::Value::Null));
    assert_eq!(value["totals"]["faults"]["crashes"], 2);
    assert_eq!(value["totals"]["cost_usd"], serde_json::Value::Null, "some of it is not known");
    assert_eq!(value["totals"]["cost_usd_at_least"], 0.1);
    assert_eq!(value["groups"]["failed"][0]["last_screen"], "$ make\n<img src=x>");
    assert_eq!(value["groups"]["needs_review"][0]["last_screen"], serde_json::Value::Null);
}
