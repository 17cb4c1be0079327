//! What the agent finds around it: its environment, the report command, git.

use std::{path::PathBuf, process::Command, time::Duration};

use super::{
    Trouble,
    runner::{self, Current, Ran},
};

/// Longest time of a report and of a question to git.
const SHORT: Duration = Duration::from_secs(60);

/// The contract with whoever launched the agent. The worktree is the working directory.
#[derive(Clone, Debug)]
pub struct World {
    /// `AUTODO_TICKET`: the ticket's id.
    pub ticket: String,
    /// `AUTODO_RUN`: the run.
    pub run: String,
    /// `AUTODO_KEY`: the key of the run, part of the marker.
    pub key: String,
    /// `AUTODO_BIN`: the program whose verb `report` takes reports. It finds run and outbox in the environment itself.
    pub bin: PathBuf,
    /// `AUTODO_STATE`: a folder that outlives the runs of the ticket.
    pub state: PathBuf,
    /// The program that runs now.
    pub current: Current,
}

impl World {
    /// Reads the environment.
    ///
    /// # Errors
    /// A variable is missing or empty.
    pub fn find(current: &Current) -> Result<Self, Trouble> {
        let get = |name: &'static str| {
            std::env::var_os(name).filter(|value| !value.is_empty()).ok_or(Trouble::Environment { name })
        };
        let word = |name| Ok::<_, Trouble>(get(name)?.to_string_lossy().into_owned());
        get("AUTODO_OUTBOX")?;
        Ok(Self {
            ticket: word("AUTODO_TICKET")?,
            run: word("AUTODO_RUN")?,
            key: word("AUTODO_KEY")?,
            bin: get("AUTODO_BIN")?.into(),
            state: get("AUTODO_STATE")?.into(),
            current: current.clone(),
        })
    }

    /// Runs `$AUTODO_BIN report <arguments>`.
    ///
    /// # Errors
    /// It could not be started, or did not exit 0: the report is not known to be there.
    pub fn report(&self, arguments: &[&str]) -> Result<(), Trouble> {
        let mut command = Command::new(&self.bin);
        command.arg("report").args(arguments);
        let what = || format!("report {}", arguments.first().unwrap_or(&""));
        self.must(command, what).map(|_| ())
    }

    /// The commit that is checked out; `None` where there is none yet.
    ///
    /// # Errors
    /// git could not be started.
    pub fn head(&self) -> Result<Option<String>, Trouble> {
        let ran = self.git(&["rev-parse", "--verify", "--quiet", "HEAD"])?;
        Ok(ran.tail.back().filter(|_| ran.succeeded()).cloned())
    }

    /// Commits everything in the worktree but autodo's own files, with the repository's hooks. Their output goes to
    /// `show`.
    ///
    /// # Errors
    /// git or a hook refused; the tail of what was said is in the error.
    pub fn commit(&self, message: &str, show: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
        let mut command = Command::new("git");
        command.args(["add", "--all"]);
        // Where the folder is ignored already, naming it would be an error (git 2.47).
        if !self.git(&["check-ignore", "--quiet", ".autodo/run/outbox"])?.succeeded() {
            command.args(["--", ".", ":(exclude,top).autodo/run"]);
        }
        let added = self.start(command, None, show)?;
        if !added.succeeded() {
            return Err(Trouble::refused("git add", &added));
        }
        if self.git(&["diff", "--cached", "--quiet"])?.succeeded() {
            return Ok(());
        }
        let mut command = Command::new("git");
        if !self.git(&["var", "GIT_AUTHOR_IDENT"])?.succeeded()
            || !self.git(&["var", "GIT_COMMITTER_IDENT"])?.succeeded()
        {
            command.args(["-c", "user.name=autodo script", "-c", "user.email=script@autodo.invalid"]);
        }
        command.args(["commit", "--quiet", "-m", message]).env("GIT_EDITOR", "true");
        let ran = self.start(command, None, show)?;
        if ran.succeeded() { Ok(()) } else { Err(Trouble::refused("git commit", &ran)) }
    }

    /// Runs one block in the worktree.
    ///
    /// # Errors
    /// `sh` could not be started.
    pub fn block(&self, code: &str, index: usize, show: &mut dyn FnMut(&str)) -> Result<Ran, Trouble> {
        let mut command = Command::new("sh");
        // Linux takes arguments of at most 128 KiB.
        if code.len() < 100_000 {
            command.args(["-euc", code, "sh"]);
        } else {
            let path = self.state.join(format!("block-{index}.sh"));
            std::fs::write(&path, code).map_err(|why| Trouble::of("write the block into a file", &why))?;
            command.arg("-eu").arg(path);
        }
        self.start(command, None, show)
    }

    fn git(&self, arguments: &[&str]) -> Result<Ran, Trouble> {
        let mut command = Command::new("git");
        command.args(arguments);
        self.start(command, Some(SHORT), &mut |_| {})
    }

    fn must(&self, command: Command, what: impl Fn() -> String) -> Result<Ran, Trouble> {
        let ran = self.start(command, Some(SHORT), &mut |_| {})?;
        if ran.succeeded() { Ok(ran) } else { Err(Trouble::refused(&what(), &ran)) }
    }

    fn start(&self, command: Command, limit: Option<Duration>, show: &mut dyn FnMut(&str)) -> Result<Ran, Trouble> {
        let name = command.get_program().to_string_lossy().into_owned();
        runner::run(command, &self.current, limit, show).map_err(|why| Trouble::of(&format!("run {name}"), &why))
    }
}
