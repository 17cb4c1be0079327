//! `dispatch --cron`: nobody is there. Silent where nobody is needed, one page where somebody is.

use crate::support::{PATIENCE, desk::Desk, wait_for};

use super::{profile_text, user_profile};

/// Times of day, `minutes` from now.
fn at(minutes: i64) -> String {
    let now = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
    now.to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M").to_string()
}

/// The folders beside the project's worktrees, and all branches: a preflight leaves none.
fn left(desk: &Desk) -> (String, usize) {
    (desk.repo.git(&["branch", "--format=%(refname:short)"]), desk.repo.git(&["worktree", "list"]).lines().count())
}

#[test]
fn a_good_night_is_silent() {
    let desk = Desk::new();
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = [\"true\"]\n");
    desk.ticket("T-1", "", "echo a > a.txt");
    let run = desk.autodo(&["dispatch", "--cron", "--from", &at(-60), "--until", &at(60), "--hard-stop", &at(61)]).ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!(desk.status("T-1"), "needs_review");
    // With nothing to do it is silent, too.
    let run = desk.autodo(&["dispatch", "--cron"]).ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
}

#[test]
fn by_day_nothing_is_done_and_after_the_last_start_nothing_is_started() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    let run = desk.autodo(&["dispatch", "--cron", "--from", &at(60), "--until", &at(120)]).ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    assert_eq!(desk.autodo(&["list"]).ok().stdout, "");
    desk.autodo(&["dispatch", "--cron", "--from", &at(-60), "--until", &at(-5), "--hard-stop", &at(60)]).ok();
    assert_eq!(desk.status("T-1"), "queued");
    let run =
        desk.autodo(&["dispatch", "--cron", "--from", "01:00", "--until", "06:30", "--hard-stop", "05:00"]).code(2);
    assert!(run.stdout.contains("comes before"), "{}", run.both());
    desk.autodo(&["dispatch", "--from", "01:00", "--until", "06:30"]).code(2);
}

#[test]
fn trouble_is_one_page_with_what_to_type() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.asking("T-2", "");
    let run = desk.autodo(&["dispatch", "--cron"]).code(8);
    assert_eq!(run.stderr, "");
    for word in ["blocked: T-2  Ticket T-2", "Which colour?", "autodo answer T-2", "besides: 1 needs_review"] {
        assert!(run.stdout.contains(word), "{word}:\n{}", run.stdout);
    }
    assert!(run.stdout.lines().count() < 20, "{}", run.stdout);
    // A ticket that is wrong is told, too, and does not cost the others their night.
    desk.repo.ticket("T-3", "title: x\npriority: often", "Do it.\n");
    desk.ticket("T-4", "", "echo d > d.txt");
    let run = desk.autodo(&["dispatch", "--cron"]).code(2);
    assert!(run.stderr.is_empty() && run.stdout.contains("T-3") && run.stdout.contains("often"), "{}", run.both());
    assert_eq!(desk.status("T-4"), "needs_review");
}

#[test]
fn what_wants_a_person_is_not_started_where_nobody_is() {
    let desk = Desk::new();
    desk.ticket("T-1", "unattended: false", "echo a > a.txt");
    desk.ticket("T-2", "after: [T-1]", "echo b > b.txt");
    desk.ticket("T-3", "", "echo c > c.txt");
    desk.autodo(&["dispatch", "--cron"]).ok();
    let run = desk.autodo(&["tick"]).ok();
    assert!(run.stderr.contains("T-1: not started: it says unattended: false"), "{}", run.both());
    let all = ["T-1", "T-2", "T-3"].map(|id| desk.status(id));
    assert_eq!(all, ["queued", "queued", "needs_review"]);
    let page = desk.autodo(&["summary"]).ok().stdout;
    assert!(page.contains("(waits for a dispatch with a person there (unattended: false))"), "{page}");
    desk.autodo(&["dispatch"]).ok();
    assert_eq!((desk.status("T-1").as_str(), desk.status("T-2").as_str()), ("needs_review", "needs_review"));
}

