//! The server: started once, by whoever is first, and touched by nothing that happens to its starter.

use std::{fs, os::unix::process::CommandExt as _, process::Command};

use autodo::{
    domain::observed::Observed,
    ports::terminal::{Terminal as _, TerminalError},
};
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::signal::{Signal, kill, killpg},
    unistd::{Pid, getpgid, getpgrp, getsid},
};

use crate::support::{
    tmux::{Bed, spec, tag},
    wait_for,
};

const SLEEP: &[&str] = &["sleep", "600"];
/// Set for the process that plays the starter.
const STARTER: &str = "AUTODO_TEST_STARTER";

fn pid(bed: &Bed) -> i32 {
    match bed.block(bed.tmux.server_pid()) {
        Observed::Present(pid) => pid,
        other => panic!("no server: {other:?}"),
    }
}

#[test]
fn the_server_keeps_a_session_of_its_own_and_ends_with_none() {
    let bed = Bed::new();
    bed.open("T-1", SLEEP);
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    let panes = bed.panes();
    assert_eq!(panes.iter().map(|seen| seen.session.as_str()).collect::<Vec<_>>(), ["_autodo"]);
    bed.says(&["kill-session", "-t", "=_autodo"]);
    assert_eq!(bed.panes(), [], "a server without sessions is present");
    bed.open("T-2", SLEEP);
}

#[test]
fn our_configuration_counts_and_no_other() {
    let bed = Bed::new();
    bed.open("T-1", SLEEP);
    for (flags, option, value) in [
        ("-sv", "exit-empty", "off"),
        ("-sv", "extended-keys", "off"),
        ("-sv", "set-clipboard", "off"),
        ("-gv", "status", "on"),
        ("-gv", "history-limit", "5000"),
        ("-gwv", "remain-on-exit", "on"),
        ("-gv", "default-shell", "/bin/sh"),
    ] {
        assert_eq!(bed.says(&["show-options", flags, option]), value, "{option}");
    }
    assert_ne!(bed.says(&["show-options", "-gwv", "window-size"]), "manual", "that crashes tmux 3.3 to 3.6b");
    assert_eq!(bed.says(&["show-options", "-wv", "-t", "=ad-T-1:", "window-size"]), "manual");
    assert_eq!(bed.says(&["show-hooks", "-g"]).lines().filter(|line| line.contains(' ')).count(), 0);
    assert_eq!(bed.says(&["source-file", bed.tmux.place().conf.to_str().unwrap()]), "", "no line of it is an error");
}

#[test]
fn a_start_right_after_an_end_works() {
    let bed = Bed::new();
    for round in 0..8 {
        bed.open("T-1", SLEEP);
        // Not waited for: the next open meets a server that is ending.
        bed.by_hand(&["kill-server"]);
        let pane = bed.try_open(spec(tag("T-1", 1, 1), SLEEP)).unwrap_or_else(|why| panic!("round {round}: {why}"));
        assert!(!bed.seen(&pane).dead);
        bed.end_server();
    }
}

