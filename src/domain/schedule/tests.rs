//! Tests of the schedule: who starts, what dependents hear, which sessions make room.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    row::{Proof, Stacked},
    run::{Parked, Phase, Run},
    samples::{self, id, time},
};

mod limits;
mod logins;

fn slots(parallel: u32) -> Slots {
    let held_back = BTreeSet::new();
    let logins_since = time(0);
    Slots {
        parallel,
        stagger_s: 0,
        last_start: None,
        only: None,
        starts_left: None,
        closed: false,
        held_back,
        logins_since,
    }
}

/// A queued ticket, accepted `at` seconds after the others.
fn queued(name: &str, priority: u8, at: i64) -> Row {
    Row { priority, created: time(at), ..samples::row(name) }
}

fn with(row: Row, status: Status) -> Row {
    Row { status, ..row }
}

fn after(row: Row, dependencies: &[&str]) -> Row {
    Row { after: dependencies.iter().map(|name| id(name)).collect(), ..row }
}

fn running() -> Status {
    Status::Running(Box::new(Run { phase: Phase::Working, ..Run::new(time(0)) }))
}

fn reviewed() -> Status {
    Status::Reviewed { by: "ann".into() }
}

fn failed() -> Status {
    Status::Failed { reason: "crashed".into() }
}

fn cancelled() -> Status {
    Status::Cancelled { by: "ann".into() }
}

fn parked(reason: &str) -> Status {
    let parked = Parked { reason: reason.into(), detail: String::new(), until: None, next: NextRun::Ticket };
    Status::Parked(Box::new(parked))
}

fn proven(row: Row, head: &str, verified: bool) -> Row {
    Row { proof: Some(Proof { verified, head: Some(head.into()), ..Proof::default() }), ..row }
}

fn next(row: Row, next: NextRun) -> Row {
    with(row, Status::Queued { not_before: None, next })
}

fn rows(all: impl IntoIterator<Item = Row>) -> Rows {
    all.into_iter().map(|row| (row.id.clone(), row)).collect()
}

