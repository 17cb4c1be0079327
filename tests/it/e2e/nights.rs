//! What nights bring to users of such tools and no other room asks about: settings that are written over, agents that
//! are told they run inside another, work that is removed by force, keys that end a turn, models that are called idly.

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::support::{
    fakes::{COMMIT, DONE, FakeProject},
    files::{files_below, repository},
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

/// Puts programs of these names before all others on the path of `world`: each leaves its environment and its arguments
/// in `seen/`, and fails.
fn pretend(world: &mut World, names: &[&str]) -> PathBuf {
    let (bin, seen) = (world.root().join("bin"), world.root().join("seen"));
    for folder in [&bin, &seen] {
        std::fs::create_dir(folder).unwrap();
    }
    for name in names {
        let path = bin.join(name);
        let seen = seen.display();
        let text = format!("#!/bin/sh\nenv > {seen}/{name}.$$.env\necho \"$@\" > {seen}/{name}.$$.args\nexit 3\n");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = std::env::var("PATH").unwrap();
    world.set("PATH", format!("{}:{path}", bin.display()));
    seen
}

/// The environments that the launches of `name` found.
fn environments(seen: &Path, name: &str) -> Vec<String> {
    let is_its = |file: &PathBuf| {
        let file = file.file_name().unwrap().to_string_lossy().into_owned();
        file.starts_with(&format!("{name}.")) && file.ends_with(".env")
    };
    let all: Vec<String> =
        files_below(seen).into_iter().filter(is_its).map(|f| std::fs::read_to_string(f).unwrap()).collect();
    all.into_iter().filter(|env| env.contains("AUTODO_RUN=")).collect()
}

/// Every file below `folder` with its bytes and its mode.
fn all_of(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u32)> {
    let of = |file: PathBuf| {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        let bytes = std::fs::read(&file).unwrap();
        (file, (bytes, mode))
    };
    files_below(folder).into_iter().map(of).collect()
}

/// One ticket each for the scripted agent, Claude Code and Codex, of which the last two are pretended and fail at once.
fn three(world: &World) -> FakeProject<'_> {
    let p = FakeProject::new(world).limit("crashes = 1").setting("parallel = 3");
    let p = p.scenario(&[BEGIN, COMMIT, DONE].concat());
    p.ticket("T-1", "").ticket("T-2", "profile: claude").ticket("T-3", "profile: codex").set_up()
}

#[test]
fn what_belongs_to_the_user_is_the_same_byte_for_byte_after_a_night() {
    let mut world = World::new();
    let seen = pretend(&mut world, &["claude", "codex"]);
    let home = world.root().join("home");
    for (name, text) in [
        (".claude.json", "{\"projects\":{}}\n"),
        (".claude/settings.json", "{\"hooks\":{}, \"permissions\": {\"allow\": []}}\n"),
        (".codex/config.toml", "model = \"m\"\n"),
        (".codex/auth.json", "{}\n"),
        (".tmux.conf", "set -g status on\n"),
        (".config/git/ignore", "*.bak\n"),
        (".bashrc", "true\n"),
    ] {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let settings = (all_of(&home), std::fs::read(world.root().join("gitconfig")).unwrap());
    let p = three(&world);
    p.dispatch(&[]).code(5);
    for (id, name) in [("T-2", "claude"), ("T-3", "codex")] {
        assert!(p.status(id).starts_with("failed"), "{}", p.status(id));
        assert_eq!(environments(&seen, name).len(), 1, "{name} was started");
    }
    for words in [&["doctor"][..], &["list"], &["summary"], &["approve-low"], &["tick"], &["clean", "T-1"]] {
        // Whatever each of them says.
        p.autodo(words);
    }
    assert_eq!((all_of(&home), std::fs::read(world.root().join("gitconfig")).unwrap()), settings);
}

#[test]
fn no_agent_is_told_that_it_runs_inside_another_or_inside_tmux() {
    let mut world = World::new();
    let seen = pretend(&mut world, &["claude", "codex"]);
    for name in ["CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SESSION_ID", "TMUX", "TMUX_PANE"] {
        world.set(name, "/tmp/of-somebody-else,1,0");
    }
    let p = three(&world);
    p.dispatch(&[]).code(5);
    for (name, nested) in [("claude", "CLAUDE"), ("codex", "TMUX")] {
        let all = environments(&seen, name);
        assert_eq!(all.len(), 1, "{name} was started once");
        let told = |line: &&str| {
            let name = line.split('=').next().unwrap_or_default();
            matches!(name, "TMUX" | "TMUX_PANE")
                || (nested == "CLAUDE" && name.starts_with("CLAUDE") && line.contains("of-somebody-else"))
        };
        let found: Vec<&str> = all[0].lines().filter(told).collect();
        assert!(found.is_empty(), "{name}: {found:?}");
        let socket = world.tmux_socket();
        assert!(!all[0].contains(socket.to_str().unwrap()), "{name} is not told where autodo's own server listens");
    }
}

#[test]
fn an_agent_that_does_not_react_gets_no_key_but_enter() {
    let world = World::new();
    let script = ["swallow-enter 99\n", BEGIN, COMMIT, DONE].concat();
    let p = FakeProject::new(&world).limit("delivery = \"6s\"").scenario(&script).dispatched(8);
    assert_eq!(p.status("T-1"), "blocked delivery_unverified null");
    let bytes = String::from_utf8(p.bytes("T-1")).unwrap();
    let typed = bytes.replace("\x1b[200~", "").replace("\x1b[201~", "");
    let keys: Vec<char> = typed.chars().filter(|c| c.is_control()).collect();
    assert_eq!(keys, ['\r', '\r', '\r'], "no Escape and no Ctrl-C: {bytes:?}");
    assert_eq!(bytes.matches("[autodo 1.1]").count(), 1, "and the text once");
}

#[test]
fn nothing_in_the_sources_forces_git() {
    let sources = files_below(&repository().join("src"));
    let mut looked = 0;
    for file in sources.iter().filter(|file| file.extension().is_some_and(|end| end == "rs")) {
        let text = std::fs::read_to_string(file).unwrap();
        looked += 1;
        for word in ["\"--force\"", "\"-D\"", "\"--hard\"", "\"--force-with-lease\"", "\"-fd\"", "\"-ff\""] {
            assert!(!text.contains(word), "{}: {word}", file.display());
        }
    }
    assert!(looked > 100, "{looked} files");
}

/// Channels run `curl`, which a person has to configure; there is no other way out of the program.
#[test]
fn the_program_has_nothing_with_which_to_call_a_model() {
    let lock = std::fs::read_to_string(repository().join("Cargo.lock")).unwrap();
    let names: Vec<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    assert!(names.contains(&"tokio"), "{names:?}");
    let speaks = [
        "reqwest",
        "hyper",
        "ureq",
        "curl",
        "isahc",
        "surf",
        "attohttpc",
        "h2",
        "http",
        "rustls",
        "native-tls",
        "openssl",
        "tungstenite",
        "tonic",
    ];
    let found: Vec<&&str> = names.iter().filter(|name| speaks.contains(name)).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn where_nothing_is_to_be_done_no_agent_is_started_however_often_it_is_looked() {
    let mut world = World::new();
    let seen = pretend(&mut world, &["claude"]);
    let repo = world.repo("empty");
    repo.settings("version = 1\nprofile = \"claude\"\nchecks = []\n");
    for _ in 0..3 {
        world.autodo_in(&repo, &["tick"]).code(0);
        // Without tickets it says where they would be.
        world.autodo_in(&repo, &["dispatch"]);
    }
    assert_eq!(environments(&seen, "claude"), [""; 0]);
    assert!(world.processes().is_empty(), "{:?}", world.processes());
}
