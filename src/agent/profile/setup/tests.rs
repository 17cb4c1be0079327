//! What a profile may say of login and trust, and how the files of the two that do are read.

use std::path::Path;

use crate::agent::profile::{Profile, Trust, builtin};

fn of(name: &str) -> Profile {
    let (file, text) = builtin().iter().find(|(file, _)| *file == format!("{name}.toml")).copied().unwrap();
    Profile::parse(text, file).unwrap()
}

fn trusts(trust: &Trust, file: &str, text: &str) -> Result<bool, String> {
    trust.is_given(file, text, Path::new("/src/a b/p"), Path::new("/src/a b/p.worktrees"))
}

#[test]
fn trust_in_claude_code_is_that_of_the_repository_or_of_a_folder_around_the_worktrees() {
    let trust = of("claude").trust.unwrap();
    let table = [
        (r#"{"projects":{"/src/a b/p":{"hasTrustDialogAccepted":true}}}"#, Ok(true)),
        (r#"{"projects":{"/src/a b/p.worktrees":{"hasTrustDialogAccepted":true}}}"#, Ok(true)),
        (r#"{"projects":{"/src":{"hasTrustDialogAccepted":true}}}"#, Ok(true)),
        (r#"{"projects":{"/src/a":{"hasTrustDialogAccepted":true}}}"#, Ok(false)),
        (r#"{"projects":{"/src/a b/p":{"hasTrustDialogAccepted":false}}}"#, Ok(false)),
        (r#"{"projects":{"/src/a b/p":{"hasTrustDialogAccepted":"true"}}}"#, Ok(false)),
        (r#"{"projects":{"/src/a b/p":{}}}"#, Ok(false)),
        (r#"{"projects":[]}"#, Ok(false)),
        ("{}", Ok(false)),
        ("[]", Ok(false)),
    ];
    for (text, expected) in table {
        assert_eq!(trusts(&trust, "/h/.claude.json", text), expected, "{text}");
    }
    assert!(trusts(&trust, "/h/.claude.json", "{\"projects\":").is_err());
    assert!(trust.fix("/src/a b/p").contains("/src/a b/p"));
}

#[test]
fn trust_in_codex_is_that_of_the_repository_alone() {
    let trust = of("codex").trust.unwrap();
    let table = [
        ("[projects.\"/src/a b/p\"]\ntrust_level = \"trusted\"", Ok(true)),
        ("[projects.\"/src/a b/p\"]\ntrust_level = \"untrusted\"", Ok(false)),
        ("[projects.\"/src\"]\ntrust_level = \"trusted\"", Ok(false)),
        ("[projects.\"/src/a b/p.worktrees\"]\ntrust_level = \"trusted\"", Ok(false)),
        ("", Ok(false)),
    ];
    for (text, expected) in table {
        assert_eq!(trusts(&trust, "/h/config.toml", text), expected, "{text}");
    }
    assert!(trusts(&trust, "/h/config.toml", "[projects").is_err());
}

#[test]
fn the_file_is_where_the_agents_variable_says() {
    let home = |name: &str| (name == "home").then(|| "/h".to_owned());
    let set = |name: &str| match name {
        "home" => Some("/h".to_owned()),
        "$CLAUDE_CONFIG_DIR" | "$CODEX_HOME" => Some("/there".to_owned()),
        _ => None,
    };
    for (name, usual, moved) in
        [("claude", "/h/.claude.json", "/there/.claude.json"), ("codex", "/h/.codex/config.toml", "/there/config.toml")]
    {
        let trust = of(name).trust.unwrap();
        assert_eq!((trust.file(&home).as_deref(), trust.file(&set).as_deref()), (Some(usual), Some(moved)));
        assert_eq!(trust.file(&|_| None), None);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let table = [
        ("[login]\nargv = []\nfix = \"f\"", "`argv` names a program"),
        ("[login]\nargv = [\"a\"]", "missing field `fix`"),
        ("[trust]\nfile = \"{home}/a\"\npath = [\"b\"]\nvalue = true\nfix = \"f\"", "names the {folder}"),
        ("[trust]\nfile = \"{worktree}/a\"\npath = [\"{folder}\"]\nvalue = true\nfix = \"f\"", "placeholder"),
        ("[trust]\nfile = \"{home}/a\"\npath = [\"{home}\"]\nvalue = true\nfix = \"f\"", "placeholder"),
        ("[trust]\nfile = \"{home}/a\"\npath = [\"{folder}\"]\nvalue = 1\nfix = \"f\"", "`value` is a text"),
        ("[trust]\nfile = \"{home}/a\"\npath = [\"{folder}\"]\nvalue = true\nfix = \"{x}\"", "placeholder"),
    ];
    for (text, words) in table {
        let text = format!("version = 1\nname = \"mine\"\nextends = \"generic\"\n{text}\n");
        let error = Profile::parse(&text, "mine.toml").unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("mine.toml:"), "{error}");
    }
}
