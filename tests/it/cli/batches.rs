//! `batch`: what is installed, by a crontab and a systemd of the test's own, and that it works with no environment.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use crate::support::{desk::Desk, program::Program};

/// As Debian's: prints, or takes from standard input, and refuses a last line without its end.
const CRONTAB: &str = "f=ROOT/crontab\ncase \"$1\" in\n\
    -l) [ -e \"$f\" ] || { echo 'no crontab for ann' >&2; exit 1; }; cat \"$f\" ;;\n\
    -) cat > \"$f.new\"; [ -z \"$(tail -c 1 \"$f.new\")\" ] || { echo 'missing newline before EOF' >&2; exit 1; }\n\
       mv \"$f.new\" \"$f\" ;;\n*) exit 2 ;;\nesac";

/// Enables only what is there, and knows nothing of a unit before it was told to look.
const SYSTEMCTL: &str = "[ \"$1\" = --user ] || exit 2; shift\necho \"$*\" >> ROOT/systemctl.log\n\
    [ ! -e ROOT/no-bus ] || { echo 'Failed to connect to bus' >&2; exit 1; }\n\
    for last in \"$@\"; do :; done; u=ROOT/home/.config/systemd/user\ncase \"$1\" in\n\
    daemon-reload) rm -rf ROOT/known; mkdir ROOT/known; cp \"$u\"/* ROOT/known/ 2>/dev/null; exit 0 ;;\n\
    enable) [ -e \"ROOT/known/$last\" ] || { echo \"Unit file $last does not exist.\" >&2; exit 1; }; touch \"ROOT/on-$last\" ;;\n\
    disable) rm -f \"ROOT/on-$last\" ;;\n\
    is-active) [ -e \"ROOT/on-$last\" ] || { echo inactive; exit 3; } ;;\n\
    show-environment) echo A=b ;;\n*) exit 2 ;;\nesac";

const LOGINCTL: &str = "cat ROOT/linger";

/// A desk whose crontab, systemctl and loginctl are these.
fn desk() -> Desk {
    let mut desk = Desk::new();
    let root = desk.world.root().to_owned();
    let bin = root.join("bin");
    std::fs::create_dir(&bin).unwrap();
    for (name, script) in [("crontab", CRONTAB), ("systemctl", SYSTEMCTL), ("loginctl", LOGINCTL)] {
        let file = bin.join(name);
        std::fs::write(&file, format!("#!/bin/sh\n{}\n", script.replace("ROOT", root.to_str().unwrap()))).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::write(root.join("linger"), "no\n").unwrap();
    let path = std::env::var("PATH").unwrap();
    desk.world.set("PATH", format!("{}:{path}", bin.display()));
    desk
}

fn crontab(desk: &Desk) -> Vec<u8> {
    std::fs::read(desk.world.root().join("crontab")).unwrap_or_default()
}

fn text(desk: &Desk) -> String {
    String::from_utf8_lossy(&crontab(desk)).into_owned()
}

/// What cron would give to `sh`, of the line that begins so.
fn line(desk: &Desk, begin: &str) -> String {
    let text = text(desk);
    let line = text.lines().find_map(|line| line.strip_prefix(begin)).unwrap_or_else(|| panic!("{begin} in {text}"));
    line.replace("\\%", "%")
}

const HOURS: [&str; 4] = ["--at", "01:05", "--until", "06:30"];

fn install(desk: &Desk, more: &[&str]) -> String {
    desk.autodo(&[&["batch", "install"], &HOURS[..], more].concat()).ok().both()
}

#[test]
fn a_block_is_installed_replaced_and_removed_and_the_rest_stays_as_it_is() {
    let desk = desk();
    let own = b"MAILTO=ann\n# caf\xe9 100\\%\n*/5 * * * * true\n".to_vec();
    std::fs::write(desk.world.root().join("crontab"), &own).unwrap();
    let dry = desk.autodo(&[&["batch", "install", "--cron", "--dry-run"], &HOURS[..]].concat()).ok();
    assert_eq!(crontab(&desk), own);
    assert!(dry.stdout.contains("\n5 1 * * * cd "), "{}", dry.both());
    let said = install(&desk, &["--cron", "--hard-stop", "07:30", "--budget", "20", "--parallel", "2"]);
    assert!(said.contains("begins next at"), "{said}");
    assert!(crontab(&desk).starts_with(&own));
    let words = "dispatch --cron --from 01:05 --until 06:30 --hard-stop 07:30 --budget 20 --parallel 2";
    let command = line(&desk, "5 1 * * * ");
    assert!(command.ends_with(words), "{command}");
    assert_eq!(command, line(&desk, "@reboot "), "a reboot in the night goes on");
    let status = desk.autodo(&["batch", "status", "--json"]).json();
    assert_eq!((&status["batches"][0]["by"], &status["batches"][0]["hard_stop"]), (&"cron".into(), &"07:30".into()));
    install(&desk, &["--cron"]);
    assert_eq!(text(&desk).matches("@reboot").count(), 1, "one for each project: {}", text(&desk));
    desk.autodo(&["batch", "remove", "--dry-run"]).ok();
    assert!(crontab(&desk) != own);
    let gone = desk.autodo(&["batch", "remove"]).ok();
    assert!(gone.stdout.contains("removed the batch"), "{}", gone.both());
    assert_eq!(crontab(&desk), own);
    let none = desk.autodo(&["batch", "remove"]).ok();
    assert!(none.stderr.contains("no batch is installed"), "{}", none.both());
}

#[test]
fn the_installed_line_works_through_a_backlog_with_no_environment_at_all() {
    let desk = desk();
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = [\"test -e base || test -e a.txt || true\"]\n");
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "after: [T-1]", "test \"$HOME\" = \"$(cd ~ && pwd)\"; echo b > b.txt");
    let now = |minutes: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
        at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%H:%M").to_string()
    };
    let (begin, end) = (now(-30), now(30));
    let installed = ["batch", "install", "--cron", "--at", &begin, "--until", &end, "--hard-stop", &end];
    desk.autodo(&installed).ok();
    for begin in ["@reboot ", "@reboot "] {
        let night = line(&desk, begin);
        let run = Program::new("/bin/sh".as_ref(), &["-c", &night], "/".as_ref(), vec![("TZ".into(), "UTC".into())])
            .run()
            .ok();
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    }
    assert_eq!((desk.status("T-1").as_str(), desk.status("T-2").as_str()), ("needs_review", "needs_review"));
    // A question is a page for the mail.
    desk.asking("T-3", "");
    let night = line(&desk, "@reboot ");
    let run = Program::new("/bin/sh".as_ref(), &["-c", &night], "/".as_ref(), vec![("TZ".into(), "UTC".into())])
        .run()
        .code(8);
    assert!(run.stderr.is_empty() && run.stdout.contains("autodo answer T-3"), "{}", run.both());
}

