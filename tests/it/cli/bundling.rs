//! `autodo debug bundle`: what goes in, and that nothing goes in that must not leave the machine.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, path::Path};

use crate::support::{desk::Desk, files::files_below};

/// Secrets of every form, each planted somewhere; the word that must be nowhere.
const PLANTED: &[(&str, &str)] = &[
    ("sk-proj-PLANTED1abcdefghijklmnop", "PLANTED1"),
    ("ghp_PLANTED2abcdefghijklmnopqrstuv", "PLANTED2"),
    ("Authorization: Bearer PLANTED3.abc-def", "PLANTED3"),
    ("NPM_TOKEN=PLANTED4 npm publish", "PLANTED4"),
    ("https://bot:PLANTED5@git.example.com/x.git", "PLANTED5"),
    ("password: 'PLANTED6 with blanks'", "PLANTED6"),
    ("-----BEGIN RSA PRIVATE KEY-----\nPLANTED7\n-----END RSA PRIVATE KEY-----", "PLANTED7"),
];

fn planted() -> String {
    PLANTED.iter().map(|(text, _)| format!("{text}\n")).collect()
}

/// Makes a bundle, and unpacks it with tar.
fn bundle(desk: &Desk, name: &str, more: &[&str]) -> BTreeMap<String, String> {
    let file = desk.world.root().join(format!("{name}.tar.gz"));
    let file = file.to_str().unwrap();
    let mut args = vec!["debug", "bundle", "--output", file];
    args.extend(more);
    let run = desk.autodo(&args).ok();
    assert!(run.stderr.contains(&format!("tar tzf {file}")) && run.stderr.contains("left out"), "{}", run.both());
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let into = desk.world.root().join(name);
    std::fs::create_dir(&into).unwrap();
    desk.world.program("tar", &["xzf", file, "-C", into.to_str().unwrap()]).run().ok();
    let text = |path: &Path| String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    let inside = |path: &Path| path.strip_prefix(into.join("autodo-bundle")).unwrap().to_string_lossy().into_owned();
    files_below(&into).iter().map(|path| (inside(path), text(path))).collect()
}

/// No secret, no name of this machine or person, and no key of a run.
#[track_caller]
fn is_clean(desk: &Desk, files: &BTreeMap<String, String>) {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::current()).unwrap().unwrap().name;
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let mut words: Vec<String> = PLANTED.iter().map(|(_, word)| (*word).to_owned()).collect();
    words.extend(["PLANTED-VARIABLE".to_owned(), "PLANTED-STATE".to_owned()]);
    words.push(desk.world.root().join("home").to_string_lossy().into_owned());
    words.push(desk.world.home().to_string_lossy().into_owned());
    words.extend(Some(user).filter(|user| user != "root").map(|user| format!("by {user}")));
    words.extend(Some(host).filter(|host| host != "localhost" && host.len() > 4));
    let journal = desk.world.file("journal.jsonl");
    let keys = regex::Regex::new(r#""key":"([0-9a-f]{8,})""#).unwrap();
    let keys: Vec<String> = keys.captures_iter(&journal).map(|found| found[1].to_owned()).collect();
    assert!(!keys.is_empty(), "{journal}");
    words.extend(keys);
    for (name, text) in files {
        for word in &words {
            assert!(!text.contains(word) && !name.contains(word), "{word} is in {name}:\n{text}");
        }
    }
}

