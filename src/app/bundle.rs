//! What a bug report needs, without what must not leave the machine: `autodo debug bundle`.
//!
//! Two walls stand between a secret and the bundle. Of what is JSON (the queue, the journal, the audit trail, records of
//! launches) a text stays only under a name that is listed here (`OPEN`); every other text becomes its length. And all
//! that goes in passes the [`Redactor`]. What a person or an agent wrote (tickets, prompts, answers, screens, reviews,
//! logs of checks) goes in only where it is asked for.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{doctor, intake::settings_at, view};
use crate::{
    adapters::{
        env,
        fs::{self, Kind},
        home::Home,
        machine, process, store,
    },
    domain::{id::TicketId, observed::Observed},
    format::redact::Redactor,
};

/// Names under which a text of a stored line says something about autodo, and nothing of the work.
const OPEN: &[&str] = &[
    "status",
    "reason",
    "kind",
    "event",
    "effect",
    "effects",
    "phase",
    "at",
    "ticket",
    "id",
    "run",
    "runs",
    "after",
    "delivery",
    "purpose",
    "for",
    "state",
    "marker",
    "from",
    "to",
    "tier",
    "risk",
    "source",
    "checks_status",
    "profile",
    "rule",
    "created",
    "started",
    "ended",
    "changed",
    "parked_until",
    "until",
    "attention",
    "session",
    "pane",
    "outcome",
    "end",
    "next",
    "version",
    "crc",
    "how",
    "request",
    "limit",
    "base",
    "base_commit",
    "head",
    "commit",
    "boot",
    "boot_id",
    "time",
    "limited_until",
    "not_before",
    "began",
    "effective_risk",
    "on",
];

/// Most bytes of one file; of a longer one the end goes in.
const LONGEST: u64 = 256 * 1024;

/// Names of variables whose values say nothing about a person.
const HARMLESS: &[&str] =
    &["PATH", "PWD", "OLDPWD", "SHELL", "TERM", "LANG", "SHLVL", "TMPDIR", "EDITOR", "PAGER", "TZ", "COLORTERM"];

/// Shortest value of a variable that is taken out wherever it stands: shorter ones are words.
const SHORTEST: usize = 8;

/// What is asked for.
pub struct Wanted {
    /// Only this ticket, with its folder; `None`: the queue, and no ticket's folder.
    pub ticket: Option<TicketId>,
    /// Also what people and agents wrote.
    pub texts: bool,
    /// How many lines of the journal.
    pub lines: usize,
}

/// What goes into the file.
pub struct Bundle {
    /// Path inside the bundle, and content.
    pub entries: Vec<(String, Vec<u8>)>,
    /// What was left out, in words.
    pub left_out: Vec<String>,
}

struct Collector<'a> {
    home: &'a Home,
    wanted: &'a Wanted,
    redactor: Redactor,
    bundle: Bundle,
}

/// Collects it. What cannot be read is named in the bundle, and holds nothing up.
///
/// # Errors
/// Never, for the forms that are part of the program.
pub async fn collect(home: &Home, folder: &Path, wanted: &Wanted) -> Result<Bundle, regex::Error> {
    let journal = fs::look_tail(&home.journal(), 64 * 1024 * 1024);
    let journal = match journal {
        Observed::Present((_, bytes)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Observed::Absent => Ok(String::new()),
        Observed::Unknown(why) => Err(why),
    };
    let queue = store::read_queue(home);
    let mut words = own_words(home);
    let keys = journal.iter().flat_map(|text| text.lines()).filter_map(|line| serde_json::from_str(line).ok());
    let mut all = Vec::new();
    keys.for_each(|line: Value| keys_of(&line, &mut all));
    if let Ok(read) = &queue {
        all.extend(read.rows.iter().filter_map(|row| row.key.as_ref().map(|key| key.as_str().to_owned())));
    }
    words.extend(all.into_iter().map(|key| (key, "<run key>".to_owned())));
    let bundle = Bundle { entries: Vec::new(), left_out: Vec::new() };
    let mut collector = Collector { home, wanted, redactor: Redactor::new(words)?, bundle };
    collector.about().await;
    collector.doctor(folder).await;
    collector.settings(folder);
    match queue {
        Ok(read) => {
            let rows: Vec<Value> =
                read.rows.iter().filter(|row| collector.is_wanted(&row.id)).map(view::ticket).collect();
            collector.lines("queue.jsonl", rows.into_iter());
        }
        Err(error) => collector.text("queue.jsonl", &error.to_string()),
    }
    match journal {
        Ok(text) => collector.journal(&text),
        Err(why) => collector.text("journal.jsonl", &why),
    }
    collector.log();
    if let Some(id) = &wanted.ticket {
        collector.folder(&home.ticket(id), Path::new(id.as_str()));
    } else {
        collector.left("the folders of tickets: name one, autodo debug bundle ID");
    }
    if !wanted.texts {
        collector.left(
            "titles, bodies, prompts, questions, answers, screens, reviews, logs of checks: --with-texts takes them in",
        );
    }
    collector.left("keys of runs, values of variables, secrets that are known by their form or name");
    Ok(collector.bundle)
}

/// Every text under the name `key`.
fn keys_of(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(key) = fields.get("key").and_then(Value::as_str)
                && key.len() >= SHORTEST
                && !all.iter().any(|known| known == key)
            {
                all.push(key.to_owned());
            }
            fields.values().for_each(|one| keys_of(one, all));
        }
        Value::Array(values) => values.iter().for_each(|one| keys_of(one, all)),
        _ => {}
    }
}

