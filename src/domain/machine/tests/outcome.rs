//! How an outcome is concluded: every row of the table in `docs/concepts/outcome.md`.

use super::play::*;
use crate::domain::{
    check::{ChecksStatus, CommandEnd},
    event::{Event, Request, Retry, Timer, Work},
    flags::own_flags,
    row::Status,
    run::{NextRun, Phase, Purpose},
    screen::{Marker, ScreenState},
};

#[track_caller]
fn asks(play: &Play, purpose: &Purpose) {
    match play.phase() {
        Phase::Pasting { delivery } => assert_eq!(&delivery.purpose, purpose),
        other => panic!("nothing is asked: {other:?}"),
    }
}

#[test]
fn a_claim_with_commits_and_green_checks_is_verified() {
    let mut play = Play::new();
    play.checking().green();
    assert_eq!(play.words(), ["close"]);
    play.take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", true, None));
    let proof = play.proof();
    assert_eq!((proof.checks_status, proof.checks.len(), proof.commits), (ChecksStatus::Green, 2, 2));
    assert_eq!(proof.summary.as_deref(), Some("all of it"));
    assert!(play.row.satisfies_dependents());
}

#[test]
fn a_project_without_checks_is_verified_and_says_which_kind_of_without() {
    for (checks, status) in [(Some(vec![]), ChecksStatus::None), (None, ChecksStatus::Unset)] {
        let mut play = Play::new();
        play.frozen.checks = checks;
        play.working().says(done()).take(&work(1, &[])).take(&Event::Closed);
        assert_eq!(play.outcome(), ("needs_review", true, None));
        assert_eq!(play.proof().checks_status, status);
    }
}

#[test]
fn a_marker_at_the_prompt_is_a_claim_and_one_while_it_works_is_none() {
    let mut play = Play::new();
    play.working().take(&marker(Marker::Done));
    assert_eq!(play.words(), ["inspect"]);
    let mut play = Play::new();
    let Event::Seen { mut sighting, answerable } = marker(Marker::Done) else { unreachable!() };
    sighting.state = ScreenState::Busy;
    play.working().take(&Event::Seen { sighting, answerable });
    assert!(matches!(play.phase(), Phase::Working));
}

#[test]
fn a_dirty_tree_is_asked_about_once_and_never_checked() {
    for commits in [0, 2] {
        let mut play = Play::new();
        play.working().says(done()).take(&work(commits, &["a.rs"]));
        asks(&play, &Purpose::Commit);
        play.delivered().says(done()).take(&work(commits, &["a.rs"])).take(&Event::Closed);
        assert_eq!(play.outcome(), ("needs_review", false, Some("uncommitted")));
        assert_eq!((play.proof().dirty, play.proof().checks_status), (1, ChecksStatus::NotRun));
        assert_eq!(play.row.check_round, 0);
    }
}

#[test]
fn a_tree_that_was_committed_when_asked_is_checked() {
    let mut play = Play::new();
    play.working().says(done()).take(&work(0, &["a.rs"])).delivered().says(done()).take(&work(2, &[]));
    play.green().take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", true, None));
}

#[test]
fn an_explained_lack_of_change_is_verified_and_flagged() {
    let mut play = Play::new();
    play.working().says(no_change()).take(&work(0, &[]));
    play.take(&checked("test", exit(0))).take(&checked("lint", exit(0))).take(&work(0, &[])).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", true, Some("no_change")));
    assert_eq!(own_flags(&play.row).len(), 1);
}

#[test]
fn an_unexplained_lack_of_change_is_asked_about_once() {
    let mut play = Play::new();
    play.working().says(done()).take(&work(0, &[]));
    asks(&play, &Purpose::NoChange);
    let mut explained = play.clone();
    play.delivered().says(done()).take(&work(0, &[])).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("no_change_unexplained")));
    explained.delivered().says(no_change()).take(&work(0, &[]));
    assert!(matches!(explained.phase(), Phase::Checking { .. }));
}

#[test]
fn failed_checks_go_back_twice_and_then_to_a_person() {
    let mut play = Play::new();
    play.checking();
    for round in 1..=2 {
        assert_eq!(play.row.check_round, round);
        play.take(&checked("test", exit(1))).take(&checked("lint", exit(0)));
        asks(&play, &Purpose::Feedback { round });
        assert_eq!(play.proof().checks.len(), 2, "the prompt is written from the proof");
        play.delivered().says(done()).take(&work(3, &[]));
    }
    play.take(&checked("test", CommandEnd::TimedOut { after_s: 9 })).take(&checked("lint", exit(0)));
    play.take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("checks_failed")));
    assert_eq!(play.proof().checks_status, ChecksStatus::Failed);
}

