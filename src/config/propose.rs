//! What `autodo init` proposes: checks by the files of a project, and the text of its settings file.

use super::{layer::FILE_VERSION, value::quoted};

/// A check for projects that have `file`, unless an earlier row of the same `group` has fired.
struct Proposal {
    file: &'static str,
    group: &'static str,
    /// The command, given the project's file names and the file's text; `None`: not for this project.
    command: fn(files: &[&str], text: Option<&str>) -> Option<&'static str>,
}

/// Proposals by file name. Where the file's text decides, an unreadable file proposes nothing.
const PROPOSALS: &[Proposal] = &[
    Proposal { file: "Cargo.toml", group: "rust", command: |_, _| Some("cargo test") },
    Proposal { file: "go.mod", group: "go", command: |_, _| Some("go test ./...") },
    Proposal { file: "package.json", group: "js", command: |files, text| js(files, text?) },
    Proposal { file: "deno.json", group: "js", command: |_, _| Some("deno test") },
    Proposal { file: "pytest.ini", group: "python", command: |_, _| Some("pytest -q") },
    Proposal { file: "tox.ini", group: "python", command: |_, _| Some("tox -q") },
    Proposal { file: "pyproject.toml", group: "python", command: |_, _| Some("pytest -q") },
    Proposal { file: "mix.exs", group: "elixir", command: |_, _| Some("mix test") },
    Proposal { file: "pom.xml", group: "java", command: |_, _| Some("mvn -q test") },
    Proposal { file: "gradlew", group: "java", command: |_, _| Some("./gradlew test") },
    Proposal { file: "Package.swift", group: "swift", command: |_, _| Some("swift test") },
    Proposal { file: "justfile", group: "make", command: |_, text| has_target(text?, "test").then_some("just test") },
    Proposal { file: "Makefile", group: "make", command: |_, text| has_target(text?, "test").then_some("make test") },
];

/// Proposes checks for a project with these file names in its root. `read` gives the text of one of them, or `None`
/// where it cannot be read. A Makefile or justfile with a target `test` goes before all others: that is what the
/// project itself calls its test.
#[must_use]
pub fn propose_checks(files: &[&str], read: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let mut fired: Vec<(&str, &str)> = Vec::new();
    for proposal in PROPOSALS.iter().filter(|p| files.contains(&p.file)) {
        if fired.iter().any(|(group, _)| *group == proposal.group) {
            continue;
        }
        if let Some(command) = (proposal.command)(files, read(proposal.file).as_deref()) {
            fired.push((proposal.group, command));
        }
    }
    let own = fired.iter().filter(|(group, _)| *group == "make").map(|(_, command)| (*command).to_owned());
    let own: Vec<String> = own.collect();
    match own.is_empty() {
        true => fired.into_iter().map(|(_, command)| command.to_owned()).collect(),
        false => own,
    }
}

/// The test command of a `package.json`, by its lock file; `None` without a real script `test` (npm's own
/// placeholder, npm 1 to 11, says "no test specified").
fn js(files: &[&str], text: &str) -> Option<&'static str> {
    let package: serde_json::Value = serde_json::from_str(text).ok()?; // Ignored: no JSON, so it proposes nothing
    let script = package.get("scripts")?.get("test")?.as_str()?;
    if script.contains("no test specified") {
        return None;
    }
    let has = |name: &str| files.contains(&name);
    Some(match () {
        () if has("pnpm-lock.yaml") => "pnpm test",
        () if has("yarn.lock") => "yarn test",
        () if has("bun.lock") || has("bun.lockb") => "bun run test",
        () => "npm test",
    })
}

/// True if a Makefile or justfile has a rule for `target`; an assignment (`test := x`) is none.
fn has_target(text: &str, target: &str) -> bool {
    text.lines().any(|line| {
        let Some((names, rest)) = line.split_once(':') else { return false };
        !line.starts_with([' ', '\t', '#'])
            && !rest.trim_start_matches(':').starts_with('=')
            && names.split_whitespace().any(|name| name == target)
    })
}

