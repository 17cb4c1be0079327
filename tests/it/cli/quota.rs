//! Whether there is quota is looked at before a night begins: by the agents' own records, and by a command of the user's.

use std::fs;

use crate::support::{desk::Desk, program::Run};

use super::{profile_text, user_profile};

/// A record as Codex writes it, with one window of its quota.
fn record(desk: &Desk, used_percent: f64, resets_in_minutes: i64) {
    let day = jiff::Timestamp::now().strftime("%Y/%m/%d").to_string();
    let folder = desk.world.root().join("home/records").join(day);
    fs::create_dir_all(&folder).unwrap();
    let resets = jiff::Timestamp::now().as_second() + 60 * resets_in_minutes;
    let line = |percent: f64| {
        format!(
            "{{\"type\":\"count\",\"limits\":{{\"primary\":{{\"used_percent\":{percent},\"resets_at\":{resets}}},\
             \"secondary\":null}}}}\n"
        )
    };
    // What counts is the last line that tells of it.
    let text = format!("{}no json\n{}{{\"type\":\"count\"}}\n", line(100.0 - used_percent), line(used_percent));
    fs::write(folder.join("r-1.jsonl"), text).unwrap();
}

fn page(run: Run, words: &[&str]) {
    let run = run.code(1);
    for word in words {
        assert!(run.stdout.contains(word), "{word}:\n{}", run.both());
    }
}

#[test]
fn what_an_agents_records_say_of_its_quota_stops_a_batch_that_nothing_would_come_of() {
    let desk = Desk::new();
    let records = "[records]\nfile = \"{home}/records/{date}/r-*.jsonl\"\n\
                   [records.head]\nwhen = { \"/type\" = \"head\" }\nconversation = \"/id\"\nfolder = \"/cwd\"\n\
                   [records.quota]\nwhen = { \"/type\" = \"count\" }\n\
                   windows = [\"/limits/primary\", \"/limits/secondary\"]\nused_percent = \"/used_percent\"\n\
                   resets_at = \"/resets_at\"\n";
    let mine = profile_text("mine", "sh").replace("[launch]", "conversation = \"recorded\"\n[launch]");
    user_profile(&desk.world, "mine", &format!("{mine}{records}"));
    // It would never be started: what is looked at here is what comes before.
    desk.repo.ticket("T-1", "title: x\nprofile: mine\nunattended: false", "Do it.\n");
    record(&desk, 99.5, 60);
    let said = ["nothing was started: limits:mine: mine has told that its quota is spent", "--until"];
    page(desk.autodo(&["dispatch", "--cron"]), &said);
    page(desk.autodo(&["dispatch", "--cron", "--until", "30m"]), &[said[0], "after the last start at"]);
    assert_eq!(desk.autodo(&["list", "--all"]).ok().stdout, "", "no ticket was taken");
    // What comes back before the last start is waited for.
    desk.autodo(&["dispatch", "--cron", "--until", "2h"]).ok();
    assert_eq!(desk.status("T-1"), "queued");
    page(desk.autodo(&["dispatch", "--cron"]), &said);
    // Where another agent has some, the batch begins.
    desk.ticket("T-2", "", "echo b > b.txt");
    desk.autodo(&["dispatch", "--cron"]).ok();
    assert_eq!(desk.status("T-2"), "needs_review");
    desk.command(&["dispatch", "--cron"]).env("AUTODO_PREFLIGHT_LIMITS", "false").run().ok();
    record(&desk, 60.0, 60);
    desk.autodo(&["dispatch", "--cron"]).ok();
    record(&desk, 100.0, -1);
    desk.autodo(&["dispatch", "--cron"]).ok();
}

#[test]
fn a_command_of_the_users_may_say_that_there_is_no_quota() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    let dispatch = |line: &str| desk.command(&["dispatch", "--cron"]).env("AUTODO_PREFLIGHT_QUOTA", line).run();
    page(dispatch("echo '3 % left'; exit 4"), &["nothing was started: quota: ", "says that there is none: 3 % left"]);
    page(dispatch("false"), &["it does not say why"]);
    assert_eq!(desk.autodo(&["list", "--all"]).ok().stdout, "");
    // A repository from elsewhere runs nothing of its own before a night.
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = []\n[preflight]\nquota = \"touch ran\"\n");
    let run = desk.autodo(&["dispatch"]).code(2);
    assert!(run.stderr.contains("a project cannot set this"), "{}", run.both());
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = []\n");
    dispatch("true").ok();
    assert_eq!(desk.status("T-1"), "needs_review");
}