fn names(ids: &[TicketId]) -> String {
    ids.iter().map(TicketId::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plan_names_the_order_of_the_starts_and_what_each_waits_for() {
    let all = rows([
        queued("C", 3, 0),
        queued("A", 1, 1),
        after(queued("B", 1, 2), &["C", "R"]),
        with(queued("R", 1, 0), running()),
        after(queued("S", 1, 0), &["P"]),
        after(queued("T", 1, 1), &["S"]),
        with(queued("P", 1, 0), parked("stopped")),
    ]);
    let told: Vec<String> = plan(&all)
        .into_iter()
        .map(|p| {
            let ids: Vec<&str> = p.waits_for.iter().map(TicketId::as_str).collect();
            format!("{}<{}{}", p.id, ids.join("+"), if p.stuck { " stuck" } else { "" })
        })
        .collect();
    assert_eq!(told, ["A<", "C<", "B<C+R", "S<P stuck", "T<S stuck"]);
    let cycle = rows([after(queued("A", 1, 0), &["B"]), after(queued("B", 1, 0), &["A"])]);
    assert!(plan(&cycle).iter().all(|planned| planned.stuck));
}

#[test]
fn those_a_person_waits_for_go_first_then_priority_then_age() {
    let words = || "w".to_owned();
    let all = rows([
        queued("old", 3, 1),
        queued("young", 3, 9),
        queued("urgent", 1, 9),
        queued("same-b", 3, 5),
        queued("same-a", 3, 5),
        next(queued("z1", 9, 1), NextRun::Answered { question: words(), answer: words() }),
        next(queued("z2", 9, 2), NextRun::Corrected { correction: words() }),
        next(queued("z3", 9, 3), NextRun::ChecksOnly),
        next(queued("z4", 9, 4), NextRun::Resume { deliver: None, instead: None }),
        next(queued("crashed", 3, 2), NextRun::GoOn { because: words() }),
    ]);
    let order = "z1 z2 z3 z4 urgent old crashed same-a same-b young";
    assert_eq!(names(&to_start(&all, &slots(99), time(100))), order);
    assert_eq!(names(&to_start(&all, &slots(2), time(100))), "z1 z2");
}

#[test]
fn slots_limits_and_times_hold_tickets_back() {
    let late = Status::Queued { not_before: Some(time(50)), next: NextRun::Ticket };
    let all = rows([
        queued("a", 3, 1),
        queued("b", 3, 2),
        with(queued("c", 3, 3), late),
        with(queued("r", 3, 4), running()),
        with(queued("p", 3, 5), parked("stopped")),
    ]);
    let at = |now, slots: Slots| names(&to_start(&all, &slots, time(now)));
    assert_eq!(at(49, slots(9)), "a b");
    assert_eq!(at(50, slots(9)), "a b c");
    assert_eq!(at(50, slots(2)), "a", "one runs already");
    assert_eq!(at(50, slots(1)), "");
    assert_eq!(at(50, slots(0)), "");
    assert_eq!(at(50, Slots { closed: true, ..slots(9) }), "");
    assert_eq!(at(50, Slots { starts_left: Some(1), ..slots(9) }), "a");
    assert_eq!(at(50, Slots { starts_left: Some(0), ..slots(9) }), "");
    assert_eq!(at(50, Slots { only: Some([id("b")].into()), ..slots(9) }), "b");
    assert_eq!(at(50, Slots { held_back: [id("a")].into(), ..slots(9) }), "b c");
    let staggered = |last| Slots { stagger_s: 10, last_start: last, ..slots(9) };
    assert_eq!(at(50, staggered(None)), "a", "one at a time");
    assert_eq!(at(50, staggered(Some(time(41)))), "");
    assert_eq!(at(50, staggered(Some(time(40)))), "a");
    assert_eq!(next_look(&all, &slots(9), time(1)), Some(time(50)));
    assert_eq!(next_look(&all, &slots(9), time(50)), None);
    assert_eq!(next_look(&all, &staggered(Some(time(40))), time(45)), Some(time(50)));
    let only_b = Slots { only: Some([id("b")].into()), ..slots(9) };
    assert_eq!(next_look(&all, &only_b, time(1)), None);
}

#[test]
fn a_dependent_starts_when_what_it_stands_on_is_through() {
    let waits_for = |dependency: Row| {
        let all = rows([dependency, after(queued("b", 3, 1), &["a"])]);
        let starts = to_start(&all, &slots(9), time(99)).contains(&id("b"));
        assert_eq!(startable(&all, &all[&id("b")], &slots(9)), starts);
        starts
    };
    let a = || queued("a", 3, 1);
    let review = |verified| proven(with(a(), Status::NeedsReview), "tip", verified);
    let through = [review(true), with(a(), reviewed()), with(a(), Status::Landed), queued("unrelated", 3, 1)];
    for row in through {
        assert!(waits_for(row.clone()), "{:?}", row.status);
    }
    let statuses = [running(), parked("stopped"), failed(), cancelled(), Status::NeedsReview];
    for row in statuses.map(|status| with(a(), status)).into_iter().chain([a(), review(false)]) {
        assert!(!waits_for(row.clone()), "{:?}", row.status);
    }
}

#[test]
fn dependents_hear_of_dead_dependencies_and_of_their_return() {
    let news = |dependency: Row, own: Row| dependency_news(&rows([dependency, after(own, &["a"])]));
    let a = || queued("a", 3, 1);
    let b = || queued("b", 3, 1);
    for status in [failed(), cancelled()] {
        let told = news(with(a(), status), b());
        assert!(matches!(&told[..], [(who, DependencyNews::Dead { .. })] if *who == id("b")), "{told:?}");
    }
    assert_eq!(news(a(), b()), []);
    assert_eq!(news(a(), with(b(), parked("dependency"))), [(id("b"), DependencyNews::Back)]);
    assert_eq!(news(with(a(), failed()), with(b(), parked("dependency"))), []);
    assert_eq!(news(a(), with(b(), parked("stopped"))), []);
    // A dead one that was cleaned away is not back.
    assert_eq!(news(queued("unrelated", 3, 1), with(b(), parked("dependency"))), []);
    assert_eq!(news(with(a(), failed()), with(b(), running())), [], "work that stands on nothing of it goes on");
}

#[test]
fn work_hears_when_the_tip_it_stands_on_is_no_longer_the_tip() {
    let b = |status| {
        let stacked_on = vec![Stacked { id: id("a"), commit: "tip".into() }];
        Row { base_commit: Some("c".into()), stacked_on, ..after(with(queued("b", 3, 1), status), &["a"]) }
    };
    let news = |a: Row, b: Row| dependency_news(&rows([a, b])).into_iter().map(|(_, news)| news).next();
    let a = |status| with(queued("a", 3, 1), status);
    let stale = |why: &str| Some(DependencyNews::Stale { why: why.into() });
    for status in [Status::NeedsReview, reviewed(), Status::Landed] {
        assert_eq!(news(proven(a(status.clone()), "tip", true), b(running())), None);
        let moved = proven(a(status.clone()), "0123456789abcdef", true);
        assert_eq!(news(moved.clone(), b(running())), stale("the branch of a moved to 0123456789"));
        let flagged = Row { stale_base: Some("w".into()), ..b(Status::NeedsReview) };
        assert_eq!(news(moved.clone(), flagged.clone()), None, "once");
        assert_eq!(news(proven(a(status), "tip", true), flagged), Some(DependencyNews::Fresh));
        let accepted = Row { stale_accepted: Some("the branch of a moved to 0123456789".into()), ..b(running()) };
        assert_eq!(news(moved, accepted.clone()), None);
        assert!(news(proven(a(Status::NeedsReview), "another", true), accepted).is_some(), "it moved again");
    }
    for status in [running(), parked("stopped"), Status::Queued { not_before: None, next: NextRun::Ticket }] {
        assert_eq!(news(a(status), b(Status::NeedsReview)), stale("a is being worked on again"));
    }
    assert_eq!(news(a(failed()), b(Status::NeedsReview)), stale("a failed: crashed"));
    let flagged = Row { stale_base: Some("w".into()), ..b(Status::NeedsReview) };
    assert_eq!(news(queued("unrelated", 3, 1), flagged), None, "nobody knows");
    for status in [Status::Landed, cancelled()] {
        assert_eq!(news(a(running()), b(status)), None);
    }
}

fn blocked(name: &str, at: i64, live: bool, retire: Retire) -> Row {
    let status = samples::every_status().into_iter().find_map(|status| match status {
        Status::Blocked(blocked) => Some(Status::Blocked(Box::new(Blocked { live, retire, ..*blocked }))),
        _ => None,
    });
    Row { changed: time(at), status: status.unwrap(), ..samples::row(name) }
}

#[test]
fn the_oldest_blocked_sessions_make_room_where_their_conversation_can_go_on() {
    let all = rows([
        blocked("old", 1, true, Retire::No),
        blocked("older-attached", 0, true, Retire::Kept),
        blocked("no-talk", 0, true, Retire::No),
        blocked("mid", 2, true, Retire::No),
        blocked("new", 3, true, Retire::No),
        blocked("lost", 0, false, Retire::No),
        blocked("going", 0, true, Retire::Asked),
        with(queued("r", 3, 0), running()),
    ]);
    let can = |row: &Row| row.id != id("no-talk");
    let closes = |keep| names(&to_close(&all, keep, can));
    assert_eq!(closes(8), "");
    assert_eq!(closes(5), "");
    assert_eq!(closes(4), "old");
    assert_eq!(closes(3), "old mid");
    assert_eq!(closes(0), "old mid new", "those that cannot be resumed stay");
}

fn any_rows() -> impl Strategy<Value = Rows> {
    let one = (1..4_u8, 0..5_i64, 0..9_u8, prop::collection::vec(0..8_usize, 0..3), prop::option::of(0..100_i64));
    prop::collection::vec(one, 1..12).prop_map(|all| {
        rows(all.into_iter().enumerate().map(|(n, (priority, at, status, on, not_before))| {
            let status = match status {
                0 => running(),
                1 => failed(),
                2 => reviewed(),
                3 => Status::NeedsReview,
                _ => Status::Queued { not_before: not_before.map(time), next: NextRun::Ticket },
            };
            // Only on earlier ones: a cycle is never accepted.
            let on: Vec<String> = on.into_iter().filter(|o| *o < n).map(|o| format!("t{o}")).collect();
            let on: Vec<&str> = on.iter().map(String::as_str).collect();
            after(with(queued(&format!("t{n}"), priority, at), status), &on)
        }))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn never_above_the_slots_never_before_a_dependency_never_past_a_better_one(all in any_rows(), parallel in 0..6_u32) {
        let now = time(50);
        let chosen = to_start(&all, &slots(parallel), now);
        let runs = all.values().filter(|r| matches!(r.status, Status::Running(_))).count();
        prop_assert!(chosen.is_empty() || chosen.len() + runs <= parallel as usize);
        for name in &chosen {
            let row = &all[name];
            prop_assert!(due(row, now));
            prop_assert!(row.after.iter().all(|on| all.get(on).is_none_or(Row::satisfies_dependents)));
        }
        // Who could start and does not stands behind all that do.
        let everybody = to_start(&all, &slots(1000), now);
        prop_assert_eq!(&everybody[..chosen.len()], &chosen[..]);
        for pair in everybody.windows(2) {
            let (first, second) = (&all[&pair[0]], &all[&pair[1]]);
            prop_assert!((first.priority, first.created) <= (second.priority, second.created));
        }
    }

    #[test]
    fn nobody_starves_within_a_priority(all in any_rows()) {
        // With one slot, starting and finishing in turn, all that can start are started in a bounded number of turns.
        let mut all = all;
        all.values_mut().filter(|r| matches!(r.status, Status::Running(_))).for_each(|r| r.status = reviewed());
        for _ in 0..all.len() {
            let Some(name) = to_start(&all, &slots(1), time(1000)).pop() else { break };
            if let Some(row) = all.get_mut(&name) {
                row.status = reviewed();
            }
        }
        prop_assert_eq!(to_start(&all, &slots(1), time(1000)), vec![]);
    }
}