#[test]
fn a_profile_without_feedback_is_asked_nothing() {
    let claims: [(Event, &[Event], &str); 3] = [
        (work(1, &["a"]), &[], "uncommitted"),
        (work(0, &[]), &[], "no_change_unexplained"),
        (work(1, &[]), &[checked("test", exit(1)), checked("lint", exit(0))], "checks_failed"),
    ];
    for (seen, then, reason) in claims {
        let mut play = Play::new();
        play.frozen.limits.feedback = false;
        play.working().says(done()).take(&seen);
        for event in then {
            play.take(event);
        }
        play.take(&Event::Closed);
        assert_eq!(play.outcome(), ("needs_review", false, Some(reason)));
    }
}

#[test]
fn an_agent_that_is_gone_is_asked_in_its_conversation_where_that_can_go_on() {
    let mut play = Play::resumable();
    play.checking().take(&Event::AgentExited { launch: 1, end: exit(0) });
    play.take(&checked("test", exit(1))).take(&checked("lint", exit(0)));
    assert_eq!((play.words(), play.row.launch, play.row.run), (vec!["open_session"], 2, 1));
    play.take(&opened()).take(&shows(ScreenState::Ready));
    asks(&play, &Purpose::Feedback { round: 1 });
    let mut play = Play::new();
    play.checking().take(&Event::AgentExited { launch: 1, end: exit(0) });
    play.take(&checked("test", exit(1))).take(&checked("lint", exit(0))).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("checks_failed")));
}

#[test]
fn exit_0_without_a_claim_is_for_a_person_and_unverified() {
    let mut play = Play::new();
    play.working().take(&Event::AgentExited { launch: 1, end: exit(0) }).take(&work(5, &[])).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("no_claim")));
}

#[test]
fn a_report_that_is_found_after_the_exit_is_still_a_claim() {
    let mut play = Play::new();
    play.working().take(&Event::AgentExited { launch: 1, end: exit(0) }).says(done()).take(&work(2, &[])).green();
    play.take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", true, None));
}

#[test]
fn work_off_the_branch_is_no_proof_before_or_after_the_checks() {
    let off = Event::Inspected { work: Work { off_branch: Some("main".into()), ..work_at("tip", 2, &[]) } };
    let mut play = Play::new();
    play.working().says(done()).take(&off).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("off_branch")));
    let mut play = Play::new();
    play.checking().take(&checked("test", exit(0))).take(&checked("lint", exit(0))).take(&off).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("off_branch")));
}

#[test]
fn a_check_of_unknown_end_is_run_again_and_is_never_a_failure() {
    let mut play = Play::new();
    play.checking();
    for round in 1..=2 {
        assert_eq!(play.row.check_round, round);
        play.take(&checked("test", exit(0))).take(&checked("lint", unknown()));
        assert_eq!(play.words(), ["run_check"]);
    }
    let mut mended = play.clone();
    play.take(&checked("test", unknown())).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("checks_unknown")));
    assert_ne!(play.proof().checks_status, ChecksStatus::Failed);
    mended.green().take(&Event::Closed);
    assert_eq!(mended.outcome(), ("needs_review", true, None));
}

#[test]
fn a_check_that_failed_beside_one_of_unknown_end_failed() {
    let mut play = Play::new();
    play.checking().take(&checked("test", exit(2))).take(&checked("lint", unknown()));
    asks(&play, &Purpose::Feedback { round: 1 });
}

#[test]
fn checks_hold_for_the_commit_they_ran_on() {
    let moved = |n: u32| Event::Inspected { work: work_at(&format!("tip{n}"), 2, &[]) };
    let mut play = Play::new();
    play.checking();
    for n in 1..=2 {
        play.take(&checked("test", exit(0))).take(&checked("lint", exit(0))).take(&moved(n));
        assert_eq!(play.row.check_round, n + 1);
    }
    play.take(&checked("test", exit(0))).take(&checked("lint", exit(0))).take(&moved(3)).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("branch_moved")));
}

#[test]
fn a_tree_that_became_dirty_while_the_checks_ran_is_not_verified() {
    let mut play = Play::new();
    play.checking().take(&checked("test", exit(0))).take(&checked("lint", exit(0))).take(&work(2, &["new.txt"]));
    asks(&play, &Purpose::Commit);
    let mut play = Play::new();
    play.frozen.limits.feedback = false;
    play.checking().take(&checked("test", exit(0))).take(&checked("lint", exit(0))).take(&work(2, &["new.txt"]));
    play.take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("left_by_checks")));
    assert_eq!((play.proof().checks_status, play.proof().dirty), (ChecksStatus::Green, 1));
}

#[test]
fn a_result_of_another_command_is_not_taken_for_this_one() {
    let mut play = Play::new();
    play.checking().ignores(&checked("lint", exit(0))).ignores(&checked("other", exit(0)));
}

