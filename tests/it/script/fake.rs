//! The scripted fake agent itself: what other tests conclude from its log must be true.

use std::fs;

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};

use crate::support::{
    agents::{Bench, FAKE_AGENT, KEY, Pane},
    wait_for,
};

/// Starts the fake agent with a scenario.
fn play<'a>(bench: &'a Bench, scenario: &str) -> Pane<'a> {
    fs::write(bench.path("scenario"), scenario).unwrap();
    let of = |name: &str| bench.path(name).display().to_string();
    let (scenario, bytes, prompts) = (of("scenario"), of("bytes"), of("prompts"));
    bench.start(FAKE_AGENT, &[("FAKE_SCENARIO", &scenario), ("FAKE_LOG", &bytes), ("FAKE_PROMPTS", &prompts)])
}

/// The records so far.
fn records(bench: &Bench) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(bench.path("prompts")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Waits for so many records.
fn wait_records(bench: &Bench, pane: &Pane<'_>, count: usize) -> Vec<serde_json::Value> {
    wait_for(&format!("{count} records"), || Some(records(bench)).filter(|r| r.len() >= count), || pane.story())
}

fn log(bench: &Bench) -> Vec<u8> {
    fs::read(bench.path("bytes")).unwrap_or_default()
}

#[test]
fn every_byte_is_logged_and_every_prompt_is_told_as_it_came() {
    let bench = Bench::new();
    let pane = play(&bench, "ready\nexpect-prompt\nprompts:\nshow next\n");
    pane.wait_status(" fake · ready");
    let large = "0123456789 the quick brown fox\n".repeat(3500);
    let texts = [
        "ends in ;",
        "Enter",
        "-leading",
        large.as_str(),
        "many\n\n\nlines\n",
        "cr\r\nlf\rend",
        "\"quotes\" 'and' `more`",
        "$(touch x) $HOME \\",
        "#{pane_id} #(date) %1",
        "emoji 👨‍👩‍👧‍👦 漢字 \u{202e}rtl",
        "\ttab\tin\t",
        "bell \u{7} and nul-free \u{1}\u{1f}",
    ];
    let mut expected = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        pane.paste(text.as_bytes());
        expected.extend([b"\x1b[200~", text.as_bytes(), b"\x1b[201~"].concat());
        wait_for("the paste", || (log(&bench).len() == expected.len()).then_some(()), || pane.story());
        pane.keys(&["Enter"]);
        expected.push(b'\r');
        let records = wait_records(&bench, &pane, at + 1);
        assert_eq!((records.len(), &records[at]["prompt"]), (at + 1, &serde_json::json!(text)));
    }
    assert!(log(&bench) == expected, "the log holds other bytes than were sent");
}

#[test]
fn enters_can_be_swallowed_or_come_too_early() {
    let bench = Bench::new();
    let pane = play(&bench, "swallow-enter 1\nenter-newline-if-within 60000\nready\nexpect-prompt\nshow got it\n");
    pane.wait_status(" fake · ready");
    pane.paste(b"text");
    pane.wait_text("> text");
    pane.keys(&["Enter", "Enter"]);
    wait_for("both", || log(&bench).ends_with(b"\r\r").then_some(()), || pane.story());
    assert_eq!(records(&bench).len(), 0, "one was swallowed, one became a line end");
    pane.keys(&["C-c"]);
    wait_for("an empty box", || (pane.box_text() == ">").then_some(()), || pane.story());
    assert_eq!(pane.status(), " fake · ready");
}

#[test]
fn a_dialog_takes_digits_and_ignores_text() {
    let bench = Bench::new();
    let pane = play(&bench, "trust-dialog no-preselected\nready\npermission rm -rf x\nshow through\nexit 7\n");
    pane.wait_text(" ❯ 2. No");
    pane.wait_status(" fake · ");
    pane.paste(b"ignored");
    pane.keys(&["1"]);
    pane.wait_text(" Do you want to proceed?\n rm -rf x\n ❯ 1. Yes\n   2. No\n");
    pane.keys(&["2"]);
    assert_eq!(pane.wait_end(), "exit 7");
    let told = records(&bench);
    assert_eq!((&told[0]["key"], &told[0]["yes"]), (&"1".into(), &true.into()));
    assert_eq!((&told[1]["dialog"], &told[1]["yes"], told.len()), (&"permission".into(), &false.into(), 2));
    assert!(pane.history().contains("● denied\nthrough"), "{}", pane.history());
}