/// What stands for this machine and this person, with what takes its place.
fn own_words(home: &Home) -> Vec<(String, String)> {
    let mut words = vec![(home.root().to_string_lossy().into_owned(), "$AUTODO_HOME".to_owned())];
    words.extend(env::home().map(|home| (home.to_string_lossy().into_owned(), "~".to_owned())));
    let user = env::user_name();
    // Everybody's machine has a root.
    if user != "root" {
        words.push((user, "<user>".to_owned()));
    }
    if let Some(host) = machine::host_name() {
        words.push((host.split('.').next().unwrap_or_default().to_owned(), "<host>".to_owned()));
        words.push((host, "<host>".to_owned()));
    }
    words.retain(|(word, _)| word.len() >= 2 && word != "localhost");
    let harmless =
        |name: &str| HARMLESS.contains(&name) || name.starts_with("LC_") || name == "HOME" || name == "AUTODO_HOME";
    for (name, value) in env::all() {
        let (name, value) = (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned());
        if !harmless(&name) && value.len() >= SHORTEST {
            words.push((value, format!("<${name}>")));
        }
    }
    words
}

/// All files below `folder`, in order, and why folders could not be looked into. Links are not followed.
fn files_below(folder: &Path) -> (Vec<PathBuf>, Vec<String>) {
    let (mut files, mut unseen, mut folders) = (Vec::new(), Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let all = match fs::list_dir(&folder) {
            Observed::Present(all) => all,
            Observed::Absent => Vec::new(),
            Observed::Unknown(why) => {
                unseen.push(why);
                Vec::new()
            }
        };
        for listed in all {
            match listed.kind {
                // What an agent keeps for itself may hold how it logs in.
                Kind::Folder if listed.name == "state" => {}
                Kind::Folder => folders.push(listed.path),
                Kind::File => files.push(listed.path),
                Kind::Link | Kind::Other => {}
            }
        }
    }
    files.sort();
    (files, unseen)
}

