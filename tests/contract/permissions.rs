//! Permissions as a policy: what rules allow and deny, what is asked, and `always`.

use serde_json::json;

use crate::{
    asks::ask_to_run,
    model::{END, READ},
    stage::{Agent, Allowed, Stage},
};

with_each_agent!(
    what_exact_rules_allow_is_done_without_a_person,
    what_a_rule_denies_is_told_to_the_agent_and_the_work_goes_on,
    what_was_always_allowed_is_not_asked_again_in_this_ticket_or_another,
    an_answer_to_a_dialog_that_is_gone_is_refused,
);

/// What the agent is to do, one simple command after the other. Claude Code asks for those of git, and not for `touch`,
/// which it takes for an edit.
const COMMANDS: [&str; 4] = [
    "touch work.txt",
    "git add work.txt",
    "git commit -qm work",
    r#""$AUTODO_BIN" report done --summary 'wrote work.txt'"#,
];

/// Rules that allow exactly that.
const RULES: &str = r#""allow Bash touch work.txt", "allow Bash git add work.txt", "allow Bash git commit -qm work",
    "allow Bash autodo report done --summary 'wrote work.txt'""#;

/// A stage with these rules, on which everything is asked.
fn stage(agent: Agent, rules: &str) -> Stage {
    let stage = Stage::with(agent, Allowed::Nothing, true);
    stage.settings(&format!("checks = []\nparallel = 2\npermissions = [{rules}]"));
    stage
}

/// A ticket whose agent wants to run `commands`.
fn ticket(stage: &Stage, id: &str, commands: &[&str]) {
    // A model thinks for a moment between two requests.
    let asks: Vec<String> =
        commands.iter().map(|command| ask_to_run(stage.agent, command).replacen('\n', "\nwait_s = 0.5\n", 1)).collect();
    let steps: Vec<&str> = [READ].into_iter().chain(asks.iter().map(String::as_str)).chain([END]).collect();
    stage.ticket(id, &steps);
}

