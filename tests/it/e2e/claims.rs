//! What is concluded from what an agent claims, and from what it leaves.

use crate::support::{
    fakes::{COMMIT, DONE, FakeProject, is_there},
    world::World,
};

/// Takes the ticket's prompt.
const BEGIN: &str = "ready\nexpect-prompt\n";

fn purposes(p: &FakeProject<'_>, id: &str) -> Vec<String> {
    let journal = p.world.journal();
    let lines = journal.iter().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let pastes = lines.filter(|l| l.to_string().contains("\"effect\":\"paste\"") && l.to_string().contains(id));
    pastes.filter_map(|l| purpose_of(&l)).collect()
}

/// The purpose of the first delivery anywhere in a journal line.
fn purpose_of(line: &serde_json::Value) -> Option<String> {
    match line {
        serde_json::Value::Object(fields) => match fields.get("purpose").and_then(|p| p["for"].as_str()) {
            Some(word) => Some(word.to_owned()),
            None => fields.values().find_map(purpose_of),
        },
        serde_json::Value::Array(all) => all.iter().find_map(purpose_of),
        _ => None,
    }
}

#[test]
fn a_commit_and_a_report_make_verified_work() {
    let world = World::new();
    let p = FakeProject::new(&world).checks(&["test -f work.txt"]).dispatched(0);
    let row = p.row("T-1");
    assert_eq!(p.status("T-1"), "needs_review null true", "{row}");
    assert_eq!((&row["checks_status"], &row["run"]), (&"green".into(), &1.into()), "{row}");
    assert_eq!(p.prompts("T-1").len(), 1);
    assert!(row["session"].is_null() && p.pane("T-1").is_none(), "its session is closed");
    assert_eq!(p.review("T-1")["summary"], "all is done");
    assert!(p.review_md("T-1").contains("all is done"));
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "work");
}

#[test]
fn decisions_flags_and_notes_reach_the_review_and_raise_the_risk() {
    let world = World::new();
    let said = "report decision --risk low 'named it work' --why 'it is short'\n\
                report flag --risk medium 'look at work.txt'\nreport note 'for the record'\n";
    let p = FakeProject::new(&world).scenario(&[BEGIN, said, COMMIT, DONE].concat()).dispatched(0);
    let (row, review) = (p.row("T-1"), p.review("T-1"));
    assert_eq!((&row["risk_summary"]["low"], &row["flags_count"]), (&1.into(), &1.into()), "{row}");
    assert_eq!(row["effective_risk"], "medium");
    assert_eq!(review["decisions"][0]["text"], "named it work");
    assert!(review["evidence"].to_string().contains("for the record"), "{review}");
    let low = p.autodo(&["approve-low"]);
    assert!(low.both().contains("T-1") && p.status("T-1").starts_with("needs_review"), "{}", low.both());
}

#[test]
fn a_marker_alone_is_a_claim_of_any_program_with_a_prompt() {
    let world = World::new();
    let agent = "#!/bin/sh\n\
        while printf '> ' && IFS= read -r line; do\n\
            echo \"$line\" >> \"$HOME/read\"\n\
            case $line in *prompt.md*) ;; *) continue ;; esac\n\
            cat .autodo/run/prompt.md\n\
            echo done > work.txt && git add work.txt && git commit -q -m work\n\
            echo \"* AUTODO-DONE-$AUTODO_KEY\"\n\
        done\n";
    let path = world.root().join("agent");
    std::fs::write(&path, agent).unwrap();
    crate::support::agents::sh(world.root(), "chmod 755 agent");
    let p = FakeProject::new(&world).setting("profile = \"plain\"");
    let profile = format!(
        "version = 1\nname = \"plain\"\nextends = \"generic\"\n[launch]\nargv = [\"{}\", \"-\"]\n",
        path.display()
    );
    p.repo.write(".autodo/profiles/plain.toml", &profile);
    let p = p.dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(std::fs::read_to_string(world.root().join("home/read")).unwrap().lines().count(), 1);
}

#[test]
fn a_marker_behind_the_agents_glyph_counts_as_soon_as_it_is_back_at_its_prompt() {
    let world = World::new();
    let p = FakeProject::new(&world).scenario(&[BEGIN, COMMIT, "marker done ●\n"].concat()).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.prompts("T-1").len(), 1);
}

#[test]
fn a_marker_that_is_quoted_or_stands_in_the_prompt_never_counts() {
    let world = World::new();
    // Ready for longer than a stall: whatever stood on the screen until the nudge was no claim.
    let quotes = "echo-prompt\nrun cat .autodo/run/prompt.md\nmarker-quoted\n";
    let script = [BEGIN, COMMIT, quotes, "ready\nprompts:\n", DONE].concat();
    let p = FakeProject::new(&world).limit("stall = \"1s\"").scenario(&script).dispatched(0);
    assert_eq!(purposes(&p, "T-1"), ["ticket", "nudge"]);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.review("T-1")["summary"], "all is done", "only the report was believed");
}

