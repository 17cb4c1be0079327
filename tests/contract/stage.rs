//! A stage for one real agent: a private home with what a person would have set up, the scripted model, a repository,
//! and the real `autodo`.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    path::PathBuf,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    model::{LONG, Model},
    support::{
        files::repository,
        program::{Background, Program, Run},
        repo::Repo,
        wait_within,
        world::World,
    },
};

/// Nothing but the server of a test ever sees it.
const KEY: &str = "sk-ant-dummy-0123456789abcdefghij";

/// A real agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
}

/// What the person who uses the agent has allowed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// All commands, inside the agent's sandbox where it has one.
    Commands,
    /// What it asks for is asked of a person: each command, or, inside a sandbox, each that wants to leave it.
    Nothing,
}

thread_local! {
    static WITHOUT_HOOKS: Cell<bool> = const { Cell::new(false) };
}

/// Switches Claude Code's hooks off for the stages of this thread's test.
pub fn switch_hooks_off() {
    WITHOUT_HOOKS.set(true);
}

/// The stage. All that was started on it ends with it, also when its test panics. Then its test fails if autodo called a
/// ticket verified that the test does not call so.
pub struct Stage {
    without_hooks: bool,
    verified: RefCell<BTreeSet<String>>,
    /// The agent.
    pub agent: Agent,
    /// The scripted model.
    pub model: Model,
    /// The repository.
    pub repo: Repo,
    /// Folders, processes, tmux. The last field: it ends what is left of the others.
    pub world: World,
}

impl Stage {
    /// One whose agent may run commands, in a folder that it trusts.
    pub fn new(agent: Agent) -> Self {
        Self::with(agent, Allowed::Commands, true)
    }

    /// One with what the user allowed, and whether the repository is trusted.
    pub fn with(agent: Agent, allowed: Allowed, trusted: bool) -> Self {
        let mut world = World::new();
        let bin = agents();
        let path = std::env::var("PATH").unwrap();
        world.set("PATH", format!("{}:{path}", bin.display()));
        let folder = world.root().join("model");
        let root = world.root().to_owned();
        let home = root.join("home");
        let model = Model::new(folder, move |folder, port| {
            let env = vec![("HOME".into(), home.clone().into()), ("MODEL_PORT".into(), port.to_string().into())];
            Program::new(env!("CARGO_BIN_EXE_model-server").as_ref(), &[folder.to_str().unwrap()], &root, env)
        });
        let more = [
            ("ANTHROPIC_BASE_URL", model.address()),
            ("ANTHROPIC_API_KEY", KEY.to_owned()),
            ("SCRIPTED_KEY", "dummy".to_owned()),
            ("CODEX_HOME", world.root().join("home/.codex").display().to_string()),
            // Nothing leaves the machine: the agents' own calls are off, and what is left finds no way out.
            ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".to_owned()),
            ("DISABLE_TELEMETRY", "1".to_owned()),
            ("DISABLE_ERROR_REPORTING", "1".to_owned()),
            ("HTTPS_PROXY", "http://127.0.0.1:9".to_owned()),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
        ];
        for (name, value) in more {
            world.set(name, value);
        }
        let repo = world.repo("p");
        // `scripts/contract --without-hooks` has all scenarios played so.
        let without_hooks = WITHOUT_HOOKS.get() || std::env::var_os("CONTRACT_WITHOUT_HOOKS").is_some();
        let stage = Self { without_hooks, verified: RefCell::default(), agent, model, repo, world };
        stage.seed(allowed, trusted);
        stage
    }

