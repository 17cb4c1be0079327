//! One night's work, small: four tickets that together take every way through the supervisor, and what proves that
//! each step of each was done exactly once.
//!
//! - `good` works, `after` stands on it, `asks` fails at its second block and is answered, all with the script agent;
//! - `fake` is the scripted fake agent: its first claim fails a check, and the failure goes back to it.
//!
//! Each block and each check writes its name into the file `done` of the world, outside of autodo and of git, and the
//! fake agent writes each prompt that it accepts into `prompts`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde_json::Value;

use crate::support::{
    agents::FAKE_AGENT,
    invariants::{self, Foreign},
    program::Program,
    repo::Repo,
    world::World,
};

/// Exit code of a program that was killed.
pub const KILLED: i32 = 137;

/// The world of one night.
pub struct Night {
    pub world: World,
    pub repo: Repo,
    foreign: Foreign,
}

/// What a person types, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Works until `asks` is blocked and the others are up for review.
    Evening,
    /// Answers `asks`; nobody watches.
    Answer,
    /// Works until nothing is left to do.
    Morning,
    /// Approves what is low risk.
    ApproveLow,
    /// Approves the rest.
    Approve,
}

/// All steps, in order.
pub const STEPS: [Step; 5] = [Step::Evening, Step::Answer, Step::Morning, Step::ApproveLow, Step::Approve];

/// The profile of the fake agent; `PROGRAM` and `ROOT` are filled in.
pub const PROFILE: &str = r#"
version = 1
name = "fake"
[launch]
argv = ["PROGRAM", "ROOT/scenario"]
env = { FAKE_PROMPTS = "ROOT/prompts", FAKE_LOG = "ROOT/bytes" }
[box]
above = '^─{3,100}$'
line = '^>(?: (.*))?$'
continuation = '^  (.*)$'
below = '^─{3,100}$'
footer_rows = 1
[[screens]]
name = "booting"
state = "booting"
pattern = '(?m)^ fake · booting$'
last_rows = 1
[[screens]]
name = "busy"
state = "busy"
pattern = '(?m)^ fake · busy(?: |$)'
last_rows = 1
[[screens]]
name = "ready"
state = "ready"
pattern = '(?m)^ fake · ready$'
last_rows = 1
box = "visible"
"#;

const SCENARIO: &str = "ready\nexpect-prompt\nrun echo 1 > one && git add one && git commit -qm one\n\
    report done --summary one\nready\nprompts:\n\
    if-prompt feedback.md\nrun echo 2 > two && git add two && git commit -qm two\nreport done --summary two\nend\n";

impl Night {
    /// A project with its backlog, and things in its world that are none of autodo's business.
    pub fn new() -> Self {
        let world = World::new();
        let repo = world.repo("repo");
        let root = world.root().display().to_string();
        let check = "echo \"begin $AUTODO_RUN\" >> ROOT/done; sleep 0.05; echo \"end $AUTODO_RUN\" >> ROOT/done";
        let check = check.replace("ROOT", &root).replace('"', "\\\"");
        repo.settings(&format!("version = 1\nparallel = 4\nchecks = [\"{check}\"]\n"));
        let script = |id: &str, front: &str, blocks: &[&str]| {
            let fences: String =
                blocks.iter().map(|b| format!("```sh\n{}\n```\n\n", b.replace("ROOT", &root))).collect();
            repo.ticket(id, &format!("id: {id}\ntitle: {id}\n{front}"), &format!("Words.\n\n## Run\n\n{fences}"));
        };
        script("good", "", &["echo good.1 >> ROOT/done\necho g > g", "echo good.2 >> ROOT/done\necho h > h"]);
        script("after", "after: [good]", &["echo after.1 >> ROOT/done\ntest -e g\necho a > a"]);
        script("asks", "", &["echo asks.1 >> ROOT/done\necho k > k", "echo asks.2 >> ROOT/done\ntest -e ROOT/go"]);
        repo.ticket("fake", "id: fake\ntitle: fake\nprofile: fake\naccept: [\"test -e two\"]", "Do it.\n");
        let profile = PROFILE.replace("PROGRAM", FAKE_AGENT[0]).replace("ROOT", &root);
        fs::create_dir_all(world.home().join("profiles")).unwrap();
        fs::write(world.home().join("profiles/fake.toml"), profile).unwrap();
        fs::write(world.root().join("scenario"), SCENARIO).unwrap();
        let foreign = Foreign::plant(&world, &repo);
        Self { world, repo, foreign }
    }

