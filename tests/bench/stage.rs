//! A home, a repository and tickets at work: the scripted agents in their panes, and the supervisor that watches them.

use std::{
    fmt::Write as _,
    fs::File,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{Trouble, options::Options};

/// Longest time for all agents to be at work, and for anything else that is waited for.
const PATIENCE: Duration = Duration::from_secs(300);

/// Agents at work.
pub struct Stage<'a> {
    options: &'a Options,
    folder: tempfile::TempDir,
    panes: usize,
    supervisor: Option<Child>,
}

impl<'a> Stage<'a> {
    /// Has `panes` tickets dispatched and their agents given their prompt; then each plays `scenario` of its number.
    /// A supervisor watches them.
    ///
    /// # Errors
    /// Something did not start, or an agent never got to work.
    pub fn set(options: &'a Options, panes: usize, scenario: impl Fn(usize) -> String) -> Result<Self, Trouble> {
        let folder = tempfile::Builder::new().prefix("adb").tempdir_in(&options.folder);
        let mut folder = folder.map_err(|why| format!("cannot make a folder: {why}"))?;
        folder.disable_cleanup(options.keep);
        let mut stage = Self { options, folder, panes, supervisor: None };
        let repo = stage.path("p");
        stage.write("gitconfig", "[user]\nname = Bench\nemail = bench@example.invalid\n[commit]\ngpgsign = false\n")?;
        for number in 0..panes {
            let id = id(number);
            let play = scenario(number).replace("{folder}", &stage.folder.path().to_string_lossy());
            stage.write(&format!("scenarios/{id}"), &format!("ready\nexpect-prompt\n{play}"))?;
            let ticket = format!("---\nid: {id}\ntitle: Ticket {id}\n---\nWork until told otherwise.\n");
            stage.write(&format!("p/.autodo/tickets/{id}.md"), &ticket)?;
        }
        stage.write("p/.autodo/config.toml", "version = 1\nprofile = \"bench\"\nchecks = []\n")?;
        stage.write("ad/profiles/bench.toml", &stage.profile())?;
        for line in ["init -q -b main", "add -A", "commit -q -m first"] {
            stage.run("git", &line.split(' ').collect::<Vec<_>>(), &repo)?;
        }
        stage.start(&[])?;
        stage.wait("every agent to be at work", |stage| stage.working() == panes)?;
        Ok(stage)
    }

    /// Its files are not removed when it is dropped; what runs in it is ended all the same.
    pub fn leave(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// The home.
    pub fn home(&self) -> PathBuf {
        self.path("ad")
    }

    /// Opens the gate of that name, for which agents wait with `wait-file`; which is
    /// `{folder}/gates/<name>` in a scenario.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(&self, gate: &str) -> Result<(), Trouble> {
        self.write(&format!("gates/{gate}"), "")
    }

    /// How many prompts an agent was given.
    pub fn prompts(&self, number: usize) -> usize {
        let text = std::fs::read_to_string(self.path(&format!("records/{}", id(number)))).unwrap_or_default();
        text.lines().filter(|line| line.starts_with("{\"prompt\"")).count()
    }

    /// The moments that an agent recorded with `stamp`: its word, and seconds since the epoch.
    pub fn stamps(&self, number: usize) -> Vec<(String, f64)> {
        let text = std::fs::read_to_string(self.path(&format!("records/{}", id(number)))).unwrap_or_default();
        let values = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        values.filter_map(|v| Some((v["stamp"].as_str()?.to_owned(), v["at_ns"].as_f64()? / 1e9))).collect()
    }

    /// The supervisor's process id.
    pub fn supervisor(&self) -> i32 {
        self.supervisor.as_ref().and_then(|child| i32::try_from(child.id()).ok()).unwrap_or(0)
    }

    /// The sockets of the tmux servers.
    fn sockets(&self) -> Vec<PathBuf> {
        let names = (1..=8).map(|n| if n == 1 { "run/tmux.sock".to_owned() } else { format!("run/tmux-{n}.sock") });
        names.map(|name| self.home().join(name)).filter(|socket| socket.exists()).collect()
    }

    /// The tmux servers' process ids.
    ///
    /// # Errors
    /// One does not answer.
    pub fn servers(&self) -> Result<Vec<i32>, Trouble> {
        let pid = |socket: &PathBuf| {
            let said = self.tmux(socket, &["display-message", "-p", "#{pid}"])?;
            said.trim().parse().map_err(|_| format!("tmux says that its pid is {said:?}"))
        };
        self.sockets().iter().map(pid).collect()
    }

    /// The agents' panes, each with the socket of its server.
    ///
    /// # Errors
    /// There are not as many as there should be.
    pub fn agents(&self) -> Result<Vec<(PathBuf, String)>, Trouble> {
        let mut panes = Vec::new();
        for socket in self.sockets() {
            let said = self.tmux(&socket, &["list-panes", "-a", "-f", "#{@autodo_ticket}", "-F", "#{pane_id}"])?;
            panes.extend(said.lines().map(|pane| (socket.clone(), pane.to_owned())));
        }
        if panes.len() == self.panes { Ok(panes) } else { Err(format!("{} panes, not {}", panes.len(), self.panes)) }
    }

    /// Starts a supervisor over the agents that are at work, and waits until it serves.
    ///
    /// # Errors
    /// It did not start.
    pub fn watch(&mut self) -> Result<(), Trouble> {
        self.start(&["--no-intake"])?;
        let socket = self.home().join("run/supervisor.sock");
        self.wait("the supervisor to serve", |_| std::os::unix::net::UnixStream::connect(&socket).is_ok())
    }

