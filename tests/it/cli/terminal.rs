//! At a terminal: `attach` as a person types it, the list in its columns, the progress of a dispatch. The person's
//! terminal is a pane of another tmux server.

use crate::support::{desk::Desk, program::Run, wait_for};

/// A person's own tmux server, with one pane of 80x24 columns and rows.
pub(super) struct Terminal<'a> {
    desk: &'a Desk,
    socket: String,
}

impl<'a> Terminal<'a> {
    pub(super) fn new(desk: &'a Desk) -> Self {
        let run = desk.world.root().join("ad/run");
        std::fs::create_dir_all(&run).unwrap();
        // Where the world looks for tmux servers to end.
        let socket = run.join("tmux-of-a-person.sock").to_str().unwrap().to_owned();
        let terminal = Self { desk, socket };
        let project = desk.repo.path.to_str().unwrap();
        terminal.tmux(&["new-session", "-d", "-x", "80", "-y", "24", "-s", "me", "-c", project, "sh"]).ok();
        terminal
    }

    pub(super) fn tmux(&self, args: &[&str]) -> Run {
        let mut all = vec!["-S", self.socket.as_str(), "-f", "/dev/null"];
        all.extend(args);
        self.desk.world.program("tmux", &all).run()
    }

    /// Types a line into the shell.
    pub(super) fn types(&self, line: &str) {
        let autodo = env!("CARGO_BIN_EXE_autodo");
        self.tmux(&["send-keys", "-t", "me:0", "-l", &line.replace("autodo ", &format!("{autodo} "))]).ok();
        self.tmux(&["send-keys", "-t", "me:0", "Enter"]).ok();
    }

    /// The screen of a window, with the lines that are wrapped put together.
    pub(super) fn screen(&self, window: &str) -> String {
        self.tmux(&["capture-pane", "-p", "-J", "-t", window]).stdout
    }

    pub(super) fn until_shows(&self, window: &str, text: &str) {
        wait_for(text, || self.screen(window).contains(text).then_some(()), || self.screen(window));
    }

    pub(super) fn key(&self, window: &str, key: &str) {
        self.tmux(&["send-keys", "-t", window, key]).ok();
    }
}

fn working() -> Desk {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    desk.autodo(&["import"]).ok();
    desk.autodo(&["tick"]).ok();
    desk
}

/// Size of the agent's pane, and how many are attached to it.
fn pane(desk: &Desk) -> String {
    desk.world
        .tmux(&["list-panes", "-t", "=ad-T-1:", "-F", "#{pane_width}x#{pane_height} #{session_attached}"])
        .ok()
        .stdout
}

fn until_pane_is(desk: &Desk, wanted: &str) {
    wait_for(wanted, || (pane(desk).trim() == wanted).then_some(()), || pane(desk));
}

#[test]
fn attach_shows_the_live_pane_and_f12_leaves_it_as_it_was() {
    let desk = working();
    let before = pane(&desk);
    assert_eq!(before.trim(), "200x50 0");
    let me = Terminal::new(&desk);
    me.types("unset TMUX TMUX_PANE; autodo attach T-1; echo left with $?");
    me.until_shows("me:0", "script · busy");
    until_pane_is(&desk, "200x50 1");
    me.until_shows("me:0", "ad-T-1, F12 leaves");
    // What a person does to the size is put right, too.
    desk.world.tmux(&["resize-window", "-t", "=ad-T-1:", "-x", "90", "-y", "20"]).ok();
    me.key("me:0", "F12");
    me.until_shows("me:0", "left with 0");
    until_pane_is(&desk, "200x50 0");
    desk.let_go("T-1");
    desk.autodo(&["dispatch"]).ok();
}

#[test]
fn attach_from_inside_another_tmux_opens_a_window_there() {
    let desk = working();
    let me = Terminal::new(&desk);
    me.types("autodo attach T-1; echo back with $?");
    me.until_shows("me:0", "back with 0");
    assert!(me.screen("me:0").contains("F12 leaves"), "{}", me.screen("me:0"));
    me.until_shows("me:1", "script · busy");
    until_pane_is(&desk, "200x50 1");
    me.key("me:1", "F12");
    wait_for(
        "the window to close",
        || (me.tmux(&["list-windows", "-t", "me"]).stdout.lines().count() == 1).then_some(()),
        || me.screen("me:1"),
    );
    until_pane_is(&desk, "200x50 0");
    desk.let_go("T-1");
    desk.autodo(&["dispatch"]).ok();
}

#[test]
fn attach_from_inside_the_same_server_switches_the_session() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    desk.held("T-2", "", "echo b > b.txt");
    desk.autodo(&["import"]).ok();
    desk.autodo(&["tick", "--parallel", "2"]).ok();
    let attached = || desk.world.tmux(&["ls", "-F", "#{session_name} #{session_attached}"]).ok().stdout;
    let until_attached_to = |id: &str| {
        wait_for(id, || attached().contains(&format!("ad-{id} 1")).then_some(()), attached);
    };
    let me = Terminal::new(&desk);
    me.types("unset TMUX TMUX_PANE; autodo attach T-1; echo left with $?");
    until_attached_to("T-1");
    // A person's own window beside the agent's.
    let window = desk.world.tmux(&["new-window", "-P", "-F", "#{pane_id}", "-t", "=ad-T-1:", "sh"]).ok().stdout;
    let line = format!("{} --home {} attach T-2", env!("CARGO_BIN_EXE_autodo"), desk.world.home().to_str().unwrap());
    desk.world.tmux(&["send-keys", "-t", window.trim(), "-l", &line]).ok();
    desk.world.tmux(&["send-keys", "-t", window.trim(), "Enter"]).ok();
    until_attached_to("T-2");
    assert!(attached().contains("ad-T-1 0"), "{}", attached());
    me.key("me:0", "F12");
    me.until_shows("me:0", "left with 0");
    desk.let_go("T-1");
    desk.let_go("T-2");
    desk.autodo(&["dispatch"]).ok();
}

