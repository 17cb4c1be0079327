//! Where the soak happens: a world, a project with its backlog, and the supervisor, which is brought back whenever it
//! has gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::{
    backlog::{Ticket, alone},
    support::{
        invariants::{self, Foreign},
        program::{Background, Run},
        repo::Repo,
        world::{World, program_beside},
    },
};

/// Longest that a supervisor or a command may take to its end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The profile of the scripted agent; `PROGRAM` and `ROOT` are filled in.
const PROFILE: &str = include_str!("fake.toml");

/// A process of an agent, as its environment tells.
#[derive(Clone, Debug)]
pub struct Proc {
    /// Its id.
    pub pid: i32,
    /// Its command line.
    pub argv: String,
    /// Its ticket.
    pub ticket: String,
    /// It belongs to a check, not to the agent.
    pub is_check: bool,
}

/// Everything of one soak.
pub struct Stage {
    pub world: World,
    pub repo: Repo,
    pub tickets: BTreeMap<String, Ticket>,
    /// Ids that were handed in.
    pub handed_in: BTreeSet<String>,
    /// Tickets whose worktree or branch was changed by hand.
    pub wrecked: BTreeSet<String>,
    /// How often something was done to the processes of a ticket.
    pub hits: BTreeMap<String, usize>,
    /// What is wrong, in the order in which it was found: its kind, and words.
    pub wrong: Vec<(&'static str, String)>,
    /// Faults by kind.
    pub faults: BTreeMap<&'static str, usize>,
    /// Dispatches that were started beside the first.
    pub others: Vec<Background>,
    supervisor: Option<Background>,
    foreign: Foreign,
    log: File,
    begun: Instant,
    dispatches: usize,
}

impl Stage {
    /// A project with these tickets; those that are not late are imported.
    pub fn set(tickets: &[Ticket]) -> Self {
        let world = World::new();
        let repo = world.repo("repo");
        let root = world.root().display().to_string();
        for folder in ["locks", "mended", "scenarios", "records", "ad/profiles"] {
            fs::create_dir_all(world.root().join(folder)).unwrap();
        }
        let check = alone(&root, "check-$AUTODO_TICKET", 9);
        let settings = format!(
            "version = 1\nprofile = \"script\"\nparallel = 6\nchecks = [\"{check}; sleep 0.1\"]\n\
             [limits]\nbackoff = \"0s\"\nstall = \"8s\"\n"
        );
        repo.settings(&settings);
        let profile = PROFILE.replace("PROGRAM", &program_beside("fake-agent").display().to_string());
        fs::write(world.home().join("profiles/fake.toml"), profile.replace("ROOT", &root)).unwrap();
        let foreign = Foreign::plant(&world, &repo);
        let log = File::create(world.root().join("soak.log")).unwrap();
        let mut stage = Self {
            world,
            repo,
            tickets: BTreeMap::new(),
            handed_in: BTreeSet::new(),
            wrecked: BTreeSet::new(),
            hits: BTreeMap::new(),
            wrong: vec![],
            faults: BTreeMap::new(),
            others: vec![],
            supervisor: None,
            foreign,
            log,
            begun: Instant::now(),
            dispatches: 0,
        };
        for ticket in tickets {
            if let Some(scenario) = ticket.scenario(&root) {
                fs::write(stage.path(&format!("scenarios/{}", ticket.id)), scenario).unwrap();
            }
            if !ticket.is_late {
                stage.repo.ticket(&ticket.id, &ticket.front(), &ticket.body(&root));
                stage.handed_in.insert(ticket.id.clone());
            }
            stage.tickets.insert(ticket.id.clone(), ticket.clone());
        }
        stage.autodo(&["import"]).ok();
        stage
    }

    /// A file of the world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.world.root().join(name)
    }

    /// Writes a line into the log, with the seconds since the beginning.
    pub fn log(&mut self, line: &str) {
        writeln!(self.log, "{:8.2} {line}", self.begun.elapsed().as_secs_f64()).unwrap();
    }

    /// Something is wrong.
    pub fn wrong(&mut self, kind: &'static str, words: String) {
        self.log(&format!("WRONG ({kind}): {words}"));
        self.wrong.push((kind, words));
    }

    /// Runs `autodo` in the project to its end; what it says goes into the log.
    pub fn autodo(&mut self, args: &[&str]) -> Run {
        self.autodo_reading(args, "")
    }

    /// The same with something to read.
    pub fn autodo_reading(&mut self, args: &[&str], input: &str) -> Run {
        let command = self.world.command(args).in_dir(&self.repo).stdin(input).limit(PATIENCE);
        let run = command.try_run().unwrap_or_else(|why| {
            self.wrong("stuck", why.clone());
            Run { code: -1, stdout: String::new(), stderr: why }
        });
        if args.first() != Some(&"list") {
            self.log(&format!("autodo {}: {}", args.join(" "), run.both().replace('\n', " | ")));
        }
        self.judge(&args.join(" "), &run);
        run
    }

    /// No program of ours may panic, and an error tells what to do.
    pub fn judge(&mut self, what: &str, run: &Run) {
        if run.stderr.contains("panicked") {
            self.wrong("panic", format!("{what}: {}", run.both()));
        } else if run.code == 1 && run.stderr.contains("error:") && !run.stderr.contains("hint:") {
            self.wrong("no hint", format!("{what}: {}", run.both()));
        }
    }

    /// The rows of all tickets; `None`: they cannot be had now.
    pub fn rows(&mut self) -> Option<Vec<Value>> {
        let list = self.autodo(&["list", "--all", "--json"]);
        let rows: Option<Value> = serde_json::from_str(&list.stdout).ok().filter(|_| list.code == 0);
        if rows.is_none() {
            self.wrong("list", list.both());
        }
        rows.and_then(|rows| rows["tickets"].as_array().cloned())
    }

