//! Each launch starts at most once, and its end is on disk.

use std::{
    io::Read,
    time::{Duration, Instant},
};

use autodo::{
    adapters::wake::WakeListener,
    domain::{check::CommandEnd, observed::Observed},
    ports::launches::{LaunchError, Launches},
};
use nix::sys::signal::Signal;

use crate::support::{
    process::{World, block_on, lives, signal, wrapper},
    wait_for,
};

#[test]
fn the_exit_code_is_kept() {
    let world = World::new();
    for wanted in [0, 7, 255] {
        let (code, exited) = world.finish(&wanted.to_string(), &world.spec(&format!("exit {wanted}")));
        assert_eq!((code, exited.end, exited.by_autodo), (Some(wanted), CommandEnd::Exited { code: wanted }, false));
    }
}

#[test]
fn a_signal_that_ends_the_program_is_kept() {
    let world = World::new();
    for number in [9, 15, 40] {
        let (code, exited) = world.finish(&number.to_string(), &world.spec(&format!("kill -{number} $$")));
        assert_eq!((code, exited.end), (Some(128 + number), CommandEnd::Signalled { signal: number }));
        assert!(!exited.by_autodo);
    }
}

#[test]
fn a_program_that_cannot_start_is_unknown_and_says_why() {
    let world = World::new();
    let unknown = |name: &str, what: &str| {
        let mut run =
            wrapper(&[crate::support::process::AUTODO.into(), "launch".into(), world.path(name).display().to_string()]);
        assert_eq!(run.wait().unwrap().code(), Some(125));
        let CommandEnd::Unknown { why } = world.exited(name).end else { panic!("{:?}", world.exited(name)) };
        assert!(why.contains(what), "{why}");
        assert!(world.text("log").contains(what), "{}", world.text("log"));
    };
    let mut gone = world.spec("exit 0");
    std::fs::create_dir(world.path("tree")).unwrap();
    gone.cwd = world.path("tree");
    world.prepare("directory", &gone).unwrap();
    std::fs::remove_dir(world.path("tree")).unwrap();
    unknown("directory", "tree");

    let mut bad = world.spec("");
    std::fs::write(world.path("tool"), "#!/nowhere/interpreter\n").unwrap();
    std::fs::set_permissions(world.path("tool"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    bad.argv = vec![world.path("tool").display().to_string()];
    world.prepare("interpreter", &bad).unwrap();
    unknown("interpreter", "cannot start");

    world.prepare("environment", &world.spec("exit 0")).unwrap();
    std::fs::remove_file(world.path("environment/environment")).unwrap();
    unknown("environment", "environment");

    let mut needy = world.spec("exit 0");
    world.prepare("variable", &needy).unwrap();
    needy.require = vec!["NOT_THERE".into()];
    std::fs::write(world.path("variable/launch.json"), serde_json::to_vec(&needy).unwrap()).unwrap();
    unknown("variable", "NOT_THERE");
}

#[test]
fn an_order_that_cannot_be_read_is_unknown_and_one_that_is_not_there_starts_nothing() {
    let world = World::new();
    let argv = world.prepare("newer", &world.spec("exit 0")).unwrap();
    let text = world.text("newer/launch.json").replace("\"version\": 1", "\"version\": 2");
    std::fs::write(world.path("newer/launch.json"), text).unwrap();
    assert_eq!(wrapper(&argv).wait().unwrap().code(), Some(125));
    assert!(matches!(world.exited("newer").end, CommandEnd::Unknown { why } if why.contains("version 2")));

    let argv = world.prepare("none", &world.spec("exit 0")).unwrap();
    std::fs::remove_file(world.path("none/launch.json")).unwrap();
    assert_eq!(wrapper(&argv).wait().unwrap().code(), Some(125));
    assert_eq!(world.launches.look(world.path("none")), Observed::Absent);
}

#[test]
fn a_second_start_is_refused() {
    let world = World::new();
    let spec = world.spec("echo once >> count");
    let argv = world.prepare("a", &spec).unwrap();
    let seen = world.look("a");
    assert!(seen.started.is_none() && seen.exited.is_none() && !seen.alive);
    let mut racers: Vec<_> = (0..6).map(|_| wrapper(&argv)).collect();
    let mut codes: Vec<_> = racers.iter_mut().map(|racer| racer.wait().unwrap().code().unwrap()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 75, 75, 75, 75, 75]);
    let mut late = wrapper(&world.prepare("a", &spec).unwrap());
    assert_eq!(late.wait().unwrap().code(), Some(75));
    let mut said = String::new();
    late.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("started already"), "{said}");
    assert_eq!(world.text("count"), "once\n");
    assert_eq!(world.exited("a").end, CommandEnd::Exited { code: 0 });
}