    /// A file of the world.
    pub fn path(&self, name: &str) -> PathBuf {
        self.world.root().join(name)
    }

    /// The command of a step.
    pub fn command(&self, step: Step) -> Program {
        let args: &[&str] = match step {
            Step::Evening => &["dispatch"],
            Step::Answer => &["answer", "asks", "rerun"],
            Step::Morning => &["dispatch", "--no-intake"],
            Step::ApproveLow => &["approve-low"],
            Step::Approve => &["approve", "fake"],
        };
        if step == Step::Answer {
            fs::write(self.path("go"), "").unwrap();
        }
        self.world.command(args).in_dir(&self.repo)
    }

    /// Does a step to its end. A command that was killed before may have done it already.
    pub fn step(&self, step: Step, again: bool) {
        let run = self.command(step).run();
        let said = format!("{step:?}\n{}", run.both());
        match step {
            Step::Evening => {
                self.vouch();
                assert_eq!(self.statuses(), EVENING, "{said}");
                if !again {
                    assert_eq!(run.code, 8, "{said}");
                }
            }
            Step::Answer if again => assert!(run.code == 0 || run.stderr.contains("asks nothing"), "{said}"),
            Step::Answer => assert_eq!(run.code, 0, "{said}"),
            Step::Morning => {
                self.vouch();
                assert_eq!(self.statuses(), MORNING, "{said}");
            }
            Step::ApproveLow => assert_eq!(run.code, 0, "{said}"),
            Step::Approve => {
                assert_eq!(run.code, 0, "{said}");
                assert_eq!(self.statuses(), APPROVED, "{said}");
            }
        }
    }

    /// All steps without a fault; each command's crash points are logged to `log.<step>`.
    pub fn rehearse(&self) -> BTreeMap<Step, Vec<String>> {
        let mut points = BTreeMap::new();
        for step in STEPS {
            let log = self.path(&format!("log.{step:?}"));
            let run = self.command(step).env("AUTODO_CRASH_LOG", &log).run();
            assert!([0, 8].contains(&run.code), "{step:?}\n{}", run.both());
            let text = fs::read_to_string(log).unwrap_or_default();
            points.insert(step, text.lines().map(str::to_owned).collect());
        }
        self.prove();
        points
    }

    /// `list --json`.
    pub fn rows(&self) -> Vec<Value> {
        let list = self.world.autodo_in(&self.repo, &["list", "--json"]).ok().json();
        list["tickets"].as_array().unwrap().clone()
    }

    /// Id and status of each ticket, and the reason of what is blocked or parked.
    pub fn statuses(&self) -> String {
        let status = |row: &Value| {
            let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            match word("status").as_str() {
                status @ ("blocked" | "parked") => format!("{}: {status} ({})", word("id"), word("reason")),
                status => format!("{}: {status}", word("id")),
            }
        };
        let mut all: Vec<_> = self.rows().iter().map(status).collect();
        all.sort();
        all.join(", ")
    }

