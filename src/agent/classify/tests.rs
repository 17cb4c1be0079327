//! Tests of the classifier: rules against screens.

use super::*;
use crate::agent::profile::Profile;

const RULES: &str = r#"
version = 1
name = "t"
[launch]
argv = ["t"]
[box]
above = '^-{5,}$'
line = '^> ?(.*)$'
continuation = '^  (.*)$'
below = '^-{5,}$'
footer_rows = 2
trim = "~"
empty = ['^hint']
pasted = ['^\[Pasted']
[marker]
bullets = "*"
[[dialogs]]
name = "trust"
pattern = 'Trust this folder\?'
policy = "answer"
selected = '^> 1\. Yes'
answer = ["Enter"]
[[dialogs]]
name = "edit"
pattern = 'May I edit (.*)\?'
policy = "ask"
state = "permission"
[[screens]]
name = "title"
state = "busy"
title = '^\* '
[[screens]]
name = "above"
state = "error"
region = "above_box"
last_rows = 1
pattern = '^error: (.*)'
text = '(?m)^error: (.*)$'
[[screens]]
name = "no-box"
state = "booting"
pattern = 'loading'
box = "absent"
[[screens]]
name = "ready"
state = "ready"
box = "visible"
not = ['please wait']
"#;

fn profile() -> Profile {
    Profile::parse(RULES, "t.toml").unwrap()
}

fn see(text: &str) -> Sighting {
    classify(&profile(), &Screen::of_text(text), Some(&RunKey::from_bits(0xABCD)))
}

#[test]
fn the_box_is_known_by_its_rules_and_its_place() {
    let look = |text: &str| box_content(&profile(), &Screen::of_text(text));
    assert_eq!(look("-----\n>\n-----\n"), BoxSeen::Empty);
    assert_eq!(look("-----\n> hint: type here\n-----\nfoot\nfoot\n\n\n"), BoxSeen::Empty);
    assert_eq!(look("-----\n> ~~\n-----\n"), BoxSeen::Empty);
    assert_eq!(look("-----\n> a\n  b\n\n  c\n-----\n"), BoxSeen::Text("a\nb\n\nc".to_owned()));
    assert_eq!(look("-----\n> [Pasted text #1]\n-----\n"), BoxSeen::Pasted);
    for absent in ["", "> a", "-----\n> a", "> a\n-----", "-----\n> a\nb\n-----", "-----\n> a\n-----\n1\n2\n3"] {
        assert_eq!(look(absent), BoxSeen::Absent, "{absent:?}");
    }
}

#[test]
fn a_wrapped_text_is_held_and_another_is_not() {
    let seen = BoxSeen::Text("one two\nthree".to_owned());
    assert!(seen.holds("one two three") && seen.holds("one twothree"));
    let composed = BoxSeen::Text("caf\u{e9} \u{304c} \u{1f469}\u{200d}\u{1f467}".into());
    assert!(
        composed.holds("cafe\u{301} \u{304b}\u{3099} \u{1f469}\u{200d}\u{1f467}") && !composed.holds("cafe \u{304b}")
    );
    assert!(!seen.holds("one two") && !seen.holds("") && !BoxSeen::Empty.holds("") && !BoxSeen::Pasted.holds("x"));
}

#[test]
fn the_first_rule_that_holds_decides_and_says_its_row() {
    let ready = see("hello\n-----\n>\n-----\n");
    assert_eq!((ready.state, ready.rule.as_str(), ready.row), (ScreenState::Ready, "ready", Some(2)));
    assert!(ready.box_empty);
    assert_eq!(see("please wait\n-----\n>\n-----\n").state, ScreenState::Unknown);
    assert_eq!(see("loading").state, ScreenState::Booting);
    assert_eq!(see("loading\n-----\n>\n-----\n").state, ScreenState::Ready);
    let mut busy = Screen::of_text("-----\n>\n-----\n");
    busy.title = "* thinking".to_owned();
    assert_eq!(classify(&profile(), &busy, None).rule, "title");
}

