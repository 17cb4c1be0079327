//! A folder with a home, a repository and programs in an environment of their own: what the rows other than watching need.

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

/// The folder; removed with what runs in it when dropped.
pub struct Room<'a> {
    options: &'a Options,
    folder: tempfile::TempDir,
}

impl<'a> Room<'a> {
    /// An empty one below `parent`.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn new(options: &'a Options, parent: &Path) -> Result<Self, Trouble> {
        let folder = tempfile::Builder::new().prefix("adb").tempdir_in(parent);
        let mut folder = folder.map_err(|why| format!("cannot make a folder in {}: {why}", parent.display()))?;
        folder.disable_cleanup(options.keep);
        let room = Self { options, folder };
        room.write("gitconfig", "[user]\nname = Bench\nemail = bench@example.invalid\n[commit]\ngpgsign = false\n[gc]\nauto = 0\n[maintenance]\nauto = false\n")?;
        Ok(room)
    }

    /// Its files are not removed when it is dropped; what runs in it is ended all the same.
    pub fn leave(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// A place in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The home.
    pub fn home(&self) -> PathBuf {
        self.path("ad")
    }

    /// The repository.
    pub fn repo(&self) -> PathBuf {
        self.path("p")
    }

    /// Writes a file, and the folders above it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Trouble> {
        let path = self.path(name);
        let folder = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|why| format!("cannot write {}: {why}", path.display()))
    }

    /// Makes the repository of `files` files in folders of a hundred, with these settings, and commits all.
    ///
    /// # Errors
    /// Something cannot be written, or git fails.
    pub fn make_repo(&self, files: usize, settings: &str) -> Result<(), Trouble> {
        for number in 0..files {
            let text = format!("line of file {number}\n").repeat(20);
            self.write(&format!("p/src/{:03}/{number}.txt", number / 100), &text)?;
        }
        self.write("p/.autodo/config.toml", settings)?;
        for line in ["init -q -b main", "add -A", "commit -q -m first"] {
            self.git(line)?;
        }
        Ok(())
    }

    /// Runs git in the repository.
    ///
    /// # Errors
    /// It fails.
    pub fn git(&self, line: &str) -> Result<String, Trouble> {
        run(self.command("git", &self.repo()).args(line.split(' ')))
    }

    /// Writes the profile of the scripted agent, as `bench`; the agent of a ticket plays `scenarios/<ticket>` and
    /// records into `records/<ticket>`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn make_profile(&self) -> Result<(), Trouble> {
        let folder = self.folder.path().display();
        let mut text = format!(
            "version = 1\nname = \"bench\"\nnudge = false\n\
             [launch]\nargv = [\"{}\", \"{folder}/scenarios/{{ticket}}\"]\n\
             env = {{ FAKE_PROMPTS = \"{folder}/records/{{ticket}}\" }}\n\
             [box]\nabove = '^─{{5,}}$'\nline = '^>(?: (.*))?$'\ncontinuation = '^  (.*)$'\nbelow = '^─{{5,}}$'\n\
             footer_rows = 1\n[limits]\nstall_s = 86400\nrun_s = 0\nstart_s = 600\ndelivery_s = 300\n",
            self.options.agent.display()
        );
        for state in ["busy", "booting", "ready"] {
            // Ignored: writing to a string cannot fail.
            write!(
                text,
                "[[screens]]\nname = \"{state}\"\nstate = \"{state}\"\nregion = \"below_box\"\n\
                 pattern = '^ fake · {state}'\n"
            )
            .ok();
        }
        self.write("records/.keep", "")?;
        self.write("ad/profiles/bench.toml", &text)
    }

    /// A ticket of the repository, whose agent plays `scenario`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn make_ticket(&self, id: &str, scenario: &str) -> Result<(), Trouble> {
        self.write(&format!("scenarios/{id}"), scenario)?;
        let ticket = format!("---\nid: {id}\ntitle: Ticket {id}\n---\nWork until told otherwise.\n");
        self.write(&format!("p/.autodo/tickets/{id}.md"), &ticket)
    }

    /// The first moment that the agent of `id` recorded with `stamp`, in seconds since the epoch.
    pub fn stamp(&self, id: &str) -> Option<f64> {
        let text = std::fs::read_to_string(self.path(&format!("records/{id}"))).ok()?;
        let values = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        values.filter(|value| value["stamp"].is_string()).find_map(|value| Some(value["at_ns"].as_f64()? / 1e9))
    }

    /// A program in the environment of this room, and in no other.
    pub fn command(&self, program: impl AsRef<Path>, dir: &Path) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().current_dir(dir).env("HOME", self.folder.path()).env("AUTODO_HOME", self.home());
        command.env("GIT_CONFIG_GLOBAL", self.path("gitconfig")).env("GIT_CONFIG_NOSYSTEM", "1");
        command.env("LC_ALL", "C.UTF-8").env("TERM", "xterm-256color").env("TZ", "UTC").stdin(Stdio::null());
        command.envs(["PATH", "AUTODO_LOG"].iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
        command
    }

    /// `autodo`, in the repository.
    pub fn autodo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&self.options.autodo, &self.repo());
        command.args(arguments);
        command
    }

    /// `autodo` in the background, its output in a log.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(&self, arguments: &[&str]) -> Result<Background, Trouble> {
        let failed = |why: std::io::Error| format!("cannot start autodo: {why}");
        let log = File::options().create(true).append(true).open(self.path("supervisor.log")).map_err(failed)?;
        let mut command = self.autodo(arguments);
        command.stdout(log.try_clone().map_err(failed)?).stderr(log).process_group(0);
        let child = command.spawn().map_err(failed)?;
        // For scripts/bench, which ends what an interrupted measurement leaves behind.
        self.write("supervisor.pid", &child.id().to_string())?;
        Ok(Background(child))
    }

    /// Ends autodo's tmux server, and all agents with it.
    pub fn end_tmux(&self) {
        let socket = self.home().join("run/tmux.sock");
        // Ignored: there is none.
        run(self.command("tmux", self.folder.path()).arg("-S").arg(socket).arg("kill-server")).ok();
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.end_tmux();
    }
}

