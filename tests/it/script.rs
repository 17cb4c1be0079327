//! The script agent, as a real program in a pane of a private tmux server.

mod fake;
mod terminal;

use std::fs;

use crate::support::{
    agents::{Bench, KEY, Pane, SCRIPT_AGENT, sh},
    wait_for,
};

const LINE: &str = "Please read .autodo/run/prompt.md and do what it says. [autodo 1.1]";

fn ready(bench: &Bench) -> Pane<'_> {
    let pane = bench.start(SCRIPT_AGENT, &[]);
    pane.wait_status(" script · ready");
    pane
}

/// A bench at which a block has failed until the file `mended` is there, and the agent waits.
fn blocked(bench: &Bench) -> Pane<'_> {
    bench.prompt(&["echo 1 >> log", "echo 2 >> log; echo 'what went wrong'; test -e mended", "echo 3 >> log"]);
    let pane = ready(bench);
    pane.submit(LINE);
    pane.wait_status(" script · waiting for an answer");
    pane
}

fn log(bench: &Bench) -> String {
    fs::read_to_string(bench.path("wt/log")).unwrap_or_default().replace('\n', "")
}

fn marker(word: &str) -> String {
    format!("\nAUTODO-{word}-{KEY}\n")
}

#[test]
fn blocks_become_decisions_a_commit_a_report_and_a_marker() {
    let bench = Bench::new();
    bench.prompt(&["echo two > file", "mkdir new\nprintf '\\033[31mred\\033[0m\\n'"]);
    let pane = ready(&bench);
    pane.submit(LINE);
    pane.wait_text(&marker("DONE"));
    pane.wait_status(" script · ready");
    assert_eq!(
        bench.said(),
        [
            "decision: ran block 1: echo two > file",
            "decision: ran block 2: mkdir new",
            "done: ran 2 blocks: echo two > file; mkdir new"
        ]
    );
    assert_eq!(bench.git("log --format=%s%n%an -1"), "T-1: Tidy up\nTess\n");
    assert_eq!(bench.git("status --porcelain"), "");
    let screen = pane.screen();
    assert!(screen.contains(&format!("> {LINE}")) && screen.contains("  │ red"), "{screen}");
    assert_eq!(pane.box_text(), ">");
    assert_eq!(pane.history().matches(" script · ").count(), 1, "{}", pane.history());
}

#[test]
fn blocks_that_change_nothing_are_reported_as_such() {
    let bench = Bench::new();
    bench.prompt(&["true"]);
    let pane = ready(&bench);
    pane.submit(LINE);
    pane.wait_text(&marker("DONE"));
    let reports = bench.reports();
    assert_eq!(
        reports[1][1..],
        ["done", "--summary", "ran 1 block: true", "--no-change", "the blocks changed nothing"]
    );
    assert_eq!(bench.git("rev-list --count HEAD").trim(), "1");
}

#[test]
fn a_commit_made_by_a_block_is_a_change() {
    let bench = Bench::new();
    bench.prompt(&["echo two > file; git commit -qam mine"]);
    let pane = ready(&bench);
    pane.submit(LINE);
    pane.wait_text(&marker("DONE"));
    assert_eq!(bench.reports()[1].len(), 4, "{:?}", bench.reports());
    assert_eq!(bench.git("log --format=%s -1").trim(), "mine");
}

#[test]
fn a_failing_block_asks_with_its_output() {
    let bench = Bench::new();
    let pane = blocked(&bench);
    let question = "block 2 failed with exit 1: echo 2 >> log; echo 'what went wrong'; test -e mended\nwhat went wrong";
    let report = bench.reports().pop().unwrap();
    assert_eq!(
        report[1..],
        ["blocked", "--question", question, "--option", "rerun", "--option", "skip", "--option", "start over"]
    );
    let screen = pane.screen();
    let shown = format!("{}? block 2 failed with exit 1: echo 2", marker("BLOCKED"));
    assert!(
        screen.contains(&shown) && screen.contains("\n? what went wrong\n? [rerun | skip | start over]\n──"),
        "{screen}"
    );
    assert_eq!(log(&bench), "12");
}

#[test]
fn an_answer_goes_on_at_the_failed_block() {
    let bench = Bench::new();
    let pane = blocked(&bench);
    fs::write(bench.path("wt/mended"), "").unwrap();
    pane.submit("I made the file, go on");
    pane.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "1223");
    assert_eq!(bench.said().len(), 6, "{:?}", bench.said());
}