    /// Writes what a person leaves in the home by using the agent once.
    fn seed(&self, allowed: Allowed, trusted: bool) {
        let home = self.world.root().join("home");
        let repo = self.repo.path.display().to_string();
        let write = |path: PathBuf, text: &str| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let projects = if trusted { json!({ &repo: { "hasTrustDialogAccepted": true } }) } else { json!({}) };
        let claude = json!({
            "hasCompletedOnboarding": true,
            "customApiKeyResponses": { "approved": [&KEY[KEY.len() - 20..]], "rejected": [] },
            "projects": projects,
        });
        write(home.join(".claude.json"), &claude.to_string());
        if allowed == Allowed::Commands {
            let settings = json!({ "permissions": { "allow": ["Bash", "Write", "Edit"] } });
            write(home.join(".claude/settings.json"), &settings.to_string());
        }
        // Without the last table a sandbox lets commands write below the temporary folder, where all of this lies.
        let mut codex = format!(
            "model_provider = \"scripted\"\nmodel = \"scripted\"\ncheck_for_update_on_startup = false\n\
             [model_providers.scripted]\nname = \"scripted\"\nbase_url = \"{}/v1\"\nwire_api = \"responses\"\n\
             env_key = \"SCRIPTED_KEY\"\n[sandbox_workspace_write]\nexclude_slash_tmp = true\n\
             exclude_tmpdir_env_var = true\n",
            self.model.address(),
        );
        if trusted {
            codex += &format!("[projects.\"{repo}\"]\ntrust_level = \"trusted\"\n");
        }
        write(home.join(".codex/config.toml"), &codex);
        let approval = if allowed == Allowed::Commands { "never" } else { "on-request" };
        let profile =
            format!("version = 1\nname = \"codex-here\"\nextends = \"codex\"\n[options]\napproval = \"{approval}\"\n");
        write(self.world.home().join("profiles/codex-here.toml"), &profile);
        if self.without_hooks {
            let profile =
                "version = 1\nname = \"claude\"\nextends = \"claude\"\n[launch.settings]\ndisableAllHooks = true\n";
            write(self.world.home().join("profiles/claude.toml"), profile);
        }
        self.settings("parallel = 2\nchecks = []\n");
    }

    /// The project's settings.
    pub fn settings(&self, more: &str) {
        let profile = match self.agent {
            Agent::Claude => "claude",
            Agent::Codex => "codex-here",
        };
        self.repo.settings(&format!("version = 1\nprofile = \"{profile}\"\n{more}\n"));
    }

    /// A ticket, and what the model answers for it.
    pub fn ticket(&self, id: &str, steps: &[&str]) {
        self.ticket_of(id, "Do it.\n", steps);
    }

    /// The same, with a body of its own.
    pub fn ticket_of(&self, id: &str, body: &str, steps: &[&str]) {
        self.repo.ticket(id, &format!("id: {id}\ntitle: Ticket {id}"), body);
        self.model.scenario(id, steps);
    }

    /// Runs `autodo` in the checkout to its end.
    #[track_caller]
    pub fn autodo(&self, args: &[&str]) -> Run {
        self.world.autodo_in(&self.repo, args)
    }

    /// Runs `autodo dispatch` to its end, which must be with `code`.
    #[track_caller]
    pub fn dispatch(&self, code: i32) -> Run {
        let run = self.world.command(&["dispatch"]).in_dir(&self.repo).limit(LONG).try_run();
        let run = run.unwrap_or_else(|why| panic!("{why}\n{}", self.model.story()));
        assert_eq!(run.code, code, "exit code of dispatch\n{}\n{}", run.both(), self.model.story());
        run
    }

    /// Starts `autodo dispatch` in the background.
    pub fn start(&self) -> Background {
        self.world.spawn(&self.repo, &["dispatch"])
    }

    /// Waits for the end of a dispatch, which must be with `code`.
    #[track_caller]
    pub fn end(&self, mut dispatch: Background, code: i32) {
        self.wait("the end of the dispatch", || (!dispatch.is_running()).then_some(()));
        let said = dispatch.said();
        assert_eq!(said.code, code, "exit code of dispatch\n{}\n{}", said.both(), self.model.story());
    }

    /// The ticket as `list --json` shows it; null where there is none.
    #[track_caller]
    pub fn row(&self, id: &str) -> Value {
        let list = self.autodo(&["list", "--all", "--json"]).ok().json();
        list["tickets"].as_array().unwrap().iter().find(|row| row["id"] == id).cloned().unwrap_or_default()
    }

    /// Status, reason and `verified` of a ticket, in one line: `needs_review null true`.
    #[track_caller]
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

