//! The control client: one process for many commands, and nothing is missed when it dies, lags or says what cannot be
//! read.

use std::{fs, path::PathBuf, time::Duration};

use autodo::{
    domain::observed::Observed,
    ports::terminal::{Guard, Key, Panes, Terminal as _, TerminalError},
};

use crate::support::{
    tmux::{Bed, bracketed, spec, tag},
    wait_for,
};

const SLEEP: &[&str] = &["sleep", "600"];

/// A bed whose tmux program notes each of its runs, and whose control client stops answering while the file `stop` is
/// there (which `stop-at-opening` makes when a session was opened), and talks rubbish while `garbage` is.
fn bed() -> Bed {
    let bed = Bed::with(|place| {
        place.program = place.socket.with_file_name("noting-tmux");
        place.limit = Duration::from_secs(3);
    });
    let dir = bed.dir.path().display();
    let filter = "while IFS= read -r line; do \
                  [ ! -e \"$dir/stop-at-opening\" ] || case $line in '$'*'|%'*) : >\"$dir/stop\";; esac; \
                  while [ -e \"$dir/stop\" ]; do sleep 0.05; done; \
                  [ ! -e \"$dir/garbage\" ] || echo garbage; \
                  printf '%s\\n' \"$line\"; done";
    let body = format!(
        "dir='{dir}'; echo \"$*\" >>\"$dir/runs\"; case \" $* \" in *' -C '*) tmux \"$@\" | {filter} ;; \
         *) exec tmux \"$@\" ;; esac"
    );
    bed.script("noting-tmux", &body);
    bed
}

/// One that holds its control client, with a pane in it.
fn held() -> Bed {
    let bed = bed();
    bed.tmux.hold_control();
    bed.open("T-1", SLEEP);
    assert_eq!(bed.panes().len(), 2);
    bed
}

fn file(bed: &Bed, name: &str) -> PathBuf {
    bed.dir.path().join(name)
}

/// How often tmux was run with `word`, and the count begins anew.
fn runs(bed: &Bed, word: &str) -> usize {
    let noted = fs::read_to_string(file(bed, "runs")).unwrap_or_default();
    fs::write(file(bed, "runs"), "").unwrap();
    noted.lines().filter(|line| line.contains(word)).count()
}

fn clients(bed: &Bed, format: &str) -> Vec<String> {
    bed.says(&["list-clients", "-F", format]).lines().map(str::to_owned).collect()
}

#[test]
fn many_commands_are_run_by_one_process() {
    let bed = held();
    runs(&bed, "");
    let recorder = bed.recorder("T-2");
    for _ in 0..20 {
        bed.panes();
    }
    bed.paste(&recorder.pane, "é ;\n~$HOME \"x\" \\ #{pid} {}'").unwrap();
    bed.key(&recorder.pane, Key::Enter, Guard::default()).unwrap();
    bed.block(bed.tmux.leave_mode(recorder.pane.clone())).unwrap();
    bed.block(bed.tmux.close(tag("T-1", 1, 1))).unwrap();
    let mut wanted = bracketed("é ;\n~$HOME \"x\" \\ #{pid} {}'");
    wanted.push(b'\r');
    assert_eq!(recorder.wait_for_end(b"\r"), wanted);
    let noted = fs::read_to_string(file(&bed, "runs")).unwrap();
    let others: Vec<&str> = noted.lines().filter(|line| !line.contains("source-file")).collect();
    assert_eq!(others, Vec::<&str>::new(), "only screens are captured by processes");
}

#[test]
fn it_takes_no_output_and_counts_for_no_size() {
    let bed = held();
    let flags = clients(&bed, "#{client_session} #{client_flags}");
    assert_eq!(flags.len(), 1);
    for flag in ["_autodo ", "control-mode", "no-output", "ignore-size"] {
        assert!(flags[0].contains(flag), "{flags:?}");
    }
    assert!(!bed.panes().iter().any(|pane| pane.attached && pane.session != "_autodo"));
}

#[test]
fn it_is_there_only_where_it_is_held() {
    let bed = bed();
    bed.open("T-1", SLEEP);
    bed.panes();
    assert_eq!((runs(&bed, " -C "), clients(&bed, "#{client_pid}").len()), (0, 0));
}