#[test]
fn a_marker_of_a_blocked_agent_is_a_question_not_a_claim() {
    let world = World::new();
    let p = FakeProject::new(&world).scenario(&[BEGIN, COMMIT, "marker blocked\n"].concat()).dispatched(8);
    assert_eq!(p.status("T-1"), "blocked question null");
}

#[test]
fn a_claim_without_any_change_is_asked_about_once_and_then_left_to_a_person() {
    let world = World::new();
    let script = [BEGIN, DONE, "prompts:\n", DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review no_change_unexplained false");
    assert_eq!(purposes(&p, "T-1"), ["ticket", "no_change"]);
    assert!(p.prompts("T-1")[1].contains("--no-change"));
    p.autodo(&["approve-low"]);
    assert!(p.status("T-1").starts_with("needs_review"));
}

#[test]
fn a_claim_without_any_change_that_is_explained_is_verified_and_flagged() {
    let world = World::new();
    let why = "report done --summary 'nothing to do' --no-change 'it was so already'\n";
    let asked = [BEGIN, DONE, "prompts:\n", why].concat();
    let p = FakeProject::new(&world)
        .ticket("T-1", "")
        .ticket("T-2", "")
        .scenario_of("T-1", 1, &asked)
        .scenario_of("T-2", 1, &[BEGIN, why].concat())
        .dispatched(0);
    for id in ["T-1", "T-2"] {
        let row = p.row(id);
        assert_eq!(p.status(id), "needs_review no_change true");
        assert_eq!(row["flags_count"], 1, "{row}");
        assert!(p.review_md(id).contains("it was so already"));
    }
    assert_eq!((p.prompts("T-1").len(), p.prompts("T-2").len()), (2, 1));
    p.autodo(&["approve-low"]);
    assert!(p.status("T-1").starts_with("needs_review"), "no change is not approved in bulk");
    p.autodo(&["approve", "T-1"]).code(0);
    p.autodo(&["tick"]);
    assert_eq!(p.row("T-1")["status"], "landed", "there is nothing to merge");
}

#[test]
fn an_approved_branch_lands_when_somebody_merges_it() {
    let world = World::new();
    let p = FakeProject::new(&world).dispatched(0);
    p.autodo(&["approve", "T-1"]).code(0);
    p.autodo(&["tick"]);
    assert_eq!(p.status("T-1"), "reviewed null true");
    p.repo.git(&["merge", "--quiet", "autodo/T-1"]);
    p.autodo(&["tick"]);
    assert_eq!(p.row("T-1")["status"], "landed");
}

#[test]
fn what_the_checks_leave_behind_is_told_from_what_the_agent_left() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .checks(&["echo > left.lock"])
        .scenario(&[BEGIN, COMMIT, DONE, "prompts:\n", DONE].concat())
        .dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review uncommitted false", "it was asked to commit, and there it lay before");
    let p = p.scenario_of("T-2", 1, &[BEGIN, COMMIT, DONE, "prompts:\nrun git clean -fq\n", DONE].concat());
    let p = p.ticket("T-2", "").set_up();
    p.dispatch(&[]).code(0);
    assert_eq!(p.status("T-2"), "needs_review left_by_checks false");
    assert!(p.review_md("T-2").contains("retry --checks-only"), "{}", p.review_md("T-2"));
    assert!(p.review("T-2")["files"].to_string().contains("left.lock"));
}

#[test]
fn what_is_not_committed_is_asked_for_once() {
    let world = World::new();
    let dirty = "run echo done > work.txt\n";
    let stubborn = [BEGIN, COMMIT, "run echo more >> work.txt\n", DONE, "prompts:\n", DONE].concat();
    let p = FakeProject::new(&world)
        .checks(&["echo checked >> $MARK"])
        .ticket("T-1", "")
        .ticket("T-2", "")
        .scenario_of(
            "T-1",
            1,
            &[BEGIN, dirty, DONE, "prompts:\nif-prompt not committed\n", COMMIT, "end\n", DONE].concat(),
        )
        .scenario_of("T-2", 1, &stubborn)
        .set_up();
    let mark = world.root().join("mark");
    let dispatch = p.command(&["dispatch"]).env("MARK", &mark).run();
    dispatch.code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.status("T-2"), "needs_review uncommitted false");
    assert_eq!(
        (purposes(&p, "T-1"), purposes(&p, "T-2")),
        (vec!["ticket".into(), "commit".into()], vec!["ticket".into(), "commit".into()])
    );
    assert_eq!(p.row("T-2")["checks_status"], "not_run", "checks run only on a clean tree");
    assert_eq!(std::fs::read_to_string(p.worktree("T-2").join("work.txt")).unwrap(), "done in T-2/1\nmore\n");
    let files = p.review("T-2")["files"].to_string();
    assert!(files.contains("work.txt") && files.contains("not committed"), "{files}");
}

