//! A person's desk: a world with one project of mechanical tickets, and what the program says there as text that is
//! the same each time.

use std::time::Duration;

use regex::Regex;

use super::{
    program::{Background, Program, Run},
    repo::Repo,
    wait_for,
    world::World,
};

/// A world with the project `proj`, whose profile is `script` and which has no checks.
pub struct Desk {
    /// The world.
    pub world: World,
    /// The project.
    pub repo: Repo,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    pub fn new() -> Self {
        let world = World::new();
        let repo = world.repo("proj");
        repo.settings("version = 1\nprofile = \"script\"\nchecks = []\n");
        Self { world, repo }
    }

    /// A ticket `id` in the default backlog: `front` is more frontmatter, `block` its only block.
    pub fn ticket(&self, id: &str, front: &str, block: &str) {
        self.repo.ticket(id, &format!("title: Ticket {id}\n{front}"), &format!("## Run\n\n```sh\n{block}\n```\n"));
    }

    /// A ticket whose block runs until [`Desk::let_go`]; `done` is run then.
    pub fn held(&self, id: &str, front: &str, done: &str) {
        let go = self.world.root().join(format!("go-{id}"));
        self.ticket(id, front, &format!("while [ ! -e {} ]; do sleep 0.02; done\n{done}", go.display()));
    }

    /// Lets a held ticket go on.
    pub fn let_go(&self, id: &str) {
        std::fs::write(self.world.root().join(format!("go-{id}")), "").unwrap();
    }

    /// A ticket that asks until there is a file `answer` in its worktree.
    pub fn asking(&self, id: &str, front: &str) {
        self.ticket(id, front, &format!("cat answer || {{ echo 'Which colour?'; exit 1; }}\nmv answer {id}.txt"));
    }

    /// The program in the project.
    pub fn command(&self, args: &[&str]) -> Program {
        self.world.command(args).in_dir(&self.repo)
    }

    /// Runs the program in the project to its end.
    pub fn autodo(&self, args: &[&str]) -> Run {
        self.command(args).run()
    }

    /// Starts it in the background.
    pub fn spawn(&self, args: &[&str]) -> Background {
        self.command(args).spawn()
    }

    /// A supervisor in the background that answers already.
    pub fn supervisor(&self, args: &[&str]) -> Background {
        let mut all = vec!["dispatch"];
        all.extend(args);
        let supervisor = self.spawn(&all);
        wait_for(
            "the supervisor",
            || self.world.home().join("run/supervisor.sock").exists().then_some(()),
            || supervisor.said().both(),
        );
        supervisor
    }

    /// The row of a ticket, as `list --all --json` shows it.
    pub fn row(&self, id: &str) -> serde_json::Value {
        let list = self.autodo(&["list", "--all", "--json"]).ok().json();
        let rows = list["tickets"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["id"] == id).unwrap_or_else(|| panic!("there is no {id} in {list}"))
    }

    /// The status of a ticket.
    pub fn status(&self, id: &str) -> String {
        self.row(id)["status"].as_str().unwrap().to_owned()
    }

    /// Waits until a ticket has this status, without anybody watching over it but a supervisor.
    pub fn until(&self, id: &str, status: &str) {
        wait_for(
            &format!("{id} to be {status}"),
            || {
                std::thread::sleep(Duration::from_millis(40));
                (self.status(id) == status).then_some(())
            },
            || self.world.story(),
        );
    }

    /// Waits until a ticket's block is at work.
    pub fn until_at_work(&self, id: &str) {
        wait_for(
            &format!("{id} to work"),
            || {
                std::thread::sleep(Duration::from_millis(40));
                (self.row(id)["reason"] == "working").then_some(())
            },
            || self.world.story(),
        );
    }

    /// What the program says, redacted: standard output, standard error, exit code.
    pub fn tell(&self, args: &[&str]) -> String {
        self.redacted(&self.autodo(args))
    }

    /// A run as text that is the same each time: no folder, no time, no name of a commit, no process id.
    pub fn redacted(&self, run: &Run) -> String {
        let mut text = run.stdout.clone();
        if !run.stderr.is_empty() {
            text.push_str("--- stderr\n");
            text.push_str(&run.stderr);
        }
        text.push_str(&format!("--- exit {}", run.code));
        let root = self.world.root().to_str().unwrap();
        let user =
            nix::unistd::User::from_uid(nix::unistd::Uid::current()).unwrap().map_or_else(String::new, |u| u.name);
        text = text.replace(root, "<world>").replace(&format!("by {user}"), "by <user>");
        let padded = Regex::new(r"( +)(\d+s)  ").unwrap();
        let same = |found: &regex::Captures<'_>| format!("{:>1$}  ", "0s", found[1].len() + found[2].len());
        text = padded.replace_all(&text, same).into_owned();
        for (what, with) in [
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+Z|[+-]\d{4})", "<time>"),
            (r"\b[0-9a-f]{40}\b", "<commit>"),
            (r"\b[0-9a-f]{10}\b", "<commit>"),
            (r"auto-\d{8}-\d{6}", "auto-<time>"),
            (r", \d+s\)", ", 0s)"),
            (r"\(\d+s, ", "(0s, "),
            (r"(?m)^\d+s of work", "0s of work"),
            (r"summaries/\d{8}-\d{6}", "summaries/<time>"),
            (r"(?m)(worked +)\d+s$", "${1}0s"),
            (r"process \d+", "process <pid>"),
            // Only there where the agent lived until somebody measured it.
            (r"(?m)^took +\d+ MiB.*\n", ""),
            (r"\d+ ms\b", "<n> ms"),
            (r"(?m)^sessions: .*\n|^one of them: .*\n", ""),
        ] {
            text = Regex::new(what).unwrap().replace_all(&text, with).into_owned();
        }
        text
    }
}