#[test]
fn nothing_of_the_starters_environment_reaches_a_pane() {
    let bed = Bed::new();
    let file = bed.dir.path().join("environment");
    // A program that adds a secret to what it got, then is tmux: what autodo hands over is all there is before it.
    let log = bed.dir.path().join("handed");
    let program = bed.script("spy", &format!("env >>{}; exec tmux \"$@\"", log.display()));
    let tmux = bed.other(|place| place.program = program);
    let argv = ["sh", "-c", "env >\"$1.new\"; mv \"$1.new\" \"$1\"", "x", file.to_str().unwrap()];
    // A test process always has variables of its runner: those are the secrets here.
    let ours: Vec<String> = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CARGO")).collect();
    assert!(!ours.is_empty(), "the runner sets none");
    bed.block(tmux.open(spec(tag("T-1", 1, 1), &argv))).unwrap();
    let pane = wait_for("the environment", || fs::read_to_string(&file).ok(), String::new);
    let handed = fs::read_to_string(&log).unwrap();
    for name in ours.iter().map(String::as_str).chain(["TMUX_TMPDIR", "SSH_AUTH_SOCK", "LD_LIBRARY_PATH"]) {
        let has = |text: &str| text.lines().any(|line| line.starts_with(&format!("{name}=")));
        assert!(!has(&pane) && !has(&handed), "{name}");
    }
    let names = |text: &str| {
        let mut all: Vec<_> =
            text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned()).collect();
        all.sort();
        all.dedup();
        all
    };
    // PWD and its like are the shell's own; what tmux adds to a pane is known.
    let allowed = [
        // tmux 3.7 and newer say of themselves that they show all colours.
        "COLORTERM",
        "HOME",
        "LANG",
        "OLDPWD",
        "PATH",
        "PWD",
        "SHELL",
        "SHLVL",
        "TERM",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "TMUX",
        "TMUX_PANE",
        "USER",
        "_",
    ];
    for name in names(&pane).into_iter().chain(names(&handed)) {
        assert!(allowed.contains(&name.as_str()), "{name}");
    }
    let shown = bed.says(&["show-environment", "-g"]);
    assert!(names(&shown).iter().all(|name| allowed.contains(&name.as_str())), "{shown}");
}

#[test]
fn the_server_inherits_no_file_and_no_group_of_its_starter() {
    let bed = Bed::new();
    let held = bed.dir.path().join("held");
    let file = fs::File::create(&held).unwrap();
    // As a lock that a shell or a runner passed on to us would be.
    fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
    bed.open("T-1", SLEEP);
    let server = pid(&bed);
    let open: Vec<_> = fs::read_dir(format!("/proc/{server}/fd"))
        .unwrap()
        .filter_map(|entry| fs::read_link(entry.unwrap().path()).ok())
        .collect();
    assert!(!open.is_empty() && open.iter().all(|path| *path != held), "{open:?}");
    assert_eq!(fs::read_link(format!("/proc/{server}/cwd")).unwrap().to_str(), Some("/"));
    let server = Pid::from_raw(server);
    assert_ne!(getpgid(Some(server)).unwrap(), getpgrp());
    assert_ne!(getsid(Some(server)).unwrap(), getsid(None).unwrap());
    drop(file);
}

#[test]
fn the_server_outlives_the_signals_and_the_death_of_its_starter() {
    // The starter is this very test in a process group of its own: it opens a session and waits to be interrupted.
    if let Ok(folder) = std::env::var(STARTER) {
        let place = autodo::adapters::tmux::TmuxPlace::in_folder(folder.as_ref());
        let tmux = autodo::adapters::tmux::Tmux::new(place);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            tmux.open(spec(tag("T-1", 1, 1), SLEEP)).await.unwrap();
            fs::write(format!("{folder}/opened"), "").unwrap();
            std::future::pending::<()>().await;
        });
        return;
    }
    for signal in [Signal::SIGINT, Signal::SIGHUP, Signal::SIGKILL] {
        let bed = Bed::new();
        let mut starter = Command::new(std::env::current_exe().unwrap());
        let name = "tmux::server::the_server_outlives_the_signals_and_the_death_of_its_starter";
        starter.args(["--exact", name, "--nocapture"]).env(STARTER, bed.dir.path()).process_group(0);
        let mut starter = starter.spawn().unwrap();
        let opened = bed.dir.path().join("opened");
        wait_for("the starter", || opened.exists().then_some(()), String::new);
        killpg(Pid::from_raw(i32::try_from(starter.id()).unwrap()), signal).unwrap();
        assert!(!starter.wait().unwrap().success());
        let panes = bed.panes();
        let ticket = panes.iter().find(|seen| seen.tag == Some(tag("T-1", 1, 1))).unwrap();
        assert!(!ticket.dead, "{signal}: {panes:?}");
    }
}