    /// Where autodo cannot know whether a prompt arrived, it asks a person; this person looks at what the agent
    /// itself wrote down, and says so.
    fn vouch(&self) {
        for _ in 0..8 {
            let rows = self.rows();
            let Some(row) = rows.iter().find(|row| row["reason"] == "delivery_unverified") else { return };
            let (id, question) = (row["id"].as_str().unwrap(), row["question"].as_str().unwrap());
            let answer = if self.arrived(id, question) { "accepted" } else { "again" };
            let said = self.world.autodo_in(&self.repo, &["answer", id, answer]);
            assert_eq!(said.code, 0, "{}", said.both());
            let run = self.command(Step::Morning).run();
            assert!([0, 8].contains(&run.code), "{}", run.both());
        }
        panic!("asked too often whether a prompt arrived: {}", self.statuses());
    }

    /// True if the agent of `id` has the prompt that `question` names.
    fn arrived(&self, id: &str, question: &str) -> bool {
        if id == "fake" {
            return self.prompts().iter().any(|prompt| prompt_id(prompt).is_some_and(|id| question.contains(&id)));
        }
        let told = fs::read_to_string(self.path("done")).unwrap_or_default();
        let wanted = if question.contains("1.1") { format!("{id}.1") } else { format!("{id}.2") };
        told.lines().filter(|line| *line == wanted).count() >= if question.contains("1.1") { 1 } else { 2 }
    }

    /// What the fake agent accepted, in order.
    pub fn prompts(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("prompts")).unwrap_or_default();
        let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        records.filter_map(|record| record["prompt"].as_str().map(str::to_owned)).collect()
    }

    /// How often each block was run, and each ticket's check.
    pub fn done(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let text = fs::read_to_string(self.path("done")).unwrap_or_default();
        for line in text.lines().filter(|line| !line.starts_with("begin")) {
            *counts.entry(line.to_owned()).or_insert(0) += 1;
        }
        counts
    }

    /// Proves that all was done, exactly once, and that every invariant holds.
    pub fn prove(&self) {
        let prompts: Vec<Option<String>> = self.prompts().iter().map(|p| prompt_id(p)).collect();
        assert_eq!(prompts, [Some("1.1".to_owned()), Some("1.2".to_owned())], "each prompt arrives exactly once");
        let done = self.done();
        let expected = DONE.iter().map(|(name, times)| ((*name).to_owned(), *times));
        assert_eq!(done, expected.collect(), "each block and each check is run exactly as often as it must be");
        let text = fs::read_to_string(self.path("done")).unwrap();
        let mut running = BTreeSet::new();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("begin", run)) => assert!(running.insert(run), "two checks in the tree of {run} at once"),
                Some((_, run)) => assert!(running.remove(run), "{line}"),
                None => {}
            }
        }
        for row in self.rows() {
            assert_eq!(row["run"], 1, "the agents were never touched, so no ticket needs a second run: {row}");
            assert_eq!(row["verified"], true, "{row}");
        }
        self.check();
    }

    /// Checks the invariants as things are now.
    pub fn check(&self) {
        let breaches = invariants::breaches(&self.world, &self.repo, &self.foreign);
        assert!(breaches.is_empty(), "{breaches:#?}");
    }
}

/// The id of the delivery that a prompt carries: `1.2` of `Task [autodo 1.2]: …`.
fn prompt_id(prompt: &str) -> Option<String> {
    Some(prompt.split_once("[autodo ")?.1.split_once(']')?.0.to_owned())
}

const DONE: [(&str, usize); 9] = [
    ("after.1", 1),
    ("asks.1", 1),
    ("asks.2", 2),
    ("end after/1", 1),
    ("end asks/1", 1),
    ("end fake/1", 2),
    ("end good/1", 1),
    ("good.1", 1),
    ("good.2", 1),
];

/// What [`Night::statuses`] says after the evening, and after the morning.
pub const EVENING: &str = "after: needs_review, asks: blocked (question), fake: needs_review, good: needs_review";
/// See [`EVENING`].
pub const MORNING: &str = "after: needs_review, asks: needs_review, fake: needs_review, good: needs_review";
/// After the approvals.
pub const APPROVED: &str = "after: reviewed, asks: reviewed, fake: reviewed, good: reviewed";