#[test]
fn attach_needs_a_session_and_a_terminal() {
    let desk = working();
    insta::assert_snapshot!(desk.tell(&["attach", "T-1"]), @r"
    --- stderr
    error: attach needs a terminal
    hint: autodo logs T-1 prints the screen; or: tmux -S <world>/ad/run/tmux.sock attach -t '=ad-T-1'
    --- exit 2
    ");
    desk.ticket("T-2", "", "true");
    desk.autodo(&["import"]).ok();
    insta::assert_snapshot!(desk.tell(&["attach", "T-2"]), @r"
    --- stderr
    error: T-2 has no session: it is queued
    hint: autodo dispatch starts it
    --- exit 1
    ");
    desk.let_go("T-1");
    desk.autodo(&["dispatch"]).ok();
    insta::assert_snapshot!(desk.tell(&["attach", "T-1"]), @r"
    --- stderr
    error: T-1 has no session: it is needs_review
    hint: autodo logs T-1 shows its last screen; autodo retry T-1 has it worked on again
    --- exit 1
    ");
}

#[test]
fn a_session_is_not_cleaned_away_under_a_person() {
    let desk = working();
    let me = Terminal::new(&desk);
    me.types("unset TMUX TMUX_PANE; autodo attach T-1");
    until_pane_is(&desk, "200x50 1");
    desk.autodo(&["cancel", "T-1"]).ok();
    insta::assert_snapshot!(desk.tell(&["clean", "T-1"]), @r"
    --- stderr
    error: cannot clean T-1: somebody is attached to its session
    hint: leave the session first: F12
    --- exit 1
    ");
    me.key("me:0", "F12");
    until_pane_is(&desk, "200x50 0");
    insta::assert_snapshot!(desk.tell(&["clean", "T-1"]), @r"
    clean: T-1 — Ticket T-1 (cancelled)
      worktree  <world>/proj.worktrees/T-1
      branch    autodo/T-1, whose tip <commit> is in main
      session   ad-T-1 (run 1, launch 1)
    T-1: cleaned, and in the archive
    --- stderr
    hint: git branch autodo/T-1 <commit> brings its branch back
    --- exit 0
    ");
    let sessions = desk.world.tmux(&["ls", "-F", "#{session_name}"]).stdout;
    assert!(!sessions.contains("ad-T-1"), "{sessions}");
}

#[test]
fn a_list_fits_the_terminal_and_names_the_projects() {
    let desk = Desk::new();
    let other = desk.world.repo("other");
    other.settings("version = 1\nprofile = \"script\"\nchecks = []\n");
    other.ticket("X-1", "title: Elsewhere", "## Run\n\n```sh\ntrue\n```\n");
    let wide = "😀".repeat(60);
    desk.repo.ticket("T-1", &format!("title: {wide}"), "## Run\n\n```sh\ntrue\n```\n");
    desk.autodo(&["import"]).ok();
    desk.world.autodo_in(&other, &["import"]).ok();
    let me = Terminal::new(&desk);
    me.types("clear; autodo list; echo done; sleep 100");
    me.until_shows("me:0", "done\n");
    let screen = me.tmux(&["capture-pane", "-p", "-t", "me:0"]).stdout;
    let lines: Vec<&str> = screen.lines().filter(|line| !line.is_empty()).collect();
    assert!(
        lines.iter().any(|line| line.starts_with("proj  ")) && lines.iter().any(|line| line.starts_with("other  ")),
        "{screen}"
    );
    assert_eq!(lines.len(), 5, "no line is wrapped:\n{screen}");
    assert!(screen.contains('…'), "{screen}");
}

#[test]
fn progress_is_shown_on_a_terminal_and_gone_at_the_end() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    let me = Terminal::new(&desk);
    me.types("clear; autodo dispatch; echo ended with $?");
    me.until_shows("me:0", "working  Ticket T-1");
    desk.let_go("T-1");
    me.until_shows("me:0", "ended with 0");
    let screen = me.screen("me:0");
    assert!(screen.contains("T-1: needs_review") && screen.contains("1 needs_review"), "{screen}");
    assert!(!screen.contains("working  Ticket"), "{screen}");
}

#[test]
fn ctrl_c_at_a_terminal_leaves_the_agents() {
    let desk = Desk::new();
    desk.held("T-1", "", "echo a > a.txt");
    let me = Terminal::new(&desk);
    me.types("clear; autodo dispatch; echo ended with $?");
    me.until_shows("me:0", "working  Ticket T-1");
    me.key("me:0", "C-c");
    me.until_shows("me:0", "ended with 130");
    assert!(me.screen("me:0").contains("1 agent(s) go on by themselves"), "{}", me.screen("me:0"));
    desk.let_go("T-1");
    desk.autodo(&["dispatch"]).ok();
    assert_eq!((desk.status("T-1").as_str(), desk.row("T-1")["run"].as_u64()), ("needs_review", Some(1)));
}
