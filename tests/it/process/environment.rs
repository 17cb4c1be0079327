//! The environment: handed over, used, and nowhere left.

use std::path::{Path, PathBuf};

use autodo::domain::check::CommandEnd;

use crate::support::process::World;

const SECRET: &str = "sk-very-secret-5f1c";

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files_below(&path));
        } else if path.is_file() {
            all.push(path);
        }
    }
    all
}

#[test]
fn a_secret_reaches_the_program_and_no_file_or_argument_list() {
    let world =
        World::with(&[("API_KEY", SECRET), ("TMUX", "/s,1,2"), ("TMUX_PANE", "%9"), ("NESTED", "1"), ("KEEP", "a\nb")]);
    // The program says what it has, in a shape that is not the secret itself.
    let mut spec = world.spec(
        "[ \"$API_KEY\" = sk-very-secret-$(echo 5f1c) ] && echo has-key
         env | grep -cE '^(TMUX|TMUX_PANE|NESTED|OF_THE_SERVER|OLDPWD)='
         echo \"$ADDED $AUTODO_RUN $KEEP $PWD\"
         tr '\\0' ' ' < /proc/$PPID/cmdline > argv
         tr '\\0' '\\n' < /proc/$PPID/environ > wrapper-environment",
    );
    spec.env = [("ADDED".to_owned(), "x".to_owned())].into();
    spec.unset = vec!["NESTED".into()];
    spec.require = vec!["API_KEY".into()];
    let argv = world.prepare("a", &spec).unwrap();
    assert!(!argv.iter().any(|word| word.contains(SECRET)));
    let (_, exited) = world.finish("a", &spec);
    assert_eq!(exited.end, CommandEnd::Exited { code: 0 });
    let here = world.dir.path().display();
    assert_eq!(world.text("log"), format!("has-key\n0\nx {} a\nb {here}\n", world.run));
    assert!(world.text("argv").contains("launch") && world.text("wrapper-environment").contains("OF_THE_SERVER"));
    let all = files_below(world.dir.path());
    assert!(all.len() >= 6, "{all:?}");
    for file in all {
        assert!(!std::fs::read_to_string(&file).unwrap().contains(SECRET), "{}", file.display());
    }
}

#[test]
fn a_secret_is_gone_when_the_program_could_not_start() {
    let world = World::with(&[("API_KEY", SECRET)]);
    let mut spec = world.spec("");
    std::fs::create_dir(world.path("tree")).unwrap();
    spec.cwd = world.path("tree");
    let argv = world.prepare("a", &spec).unwrap();
    assert!(files_below(world.dir.path()).iter().any(|file| std::fs::read_to_string(file).unwrap().contains(SECRET)));
    std::fs::remove_dir(world.path("tree")).unwrap();
    crate::support::process::wrapper(&argv).wait().unwrap();
    for file in files_below(world.dir.path()) {
        assert!(!std::fs::read_to_string(&file).unwrap().contains(SECRET), "{}", file.display());
    }
}

#[test]
fn a_launch_that_has_started_is_left_as_it_is() {
    let world = World::with(&[("API_KEY", SECRET)]);
    let spec = world.spec("exit 0");
    world.finish("a", &spec);
    let before = world.text("a/launch.json");
    let mut other = world.spec("exit 1");
    other.run = "other/1".into();
    world.prepare("a", &other).unwrap();
    assert_eq!(world.text("a/launch.json"), before);
    assert!(!world.path("a/environment").exists());
}