#[test]
fn two_claims_are_one_and_the_newer_words_count() {
    let other = |no_change: Option<&str>| crate::domain::report::Said::Done {
        summary: "better words".into(),
        no_change: no_change.map(str::to_owned),
    };
    let mut play = Play::new();
    play.working().says(no_change()).says(other(None)).take(&work(2, &[])).says(other(None)).green();
    play.take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", true, None));
    assert_eq!(play.proof().summary.as_deref(), Some("better words"));
    assert_eq!(play.proof().no_change, None);
    let mut play = Play::new();
    play.working().says(no_change()).take(&work(0, &[])).says(other(None));
    play.take(&checked("test", exit(0))).take(&checked("lint", exit(0))).take(&work(0, &[])).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", true, Some("no_change")), "the reason stays with what was checked");
}

#[test]
fn the_checks_alone_run_no_agent_and_are_no_claim() {
    let only = asked(Request::Retry { how: Retry::ChecksOnly });
    let mut play = Play::resumable();
    play.working().take(&Event::AgentExited { launch: 1, end: exit(0) }).take(&work(2, &[])).take(&Event::Closed);
    play.take(&only).start();
    assert_eq!((play.words(), play.row.run, play.row.launch), (vec!["inspect"], 1, 1));
    play.take(&work(2, &[])).green().take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("no_claim")));
    assert_eq!(play.proof().checks_status, ChecksStatus::Green);

    let mut play = Play::resumable();
    play.until_review().take(&only).start().take(&work(2, &[]));
    assert_eq!(play.row.check_round, 2);
    let (mut failing, mut stopped) = (play.clone(), play.clone());
    play.green().take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", true, None));
    failing.take(&checked("test", exit(1))).take(&checked("lint", exit(0)));
    assert_eq!(failing.words(), ["close"], "nobody is asked to mend it");
    stopped.take(&asked(Request::Stop)).take(&Event::Closed);
    assert_eq!(stopped.parked().next, NextRun::ChecksOnly);
    stopped.take(&asked(Request::Resume)).start().take(&work(2, &[])).green().take(&Event::Closed);
    assert_eq!(stopped.outcome(), ("needs_review", true, None), "the claim outlives the stop");
}

#[test]
fn a_look_that_fails_is_tried_again_and_the_claim_is_kept() {
    let failed = Event::InspectFailed { why: "git was ended".into() };
    for at_the_end in [false, true] {
        let mut play = Play::new();
        play.working().says(done());
        if at_the_end {
            play.take(&work(2, &[])).take(&checked("test", exit(0))).take(&checked("lint", exit(0)));
        }
        for _ in 0..4 {
            play.take(&failed);
            assert!(play.words().is_empty());
        }
        play.take(&failed).take(&Event::Closed);
        assert_eq!((play.parked().reason.as_str(), &play.parked().next), ("worktree", &NextRun::ChecksOnly));
        play.take(&asked(Request::Resume)).start().take(&work(2, &[])).green().take(&Event::Closed);
        assert_eq!(play.outcome(), ("needs_review", true, None));
        assert_eq!(play.proof().summary.as_deref(), Some("all of it"));
    }
}

#[test]
fn what_autodo_does_itself_has_a_deadline() {
    let mut play = Play::new();
    play.working().says(done()).ignores(&Event::Deadline { timer: Timer::Proof });
    play.wait(901).ignores(&Event::Deadline { timer: Timer::Check });
    play.take(&Event::Deadline { timer: Timer::Proof }).take(&Event::Closed);
    assert_eq!(play.parked().reason, "worktree");
    let mut play = Play::new();
    play.checking().wait(1800).ignores(&Event::Deadline { timer: Timer::Check }).wait(121);
    play.take(&Event::Deadline { timer: Timer::Check }).take(&Event::Closed);
    assert_eq!(play.outcome(), ("needs_review", false, Some("checks_unknown")));
    let mut play = Play::new();
    play.checking().wait(1000).take(&checked("test", exit(0))).wait(1000);
    play.ignores(&Event::Deadline { timer: Timer::Check });
}

#[test]
fn a_question_after_a_claim_waits_for_the_running_check_only() {
    let mut play = Play::new();
    play.checking().says(question("which?"));
    assert!(matches!(play.phase(), Phase::Checking { .. }) && play.words().is_empty());
    let mut taken_back = play.clone();
    play.take(&checked("test", exit(0)));
    assert_eq!((play.blocked().question.as_str(), play.words()), ("which?", vec!["notify"]));
    taken_back.says(done()).green().take(&Event::Closed);
    assert_eq!(taken_back.outcome(), ("needs_review", true, None));
    let mut play = Play::new();
    play.working().says(done()).says(question("which?"));
    assert_eq!(play.blocked().reason, "question");
    let mut play = Play::new();
    play.checking().take(&checked("test", exit(0))).take(&checked("lint", exit(0))).says(question("which?"));
    assert_eq!(play.blocked().reason, "question");
}

#[test]
fn an_approved_ticket_lands_when_its_branch_is_found_in_its_target() {
    let mut play = Play::new();
    play.until_review().ignores(&Event::FoundLanded).take(&asked(Request::Approve { low: true }));
    play.take(&Event::FoundLanded);
    assert!(matches!(play.row.status, Status::Landed));
}
