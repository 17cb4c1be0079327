//! What a pane shows, told as a log.

use proptest::prelude::*;

use super::*;

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

/// Looks at each of `screens` in turn, some times each, and tells the rest at the end.
fn told(screens: &[&str], looks: u32) -> Vec<String> {
    let mut growing = Growing::default();
    let mut told = growing.begin(&lines(screens[0]), 100);
    for screen in screens {
        for _ in 0..looks {
            told.extend(growing.look(&lines(screen)));
        }
    }
    told.extend(growing.end(&lines(screens[screens.len() - 1])));
    told
}

#[test]
fn what_is_appended_is_told_once_and_in_order() {
    assert_eq!(told(&["a\nb", "a\nb\nc", "a\nb\nc\nd\ne"], 1).concat(), "abcde");
    assert_eq!(told(&["a\nb", "a\nb\nc", "a\nb\nc\nd\ne"], 9).concat(), "abcde");
    assert_eq!(told(&["a\na", "a\na\na", "a\na\na\na"], 4).concat(), "aaaa");
}

#[test]
fn what_keeps_changing_is_told_only_as_it_is_at_the_end() {
    let mut growing = Growing::default();
    assert!(growing.begin(&["0s"], 100).is_empty());
    for n in 1..60_u32 {
        // Two looks at each second: as at a spinner that counts.
        let spinner = format!("{}s", n / 2);
        assert_eq!(growing.look(&["one", &spinner]), if n == 5 { vec!["one"] } else { vec![] }, "{n}");
    }
    assert_eq!(growing.end(&["one", "took 29s"]), ["took 29s"]);
}

#[test]
fn below_what_changes_nothing_waits_for_ever() {
    let mut growing = Growing::default();
    growing.begin(&["12:00:00", "load 1"], 100);
    let all: Vec<String> = (1..30_u32).flat_map(|n| growing.look(&[format!("12:00:{n}").as_str(), "load 1"])).collect();
    assert_eq!(all, ["load 1"]);
}

#[test]
fn lines_that_leave_at_the_top_are_not_told_again_and_none_is_missed() {
    let all: Vec<String> = (0..500).map(|n| format!("line {}", n % 7 + n / 3 * 10)).collect();
    let mut growing = Growing::default();
    let view = |end: usize| -> Vec<&str> { all[end.saturating_sub(50)..end].iter().map(String::as_str).collect() };
    let mut told = growing.begin(&view(20), 100);
    for end in (20..=500).step_by(13) {
        told.extend(growing.look(&view(end)));
    }
    told.extend(growing.end(&view(500)));
    assert_eq!(told, all);
}

#[test]
fn only_so_many_lines_are_told_at_first() {
    let mut growing = Growing::default();
    let text: String = (0..40).map(|n| format!("{n}\n")).collect();
    assert_eq!(growing.begin(&lines(&text), 8), ["32", "33"]);
    assert_eq!(growing.end(&lines(&text)), ["34", "35", "36", "37", "38", "39"]);
    let mut growing = Growing::default();
    assert!(growing.begin(&lines(&text), 0).is_empty());
    assert!(growing.end(&lines(&text)).is_empty());
}

#[test]
fn another_screen_is_told_anew() {
    let mut growing = Growing::default();
    growing.begin(&["a", "b"], 100);
    assert_eq!(growing.end(&["x", "y"]), ["x", "y"]);
}

proptest! {
    #[test]
    fn every_line_of_a_log_that_only_grows_is_told_once(
        all in proptest::collection::vec("[ab]?", 0..60),
        steps in proptest::collection::vec(0..9_usize, 0..20),
    ) {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let mut growing = Growing::default();
        let mut end = 0;
        let mut told = growing.begin(&[], 100);
        for step in steps {
            end = (end + step).min(all.len());
            told.extend(growing.look(&all[..end]));
        }
        told.extend(growing.end(&all));
        prop_assert_eq!(told, all);
    }

    #[test]
    fn whatever_the_screens_the_last_one_is_told(
        screens in proptest::collection::vec(proptest::collection::vec("[abc]", 0..8), 1..8),
    ) {
        let mut growing = Growing::default();
        let mut told = growing.begin(&[], 100);
        for screen in &screens {
            told.extend(growing.look(&screen.iter().map(String::as_str).collect::<Vec<_>>()));
        }
        let last: Vec<&str> = screens[screens.len() - 1].iter().map(String::as_str).collect();
        told.extend(growing.end(&last));
        for line in last {
            prop_assert!(told.iter().any(|t| t == line));
        }
    }
}
