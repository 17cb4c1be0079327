//! A project for kills: script tickets that write down what they do, and gates that hold them where a test wants them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

use crate::support::{
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

    /// Checks the invariants as things are now.
    pub fn check(&self) {
        let breaches = invariants::breaches(&self.world, &self.repo, &self.foreign);
        assert!(breaches.is_empty(), "{breaches:#?}\n{}", self.world.story());
    }
}