#[test]
fn a_failed_check_goes_back_twice_and_then_to_a_person() {
    let world = World::new();
    let script = [BEGIN, COMMIT, DONE, "prompts:\nrun git commit -q --allow-empty -m again\n", DONE].concat();
    let p = FakeProject::new(&world).checks(&["true", "echo nothing is good; test -f good.txt"]).scenario(&script);
    let p = p.dispatched(0);
    let row = p.row("T-1");
    assert_eq!(p.status("T-1"), "needs_review checks_failed false");
    assert_eq!(row["checks_status"], "failed");
    assert_eq!(purposes(&p, "T-1"), ["ticket", "feedback", "feedback"]);
    let told = std::fs::read_to_string(p.worktree("T-1").join(".autodo/run/feedback.md")).unwrap();
    assert!(told.contains("nothing is good") && told.contains("round 2"), "{told}");
    let review = p.review("T-1");
    assert_eq!(review["checks"].as_array().unwrap().len(), 2, "{review}");
    assert_eq!(row["run"], 1, "the same conversation");
}

#[test]
fn a_check_that_passes_after_feedback_verifies_the_work() {
    let world = World::new();
    let mend = "prompts:\nrun echo > good.txt && git add . && git commit -q -m mended\n";
    let script = [BEGIN, COMMIT, DONE, mend, DONE].concat();
    let p = FakeProject::new(&world).checks(&["test -f good.txt"]).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(purposes(&p, "T-1"), ["ticket", "feedback"]);
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "mended\nwork");
}

#[test]
fn a_ticket_is_held_to_its_own_commands_beside_those_of_the_project() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .checks(&["true"])
        .limit("feedback_rounds = 0")
        .ticket("T-1", "accept: [\"test -f other.txt\"]")
        .dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review checks_failed false");
    assert_eq!(p.prompts("T-1").len(), 1);
}

#[test]
fn a_check_that_hangs_is_ended_at_its_limit_and_fails() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .checks(&["sleep 600 & sleep 600"])
        .limit("check = \"1s\"")
        .limit("feedback_rounds = 0")
        .dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review checks_failed false");
    assert!(!world.processes().iter().any(|(_, argv)| argv.contains("sleep 600")), "{:?}", world.processes());
}

#[test]
fn an_agent_that_leaves_without_a_word_has_claimed_nothing() {
    let world = World::new();
    let p = FakeProject::new(&world).scenario(&[BEGIN, COMMIT, "exit 0\n"].concat()).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review no_claim false");
    assert!(is_there(p.worktree("T-1").join("work.txt")), "its work stays");
    assert!(p.row("T-1")["flags_count"].as_u64() > Some(0));
}

#[test]
fn a_report_before_the_exit_is_a_claim() {
    let world = World::new();
    let p = FakeProject::new(&world).checks(&["true"]).scenario(&[BEGIN, COMMIT, DONE, "exit 0\n"].concat());
    let p = p.dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
}

#[test]
fn a_branch_that_was_left_is_not_verified() {
    let world = World::new();
    let script = [BEGIN, "run git checkout -q -b elsewhere\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review off_branch false");
}

#[test]
fn checks_hold_for_the_commit_they_ran_on_and_for_no_other() {
    let world = World::new();
    let p = FakeProject::new(&world);
    let (begun, gate) = (p.gate("begun"), p.gate("gate"));
    let check = format!("echo >> {begun}; while [ ! -e {gate} ]; do sleep 0.02; done; test -f late.txt");
    let late = "run echo late > late.txt && git add . && git commit -q -m late\n";
    let script = format!("{BEGIN}{COMMIT}{DONE}wait-file {begun}\n{late}run touch {gate}\n");
    let p = p.checks(&[&check]).scenario(&script).dispatched(0);
    let lines = std::fs::read_to_string(world.root().join("begun")).unwrap().lines().count();
    assert_eq!((p.status("T-1").as_str(), lines), ("needs_review null true", 2), "checked again");
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "late\nwork");
}

#[test]
fn an_agent_that_dies_while_its_claim_is_checked_has_claimed_all_the_same() {
    let world = World::new();
    let p = FakeProject::new(&world);
    let (begun, gate) = (p.gate("begun"), p.gate("gate"));
    let check = format!("touch {begun}; while [ ! -e {gate} ]; do sleep 0.02; done");
    let script = format!("{BEGIN}{COMMIT}{DONE}wait-file {begun}\nrun touch {gate}\ncrash 1\n");
    let p = p.checks(&[&check]).limit("crashes = 1").scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.row("T-1")["run"], 1);
}

#[test]
fn what_is_left_behind_a_claim_is_neither_lost_nor_taken_for_proof() {
    let world = World::new();
    let script = [
        BEGIN,
        COMMIT,
        "run echo x > .gitignored && git stash -q -u\nrun mkdir -p deep && echo y > deep/new.txt\n",
        DONE,
        "prompts:\n",
        DONE,
    ];
    let p = FakeProject::new(&world).scenario(&script.concat()).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review uncommitted false");
    assert!(is_there(p.worktree("T-1").join("deep/new.txt")));
    assert_eq!(p.git("T-1", &["stash", "list"]).lines().count(), 1);
}
