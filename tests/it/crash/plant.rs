//! A project for kills: script tickets that write down what they do, and gates that hold them where a test wants them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

use crate::support::{
    agents::FAKE_AGENT,
    invariants::{self, Foreign},
    program::{Background, Run},
    repo::Repo,
    wait_for,
    world::World,
};

/// A world with one project.
pub struct Plant {
    pub world: World,
    pub repo: Repo,
    foreign: Foreign,
}

impl Plant {
    /// A project with these checks, `ROOT` in which is the world's folder. A crash is tried again at once.
    pub fn new(checks: &[&str]) -> Self {
        let world = World::new();
        let repo = world.repo("repo");
        let root = world.root().display().to_string();
        let checks: Vec<String> = checks.iter().map(|c| format!("{:?}", c.replace("ROOT", &root))).collect();
        let checks = checks.join(", ");
        repo.settings(&format!("version = 1\nparallel = 8\nchecks = [{checks}]\n[limits]\nbackoff = \"0s\"\n"));
        let foreign = Foreign::plant(&world, &repo);
        Self { world, repo, foreign }
    }

    /// The same, after the test itself has changed the user's checkout.
    pub fn planted_again(mut self) -> Self {
        self.foreign.look_again(&self.world, &self.repo);
        self
    }

    /// Adds a ticket for the script agent; each block's first line also writes `<id>.<block>` into `done`.
    pub fn script(&self, id: &str, front: &str, blocks: &[&str]) {
        let root = self.world.root().display().to_string();
        let mut fences = String::new();
        for (n, block) in blocks.iter().enumerate() {
            let block = block.replace("ROOT", &root);
            fences += &format!("```sh\necho {id}.{} >> {root}/done\n{block}\n```\n\n", n + 1);
        }
        self.repo.ticket(id, &format!("id: {id}\ntitle: {id}\n{front}"), &format!("Words.\n\n## Run\n\n{fences}"));
    }

    /// Adds a ticket for the scripted fake agent, with its scenario.
    pub fn fake(&self, id: &str, scenario: &str) {
        let root = self.world.root().display().to_string();
        let profiles = self.world.home().join("profiles");
        fs::create_dir_all(&profiles).unwrap();
        let profile = super::night::PROFILE.replace("PROGRAM", FAKE_AGENT[0]).replace("ROOT", &root);
        fs::write(profiles.join("fake.toml"), profile).unwrap();
        fs::write(self.path("scenario"), scenario.replace("ROOT", &root)).unwrap();
        self.repo.ticket(id, &format!("id: {id}\ntitle: {id}\nprofile: fake"), "Do it.\n");
    }

    /// A file of the world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.world.root().join(name)
    }

    /// Opens a gate: a block or check that waits for this file goes on.
    pub fn open(&self, gate: &str) {
        fs::write(self.path(gate), "").unwrap();
    }

    /// Runs `autodo` in the project.
    pub fn autodo(&self, args: &[&str]) -> Run {
        self.world.autodo_in(&self.repo, args)
    }

    /// Starts a supervisor.
    pub fn dispatch(&self) -> Background {
        self.world.spawn(&self.repo, &["dispatch"])
    }

    /// How often each line stands in `done`.
    pub fn done(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(self.path("done")).unwrap_or_default().lines() {
            *counts.entry(line.to_owned()).or_insert(0) += 1;
        }
        counts
    }

    /// Waits until `line` stands in `done` so often.
    pub fn wait_done(&self, line: &str, times: usize) {
        let look = || (self.done().get(line).copied().unwrap_or_default() >= times).then_some(());
        wait_for(&format!("{line} in done, {times} times"), look, || self.world.story());
    }

    /// The row of a ticket, as `list --json` shows it.
    pub fn row(&self, id: &str) -> Value {
        let list = self.autodo(&["list", "--json"]).ok().json();
        let rows = list["tickets"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap_or(&Value::Null).clone()
    }

    /// Waits until a field of a ticket's row is `value`.
    pub fn wait_row(&self, id: &str, field: &str, value: &str) -> Value {
        let look = || Some(self.row(id)).filter(|row| row[field] == value);
        wait_for(&format!("{id} with {field} {value}"), look, || self.world.story())
    }

    /// The ticket's row in the journal.
    pub fn books(&self, id: &str) -> Value {
        let lines = self.world.journal();
        let steps = lines.iter().rev().map(|line| serde_json::from_str::<Value>(line).unwrap());
        steps.into_iter().find(|step| step["ticket"] == id).map(|step| step["row"].clone()).unwrap_or_default()
    }

    /// Events of a ticket, by their words.
    pub fn events(&self, id: &str) -> Vec<String> {
        let lines = self.world.journal();
        let steps = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
        steps.filter(|s| s["ticket"] == id).map(|s| s["event"]["event"].as_str().unwrap().to_owned()).collect()
    }

    /// Process id of the wrapper in a launch folder, such as `x/runs/1/launches/1`.
    pub fn wrapper(&self, folder: &str) -> i32 {
        let path = self.world.home().join(folder).join("started.json");
        let look = || serde_json::from_str::<Value>(&fs::read_to_string(&path).ok()?).ok()?["pid"].as_i64();
        i32::try_from(wait_for("the wrapper", look, || self.world.story())).unwrap()
    }

    /// Process id of the program under a wrapper.
    pub fn under(&self, wrapper: i32) -> i32 {
        let path = format!("/proc/{wrapper}/task/{wrapper}/children");
        let look = || fs::read_to_string(&path).ok()?.split(' ').next()?.parse().ok();
        wait_for("the program under the wrapper", look, || self.world.story())
    }

    /// What the fake agent accepted, in order.
    pub fn prompts(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("prompts")).unwrap_or_default();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.filter_map(|record| record["prompt"].as_str().map(str::to_owned)).collect()
    }

    /// Checks the invariants as things are now.
    pub fn check(&self) {
        let breaches = invariants::breaches(&self.world, &self.repo, &self.foreign);
        assert!(breaches.is_empty(), "{breaches:#?}\n{}", self.world.story());
    }
}

/// SIGKILL.
pub fn slay(pid: i32) {
    kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
}
