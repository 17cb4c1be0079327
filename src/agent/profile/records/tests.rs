//! What a profile may say of records, and the two that do.

use super::*;
use crate::{
    agent::profile::Profile,
    domain::{id::RunKey, report::Hook, screen::Marker},
    format::record::Fact,
};

fn of(name: &str) -> Records {
    let (file, text) =
        super::super::builtin().iter().find(|(file, _)| *file == format!("{name}.toml")).copied().unwrap();
    Profile::parse(text, file).unwrap().records.unwrap()
}

fn value(name: &str) -> Option<String> {
    match name {
        "home" => Some("/h/ann".into()),
        "conversation" => Some("c-1".into()),
        "date" => Some("2026/11/21".into()),
        "$CODEX_HOME" => Some("/codex".into()),
        _ => None,
    }
}

#[test]
fn paths_are_filled_from_variables_or_their_defaults() {
    let claude = of("claude");
    let file = claude.path(&claude.file, "/src/p.worktrees/T_1", &value);
    assert_eq!(file.as_deref(), Some("/h/ann/.claude/projects/-src-p-worktrees-T-1/c-1.jsonl"));
    let codex = of("codex");
    assert!(codex.is_searched() && !claude.is_searched());
    let file = |value: &dyn Fn(&str) -> Option<String>| codex.path(&codex.file, "/w", value);
    assert_eq!(file(&value).as_deref(), Some("/codex/sessions/2026/11/21/rollout-*.jsonl"));
    let without = |name: &str| value(name).filter(|_| !name.starts_with('$'));
    assert_eq!(file(&without).as_deref(), Some("/h/ann/.codex/sessions/2026/11/21/rollout-*.jsonl"));
    assert_eq!(file(&|_| None), None);
}

#[test]
fn the_record_of_codex_is_read_as_it_writes_it() {
    let text = include_str!("codex.jsonl");
    let facts: Vec<Fact> =
        text.lines().filter_map(|line| of("codex").format.read(line.as_bytes(), &RunKey::from_bits(7))).collect();
    let [Fact::Head { folder, .. }, Fact::Hook(Hook::Submitted { delivery }), Fact::Tokens { tokens, .. }, end] =
        &facts[..]
    else {
        panic!("{facts:?}")
    };
    assert_eq!((folder.as_str(), delivery.as_deref(), tokens.total()), ("/src/p.worktrees/T-1", Some("1.0"), 120));
    let Fact::Hook(Hook::Stopped { marker: Some(Marker::Done), turn: Some(_), .. }) = end else { panic!("{end:?}") };
}

#[test]
fn what_cannot_work_is_refused() {
    let profile = |top: &str, records: &str| {
        let text = format!("version = 1\nname = \"t\"\n{top}\n{records}\n");
        Profile::parse(&text, "t.toml").map(|_| ()).map_err(|e| e.to_string())
    };
    let head = "[records.head]\nwhen = { \"/a\" = \"b\" }\nconversation = \"/c\"\nfolder = \"/d\"";
    let found = "conversation = \"recorded\"";
    let searched = |file: &str| format!("[records]\nfile = \"{file}\"\n{head}");
    assert_eq!(profile(found, &searched("{home}/x-*.jsonl")), Ok(()));
    let tables = [
        (found, String::new(), "needs a table [records]"),
        ("", searched("{home}/*"), "need a conversation"),
        (found, searched("{home}/x"), "has one *"),
        (found, searched("{home}/*/x-*"), "has one *"),
        (found, searched("{home}/{conversation}-*"), "before the record is found"),
        (found, searched("{nobody}/x-*"), "unknown placeholder"),
        (found, "[records]\nfile = \"{home}/x-*\"".into(), "needs [records.head]"),
        (found, searched("{home}/x-*").replace("\"/d\"", "\"d\""), "begins with /"),
        (found, searched("{home}/x-*").replace("{ \"/a\" = \"b\" }", "{}"), "`when` has JSON pointers"),
        ("conversation = \"chosen\"", searched("{home}/x-*"), "holds {conversation}"),
        (
            found,
            format!("{}\n[records.places.home]\nvariable = \"A\"\ndefault = \"/x\"", searched("{home}/x-*")),
            "autodo itself",
        ),
    ];
    for (top, records, why) in tables {
        let said = profile(top, &records).unwrap_err();
        assert!(said.contains(why), "{records}\n{said}");
    }
}

#[test]
fn the_quota_that_codex_tells_is_the_latest_and_spent_until_its_last_full_window_begins_anew() {
    let format = of("codex").format;
    let quota = format.quota.unwrap();
    assert_eq!(quota.latest(include_bytes!("codex.jsonl")), vec![], "with an API key nothing is told");
    let line = |primary: &str, secondary: &str| {
        format!(
            "{{\"type\":\"event_msg\",\"payload\":{{\"type\":\"token_count\",\"info\":null,\"rate_limits\":\
             {{\"primary\":{primary},\"secondary\":{secondary}}}}}}}\n"
        )
    };
    let window =
        |percent: f64, at: i64| format!("{{\"used_percent\":{percent},\"window_minutes\":300,\"resets_at\":{at}}}");
    let at = |second| jiff::Timestamp::from_second(second).unwrap();
    let until = |text: &str| quota.spent_until(&quota.latest(text.as_bytes()), at(1000));
    let spent = line(&window(100.0, 5000), &window(99.0, 9000));
    assert_eq!(until(&spent), Some(at(9000)));
    assert_eq!(until(&line(&window(100.0, 5000), "null")), Some(at(5000)));
    assert_eq!(until(&line(&window(100.0, 900), &window(98.9, 9000))), None);
    let then = line(&window(7.0, 5000), &window(77.0, 9000));
    assert_eq!(until(&format!("{spent}{then}")), None);
    assert_eq!(until(&format!("{then}{spent}{}", line("null", "null"))), Some(at(9000)));
    assert_eq!(until(&spent[..spent.len() - 9]), None, "a line that is not whole says nothing");
}
