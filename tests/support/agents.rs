//! Test support: an agent in a pane of a private tmux server, and the worktree, ticket and outbox that it finds.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::wait_for;

/// The embedded script agent.
pub const SCRIPT_AGENT: &[&str] = &[env!("CARGO_BIN_EXE_autodo"), "script-agent"];
/// The scripted fake agent; see `tests/fake-agent/main.rs` for its screens and its language.
pub const FAKE_AGENT: &[&str] = &[env!("CARGO_BIN_EXE_fake-agent")];
/// Key of the run in every [`Bench`].
pub const KEY: &str = "k3y9";

/// Everything one agent needs, in a temporary folder: a worktree with one commit, a state folder, and a program that
/// writes down the reports. Dropping it ends the tmux server.
pub struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// A fresh one, with the ticket `T-1`.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("ad").tempdir().expect("a temporary folder");
        let bench = Self { folder };
        fs::create_dir_all(bench.path("wt/.autodo/run/outbox")).expect("folders");
        // One line per report: its arguments, each ended by U+001F; a line end in one is written as U+001E. While a file
        // `hold` is there, it waits; with a file `refuse` it fails.
        // Run and key of each go to `names`.
        let program = "#!/bin/sh\n\
             while [ -e \"$BENCH/hold\" ]; do touch \"$BENCH/held\"; sleep 0.02; done\n\
             [ ! -e \"$BENCH/refuse\" ] || { echo 'the outbox is full' >&2; exit 1; }\n\
             for argument; do printf '%s\\037' \"$argument\"; done | tr '\\n' '\\036' >> \"$BENCH/reports\"\n\
             echo >> \"$BENCH/reports\"\n\
             echo \"$AUTODO_RUN $AUTODO_KEY\" >> \"$BENCH/names\"\n";
        fs::write(bench.path("autodo"), program).expect("the report program");
        sh(bench.folder.path(), "chmod 755 autodo");
        sh(
            &bench.worktree(),
            "git init -q -b main && git config user.name Tess && git config user.email tess@example.org \
             && echo .autodo/run/ >> .git/info/exclude && echo one > file && git add file && git commit -q -m first",
        );
        bench
    }

    /// A path in the bench's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The worktree.
    pub fn worktree(&self) -> PathBuf {
        self.path("wt")
    }

    /// Writes the prompt file as the agent finds it, with these blocks under `## Run`.
    pub fn prompt(&self, blocks: &[&str]) {
        let fences: String = blocks.iter().map(|code| format!("```sh\n{code}\n```\n\n")).collect();
        let text = format!("# T-1: Tidy up\n\nSome words.\n\n## Run\n\n{fences}## Acceptance\n\n- [ ] it is tidy\n");
        fs::write(self.path("wt/.autodo/run/prompt.md"), text).expect("the prompt");
    }

    /// The reports so far, each as its arguments.
    pub fn reports(&self) -> Vec<Vec<String>> {
        let text = fs::read_to_string(self.path("reports")).unwrap_or_default();
        let argument = |part: &str| part.replace('\u{1e}', "\n");
        text.lines().map(|line| line.split_terminator('\u{1f}').map(argument).collect()).collect()
    }

    /// Each report in short: its kind, and its text or question up to the first line end.
    pub fn said(&self) -> Vec<String> {
        let short = |report: Vec<String>| {
            let at = match report.get(1).map(String::as_str) {
                Some("decision") => 4,
                Some("note") => 2,
                _ => 3,
            };
            let text = report.get(at).and_then(|text| text.lines().next()).unwrap_or_default();
            format!("{}: {text}", report.get(1).map_or("", String::as_str))
        };
        self.reports().into_iter().map(short).collect()
    }

    /// Runs git in the worktree and returns what it printed.
    pub fn git(&self, arguments: &str) -> String {
        sh(&self.worktree(), &format!("git {arguments}"))
    }

    /// Starts `agent` in a pane of 120 columns and 40 rows, with `extra` variables beside those of a launch.
    pub fn start(&self, agent: &[&str], extra: &[(&str, &str)]) -> Pane<'_> {
        let folder = self.folder.path().display().to_string();
        let mut arguments: Vec<String> =
            ["new-session", "-d", "-P", "-F", "#{pane_id}", "-x", "120", "-y", "40", "-c"].map(str::to_owned).into();
        arguments.push(format!("{folder}/wt"));
        let launch = [
            ("BENCH", folder.clone()),
            ("AUTODO_TICKET", "T-1".to_owned()),
            ("AUTODO_RUN", "T-1/1".to_owned()),
            ("AUTODO_KEY", KEY.to_owned()),
            ("AUTODO_OUTBOX", format!("{folder}/wt/.autodo/run/outbox")),
            ("AUTODO_BIN", format!("{folder}/autodo")),
            ("AUTODO_STATE", format!("{folder}/state/1")),
        ];
        for (name, value) in launch.iter().map(|(n, v)| (*n, v.as_str())).chain(extra.iter().copied()) {
            arguments.extend(["-e".to_owned(), format!("{name}={value}")]);
        }
        // A pane that stays when its program ends shows how it ended.
        arguments.extend(["env", "-u", "TMUX"].map(str::to_owned));
        arguments.extend(agent.iter().map(|part| (*part).to_owned()));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let pane = self.tmux(&arguments).trim().to_owned();
        Pane { bench: self, pane }
    }

    /// Runs tmux on the private server and returns what it printed.
    pub fn tmux(&self, arguments: &[&str]) -> String {
        let output = self.tmux_command(arguments).output().expect("tmux is installed");
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn tmux_command(&self, arguments: &[&str]) -> Command {
        let conf = self.path("tmux.conf");
        if !conf.exists() {
            fs::write(&conf, "set -g remain-on-exit on\nset -g status off\nset -g history-limit 20000\n")
                .expect("conf");
        }
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.path("s")).arg("-f").arg(conf).args(arguments);
        command.env_remove("TMUX").env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color");
        command
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // Ignored: a test may have ended the server itself.
        self.tmux_command(&["kill-server"]).stderr(Stdio::null()).status().ok();
    }
}

