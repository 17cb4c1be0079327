//! What a usage limit of one ticket means for the others with the same agent.

use super::*;

#[test]
fn a_usage_limit_holds_the_tickets_of_the_same_agent_until_it_lifts() {
    let until = |at| match parked("usage_limit") {
        Status::Parked(parked) => Status::Parked(Box::new(Parked { until: Some(time(at)), ..*parked })),
        other => other,
    };
    let limited =
        Row { profile: "claude".into(), limited_until: Some(time(100)), ..with(queued("a", 1, 0), until(100)) };
    let same = Row { profile: "claude".into(), ..queued("b", 1, 1) };
    let checks = next(Row { profile: "claude".into(), ..queued("c", 2, 2) }, NextRun::ChecksOnly);
    let other = Row { profile: "codex".into(), ..queued("d", 3, 3) };
    let all = rows([limited, same, checks, other]);
    assert_eq!(to_start(&all, &slots(4), time(99)), [id("c"), id("d")]);
    assert_eq!(to_start(&all, &slots(4), time(100)), [id("c"), id("b"), id("d")]);
    assert_eq!((next_look(&all, &slots(4), time(99)), next_look(&all, &slots(4), time(100))), (Some(time(100)), None));
}

#[test]
fn after_a_usage_limit_one_agent_starts_one_ticket_at_a_time() {
    let row = |name: &str, profile: &str| Row {
        profile: profile.into(),
        limited_until: (profile == "claude").then(|| time(100)),
        ..next(queued(name, 3, 0), NextRun::Resume { deliver: None, instead: None })
    };
    let new = Row { limited_until: None, ..row("d", "claude") };
    let mut all = rows([row("a", "claude"), row("b", "claude"), row("c", "codex"), new, row("e", "codex")]);
    let starts = |all: &Rows, last, now| names(&to_start(all, &Slots { last_start: last, ..slots(9) }, time(now)));
    assert_eq!(starts(&all, None, 99), "c e");
    assert_eq!(starts(&all, None, 100), "a c e");
    assert_eq!(starts(&all, Some(time(99)), 100), "c e", "the latest start was a second ago");
    all.get_mut(&id("a")).unwrap().status =
        Status::Running(Box::new(Run { began: time(100), phase: Phase::Working, ..Run::new(time(100)) }));
    // As a supervisor sees it that began after that.
    assert_eq!(starts(&all, None, 114), "c e");
    assert_eq!(starts(&all, None, 115), "b c e");
    let only = Slots { only: Some([id("b"), id("d")].into()), ..slots(9) };
    assert_eq!(next_look(&all, &only, time(101)), Some(time(115)));
    assert_eq!(starts(&all, None, 800), "b c d e", "it has long lifted");
    // The first one hits the limit once more: all wait again.
    all.get_mut(&id("a")).unwrap().limited_until = Some(time(900));
    assert_eq!(starts(&all, None, 115), "c e");
}

/// Set aside with others: `b until 100 by a`.
fn set_aside(all: &Rows, now: i64) -> Vec<String> {
    let said =
        |(id, limit): (TicketId, AccountLimit)| format!("{id} until {} by {}", limit.until.as_second(), limit.by);
    limited_with_others(all, time(now)).into_iter().map(said).collect()
}

#[test]
fn what_works_with_the_agent_whose_limit_is_reached_is_set_aside_too() {
    let claude = |name: &str, status| Row { profile: "claude".into(), ..with(queued(name, 1, 0), status) };
    let at = |phase: Phase| Status::Running(Box::new(Run { phase, ..Run::new(time(0)) }));
    let limited = Row { limited_until: Some(time(100)), ..claude("a", parked("usage_limit")) };
    let mut all = rows([
        limited,
        claude("b", running()),
        claude("c", at(Phase::Preparing)),
        claude("d", at(Phase::Launching)),
        claude("e", at(Phase::Proving { claim: crate::domain::run::Claim::default() })),
        claude("f", reviewed()),
        with(queued("g", 1, 0), running()),
        Row { limit_waived: Some(time(100)), ..claude("h", running()) },
        Row { limit_waived: Some(time(99)), ..claude("i", running()) },
        blocked("j", 0, true, Retire::No),
    ]);
    assert_eq!(set_aside(&all, 99), ["b until 100 by a", "c until 100 by a", "i until 100 by a"]);
    assert_eq!(set_aside(&all, 100), [""; 0], "it has lifted");
    // The latest of several limits counts; whose limit it is, is being closed itself.
    all.insert(id("k"), Row { limited_until: Some(time(200)), ..claude("k", at(Phase::Closing { outcome: gone() })) });
    assert_eq!(set_aside(&all, 99)[0], "b until 200 by k");
    assert_eq!(set_aside(&all, 99).len(), 4, "a new limit concerns also what had the old one waived");
}

fn gone() -> crate::domain::run::Outcome {
    crate::domain::run::Outcome::Cancelled { by: "ann".into() }
}

#[test]
fn what_a_person_has_let_go_on_is_started_in_spite_of_the_limit_and_then_left_at_work() {
    let row = |name: &str| Row { profile: "claude".into(), ..queued(name, 1, 0) };
    let limited = Row { limited_until: Some(time(100)), ..with(row("a"), parked("usage_limit")) };
    let waived = Row { limit_waived: Some(time(100)), ..row("b") };
    let mut all = rows([limited, waived, row("c")]);
    assert_eq!(names(&to_start(&all, &slots(4), time(50))), "b");
    if let Some(row) = all.get_mut(&id("b")) {
        row.status = running();
    }
    assert_eq!(set_aside(&all, 50), [""; 0]);
    assert_eq!(names(&to_start(&all, &slots(4), time(60))), "", "the others wait as before");
}