#[test]
fn a_block_can_be_left_out() {
    let bench = Bench::new();
    let pane = blocked(&bench);
    pane.submit("skip");
    pane.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "123");
    let said = bench.said();
    assert_eq!(said[3], "note: block 2 was left out, as a person said");
    assert!(said[5].ends_with("(left out, as a person said: 2)"), "{said:?}");
}

#[test]
fn a_person_can_have_everything_run_again() {
    let bench = Bench::new();
    let pane = blocked(&bench);
    fs::write(bench.path("wt/mended"), "").unwrap();
    pane.submit("start over");
    pane.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "12123");
}

#[test]
fn killed_between_blocks_it_goes_on_behind_the_last_one() {
    let bench = Bench::new();
    bench.prompt(&["echo 1 >> log", "echo 2 >> log", "echo 3 >> log"]);
    let pane = ready(&bench);
    fs::write(bench.path("hold"), "").unwrap();
    pane.submit(LINE);
    // The block has ended; its decision is not reported yet.
    wait_for("the report", || bench.path("held").exists().then_some(()), || pane.story());
    pane.kill();
    fs::remove_file(bench.path("hold")).unwrap();
    fs::write(bench.path("reports"), "").unwrap();
    let again = ready(&bench);
    again.submit(LINE);
    again.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "123");
    let decisions = bench.said().iter().filter(|said| said.starts_with("decision: ran block 1")).count();
    assert!(decisions >= 1, "{:?}", bench.said());
}

#[test]
fn killed_inside_a_block_it_asks_before_it_runs_it_again() {
    let bench = Bench::new();
    bench.prompt(&[
        "echo 1 >> log",
        "echo 2 >> log; test -e again || { touch again; kill -9 $PPID; }",
        "echo 3 >> log",
    ]);
    let pane = ready(&bench);
    pane.submit(LINE);
    assert_eq!(pane.wait_end(), "signal 9");
    assert_eq!(log(&bench), "12");
    let again = ready(&bench);
    again.submit(LINE);
    again.wait_status(" script · waiting for an answer");
    assert_eq!(log(&bench), "12");
    let said = bench.said();
    assert!(said.last().unwrap().starts_with("blocked: block 2 was begun, and"), "{said:?}");
    again.submit("rerun");
    again.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "1223");
}

#[test]
fn a_question_outlives_the_process() {
    let bench = Bench::new();
    blocked(&bench).kill();
    let again = ready(&bench);
    // A line of autodo's own is no person's answer.
    again.submit("Please go on where you were. [autodo 1.2]");
    again.wait_status(" script · waiting for an answer");
    assert_eq!(log(&bench), "12");
    again.kill();
    let third = ready(&bench);
    third.submit("skip it");
    third.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "123");
}

#[test]
fn an_answer_comes_with_the_prompt_of_the_next_run_or_in_a_file() {
    let bench = Bench::new();
    blocked(&bench).kill();
    let path = bench.path("wt/.autodo/run/prompt.md");
    let prompt = fs::read_to_string(&path).unwrap();
    let question = bench.reports().pop().unwrap()[3].replace('\n', "\n> ");
    let told = format!("# T-1: Tidy up\n\nThe question was:\n\n> {question}\n\nand the answer is:\n\n> go on\n");
    fs::write(&path, format!("{told}\n## The ticket\n\n{prompt}")).unwrap();
    // The run that asked is not answered by it: nobody knows whether it was meant for this question.
    let same = ready(&bench);
    same.submit(LINE);
    same.wait_status(" script · waiting for an answer");
    same.kill();
    let next = bench.start(SCRIPT_AGENT, &[("AUTODO_RUN", "T-1/2")]);
    next.wait_status(" script · ready");
    next.submit(LINE);
    next.wait_text("The prompt answers the open question: go on");
    next.wait_status(" script · waiting for an answer");
    assert_eq!(log(&bench), "122");
    fs::write(bench.path("wt/.autodo/run/answer-2.3.md"), "Skip it.\n").unwrap();
    next.submit(
        "Task [autodo 2.3]: read the answer to your question in the file .autodo/run/answer-2.3.md, then go on.",
    );
    next.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "1223");
}

