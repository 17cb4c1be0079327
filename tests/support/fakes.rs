//! A project whose tickets are done by the scripted fake agent: repository, profile, settings, tickets and scenarios,
//! and what came of them.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    program::{Background, Program, Run},
    repo::Repo,
    wait_for,
    world::World,
};

/// Steps that do some work, which differs from run to run, and commit it.
pub const COMMIT: &str = "run echo done in {run} > work.txt && git add work.txt && git commit -q -m work\n";
/// The report at the end of a scenario.
pub const DONE: &str = "report done --summary 'all is done'\n";

/// The profile of the fake agent; `FOLDER` and `PROGRAM` are filled in, and `MORE` is what a test adds to it.
const PROFILE: &str = include_str!("fakes/fake.toml");

/// A project of the fake agent.
pub struct FakeProject<'w> {
    /// The world it is in.
    pub world: &'w World,
    /// Its repository.
    pub repo: Repo,
    settings: String,
    tables: String,
    profile_head: String,
    profile_launch: String,
    queues_while_busy: bool,
    scenario: String,
    tickets: Vec<String>,
}

impl<'w> FakeProject<'w> {
    /// An empty one: no checks, no tickets; every agent commits and reports.
    pub fn new(world: &'w World) -> Self {
        let repo = world.repo("p");
        let project = Self {
            world,
            repo,
            settings: "version = 1\nprofile = \"fake\"\nparallel = 2\n".into(),
            tables: "[limits]\nbackoff = \"0s\"\n".into(),
            profile_head: String::new(),
            profile_launch: String::new(),
            queues_while_busy: true,
            scenario: ["ready\nexpect-prompt\n", COMMIT, DONE].concat(),
            tickets: vec![],
        };
        std::fs::create_dir_all(project.folder()).unwrap();
        project.checks(&[])
    }

    /// Where scenarios, logs and records are.
    pub fn folder(&self) -> PathBuf {
        self.world.root().join("fake")
    }

    /// The project's checks.
    pub fn checks(self, checks: &[&str]) -> Self {
        let list: Vec<String> = checks.iter().map(|check| format!("'''{check}'''")).collect();
        self.setting(&format!("checks = [{}]", list.join(", ")))
    }

    /// A line at the top of the settings; one of the same name is replaced.
    pub fn setting(mut self, line: &str) -> Self {
        let name = line.split('=').next().unwrap().to_owned();
        let kept: Vec<&str> = self.settings.lines().filter(|l| !l.starts_with(&name)).collect();
        self.settings = format!("{}\n{line}\n", kept.join("\n"));
        self.write_settings();
        self
    }

    /// A line of `[limits]`, such as `stall = "2s"`.
    pub fn limit(mut self, line: &str) -> Self {
        let name = line.split('=').next().unwrap().to_owned();
        let kept: Vec<&str> = self.tables.lines().filter(|l| !l.starts_with(&name)).collect();
        self.tables = format!("{}\n{line}\n", kept.join("\n"));
        self.write_settings();
        self
    }

    /// Lines at the top of the profile, such as `nudge = false`.
    pub fn profile(mut self, lines: &str) -> Self {
        writeln!(self.profile_head, "{lines}").unwrap();
        self
    }

    /// Lines of the profile's `[launch]`.
    pub fn launch(mut self, lines: &str) -> Self {
        writeln!(self.profile_launch, "{lines}").unwrap();
        self
    }

    /// The agent takes no text while it is busy.
    pub fn waits_while_busy(mut self) -> Self {
        self.queues_while_busy = false;
        self
    }

    /// The agent's conversations can be resumed; a resumed one plays the scenario `resumed`.
    pub fn resumable(self, resumed: &str) -> Self {
        std::fs::write(self.folder().join("resumed.scenario"), resumed).unwrap();
        let folder = self.folder();
        let resume =
            format!("resume = [\"{}\", \"{}/resumed.scenario\", \"{{conversation}}\"]", agent(), folder.display());
        self.profile("conversation = \"chosen\"\nresumable = true").launch(&resume)
    }

    /// As [`FakeProject::resumable`], but the agent chooses the id and tells it in its record.
    pub fn recorded(mut self) -> Self {
        self.profile_head = self.profile_head.replace("\"chosen\"", "\"recorded\"");
        self
    }

