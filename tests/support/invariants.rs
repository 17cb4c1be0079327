//! The promises of the design as a checker that shares no code with autodo: it reads the files, asks git, tmux and
//! the process table, and names every breach.
//!
//! (a) each accepted id is in exactly one of queue and archive; (b) at most one live run per ticket; (d) at most one
//! worktree, branch and session per ticket; (e) no commit and no dirty file has vanished; (f) `queue.toml` equals the
//! last journal row of each ticket, and `seq` has no gap; (g) nothing foreign was touched; (h) `verified` only where
//! it was proven; (i) what was started is running, finished, or named. (c), that each delivery is accepted at most
//! once, only the agents' own logs can tell.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{repo::Repo, world::World};

/// Things in a test's world that autodo has no business with, as they were.
pub struct Foreign {
    socket: PathBuf,
    before: String,
}

impl Foreign {
    /// Puts them there: a tmux server with an agent of another home in it, a branch, a worktree with a dirty file, a stash, and an edit and
    /// an untracked file in the user's checkout.
    pub fn plant(world: &World, repo: &Repo) -> Self {
        let socket = world.root().join("foreign.sock");
        // An agent of another home, whose ticket has the same id.
        let run = "AUTODO_RUN=asks/1";
        let launch = format!("AUTODO_LAUNCH={}/other/asks/runs/1/launches/1", world.root().display());
        let agent = ["env", run, launch.as_str(), "sleep", "9999"];
        let start = ["-S", socket.to_str().unwrap(), "-f", "/dev/null", "new-session", "-d", "-s", "ad-asks", "--"];
        let start = [&start[..], &agent].concat();
        world.program("tmux", &start).run().ok();
        repo.write("README.md", "# stashed\n");
        repo.git(&["stash", "--quiet"]);
        repo.git(&["branch", "mine"]);
        repo.git(&["worktree", "add", "--quiet", "../mine", "mine"]);
        fs::write(repo.path.join("../mine/README.md"), "# dirty\n").unwrap();
        repo.write("README.md", "# edited\n");
        repo.write("untracked", "mine\n");
        let mut foreign = Self { socket, before: String::new() };
        foreign.before = foreign.now(world, repo);
        foreign
    }

    /// Takes things as they are now.
    pub fn look_again(&mut self, world: &World, repo: &Repo) {
        self.before = self.now(world, repo);
    }

    fn now(&self, world: &World, repo: &Repo) -> String {
        let tmux = ["-S", self.socket.to_str().unwrap(), "list-panes", "-a", "-F", "#{session_name} #{pane_pid}"];
        let panes = world.program("tmux", &tmux).run().both();
        let text = |path: &str| fs::read_to_string(repo.path.join(path)).unwrap_or_else(|e| e.to_string());
        let refs =
            repo.git(&["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/mine", "refs/heads/main"]);
        [
            panes,
            refs,
            repo.git(&["stash", "list", "--format=%H"]),
            repo.git(&["symbolic-ref", "HEAD"]),
            repo.git(&["--no-optional-locks", "status", "--porcelain"]),
            repo.git(&["--no-optional-locks", "-C", "../mine", "status", "--porcelain"]),
            [text("README.md"), text("untracked"), text("../mine/README.md")].concat(),
        ]
        .join("\n--\n")
    }
}

/// The books as their files say.
struct Books {
    /// Last row of each open ticket by the journal.
    rows: BTreeMap<String, Value>,
    /// Ids that were accepted.
    accepted: BTreeSet<String>,
    /// All steps after the last snapshot.
    steps: Vec<Value>,
    queue: BTreeMap<String, Value>,
    archive: BTreeSet<String>,
}

/// Every promise that is broken at this moment; no supervisor may be at work.
pub fn breaches(world: &World, repo: &Repo, foreign: &Foreign) -> Vec<String> {
    let mut found = Vec::new();
    let books = read_books(world, &mut found);
    for id in &books.accepted {
        let places = [books.queue.contains_key(id), books.archive.contains(id)];
        if places.iter().filter(|there| **there).count() != 1 {
            found.push(format!("(a) {id} was accepted; in the queue, in the archive: {places:?}"));
        }
        one_of_each(world, repo, &books, id, &mut found);
        launches(world, &books, id, &mut found);
    }
    for (id, row) in &books.rows {
        work_is_there(repo, id, row, &mut found);
        verified(repo, id, row, &mut found);
    }
    alive(world, &books, &mut found);
    let now = foreign.now(world, repo);
    if now != foreign.before {
        found.push(format!("(g) something foreign was touched; before:\n{}\nnow:\n{now}", foreign.before));
    }
    found
}