/// The pane in which an agent runs.
pub struct Pane<'a> {
    bench: &'a Bench,
    pane: String,
}

impl Pane<'_> {
    /// The visible screen.
    pub fn screen(&self) -> String {
        self.bench.tmux(&["capture-pane", "-p", "-t", &self.pane])
    }

    /// The screen with its history, wrapped lines joined.
    pub fn history(&self) -> String {
        self.bench.tmux(&["capture-pane", "-p", "-J", "-S", "-", "-t", &self.pane])
    }

    /// The last line that is not empty.
    pub fn status(&self) -> String {
        self.screen().lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
    }

    /// Waits until the status line is `status`, and says what the agent said if it never is.
    pub fn wait_status(&self, status: &str) {
        wait_for(status, || self.status().starts_with(status).then_some(()), || self.story());
    }

    /// Waits until the visible screen holds `text`.
    pub fn wait_text(&self, text: &str) {
        wait_for(text, || self.screen().contains(text).then_some(()), || self.story());
    }

    /// What a person wants to see of a test that failed.
    pub fn story(&self) -> String {
        format!("{}\nreports: {:#?}", self.history(), self.bench.said())
    }

    /// Pastes `text` as autodo does: through a named buffer, bracketed, without changing line ends.
    pub fn paste(&self, text: &[u8]) {
        let mut child = self
            .bench
            .tmux_command(&["load-buffer", "-b", "text", "-"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("tmux is installed");
        child.stdin.take().expect("a pipe").write_all(text).expect("tmux reads");
        assert!(child.wait().expect("tmux ends").success());
        self.bench.tmux(&["paste-buffer", "-d", "-p", "-r", "-b", "text", "-t", &self.pane]);
    }

    /// Sends keys by tmux's names.
    pub fn keys(&self, keys: &[&str]) {
        self.bench.tmux(&[["send-keys", "-t", &self.pane].as_slice(), keys].concat());
    }

    /// Types text literally.
    pub fn type_text(&self, text: &str) {
        self.bench.tmux(&["send-keys", "-t", &self.pane, "-l", "--", text]);
    }

    /// Pastes a line, waits until it stands in the box, and presses Enter.
    pub fn submit(&self, line: &str) {
        self.paste(line.as_bytes());
        wait_for(line, || self.box_text().contains(line).then_some(()), || self.story());
        self.keys(&["Enter"]);
    }

    /// What stands between the last two rules.
    pub fn box_text(&self) -> String {
        let screen = self.screen();
        let lines: Vec<&str> = screen.lines().collect();
        let mut rules = lines.iter().enumerate().rev().filter(|(_, l)| l.starts_with("──")).map(|(at, _)| at);
        let (Some(end), Some(begin)) = (rules.next(), rules.next()) else { return String::new() };
        lines[begin + 1..end].join("\n")
    }

    /// Process id of the agent.
    pub fn pid(&self) -> i32 {
        self.value("#{pane_pid}").parse().expect("a process id")
    }

    /// Sends the agent a signal.
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid()), signal).expect("the agent lives");
    }

    /// Waits for the agent's end; returns `exit <code>` or `signal <number>`.
    ///
    /// tmux 3.3a loses the end of about one program in ten, until it gets another SIGCHLD.
    pub fn wait_end(&self) -> String {
        let look = || {
            if self.value("#{pane_dead}") != "1" {
                return None;
            }
            let (code, signal) = (self.value("#{pane_dead_status}"), self.value("#{pane_dead_signal}"));
            if code.is_empty() && signal.is_empty() {
                let server = self.value("#{pid}").parse().expect("a process id");
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(server), nix::sys::signal::Signal::SIGCHLD).ok();
                return None;
            }
            Some(if signal.is_empty() { format!("exit {code}") } else { format!("signal {signal}") })
        };
        wait_for("the agent's end", look, || self.story())
    }

    /// A tmux format of this pane.
    pub fn value(&self, format: &str) -> String {
        self.bench.tmux(&["display-message", "-p", "-t", &self.pane, format]).trim().to_owned()
    }

    /// Gives the window another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.bench.tmux(&["resize-window", "-t", &self.pane, "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// Kills the agent without warning and waits until it is gone.
    pub fn kill(&self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
        assert_eq!(self.wait_end(), "signal 9");
    }
}

/// Runs a shell line in `folder`, which must succeed, and returns what it printed.
pub fn sh(folder: &Path, line: &str) -> String {
    let output = Command::new("sh").arg("-euc").arg(line).current_dir(folder).output().expect("sh");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
