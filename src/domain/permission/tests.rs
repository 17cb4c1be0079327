//! What rules match, and what they never match.

use proptest::prelude::*;

use super::*;

fn command(line: &str) -> Asked {
    let input = serde_json::json!({ "command": line }).to_string();
    let subject = Some(Subject::Command { line: line.into(), unclear: false });
    Asked { tool: "Bash".into(), input, subject, ..Asked::default() }
}

fn path(path: &str, inside: Option<&str>) -> Asked {
    let subject = Some(Subject::Path { path: path.into(), inside: inside.map(str::to_owned) });
    Asked { tool: "Edit".into(), input: "{}".into(), subject, ..Asked::default() }
}

fn inside(name: &str) -> Asked {
    path(&format!("/w/{name}"), Some(name))
}

fn other(tool: &str, input: &str) -> Asked {
    Asked { tool: tool.into(), input: input.into(), subject: Some(Subject::Input), ..Asked::default() }
}

fn rule(text: &str) -> Rule {
    Rule::parse(text).unwrap()
}

#[test]
fn an_allow_for_a_command_wants_exactly_its_words() {
    let table = [
        ("allow Bash cargo test", "cargo test", true),
        ("allow Bash cargo test", "  cargo   test ", true),
        ("allow Bash cargo test", "cargo 'test'", true),
        ("allow Bash cargo test", "ca\"rgo\" test", true),
        ("allow Bash cargo test", "cargo test --all", false),
        ("allow Bash cargo test", "cargo", false),
        ("allow Bash cargo test", "/usr/bin/cargo test", false),
        ("allow Bash cargo test", "Cargo test", false),
        ("allow Bash cargo test *", "cargo test", true),
        ("allow Bash cargo test *", "cargo test --all -- --nocapture", true),
        ("allow Bash cargo test *", "cargo testing", false),
        ("allow Bash *", "anything at all", true),
        ("allow Bash", "anything at all", true),
        ("allow Bash *", "", false),
        ("allow Bash *", "a b | c", false),
        ("allow Bash", "a b | c", false),
        ("allow Bash git commit -m 'two words'", "git commit -m \"two words\"", true),
        ("allow Bash git commit -m 'two words'", "git commit -m two words", false),
        ("allow Bash ls '*'", "ls '*'", true),
        ("allow Bash ls '*'", "ls *", false),
        ("allow Bash ls '*'", "ls a", false),
        ("allow Bash ls *.rs", "ls a.rs", false),
        ("allow bash cargo test", "cargo test", false),
        ("allow * ", "cargo test", true),
        ("allow Bash printf ''", "printf ''", true),
        ("allow Bash printf ''", "printf", false),
    ];
    for (text, line, expected) in table {
        assert_eq!(rule(text).matches(&command(line)), expected, "{text} / {line}");
    }
}

#[test]
fn what_a_shell_would_not_take_literally_is_never_allowed() {
    for line in [
        "cargo test; rm -rf /",
        "cargo test && rm x",
        "cargo test || rm x",
        "cargo test | sh",
        "cargo test & rm x",
        "cargo test &",
        "cargo test\nrm x",
        "cargo test\r\nrm x",
        "cargo test > out",
        "cargo test < in",
        "cargo test 2>&1",
        "cargo test $(rm x)",
        "cargo test `rm x`",
        "cargo test $HOME",
        "cargo test \"$HOME\"",
        "cargo test \"`rm x`\"",
        "cargo test \"a\\\" ; rm x\"",
        "cargo test *",
        "cargo test a?",
        "cargo test [ab]",
        "cargo test {a,b}",
        "cargo test ~",
        "cargo test ~/x",
        "X=1 cargo test",
        "PATH=/tmp cargo test",
        "'X=1' cargo test",
        "(cargo test)",
        "{ cargo test; }",
        "! cargo test",
        "cargo test #",
        "cargo test \\",
        "cargo test 'open",
        "cargo test \"open",
        "cargo\ttest",
        "cargo test \0",
        "cargo test \u{1b}[A",
        "cargo test =ls",
        "cargo test é",
        "cargo test ^x",
        "'' cargo test",
        "cargo test \"!x\"",
    ] {
        for text in ["allow Bash cargo test *", "allow Bash *", "allow Bash", "allow *"] {
            assert!(!rule(text).matches(&command(line)), "{text} / {line:?}");
        }
        assert_eq!(command(line).exact_rule(), None, "{line:?}");
    }
}

