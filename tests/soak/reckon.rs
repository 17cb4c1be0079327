//! The reckoning: what was lost, doubled, wrong or left over, read from the files, git, tmux and the process table.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, thread,
    time::{Duration, Instant},
};

use crate::{
    faults::is_foreign,
    person::{Person, delivery_of, is_over},
    stage::Stage,
    support::files::files_below,
};

/// The kinds of what may be wrong, in the order in which they are printed.
pub const KINDS: [&str; 15] = [
    "lost",
    "doubled",
    "wrong status",
    "left-over processes",
    "left-over sessions",
    "left-over worktrees",
    "left-over files",
    "invariant",
    "stuck",
    "panic",
    "no hint",
    "list",
    "supervisor",
    "journal",
    "other",
];

/// Reckons after the end; no supervisor may run.
pub fn reckon(stage: &mut Stage, person: &Person) {
    lost(stage);
    doubled(stage, person);
    stage.check();
    sessions(stage);
    worktrees(stage);
    files(stage);
    processes(stage);
}

fn lost(stage: &mut Stage) {
    let rows = stage.rows().unwrap_or_default();
    for id in stage.handed_in.clone() {
        let row = rows.iter().find(|row| row["id"] == id.as_str());
        let end = stage.tickets.get(&id).map(|ticket| ticket.kind.end());
        match (row, end) {
            (None, _) => stage.wrong("lost", format!("{id} was handed in and is not in the list")),
            (Some(row), Some(end)) if !is_over(end, row) => {
                stage.wrong("wrong status", format!("{id} should end as {end:?}, and is: {row}"));
            }
            _ => {}
        }
    }
    for id in stage.tickets.keys().cloned().collect::<Vec<_>>() {
        if !stage.handed_in.contains(&id) {
            stage.wrong("lost", format!("{id} could never be handed in"));
        }
    }
}

fn doubled(stage: &mut Stage, person: &Person) {
    for line in stage.lines("twice") {
        stage.wrong("doubled", format!("two were at work at once: {line}"));
    }
    let mut begun: BTreeMap<String, usize> = BTreeMap::new();
    for line in stage.lines("done") {
        *begun.entry(line).or_insert(0) += 1;
    }
    for (block, times) in begun {
        let id = block.rsplit_once('.').map_or(block.as_str(), |(id, _)| id);
        let of = |counts: &BTreeMap<String, usize>| counts.get(id).copied().unwrap_or_default();
        let asked = 1 + of(&person.answers) + of(&person.retries);
        if times > asked {
            stage.wrong("doubled", format!("{block} was begun {times} times; a person had it run {asked} times"));
        }
    }
    for id in stage.tickets.keys().cloned().collect::<Vec<_>>() {
        let mut seen = BTreeSet::new();
        for prompt in stage.prompts(&id) {
            let unique = delivery_of(&prompt).unwrap_or(prompt);
            if !seen.insert(unique.clone()) {
                stage.wrong("doubled", format!("{id} got {unique} twice"));
            }
        }
    }
}

fn sessions(stage: &mut Stage) {
    let rows = stage.rows().unwrap_or_default();
    let listed = stage.world.tmux(&["list-sessions", "-F", "#{session_name} #{@autodo_ticket}"]).stdout;
    for (name, id) in listed.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| *name != "_autodo") {
        let is_blocked = rows.iter().any(|row| row["id"] == id && row["status"] == "blocked");
        if !is_blocked {
            stage.wrong("left-over sessions", name.to_owned());
        }
    }
}

fn worktrees(stage: &mut Stage) {
    let folder = stage.path("repo.worktrees");
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !stage.tickets.contains_key(&name) {
            stage.wrong("left-over worktrees", name);
        }
    }
    let listed = stage.repo.git(&["worktree", "list", "--porcelain"]);
    for entry in listed.split("\n\n") {
        let id = entry.lines().next().and_then(|line| line.rsplit('/').next()).unwrap_or_default().to_owned();
        if entry.contains("autodo-creating") {
            stage.wrong("left-over worktrees", format!("half made: {entry}"));
        } else if entry.contains("\nprunable") && !stage.wrecked.contains(&id) {
            stage.wrong("left-over worktrees", format!("without a folder: {entry}"));
        }
    }
}

/// Files that were written for a moment, and are still there.
fn files(stage: &mut Stage) {
    let harmed: usize =
        stage.faults.iter().filter(|(kind, _)| kind.starts_with("queue.toml")).map(|(_, times)| times).sum();
    let mut aside = 0;
    for path in files_below(&stage.world.home()) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let shown = path.display().to_string();
        if name.starts_with("queue.toml.") {
            aside += 1;
        }
        if name.starts_with(".autodo-tmp-") || name == "environment" || name.ends_with(".env") {
            stage.wrong("left-over files", shown);
        }
    }
    if aside > harmed {
        stage.wrong("left-over files", format!("{aside} queues set aside, {harmed} were harmed"));
    }
    for path in files_below(&stage.repo.path.join(".git")) {
        if path.extension().is_some_and(|extension| extension == "lock") {
            stage.wrong("left-over files", path.display().to_string());
        }
    }
    let temporary = files_below(&stage.path("tmp"));
    if !temporary.is_empty() {
        stage.wrong("left-over files", format!("{temporary:?}"));
    }
}

/// With its last session the server ends, and nothing lives on.
fn processes(stage: &mut Stage) {
    stage.world.tmux(&["kill-server"]);
    let foreign = stage.path("foreign.sock").display().to_string();
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let mut left = stage.world.processes();
        left.retain(|(_, argv)| !is_foreign(argv, &foreign));
        if left.is_empty() {
            return;
        }
        if Instant::now() > end {
            for (pid, argv) in left {
                stage.wrong("left-over processes", format!("{pid} {argv}"));
            }
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}
