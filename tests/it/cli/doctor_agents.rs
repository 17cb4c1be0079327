//! `autodo doctor` on the agent of the project: whether somebody is logged in, whether the folder is trusted, and which
//! version the profile was checked against.

use std::path::Path;

use super::{
    doctor::{check, told},
    install, lean, profile_text, user_profile,
};
use crate::support::{program::Run, repo::Repo, world::World};

const TOOLS: &[&str] = &["git", "sh", "tmux", "cat"];

/// A project of the profile `mine`, whose program `my-agent` says its version.
fn project(world: &World, more: &str) -> Repo {
    install(world, "my-agent", "[ \"$1\" != status ] || exec cat \"$HOME/status\"; echo 'my-agent 1.2.3'");
    let text = format!("{}{more}", profile_text("mine", "my-agent"));
    user_profile(world, "mine", &text);
    let repo = world.repo("r");
    repo.settings("version = 1\nprofile = \"mine\"\nchecks = []\n");
    repo
}

fn look(world: &World, repo: &Repo) -> Run {
    world.autodo_in(repo, &["doctor", "--json"]).ok()
}

fn is_told(run: &Run, name: &str) -> bool {
    run.json()["checks"].as_array().unwrap().iter().any(|check| check["name"] == name)
}

#[test]
fn an_agent_that_is_not_logged_in_is_said_with_its_words_and_the_remedy() {
    let world = lean(TOOLS);
    let repo = project(&world, "[login]\nargv = [\"my-agent\", \"status\"]\nfix = \"my-agent login\"\n");
    let (status, detail, fix) = told(&look(&world, &repo), "login:mine");
    assert!(status == "warn" && detail.contains("No such file"), "{detail}");
    assert_eq!(fix, "my-agent login");
    std::fs::write(world.root().join("home/status"), "ann@example\n").unwrap();
    assert_eq!(told(&look(&world, &repo), "login:mine").0, "ok");
    install(&world, "my-agent", "[ \"$1\" != status ] || { echo '{ \"loggedIn\": false,'; echo '}'; exit 1; }; echo 1");
    let (_, detail, _) = told(&look(&world, &repo), "login:mine");
    assert!(detail.ends_with("not logged in ({ \"loggedIn\": false, })"), "{detail}");
    // Only the agent of the project is asked.
    repo.settings("version = 1\nprofile = \"script\"\nchecks = []\n");
    let run = look(&world, &repo);
    assert!(!is_told(&run, "login:mine") && is_told(&run, "agent:mine"), "{}", run.both());
    assert!(!is_told(&world.autodo(&["doctor", "--json"]).ok(), "login:mine"), "outside of a project nobody is asked");
}

#[test]
fn what_a_program_cannot_say_is_not_known() {
    let world = lean(TOOLS);
    let repo = project(&world, "[login]\nargv = [\"no-such-program\"]\nfix = \"f\"\n");
    let (status, detail, _) = told(&look(&world, &repo), "login:mine");
    assert!(status == "warn" && detail.contains("is not known"), "{detail}");
}

/// What doctor says of trust while `text` stands in `file`.
fn trust(world: &World, repo: &Repo, file: &Path, text: &str) -> (String, String, String) {
    std::fs::write(file, text).unwrap();
    told(&look(world, repo), "trust:mine")
}

#[test]
fn a_folder_that_nobody_trusts_is_said_and_what_cannot_be_read_is_not_known() {
    let mut world = lean(TOOLS);
    let repo = project(
        &world,
        "[trust]\nfile = \"{place}/trusted.json\"\nplaces = { place = { variable = \"MY_PLACE\", default = \"{home}\" } }\n\
         path = [\"projects\", \"{folder}\", \"ok\"]\nvalue = true\nabove_worktrees = true\n\
         fix = \"trust {folder} once\"\n",
    );
    let file = world.root().join("home/trusted.json");
    let root = repo.path.canonicalize().unwrap();
    let of =
        |folder: &Path| serde_json::json!({ "projects": { folder.to_str().unwrap(): { "ok": true } } }).to_string();
    let (status, detail, fix) = told(&look(&world, &repo), "trust:mine");
    assert!(status == "warn" && detail.contains("there is no"), "{detail}");
    assert_eq!(fix, format!("trust {} once", root.display()));
    assert_eq!(trust(&world, &repo, &file, "{}").0, "warn");
    assert_eq!(trust(&world, &repo, &file, &of(&root)).0, "ok");
    assert_eq!(trust(&world, &repo, &file, &of(root.parent().unwrap())).0, "ok", "it holds the worktrees");
    let (status, detail, _) = trust(&world, &repo, &file, "{\"projects\"");
    assert!(status == "warn" && detail.contains("is not known"), "{detail}");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (status, detail, _) = told(&look(&world, &repo), "trust:mine");
    assert!(status == "warn" && detail.contains("is not known"), "{detail}");
    let there = world.root().join("there");
    std::fs::create_dir(&there).unwrap();
    std::fs::write(there.join("trusted.json"), of(&root)).unwrap();
    world.set("MY_PLACE", there);
    let run = look(&world, &repo);
    assert_eq!(check(&run, "trust:mine")["status"], "ok", "{}", run.both());
}

#[test]
fn a_version_that_the_profile_does_not_know_is_said() {
    for (checked, otherwise, status, says) in [
        ("1.2.3", "it asks again", "ok", "my-agent 1.2.3, /"),
        ("1.2", "it asks again", "warn", "checked against 1.2)"),
        ("1.2", "", "ok", "checked against 1.2)"),
    ] {
        let world = lean(TOOLS);
        let repo = project(&world, &format!("checked = \"{checked}\"\notherwise = \"{otherwise}\"\n"));
        let (found, detail, fix) = told(&look(&world, &repo), "agent:mine");
        assert!(found == status && detail.contains(says), "{checked}: {found} {detail}");
        assert_eq!(fix, if status == "warn" { otherwise } else { "" });
    }
}