#[test]
fn a_second_firing_hands_its_tickets_over_and_is_silent() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    let supervisor = desk.supervisor(&["--cron"]);
    desk.until_at_work("T-1");
    desk.ticket("T-2", "", "echo b > b.txt");
    let run = desk.autodo(&["dispatch", "--cron", "--until", "1h"]).ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    let run = desk.autodo(&["dispatch", "--cron"]).ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    desk.let_go("T-1");
    let run = supervisor.wait(PATIENCE).ok();
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    wait_for("T-2", || (desk.status("T-2") == "needs_review").then_some(()), || desk.world.story());
}

#[test]
fn a_base_on_which_the_checks_fail_stops_the_batch_before_anything_is_spent() {
    let desk = Desk::new();
    let check = "test ! -e broken || { echo 'it is broken'; touch left; exit 3; }";
    desk.repo.settings(&format!(
        "version = 1\nprofile = \"script\"\nchecks = ['''{check}''']\n[worktree]\ncopy = [\".env\"]\nsetup = [\"test -e .env && touch set-up\"]\n"
    ));
    desk.repo.write(".env", "x");
    desk.ticket("T-1", "", "git rm -q broken; echo a > a.txt");
    desk.repo.commit(&[("broken", "")], "break it");
    let before = left(&desk);
    let run = desk.autodo(&["dispatch", "--cron"]).code(1);
    for word in ["nothing was started: base: the check", "it is broken", "preflight.log"] {
        assert!(run.stdout.contains(word), "{word}:\n{}", run.both());
    }
    assert_eq!(desk.autodo(&["list", "--all"]).ok().stdout, "", "no ticket was taken");
    assert_eq!(left(&desk), before, "the trial is gone");
    assert!(!desk.repo.path.join("left").exists());
    // It can be left out; a dispatch with somebody there has no preflight.
    desk.command(&["dispatch", "--cron"]).env("AUTODO_PREFLIGHT_BASE", "false").run().ok();
    assert_eq!(desk.status("T-1"), "needs_review");
}

#[test]
fn a_machine_without_room_or_an_agent_that_is_not_ready_stops_the_batch() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    for (variable, value, word) in
        [("AUTODO_PREFLIGHT_DISK_MB", "4000000000", "disk:"), ("AUTODO_PREFLIGHT_MEMORY_MB", "4000000000", "memory:")]
    {
        let run = desk.command(&["dispatch", "--cron"]).env(variable, value).run().code(1);
        assert!(run.stdout.contains(&format!("nothing was started: {word}")), "{}", run.both());
    }
    let login = "[login]\nargv = [\"sh\", \"-c\", \"echo nobody; exit 1\"]\nfix = \"my-agent login\"\n";
    user_profile(&desk.world, "mine", &format!("{}{login}", profile_text("mine", "sh")));
    user_profile(&desk.world, "gone", &profile_text("gone", "no-such-agent"));
    desk.repo.ticket("T-2", "title: x\nprofile: mine", "Do it.\n");
    let run = desk.autodo(&["dispatch", "--cron"]).code(4);
    assert!(run.stdout.contains("login:mine") && run.stdout.contains("hint: my-agent login"), "{}", run.both());
    desk.repo.ticket("T-2", "title: x\nprofile: gone", "Do it.\n");
    let run = desk.autodo(&["dispatch", "--cron"]).code(1);
    assert!(run.stdout.contains("there is no no-such-agent on the PATH"), "{}", run.both());
    assert_eq!(desk.autodo(&["list", "--all"]).ok().stdout, "");
    // What cannot be found out is no reason to stop.
    let unknown = login.replace("\"sh\", \"-c\", \"echo nobody; exit 1\"", "\"no-such-program\"");
    user_profile(&desk.world, "gone", &format!("{}{unknown}", profile_text("gone", "sh")));
    desk.repo.ticket("T-2", "title: x\nprofile: gone\nunattended: false", "Do it.\n");
    desk.autodo(&["dispatch", "--cron"]).ok();
    assert_eq!((desk.status("T-1").as_str(), desk.status("T-2").as_str()), ("needs_review", "queued"));
}