    /// What an agent plays for which nothing else is said.
    pub fn scenario(mut self, text: &str) -> Self {
        self.scenario = text.to_owned();
        self
    }

    /// What the agent plays in one run of a ticket.
    pub fn scenario_of(self, ticket: &str, run: u32, text: &str) -> Self {
        let folder = self.folder().join(ticket);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{run}.scenario")), text).unwrap();
        self
    }

    /// A ticket in the default backlog; `front` are further lines of its frontmatter.
    pub fn ticket(mut self, id: &str, front: &str) -> Self {
        self.repo.ticket(id, &format!("id: {id}\ntitle: Ticket {id}\n{front}"), "Do it.\n");
        self.tickets.push(id.to_owned());
        self
    }

    /// Tickets that a test wrote itself.
    pub fn known(mut self, ids: &[&str]) -> Self {
        self.tickets.extend(ids.iter().map(|id| (*id).to_owned()));
        self
    }

    fn write_settings(&self) {
        self.repo.settings(&format!("{}\n{}", self.settings, self.tables));
    }

    /// Writes profile and scenarios; a project without tickets gets `T-1`.
    pub fn set_up(mut self) -> Self {
        if self.tickets.is_empty() {
            self = self.ticket("T-1", "");
        }
        let folder = self.folder();
        for ticket in &self.tickets {
            std::fs::create_dir_all(folder.join(ticket)).unwrap();
            for run in 1..=6 {
                let path = folder.join(ticket).join(format!("{run}.scenario"));
                if !path.exists() {
                    std::fs::write(path, &self.scenario).unwrap();
                }
            }
        }
        let is_chosen = self.profile_head.contains("chosen");
        let text = PROFILE
            .replace("PROGRAM", agent())
            .replace("FOLDER", folder.to_str().unwrap())
            .replace("QUEUES", &self.queues_while_busy.to_string())
            .replace("MORE", &self.profile_head)
            .replace("LAUNCH", &self.profile_launch)
            .replace("OTHERS", if is_chosen { ", \"{conversation}\"" } else { "" });
        self.repo.write(".autodo/profiles/fake.toml", &text);
        self
    }

    /// Sets it up and runs `autodo dispatch` to its end, which must be with `code`.
    #[track_caller]
    pub fn dispatched(self, code: i32) -> Self {
        let project = self.set_up();
        project.dispatch(&[]).code(code);
        project
    }

    /// Runs `autodo dispatch` with `args` to its end; two tickets at once, unless they say otherwise.
    #[track_caller]
    pub fn dispatch(&self, args: &[&str]) -> Run {
        self.autodo(&[&["dispatch"], args].concat())
    }

    /// Runs `autodo` in the project's checkout to its end.
    #[track_caller]
    pub fn autodo(&self, args: &[&str]) -> Run {
        self.world.autodo_in(&self.repo, args)
    }

    /// `autodo` in the project's checkout, to be started.
    pub fn command(&self, args: &[&str]) -> Program {
        self.world.command(args).in_dir(&self.repo)
    }

    /// Starts `autodo dispatch` in the background.
    pub fn start(&self, args: &[&str]) -> Background {
        self.world.spawn(&self.repo, &[&["dispatch"], args].concat())
    }

    /// The ticket as `list --json` shows it; null where there is none.
    pub fn row(&self, id: &str) -> Value {
        let list = self.autodo(&["list", "--all", "--json"]).ok().json();
        list["tickets"].as_array().unwrap().iter().find(|row| row["id"] == id).cloned().unwrap_or_default()
    }

    /// Status, reason and `verified` of a ticket, in one line: `needs_review no_change true`.
    pub fn status(&self, id: &str) -> String {
        let row = self.row(id);
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{} {} {}", word(&row["status"]), word(&row["reason"]), word(&row["verified"]))
    }

    /// The ticket as `review --json` shows it.
    #[track_caller]
    pub fn review(&self, id: &str) -> Value {
        self.autodo(&["review", id, "--json"]).ok().json()
    }

    /// Its `review.md`.
    pub fn review_md(&self, id: &str) -> String {
        self.world.file(&format!("{id}/review.md"))
    }

