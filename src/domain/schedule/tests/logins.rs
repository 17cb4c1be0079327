//! What an agent that is not logged in means for the other tickets with it.

use super::*;

fn asks(row: Row, reason: &str, at: i64) -> Row {
    let Status::Blocked(blocked) = blocked("x", 0, true, Retire::No).status else { panic!("it is blocked") };
    let status = Status::Blocked(Box::new(Blocked { reason: reason.into(), ..*blocked }));
    Row { changed: time(at), ..with(row, status) }
}

#[test]
fn an_agent_that_is_not_logged_in_starts_no_other_ticket_until_somebody_sees_to_it() {
    let claude = |name: &str| Row { profile: "claude".into(), ..queued(name, 1, 0) };
    let other = Row { profile: "codex".into(), ..queued("d", 2, 0) };
    let checks = next(claude("c"), NextRun::ChecksOnly);
    let mut all = rows([asks(claude("a"), "logged_out", 50), claude("b"), checks, other]);
    let starts = |all: &Rows, since| names(&to_start(all, &Slots { logins_since: time(since), ..slots(9) }, time(90)));
    assert_eq!(starts(&all, 50), "c d");
    assert_eq!(LoggedOut::of(&all, time(50)).holds(&all[&id("b")]), Some(&id("a")));
    assert_eq!(starts(&all, 51), "c b d", "it was found so before this supervisor began: it is tried anew");
    all.insert(id("a"), asks(claude("a"), "question", 50));
    assert_eq!(starts(&all, 50), "c b d", "another question is no reason");
    all.insert(id("a"), with(claude("a"), running()));
    assert_eq!(starts(&all, 50), "c b d", "somebody has logged in");
}