    /// A ticket's audit trail: the events of one name.
    pub fn events(&self, id: &str, name: &str) -> Vec<Value> {
        let text = self.world.file(&format!("{id}/events.jsonl"));
        let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|event| event["event"] == name).collect()
    }

    /// Runs git in a ticket's worktree.
    #[track_caller]
    pub fn git(&self, id: &str, args: &[&str]) -> String {
        Repo::existing(&self.worktree(id), &self.repo).git(args)
    }

    /// A ticket's worktree.
    pub fn worktree(&self, id: &str) -> PathBuf {
        self.world.root().join("p.worktrees").join(id)
    }

    /// True if Claude Code's hooks are switched off.
    pub fn is_without_hooks(&self) -> bool {
        self.without_hooks
    }

    /// How many of the agents' hooks were heard, of all tickets.
    pub fn hooks(&self) -> usize {
        let journal = self.world.journal();
        journal.iter().filter(|line| line.contains(r#""kind":"hook""#)).count()
    }

    /// Says that the ticket may be called verified.
    pub fn is_verified(&self, id: &str) {
        self.verified.borrow_mut().insert(id.to_owned());
    }

    /// Tickets that autodo has called verified at any time, and of which the test does not say so.
    fn wrongly_verified(&self) -> Vec<String> {
        let expected = self.verified.borrow();
        let rows = self.world.journal().into_iter().filter_map(|line| {
            let entry: Value = serde_json::from_str(&line).ok()?; // Ignored: a torn last line.
            let row = &entry["row"];
            let is_done = matches!(row["status"].as_str(), Some("needs_review" | "reviewed" | "landed"));
            (is_done && row["proof"]["verified"] == true).then(|| row["id"].as_str().unwrap_or_default().to_owned())
        });
        rows.filter(|id| !expected.contains(id)).collect()
    }

    /// Asserts that the ticket is proven, with these commits on its branch, the newest first.
    #[track_caller]
    pub fn is_proven(&self, id: &str, commits: &[&str]) {
        self.is_verified(id);
        assert_eq!(self.status(id), "needs_review null true", "{}", self.model.story());
        assert_eq!(self.git(id, &["log", "--format=%s", "main.."]).lines().collect::<Vec<_>>(), commits);
        assert_eq!(self.git(id, &["status", "--porcelain"]), "");
    }

    /// Waits until `look` returns something.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        wait_within(LONG, Duration::from_millis(100), what, look, || self.model.story())
    }

    /// Waits until a ticket's status line begins with `begin`.
    #[track_caller]
    pub fn wait_status(&self, id: &str, begin: &str) {
        self.wait(&format!("{id} to be {begin}"), || self.status(id).starts_with(begin).then_some(()));
    }

    /// Processes of agents, the oldest first.
    pub fn agents(&self) -> Vec<i32> {
        let mark = match self.agent {
            Agent::Claude => "--session-id",
            Agent::Codex => "--no-daemon",
        };
        let mut all: Vec<i32> =
            self.world.processes().into_iter().filter(|(_, argv)| argv.contains(mark)).map(|(pid, _)| pid).collect();
        all.sort_unstable();
        all
    }

    /// Presses keys in a ticket's pane, as a person would who is attached to it.
    #[track_caller]
    pub fn keys(&self, id: &str, keys: &[&str]) {
        let session = self.row(id)["session"].as_str().unwrap().to_owned();
        let target = format!("={session}:");
        self.world.tmux(&[&["send-keys", "-t", &target], keys].concat()).ok();
    }

    /// What a ticket's pane shows; empty where there is none.
    pub fn screen(&self, id: &str) -> String {
        let Some(session) = self.row(id)["session"].as_str().map(str::to_owned) else { return String::new() };
        self.world.tmux(&["capture-pane", "-p", "-t", &format!("={session}:")]).stdout
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let wrong = self.wrongly_verified();
        assert!(wrong.is_empty(), "verified, and should not be: {wrong:?}\n{}", self.model.story());
        let has_none = self.without_hooks && self.agent == Agent::Claude;
        assert!(!has_none || self.hooks() == 0, "hooks were heard that are switched off");
    }
}

/// The folder of the agents' programs.
fn agents() -> PathBuf {
    let bin = repository().join(".tools/agents/node_modules/.bin");
    for name in ["claude", "codex"] {
        assert!(bin.join(name).exists(), "{name} is not in {}: run scripts/contract, which installs it", bin.display());
    }
    bin
}
