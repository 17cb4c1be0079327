//! Launches in a pane of a private tmux server.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use autodo::{
    domain::{check::CommandEnd, observed::Observed},
    ports::launches::{LaunchSpec, Launches},
};

use crate::support::{process::World, wait_for};

/// A tmux server of this test's own; it ends with it.
struct Server {
    socket: PathBuf,
}

impl Server {
    fn open(world: &World, spec: &LaunchSpec) -> Self {
        let server = Self { socket: world.path("s") };
        let argv = world.prepare("a", spec).unwrap();
        let mut command = vec!["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "--"];
        command.extend(argv.iter().map(String::as_str));
        let opened = server.tmux(&command);
        assert!(opened.status.success(), "{opened:?}");
        server
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.arg("-u").arg("-S").arg(&self.socket).args(arguments).env_remove("TMUX");
        command.env("NOT_FOR_AGENTS", "1").output().expect("tmux is installed")
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.tmux(&["capture-pane", "-p"]).stdout).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}

fn in_pane(world: &World, script: &str) -> LaunchSpec {
    LaunchSpec { output: None, ..world.spec(script) }
}

fn wait_for_exit(world: &World, server: &Server) -> autodo::ports::launches::Exited {
    wait_for("exit.json", || world.look("a").exited, || server.screen())
}

#[test]
fn the_program_is_the_foreground_and_ctrl_c_reaches_it_alone() {
    let world = World::new();
    let script =
        "trap 'echo int >> got; exit 7' INT; echo $$ > pid; tty > tty; echo ready; while :; do sleep 0.05; done";
    let server = Server::open(&world, &in_pane(&world, script));
    let (program, _) = world.process("pid");
    assert!(world.line("tty").starts_with("/dev/"), "{}", world.text("tty"));
    let wrapper = world.look("a").started.unwrap().pid;
    assert_ne!(wrapper, program);
    assert_eq!(world.launches.is_foreground(wrapper), Observed::Present(true));
    assert_eq!(server.tmux(&["send-keys", "C-c"]).status.code(), Some(0));
    let exited = wait_for_exit(&world, &server);
    assert_eq!((exited.end, exited.by_autodo), (CommandEnd::Exited { code: 7 }, false));
    assert_eq!(world.text("got"), "int\n");
    let gone = || world.launches.is_foreground(wrapper).is_absent().then_some(());
    wait_for("the wrapper's end", gone, || server.screen());
}

#[test]
fn a_job_in_front_of_the_program_is_not_the_program() {
    let world = World::new();
    let script =
        "set -m; sh -c 'echo in > job; until [ -e go ]; do sleep 0.02; done'; echo back > back; exec sleep 100";
    let server = Server::open(&world, &in_pane(&world, script));
    world.line("job");
    let wrapper = world.look("a").started.unwrap().pid;
    assert_eq!(world.launches.is_foreground(wrapper), Observed::Present(false));
    std::fs::write(world.path("go"), "").unwrap();
    world.line("back");
    let again = || (world.launches.is_foreground(wrapper) == Observed::Present(true)).then_some(());
    wait_for("the program to be in front again", again, || server.screen());
}

#[test]
fn a_closed_session_ends_the_program_and_the_end_is_kept() {
    let world = World::new();
    let server = Server::open(&world, &in_pane(&world, "echo $$ > pid; exec sleep 100"));
    world.line("pid");
    assert_eq!(server.tmux(&["kill-session"]).status.code(), Some(0));
    let exited = wait_for_exit(&world, &server);
    assert_eq!((exited.end, exited.by_autodo), (CommandEnd::Signalled { signal: 1 }, true));
}

#[test]
fn the_terminals_own_variables_come_from_the_pane_and_nothing_else_does() {
    let world = World::with(&[("TERM", "xterm-of-the-starter"), ("COLUMNS", "7")]);
    let script = "env > out; stty -echo; read line; echo \"$line\" > read; exit 0";
    let server = Server::open(&world, &in_pane(&world, script));
    world.line("out");
    server.tmux(&["send-keys", "-l", "typed"]);
    server.tmux(&["send-keys", "Enter"]);
    assert_eq!(wait_for_exit(&world, &server).end, CommandEnd::Exited { code: 0 });
    assert_eq!(world.text("read"), "typed\n");
    let out = world.text("out");
    let names: Vec<&str> = out.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    assert!(!out.contains("of-the-starter") && names.contains(&"TERM"), "{out}");
    for never in ["TMUX", "TMUX_PANE", "COLUMNS", "NOT_FOR_AGENTS"] {
        assert!(!names.contains(&never), "{never} in {out}");
    }
}

#[test]
fn a_suspended_program_goes_on_with_the_terminal() {
    let world = World::new();
    let script = "echo $$ > pid; trap 'kill -STOP $$' USR1; while [ ! -e go ]; do sleep 0.02; done; read line; echo \"$line\" > read";
    let server = Server::open(&world, &in_pane(&world, script));
    let (pid, _) = world.process("pid");
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGUSR1).unwrap();
    std::fs::write(world.path("go"), "").unwrap();
    server.tmux(&["send-keys", "-l", "still here"]);
    server.tmux(&["send-keys", "Enter"]);
    assert_eq!(wait_for_exit(&world, &server).end, CommandEnd::Exited { code: 0 });
    assert_eq!(world.text("read"), "still here\n");
}
