//! `wait`; and lists that are empty, of one project, or hold what an agent wrote.

use insta::assert_snapshot;

use crate::support::desk::Desk;

#[test]
fn a_list_can_be_of_one_project_and_of_the_archive_too() {
    let desk = Desk::new();
    let other = desk.world.repo("other");
    other.settings("version = 1\nprofile = \"script\"\nchecks = []\n");
    desk.ticket("T-1", "", "echo a > a.txt");
    other.ticket("X-1", "title: Elsewhere", "## Run\n\n```sh\ntrue\n```\n");
    desk.autodo(&["import"]).ok();
    desk.world.autodo_in(&other, &["import"]).ok();
    desk.autodo(&["cancel", "T-1"]).ok();
    assert_snapshot!(desk.tell(&["list"]), @r"
    X-1   queued             -  0L 0M 0H    Elsewhere
    T-1   cancelled          -  0L 0M 0H    Ticket T-1
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["list", "--here"]), @r"
    T-1   cancelled          -  0L 0M 0H    Ticket T-1
    --- exit 0
    ");
    desk.autodo(&["clean", "T-1"]).ok();
    assert_snapshot!(desk.tell(&["list", "--here"]), @r#"
    --- stderr
    there are no tickets yet
    hint: autodo add "title" takes one; autodo dispatch takes a folder of them and starts
    --- exit 0
    "#);
    assert_snapshot!(desk.tell(&["list", "--here", "--all"]), @r"
    T-1   cancelled          -  0L 0M 0H    Ticket T-1
    --- exit 0
    ");
    let outside = desk.world.root().join("tmp");
    assert_snapshot!(desk.redacted(&desk.world.autodo_in(outside, &["list", "--here"])), @r"
    --- stderr
    error: <world>/tmp is in no git repository
    hint: go to your project first, or make it one: git init
    --- exit 2
    ");
}

#[test]
fn waiting_ends_where_a_person_or_nobody_goes_on() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.held("T-2", "", "echo b > b.txt");
    desk.asking("T-3", "");
    let mut supervisor = desk.supervisor(&["--parallel", "3"]);
    desk.until_at_work("T-2");
    assert_snapshot!(desk.tell(&["wait", "T-1"]), @r"
    T-1: needs_review
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["wait", "T-3"]), @r"
    T-3: blocked (question)
    --- exit 8
    ");
    assert_snapshot!(desk.tell(&["wait", "T-2", "--timeout", "0s"]), @r"
    --- stderr
    error: waited 0s in vain for T-2 (running)
    hint: autodo list shows where they are
    --- exit 1
    ");
    let waiting = desk.spawn(&["wait", "T-2", "T-1"]);
    desk.let_go("T-2");
    let waited = waiting.wait(crate::support::PATIENCE).ok();
    assert!(waited.stdout.contains("T-2: needs_review\n") && waited.stdout.contains("T-1: needs_review\n"));
    crate::support::wait_for(
        "the supervisor's end",
        || (!supervisor.is_running()).then_some(()),
        || desk.world.story(),
    );
    assert_snapshot!(desk.tell(&["wait", "nope"]), @r#"
    --- stderr
    error: there is no ticket "nope" in the queue
    hint: autodo list shows them; autodo list --all also those that are archived
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["wait", "T-1", "--timeout", "soon"]), @r#"
    --- stderr
    error: --timeout "soon": "soon" is not a duration such as 45s, 90m, 2h30m or a number of seconds
    hint: for example --timeout 90m
    --- exit 2
    "#);
    desk.ticket("T-4", "", "true");
    desk.autodo(&["import"]).ok();
    assert_snapshot!(desk.tell(&["wait", "T-4", "--timeout", "2s"]), @r"
    --- stderr
    note: no supervisor runs: what is waited for goes on only when one does
    hint: autodo dispatch --detach starts one; autodo tick looks once
    error: waited 2s in vain for T-4 (queued)
    hint: autodo list shows where they are
    --- exit 1
    ");
    desk.autodo(&["cancel", "T-4"]).ok();
    desk.autodo(&["clean", "T-4"]).ok();
    assert_snapshot!(desk.tell(&["wait", "T-4"]), @r"
    T-4: cancelled
    --- exit 0
    ");
}

#[test]
fn an_empty_queue_is_no_error() {
    let desk = Desk::new();
    for args in [&["list"][..], &["summary"], &["stop", "--all"], &["approve-low"], &["resume", "--all"]] {
        let run = desk.autodo(args).ok();
        assert!(!run.both().is_empty());
    }
    assert_eq!(desk.autodo(&["list", "--json"]).ok().json(), serde_json::json!({"version": 1, "tickets": []}));
    assert_snapshot!(desk.tell(&["list"]), @r#"
    --- stderr
    there are no tickets yet
    hint: autodo add "title" takes one; autodo dispatch takes a folder of them and starts
    --- exit 0
    "#);
    assert_snapshot!(desk.tell(&["summary"]), @r#"
    --- stderr
    there are no tickets
    hint: autodo add "title" takes one; autodo dispatch takes a folder of them and starts
    --- exit 0
    "#);
}

#[test]
fn what_an_agent_wrote_does_not_steer_the_terminal() {
    let desk = Desk::new();
    desk.ticket(
        "T-1",
        "",
        "\"$AUTODO_BIN\" report blocked --question \"$(printf 'a\\033]0;owned\\007b\\nc\\342\\200\\256d')\"; sleep 60",
    );
    desk.autodo(&["dispatch"]).code(8);
    for args in [&["list"][..], &["show", "T-1"], &["summary"]] {
        let said = desk.autodo(args).ok().both();
        assert!(!said.chars().any(|c| c == '\u{1b}' || c == '\u{7}' || c == '\u{202e}'), "{said:?}");
    }
    desk.autodo(&["cancel", "T-1"]).ok();
}
