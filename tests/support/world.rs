//! A private world for tests that run the real binary: folders, environment, repositories, tmux server, and their end.
//!
//! Nothing of the caller's environment reaches it but `PATH` and what coverage tools need. When a [`World`] goes, its
//! tmux server and every process that was started in it are ended, by socket and by process id; when its test
//! panics, its folder is kept.

use std::{
    ffi::OsString,
    fmt::Write as _,
    os::unix::{ffi::OsStrExt, fs::FileTypeExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::{
    files::files_below,
    program::{Background, Program, Run},
    repo::Repo,
};

/// A program that cargo built: where it says, else beside this one.
pub fn program_beside(name: &str) -> PathBuf {
    let told = match name {
        "autodo" => option_env!("CARGO_BIN_EXE_autodo"),
        _ => None,
    };
    told.map_or_else(|| std::env::current_exe().unwrap().with_file_name(name), PathBuf::from)
}

/// Everything a test needs of its own.
pub struct World {
    folder: tempfile::TempDir,
    env: Vec<(OsString, OsString)>,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Makes one, below `/tmp`: socket paths must stay short.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("ad").rand_bytes(6).tempdir_in("/tmp").unwrap();
        let root = folder.path();
        for name in ["home", "tmp"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        let identity = "[user]\n\tname = Test\n\temail = test@example.invalid\n[init]\n\tdefaultBranch = main\n\
                        [commit]\n\tgpgsign = false\n";
        std::fs::write(root.join("gitconfig"), identity).unwrap();
        let mut env: Vec<(OsString, OsString)> = Vec::new();
        let mut set = |name: &str, value: OsString| env.push((name.into(), value));
        set("HOME", root.join("home").into());
        set("TMPDIR", root.join("tmp").into());
        set("AUTODO_HOME", root.join("ad").into());
        set("GIT_CONFIG_GLOBAL", root.join("gitconfig").into());
        set("GIT_CONFIG_NOSYSTEM", "1".into());
        for (name, value) in [("LC_ALL", "C.UTF-8"), ("TERM", "xterm-256color"), ("TZ", "UTC"), ("USER", "tester")] {
            set(name, value.into());
        }
        for name in ["PATH", "LLVM_PROFILE_FILE", "RUST_BACKTRACE"] {
            if let Some(value) = std::env::var_os(name) {
                set(name, value);
            }
        }
        Self { folder, env }
    }

    /// The world's folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Its `AUTODO_HOME`; not made before autodo makes it.
    pub fn home(&self) -> PathBuf {
        self.root().join("ad")
    }

    /// Keeps the folder when the world goes.
    pub fn keep(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// Sets a variable for everything that is started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.unset(name);
        self.env.push((name.into(), value.into()));
    }

    /// Takes a variable away from everything that is started from now on.
    pub fn unset(&mut self, name: &str) {
        self.env.retain(|(known, _)| known != name);
    }

    /// Makes a repository with one commit, on branch `main`.
    pub fn repo(&self, name: &str) -> Repo {
        Repo::make(self.root().join(name), self.env.clone())
    }

    /// A program in this world's environment, in its folder, without input.
    pub fn program(&self, program: impl AsRef<Path>, args: &[&str]) -> Program {
        Program::new(program.as_ref(), args, self.root(), self.env.clone())
    }

    /// The real binary with `args`; say where with [`Program::in_dir`].
    pub fn command(&self, args: &[&str]) -> Program {
        self.program(program_beside("autodo"), args)
    }

    /// Runs the real binary in the world's folder to its end.
    pub fn autodo(&self, args: &[&str]) -> Run {
        self.command(args).run()
    }

    /// Runs the real binary in `dir` to its end.
    pub fn autodo_in(&self, dir: impl AsRef<Path>, args: &[&str]) -> Run {
        self.command(args).in_dir(dir).run()
    }

    /// Starts the real binary in `dir`, in the background.
    pub fn spawn(&self, dir: impl AsRef<Path>, args: &[&str]) -> Background {
        self.command(args).in_dir(dir).spawn()
    }

    /// Where the tmux server of this home listens: what `doctor` says, else the usual place.
    pub fn tmux_socket(&self) -> PathBuf {
        let usual = self.home().join("run/tmux.sock");
        if usual.exists() {
            return usual;
        }
        let said = self.command(&["doctor", "--json"]).run();
        let json: Option<serde_json::Value> = serde_json::from_str(&said.stdout).ok();
        let socket = json.and_then(|j| j["tmux_socket"].as_str().map(PathBuf::from));
        socket.unwrap_or(usual)
    }

    /// Runs tmux on that socket.
    pub fn tmux(&self, args: &[&str]) -> Run {
        let socket = self.tmux_socket();
        let mut all = vec!["-S", socket.to_str().unwrap(), "-f", "/dev/null"];
        all.extend(args);
        self.program("tmux", &all).run()
    }

    /// A file of the home as text; empty where it is not there.
    pub fn file(&self, path: &str) -> String {
        std::fs::read_to_string(self.home().join(path)).unwrap_or_default()
    }

    /// The journal's lines, as far as they are complete.
    pub fn journal(&self) -> Vec<String> {
        self.file("journal.jsonl").lines().map(str::to_owned).collect()
    }

    /// What a person would look at after a failure: list, journal, screens, logs, processes. Never fails itself.
    pub fn story(&self) -> String {
        let mut story = format!("world: {}\n", self.root().display());
        let list = self.command(&["list", "--all"]).limit(Duration::from_secs(5)).try_run();
        part(&mut story, "autodo list --all", &list.map_or_else(|why| why, |run| run.both()));
        part(&mut story, "journal (end)", &tail(&self.journal().join("\n"), 15));
        for socket in self.sockets() {
            let socket = socket.to_string_lossy().into_owned();
            let tmux = |args: &[&str]| {
                let mut all = vec!["-S", socket.as_str()];
                all.extend(args);
                self.program("tmux", &all)
                    .limit(Duration::from_secs(5))
                    .try_run()
                    .map_or_else(|why| why, |run| run.both())
            };
            let panes = tmux(&["list-panes", "-a", "-F", "#{pane_id} #{session_name} dead=#{pane_dead}"]);
            for pane in panes.lines().filter_map(|line| line.split(' ').next()).filter(|id| id.starts_with('%')) {
                part(&mut story, &format!("screen of {pane}"), tmux(&["capture-pane", "-p", "-t", pane]).trim_end());
            }
            part(&mut story, &format!("panes of {socket}"), &panes);
        }
        let logs = if self.home().is_dir() { files_below(&self.home()) } else { Vec::new() };
        for log in logs.iter().filter(|f| f.extension().is_some_and(|e| e == "log")) {
            let text = std::fs::read(log).unwrap_or_default();
            part(&mut story, &log.display().to_string(), &tail(&String::from_utf8_lossy(&text), 15));
        }
        let processes: Vec<String> = self.processes().iter().map(|(pid, argv)| format!("{pid} {argv}")).collect();
        part(&mut story, "processes", &processes.join("\n"));
        story
    }

    /// Processes that were started in this world and live: their id and command line. They are known by the world's
    /// folder in their environment. Linux only: elsewhere none are found.
    pub fn processes(&self) -> Vec<(i32, String)> {
        let mark = self.root().as_os_str().as_bytes();
        // Ignored: a system without /proc, and processes that end or belong to others while we look.
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        pids.filter_map(|pid| {
            let environ = std::fs::read(format!("/proc/{pid}/environ")).ok()?; // Ignored: as above
            if !environ.windows(mark.len()).any(|part| part == mark) {
                return None;
            }
            let argv = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            Some((pid, String::from_utf8_lossy(&argv).replace('\0', " ")))
        })
        .collect()
    }

    /// Sockets of tmux servers that this home may have.
    fn sockets(&self) -> Vec<PathBuf> {
        let run = self.home().join("run");
        let found = if run.is_dir() { std::fs::read_dir(run).unwrap().flatten().collect() } else { Vec::new() };
        let is_tmux = |entry: &std::fs::DirEntry| {
            entry.file_type().is_ok_and(|kind| kind.is_socket())
                && entry.file_name().to_string_lossy().starts_with("tmux")
        };
        found.into_iter().filter(is_tmux).map(|entry| entry.path()).collect()
    }

    /// Ends the tmux servers and every process of this world; returns those that would not end.
    fn end(&self) -> Vec<(i32, String)> {
        for socket in self.sockets() {
            let args = ["-S", &socket.to_string_lossy(), "kill-server"];
            // Ignored: a server that is gone, or stuck; the processes below are ended in any case.
            self.program("tmux", &args).limit(Duration::from_secs(5)).try_run().ok();
        }
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let left = self.processes();
            if left.is_empty() || Instant::now() > end {
                return left;
            }
            for (pid, _) in left {
                // Ignored: it ended meanwhile.
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).ok();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("{}", self.story());
            eprintln!("the world of this test is kept in {}", self.root().display());
        }
        let left = self.end();
        if !left.is_empty() && !std::thread::panicking() {
            self.folder.disable_cleanup(true);
            panic!("processes of {} would not end: {left:?}", self.root().display());
        }
    }
}

fn part(story: &mut String, title: &str, text: &str) {
    writeln!(story, "--- {title}\n{text}").unwrap();
}

/// The last `lines` lines, each cut at 400 characters.
fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let last = all.iter().skip(all.len().saturating_sub(lines));
    last.map(|line| line.chars().take(400).collect::<String>() + "\n").collect()
}

#[cfg(test)]
#[path = "world/tests.rs"]
mod tests;