#[test]
fn no_end_is_ever_lost() {
    let world = World::new();
    for n in 0..50 {
        assert_eq!(world.finish(&format!("s{n}"), &world.spec("exit 3")).1.end, CommandEnd::Exited { code: 3 });
    }
    let mut all: Vec<_> = (0..50).map(|n| world.start(&format!("p{n}"), &world.spec("exit 4"))).collect();
    assert!(all.iter_mut().all(|run| run.wait().unwrap().code() == Some(4)));
    for n in 0..50 {
        assert_eq!(world.exited(&format!("p{n}")).end, CommandEnd::Exited { code: 4 });
    }
}

#[test]
fn a_signal_to_the_wrapper_ends_the_program_and_is_kept_as_autodos() {
    let world = World::new();
    for (sent, got) in [(Signal::SIGTERM, 15), (Signal::SIGHUP, 1), (Signal::SIGINT, 15)] {
        let name = sent.as_str();
        let mut run = world.start(name, &world.spec(&format!("echo $$ > pid-{name}; exec sleep 100")));
        let program = world.process(&format!("pid-{name}"));
        signal(&run, sent);
        assert_eq!(run.wait().unwrap().code(), Some(128 + got));
        let exited = world.exited(name);
        assert_eq!((exited.end, exited.by_autodo), (CommandEnd::Signalled { signal: got }, true));
        assert!(!lives(program));
    }
}

#[test]
fn a_signal_at_any_moment_leaves_an_end_or_no_beginning() {
    let world = World::new();
    let spec = world.spec("exec sleep 100");
    let mut began = 0;
    for step in 0..60_u64 {
        let name = step.to_string();
        let mut run = world.start(&name, &spec);
        let at = Instant::now() + Duration::from_micros(step * 150);
        while Instant::now() < at {
            std::hint::spin_loop();
        }
        signal(&run, Signal::SIGTERM);
        run.wait().unwrap();
        let seen = world.look(&name);
        assert_eq!(seen.started.is_some(), seen.exited.is_some(), "after {step}: {seen:?}");
        assert!(seen.exited.is_none_or(|exited| exited.by_autodo));
        began += u32::from(seen.started.is_some());
    }
    assert!(began > 0, "no launch ever began");
    assert_eq!(autodo::adapters::process::table::processes_of(&world.run, world.dir.path()), Observed::Absent);
}

#[test]
fn a_program_that_ignores_the_request_is_killed() {
    let world = World::new();
    let mut run = world.start("a", &world.spec("trap '' TERM HUP; echo $$ > pid; while :; do sleep 0.1; done"));
    let program = world.process("pid");
    let begun = Instant::now();
    signal(&run, Signal::SIGTERM);
    assert_eq!(run.wait().unwrap().code(), Some(128 + 9));
    assert!(begun.elapsed() >= Duration::from_secs(4), "it has five seconds to comply");
    assert!(world.exited("a").by_autodo && !lives(program));
}

#[test]
fn a_stopped_program_is_continued() {
    let world = World::new();
    let spec = world.spec("kill -STOP $$; echo on > on; kill -TSTP $$; exit 5");
    assert_eq!(world.finish("a", &spec).1.end, CommandEnd::Exited { code: 5 });
    assert_eq!(world.text("on"), "on\n");
}