impl Collector<'_> {
    fn is_wanted(&self, id: &TicketId) -> bool {
        self.wanted.ticket.as_ref().is_none_or(|wanted| wanted == id)
    }

    fn left(&mut self, what: &str) {
        self.bundle.left_out.push(what.to_owned());
    }

    /// Takes in a text.
    fn text(&mut self, name: &str, text: &str) {
        let name = self.redactor.text(name);
        self.bundle.entries.push((format!("autodo-bundle/{name}"), self.redactor.text(text).into_bytes()));
    }

    fn redacted(&self, mut value: Value) -> Value {
        let texts = self.wanted.texts;
        self.redactor.json(&mut value, &|name| texts || OPEN.contains(&name));
        value
    }

    /// Takes in JSON, a line each.
    fn lines(&mut self, name: &str, values: impl Iterator<Item = Value>) {
        let text: String = values.map(|value| self.redacted(value).to_string() + "\n").collect();
        self.text(name, &text);
    }

    async fn about(&mut self) {
        let mut about = vec![format!("autodo {}", env!("CARGO_PKG_VERSION"))];
        about.push(machine::system());
        for argv in [["tmux", "-V"], ["git", "--version"], ["uname", "-srm"]] {
            let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
            let said = process::ask(&argv, std::time::Duration::from_secs(5)).await;
            about.push(said.map_or_else(|why| format!("{}: {why}", argv.join(" ")), |said| said.text));
        }
        if let Observed::Present(text) = fs::look_text(Path::new("/etc/os-release")) {
            about.extend(text.lines().filter(|line| line.starts_with("PRETTY_NAME=")).map(str::to_owned));
        }
        about.push(format!("{} cores, {:?} MB of memory free", machine::cores(), machine::free_memory_mb()));
        for name in ["TERM", "LANG", "LC_ALL"] {
            let value = env::var(name).map_or_else(|| "unset".to_owned(), |v| v.to_string_lossy().into_owned());
            about.push(format!("{name}: {value}"));
        }
        about.push(format!("inside tmux: {}", env::var("TMUX").is_some()));
        self.text("about.txt", &(about.join("\n") + "\n"));
    }

    async fn doctor(&mut self, folder: &Path) {
        let text = match doctor::run(self.home.root(), folder).await {
            Ok(report) => json!({ "version": 1, "checks": report.checks }),
            Err(error) => json!({ "version": 1, "error": error.message }),
        };
        self.text("doctor.json", &serde_json::to_string_pretty(&text).unwrap_or_default());
    }

    fn settings(&mut self, folder: &Path) {
        let root = folder.ancestors().find(|folder| folder.join(".autodo/config.toml").is_file());
        let text = match settings_at(self.home.root(), root, vec![]) {
            Ok(settings) => {
                let line = |entry: crate::config::Entry| {
                    format!("{} = {}  # {}\n", entry.name, entry.value.as_deref().unwrap_or("unset"), entry.origin)
                };
                settings.entries().into_iter().map(line).collect()
            }
            Err(error) => error.message,
        };
        self.text("settings.txt", &text);
    }

    /// The last lines of the journal, of the ticket where one is named.
    fn journal(&mut self, text: &str) {
        let own = |line: &&str| match &self.wanted.ticket {
            Some(id) => line.contains(&format!("\"ticket\":\"{id}\"")),
            None => true,
        };
        let mut last: Vec<&str> = text.lines().rev().filter(own).take(self.wanted.lines).collect();
        last.reverse();
        let read = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| json!({ "unreadable": line.len() }));
        let values: Vec<Value> = last.into_iter().map(read).collect();
        self.lines("journal.jsonl", values.into_iter());
    }

    /// The end of the supervisor's log. What stands behind a status in it is the agent's or a person's.
    fn log(&mut self) {
        let text = match fs::look_tail(&self.home.log(), LONGEST) {
            Observed::Present((_, bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            Observed::Absent => return,
            Observed::Unknown(why) => why,
        };
        let texts = self.wanted.texts;
        let line = |line: &str| match line.match_indices(": ").nth(1) {
            Some((at, _)) if !texts => format!("{}: <text>\n", &line[..at]),
            _ => format!("{line}\n"),
        };
        let text: String = text.lines().map(line).collect();
        self.text("supervisor.log", &text);
    }

    /// The folder of a ticket: which files it has, and of those that are records, what they say.
    fn folder(&mut self, folder: &Path, name: &Path) {
        let mut names = Vec::new();
        let (files, unseen) = files_below(folder);
        for why in unseen {
            let why = self.redactor.text(&why);
            self.left(&format!("files of {}: {why}", name.display()));
        }
        for file in files {
            let Ok(inside) = file.strip_prefix(folder) else { continue };
            names.push(format!("{}\n", inside.display()));
            let inside = Path::new("tickets").join(name).join(inside);
            self.file(&file, &inside.to_string_lossy());
        }
        self.text(&format!("tickets/{}/files.txt", name.display()), &names.concat());
    }

    fn file(&mut self, file: &Path, name: &str) {
        let end = file.extension().unwrap_or_default().to_string_lossy().into_owned();
        let is_record = matches!(end.as_str(), "json" | "jsonl");
        if !is_record && !self.wanted.texts {
            return;
        }
        let text = match fs::look_tail(file, LONGEST) {
            Observed::Present((_, bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            Observed::Absent => return,
            Observed::Unknown(why) => return self.text(name, &why),
        };
        if !is_record {
            return self.text(name, &text);
        }
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => self.lines(name, std::iter::once(value)),
            // A line that was cut, or is none, says nothing.
            Err(_) => {
                let values: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
                self.lines(name, values.into_iter());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_looked_into_is_told_and_one_that_is_not_there_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        fs::write_atomic(&file, b"", 0o600, fs::Sync::None).unwrap();
        assert_eq!(files_below(dir.path()), (vec![file], vec![]));
        assert_eq!(files_below(&dir.path().join("none")), (vec![], vec![]));
        // No system takes such a name.
        let (files, unseen) = files_below(&dir.path().join("x".repeat(300)));
        assert!(files.is_empty() && unseen.len() == 1 && unseen[0].contains("list"), "{unseen:?}");
    }
}
