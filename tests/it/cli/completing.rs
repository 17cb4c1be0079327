//! Completions, as a real bash gets them.

use crate::support::{desk::Desk, program::Run};

/// One ticket that asks, one up for review, one queued behind the first.
fn morning() -> Desk {
    let desk = Desk::new();
    desk.asking("T-1", "");
    desk.ticket("T-2", "", "echo b > b.txt");
    desk.ticket("U-3", "after: [T-1]", "echo c > c.txt");
    desk.autodo(&["dispatch"]).code(8);
    desk
}

/// What bash offers where `line` has been typed, the last word included: one line for each.
fn offered(desk: &Desk, words: &[&str]) -> Vec<String> {
    let run = asked(desk, words);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.both());
    run.stdout.lines().map(str::to_owned).collect()
}

fn asked(desk: &Desk, words: &[&str]) -> Run {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_autodo")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = r#"
        source <(autodo completions bash) || exit 9
        COMP_WORDS=(autodo "$@"); COMP_CWORD=$#; COMP_TYPE=9
        function=$(complete -p autodo | sed 's/.*-F \([^ ]*\).*/\1/')
        "$function" autodo "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        for word in "${COMPREPLY[@]}"; do echo "$word"; done
    "#;
    let mut all = vec!["--norc", "-c", script, "bash"];
    all.extend(words);
    desk.world.program("bash", &all).in_dir(&desk.repo).env("PATH", path).run()
}

#[test]
fn a_verb_is_offered_the_tickets_that_it_can_do_something_with() {
    let desk = morning();
    assert_eq!(offered(&desk, &["show", ""]), ["T-1", "T-2", "U-3"]);
    assert_eq!(offered(&desk, &["show", "T"]), ["T-1", "T-2"]);
    assert_eq!(offered(&desk, &["answer", ""]), ["T-1"]);
    assert_eq!(offered(&desk, &["approve", ""]), ["T-2"]);
    assert_eq!(offered(&desk, &["wait", ""]), ["U-3"]);
    assert_eq!(offered(&desk, &["logs", "-f", "U"]), ["U-3"]);
    assert_eq!(offered(&desk, &["add", "x", "--after", "U"]), ["U-3"]);
    desk.autodo(&["stop", "U-3"]).ok();
    assert_eq!(offered(&desk, &["resume", ""]), ["U-3"]);
}

#[test]
fn a_ticket_that_stands_on_the_line_is_not_offered_again() {
    let desk = morning();
    assert_eq!(offered(&desk, &["retry", "T-1", "T"]), ["T-2"]);
    assert_eq!(offered(&desk, &["retry", "T-1", "T-2", "T"]), Vec::<String>::new());
    // But the one that is being typed is, so that the shell knows it to be whole.
    assert_eq!(offered(&desk, &["retry", "T-1"]), ["T-1"]);
}

#[test]
fn verbs_options_profiles_words_and_files_are_offered() {
    let desk = morning();
    assert_eq!(offered(&desk, &["comp"]), ["completions"]);
    let options = offered(&desk, &["list", "--"]);
    assert!(options.contains(&"--watch".to_owned()) && options.contains(&"--json".to_owned()), "{options:?}");
    assert_eq!(offered(&desk, &["add", "x", "--profile", "s"]), ["script"]);
    super::user_profile(&desk.world, "mine", &super::profile_text("mine", "sh"));
    assert_eq!(offered(&desk, &["profile", "show", "m"]), ["mine"]);
    assert_eq!(offered(&desk, &["review", "T-2", "--tier", "m"]), ["medium"]);
    assert_eq!(offered(&desk, &["answer", "T-1", ""]), ["allow", "deny", "always"]);
    assert_eq!(offered(&desk, &["dispatch", "U"]), ["U-3"]);
    assert_eq!(offered(&desk, &["completions", "f"]), ["fish"]);
}

#[test]
fn another_home_has_other_tickets_and_what_is_not_there_has_none_and_is_not_made() {
    let desk = morning();
    let root = desk.world.root().to_str().unwrap().to_owned();
    let home = desk.world.home();
    let elsewhere = format!("{root}/elsewhere");
    assert_eq!(offered(&desk, &["--home", home.to_str().unwrap(), "approve", ""]), ["T-2"]);
    let left = offered(&desk, &["--home", &elsewhere, "approve", "T"]);
    assert_eq!(left, Vec::<String>::new());
    assert!(!std::path::Path::new(&elsewhere).exists());
}

#[test]
fn books_that_cannot_be_read_offer_nothing_and_say_nothing() {
    let desk = morning();
    for file in ["list.jsonl", "queue.toml", "journal.jsonl"] {
        std::fs::write(desk.world.home().join(file), "\u{0}rubbish").unwrap();
    }
    assert_eq!(offered(&desk, &["show", "T"]), Vec::<String>::new());
}

#[test]
fn a_title_is_help_where_the_shell_shows_it_and_steers_no_terminal() {
    let desk = morning();
    let title = "title: \"red\u{202e} turned\"";
    desk.repo.ticket("V-1", title, "## Run\n\n```sh\ntrue\n```\n");
    desk.autodo(&["import"]).ok();
    let run = desk.command(&["--", "autodo", "show", "V"]).env("_AUTODO_COMPLETE", "fish").run().ok();
    let line = run.stdout.lines().next().unwrap();
    assert!(line.starts_with("V-1\tqueued · red  turned"), "{line:?}");
    assert!(!line.contains('\u{202e}'), "{line:?}");
    assert_eq!(line.matches('\t').count(), 1, "{line:?}");
}

#[test]
fn a_shell_that_is_not_known_gets_no_words_and_runs_nothing() {
    let desk = Desk::new();
    for shell in ["tcsh", "0"] {
        let run = desk.command(&["--", "autodo", "show", ""]).env("_AUTODO_COMPLETE", shell).run().ok();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""), "{shell}");
    }
}

#[test]
fn every_shell_has_a_script_and_is_told_every_verb() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = desk.autodo(&["completions", shell]).ok().stdout;
        assert!(script.contains("_AUTODO_COMPLETE") && script.contains("autodo"), "{shell}: {script}");
        let asked = desk.command(&["--", "autodo", ""]).env("_AUTODO_COMPLETE", shell).env("_CLAP_COMPLETE_INDEX", "1");
        let words = asked.env("_CLAP_IFS", "\n").run().ok().stdout;
        for verb in ["dispatch", "approve-low", "doctor"] {
            assert!(words.lines().any(|word| word.starts_with(verb)), "{shell}: {verb} in {words}");
        }
    }
    assert!(desk.autodo(&["completions", "nosuch"]).code(2).stderr.contains("bash"));
}
