//! `list --watch`: in its place at a terminal, one list for each change elsewhere.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::terminal::Terminal;
use crate::support::{desk::Desk, wait_for};

/// Three tickets of one project, one of another.
fn two_projects() -> Desk {
    let desk = Desk::new();
    for id in ["T-1", "T-2", "T-3"] {
        desk.ticket(id, "", "true");
    }
    desk.autodo(&["import"]).ok();
    let other = desk.world.repo("other");
    other.settings("version = 1\nprofile = \"script\"\nchecks = []\n");
    other.ticket("X-1", "title: Elsewhere", "## Run\n\n```sh\ntrue\n```\n");
    desk.world.autodo_in(&other, &["import"]).ok();
    desk
}

/// What the person's terminal is set to: the second screen, the cursor, lines that wrap.
fn modes(me: &Terminal<'_>) -> String {
    me.tmux(&["display-message", "-p", "-t", "me:0", "#{alternate_on} #{cursor_flag} #{wrap_flag}"]).stdout
}

#[test]
fn the_list_is_redrawn_in_its_place_when_the_queue_changes_or_the_terminal_does() {
    let desk = two_projects();
    let me = Terminal::new(&desk);
    me.types("clear; echo before; autodo list --watch; echo left with $?");
    me.until_shows("me:0", "4 queued · no supervisor runs");
    let screen = me.screen("me:0");
    assert!(!screen.contains("before"), "{screen}");
    assert!(screen.contains("\nproj  ") && screen.contains("\nother  "), "{screen}");
    desk.autodo(&["stop", "T-2"]).ok();
    me.until_shows("me:0", "T-2   parked");
    me.until_shows("me:0", "1 parked, 3 queued");
    // Four rows: the counts, a project, its ticket that a person should see, and what is left out.
    me.tmux(&["resize-window", "-t", "me:0", "-x", "50", "-y", "4"]).ok();
    me.until_shows("me:0", "… 3 more: 3 queued");
    let screen = me.tmux(&["capture-pane", "-p", "-t", "me:0"]).stdout;
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!(lines.len(), 4, "{screen}");
    assert!(lines[1].starts_with("proj  ") && lines[2].starts_with("T-2   parked"), "{screen}");
    me.tmux(&["resize-window", "-t", "me:0", "-x", "80", "-y", "24"]).ok();
    me.until_shows("me:0", "\nX-1   queued");
    // What others write there does not stay.
    me.key("me:0", "x");
    me.key("me:0", "C-l");
    me.key("me:0", "C-c");
    me.until_shows("me:0", "left with 0");
    let screen = me.screen("me:0");
    assert!(screen.contains("before") && !screen.contains("T-2   parked"), "{screen}");
    assert_eq!(modes(&me).trim(), "0 1 1");
}

#[test]
fn q_leaves_and_what_was_typed_before_it_is_not_left_for_the_shell() {
    let desk = two_projects();
    let me = Terminal::new(&desk);
    me.types("clear; autodo list --watch --here; echo left with $?");
    me.until_shows("me:0", "3 queued");
    assert!(!me.screen("me:0").contains("X-1"), "{}", me.screen("me:0"));
    me.tmux(&["send-keys", "-t", "me:0", "x", "y", "q"]).ok();
    me.until_shows("me:0", "left with 0");
    assert!(!me.screen("me:0").contains("xy"), "{}", me.screen("me:0"));
    me.types("stty -a | tr ' ' '\\n' | grep -x -e '-*echo' -e '-*icanon'; echo that is all");
    me.until_shows("me:0", "that is all\n");
    let screen = me.screen("me:0");
    assert!(!screen.contains("-echo\n") && !screen.contains("-icanon\n"), "{screen}");
}

#[test]
fn a_signal_ends_it_with_the_terminal_as_it_was() {
    let desk = two_projects();
    let me = Terminal::new(&desk);
    me.types("clear; sh -c 'echo $$ > mine; exec autodo list --watch'; echo left with $?");
    me.until_shows("me:0", "4 queued");
    let pid: i32 = std::fs::read_to_string(desk.repo.path.join("mine")).unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    me.until_shows("me:0", "left with 130");
    assert_eq!(modes(&me).trim(), "0 1 1");
}