    /// Its audit trail.
    pub fn events(&self, id: &str) -> Vec<Value> {
        let text = self.world.file(&format!("{id}/events.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Events of one name, such as `submitted`.
    pub fn events_of(&self, id: &str, name: &str) -> Vec<Value> {
        self.events(id).into_iter().filter(|event| event["event"] == name).collect()
    }

    /// What the fake agents of a ticket recorded, all runs together.
    pub fn records(&self, id: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder().join(format!("{id}.jsonl"))).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The prompts that were submitted to the agents of a ticket.
    pub fn prompts(&self, id: &str) -> Vec<String> {
        self.records(id).iter().filter_map(|record| record["prompt"].as_str().map(str::to_owned)).collect()
    }

    /// The dialogs that were answered: name and key.
    pub fn dialogs(&self, id: &str) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let records = self.records(id);
        let answered = records.iter().filter(|record| record["dialog"].is_string());
        answered.map(|record| (text(&record["dialog"]), text(&record["key"]))).collect()
    }

    /// What commands of the agents came to: their exit code and output.
    pub fn commands(&self, id: &str) -> Vec<(i64, String)> {
        let records = self.records(id);
        let ran = records.iter().filter(|record| record["command"].is_array());
        ran.map(|r| (r["code"].as_i64().unwrap_or(-1), r["output"].as_str().unwrap().to_owned())).collect()
    }

    /// Every byte that the agents of a ticket received.
    pub fn bytes(&self, id: &str) -> Vec<u8> {
        std::fs::read(self.folder().join(format!("{id}.log"))).unwrap_or_default()
    }

    /// The folder of a run in the home.
    pub fn run_folder(&self, id: &str, run: u32) -> PathBuf {
        self.world.home().join(id).join("runs").join(run.to_string())
    }

    /// The prompt's file of a run, as it was given to the agent.
    pub fn prompt_md(&self, id: &str, run: u32) -> String {
        std::fs::read_to_string(self.run_folder(id, run).join("prompt.md")).unwrap_or_default()
    }

    /// A ticket's worktree.
    pub fn worktree(&self, id: &str) -> PathBuf {
        self.world.root().join("p.worktrees").join(id)
    }

    /// Runs git in a ticket's worktree.
    #[track_caller]
    pub fn git(&self, id: &str, args: &[&str]) -> String {
        Repo::existing(&self.worktree(id), &self.repo).git(args)
    }

    /// Waits until a ticket's status line begins with `begin`.
    #[track_caller]
    pub fn wait_status(&self, id: &str, begin: &str) {
        let what = format!("{id} to be {begin}");
        wait_for(&what, || self.status(id).starts_with(begin).then_some(()), || self.world.story());
    }

    /// Waits until the agents of a ticket were given `count` prompts.
    #[track_caller]
    pub fn wait_prompts(&self, id: &str, count: usize) {
        let what = format!("{count} prompts to {id}");
        wait_for(&what, || (self.prompts(id).len() >= count).then_some(()), || self.world.story());
    }

    /// A file that scenarios can wait for with `wait-file`, and that [`Self::open`] makes.
    pub fn gate(&self, name: &str) -> String {
        self.world.root().join(name).to_string_lossy().into_owned()
    }

    /// Lets scenarios go on that wait for the gate.
    pub fn open(&self, name: &str) {
        std::fs::write(self.world.root().join(name), "").unwrap();
    }

    /// The pane of a ticket's session; `None`: there is no session.
    pub fn pane(&self, id: &str) -> Option<String> {
        let panes = self.world.tmux(&["list-panes", "-a", "-F", "#{session_name} #{pane_id}"]);
        let session = self.row(id)["session"].as_str()?.to_owned();
        panes.stdout.lines().find_map(|line| line.strip_prefix(&session)?.strip_prefix(' ').map(str::to_owned))
    }

    /// What a ticket's pane shows.
    pub fn screen(&self, id: &str) -> String {
        let Some(pane) = self.pane(id) else { return String::new() };
        self.world.tmux(&["capture-pane", "-p", "-t", &pane]).stdout
    }
}

/// The fake agent's program.
pub fn agent() -> &'static str {
    env!("CARGO_BIN_EXE_fake-agent")
}

/// True if `path` is a file or folder.
pub fn is_there(path: impl AsRef<Path>) -> bool {
    path.as_ref().symlink_metadata().is_ok()
}