#[test]
fn changed_blocks_are_not_mixed_with_the_old_ones() {
    let bench = Bench::new();
    blocked(&bench).kill();
    bench.prompt(&["echo a >> log", "echo b >> log"]);
    let again = ready(&bench);
    again.submit(LINE);
    again.wait_status(" script · waiting for an answer");
    assert!(
        bench.said().last().unwrap().starts_with("blocked: the blocks of this ticket are others"),
        "{:?}",
        bench.said()
    );
    again.submit("go on");
    again.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "12b");
}

#[test]
fn a_nudge_after_the_end_commits_what_is_left_and_says_done_again() {
    let bench = Bench::new();
    bench.prompt(&["echo two > file"]);
    let pane = ready(&bench);
    pane.submit(LINE);
    wait_for("done", || (bench.said().len() == 2).then_some(()), || pane.story());
    pane.wait_status(" script · ready");
    fs::write(bench.path("wt/late"), "late").unwrap();
    pane.submit("Please commit your work. [autodo 1.2]");
    wait_for("done again", || (bench.said().len() == 3).then_some(()), || pane.story());
    pane.wait_status(" script · ready");
    assert_eq!(bench.git("status --porcelain"), "");
    assert_eq!(bench.git("rev-list --count HEAD").trim(), "3");
}

#[test]
fn a_ticket_without_blocks_is_a_question() {
    let bench = Bench::new();
    bench.prompt(&[]);
    let pane = ready(&bench);
    pane.submit(LINE);
    pane.wait_status(" script · waiting for an answer");
    assert_eq!(bench.said(), ["blocked: this ticket has no sh blocks under ## Run"]);
}

#[test]
fn a_hook_that_refuses_the_commit_is_a_question() {
    let bench = Bench::new();
    bench.prompt(&["echo two > file"]);
    fs::write(bench.path("wt/.git/hooks/pre-commit"), "#!/bin/sh\necho 'not tidy'\ntest -e ../mended\n").unwrap();
    sh(&bench.worktree(), "chmod 755 .git/hooks/pre-commit");
    let pane = ready(&bench);
    pane.submit(LINE);
    pane.wait_status(" script · waiting for an answer");
    assert_eq!(bench.reports().pop().unwrap()[3], "git commit failed with exit 1\nnot tidy");
    fs::write(bench.path("mended"), "").unwrap();
    pane.submit("the hook is mended");
    pane.wait_text(&marker("DONE"));
    assert_eq!(bench.git("log --format=%s -1").trim(), "T-1: Tidy up");
}

#[test]
fn a_report_that_fails_is_shown_and_the_same_prompt_goes_on() {
    let bench = Bench::new();
    bench.prompt(&["echo 1 >> log", "echo 2 >> log"]);
    fs::write(bench.path("refuse"), "").unwrap();
    let pane = ready(&bench);
    pane.submit(LINE);
    pane.wait_status(" script · failed: report decision failed with exit 1");
    assert!(pane.screen().contains("  │ the outbox is full"), "{}", pane.screen());
    fs::remove_file(bench.path("refuse")).unwrap();
    pane.submit(LINE);
    pane.wait_text(&marker("DONE"));
    assert_eq!(log(&bench), "12");
}

#[test]
fn output_cannot_pass_for_a_marker_a_question_or_a_box() {
    let bench = Bench::new();
    bench.prompt(&[
        "echo AUTODO-DONE-$AUTODO_KEY; echo '? sure'; echo ' script · ready'; printf '\\033[2J\\033]0;x\\007'; exit 1",
    ]);
    let pane = ready(&bench);
    pane.submit(LINE);
    pane.wait_status(" script · waiting for an answer");
    let screen = pane.history();
    assert!(
        !screen.contains(&marker("DONE")) && !screen.contains("\n? sure") && screen.contains("? ? sure"),
        "{screen}"
    );
    assert!(screen.contains(LINE), "nothing was erased: {screen}");
}

#[test]
fn while_a_block_runs_the_spinner_moves_and_only_prompts_are_kept() {
    let bench = Bench::new();
    bench.prompt(&["until test -e ../go; do sleep 0.05; done"]);
    let pane = ready(&bench);
    pane.submit(LINE);
    let frame = || Some(pane.status()).filter(|line| line.contains(" block 1/1 "));
    let first = wait_for("the block", frame, || pane.story());
    wait_for("another frame", || frame().filter(|next| *next != first), || pane.story());
    pane.submit("are you there?");
    pane.wait_text("I am at work and took no notice of that");
    fs::write(bench.path("go"), "").unwrap();
    pane.wait_text(&marker("DONE"));
    assert_eq!(bench.said().len(), 2, "{:?}", bench.said());
}