    /// Starts a supervisor if none runs; tells how the last one ended, where it did by itself.
    pub fn keep_supervised(&mut self) -> Option<Run> {
        let ended = self.supervisor.take_if(|supervisor| !supervisor.is_running());
        let said = ended.map(|ended| self.heard(ended, "supervisor ended"));
        self.others.retain_mut(Background::is_running);
        if self.supervisor.is_none() {
            self.dispatches += 1;
            let args: &[&str] = if self.dispatches % 5 == 1 { &["dispatch"] } else { &["dispatch", "--no-intake"] };
            self.supervisor = Some(self.world.spawn(&self.repo, args));
            self.log("a supervisor starts");
        }
        said
    }

    /// True while a supervisor runs.
    pub fn is_supervised(&mut self) -> bool {
        self.supervisor.as_mut().is_some_and(Background::is_running)
    }

    /// Ends the supervisor by a signal, and whoever stands beside it; then none runs.
    pub fn end_supervisor(&mut self, signal: Signal) {
        for mut other in std::mem::take(&mut self.others) {
            other.signal(Signal::SIGKILL);
            self.heard(other, "another dispatch was killed");
        }
        let Some(mut supervisor) = self.supervisor.take() else { return };
        supervisor.signal(signal);
        let run = self.heard(supervisor, &format!("the supervisor gets {signal}"));
        if ![0, 4, 5, 8, 75, 130, 137, 128 + signal as i32].contains(&run.code) {
            self.wrong("supervisor", format!("it ended after {signal}: {}", run.both()));
        }
    }

    fn heard(&mut self, ended: Background, why: &str) -> Run {
        let run = ended.try_wait_for(PATIENCE).unwrap_or_else(|why| {
            self.wrong("stuck", why.clone());
            Run { code: -1, stdout: String::new(), stderr: why }
        });
        self.log(&format!("{why}:\n{}", run.both()));
        self.judge("dispatch", &run);
        run
    }

    /// The living processes of agents and checks.
    pub fn agents(&self) -> Vec<Proc> {
        let processes = self.world.processes().into_iter();
        let of = |(pid, argv): (i32, String)| {
            let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            let environ = String::from_utf8_lossy(&environ).into_owned();
            let value = |name: &str| environ.split('\0').find_map(|v| v.strip_prefix(name)).map(str::to_owned);
            let launch = value("AUTODO_LAUNCH=").filter(|launch| Path::new(launch).starts_with(self.world.home()))?;
            let ticket = value("AUTODO_RUN=")?.split('/').next()?.to_owned();
            Some(Proc { pid, argv, ticket, is_check: launch.contains("/checks/") })
        };
        processes.filter_map(of).collect()
    }

    /// Process ids of wrappers, by the files that they wrote, of launches that live.
    pub fn wrappers(&self) -> Vec<(i32, String)> {
        let listed = self.world.processes();
        let wrapper = |(pid, argv): &(i32, String)| {
            let folder = argv.split(' ').find(|word| word.contains("/launches/"))?;
            let below = Path::new(folder).strip_prefix(self.world.home()).ok()?;
            let ticket = below.components().next()?.as_os_str().to_str()?.to_owned();
            Some((*pid, ticket))
        };
        listed.iter().filter_map(wrapper).collect()
    }

    /// Counts something that was done to a ticket's processes.
    pub fn hit(&mut self, ticket: &str) {
        *self.hits.entry(ticket.to_owned()).or_insert(0) += 1;
    }

    /// Invariants that are broken now; no supervisor may run.
    pub fn check(&mut self) {
        for breach in invariants::breaches(&self.world, &self.repo, &self.foreign) {
            // What a hand took away is gone.
            let is_own = breach.starts_with("(e) the worktree of ")
                && self.wrecked.iter().any(|id| breach == format!("(e) the worktree of {id} is gone"));
            if !is_own && !self.is_closed(&breach) {
                self.wrong("invariant", breach);
            }
        }
    }

    /// True for a launch that lost its wrapper after its agent had made its claim: its run was closed all the same, by
    /// that claim, and its trail says so.
    fn is_closed(&self, breach: &str) -> bool {
        let Some(folder) = breach.strip_suffix(" was started, is gone, and nobody says so") else { return false };
        let mut parts = folder.split('/').skip_while(|part| *part != "ad").skip(1);
        let (Some(id), Some(run)) = (parts.next(), parts.nth(1)) else { return false };
        let trail = self.world.file(&format!("{id}/events.jsonl"));
        let events: Vec<Value> = trail.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let of_run = |event: &str| events.iter().any(|e| e["event"] == event && e["run"].as_u64() == run.parse().ok());
        of_run("inspected") && of_run("closed")
    }

    /// Lines of a file of the world.
    pub fn lines(&self, name: &str) -> Vec<String> {
        fs::read_to_string(self.path(name)).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// What the scripted agent of a ticket accepted.
    pub fn prompts(&self, ticket: &str) -> Vec<String> {
        let lines = self.lines(&format!("records/{ticket}"));
        let records = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records.filter_map(|record| record["prompt"].as_str().map(str::to_owned)).collect()
    }

    /// Seconds since the beginning.
    pub fn age(&self) -> Duration {
        self.begun.elapsed()
    }
}

/// Sends a signal; false: there is no such process any more.
pub fn signal(pid: i32, signal: Signal) -> bool {
    kill(Pid::from_raw(pid), signal).is_ok()
}