/// A world in which every file that can go in has every secret.
fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.world.set("MY_OWN_SETTING", "PLANTED-VARIABLE");
    let home = desk.world.root().join("home");
    desk.repo.settings(&format!(
        "version = 1\nprofile = \"script\"\nchecks = [\"true || curl -H 'Authorization: Bearer PLANTED3.abc-def'\", \
         \"NPM_TOKEN=PLANTED4 true {}\"]\n",
        home.display()
    ));
    let echo = format!("cat <<'END'\n{}END\necho $MY_OWN_SETTING $HOME; echo a > a.txt", planted());
    desk.repo.ticket(
        "T-1",
        "title: Use sk-proj-PLANTED1abcdefghijklmnop",
        &format!("{}\n## Run\n\n```sh\n{echo}\n```\n", planted()),
    );
    desk.ticket("T-2", "", &format!("{echo}; exit 3"));
    desk.autodo(&["dispatch", "--parallel", "2"]).code(8);
    desk.autodo(&["answer", "T-2", "use ghp_PLANTED2abcdefghijklmnopqrstuv"]).code(8);
    for id in ["T-1", "T-2"] {
        let folder = desk.world.home().join(id);
        std::fs::write(folder.join("notes.log"), planted() + "PLANTED-VARIABLE\n").unwrap();
        std::fs::create_dir_all(folder.join("state/1")).unwrap();
        std::fs::write(folder.join("state/1/auth.json"), "{\"status\":\"PLANTED-STATE\"}").unwrap();
        let lines = format!("{{\"status\":{}}}\n", serde_json::Value::String(planted()));
        std::fs::write(folder.join("more.jsonl"), lines).unwrap();
    }
    std::fs::write(
        desk.world.home().join("supervisor.log"),
        format!("T-1: blocked (question): {}{}", "why? ", planted()),
    )
    .unwrap();
    desk
}

#[test]
fn no_secret_and_no_key_is_in_a_bundle_with_or_without_texts() {
    let desk = desk();
    for (name, more) in [
        ("all", &[][..]),
        ("all-texts", &["--with-texts"]),
        ("one", &["T-1"]),
        ("one-texts", &["T-1", "--with-texts"]),
        ("two-texts", &["T-2", "--with-texts"]),
    ] {
        let files = bundle(&desk, name, more);
        assert!(files.len() >= 6, "{:?}", files.keys());
        is_clean(&desk, &files);
    }
}

#[test]
fn a_bundle_has_what_a_bug_report_needs_and_texts_only_where_asked() {
    let desk = desk();
    let files = bundle(&desk, "plain", &["T-1"]);
    for name in [
        "about.txt",
        "doctor.json",
        "settings.txt",
        "queue.jsonl",
        "journal.jsonl",
        "supervisor.log",
        "tickets/T-1/events.jsonl",
        "tickets/T-1/files.txt",
    ] {
        assert!(files.get(name).is_some_and(|text| !text.is_empty()), "{name} in {:?}", files.keys());
    }
    assert!(files["about.txt"].contains(env!("CARGO_PKG_VERSION")) && files["about.txt"].contains("tmux 3"));
    assert!(files["queue.jsonl"].contains("\"status\":\"needs_review\""), "{}", files["queue.jsonl"]);
    assert!(files["journal.jsonl"].contains("\"event\":\"worktree_ready\""), "{}", files["journal.jsonl"]);
    assert!(files.keys().any(|name| name.ends_with("launches/1/exit.json")), "{:?}", files.keys());
    assert!(files["settings.txt"].contains("profile = \"script\""));
    assert!(!files.keys().any(|name| name.ends_with(".md") || name.ends_with(".log") && name.starts_with("tickets")));
    for (name, text) in &files {
        assert!(!text.contains("## Run") && !text.contains("echo a > a.txt"), "{name}:\n{text}");
    }
    let files = bundle(&desk, "texts", &["T-1", "--with-texts"]);
    assert!(files["tickets/T-1/ticket.md"].contains("echo a > a.txt"));
    assert!(files["tickets/T-1/review.md"].contains("## Checks"));
    // What was planted is there but for its secrets.
    for name in ["tickets/T-1/ticket.md", "tickets/T-1/notes.log", "tickets/T-1/more.jsonl", "supervisor.log"] {
        let text = &files[name];
        assert!(text.contains("NPM_TOKEN=<secret>") && text.contains("://<secret>@git.example.com"), "{name}:\n{text}");
    }
    let one = bundle(&desk, "few", &["--lines", "3"]);
    assert_eq!(one["journal.jsonl"].lines().count(), 3);
}

#[test]
fn a_bundle_overwrites_nothing_and_needs_no_home() {
    let desk = Desk::new();
    let file = desk.world.root().join("x.tar.gz");
    std::fs::write(&file, "mine").unwrap();
    let run = desk.autodo(&["debug", "bundle", "-o", file.to_str().unwrap()]).code(2);
    assert!(run.stderr.contains("already") && run.stderr.contains("hint:"), "{}", run.both());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    let run = desk.autodo(&["debug", "bundle"]).ok();
    assert!(run.stdout.contains("autodo-bundle-") && !desk.world.home().exists(), "{}", run.both());
}