#[test]
fn a_command_outside_the_worktree_is_never_allowed() {
    let mut asked = command("cargo test");
    asked.subject = Some(Subject::Command { line: "cargo test".into(), unclear: true });
    assert!(!rule("allow Bash cargo test").matches(&asked));
    assert!(!rule("allow *").matches(&asked));
    assert!(rule("deny Bash cargo *").matches(&asked));
    assert_eq!(asked.exact_rule(), None);
}

#[test]
fn a_deny_matches_wherever_such_a_command_may_stand() {
    for line in [
        "git push",
        "git push --force",
        "cd x && git push",
        "git push; ls",
        "ls\ngit push",
        "(git push)",
        "echo $(git push)",
        "echo `git push`",
        "sh -c 'git push'",
        "bash -c \"git push --force\"",
        "env A=1 git push",
        "/usr/bin/git push",
        "g'i't push",
        "\\git push",
        "git \\\n push",
        "git push>log",
        "git 'push'",
        "true|git push",
        "sudo git push",
        "git\tpush",
    ] {
        assert!(rule("deny Bash git push *").matches(&command(line)), "{line:?}");
        assert!(rule("ask Bash git push *").matches(&command(line)), "{line:?}");
    }
    for line in ["git pull", "git status push", "legit push", "git -C push", ""] {
        assert!(!rule("deny Bash git push *").matches(&command(line)), "{line:?}");
    }
    for (line, expected) in [
        ("git push", true),
        ("git push && ls", true),
        ("sh -c 'git push' x", true),
        ("git push 2>&1", true),
        ("git push origin", false),
        ("git push --force; ls", false),
    ] {
        assert_eq!(rule("deny Bash git push").matches(&command(line)), expected, "{line:?}");
    }
    assert!(rule("deny Bash rm *.rs").matches(&command("rm a.rs")));
    assert!(rule("deny Bash").matches(&command("")));
}

#[test]
fn an_allow_for_a_path_stays_inside_the_worktree() {
    let table = [
        ("allow Edit src/**", inside("src/a/b.rs"), true),
        ("allow Edit src/**", inside("srcs/a.rs"), false),
        ("allow Edit src/*", inside("src/a/b.rs"), false),
        ("allow Edit src/a.rs", inside("src/a.rs"), true),
        ("allow Edit 'src/a*.rs'", inside("src/ab.rs"), false),
        ("allow Edit 'src/a*.rs'", inside("src/a*.rs"), true),
        ("allow Edit", inside("src/a.rs"), true),
        ("allow *", inside("src/a.rs"), true),
        ("allow Edit **", path("/etc/passwd", None), false),
        ("allow Edit /etc/**", path("/etc/passwd", None), false),
        ("allow Edit", path("/etc/passwd", None), false),
        ("allow *", path("../x", None), false),
        ("allow Edit **", path("src/../../x", Some("src/../../x")), false),
        ("allow Edit **", path("", Some("")), false),
        // No wildcard stands for what steers git, the agents, or other programs.
        ("allow Edit **", inside(".git"), false),
        ("allow Edit **", inside(".claude/settings.json"), false),
        ("allow Edit", inside("a/.env"), false),
        ("allow Edit .github/**", inside(".github/workflows/a.yml"), true),
        ("allow Edit .github/**", inside(".github/.git/config"), false),
    ];
    for (text, asked, expected) in table {
        assert_eq!(rule(text).matches(&asked), expected, "{text} / {asked:?}");
    }
}

