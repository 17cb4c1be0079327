//! The scripted model of a test: its process, its scenarios, and what it was asked.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use crate::support::{
    program::{Background, Program},
    wait_for,
};

/// Reads the ticket.
pub const READ: &str = "[[step]]\nsay = 'I read my task.'\nrun = 'cat .autodo/run/prompt.md'\n";
/// Does some work and commits it; again in each run.
pub const WORK: &str =
    "[[step]]\nsay = 'I do it.'\nrun = 'echo done >> work.txt && git add work.txt && git commit -qm work'\n";
/// Reports that all is done.
pub const DONE: &str = "[[step]]\nrun = '\"$AUTODO_BIN\" report done --summary \"wrote work.txt\"'\n";
/// The last words, with the marker.
pub const END: &str = "[[step]]\nsay = \"All is done.\\n\\nAUTODO-DONE-{key}\"\n";

/// Makes the server's program from its folder and its port (0: any).
type Start = dyn Fn(&Path, u16) -> Program;

/// The model server of one test. Ended when dropped.
pub struct Model {
    folder: PathBuf,
    port: u16,
    server: Option<Background>,
    start: Box<Start>,
}

impl Model {
    /// Starts one that keeps its things in `folder`; `start` makes its program.
    pub fn new(folder: PathBuf, start: impl Fn(&Path, u16) -> Program + 'static) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        let mut model = Self { folder, port: 0, server: None, start: Box::new(start) };
        model.start();
        model
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it, where it listened before.
    pub fn start(&mut self) {
        let port_file = self.folder.join("port");
        std::fs::remove_file(&port_file).ok(); // Ignored: there is none before the first start.
        let server = (self.start)(&self.folder, self.port).spawn();
        let port = || std::fs::read_to_string(&port_file).ok()?.parse().ok();
        self.port = wait_for("the model server", port, || server.said().both());
        self.server = Some(server);
    }

    /// Ends it at once: connections break, and new ones are refused.
    pub fn stop(&mut self) {
        self.server = None;
    }

    /// What it answers for `ticket`.
    pub fn scenario(&self, ticket: &str, steps: &[&str]) {
        std::fs::write(self.folder.join(format!("{ticket}.toml")), steps.concat()).unwrap();
    }

    /// Lets answers go on that wait for the gate `name`.
    pub fn open(&self, name: &str) {
        std::fs::write(self.folder.join(name), "").unwrap();
    }

    /// What it was asked for `ticket`: one object per request.
    pub fn requests(&self, ticket: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.join("requests.jsonl")).unwrap_or_default();
        let all = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        all.filter(|asked| asked["ticket"] == ticket).collect()
    }

    /// Requests for the model's answer number `turn` of `ticket`.
    pub fn asked(&self, ticket: &str, turn: usize) -> usize {
        self.requests(ticket).iter().filter(|asked| asked["turn"] == turn).count()
    }

    /// The user's words in the conversation about `ticket`, each once, in the order in which the model saw them.
    pub fn prompts(&self, ticket: &str) -> Vec<String> {
        let mut prompts: Vec<String> =
            self.requests(ticket).iter().map(|asked| asked["prompt"].as_str().unwrap().to_owned()).collect();
        prompts.dedup();
        prompts
    }

    /// Its requests in short, for messages.
    pub fn story(&self) -> String {
        let text = std::fs::read_to_string(self.folder.join("requests.jsonl")).unwrap_or_default();
        text.lines().fold(String::from("--- asked of the model\n"), |mut story, line| {
            writeln!(story, "{}", line.chars().take(300).collect::<String>()).unwrap();
            story
        })
    }
}

/// A step that runs `command`.
pub fn run(command: &str) -> String {
    format!("[[step]]\nrun = '''{command}'''\n")
}

/// A step that only speaks, and so ends the turn.
pub fn say(text: &str) -> String {
    format!("[[step]]\nsay = '''{text}'''\n")
}

/// `step` with further lines, such as `gate = 'go'`.
pub fn with(step: &str, more: &str) -> String {
    format!("{step}{more}\n")
}

/// Longest a test waits for something that a real agent does.
pub const LONG: Duration = Duration::from_secs(150);