#[test]
fn units_are_written_and_taken_up_and_lingering_is_looked_at() {
    let desk = desk();
    let folder: PathBuf = desk.world.root().join("home/.config/systemd/user");
    let said = install(&desk, &["--systemd"]);
    assert!(said.contains("loginctl enable-linger"), "{said}");
    let names = || -> Vec<String> {
        let mut all: Vec<String> =
            std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        all
    };
    let all = names();
    assert!(all.len() == 2 && all[0].starts_with("autodo-proj-") && all[0].ends_with(".service"), "{all:?}");
    let log = std::fs::read_to_string(desk.world.root().join("systemctl.log")).unwrap();
    assert!(log.contains(&format!("enable {}\nenable --now {}", all[0], all[1])), "{log}");
    let status = desk.autodo(&["batch", "status", "--json"]).json();
    assert_eq!(status["batches"][0]["by"], "systemd");
    assert!(status["batches"][0]["troubles"].to_string().contains("enable-linger"), "{status}");
    std::fs::write(desk.world.root().join("linger"), "yes\n").unwrap();
    let status = desk.autodo(&["batch", "status"]).ok();
    assert!(status.stdout.contains("01:05 until 06:30") && !status.stdout.contains("trouble"), "{}", status.both());
    // There is one for each project, whatever fires it.
    let said = install(&desk, &["--cron"]);
    assert!(said.contains("units of systemd that fired this project's batch were removed"), "{said}");
    assert_eq!(names(), Vec::<String>::new());
    assert!(text(&desk).contains("@reboot"));
    let said = install(&desk, &["--systemd"]);
    assert!(said.contains("block of the crontab"), "{said}");
    assert_eq!(text(&desk), "");
    desk.autodo(&["batch", "remove"]).ok();
    assert_eq!(names(), Vec::<String>::new());
    assert!(!desk.world.root().join(format!("on-{}", all[1])).exists());
}

#[test]
fn what_cannot_be_looked_at_is_never_taken_for_empty() {
    let desk = desk();
    let root = desk.world.root();
    std::fs::write(root.join("crontab"), "1 1 * * * mine\n").unwrap();
    std::fs::write(root.join("bin/crontab"), "#!/bin/sh\necho 'you are not allowed to use this program' >&2; exit 1\n")
        .unwrap();
    for args in [vec!["batch", "remove"], [&["batch", "install", "--cron"], &HOURS[..]].concat()] {
        let run = desk.autodo(&args).code(1);
        assert!(run.stderr.contains("not allowed"), "{}", run.both());
    }
    desk.autodo(&["batch", "status"]).code(1);
    assert_eq!(text(&desk), "1 1 * * * mine\n");
    std::fs::write(root.join("no-bus"), "").unwrap();
    let run = desk.autodo(&[&["batch", "install", "--systemd"], &HOURS[..]].concat()).code(1);
    assert!(run.stderr.contains("Failed to connect to bus") && run.stderr.contains("--cron"), "{}", run.both());
    assert!(!root.join("home/.config/systemd").exists(), "nothing was written");
}

#[test]
fn hours_and_lines_that_cannot_work_are_refused() {
    let mut desk = desk();
    for hours in [["25:00", "06:30", "07:00"], ["01:00", "1h", "07:00"], ["01:00", "06:30", "05:00"]] {
        let [at, until, stop] = hours;
        desk.autodo(&["batch", "install", "--cron", "--at", at, "--until", until, "--hard-stop", stop]).code(2);
    }
    let run = desk.autodo(&[&["batch", "install", "--cron", "--env", "NO_SUCH_VARIABLE"], &HOURS[..]].concat()).code(2);
    assert!(run.stderr.contains("NO_SUCH_VARIABLE"), "{}", run.both());
    desk.world.set("LONG", "x".repeat(1200));
    let run = desk.autodo(&[&["batch", "install", "--cron", "--env", "LONG"], &HOURS[..]].concat()).code(2);
    assert!(run.stderr.contains("longer than 998 bytes"), "{}", run.both());
    assert_eq!(text(&desk), "");
}