#[test]
fn a_deny_for_a_path_matches_as_written_and_as_meant() {
    let table = [
        ("deny Edit src/**", inside("src/a.rs"), true),
        ("deny Edit src/**", path("/w/x/../src/a.rs", Some("src/a.rs")), true),
        ("deny Edit /etc/**", path("/etc/passwd", None), true),
        ("deny Edit /etc/**", path("/usr/../etc/passwd", None), true),
        ("deny Edit **/.ssh/**", path("/home/u/.ssh/id", None), true),
        ("deny Edit *", path("/etc/passwd", None), true),
        ("deny Edit docs/**", inside("src/a.rs"), false),
    ];
    for (text, asked, expected) in table {
        assert_eq!(rule(text).matches(&asked), expected, "{text} / {asked:?}");
    }
}

#[test]
fn other_tools_are_known_by_name_or_by_their_whole_input() {
    let asked = other("mcp__x__y", r#"{"a":1,"b":"two"}"#);
    for (text, expected) in [
        ("allow mcp__x__y", true),
        ("allow *", true),
        ("allow mcp__x__z", false),
        (r#"allow mcp__x__y = {"b":"two","a":1}"#, true),
        (r#"allow mcp__x__y = {"a":1}"#, false),
        ("allow mcp__x__y two", false),
    ] {
        assert_eq!(rule(text).matches(&asked), expected, "{text}");
    }
    // What no rule may answer, and what is cut.
    let question = Asked { subject: None, ..asked };
    assert!(["allow *", "deny *", "ask *"].iter().all(|text| !rule(text).matches(&question)));
    assert_eq!(other("WebFetch", r#"{"url":"http"#).exact_rule(), None);
}

#[test]
fn the_first_rule_decides_and_a_forbidden_thing_stays_forbidden() {
    let policy = |live: &[&str], frozen: &[&str]| Policy::of(live.iter().copied(), frozen.iter().copied()).unwrap();
    let says = |policy: &Policy, line: &str| {
        let (verdict, rule) = decide(policy, &command(line));
        format!("{} {}", verdict.word(), rule.map(ToString::to_string).unwrap_or_default())
    };
    let frozen = ["allow Bash git status", "deny Bash git *", "allow Bash npm *", "ask Bash npm install *"];
    let none = policy(&[], &frozen);
    assert_eq!(says(&none, "git status"), "allow allow Bash git status");
    assert_eq!(says(&none, "git push"), "deny deny Bash git *");
    assert_eq!(says(&none, "git status && git push"), "deny deny Bash git *");
    assert_eq!(says(&none, "npm install x"), "allow allow Bash npm *");
    assert_eq!(says(&none, "cargo test"), "ask ");
    let live = policy(&["allow Bash git push", "deny Bash npm *", "allow Bash cargo test"], &frozen);
    assert_eq!(says(&live, "git push"), "deny deny Bash git *");
    assert_eq!(says(&live, "npm test"), "deny deny Bash npm *");
    assert_eq!(says(&live, "cargo test"), "allow allow Bash cargo test");
    let asks = policy(&["allow Bash cargo test"], &["ask Bash cargo *"]);
    assert_eq!(says(&asks, "cargo test"), "allow allow Bash cargo test");
    assert_eq!(says(&asks, "cargo build"), "ask ask Bash cargo *");
}

#[test]
fn what_is_no_rule_is_named() {
    for (text, says) in [
        ("", "expected allow, deny or ask"),
        ("permit Bash ls", "found \"permit\""),
        ("allow", "the name of a tool"),
        ("allow Ba$h ls", "the name of a tool"),
        ("allow * ls", "nothing can follow it"),
        ("allow Bash 'ls", "a quote is not closed"),
        ("allow Bash a\\ b", "a backslash"),
        ("allow Bash a && b", "can never match \"&&\""),
        ("allow Bash echo $HOME", "can never match \"$HOME\""),
        ("allow X = {", "as JSON"),
        ("allow Bash a\nallow Bash b", "one line"),
    ] {
        let error = Rule::parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text:?}: {error}");
    }
    assert_eq!(rule("  deny  Bash rm -rf $HOME ").to_string(), "deny  Bash rm -rf $HOME");
}

#[test]
fn an_exact_rule_allows_this_request_and_no_other() {
    let exact = |asked: &Asked| asked.exact_rule().map(|rule| rule.to_string());
    assert_eq!(exact(&command("npm install left-pad")).unwrap(), "allow Bash npm install left-pad");
    assert_eq!(exact(&command("git commit -m 'a  b' \"it's\"")).unwrap(), "allow Bash git commit -m 'a  b' \"it's\"");
    assert_eq!(exact(&command("ls '*'")).unwrap(), "allow Bash ls '*'");
    assert_eq!(exact(&inside("src/a b.rs")).unwrap(), "allow Edit 'src/a b.rs'");
    assert_eq!(exact(&inside("src/*.rs")).unwrap(), "allow Edit 'src/*.rs'");
    assert_eq!(exact(&inside(".github/a.yml")).unwrap(), "allow Edit .github/a.yml");
    assert_eq!(exact(&path("/etc/passwd", None)), None);
    let fetch = other("WebFetch", r#"{"url":"http://x","prompt":"what?"}"#);
    assert_eq!(exact(&fetch).unwrap(), r#"allow WebFetch = {"url":"http://x","prompt":"what?"}"#);
    assert_eq!(exact(&other("Odd name", "{}")), None);
    assert_eq!(exact(&command("a | b")), None);
}

#[test]
fn a_dialog_is_about_the_request_whose_beginning_it_shows() {
    assert!(command("npm install left-pad").may_be("Bash command\n\n   npm install\n   left-pad"));
    assert!(!command("npm install left-pad").may_be("Bash command\n\n   rm -rf node_modules"));
    assert!(inside("src/a.rs").may_be(" Edit file\n src/a.rs"));
    assert!(!inside("src/a.rs").may_be(" Edit file\n src/b.rs"));
}

/// What means something to a shell outside quotes.
const META: &str = ";&|<>()$`\\\n\r*?[]{}~#!^\t";

proptest! {
    #[test]
    fn no_metacharacter_outside_quotes_is_ever_allowed(
        before in "[a-z]{1,5}( [a-z-]{1,5}){0,2}( '[a-z;|& ]{0,6}')?", meta in proptest::sample::select(META.chars().collect::<Vec<_>>()),
        gap in " ?", after in "[a-z ]{0,8}",
    ) {
        let line = format!("{before}{gap}{meta}{after}");
        for text in ["allow Bash *", "allow Bash", "allow *"] {
            prop_assert!(!rule(text).matches(&command(&line)), "{}", line);
        }
        prop_assert_eq!(command(&line).exact_rule(), None);
    }

    #[test]
    fn an_allowed_line_is_what_a_shell_would_run(line in "[a-c '\";|&$`\\\\*=~#!\n]{0,14}") {
        // The words that rules compare, written anew by another way of quoting, are the same words to the parser.
        if let Some(words) = shell::simple(&line) {
            let again = words.iter().map(|w| format!("'{}'", w.replace('\'', "'\"'\"'"))).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(shell::simple(&again), Some(words), "{}", line);
        }
    }

    #[test]
    fn any_text_is_a_rule_or_none_and_matches_or_not(text in any::<String>(), rest in "(allow|deny|ask) [A-Za-z*]{1,4} .{0,20}", line in any::<String>()) {
        for text in [text, rest] {
            if let Ok(rule) = Rule::parse(&text) {
                for asked in [command(&line), path(&line, Some(&line)), other("Bash", &line)] {
                    let _ = (rule.matches(&asked), asked.exact_rule(), asked.may_be(&line), asked.words());
                }
            }
        }
    }

    #[test]
    fn an_exact_rule_matches_its_own_request_and_not_a_longer_one(line in "[a-d]{1,4}( [a-d'\"]{1,6}){0,3}") {
        let asked = command(&line);
        if let Some(exact) = asked.exact_rule() {
            prop_assert!(exact.matches(&asked));
            let longer = command(&format!("{line} more"));
            prop_assert!(!exact.matches(&longer));
            prop_assert_eq!(Rule::parse(&exact.to_string()).unwrap(), exact);
        }
    }
}