/// Asserts that nobody was asked anything.
fn nobody_was_asked(stage: &Stage, id: &str) {
    let text = stage.world.file(&format!("{id}/events.jsonl"));
    let asked: Vec<&str> = text.lines().filter(|line| line.contains(r#""to":"blocked""#)).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

/// The rules by which something was answered, in order.
fn decided(stage: &Stage, id: &str) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let told = stage.events(id, "reported").into_iter().map(|event| event["report"].clone());
    let by_hook: Vec<String> =
        told.filter(|report| report["hook"] == "asks").map(|report| text(&report["rule"])).collect();
    if !by_hook.is_empty() {
        return by_hook;
    }
    let why = stage.events(id, "keyed").into_iter().map(|event| text(&event["why"]));
    why.filter_map(|why| Some(why.split_once("by the rule \"")?.1.trim_end_matches('"').to_owned())).collect()
}

fn what_exact_rules_allow_is_done_without_a_person(agent: Agent) {
    let stage = stage(agent, RULES);
    ticket(&stage, "T-1", &COMMANDS);
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    nobody_was_asked(&stage, "T-1");
    let decided = decided(&stage, "T-1");
    assert!(decided.contains(&"allow Bash git commit -qm work".to_owned()), "{decided:?}");
    assert_eq!(stage.model.prompts("T-1").len(), 1, "{}", stage.model.story());
}

fn what_a_rule_denies_is_told_to_the_agent_and_the_work_goes_on(agent: Agent) {
    let stage = stage(agent, &format!("\"deny Bash git tag *\", {RULES}"));
    ticket(&stage, "T-1", &[&["git tag forbidden"], &COMMANDS[..]].concat());
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    nobody_was_asked(&stage, "T-1");
    assert_eq!(stage.git("T-1", &["tag"]), "");
    assert_eq!(decided(&stage, "T-1")[0], "deny Bash git tag *");
    // Its hook denies, and the turn goes on.
    assert_eq!(stage.model.prompts("T-1").len(), 1, "{}", stage.model.story());
}

#[test]
fn codex_without_hooks_is_answered_on_its_screen() {
    let stage = stage(Agent::Codex, &format!("\"deny Bash git tag *\", {RULES}"));
    let path = stage.world.home().join("profiles/codex-here.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}hooks = \"\"\n")).unwrap();
    ticket(&stage, "T-1", &[&["git tag forbidden"], &COMMANDS[..]].concat());
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    nobody_was_asked(&stage, "T-1");
    assert_eq!(stage.git("T-1", &["tag"]), "");
    let decided = decided(&stage, "T-1");
    assert_eq!(decided[0], "deny Bash git tag *");
    assert!(decided.contains(&"allow Bash git commit -qm work".to_owned()), "{decided:?}");
    // A key denies, which ends the turn: the next prompt says why.
    let prompts = stage.model.prompts("T-1");
    assert!(prompts.len() == 2 && prompts[1].contains("(rule: deny Bash git tag *)"), "{prompts:?}");
}

fn what_was_always_allowed_is_not_asked_again_in_this_ticket_or_another(agent: Agent) {
    let stage = stage(agent, RULES);
    let twice = [&["git tag -f extra", "git tag -f extra", "git tag -d extra"], &COMMANDS[..]].concat();
    ticket(&stage, "T-1", &twice);
    stage.dispatch(8);
    assert_eq!(stage.status("T-1"), "blocked permission null", "{}", stage.model.story());
    let row = stage.row("T-1");
    assert!(row["question"].as_str().unwrap().starts_with("Bash: git tag -f extra"), "{row}");
    let request = &row["request"];
    assert_eq!((&request["tool"], &request["input"]["command"]), (&json!("Bash"), &json!("git tag -f extra")), "{row}");
    assert!(stage.autodo(&["show", "T-1"]).ok().stdout.contains("Bash: git tag -f extra"));
    stage.autodo(&["answer", "T-1", "always"]).ok();
    // The second time is not asked; the next thing is.
    stage.dispatch(8);
    assert!(
        stage.row("T-1")["question"].as_str().unwrap().starts_with("Bash: git tag -d extra"),
        "{}",
        stage.row("T-1")
    );
    stage.autodo(&["answer", "T-1", "allow"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-1", &["work"]);
    let listed = stage.autodo(&["config", "permissions"]).ok().stdout;
    assert!(listed.contains("\nallow Bash git tag -f extra\n") && !listed.contains("git tag -d extra"), "{listed}");
    // Another ticket of the project, and this time nobody is there.
    ticket(&stage, "T-2", &[&["git tag -f extra"], &COMMANDS[..3], &["git tag -d extra"], &COMMANDS[3..]].concat());
    stage.dispatch(8);
    assert!(stage.row("T-2")["question"].as_str().unwrap().starts_with("Bash: git tag -d"), "{}", stage.row("T-2"));
    stage.autodo(&["answer", "T-2", "allow"]).ok();
    stage.dispatch(0);
    stage.is_proven("T-2", &["work"]);
    // No file of the agent, the user or the repository holds it.
    assert!(!stage.worktree("T-1").join(".claude").exists());
    assert!(!stage.world.root().join("home/.codex/rules").exists());
}

fn an_answer_to_a_dialog_that_is_gone_is_refused(agent: Agent) {
    let stage = stage(agent, RULES);
    ticket(&stage, "T-1", &["git tag -f extra"]);
    stage.dispatch(8);
    stage.keys("T-1", &["Escape"]);
    stage.wait("the dialog to go", || {
        let screen = stage.screen("T-1").to_lowercase();
        (screen.contains("interrupted") && !screen.contains("1. yes")).then_some(())
    });
    for word in ["always", "allow"] {
        let said = stage.autodo(&["answer", "T-1", word]).code(1);
        assert!(said.both().contains("the screen has changed"), "{}", said.both());
    }
    assert_eq!(stage.git("T-1", &["tag"]), "");
    assert!(!stage.autodo(&["config", "permissions"]).ok().stdout.contains("extra"));
}

/// A profile over that of Claude Code, with these settings for each launch.
fn claude_with(name: &str, tables: &str) -> Stage {
    let stage = Stage::with(Agent::Claude, Allowed::Nothing, true);
    let profile = format!("version = 1\nname = \"{name}\"\nextends = \"claude\"\n{tables}\n");
    std::fs::write(stage.world.home().join(format!("profiles/{name}.toml")), profile).unwrap();
    let settings = format!("version = 1\nprofile = \"{name}\"\nchecks = []\npermissions = [{RULES}]\n");
    stage.repo.settings(&settings);
    stage
}

mod claude_alone {
    #[test]
    fn a_hook_that_is_not_there_lets_nothing_through() {
        let broken = r#"[{ hooks = [{ type = "command", command = "/nowhere/hook", timeout = 20 }] }]"#;
        let stage = super::claude_with("broken", &format!("[launch.settings.hooks]\nPermissionRequest = {broken}"));
        super::ticket(&stage, "T-1", &["git tag -f extra"]);
        stage.dispatch(8);
        assert_eq!(stage.status("T-1"), "blocked permission null", "{}", stage.model.story());
        assert_eq!(stage.git("T-1", &["tag"]), "");
    }

    #[test]
    fn rules_hold_from_the_screen_alone_where_hooks_are_off() {
        let off = "[permissions]\nhook = false\n[launch.settings]\ndisableAllHooks = true";
        let stage = super::claude_with("off", off);
        super::ticket(&stage, "T-1", &super::COMMANDS);
        stage.dispatch(0);
        stage.is_proven("T-1", &["work"]);
        super::nobody_was_asked(&stage, "T-1");
        assert!(stage.events("T-1", "reported").iter().all(|event| event["report"]["kind"] != "hook"));
    }
}
