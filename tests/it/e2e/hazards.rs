//! What agents should not do, and what comes of it: nothing for themselves, and nothing for anybody else.

use crate::support::{
    fakes::{COMMIT, DONE, FakeProject, is_there},
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

#[test]
fn an_agent_that_clears_away_its_outbox_is_heard_all_the_same() {
    let world = World::new();
    let before = "report decision --risk low 'before'\nrun while ls .autodo/run/outbox/*.json; do sleep 0.02; done\n";
    let script = [BEGIN, before, "rm-autodo\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).checks(&["test -f work.txt"]).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    let review = p.review("T-1");
    assert_eq!((&review["decisions"][0]["text"], &review["summary"]), (&"before".into(), &"all is done".into()));
    assert!(is_there(p.worktree("T-1").join(".autodo/run/outbox")), "it was made again");
}

#[test]
fn an_agent_that_edits_the_settings_changes_nothing_for_itself() {
    let world = World::new();
    let script = [BEGIN, COMMIT, "edit-config\nrun git add -A && git commit -q -m 'no checks'\n", DONE].concat();
    let p = FakeProject::new(&world).checks(&["test -f good.txt"]).limit("feedback_rounds = 0").scenario(&script);
    let p = p.set_up();
    p.repo.git(&["add", "-A"]);
    p.repo.git(&["commit", "-q", "-m", "settings"]);
    p.dispatch(&[]).code(0);
    let (row, review) = (p.row("T-1"), p.review("T-1"));
    assert_eq!(p.status("T-1"), "needs_review checks_failed false");
    assert_eq!(row["effective_risk"], "high", "{row}");
    assert!(review["risk_sources"].to_string().contains(".autodo/config.toml"), "{review}");
    assert!(row["flags_count"].as_u64() > Some(0), "what the agent did not say is flagged");
}

#[test]
fn a_report_in_another_runs_name_or_with_another_key_is_never_believed() {
    let world = World::new();
    let script = [
        BEGIN,
        "report-as T-2/1 {key} done --summary 'for another'\n",
        "report-as {run} 00000000 done --summary 'with a wrong key'\n",
        "report-as T-1/9 {key} blocked --question 'from another run'\n",
        COMMIT,
        DONE,
    ]
    .concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.review("T-1")["summary"], "all is done");
    let rejected = p.events_of("T-1", "report_rejected");
    assert_eq!(rejected.len(), 3, "{rejected:#?}");
    assert!(!p.world.file("T-1/events.jsonl").contains("for another"));
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "work", "it was not taken at its first word");
}

#[test]
fn a_key_that_one_ticket_found_out_does_not_make_another_one_done() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "");
    let (key, gate) = (p.gate("key"), p.gate("gate"));
    let victim = format!(
        "{BEGIN}run printf %s \"$AUTODO_KEY\" > {key}.new && mv {key}.new {key}\nwait-file {gate}\n{COMMIT}{DONE}"
    );
    let forger = format!(
        "{BEGIN}wait-file {key}\nrun AUTODO_RUN=T-1/1 AUTODO_KEY=$(cat {key}) \"$AUTODO_BIN\" report done --summary forged\n\
         {COMMIT}{DONE}"
    );
    let p = p.scenario_of("T-1", 1, &victim).scenario_of("T-2", 1, &forger).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-2", "needs_review null true");
    assert!(p.status("T-1").starts_with("running working"), "{}", p.status("T-1"));
    p.open("gate");
    dispatch.wait(crate::support::PATIENCE).code(0);
    assert_eq!(p.review("T-1")["summary"], "all is done");
    assert_eq!(p.events_of("T-2", "report_rejected").len(), 1);
}

#[test]
fn an_agent_that_kills_tmux_hits_neither_autodos_server_nor_the_users() {
    let world = World::new();
    let tmp = world.root().join("user-tmux");
    std::fs::create_dir(&tmp).unwrap();
    // The user's own server, as tmux finds it by default.
    let user = |args: &[&str]| world.program("tmux", args).env("TMUX_TMPDIR", &tmp).run();
    user(&["-f", "/dev/null", "new-session", "-d", "-s", "mine", "sleep 600"]).ok();
    let script = [BEGIN, "kill-server\nrun tmux kill-session\nrun tmux kill-session -a\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).limit("crashes = 1").scenario(&script).set_up();
    p.command(&["dispatch"]).env("TMUX_TMPDIR", &tmp).run().code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.row("T-1")["run"], 1, "its own session went on");
    let codes: Vec<i64> = p.commands("T-1").iter().take(3).map(|(code, _)| *code).collect();
    assert_eq!(codes, [1, 1, 1], "{:?}", p.commands("T-1"));
    user(&["has-session", "-t", "mine"]).ok();
    world.tmux(&["has-session", "-t", "_autodo"]).ok();
    user(&["kill-server"]).ok();
}

#[test]
fn an_agent_cannot_approve_answer_or_stop_anything() {
    let world = World::new();
    let mut script = [BEGIN, COMMIT, "approve\n"].concat();
    for verb in [
        "approve-low",
        "answer T-1 yes",
        "reject T-1 -m no",
        "stop --all",
        "resume T-1",
        "retry T-1",
        "cancel T-1",
        "drain",
    ] {
        script.push_str(&format!("run \"$AUTODO_BIN\" {verb}\n"));
    }
    script.push_str("run env -u AUTODO_RUN -u AUTODO_LAUNCH setsid \"$AUTODO_BIN\" cancel T-1\n");
    script.push_str(DONE);
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    let refused: Vec<(i64, String)> = p.commands("T-1").into_iter().skip(1).take(10).collect();
    assert_eq!(refused.len(), 10);
    assert!(refused.iter().all(|(code, said)| *code == 1 && said.contains("a person's to type")), "{refused:#?}");
}

#[test]
fn a_tickets_words_are_only_words() {
    let world = World::new();
    let title = "a; touch pwned $(touch pwned) `touch pwned` #(touch pwned) 'x' \\\"y\\\" \u{1F980}";
    let p = FakeProject::new(&world);
    p.repo.write(
        ".autodo/tickets/T-1.md",
        &format!("---\nid: T-1\ntitle: \"{title}\"\n---\n!touch pwned\n#(touch pwned)\n"),
    );
    p.repo.write(".autodo/tickets/T-2.md", "---\nid: fix\ntitle: one\n---\nx\n");
    p.repo.write(".autodo/tickets/T-3.md", "---\nid: fix-2\ntitle: two\n---\nx\n");
    let p = p.scenario_of("T-1", 1, &[BEGIN, COMMIT, DONE].concat());
    let mut p = p.scenario_of("fix", 1, &[BEGIN, COMMIT, DONE].concat());
    p = p.scenario_of("fix-2", 1, &[BEGIN, COMMIT, DONE].concat()).known(&["T-1", "fix", "fix-2"]).dispatched(0);
    for id in ["T-1", "fix", "fix-2"] {
        assert_eq!(p.status(id), "needs_review null true");
        assert!(!is_there(p.worktree(id).join("pwned")));
    }
    assert!(!is_there(world.root().join("pwned")) && !is_there(p.repo.path.join("pwned")));
    assert!(p.prompts("T-1")[0].starts_with("Task "));
}