#[test]
fn a_check_has_a_limit_and_takes_everything_with_it() {
    let world = World::new();
    let mut spec = world.spec(
        "(trap '' TERM; echo $$ > inner; exec sleep 100) & setsid sh -c 'echo $$ > apart; exec sleep 100' & wait",
    );
    spec.limit_s = 1;
    let (end, took) = world.check("a", &spec);
    assert_eq!(end, CommandEnd::TimedOut { after_s: 1 });
    assert!((1000..15_000).contains(&took), "{took}");
    assert_eq!(autodo::adapters::process::table::processes_of(&world.run, world.dir.path()), Observed::Absent);
}

#[test]
fn nothing_of_a_check_lives_on_after_its_end() {
    let world = World::new();
    let script = "setsid sh -c 'trap \"\" HUP; echo $$ > apart; exec sleep 100' & \
                  env -i sleep 100 & echo $! > bare; \
                  until [ -s apart ]; do sleep 0.01; done; echo said; exit 3";
    let (end, _) = world.check("a", &world.spec(script));
    assert_eq!(end, CommandEnd::Exited { code: 3 });
    for name in ["apart", "bare"] {
        let pid = world.line(name).parse().unwrap();
        assert_eq!(autodo::adapters::process::table::start_time(pid), Observed::Absent, "{name}");
    }
    assert_eq!(world.text("log"), "said\n");
}

#[test]
fn a_check_that_ran_is_not_run_again() {
    let world = World::new();
    let spec = world.spec("echo once >> count; exit 2");
    let first = world.check("a", &spec);
    assert_eq!(first.0, CommandEnd::Exited { code: 2 });
    assert_eq!(world.check("a", &spec), first);
    assert_eq!(world.text("count"), "once\n");
}

#[test]
fn a_check_is_adopted_when_its_first_waiter_is_gone() {
    let world = World::new();
    let spec = world.spec("echo once >> count; until [ -e go ]; do sleep 0.01; done; exit 6");
    let waiter = async {
        tokio::select! {
            end = world.launches.run(world.path("a"), spec.clone()) => panic!("{end:?}"),
            () = async { while world.text("count").is_empty() { tokio::task::yield_now().await } } => {}
        }
    };
    block_on(waiter);
    assert!(world.look("a").alive, "the check outlives who waited for it");
    let adopted = async {
        let opened = async {
            while !world.look("a").alive {}
            std::fs::write(world.path("go"), "").unwrap();
        };
        tokio::join!(world.launches.run(world.path("a"), spec.clone()), opened).0.unwrap()
    };
    assert_eq!(block_on(adopted).0, CommandEnd::Exited { code: 6 });
    assert_eq!(world.text("count"), "once\n");
}

#[test]
fn a_check_whose_wrapper_was_killed_is_unknown_and_ended() {
    let world = World::new();
    let spec = world.spec("echo $$ > pid; exec sleep 100");
    let mut run = world.start("a", &spec);
    let program = world.process("pid");
    signal(&run, Signal::SIGKILL);
    run.wait().unwrap();
    let seen = world.look("a");
    assert!(seen.started.is_some() && seen.exited.is_none() && !seen.alive);
    let (end, _) = world.check("a", &spec);
    assert!(matches!(end, CommandEnd::Unknown { .. }), "{end:?}");
    assert!(!lives(program), "two checks never run in one tree");
}

#[test]
fn a_check_that_autodo_ended_says_nothing_about_the_work() {
    let world = World::new();
    let spec = world.spec("echo $$ > pid; exec sleep 100");
    let mut run = world.start("a", &spec);
    world.process("pid");
    signal(&run, Signal::SIGTERM);
    run.wait().unwrap();
    assert!(matches!(world.check("a", &spec).0, CommandEnd::Unknown { .. }));
}

