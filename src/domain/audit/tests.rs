//! Lines of the audit trail.

use super::*;
use crate::domain::{
    event::{DependencyNews, Retry, Timer},
    id::RunKey,
    report::Said,
    samples,
    schedule::AccountLimit,
};

fn entry(event: Event, row: Option<Row>) -> Entry {
    Entry { event, row, effects: vec![], ..samples::entry(7, samples::row("T-1")) }
}

#[test]
fn every_line_has_seq_time_and_a_kind_that_is_documented() {
    let kinds = "transition effect key delivery screen hook report check decision answer note";
    let mut events = samples::some_events();
    events.extend([
        Event::MakeRoom,
        Event::Attached,
        Event::AccountLimited(AccountLimit { by: samples::id("T-2"), until: samples::time(9) }),
        Event::Deadline { timer: Timer::Answer },
        Event::Dependency { news: DependencyNews::Back },
        Event::Keyed { keys: vec![], why: "w".into() },
        Event::Asked { by: "ann".into(), request: Request::Retry { how: Retry::Again } },
    ]);
    for event in events {
        let line = line(&entry(event.clone(), Some(samples::row("T-1"))), Some(&samples::row("T-1")));
        assert_eq!(line["seq"], 7);
        assert!(line["at"].is_string());
        let kind = line["kind"].as_str().unwrap();
        assert!(kinds.split(' ').any(|known| known == kind), "{event:?}: {kind}");
        assert_eq!(line.get("from"), None, "nothing changed");
    }
}

#[test]
fn a_change_of_status_is_a_transition_with_its_reason() {
    for row in samples::every_row() {
        let line = line(&entry(Event::Closed, Some(row.clone())), Some(&samples::row("T-1")));
        let word = row.status.word();
        if word == "queued" {
            assert_eq!((&line["kind"], line.get("to")), (&json!("effect"), None));
        } else {
            let seen = (&line["kind"], &line["from"], &line["to"]);
            assert_eq!(seen, (&json!("transition"), &json!("queued"), &json!(word)));
        }
        assert_eq!(line.get("reason").and_then(Value::as_str).map(str::to_owned), reason(&row));
    }
    let leaving = line(&samples::leaving(8, "T-1"), Some(&samples::row("T-1")));
    assert_eq!((&leaving["kind"], &leaving["to"]), (&json!("transition"), &json!("archived")));
}

#[test]
fn reasons_are_words_that_other_programs_read() {
    let reason_of = |status: &Status| reason(&Row { status: status.clone(), ..samples::row("T-1") });
    for status in samples::every_status() {
        let found = reason_of(&status);
        match &status {
            Status::Running(run) if matches!(run.phase, Phase::Checking { .. } | Phase::Proving { .. }) => {
                assert_eq!(found.as_deref(), Some("checking"));
            }
            Status::Running(run) => assert_eq!(found.as_deref(), Some(run.phase.word())),
            Status::Queued { not_before: Some(_), .. } => assert_eq!(found.as_deref(), Some("back_off")),
            Status::Parked(parked) => assert_eq!(found.as_ref(), Some(&parked.reason)),
            Status::Blocked(blocked) => assert_eq!(found.as_ref(), Some(&blocked.reason)),
            Status::Failed { reason } => assert_eq!(found.as_ref(), Some(reason)),
            Status::NeedsReview
            | Status::Queued { .. }
            | Status::Landed
            | Status::Cancelled { .. }
            | Status::Reviewed { .. } => assert_eq!(found, None),
        }
    }
    let full = Row { status: Status::NeedsReview, ..samples::full_row("T-1") };
    assert_eq!(reason(&full), full.proof.and_then(|proof| proof.reason));
}

#[test]
fn the_key_of_a_run_is_in_no_line() {
    let key = RunKey::from_bits(0x5eed_cafe);
    let report = crate::domain::report::Report {
        version: 1,
        id: "1".into(),
        run: "T-1/1".into(),
        key: key.clone(),
        said: Said::Note { text: "n".into() },
    };
    let reported =
        Event::Reported { report, summary: crate::domain::risk::RiskSummary::default(), flags: 0, risks: vec![] };
    let row = Row { key: Some(key.clone()), ..samples::row("T-1") };
    for event in [
        Event::Start { key: key.clone(), conversation: None },
        reported,
        Event::Accepted { row: Box::new(row.clone()) },
        Event::Updated { row: Box::new(row.clone()) },
    ] {
        let text = line(&entry(event, Some(row.clone())), None).to_string();
        assert!(!text.contains(key.as_str()), "{text}");
    }
}
