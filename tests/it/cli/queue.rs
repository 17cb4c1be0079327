//! Looking at the queue: `list`, `show`, `review`, `diff`, `logs`, `path`, `summary`.

use insta::assert_snapshot;

use crate::support::desk::Desk;

/// One ticket through, one that asks, one that waits for it, one parked.
fn morning() -> Desk {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.asking("T-2", "after: [T-1]");
    desk.ticket("T-3", "after: [T-2]", "echo c > c.txt");
    desk.autodo(&["import"]).ok();
    desk.ticket("T-4", "", "echo d > d.txt");
    desk.autodo(&["import"]).ok();
    desk.autodo(&["stop", "T-4"]).ok();
    desk.autodo(&["dispatch"]).code(8);
    desk
}

#[test]
fn the_queue_is_listed_and_summed_up() {
    let desk = morning();
    assert_snapshot!(desk.tell(&["list"]), @"
    T-1   needs_review      0s  1L 0M 0H    Ticket T-1
    T-2   blocked           0s  1L 0M 0H    Ticket T-2  (question: block 1 failed with exit 1: cat answer || { echo 'Which colo…)
    T-3   queued             -  0L 0M 0H    Ticket T-3  (after T-2)
    T-4   parked             -  0L 0M 0H    Ticket T-4  (stopped)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["summary"]), @r#"
    1 to review, 1 blocked, 1 parked, 1 not started
    0s of work

    To review
      low      T-1  Ticket T-1  (0s, 1L 0M 0H)

    Blocked
      T-2  Ticket T-2  (0s, question)
        block 1 failed with exit 1: cat answer || { echo 'Which colour?'; exit 1; }
        cat: answer: No such file or directory
        Which colour?
        [rerun | skip | start over]

    Parked
      T-4  Ticket T-4  (stopped, until you say so)
        by <user>

    Not started
      T-3  Ticket T-3  (waits for T-2)

    Next
      autodo answer T-2 "…"
      autodo approve-low
      autodo show T-4, then autodo resume T-4 or autodo retry T-4
      autodo dispatch (no supervisor runs)
    --- exit 0
    "#);
    let summary = desk.autodo(&["summary", "--json"]).ok().json();
    assert_eq!(summary["version"], 1);
    assert_eq!(summary["counts"]["blocked"], 1);
    assert_eq!(summary["counts"]["failed"], 0);
    assert_eq!(summary["groups"]["blocked"][0]["id"], "T-2");
    assert_eq!(summary["groups"]["failed"], serde_json::json!([]));
    assert_eq!(summary["groups"]["queued"][0]["waits_for"], "T-2");
    assert_eq!(summary["groups"]["needs_review"][0]["waits_for"], serde_json::Value::Null);
}

#[test]
fn a_line_of_the_list_is_as_other_programs_know_it() {
    let desk = Desk::new();
    desk.ticket("auto-20260219-143022", "title: Refactor resolve.py", "echo a > a.txt");
    desk.repo.ticket("auto-20260219-143022", "title: Refactor resolve.py", "## Run\n\n```sh\necho a > a.txt\n```\n");
    desk.autodo(&["dispatch"]).ok();
    let list = desk.tell(&["list"]);
    assert_eq!(list, "auto-<time>  needs_review      0s  1L 0M 0H    Refactor resolve.py\n--- exit 0");
}

#[test]
fn what_is_not_known_is_null_and_every_key_of_the_contract_is_there() {
    let desk = morning();
    let keys = "id title status reason verified checks_status risk_summary effective_risk flags_count profile run runs \
                branch base worktree session repo project created started ended duration_minutes cost_usd tokens \
                question parked_until attention";
    for id in ["T-1", "T-2", "T-3", "T-4"] {
        let row = desk.row(id);
        for key in keys.split_whitespace() {
            assert!(row.get(key).is_some(), "{id} has no {key}: {row}");
        }
    }
    let (through, asks, waits) = (desk.row("T-1"), desk.row("T-2"), desk.row("T-3"));
    assert_eq!(through["risk_summary"], serde_json::json!({"low": 1, "medium": 0, "high": 0, "blocked": 0}));
    assert_eq!((through["attention"].as_str(), through["session"].as_str()), (Some("review"), None));
    assert_eq!(through["branch"], "autodo/T-1");
    assert_eq!((asks["attention"].as_str(), asks["session"].as_str()), (Some("answer"), Some("ad-T-2")));
    assert!(asks["question"].as_str().unwrap().ends_with("Which colour?"), "{asks}");
    for key in ["run", "branch", "worktree", "session", "started", "ended", "duration_minutes", "verified", "question"]
    {
        assert!(waits[key].is_null(), "{key}: {waits}");
    }
    assert!(asks["duration_minutes"].is_null() && asks["verified"].is_null(), "{asks}");

    let review = desk.autodo(&["review", "T-1", "--json"]).ok().json();
    for key in keys.split_whitespace() {
        assert!(review.get(key).is_some(), "review has no {key}");
    }
    for key in ["decisions", "flags", "checks", "files", "evidence", "risk_sources"] {
        assert!(review[key].is_array(), "{key}: {review}");
    }
    assert_eq!(review["version"], 1);
    assert_eq!(review["decisions"][0]["tier"], "low");
    assert_eq!(review["files"][0]["path"], "a.txt");
    assert_eq!(desk.autodo(&["show", "T-1", "--json"]).ok().json()["id"], "T-1");
}

#[test]
fn one_ticket_is_shown_with_its_question() {
    let desk = morning();
    assert_snapshot!(desk.tell(&["show", "T-2"]), @r#"
    id         T-2
    title      Ticket T-2
    status     blocked (question)
    profile    script
    project    proj  <world>/proj
    after      T-1
    created    <time>
    started    <time>
    worked     0s
    run        1 (launch 1)
    used       -
    risk       low (effective)
    branch     autodo/T-2
    worktree   <world>/proj.worktrees/T-2
    folder     <world>/ad/T-2
    session    ad-T-2
    question   block 1 failed with exit 1: cat answer || { echo 'Which colour?'; exit 1; }
               cat: answer: No such file or directory
               Which colour?
    option     rerun
    option     skip
    option     start over
    --- stderr
    hint: autodo answer T-2 "…"
    --- exit 0
    "#);
    assert_snapshot!(desk.tell(&["show", "t-4"]), @r"
    id         T-4
    title      Ticket T-4
    status     parked (stopped)
    profile    script
    project    proj  <world>/proj
    created    <time>
    folder     <world>/ad/T-4
    because    by <user>
    --- stderr
    hint: autodo resume T-4 goes on; autodo retry T-4 has it worked on again
    --- exit 0
    ");
}

#[test]
fn an_id_may_be_cut_short_but_not_ambiguous() {
    let desk = morning();
    assert_snapshot!(desk.tell(&["show", "T"]), @r#"
    --- stderr
    error: "T" is the beginning of 4 tickets: T-1, T-2, T-3, T-4
    hint: type more of the id
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["review", "nope"]), @r#"
    --- stderr
    error: there is no ticket "nope" in the queue
    hint: autodo list shows them; autodo list --all also those that are archived
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["path", "T-1", "T-2"]), @r"
    --- stderr
    error: unexpected argument 'T-2' found

    Usage: autodo path [OPTIONS] <ID>

    For more information, try '--help'.
    --- exit 2
    ");
}

#[test]
fn the_review_says_each_thing_once() {
    let desk = morning();
    let review = desk.autodo(&["review", "T-1"]).ok().stdout;
    let evidence = review.split("## Evidence").nth(1).unwrap().split("<!--").next().unwrap();
    assert_snapshot!(desk.redacted(&crate::support::program::Run { code: 0, stdout: evidence.into(), stderr: String::new() }), @r"
    - verified
    - 1 commit after <commit>, tip <commit>
    - checks: none
    - the agent says: ran 1 block: echo a > a.txt
    - effective risk: low

    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["review", "T-3"]), @r"
    --- stderr
    error: T-3 has no review yet: it is queued
    hint: autodo dispatch starts it
    --- exit 1
    ");
}

#[test]
fn work_logs_and_folders_are_shown() {
    let desk = morning();
    assert_snapshot!(desk.tell(&["diff", "T-1"]), @r"
    diff --git a/a.txt b/a.txt
    new file mode 100644
    index 0000000..7898192
    --- /dev/null
    +++ b/a.txt
    @@ -0,0 +1 @@
    +a
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["diff", "T-1", "--stat"]), @r"
     a.txt | 1 +
     1 file changed, 1 insertion(+)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["diff", "T-3"]), @r"
    --- stderr
    error: T-3 has no work yet: it is queued
    hint: autodo dispatch starts it
    --- exit 1
    ");
    assert_snapshot!(desk.tell(&["path", "T-1"]), @r"
    <world>/proj.worktrees/T-1
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["path", "T-1", "--records"]), @r"
    <world>/ad/T-1
    --- exit 0
    ");
    let screen = desk.autodo(&["logs", "T-1"]).ok().stdout;
    assert!(screen.contains("$ echo a > a.txt") && screen.ends_with("script · ready\n"), "{screen}");
    let live = desk.autodo(&["logs", "T-2"]).ok().stdout;
    assert!(live.contains("Which colour?"), "{live}");
    assert_snapshot!(desk.tell(&["logs", "T-3"]), @r"
    --- stderr
    error: no screen of T-3 was kept: it is queued
    hint: autodo logs T-3 --events shows what happened
    --- exit 1
    ");
    assert_snapshot!(desk.tell(&["logs", "T-1", "--checks"]), @r"
    --- stderr
    error: no checks of T-1 were run
    hint: autodo review T-1 says why
    --- exit 1
    ");
}

#[test]
fn the_audit_trail_is_lines_of_json_in_order() {
    let desk = morning();
    let events = desk.autodo(&["logs", "T-1", "--events"]).ok().stdout;
    let lines: Vec<serde_json::Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    let known =
        ["transition", "effect", "key", "delivery", "screen", "hook", "report", "check", "decision", "answer", "note"];
    for line in &lines {
        assert!(known.contains(&line["kind"].as_str().unwrap()) && line["at"].is_string(), "{line}");
    }
    assert_eq!(lines[0]["to"], "queued");
    assert_eq!(lines.last().unwrap()["to"], "needs_review");
}

#[test]
fn the_log_of_each_check_stands_under_its_command() {
    let desk = Desk::new();
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = [\"echo first; echo second >&2\"]\n");
    desk.ticket("T-1", "accept: [\"test -f a.txt\"]", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    assert_snapshot!(desk.tell(&["logs", "T-1", "--checks"]), @r"
    $ echo first; echo second >&2   # exit 0, <n> ms
    first
    second
    $ test -f a.txt   # exit 0, <n> ms
    --- exit 0
    ");
    let row = desk.row("T-1");
    assert_eq!((row["verified"].as_bool(), row["checks_status"].as_str()), (Some(true), Some("green")));
}
