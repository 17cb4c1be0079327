//! `clean`: takes away what can be missed, and nothing else.

use insta::assert_snapshot;

use crate::support::desk::Desk;

fn reviewed() -> Desk {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.autodo(&["dispatch"]).ok();
    desk.autodo(&["approve", "T-1"]).ok();
    desk
}

#[test]
fn a_merged_ticket_is_taken_away_and_stays_readable() {
    let desk = reviewed();
    let worktree = desk.repo.path.with_file_name("proj.worktrees").join("T-1");
    desk.repo.git(&["merge", "--quiet", "autodo/T-1"]);
    assert_snapshot!(desk.tell(&["clean", "T-1", "--dry-run"]), @r"
    would clean: T-1 — Ticket T-1 (reviewed)
      worktree  <world>/proj.worktrees/T-1
      branch    autodo/T-1, whose tip <commit> is in main
    --- exit 0
    ");
    assert!(worktree.is_dir() && desk.status("T-1") == "reviewed");
    assert_snapshot!(desk.tell(&["clean", "T-1"]), @r"
    clean: T-1 — Ticket T-1 (reviewed)
      worktree  <world>/proj.worktrees/T-1
      branch    autodo/T-1, whose tip <commit> is in main
    T-1: cleaned, and in the archive
    --- stderr
    hint: git branch autodo/T-1 <commit> brings its branch back
    --- exit 0
    ");
    assert!(!worktree.exists());
    assert_eq!(desk.repo.git(&["branch", "--list", "autodo/*"]), "");
    assert_eq!(desk.repo.git(&["for-each-ref", "refs/autodo"]), "");
    assert_snapshot!(desk.tell(&["list"]), @r#"
    --- stderr
    there are no tickets yet
    hint: autodo add "title" takes one; autodo dispatch takes a folder of them and starts
    --- exit 0
    "#);
    assert_snapshot!(desk.tell(&["list", "--all"]), @r"
    T-1   reviewed          0s  1L 0M 0H    Ticket T-1
    --- exit 0
    ");
    assert!(desk.autodo(&["review", "T-1"]).ok().stdout.contains("## Decisions Made"));
    assert!(desk.autodo(&["diff", "T-1"]).ok().stdout.contains("+a"));
    let events = desk.autodo(&["logs", "T-1", "--events"]).ok().stdout;
    let last: serde_json::Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!((last["event"].as_str(), last["to"].as_str()), (Some("archived"), Some("archived")));
    assert_snapshot!(desk.tell(&["clean", "T-1"]), @r#"
    --- stderr
    error: there is no ticket "T-1" in the queue
    hint: autodo list shows them; autodo list --all also those that are archived
    --- exit 2
    "#);
}

#[test]
fn work_that_is_not_merged_is_not_taken_away() {
    let desk = reviewed();
    assert_snapshot!(desk.tell(&["clean", "T-1"]), @r"
    --- stderr
    error: cannot clean T-1: the branch autodo/T-1 has commits that main does not hold
    hint: autodo diff T-1 and git -C <world>/proj.worktrees/T-1 status show the work; git merge autodo/T-1 keeps commits, autodo clean --rescue T-1 keeps all of it in a reference of its own
    --- exit 1
    ");
    assert!(desk.repo.git(&["branch", "--list", "autodo/*"]).contains("autodo/T-1"));
    assert_eq!(desk.status("T-1"), "reviewed");
}

#[test]
fn a_dirty_tree_is_not_taken_away() {
    let desk = reviewed();
    desk.repo.git(&["merge", "--quiet", "autodo/T-1"]);
    let worktree = desk.repo.path.with_file_name("proj.worktrees").join("T-1");
    std::fs::write(worktree.join("notes.txt"), "mine").unwrap();
    assert_snapshot!(desk.tell(&["clean", "T-1"]), @r"
    --- stderr
    error: cannot clean T-1: <world>/proj.worktrees/T-1 holds changes that are not committed: notes.txt
    hint: autodo diff T-1 and git -C <world>/proj.worktrees/T-1 status show the work; git merge autodo/T-1 keeps commits, autodo clean --rescue T-1 keeps all of it in a reference of its own
    --- exit 1
    ");
    assert_eq!(std::fs::read_to_string(worktree.join("notes.txt")).unwrap(), "mine");
}

#[test]
fn only_what_is_finished_is_taken_away_and_a_refusal_holds_up_nothing_else() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.asking("T-2", "");
    desk.ticket("T-3", "", "true");
    desk.ticket("T-4", "after: [T-3]", "true");
    desk.autodo(&["import"]).ok();
    desk.autodo(&["stop", "T-3"]).ok();
    desk.autodo(&["dispatch"]).code(8);
    desk.autodo(&["cancel", "T-3"]).ok();
    assert_snapshot!(desk.tell(&["clean", "T-1", "T-2", "T-3", "T-4"]), @r"
    --- stderr
    error: cannot clean T-1: it is needs_review
    hint: autodo review T-1, then autodo approve T-1 or autodo cancel T-1
    error: cannot clean T-2: it is blocked
    hint: wait for it, or give it up: autodo cancel T-2
    error: cannot clean T-3: T-4 comes after it and is queued
    hint: clean it once T-4 is through, or: autodo cancel T-4
    error: cannot clean T-4: it is queued
    hint: wait for it, or give it up: autodo cancel T-4
    --- exit 1
    ");
    desk.autodo(&["cancel", "T-4"]).ok();
    assert_snapshot!(desk.tell(&["clean", "T-1", "T-4", "T-3"]), @r"
    clean: T-4 — Ticket T-4 (cancelled)
    clean: T-3 — Ticket T-3 (cancelled)
    T-4: cleaned, and in the archive
    T-3: cleaned, and in the archive
    --- stderr
    error: cannot clean T-1: it is needs_review
    hint: autodo review T-1, then autodo approve T-1 or autodo cancel T-1
    --- exit 1
    ");
}

#[test]
fn a_supervisor_is_no_obstacle() {
    let desk = reviewed();
    desk.repo.git(&["merge", "--quiet", "autodo/T-1"]);
    desk.held("T-2", "", "echo b > b.txt");
    let supervisor = desk.supervisor(&[]);
    desk.until_at_work("T-2");
    desk.autodo(&["clean", "T-1"]).ok();
    assert_snapshot!(desk.tell(&["clean", "T-2"]), @r"
    --- stderr
    error: cannot clean T-2: it is running
    hint: wait for it, or give it up: autodo cancel T-2
    --- exit 1
    ");
    desk.let_go("T-2");
    supervisor.wait(crate::support::PATIENCE).ok();
    assert!(!desk.autodo(&["list"]).ok().stdout.contains("T-1"));
}

#[test]
fn a_cleaned_ticket_can_be_taken_up_again() {
    let desk = reviewed();
    desk.repo.git(&["merge", "--quiet", "autodo/T-1"]);
    desk.autodo(&["clean", "T-1"]).ok();
    desk.ticket("T-1", "", "echo again > again.txt");
    assert_snapshot!(desk.tell(&["dispatch"]), @r"
    --- stderr
    T-1: finished already (archived, reviewed); --again takes it up again
    nothing to do
    --- exit 0
    ");
    desk.autodo(&["dispatch", "--again"]).ok();
    let row = desk.row("T-1");
    assert_eq!((row["status"].as_str(), row["run"].as_u64()), (Some("needs_review"), Some(2)), "{row}");
    assert!(desk.autodo(&["diff", "T-1"]).ok().stdout.contains("again.txt"));
    assert_eq!(desk.autodo(&["list", "--all"]).ok().stdout.lines().count(), 1);
}

#[test]
fn work_that_nothing_else_holds_is_kept_and_comes_back() {
    let desk = reviewed();
    let worktrees = desk.repo.path.with_file_name("proj.worktrees");
    std::fs::write(worktrees.join("T-1/notes.txt"), "mine").unwrap();
    assert_snapshot!(desk.tell(&["clean", "--rescue", "--dry-run", "T-1"]), @r"
    would clean: T-1 — Ticket T-1 (reviewed)
      worktree  <world>/proj.worktrees/T-1
      branch    autodo/T-1, whose tip <commit> is kept
      rescue    the branch autodo/T-1 has commits that main does not hold
      rescue    <world>/proj.worktrees/T-1 holds changes that are not committed: notes.txt
    --- exit 0
    ");
    assert_eq!(desk.repo.git(&["for-each-ref", "refs/autodo/rescue"]), "");
    assert_snapshot!(desk.tell(&["rescue", "list"]), @r"
    --- stderr
    nothing is kept
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["clean", "--rescue", "T-1"]), @r"
    clean: T-1 — Ticket T-1 (reviewed)
      worktree  <world>/proj.worktrees/T-1
      branch    autodo/T-1, whose tip <commit> is kept
      rescue    the branch autodo/T-1 has commits that main does not hold
      rescue    <world>/proj.worktrees/T-1 holds changes that are not committed: notes.txt
    T-1: cleaned, and in the archive
    T-1: its work is kept in refs/autodo/rescue/T-1/1
    --- stderr
    hint: autodo rescue restore T-1/1 brings it back
    --- exit 0
    ");
    assert!(!worktrees.join("T-1").exists());
    let listed = desk.autodo(&["rescue", "list", "--json"]).ok().stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["version"], 1);
    let one = &listed["rescues"][0];
    assert_eq!((one["name"].as_str(), one["ticket"].as_str()), (Some("T-1/1"), Some("T-1")), "{one}");
    assert_eq!((one["uncommitted"].as_bool(), one["ref"].as_str()), (Some(true), Some("refs/autodo/rescue/T-1/1")));
    assert_eq!(one["commit"].as_str(), Some(desk.repo.git(&["rev-parse", "refs/autodo/rescue/T-1/1"]).trim()));
    assert!(desk.autodo(&["rescue", "list"]).ok().stdout.contains("T-1/1"));

    assert_snapshot!(desk.tell(&["rescue", "restore", "T-2"]), @r#"
    --- stderr
    error: no work is kept under the name "T-2"
    hint: autodo rescue list shows what is kept
    --- exit 2
    "#);
    assert_snapshot!(desk.tell(&["rescue", "restore", "T-1", "--dry-run"]), @r"
    would restore refs/autodo/rescue/T-1/1 into <world>/proj.worktrees/T-1.rescue-1
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["rescue", "restore", "T-1"]), @r"
    <world>/proj.worktrees/T-1.rescue-1
    --- stderr
    restored refs/autodo/rescue/T-1/1 on the branch rescue/T-1-1
    hint: the reference stays; git -C <world>/proj update-ref -d refs/autodo/rescue/T-1/1 drops it
    --- exit 0
    ");
    let back = worktrees.join("T-1.rescue-1");
    assert_eq!(std::fs::read_to_string(back.join("a.txt")).unwrap(), "a\n");
    assert_eq!(std::fs::read_to_string(back.join("notes.txt")).unwrap(), "mine");
    // Twice is refused, and leaves the first as it is.
    std::fs::write(back.join("notes.txt"), "gone on").unwrap();
    desk.autodo(&["rescue", "restore", "T-1"]).code(1);
    assert_eq!(std::fs::read_to_string(back.join("notes.txt")).unwrap(), "gone on");
}

#[test]
fn warm_checkouts_are_made_seen_by_doctor_and_taken_away_on_a_word() {
    let desk = Desk::new();
    desk.repo.settings("version = 1\nchecks = []\n[worktree]\npool = 1\n");
    desk.held("T-1", "", "echo a > a.txt");
    let supervisor = desk.supervisor(&[]);
    desk.until_at_work("T-1");
    let worktrees = desk.repo.path.with_file_name("proj.worktrees");
    let is_warm = || desk.repo.git(&["worktree", "list", "--porcelain"]).contains("locked autodo-pool\n").then_some(());
    crate::support::wait_for("a warm checkout", is_warm, || desk.repo.git(&["worktree", "list"]));
    desk.let_go("T-1");
    supervisor.wait(crate::support::PATIENCE).ok();
    assert!(desk.autodo(&["doctor"]).both().contains("1 of 1 checkouts are warm"));
    desk.ticket("T-2", "", "echo b > b.txt");
    desk.autodo(&["dispatch"]).ok();
    assert!(std::fs::read_to_string(worktrees.join("T-2/.git")).unwrap().contains("pool-1"));
    assert!(desk.autodo(&["diff", "T-2"]).ok().stdout.contains("+b"));
    desk.autodo(&["clean", "--pool"]).ok();
    assert!(!desk.repo.git(&["worktree", "list"]).contains(".pool-"), "{}", desk.repo.git(&["worktree", "list"]));
    assert!(worktrees.join("T-1").is_dir() && worktrees.join("T-2").is_dir());
}

#[test]
fn a_rule_means_finished_tickets_and_only_lists_until_told() {
    let desk = Desk::new();
    for (id, work) in [("T-1", "echo a > a.txt"), ("T-2", "head -c 3000000 /dev/zero > big"), ("T-3", "echo c > c.txt")]
    {
        desk.ticket(id, "", work);
    }
    desk.autodo(&["dispatch"]).ok();
    desk.autodo(&["approve", "T-1", "T-2"]).ok();
    desk.autodo(&["cancel", "T-3"]).ok();
    let place = |id: &str| desk.repo.path.with_file_name("proj.worktrees").join(id);
    let said = |args: &[&str]| desk.autodo(&[&["clean"], args].concat()).ok();
    // Its work is nowhere else: the rule keeps it.
    let listed = said(&["--larger-than", "2M"]);
    assert!(listed.stdout.contains("would clean: T-2") && listed.stdout.contains("  rescue "), "{}", listed.stdout);
    assert!(!listed.stdout.contains("T-1") && !listed.stdout.contains("T-3"), "{}", listed.stdout);
    assert!(listed.stderr.contains("the same with --yes"), "{}", listed.stderr);
    assert!(place("T-2").is_dir());
    assert!(said(&["--larger-than", "2M", "--dry-run", "--yes"]).stdout.contains("would clean: T-2"));
    assert!(place("T-2").is_dir());
    assert!(said(&["--older-than", "1d", "--yes"]).stderr.contains("no finished ticket is meant"));
    assert!(said(&["--status", "landed", "--yes"]).stderr.contains("no finished ticket is meant"));
    let cleaned = said(&["--status", "cancelled", "--older-than", "0", "--yes"]);
    assert!(cleaned.stdout.contains("T-3: cleaned") && !place("T-3").exists(), "{}", cleaned.stdout);
    let cleaned = said(&["--larger-than", "2M", "--yes"]);
    assert!(cleaned.stdout.contains("kept in refs/autodo/rescue/T-2/1"), "{}", cleaned.stdout);
    assert!(!place("T-2").exists() && place("T-1").is_dir());
    assert_eq!(desk.repo.git(&["cat-file", "-s", "refs/autodo/rescue/T-2/1:big"]), "3000000");
}

#[test]
fn a_rule_that_is_none_is_refused_and_changes_nothing() {
    let desk = reviewed();
    for (args, why) in [
        (&["--older-than", "soon"][..], "--older-than: "),
        (&["--larger-than", "much"], "is no size"),
        (&["--status", "queued"], "invalid value 'queued'"),
        (&["T-1", "--older-than", "1d"], "cannot be used with"),
        (&["--yes"], "required"),
    ] {
        let said = desk.autodo(&[&["clean"], args].concat());
        assert!(said.code == 2 && said.stderr.contains(why), "{args:?}: {}", said.stderr);
    }
    assert_eq!(desk.status("T-1"), "reviewed");
}