#[test]
fn a_region_ends_at_the_box() {
    let error = see("x\nerror: no network\n\n-----\n>\n-----\nfoot\n");
    assert_eq!((error.state, error.row), (ScreenState::Error, Some(1)));
    assert_eq!(error.text, "no network");
    assert_eq!(see("error: old\nnew\n-----\n>\n-----\n").state, ScreenState::Ready);
    assert_eq!(see("error: no box").state, ScreenState::Unknown);
}

#[test]
fn a_dialog_is_answered_only_with_the_right_choice_selected() {
    let yes = "Trust this folder?\n> 1. Yes\n  2. No\n";
    let no = "Trust this folder?\n  1. Yes\n> 2. No\n";
    assert_eq!(see(yes).state, ScreenState::Dialog);
    assert_eq!(see(no).state, ScreenState::Question);
    let profile = profile();
    let answer = answer(&profile, &Screen::of_text(yes)).unwrap();
    assert_eq!(
        (answer.rule, answer.keys, answer.shows.as_str()),
        ("trust", &[Keystroke::Enter][..], "Trust this folder?")
    );
    assert_eq!(super::answer(&profile, &Screen::of_text(no)), None);
    let edit = see("May I edit a.rs?");
    assert_eq!(
        (edit.state, edit.rule.as_str(), edit.text.as_str()),
        (ScreenState::Permission, "edit", "May I edit a.rs?")
    );
}

#[test]
fn a_dialog_hides_the_box_behind_it() {
    assert_eq!(see("May I edit a.rs?\n-----\n>\n-----\n").state, ScreenState::Permission);
}

#[test]
fn a_marker_is_a_whole_line_of_its_own() {
    let done = "AUTODO-DONE-0000abcd";
    for good in [done.to_owned(), format!("* {done}"), format!("  {done}"), format!(" *  {done}   ")] {
        assert_eq!(see(&good).marker, Some(Marker::Done), "{good:?}");
    }
    for bad in [
        format!("+{done}"),
        format!("> {done}"),
        format!("   {done}"),
        format!("- {done}"),
        format!("{done}."),
        format!("`{done}`"),
        format!("**{done}"),
        format!("{done} and more"),
        "AUTODO-DONE-0000abce".to_owned(),
        "AUTODO-DONE-0000ABCD".to_owned(),
        "AUTODO-DONE-".to_owned(),
        "AUTODO-DONE".to_owned(),
    ] {
        assert_eq!(see(&bad).marker, None, "{bad:?}");
    }
    assert_eq!(classify(&profile(), &Screen::of_text(done), None).marker, None);
}

#[test]
fn the_last_marker_wins_and_the_box_does_not_count() {
    let (done, blocked) = ("AUTODO-DONE-0000abcd", "AUTODO-BLOCKED-0000abcd");
    assert_eq!(see(&format!("{done}\nx\n{blocked}\n")).marker, Some(Marker::Blocked));
    assert_eq!(see(&format!("{blocked}\n{done}\n")).marker, Some(Marker::Done));
    assert_eq!(see(&format!("-----\n> a\n  {done}\n-----\n")).marker, None);
}

#[test]
fn what_stands_above_the_box_is_told_wherever_the_cursor_is_and_however_much_it_is() {
    let mut spec = profile();
    if let Some(input_box) = &mut spec.input_box {
        input_box.cursor = true;
    }
    let footer = ["-----", "> text", "  more", "-----", "a footer", ""];
    for above in [0, 1, 3, 2000] {
        let output: Vec<String> = (0..above).map(|n| format!("line {n}")).collect();
        let lines: Vec<&str> = output.iter().map(String::as_str).chain(footer).collect();
        assert_eq!(lines_above_box(&spec, &lines), above);
        assert_eq!(lines_above_box(&spec, &lines[..above]), above, "no box");
    }
    // Such rows in the middle of the output are output.
    let old: Vec<&str> = footer.iter().copied().chain(["line"; 60]).collect();
    assert_eq!(lines_above_box(&spec, &old), old.len());
}
