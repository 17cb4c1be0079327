//! New tickets: `add`, `import`, and what is wrong with them.

use insta::assert_snapshot;

use crate::support::desk::Desk;

const BODY: &str = "## Run\n\n```sh\necho hi > \"of-$AUTODO_TICKET\"\n```\n";

#[test]
fn add_takes_a_ticket_with_all_its_flags() {
    let desk = Desk::new();
    desk.repo.write("body.md", BODY);
    assert_snapshot!(desk.tell(&["add", "First", "--body", "body.md", "--id", "T-1"]), @r"
    T-1: queued
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    let args = [
        "add",
        "Second",
        "--body",
        "-",
        "--id",
        "T-2",
        "--after",
        "t-1",
        "--priority",
        "1",
        "--accept",
        "test -f of-T-2",
        "--profile",
        "script",
        "--limit",
        "90m",
        "--label",
        "x",
        "--label",
        "y",
    ];
    let dry: Vec<&str> = args.iter().copied().chain(["--dry-run"]).collect();
    assert_snapshot!(desk.redacted(&desk.command(&dry).stdin(BODY).run()), @r"
    would queue: T-2  Second  (after T-1)
    --- exit 0
    ");
    assert_snapshot!(desk.redacted(&desk.command(&args).stdin(BODY).run()), @r"
    T-2: queued
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    let row = desk.row("T-2");
    assert_eq!((row["priority"].as_u64(), &row["after"]), (Some(1), &serde_json::json!(["T-1"])));
    let accepted = desk.world.file("T-2/ticket.md");
    for part in ["accept:", "test -f of-T-2", "labels:", "limit"] {
        assert!(accepted.contains(part), "{part}: {accepted}");
    }
    desk.autodo(&["dispatch"]).ok();
    assert_eq!(desk.row("T-2")["checks_status"], "green");
}

#[test]
fn add_refuses_what_cannot_be_a_ticket() {
    let desk = Desk::new();
    desk.repo.write("body.md", BODY);
    let body = ["--body", "body.md"];
    for (args, code) in [
        (&["add", " "][..], 2),
        (&["add", "prose"], 2),
        (&["add", "t", "--body", "nope.md"], 2),
        (&["add", "t", "--id", "a..b"], 2),
        (&["add", "t", "--after", "nope"], 2),
        (&["add", "t", "--profile", "nope"], 2),
        (&["add", "t", "--limit", "5x"], 2),
        (&["add", "t", "--priority", "0"], 2),
        (&["add"], 2),
    ] {
        let mut all = args.to_vec();
        if !args.contains(&"--body") && args.get(1) != Some(&"prose") {
            all.extend(body);
        }
        let run = desk.autodo(&all).code(code);
        assert!(
            run.stderr.contains("hint:") || run.stderr.contains("For more information"),
            "{args:?}: {}",
            run.both()
        );
        assert_eq!(run.stdout, "", "{args:?}");
    }
    assert_snapshot!(desk.tell(&["add", "prose"]), @r"
    --- stderr
    error: the new ticket: the profile script does what stands in sh blocks under ## Run, and there are none
    hint: write the blocks, or give the ticket another profile (profile: claude, or --profile)
    --- exit 2
    ");
    desk.autodo(&["add", "t", "--body", "body.md", "--id", "T-1"]).ok();
    assert_snapshot!(desk.tell(&["add", "t", "--body", "body.md", "--id", "t-1"]), @r"
    --- stderr
    t-1: the id t-1 differs from T-1 only in case
    hint: give it another id
    --- exit 2
    ");
    assert_eq!(desk.autodo(&["list"]).ok().stdout.lines().count(), 1);
}

#[test]
fn any_title_is_just_a_title() {
    let desk = Desk::new();
    let long = "x".repeat(300);
    let titles = [
        "a; rm -rf ~",
        "$(touch owned)",
        "`touch owned`",
        "#(touch owned)",
        "#{pane_id}",
        "emoji 😀 ok",
        "..",
        "-leading",
        long.as_str(),
        "quote \" and '",
        "two\nlines\tand a tab",
        "same",
        "Same",
    ];
    for title in titles {
        desk.command(&["add", "--body", "-", "--", title]).stdin(BODY).run().ok();
    }
    let supervisor = desk.autodo(&["dispatch", "--parallel", "4"]);
    assert_eq!(supervisor.code, 0, "{}", desk.world.story());
    let list = desk.autodo(&["list", "--json"]).ok().json();
    let rows = list["tickets"].as_array().unwrap();
    let found: Vec<&str> = rows.iter().map(|row| row["title"].as_str().unwrap()).collect();
    let wanted: Vec<String> = titles.iter().map(|title| title.replace(['\n', '\t'], " ")).collect();
    assert_eq!(found, wanted);
    for row in rows {
        assert_eq!(row["status"], "needs_review", "{row}");
        let subject = desk.repo.git(&["log", "-1", "--format=%s", row["branch"].as_str().unwrap()]);
        assert!(!subject.is_empty());
    }
    for folder in [desk.world.root().to_owned(), desk.world.root().join("home"), desk.repo.path.clone()] {
        assert!(!folder.join("owned").exists(), "{}", folder.display());
    }
    assert_eq!(desk.autodo(&["list"]).ok().stdout.lines().count(), titles.len());
}

#[test]
fn every_mistake_of_every_file_is_shown_and_nothing_is_queued() {
    let desk = Desk::new();
    let ticket = |name: &str, front: &str, body: &str| {
        desk.repo.write(&format!("bad/{name}.md"), &format!("---\n{front}\n---\n{body}"));
    };
    ticket("a", "titel: x\npriority: eleven", BODY);
    ticket("b", "title: b\nafter: [c]", BODY);
    ticket("c", "title: c\nafter: [b]", BODY);
    ticket("d", "title: prose", "words\n");
    ticket("e", "title: more prose", "words\n");
    ticket("f", "title: f\nafter: [d]", BODY);
    ticket("g", "title: g\nid: G", BODY);
    ticket("h", "title: h\nid: g", BODY);
    ticket("i", "title: i\nafter: [unheard]", BODY);
    ticket("j", "title: good", BODY);
    assert_snapshot!(desk.tell(&["import", "bad"]), @"
    --- stderr
    error: unknown key `titel`
     --> bad/a.md:2:1
      |
    2 | titel: x
      | ^^^^^
      |
      = help: the keys are id, title, priority, after, profile, labels, accept, limit, budget, unattended
    error: `priority` must be a number from 1 to 9, not text
     --> bad/a.md:3:11
      |
    3 | priority: eleven
      |           ^^^^^^
      |
      = help: 1 comes first, 9 last; without the key it is 3
    bad/b.md: b depends on itself: b → c → b
      hint: take one of these dependencies out of `after:`
    bad/g.md: the id G is not unique (case does not count): also g in bad/h.md
      hint: give one of them another `id:`
    bad/h.md: the id g is not unique (case does not count): also G in bad/g.md
      hint: give one of them another `id:`
    bad/i.md: i depends on unheard, which is unknown
      hint: correct `after:`, or dispatch that ticket too
    bad/c.md: left out too: it comes after b
    error: bad/d.md: the profile script does what stands in sh blocks under ## Run, and there are none
    hint: write the blocks, or give the ticket another profile (profile: claude, or --profile)
    error: bad/e.md: the profile script does what stands in sh blocks under ## Run, and there are none
    hint: write the blocks, or give the ticket another profile (profile: claude, or --profile)
    bad/f.md: left out too: it comes after d
    error: 10 thing(s) are wrong with these tickets: nothing was queued
    hint: mend them, or take the good ones with --keep-going
    --- exit 2
    ");
    assert_eq!(desk.autodo(&["list"]).ok().stdout, "");
    let run = desk.autodo(&["dispatch", "--backlog", "bad"]).code(2);
    assert!(run.stderr.contains("nothing was queued"), "{}", run.both());
    let kept = desk.autodo(&["import", "--keep-going", "bad"]).code(2);
    assert_eq!(kept.stdout, "j: queued\n");
    assert_snapshot!(desk.tell(&["import", "nowhere"]), @r"
    --- stderr
    error: there is no file nowhere, and no <world>/proj/.autodo/tickets/nowhere.md
    hint: autodo init makes .autodo/tickets; or name a ticket file or a folder
    --- exit 2
    ");
}

#[test]
fn the_same_backlog_twice_changes_nothing_but_what_was_edited() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.asking("T-2", "");
    desk.ticket("T-3", "after: [T-2]", "true");
    assert_snapshot!(desk.tell(&["import", "--dry-run"]), @r"
    would queue: T-1  Ticket T-1
    would queue: T-2  Ticket T-2
    would queue: T-3  Ticket T-3  (after T-2)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["import"]), @r"
    T-1: queued
    T-2: queued
    T-3: queued
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["import"]), @r"
    --- stderr
    T-1: open already (queued)
    T-2: open already (queued)
    T-3: open already (queued)
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    desk.autodo(&["dispatch"]).code(8);
    desk.autodo(&["approve", "T-1"]).ok();
    desk.ticket("T-3", "after: [T-2]\npriority: 1", "echo edited");
    desk.ticket("T-2", "priority: 1", "echo edited too late");
    assert_snapshot!(desk.tell(&["import", "--dry-run"]), @r"
    would update: T-3  Ticket T-3  (after T-2)
    --- stderr
    T-1: finished already (reviewed); --again takes it up again
    T-2: open already (blocked)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["import"]), @r"
    T-3: updated, it was edited
    --- stderr
    T-1: finished already (reviewed); --again takes it up again
    T-2: open already (blocked)
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    assert_eq!(desk.row("T-3")["priority"], 1);
    assert!(desk.world.file("T-3/ticket.md").contains("echo edited"));
    assert!(!desk.world.file("T-2/ticket.md").contains("too late"));
    assert_snapshot!(desk.tell(&["import", "--again", "--dry-run"]), @r"
    would queue: T-1  Ticket T-1
    --- stderr
    T-2: open already (blocked)
    T-3: open already (queued)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["import", "--again"]), @r"
    T-1: queued
    --- stderr
    T-2: open already (blocked)
    T-3: open already (queued)
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
}

#[test]
fn an_id_of_another_project_gets_the_projects_name() {
    let desk = Desk::new();
    let other = desk.world.repo("other");
    other.settings("version = 1\nprofile = \"script\"\nchecks = []\n");
    other.ticket("T-1", "title: Elsewhere", BODY);
    other.ticket("T-2", "title: After it\nafter: [T-1]", BODY);
    desk.ticket("T-1", "", "true");
    desk.autodo(&["import"]).ok();
    let run = desk.world.autodo_in(&other, &["import"]).ok();
    assert_eq!(run.stdout, "other-T-1: queued\nT-2: queued\n");
    assert_eq!(desk.row("T-2")["after"], serde_json::json!(["other-T-1"]));
}