fn read_books(world: &World, found: &mut Vec<String>) -> Books {
    let mut books = Books {
        rows: BTreeMap::new(),
        accepted: BTreeSet::new(),
        steps: vec![],
        queue: BTreeMap::new(),
        archive: BTreeSet::new(),
    };
    let mut seq: Option<u64> = None;
    let text = world.file("journal.jsonl");
    for (n, line) in text.lines().enumerate() {
        let Ok(step) = serde_json::from_str::<Value>(line) else {
            found.push(format!("(f) line {} of the journal is no JSON: {line}", n + 1));
            continue;
        };
        if let Some(snapshot) = step.get("snapshot") {
            seq = snapshot["seq"].as_u64();
            let rows = snapshot["rows"].as_array().cloned().unwrap_or_default();
            books.rows = rows.into_iter().map(|row| (text_of(&row, "id"), row)).collect();
            books.accepted.extend(books.rows.keys().cloned());
            books.steps.clear();
            continue;
        }
        let now = step["seq"].as_u64();
        if now != seq.map_or(Some(1), |seq| Some(seq + 1)) {
            found.push(format!("(f) step {now:?} of the journal follows step {seq:?}"));
        }
        seq = now;
        let id = text_of(&step, "ticket");
        books.accepted.insert(id.clone());
        match step.get("row") {
            Some(row) if !row.is_null() => books.rows.insert(id, row.clone()),
            _ => books.rows.remove(&id),
        };
        books.steps.push(step);
    }
    let queue: toml::Table = toml::from_str(&world.file("queue.toml")).unwrap_or_else(|e| {
        found.push(format!("(f) queue.toml cannot be read: {e}"));
        toml::Table::new()
    });
    if queue.get("seq").and_then(toml::Value::as_integer) != seq.and_then(|seq| i64::try_from(seq).ok()) {
        found.push(format!("(f) queue.toml reflects step {:?}, the journal ends with {seq:?}", queue.get("seq")));
    }
    let tickets = queue.get("ticket").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    for ticket in tickets {
        let row = serde_json::to_value(ticket).unwrap();
        if books.queue.insert(text_of(&row, "id"), row.clone()).is_some() {
            found.push(format!("(a) {} stands twice in the queue", text_of(&row, "id")));
        }
    }
    compare_rows(&books, found);
    for file in fs::read_dir(world.home().join("archive")).into_iter().flatten().flatten() {
        if file.path().extension().is_none_or(|extension| extension != "toml") {
            // The index, made of the others.
            continue;
        }
        let archive: toml::Table = toml::from_str(&fs::read_to_string(file.path()).unwrap()).unwrap();
        for row in archive.get("ticket").and_then(toml::Value::as_array).into_iter().flatten() {
            books.archive.insert(row["id"].as_str().unwrap().to_owned());
        }
    }
    books.accepted.extend(books.archive.iter().cloned());
    books
}

/// TOML leaves out what is null, zero or empty where the journal says it.
fn compare_rows(books: &Books, found: &mut Vec<String>) {
    if !books.rows.keys().eq(books.queue.keys()) {
        let (journal, queue): (Vec<_>, Vec<_>) = (books.rows.keys().collect(), books.queue.keys().collect());
        found.push(format!("(f) the journal has {journal:?}, queue.toml {queue:?}"));
    }
    for (id, row) in &books.queue {
        let Some(journal) = books.rows.get(id) else { continue };
        for (name, value) in row.as_object().unwrap() {
            if journal.get(name) != Some(value) {
                found.push(format!("(f) {id}.{name} is {value} in queue.toml, in the journal {:?}", journal.get(name)));
            }
        }
    }
}