/// The text of `.autodo/config.toml` that `init` writes. `checks` as proposed: where there are none the line stays a
/// comment, since nobody has said yet. `note` (why this profile) becomes a comment above it; it may have lines.
#[must_use]
pub fn project_file(profile: &str, checks: &[String], note: &str) -> String {
    let mut text = format!(
        "# Settings of this project for autodo: autodo config lists all, with their origins.\nversion = {FILE_VERSION}\n\n"
    );
    for line in note.lines().filter(|l| !l.trim().is_empty()) {
        let plain: String = line.trim().chars().filter(|c| !c.is_control()).collect();
        text.push_str(&format!("# {plain}\n"));
    }
    text.push_str(&format!("profile = {}\n\n", quoted(profile)));
    text.push_str("# Run by autodo itself in the worktree, after an agent says that it is done; each must exit 0.\n");
    if checks.is_empty() {
        text.push_str("# Until somebody says, results stay unchecked. A project without any says: checks = []\n");
        text.push_str("# checks = [\"make test\"]\n");
    } else {
        let checks: Vec<String> = checks.iter().map(|c| quoted(c)).collect();
        text.push_str(&format!("checks = [{}]\n", checks.join(", ")));
    }
    text.push_str(REST);
    text
}

/// What a project may want to say beside its checks, as comments.
const REST: &str = r#"
# Where the work starts: of your checkout, when a ticket is accepted.
# base = "HEAD"

# How many tickets at once; unset: from the cores and the free memory.
# parallel = 3

# What a fresh worktree needs beside what git checks out.
# [worktree]
# copy = [".env.local"]
# symlink = ["node_modules"]
# setup = ["npm ci"]
# setup_limit = "15m"

# [limits]
# run = "4h"
# check = "30m"
"#;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::{FileLayer, Layer, Settings};

    fn propose(files: &[(&str, &str)]) -> Vec<String> {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        propose_checks(&names, &|name| files.iter().find(|(n, _)| *n == name).map(|(_, text)| (*text).to_owned()))
    }

    #[test]
    fn each_kind_of_project_gets_its_check() {
        let npm = r#"{"scripts": {"test": "vitest run"}}"#;
        for (files, expected) in [
            (vec![], vec![]),
            (vec![("README.md", "")], vec![]),
            (vec![("Cargo.toml", "")], vec!["cargo test"]),
            (vec![("go.mod", "")], vec!["go test ./..."]),
            (vec![("package.json", npm)], vec!["npm test"]),
            (vec![("package.json", npm), ("pnpm-lock.yaml", "")], vec!["pnpm test"]),
            (vec![("package.json", npm), ("yarn.lock", "")], vec!["yarn test"]),
            (vec![("package.json", "{}")], vec![]),
            (vec![("package.json", "{")], vec![]),
            (vec![("package.json", r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#)], vec![]),
            (vec![("pyproject.toml", ""), ("pytest.ini", "")], vec!["pytest -q"]),
            (vec![("pyproject.toml", ""), ("tox.ini", "")], vec!["tox -q"]),
            (vec![("Cargo.toml", ""), ("pyproject.toml", "")], vec!["cargo test", "pytest -q"]),
            (vec![("Cargo.toml", ""), ("Makefile", "all:\n\techo\n")], vec!["cargo test"]),
            (vec![("Cargo.toml", ""), ("Makefile", "test := no\n# test: no\n\ttest: no\n")], vec!["cargo test"]),
            (vec![("Cargo.toml", ""), ("Makefile", ".PHONY: x\nlint test: build\n\tcargo test\n")], vec!["make test"]),
            (vec![("justfile", "test:\n  x\n")], vec!["just test"]),
        ] {
            assert_eq!(propose(&files), expected, "{files:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_proposes_nothing() {
        assert_eq!(propose_checks(&["package.json", "Makefile"], &|_| None), Vec::<String>::new());
    }

    #[test]
    fn the_written_file_reads_back_as_proposed() {
        let load = |text: String| {
            Settings::load(&[Layer::File { whose: FileLayer::Project, path: PathBuf::from("c"), text }]).unwrap()
        };
        let checks = vec!["cargo test".to_owned(), "grep -c \"a\\b\" x".to_owned()];
        let settings = load(project_file("claude", &checks, "found claude 2.1\nprofile = \"evil\"\r\u{1b}[0m"));
        assert_eq!(settings.profile.value, "claude");
        assert_eq!(settings.checks.value, Some(checks));
        assert_eq!(load(project_file("script", &[], "")).checks.value, None);
    }

    #[test]
    fn every_comment_of_the_written_file_holds_when_uncommented() {
        let uncommented: String = REST
            .lines()
            .filter_map(|l| l.strip_prefix("# "))
            .filter(|l| l.starts_with('[') || l.contains(" = "))
            .map(|l| format!("{l}\n"))
            .collect();
        let layer = Layer::File { whose: FileLayer::Project, path: PathBuf::from("c"), text: uncommented.clone() };
        let settings = Settings::load(&[layer]).unwrap_or_else(|p| panic!("{uncommented}\n{p:?}"));
        assert_eq!(settings.parallel.value, Some(3));
        assert_eq!(settings.worktree_symlink.value, ["node_modules"]);
    }
}