#[test]
fn a_capture_never_goes_through_it() {
    let bed = held();
    let pane = bed.open("T-2", &["sh", "-c", "echo SHOWN; exec sleep 600"]);
    bed.wait_for_text(&pane, "SHOWN");
    runs(&bed, "");
    bed.screen(&pane);
    let Observed::Present(_) = bed.block(bed.tmux.scrollback(pane, 5)) else { panic!("no scrollback") };
    assert_eq!(runs(&bed, ""), 2);
}

#[test]
fn when_it_is_killed_no_look_is_missed_and_another_takes_its_place() {
    let bed = held();
    let first = clients(&bed, "#{client_pid}");
    for number in 2..5 {
        for pid in clients(&bed, "#{client_pid}") {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.parse().unwrap()), nix::sys::signal::SIGKILL)
                .unwrap();
        }
        bed.open(&format!("T-{number}"), SLEEP);
        assert_eq!(bed.panes().len(), number + 1);
    }
    let again = || {
        bed.panes();
        clients(&bed, "#{client_pid}").into_iter().find(|pid| !first.contains(pid))
    };
    wait_for("another control client", again, String::new);
}

#[test]
fn when_it_says_nothing_processes_take_over() {
    let bed = held();
    fs::write(file(&bed, "stop"), "").unwrap();
    runs(&bed, "");
    assert_eq!(bed.panes().len(), 2, "a look goes on without it");
    assert_eq!(runs(&bed, "list-panes"), 1);
    bed.open("T-2", SLEEP);
    assert_eq!(bed.panes().len(), 3);
}

#[test]
fn an_opening_that_it_does_not_answer_for_is_found_done() {
    let bed = held();
    let session = spec(tag("T-2", 1, 1), SLEEP);
    fs::write(file(&bed, "stop-at-opening"), "").unwrap();
    runs(&bed, "");
    let pane = bed.try_open(session.clone()).unwrap();
    assert!(file(&bed, "stop").exists(), "the opening went another way");
    assert_eq!(runs(&bed, "new-session"), 0, "it was not opened again");
    assert_eq!(bed.panes().len(), 3);
    assert_eq!(bed.try_open(session).unwrap(), pane);
}

#[test]
fn a_key_that_it_does_not_answer_for_is_unknown_and_not_sent_again() {
    let bed = held();
    let recorder = bed.recorder("T-2");
    bed.panes();
    fs::write(file(&bed, "stop"), "").unwrap();
    let sent = bed.key(&recorder.pane, Key::Char('k'), Guard::default());
    assert!(matches!(sent, Err(TerminalError::Lost(_))), "{sent:?}");
    let pasted = bed.paste(&recorder.pane, "END");
    fs::remove_file(file(&bed, "stop")).unwrap();
    pasted.unwrap();
    assert_eq!(recorder.wait_for_end(&bracketed("END")), [b"k".as_slice(), &bracketed("END")].concat());
}

#[test]
fn when_it_says_what_cannot_be_read_nothing_of_it_is_believed() {
    let bed = held();
    fs::write(file(&bed, "garbage"), "").unwrap();
    for number in 2..5 {
        bed.open(&format!("T-{number}"), SLEEP);
        assert_eq!(bed.panes().len(), number + 1);
    }
    let recorder = bed.recorder("R-1");
    bed.paste(&recorder.pane, "END").unwrap();
    assert_eq!(recorder.wait_for_end(&bracketed("END")), bracketed("END"));
}

#[test]
fn a_client_that_is_never_attached_is_done_without() {
    let bed = bed();
    bed.open("T-1", SLEEP);
    bed.says(&["kill-session", "-t", "=_autodo"]);
    bed.tmux.hold_control();
    assert_eq!(bed.panes().len(), 1);
    bed.open("T-2", SLEEP);
    assert_eq!(bed.panes().len(), 2);
    assert!(clients(&bed, "#{client_pid}").is_empty());
}