fn one_of_each(world: &World, repo: &Repo, books: &Books, id: &str, found: &mut Vec<String>) {
    let branch = format!("refs/heads/autodo/{id}");
    let listed = repo.git(&["worktree", "list", "--porcelain"]);
    let worktrees = listed.lines().filter(|line| line.strip_prefix("branch ") == Some(&branch)).count();
    if worktrees > 1 {
        found.push(format!("(d) {id} has {worktrees} worktrees"));
    }
    let begins = format!("refs/heads/autodo/{id}*");
    let branches = repo.git(&["for-each-ref", "--format=%(refname)", &begins]);
    let is_anothers =
        |line: &str| line.strip_prefix("refs/heads/autodo/").is_some_and(|id| books.accepted.contains(id));
    if branches.lines().any(|line| line != branch && !is_anothers(line)) {
        found.push(format!("(d) {id} has more than one branch: {branches}"));
    }
    let sessions = world.tmux(&["list-sessions", "-F", "#{@autodo_ticket}"]).stdout;
    let sessions = sessions.lines().filter(|line| *line == id).count();
    if sessions > 1 {
        found.push(format!("(d) {id} has {sessions} sessions"));
    }
}

/// One start or end of a wrapper, as its file says.
fn told(folder: &Path, name: &str) -> Option<Value> {
    serde_json::from_str(&fs::read_to_string(folder.join(name)).ok()?).ok()
}

/// (b) No two launches of a ticket's agent ever overlapped; (i) each is over, alive, or named in the journal.
fn launches(world: &World, books: &Books, id: &str, found: &mut Vec<String>) {
    let mut spans: Vec<(String, Option<String>, PathBuf)> = Vec::new();
    for folder in folders(&world.home().join(id).join("runs"), 3) {
        let Some(started) = told(&folder, "started.json") else { continue };
        let exited = told(&folder, "exit.json");
        let is_check = folder.components().any(|part| part.as_os_str() == "checks");
        if exited.is_none() && !lives(&started) {
            let launch = folder.file_name().unwrap().to_string_lossy().parse::<u64>().unwrap();
            let run = run_of(&folder);
            let is_latest = !folder.with_file_name((launch + 1).to_string()).exists();
            // A journal that was removed has lost the step; the trail has it.
            let in_trail = world.file(&format!("{id}/events.jsonl")).lines().any(|line| {
                let line: Value = serde_json::from_str(line).unwrap_or_default();
                line["run"] == run
                    && (is_check && line["event"] == "checked" && line["result"]["end"] == "unknown"
                        || line["event"] == "agent_vanished" && line["launch"] == launch
                        || !is_check && line["event"] == "launch_failed"
                        // A machine that goes down while autodo itself ends the agent: that it did stands there.
                        || !is_check && is_latest && is_end_of_its_own(&line))
            });
            let named = in_trail
                || books.steps.iter().any(|step| {
                    let event = &step["event"];
                    step["ticket"] == id
                        && (is_check && event["event"] == "checked" && event["result"]["end"] == "unknown"
                            || event["event"] == "agent_vanished" && event["launch"] == launch)
                });
            if !named {
                found.push(format!("(i) {} was started, is gone, and nobody says so", folder.display()));
            }
        }
        if !is_check {
            let end = exited.map(|exited| text_of(&exited, "at"));
            spans.push((text_of(&started, "at"), end, folder));
        }
    }
    spans.sort();
    for pair in spans.windows(2) {
        let named = |span: &(String, Option<String>, PathBuf)| span.2.display().to_string();
        if pair[0].1.as_ref().is_some_and(|end| time(end) > time(&pair[1].0)) {
            found.push(format!("(b) {} still ran when {} began", named(&pair[0]), named(&pair[1])));
        }
    }
}

/// True for the step with which autodo began to end an agent that had not ended by itself.
fn is_end_of_its_own(line: &Value) -> bool {
    let closes = line["effects"].as_array().is_some_and(|effects| effects.iter().any(|effect| effect == "close"));
    closes && !line["event"].as_str().unwrap_or_default().starts_with("agent_")
}

/// The number of the run whose folder this is in.
fn run_of(folder: &Path) -> u64 {
    let mut parts = folder.components().map(|part| part.as_os_str().to_string_lossy());
    parts.find(|part| part == "runs");
    parts.next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn time(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

fn folders(below: &Path, depth: usize) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).into_iter().flatten().flatten().filter(|e| e.path().is_dir()) {
        found.push(entry.path());
        if depth > 0 {
            found.extend(folders(&entry.path(), depth - 1));
        }
    }
    found
}

