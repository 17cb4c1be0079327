//! Tests of launch arguments and environment.

use super::*;
use crate::domain::id::TicketId;

const PROFILE: &str = r#"
version = 1
name = "t"
conversation = "chosen"
[options]
model = ""
effort = "high"
[launch]
argv = ["{autodo}", "--id={conversation}", ["--model", "{model}"], ["-e", "{effort}"], "-n", "{title_safe}", "a b", "{{}}"]
resume = ["t", "--resume", "{conversation}"]
unset = ["NESTED", "PAGER"]
require = ["API_KEY"]
env = { HOME_OF = "{state_dir}/x", GIT_EDITOR = "ed" }
[box]
line = '^> ?(.*)$'
[[screens]]
name = "ready"
state = "ready"
box = "visible"
"#;

fn vars() -> LaunchVars {
    LaunchVars {
        autodo: "/opt/auto do".into(),
        run: RunId { ticket: TicketId::parse("T-1").unwrap(), number: 2 },
        key: RunKey::from_bits(7),
        title: "x; rm -rf ~ {model}".into(),
        branch: "autodo/T-1".into(),
        worktree: "/w".into(),
        run_dir: "/h/T-1/runs/2".into(),
        state_dir: "/h/T-1/state".into(),
        outbox: "/w/.autodo/run/outbox".into(),
        prompt_file: "/w/.autodo/run/prompt.md".into(),
        tmux_tmpdir: "/tmp/x".into(),
        prompt: None,
        conversation: Some("c-1".into()),
        git_dirs: None,
        options: BTreeMap::new(),
    }
}

fn profile() -> Profile {
    Profile::parse(PROFILE, "t.toml").unwrap()
}

#[test]
fn a_value_fills_its_place_and_is_never_split() {
    let plan = launch(&profile(), LaunchKind::Fresh, &vars()).unwrap();
    assert_eq!(plan.argv, ["/opt/auto do", "--id=c-1", "-e", "high", "-n", "x rm -rf model", "a b", "{}"]);
    assert_eq!(plan.require, ["API_KEY"]);
}

#[test]
fn an_option_without_a_value_leaves_its_group_out() {
    let mut vars = vars();
    vars.options.insert("model".into(), "m-1".into());
    vars.options.insert("effort".into(), String::new());
    let plan = launch(&profile(), LaunchKind::Fresh, &vars).unwrap();
    assert_eq!(plan.argv[2..4], ["--model", "m-1"]);
    assert!(!plan.argv.contains(&"-e".to_owned()));
}

#[test]
fn the_environment_is_the_agents_own() {
    let plan = launch(&profile(), LaunchKind::Fresh, &vars()).unwrap();
    for (name, value) in [
        ("AUTODO_TICKET", "T-1"),
        ("AUTODO_RUN", "T-1/2"),
        ("AUTODO_KEY", "00000007"),
        ("AUTODO_OUTBOX", "/w/.autodo/run/outbox"),
        ("AUTODO_BIN", "/opt/auto do"),
        ("AUTODO_STATE", "/h/T-1/state"),
        ("TMUX_TMPDIR", "/tmp/x"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_EDITOR", "ed"),
        ("PAGER", "cat"),
        ("HOME_OF", "/h/T-1/state/x"),
    ] {
        assert_eq!(plan.env.get(name).map(String::as_str), Some(value), "{name}");
    }
    for name in ["TMUX", "TMUX_PANE", "GIT_DIR", "NESTED"] {
        assert!(plan.unset.contains(&name.to_owned()), "{name}");
    }
    assert!(plan.unset.iter().all(|name| !plan.env.contains_key(name)), "set and unset exclude each other");
}

#[test]
fn what_a_launch_lacks_is_named() {
    let mut vars = vars();
    vars.conversation = None;
    let said = launch(&profile(), LaunchKind::Resume, &vars).unwrap_err().to_string();
    assert!(said.contains("{conversation}") && said.contains("\"t\""), "{said}");
    let generic = Profile::parse("version = 1\nname = \"g\"\nextends = \"generic\"\n", "g.toml").unwrap();
    assert_eq!(launch(&generic, LaunchKind::Fresh, &vars), Err(ProfileError::NoArgv("g".into())));
    assert_eq!(launch(&generic, LaunchKind::Resume, &vars), Err(ProfileError::NoResume("g".into())));
}

#[test]
fn any_title_becomes_a_harmless_one() {
    for (title, safe) in [
        ("Refactor resolve.py", "Refactor resolve.py"),
        ("--help", "help"),
        ("$(x) `y` #{z} \u{1b}]0;t\u{7}", "x y z 0 t"),
        ("Ünïcode 漢字", "Ünïcode 漢字"),
        ("👍 … !!", "T-1"),
        ("", "T-1"),
    ] {
        assert_eq!(title_safe(title, "T-1"), safe, "{title:?}");
    }
    assert_eq!(title_safe(&"long ".repeat(60), "T-1").chars().count(), 59);
}

#[test]
fn a_conversation_id_is_a_version_4_uuid() {
    let id = conversation_id(|| u32::MAX);
    assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    let mut n = 0x0123_4567;
    let id = conversation_id(|| {
        n += 1;
        n
    });
    assert_eq!(id, "01234568-0123-4569-8123-456a0123456b");
}