    /// Ends the supervisor; the agents go on.
    ///
    /// # Errors
    /// It does not end.
    pub fn unwatch(&mut self) -> Result<(), Trouble> {
        let Some(mut child) = self.supervisor.take() else { return Ok(()) };
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(0));
        kill(pid, Signal::SIGINT).map_err(|why| format!("the supervisor is gone: {why}"))?;
        let status = child.wait().map_err(|why| why.to_string())?;
        if status.code() == Some(130) { Ok(()) } else { Err(format!("the supervisor ended with {status}")) }
    }

    /// Kills the supervisor; the agents go on.
    ///
    /// # Errors
    /// There is none.
    pub fn kill(&mut self) -> Result<(), Trouble> {
        let mut child = self.supervisor.take().ok_or("there is no supervisor to kill")?;
        child.kill().and_then(|()| child.wait()).map(drop).map_err(|why| format!("cannot kill the supervisor: {why}"))
    }

    /// Starts one as a person does who finds it gone: `autodo dispatch`, with the backlog.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start_again(&mut self) -> Result<(), Trouble> {
        self.start(&[])
    }

    /// Waits until that is so.
    ///
    /// # Errors
    /// It never was, or the supervisor ended.
    pub fn wait_until(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), Trouble> {
        self.wait(what, done)
    }

    /// True once all agents are at work and none of them asks.
    pub fn is_all_at_work(&self) -> bool {
        let text = std::fs::read_to_string(self.home().join("queue.toml")).unwrap_or_default();
        text.lines().filter(|line| *line == "phase = \"working\"").count() == self.panes
    }

    fn start(&mut self, more: &[&str]) -> Result<(), Trouble> {
        let log = self.path("supervisor.log");
        let failed = |why: std::io::Error| format!("cannot start autodo dispatch: {why}");
        let log = File::options().create(true).append(true).open(log).map_err(failed)?;
        let parallel = self.panes.to_string();
        let mut command = self.command(&self.options.autodo, &self.path("p"));
        command.args(["dispatch", "--parallel", &parallel]).args(more).process_group(0);
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(failed)?).stderr(log);
        let child = command.spawn().map_err(failed)?;
        let pid = child.id().to_string();
        self.supervisor = Some(child);
        // For scripts/bench, which ends what an interrupted measurement leaves behind.
        self.write("supervisor.pid", &pid)
    }

    /// How many tickets `queue.toml` shows at work, or blocked by what their agents ask in the midst of it.
    fn working(&self) -> usize {
        let text = std::fs::read_to_string(self.home().join("queue.toml")).unwrap_or_default();
        text.lines().filter(|line| matches!(*line, "phase = \"working\"" | "status = \"blocked\"")).count()
    }

    fn wait(&mut self, what: &str, done: impl Fn(&Self) -> bool) -> Result<(), Trouble> {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            let over = match &mut self.supervisor {
                Some(child) => child.try_wait().ok().flatten(),
                None => None,
            };
            if over.is_some() || Instant::now() > end {
                self.folder.disable_cleanup(true);
                let folder = self.folder.path().display();
                return Err(format!("waited in vain for {what}; logs are in {folder} ({} at work)", self.working()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn profile(&self) -> String {
        let folder = self.folder.path().display();
        let mut text = String::from("version = 1\nname = \"bench\"\nnudge = false\n");
        // Ignored: writing to a string cannot fail.
        writeln!(
            text,
            "[launch]\nargv = [\"{}\", \"{folder}/scenarios/{{ticket}}\"]\n\
             env = {{ FAKE_PROMPTS = \"{folder}/records/{{ticket}}\" }}",
            self.options.agent.display()
        )
        .ok();
        text.push_str(
            "[box]\nabove = '^─{5,}$'\nline = '^>(?: (.*))?$'\ncontinuation = '^  (.*)$'\nbelow = '^─{5,}$'\n\
             footer_rows = 1\n[limits]\nstall_s = 86400\nrun_s = 0\nstart_s = 600\ndelivery_s = 300\n",
        );
        for state in ["busy", "booting", "question", "ready"] {
            // Ignored: as above.
            write!(
                text,
                "[[screens]]\nname = \"{state}\"\nstate = \"{state}\"\nregion = \"below_box\"\n\
                 pattern = '^ fake · {state}'\n"
            )
            .ok();
            if state == "question" {
                text.push_str("text = '(?m)^\\? (.*)$'\n");
            }
        }
        text
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Trouble> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::create_dir_all(self.path("records")))
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|why| format!("cannot write {}: {why}", path.display()))
    }

    /// A program in the environment of this stage, and in no other.
    fn command(&self, program: &Path, dir: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(dir).env("HOME", self.folder.path()).env("AUTODO_HOME", self.home());
        command.env("GIT_CONFIG_GLOBAL", self.path("gitconfig")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color").env("TZ", "UTC");
        command.envs(["PATH", "AUTODO_LOG"].iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
        command
    }

    fn run(&self, program: &str, arguments: &[&str], dir: &Path) -> Result<String, Trouble> {
        let output = self.command(program.as_ref(), dir).args(arguments).output();
        let output = output.map_err(|why| format!("cannot run {program}: {why}"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
    }

    fn tmux(&self, socket: &Path, arguments: &[&str]) -> Result<String, Trouble> {
        let socket = socket.to_string_lossy();
        let mut all = vec!["-N", "-u", "-S", &socket];
        all.extend(arguments);
        self.run("tmux", &all, self.folder.path())
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        if let Some(mut child) = self.supervisor.take() {
            // Ignored: it has ended by itself.
            child.kill().and_then(|()| child.wait()).ok();
        }
        // Ends the agents with it. Ignored: it was never started.
        for socket in self.sockets() {
            self.tmux(&socket, &["kill-server"]).ok();
        }
    }
}

/// The ticket with that number.
pub fn id(number: usize) -> String {
    format!("T-{number:03}")
}
