//! How often panes are looked at.

use super::*;

#[test]
fn rounds_are_quick_while_something_happens_and_unhurried_where_a_few_only_work() {
    let now = Timestamp::from_millisecond(1_700_000_000_500).unwrap();
    let next = |targets, lively, since| next_round(targets, lively, Duration::from_millis(since), now);
    for (targets, lively, since, expected) in [
        (8, 8, 0, QUICK),
        (8, 8, 4_999, QUICK),
        (8, 8, 5_000, UNHURRIED),
        (FEW_IN_ALL, FEW, 3_600_000, UNHURRIED),
        (8, 0, 0, AT_REST),
        (8, 0, 5_000, AT_REST),
        (100, 0, 5_000, MANY_AT_REST),
        // 700 ms to 200 ms after the next full second, whatever happened.
        (100, 100, 0, Duration::from_millis(700)),
        (20, FEW + 1, 5_000, Duration::from_millis(700)),
    ] {
        assert_eq!(next(targets, lively, since), expected, "{lively} of {targets} at work, {since} ms");
    }
}