#[test]
fn ctrl_z_gives_the_terminal_back_until_it_goes_on() {
    let desk = two_projects();
    let me = Terminal::new(&desk);
    me.types("clear; echo before; PS1='ready> ' bash --norc");
    me.until_shows("me:0", "ready>");
    me.types("autodo list --watch");
    me.until_shows("me:0", "4 queued");
    me.key("me:0", "C-z");
    me.until_shows("me:0", "Stopped");
    assert_eq!(modes(&me).trim(), "0 1 1");
    me.types("fg");
    me.until_shows("me:0", "4 queued");
    me.key("me:0", "q");
    me.until_shows("me:0", "before");
}

#[test]
fn without_colours_nothing_but_places_is_drawn() {
    let desk = two_projects();
    desk.autodo(&["stop", "T-2"]).ok();
    let me = Terminal::new(&desk);
    let styled = || me.tmux(&["capture-pane", "-p", "-e", "-t", "me:0"]).stdout;
    me.types("clear; autodo list --watch; echo left with $?");
    me.until_shows("me:0", "1 parked, 3 queued");
    assert!(styled().contains("\u{1b}[33mparked"), "{:?}", styled());
    me.key("me:0", "q");
    // What is typed sooner is typed into the list.
    me.until_shows("me:0", "left with 0");
    me.types("clear; NO_COLOR=1 autodo list --watch");
    me.until_shows("me:0", "1 parked, 3 queued");
    assert!(!styled().contains("\u{1b}["), "{:?}", styled());
    me.key("me:0", "q");
}

#[test]
fn piped_each_change_is_one_list_and_ctrl_c_is_a_good_end() {
    let desk = two_projects();
    let mut watch = desk.spawn(&["list", "--watch", "--here"]);
    let lists = |said: &str| said.split("\n\n").filter(|list| !list.is_empty()).count();
    let until = |watch: &crate::support::program::Background, wanted: usize| {
        wait_for("lists", || (lists(&watch.said().stdout) == wanted).then_some(()), || watch.said().both());
    };
    until(&watch, 1);
    desk.autodo(&["stop", "T-2"]).ok();
    until(&watch, 2);
    // A change elsewhere is none here.
    desk.autodo(&["stop", "X-1"]).ok();
    desk.autodo(&["stop", "T-3"]).ok();
    until(&watch, 3);
    watch.signal(Signal::SIGINT);
    let run = watch.wait(Duration::from_secs(10)).ok();
    assert_eq!(run.stderr, "");
    insta::assert_snapshot!(run.stdout, @r"
    T-1   queued             -  0L 0M 0H    Ticket T-1
    T-2   queued             -  0L 0M 0H    Ticket T-2
    T-3   queued             -  0L 0M 0H    Ticket T-3

    T-1   queued             -  0L 0M 0H    Ticket T-1
    T-2   parked             -  0L 0M 0H    Ticket T-2  (stopped)
    T-3   queued             -  0L 0M 0H    Ticket T-3

    T-1   queued             -  0L 0M 0H    Ticket T-1
    T-2   parked             -  0L 0M 0H    Ticket T-2  (stopped)
    T-3   parked             -  0L 0M 0H    Ticket T-3  (stopped)
    ");
}

#[test]
fn with_json_each_change_is_one_line() {
    let desk = two_projects();
    let mut watch = desk.spawn(&["list", "--watch", "--json"]);
    let lines = |watch: &crate::support::program::Background, wanted: usize| -> Vec<serde_json::Value> {
        wait_for("lines", || (watch.said().stdout.lines().count() == wanted).then_some(()), || watch.said().both());
        watch.said().stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    lines(&watch, 1);
    desk.autodo(&["stop", "T-2"]).ok();
    let seen = lines(&watch, 2);
    assert_eq!((seen[0]["version"].as_u64(), seen[0]["tickets"][1]["status"].as_str()), (Some(1), Some("queued")));
    assert_eq!(seen[1]["tickets"][1]["status"], "parked");
    watch.signal(Signal::SIGINT);
    watch.wait(Duration::from_secs(10)).ok();
}

#[test]
fn a_reader_that_leaves_ends_it() {
    let desk = two_projects();
    let autodo = env!("CARGO_BIN_EXE_autodo");
    let line = format!("{autodo} list --watch | head -n 1; echo ${{PIPESTATUS[*]}}");
    let run = desk.world.program("bash", &["-c", &line]).in_dir(&desk.repo).limit(Duration::from_secs(10)).run().ok();
    assert!(run.stdout.ends_with("\n0 0\n"), "{}", run.both());
}