#[test]
fn a_server_whose_socket_was_deleted_is_found_again() {
    let bed = Bed::new();
    let pane = bed.open("T-1", SLEEP);
    let server = pid(&bed);
    fs::remove_file(&bed.tmux.place().socket).unwrap();
    assert_eq!(bed.seen(&pane).tag, Some(tag("T-1", 1, 1)));
    fs::remove_file(&bed.tmux.place().socket).unwrap();
    // A later process knows it from the note beside the socket; opening starts no second server.
    let other = bed.other(|_| {});
    assert_eq!(bed.block(other.open(spec(tag("T-1", 1, 1), SLEEP))).unwrap(), pane);
    assert_eq!(pid(&bed), server);
}

#[test]
fn a_server_that_drops_a_client_of_another_version_is_unknown_and_never_absent() {
    let bed = Bed::new();
    let pane = bed.open("T-1", SLEEP);
    let server = pid(&bed);
    // What a client of tmux 3.5a says to a server of 3.7c, which lives on; its version is read by -V.
    let body = "[ \"$1\" = -V ] && exec tmux -V; echo 'server exited unexpectedly' >&2; exit 1";
    let program = bed.script("tmux-3.5a", body);
    let other = bed.other(|place| place.program = program.clone());
    let Observed::Unknown(why) = bed.block(other.panes()) else { panic!("it was taken to be gone") };
    assert!(why.contains(&format!("(pid {server}) lives")) && why.contains("another version"), "{why}");
    assert!(bed.block(other.open(spec(tag("T-2", 1, 1), SLEEP))).is_err());
    assert_eq!(bed.seen(&pane).tag, Some(tag("T-1", 1, 1)));
    assert_eq!(pid(&bed), server);
    bed.end_server();
    wait_for("its end", || bed.block(bed.tmux.panes()).is_absent().then_some(()), String::new);
    assert_eq!(bed.block(other.panes()), Observed::Absent, "a server that is gone is absent, whoever says so");
}

#[test]
fn a_note_of_a_process_that_is_not_the_server_signals_nobody() {
    let bed = Bed::new();
    bed.open("T-1", SLEEP);
    bed.end_server();
    wait_for("its end", || bed.block(bed.tmux.panes()).is_absent().then_some(()), String::new);
    fs::remove_file(&bed.tmux.place().socket).unwrap();
    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    let note = bed.dir.path().join("tmux.sock.server");
    let birth = fs::read_to_string(format!("/proc/{}/stat", bystander.id())).unwrap();
    let birth = birth.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().to_owned();
    fs::write(&note, format!("{} {birth}\n", bystander.id())).unwrap();
    assert_eq!(bed.block(bed.tmux.panes()), Observed::Absent);
    assert!(bystander.try_wait().unwrap().is_none(), "the bystander was signalled");
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn a_server_that_was_killed_leaves_a_socket_that_is_taken_over() {
    let bed = Bed::new();
    bed.open("T-1", SLEEP);
    let server = pid(&bed);
    kill(Pid::from_raw(server), Signal::SIGKILL).unwrap();
    wait_for("its end", || bed.block(bed.tmux.panes()).is_absent().then_some(()), String::new);
    assert!(bed.tmux.place().socket.exists());
    bed.open("T-1", SLEEP);
    assert_ne!(pid(&bed), server);
}

#[test]
fn a_folder_that_is_missing_is_made_for_the_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = Bed::new();
    let folder = bed.dir.path().join("a/b");
    let mut place = bed.tmux.place().clone();
    place.socket = folder.join("s");
    place.conf = folder.join("c");
    let tmux = autodo::adapters::tmux::Tmux::new(place);
    assert_eq!(bed.block(tmux.panes()), Observed::Absent);
    bed.block(tmux.open(spec(tag("T-1", 1, 1), SLEEP))).unwrap();
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let mut end = Command::new("tmux");
    end.arg("-S").arg(folder.join("s")).arg("kill-server");
    assert!(end.status().unwrap().success());
    let error = bed.block(bed.other(|place| place.socket = "relative".into()).open(spec(tag("T-1", 1, 1), SLEEP)));
    assert!(matches!(error, Err(TerminalError::Unusable(_))), "{error:?}");
}