#[test]
fn a_server_that_ends_is_absent_and_the_next_one_is_spoken_to() {
    let bed = held();
    bed.end_server();
    assert_eq!(bed.block(bed.tmux.panes()), Observed::Absent);
    bed.open("T-2", SLEEP);
    let again = || {
        let seen = bed.panes();
        assert_eq!(seen.len(), 2);
        clients(&bed, "#{client_pid}").pop()
    };
    wait_for("another control client", again, String::new);
}

#[test]
fn a_socket_that_was_deleted_is_made_again_although_the_client_still_answers() {
    let bed = held();
    fs::remove_file(&bed.tmux.place().socket).unwrap();
    assert_eq!(bed.panes().len(), 2);
    assert!(bed.tmux.place().socket.exists());
}

#[test]
fn it_ends_with_whoever_held_it() {
    let bed = bed();
    bed.open("T-1", SLEEP);
    let other = bed.other(|_| {});
    other.hold_control();
    // A runtime of its own: it ends as a process does, without a word.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(matches!(runtime.block_on(other.panes()), Observed::Present(_)));
    assert_eq!(clients(&bed, "#{client_pid}").len(), 1);
    drop(runtime);
    wait_for("its end", || clients(&bed, "#{client_pid}").is_empty().then_some(()), String::new);
}

/// Every row as a look by a process sees it, but for the sessions that clients are attached to.
fn same_as_by_a_process(bed: &Bed, what: &str) {
    let other = bed.other(|_| {});
    let both = || {
        let rows = |seen: Observed<Panes>| match seen {
            Observed::Present(rows) => rows,
            seen => panic!("{what}: {seen:?}"),
        };
        (rows(bed.block(bed.tmux.panes())), rows(bed.block(other.panes())))
    };
    wait_for(what, || Some(both()).filter(|(held, whole)| held == whole), || format!("{:#?}", both()));
}

#[test]
fn what_is_read_of_the_changed_panes_alone_is_what_a_look_at_all_shows() {
    let bed = held();
    let say = "while read -r line; do printf \"$line\"; done";
    for number in 2..8 {
        bed.open(&format!("T-{number}"), &["sh", "-c", say]);
    }
    same_as_by_a_process(&bed, "all panes");
    // What a pane prints changes its row at once, also twice within a second.
    for number in [3, 5, 5, 3] {
        let target = format!("=ad-T-{number}:");
        for line in ["\\033]2;✳ %%H|#{pid} {n}\\007", "a\\nb\\nc", "\\033[5;7Hx"] {
            bed.says(&["send-keys", "-l", "-t", &target, &line.replace("{n}", &number.to_string())]);
            bed.says(&["send-keys", "-t", &target, "Enter"]);
            same_as_by_a_process(&bed, "a pane that printed");
        }
    }
    let title = "✳ %H|#{pid} 5";
    assert_eq!(bed.panes().iter().find(|pane| pane.session == "ad-T-5").unwrap().title, title);
    bed.says(&["copy-mode", "-t", "=ad-T-4:"]);
    same_as_by_a_process(&bed, "a pane in a mode");
    bed.says(&["send-keys", "-t", "=ad-T-6:", "C-d"]);
    wait_for("its end", || bed.panes().iter().any(|pane| pane.dead).then_some(()), String::new);
    same_as_by_a_process(&bed, "a pane that ended");
    bed.says(&["link-window", "-s", "=ad-T-2:", "-t", "=ad-T-3:9"]);
    bed.says(&["kill-session", "-t", "=ad-T-7"]);
    same_as_by_a_process(&bed, "a pane that is gone, and one that is linked");
}

#[test]
fn many_panes_that_print_at_once_are_all_read() {
    let bed = held();
    let pane = |number: usize| format!("P-{number}");
    for number in 0..50 {
        bed.open(&pane(number), &["sh", "-c", "read -r line; echo; echo; sleep 600"]);
    }
    same_as_by_a_process(&bed, "all panes");
    let keys = |number: usize| format!("send-keys -t =ad-{}: Enter\n", pane(number));
    let lines: String = (0..50).map(keys).collect();
    let file = file(&bed, "keys");
    fs::write(&file, lines).unwrap();
    bed.says(&["source-file", file.to_str().unwrap()]);
    same_as_by_a_process(&bed, "fifty panes that printed");
}