#[test]
fn a_launch_lacks_nothing_before_it_is_prepared() {
    let world = World::new();
    assert_eq!(world.launches.look(world.path("a")), Observed::Absent);
    let mut spec = world.spec("");
    spec.argv = vec!["no-such-program".into()];
    assert!(matches!(world.prepare("a", &spec), Err(LaunchError::MissingProgram(p)) if p == "no-such-program"));
    let mut spec = world.spec("");
    spec.require = vec!["HOME".into(), "API_KEY".into()];
    assert!(matches!(world.prepare("a", &spec), Err(LaunchError::MissingVariable(v)) if v == "API_KEY"));
    assert_eq!(world.launches.look(world.path("a")), Observed::Absent);
}

#[test]
fn the_environment_of_a_launch_that_never_begins_is_taken_back() {
    let world = World::new();
    world.prepare("a", &world.spec("exit 0")).unwrap();
    assert!(world.path("a").join("environment").exists());
    world.launches.withdraw(&world.path("a")).unwrap();
    assert!(!world.path("a").join("environment").exists());
    world.launches.withdraw(&world.path("a")).unwrap();
}

#[test]
fn the_end_wakes_the_supervisor() {
    let world = World::new();
    block_on(async {
        let mut listener = WakeListener::bind(&world.path("wake")).unwrap();
        let mut spec = world.spec("exit 0");
        spec.wake = Some(world.path("wake"));
        let argv = world.launches.prepare(world.path("a"), spec).await.unwrap();
        let mut run = wrapper(&argv);
        tokio::time::timeout(crate::support::PATIENCE, listener.woken()).await.expect("it is woken");
        assert_eq!(world.exited("a").end, CommandEnd::Exited { code: 0 }, "the file is there before the word");
        run.wait().unwrap();
    });
}

#[test]
fn the_program_inherits_no_file_and_no_ignored_signal() {
    use std::os::fd::AsFd;
    let world = World::new();
    let (read, write) = nix::unistd::pipe().unwrap();
    for end in [&read, &write] {
        nix::fcntl::fcntl(end.as_fd(), nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
    }
    let spec = world.spec("exec ls -l /proc/self/fd");
    // The shell in between ignores signals and has files open: what autodo may find itself in.
    let argv = world.prepare("a", &spec).unwrap();
    let ignoring = |argv: &[String]| {
        let script = "trap '' HUP TERM INT PIPE CHLD; exec 9</dev/null; exec \"$@\"";
        let mut all = ["sh", "-c", script, "sh"].map(str::to_owned).to_vec();
        all.extend_from_slice(argv);
        wrapper(&all).wait().unwrap().code()
    };
    assert_eq!(ignoring(&argv), Some(0));
    let log = world.text("log");
    let files: Vec<&str> = log.lines().filter_map(|line| line.split_once(" -> ")).map(|(_, to)| to).collect();
    assert_eq!(files.len(), 4, "three standard ones and ls's own: {log}");
    assert!(!log.contains("pipe:"), "{log}");

    let mut spec = world.spec("exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
    spec.output = Some(world.path("signals"));
    assert_eq!(ignoring(&world.prepare("b", &spec).unwrap()), Some(0));
    let masks = world.text("signals");
    let masks: Vec<u64> =
        masks.lines().map(|line| u64::from_str_radix(line.split_once('\t').unwrap().1, 16).unwrap()).collect();
    // 32 and 33 are the C library's own: no program can change what it inherits of them.
    assert_eq!(masks.iter().map(|mask| mask & !(3 << 31)).collect::<Vec<_>>(), [0, 0], "{masks:x?}");
}

#[test]
fn a_launch_that_lives_on_behind_its_program_is_not_waited_for() {
    let world = World::new();
    let mut spec = world.spec("sh -c 'echo $$ > pid; exec sleep 100' & until [ -s pid ]; do sleep 0.01; done; exit 0");
    spec.output = None;
    let (code, exited) = world.finish("a", &spec);
    assert_eq!((code, exited.end), (Some(0), CommandEnd::Exited { code: 0 }));
    let left = world.process("pid");
    assert!(lives(left));
    world.end_all(2000).unwrap();
    wait_for("the end of it", || (!lives(left)).then_some(()), String::new);
}
