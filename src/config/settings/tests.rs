//! Tests of the settings: layers, origins, refusals, and what is frozen.

use std::path::PathBuf;

use super::*;
use crate::{
    config::layer::{FileLayer, Flag},
    domain::id::TicketId,
};

/// True for the settings that no project can set.
fn is_the_users(name: &str) -> bool {
    let is_below = |section: &str| name.starts_with(section) && name != "notify.todo";
    is_below("notify.") || is_below("heavy.") || name == "preflight.quota"
}

fn file(whose: FileLayer, text: &str) -> Layer {
    let path = match whose {
        FileLayer::User => "home/config.toml",
        FileLayer::Project => ".autodo/config.toml",
    };
    Layer::File { whose, path: PathBuf::from(path), text: text.to_owned() }
}

fn project(text: &str) -> Layer {
    file(FileLayer::Project, text)
}

fn variables(pairs: &[(&str, &str)]) -> Layer {
    Layer::Variables(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
}

fn flag(flag: &str, name: &str, text: &str) -> Layer {
    Layer::Flags(vec![Flag { flag: flag.to_owned(), name: name.to_owned(), text: text.to_owned() }])
}

fn refused(layer: Layer) -> Vec<String> {
    Settings::load(&[layer]).unwrap_err().iter().map(ToString::to_string).collect()
}

fn ticket() -> Ticket {
    Ticket {
        id: TicketId::parse("T-1").unwrap(),
        title: "t".to_owned(),
        body: String::new(),
        priority: 3,
        after: Vec::new(),
        profile: None,
        labels: Vec::new(),
        accept: vec!["true".to_owned()],
        limit_s: None,
        budget: None,
        unattended: true,
    }
}

#[test]
fn every_row_of_the_table_fits_its_type() {
    let settings = Settings::load(&[]).unwrap();
    assert_eq!(settings.entries().len(), TABLE.len());
    assert!(settings.entries().iter().all(|e| e.origin == Origin::BuiltIn));
}

#[test]
fn names_and_variables_are_unique() {
    for (i, a) in TABLE.iter().enumerate() {
        for b in &TABLE[i + 1..] {
            assert_ne!(a.name, b.name);
            assert_ne!(a.variable(), b.variable());
        }
        assert!(!a.doc.trim().is_empty(), "{}", a.name);
        assert_eq!((a.built_in)() == Value::Unset, a.otherwise.is_some(), "{} says what holds while unset", a.name);
    }
}

#[test]
fn every_setting_can_be_set_in_a_file_and_by_its_variable() {
    for row in TABLE {
        let (toml, word) = match row.kind {
            Kind::Text => ("\"x\"", "x"),
            Kind::Path => ("\"../x\"", "../x"),
            Kind::Number { .. } => ("7", "7"),
            Kind::Span { .. } => ("\"2m\"", "2m"),
            Kind::Usd => ("\"2.50\"", "$2.5"),
            Kind::Switch => ("false", "false"),
            Kind::List => ("[\"x y\"]", "x y"),
            Kind::Rules => ("[\"ask x\"]", "ask x"),
        };
        let (whose, path) = match is_the_users(row.name) {
            true => (FileLayer::User, "home/config.toml:1"),
            false => (FileLayer::Project, ".autodo/config.toml:1"),
        };
        let of = |layer: Layer| {
            Settings::load(&[layer]).unwrap().entries().into_iter().find(|e| e.name == row.name).unwrap()
        };
        let (in_file, by_variable) =
            (of(file(whose, &format!("{} = {toml}\n", row.name))), of(variables(&[(&row.variable(), word)])));
        assert_eq!(in_file.value.as_deref(), Some(toml), "{}", row.name);
        assert_eq!(by_variable.value, in_file.value, "{}", row.name);
        assert_eq!(by_variable.origin, Origin::Variable(row.variable()));
        assert_eq!(in_file.origin.to_string(), path);
    }
}

#[test]
fn a_project_says_nothing_about_where_a_users_messages_and_secrets_go() {
    for row in TABLE.iter().filter(|row| is_the_users(row.name)) {
        let said = refused(project(&format!("{} = \"x\"\n", row.name)));
        assert!(said[0].contains("a project cannot set this"), "{}: {said:?}", row.name);
    }
    assert!(Settings::load(&[project("notify.todo = true\n")]).unwrap().notify_todo.value);
}

#[test]
fn a_bad_rule_is_refused_with_a_caret_under_it() {
    let text = "permissions = [\n  \"allow Bash ls\",\n  \"alow Bash rm\",\n]\n";
    let problems = Settings::load(&[project(text)]).unwrap_err();
    let said = problems[0].to_string();
    assert!(said.starts_with(".autodo/config.toml:3:3: permissions: expected allow, deny or ask"), "{said}");
    assert!(said.ends_with("    |   ^^^^^^^^^^^^^^"), "{said}");
    let problems = Settings::load(&[variables(&[("AUTODO_PERMISSIONS", "allow")])]).unwrap_err();
    assert!(problems[0].to_string().contains("the name of a tool"), "{}", problems[0]);
}

#[test]
fn a_stronger_layer_replaces_a_weaker_one_value_by_value() {
    let layers = [
        file(FileLayer::User, "profile = \"claude\"\nparallel = 2\nchecks = [\"a\", \"b\"]\nkeep_blocked = 1\n"),
        project("version = 1\n\nparallel = 3\nchecks = [\"c\"]\n[limits]\nrun = \"1h\"\n"),
        variables(&[("AUTODO_PARALLEL", "4"), ("PATH", "/bin"), ("AUTODO_HOME", "/h"), ("AUTODO_RUN", "T-1/1")]),
        flag("--parallel", "parallel", "5"),
    ];
    let load = |n: usize| Settings::load(&layers[..n]).unwrap();
    let parallel = |n: usize| (load(n).parallel.value, load(n).parallel.origin.to_string());
    assert_eq!(parallel(0), (None, "built-in".to_owned()));
    assert_eq!(parallel(1), (Some(2), "home/config.toml:2".to_owned()));
    assert_eq!(parallel(2), (Some(3), ".autodo/config.toml:3".to_owned()));
    assert_eq!(parallel(3), (Some(4), "AUTODO_PARALLEL".to_owned()));
    assert_eq!(parallel(4), (Some(5), "--parallel".to_owned()));
    let all = load(4);
    assert_eq!(all.checks.value, Some(vec!["c".to_owned()]));
    assert_eq!(all.profile.value, "claude");
    assert_eq!(all.keep_blocked.value, 1);
    assert_eq!(all.limits_run.value, Some(Seconds(3600)));
    assert_eq!(all.limits_run.origin.to_string(), ".autodo/config.toml:6");
}

#[test]
fn a_bare_number_is_seconds_as_in_tickets() {
    for text in ["limits.run = 3600", "limits.run = \"3600\"", "limits.run = \"60min\"", "limits.run = 3_600"] {
        assert_eq!(Settings::load(&[project(text)]).unwrap().limits_run.value, Some(Seconds(3600)), "{text}");
    }
}

#[test]
fn no_checks_and_nobody_has_said_are_not_the_same() {
    assert_eq!(Settings::load(&[project("checks = []")]).unwrap().checks.value, Some(Vec::new()));
    assert_eq!(Settings::load(&[project("")]).unwrap().checks.value, None);
}

#[test]
fn a_misspelt_key_is_refused_with_its_place_and_what_was_meant() {
    let expected = ".autodo/config.toml:2:1: unknown setting \"paralel\"; did you mean \"parallel\"?\n  \
                    2 | paralel = 3\n    | ^^^^^^^";
    assert_eq!(refused(project("version = 1\nparalel = 3\n")), [expected]);
    let expected = ".autodo/config.toml:2:1: unknown setting \"limits.runs\"; did you mean \"limits.run\"?\n  \
                    2 | runs = \"1h\"\n    | ^^^^";
    assert_eq!(refused(project("[limits]\nruns = \"1h\"\n")), [expected]);
    assert!(refused(project("[worktre]\ncopy = []\n"))[0].contains("did you mean \"worktree\"?"));
    assert!(refused(project("copy = [\".env\"]"))[0].contains("did you mean \"worktree.copy\"?"));
}

#[test]
fn a_wrong_type_is_refused_with_a_caret_under_the_value() {
    let expected = ".autodo/config.toml:1:12: parallel: expected a whole number from 1 to 1000, found a text\n  \
                    1 | parallel = \"3\"\n    |            ^^^";
    assert_eq!(refused(project("parallel = \"3\"")), [expected]);
    for (text, says) in [
        ("parallel = 0", "from 1 to 1000, found \"0\""),
        ("parallel = -1", "found \"-1\""),
        ("parallel = 0x10000000000", "found \"1099511627776\""),
        ("parallel = 1.5", "found a fraction"),
        ("checks = \"cargo test\"", "expected a list of texts, found a text"),
        ("checks = [1]", "found something else in the list"),
        ("checks = [\" \"]", "found an empty one"),
        ("limits = 3", "expected a table [limits]"),
        ("limits.run = -1", "expected a span of time"),
        ("limits.run = 1.5", "expected a span of time"),
        ("limits.run = \"4000d\"", "expected a span of time"),
        ("limits.backoff = \"6m\"", "from 0s to 5m"),
        ("limits.start = \"0s\"", "from 1s"),
        ("profile = \"\"", "found nothing"),
        ("profile = { a = 1 }", "found a table"),
        ("worktree.root = \"~/x\"", "not expanded"),
    ] {
        let problems = refused(project(text));
        assert!(problems.len() == 1 && problems[0].contains(says), "{text}: {problems:?}");
    }
}

#[test]
fn every_problem_of_every_layer_is_told() {
    let layers = [
        file(FileLayer::User, "paralel = 1\nbase = 1\n"),
        project("checks = 1\n"),
        variables(&[("AUTODO_PARALEL", "1"), ("AUTODO_STAGGER", "soon")]),
        flag("--limit", "limits.run", "x"),
    ];
    let problems = Settings::load(&layers).unwrap_err();
    let mut places: Vec<&str> = problems.iter().map(|p| p.place.as_str()).collect();
    places.dedup();
    assert_eq!(places, ["home/config.toml", ".autodo/config.toml", "AUTODO_PARALEL", "AUTODO_STAGGER", "--limit"]);
    assert_eq!(problems.len(), 6, "{problems:?}");
    assert!(problems[3].message.contains("AUTODO_PARALLEL"), "{}", problems[3]);
}

#[test]
fn a_newer_file_is_refused_and_nothing_else_of_it_is_judged() {
    let problems = refused(project("version = 2\nfuture = true\n"));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("version 2 is newer than this autodo reads (1)"), "{}", problems[0]);
    for odd in ["version = 0", "version = \"1\"", "version = 1.0", "version = 99999999999999999999"] {
        assert_eq!(refused(project(odd)).len(), 1, "{odd}");
    }
    assert!(Settings::load(&[project("version = 0x1")]).is_ok());
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_line() {
    let problems = refused(project("parallel = 3\nchecks = [\"a\"\nbase = \n"));
    assert!(problems.iter().all(|p| p.contains("not valid TOML") && p.contains('^')), "{problems:?}");
    assert!(refused(project("parallel = 1\nparallel = 2\n"))[0].contains(":2:1: not valid TOML"));
}

#[test]
fn frozen_is_ticket_over_settings_over_profile() {
    let profile = Limits { run_s: 100, stall_s: 200, feedback_rounds: 1, resumable: true, ..Limits::default() };
    let text = "checks = [\"c\"]\n[limits]\nrun = \"1h\"\nfeedback_rounds = 5\nafter_reset = \"5m\"\n[worktree]\nroot = \"../wt\"\ncopy = [\".env\"]";
    let settings = Settings::load(&[project(text)]).unwrap();
    let frozen = settings.to_frozen(&ticket(), &profile);
    assert_eq!(frozen.checks, Some(vec!["c".to_owned()]));
    assert_eq!(frozen.accept, ["true"]);
    assert_eq!(frozen.worktree.root, Some(PathBuf::from("../wt")));
    assert_eq!(frozen.worktree.copy, [".env"]);
    let expected = Limits { run_s: 3600, feedback_rounds: 5, after_reset_s: 300, ..profile };
    assert_eq!(frozen.limits, expected);
    let own = Ticket { limit_s: Some(7), ..ticket() };
    assert_eq!(settings.to_frozen(&own, &profile).limits.run_s, 7);
    assert_eq!(Settings::load(&[]).unwrap().to_frozen(&ticket(), &profile).limits, profile);
}

#[test]
fn a_profile_that_takes_no_feedback_gets_none() {
    let deaf = Limits { feedback_rounds: 0, ..Limits::default() };
    let settings = Settings::load(&[project("limits.feedback_rounds = 2")]).unwrap();
    assert_eq!(settings.to_frozen(&ticket(), &deaf).limits.feedback_rounds, 0);
}

proptest::proptest! {
    #[test]
    fn any_text_is_settings_or_problems_never_a_panic(text in ".{0,200}", head in "(parallel|checks|\\[limits\\]\nrun) ?=? ?") {
        for text in [text.clone(), format!("{head}{text}")] {
            if let Err(problems) = Settings::load(&[project(&text), variables(&[("AUTODO_CHECKS", &text)])]) {
                proptest::prop_assert!(!problems.is_empty());
                for problem in problems {
                    proptest::prop_assert!(!problem.to_string().is_empty());
                }
            }
        }
    }
}