/// A supervisor in the background; killed when dropped.
pub struct Background(Child);

impl Background {
    /// Its process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap_or(0)
    }

    /// True while it runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Interrupts it and waits for its end; its agents go on.
    ///
    /// # Errors
    /// It is gone.
    pub fn interrupt(mut self) -> Result<(), Trouble> {
        kill(Pid::from_raw(self.pid()), Signal::SIGINT).map_err(|why| format!("the supervisor is gone: {why}"))?;
        self.0.wait().map(drop).map_err(|why| why.to_string())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // Ignored: it has ended by itself.
        self.0.kill().and_then(|()| self.0.wait()).ok();
    }
}

/// Runs to the end; what it printed.
///
/// # Errors
/// It cannot be started, or fails.
pub fn run(command: &mut Command) -> Result<String, Trouble> {
    let output = command.output().map_err(|why| format!("cannot run {command:?}: {why}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let (program, said) = (command.get_program().to_string_lossy(), String::from_utf8_lossy(&output.stderr));
    let arguments: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
    Err(format!("{program} {}: {}", arguments.join(" "), said.trim()))
}

/// Runs to the end; milliseconds.
///
/// # Errors
/// As [`run`].
pub fn timed(command: &mut Command) -> Result<f64, Trouble> {
    let began = Instant::now();
    run(command)?;
    Ok(began.elapsed().as_secs_f64() * 1000.0)
}

/// Waits until something is so.
///
/// # Errors
/// It never was.
pub fn wait(what: &str, limit: Duration, mut done: impl FnMut() -> bool) -> Result<(), Trouble> {
    let end = Instant::now() + limit;
    while !done() {
        if Instant::now() > end {
            return Err(format!("waited in vain for {what}"));
        }
        // Seldom enough to cost nothing beside what is measured.
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