#[test]
fn enter_on_a_trust_dialog_with_no_preselected_leaves() {
    let bench = Bench::new();
    let pane = play(&bench, "trust-dialog no-preselected\n");
    pane.wait_text(" ❯ 2. No");
    pane.keys(&["Enter"]);
    assert_eq!(pane.wait_end(), "exit 1");
}

#[test]
fn a_dialog_can_open_between_the_paste_and_its_enter() {
    let bench = Bench::new();
    let pane = play(&bench, "ready\ndialog-before-enter delete everything\nexpect-prompt\n");
    pane.wait_status(" fake · ready");
    pane.paste(b"my prompt");
    pane.wait_text(" delete everything");
    pane.keys(&["Enter"]);
    let told = wait_records(&bench, &pane, 1);
    assert_eq!((&told[0]["key"], &told[0]["yes"]), (&"enter".into(), &true.into()), "an Enter approves");
    pane.wait_text("> my prompt");
    pane.keys(&["Enter"]);
    assert_eq!(wait_records(&bench, &pane, 2)[1]["prompt"], "my prompt");
}

#[test]
fn reports_markers_and_misdeeds_are_done_in_order() {
    let bench = Bench::new();
    let pane = play(
        &bench,
        "ready\nexpect-prompt\necho-prompt\nrun echo two > file; git commit -qam 'by hand'\n\
         report done --summary 'all of it'\nreport-as T-9/4 other done --summary {key}\napprove\n\
         edit-config\nrun test -e .autodo/config.toml && echo there\nrm-autodo\nmarker-quoted\nmarker done ●\nready\n\
         prompts:\nif-prompt commit\nmarker blocked\nend\n",
    );
    pane.wait_status(" fake · ready");
    pane.submit("first prompt");
    pane.wait_text(&format!("\n● AUTODO-DONE-{KEY}\n"));
    pane.wait_status(" fake · ready");
    let reports = bench.reports();
    assert_eq!(reports[0], ["report", "done", "--summary", "all of it"]);
    assert_eq!(reports[1], ["report", "done", "--summary", KEY]);
    assert_eq!(reports[2], ["approve", "T-1"]);
    let names = fs::read_to_string(bench.path("names")).unwrap();
    assert_eq!(names, format!("T-1/1 {KEY}\nT-9/4 other\nT-1/1 {KEY}\n"));
    assert_eq!(bench.git("log --format=%s -1").trim(), "by hand");
    assert!(pane.screen().contains("\nthere\n") && !bench.path("wt/.autodo").exists(), "{}", pane.story());
    assert_eq!(pane.screen().lines().filter(|line| *line == format!("AUTODO-DONE-{KEY}")).count(), 0);
    pane.submit("hello");
    pane.submit("please commit");
    pane.wait_text(&format!("\nAUTODO-BLOCKED-{KEY}\n"));
    assert_eq!(pane.screen().matches("AUTODO-BLOCKED").count(), 1);
}

#[test]
fn it_ends_in_every_way_that_agents_end() {
    for (step, end) in [("exit 3", "exit 3"), ("crash 4", "exit 4"), ("signal 11", "signal 11"), ("dance", "exit 99")] {
        let bench = Bench::new();
        let pane = play(&bench, &format!("status logged out\nflood 100\n{step}\n"));
        assert_eq!(pane.wait_end(), end);
        let said = if step == "dance" { "line 3: \"dance\": unknown step" } else { "flood, line 100\n" };
        assert!(pane.history().contains(said), "{}", pane.history());
    }
}

#[test]
fn it_can_leave_a_child_behind_hang_and_be_deaf() {
    let bench = Bench::new();
    let pane = play(&bench, "run echo $PPID\nbackground 4\ndeaf\nspinner 20\nbusy 0.2\nready\nshow hangs\nhang\n");
    pane.wait_text("hangs");
    pane.paste(b"unseen");
    wait_for("the bytes", || (!log(&bench).is_empty()).then_some(()), || pane.story());
    assert!(!pane.screen().contains("unseen"));
    let pid = Pid::from_raw(pane.pid());
    for signal in [nix::sys::signal::Signal::SIGTERM, nix::sys::signal::Signal::SIGHUP] {
        kill(pid, signal).unwrap();
    }
    pane.kill();
    let child = records(&bench).iter().find_map(|record| record["background"].as_i64()).unwrap();
    let child = Pid::from_raw(i32::try_from(child).unwrap());
    assert_ne!(kill(child, None), Err(Errno::ESRCH), "it lives on");
}