/// True if the process of a `started.json` lives: same id, same start.
fn lives(started: &Value) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", started["pid"])).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit_once(") ").map_or("", |(_, tail)| tail).split(' ').collect();
    !matches!(fields.first(), Some(&"Z" | &"X"))
        && fields.get(19).and_then(|t| t.parse::<u64>().ok()) == started["start_time"].as_u64()
}

/// (e) What the books name is in the repository, and what was committed stays on the ticket's branch.
fn work_is_there(repo: &Repo, id: &str, row: &Value, found: &mut Vec<String>) {
    if row["base_commit"].is_null() {
        return;
    }
    let worktree = PathBuf::from(text_of(row, "worktree"));
    if !worktree.join(".git").exists() {
        found.push(format!("(e) the worktree of {id} is gone"));
        return;
    }
    let branch = format!("autodo/{id}");
    for commit in [&row["base_commit"], &row["proof"]["head"]].into_iter().filter_map(Value::as_str) {
        if repo.git(&["branch", "--list", &branch, "--contains", commit]).is_empty() {
            found.push(format!("(e) the commit {commit} of {id} is not on its branch"));
        }
    }
}

/// (h) Verified work has a tip that is the branch's, checks that all passed, and a clean tree.
fn verified(repo: &Repo, id: &str, row: &Value, found: &mut Vec<String>) {
    let proof = &row["proof"];
    if proof["verified"] != true {
        return;
    }
    let head = repo.git(&["rev-parse", &format!("autodo/{id}")]);
    let worktree = text_of(row, "worktree");
    if !Path::new(&worktree).join(".git").exists() {
        return;
    }
    let dirty = repo.git(&["--no-optional-locks", "-C", &worktree, "status", "--porcelain"]);
    let range = format!("{}..{head}", text_of(row, "base_commit"));
    let commits = repo.git(&["rev-list", "--count", &range]);
    let checks = proof["checks"].as_array().cloned().unwrap_or_default();
    if proof["head"] != head.as_str() || !dirty.is_empty() || (commits == "0" && proof["no_change"].is_null()) {
        found.push(format!("(h) {id} is verified: its tip is {head}, {commits} commits, dirty: {dirty:?}, {proof}"));
    }
    if checks.iter().any(|check| check["end"] != "exited" || check["code"] != 0) {
        found.push(format!("(h) {id} is verified with a check that failed: {proof}"));
    }
}

/// (b) and (i), as things are now: sessions and processes belong to tickets whose rows know of them.
fn alive(world: &World, books: &Books, found: &mut Vec<String>) {
    let with_agent = |id: &str| {
        let row = books.rows.get(id);
        row.is_some_and(|row| row["status"] == "running" || (row["status"] == "blocked" && row["live"] == true))
    };
    let sessions = world.tmux(&["list-sessions", "-F", "#{session_name} #{@autodo_ticket}"]).stdout;
    for line in sessions.lines() {
        let (name, id) = line.split_once(' ').unwrap_or((line, ""));
        if name != "_autodo" && !with_agent(id) {
            found.push(format!("(i) the session {name} is left over"));
        }
    }
    let mut launches: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (pid, argv) in world.processes() {
        let environ = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let environ = String::from_utf8_lossy(&environ).into_owned();
        let value = |name: &str| environ.split('\0').find_map(|v| v.strip_prefix(name)).map(str::to_owned);
        if environ.contains("AUTODO_CRASH_") {
            found.push(format!("process {pid} ({argv}) inherited the variables of the crash points"));
        }
        let (Some(run), Some(launch)) = (value("AUTODO_RUN="), value("AUTODO_LAUNCH=")) else { continue };
        if !Path::new(&launch).starts_with(world.home()) {
            continue;
        }
        let ticket = run.split('/').next().unwrap_or_default().to_owned();
        if !with_agent(&ticket) {
            found.push(format!("(i) process {pid} of {run} is left over: {argv}"));
        }
        if launch.contains("/launches/") {
            launches.entry(ticket).or_default().insert(launch);
        }
    }
    for (id, launches) in launches.into_iter().filter(|(_, launches)| launches.len() > 1) {
        found.push(format!("(b) {id} has {} agents alive: {launches:?}", launches.len()));
    }
}

fn text_of(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}
