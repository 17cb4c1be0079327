//! The walls of the house: who may import whom, who may act, and the shape of files.
//!
//! The table of rooms is read from `docs/design/house.md`. Each rule is a function (`tests/support/house.rs`) that is
//! shown a breach here before the house is held to it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    files::{files_below, repository, tracked},
    house::{Room, breaches, declares, machine_paths, read_table, shape},
    source::{blanked, paths},
};

fn table() -> Vec<Room> {
    let path = repository().join("docs/design/house.md");
    read_table(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Rust files below `folder` of the repository, as relative path and text.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = repository();
    let rust = |path: &PathBuf| path.extension().is_some_and(|e| e == "rs");
    let found: Vec<(String, String)> = files_below(&root.join(folder))
        .into_iter()
        .filter(rust)
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), text)
        })
        .collect();
    assert!(found.len() > 2, "no sources below {folder}");
    found
}

fn assert_none(breaches: &[String]) {
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

#[test]
fn imports_go_one_way_and_only_adapters_act() {
    let table = table();
    let found: Vec<String> = sources("src")
        .iter()
        .flat_map(|(path, text)| breaches(&table, path.strip_prefix("src/").unwrap(), text))
        .collect();
    assert_none(&found);
}

#[test]
fn every_file_has_the_shape_of_the_house() {
    let found: Vec<String> = ["src", "tests"]
        .iter()
        .flat_map(|folder| sources(folder))
        .flat_map(|(path, text)| shape(&path, &text))
        .collect();
    assert_none(&found);
}

#[test]
fn every_file_is_declared_by_its_parent() {
    let root = repository();
    let mut orphans = Vec::new();
    for (path, _) in ["src", "tests/it", "tests/support"].iter().flat_map(|folder| sources(folder)) {
        let file = Path::new(&path);
        let (folder, stem) = (file.parent().unwrap(), file.file_stem().unwrap().to_string_lossy().into_owned());
        if matches!(stem.as_str(), "lib" | "main") || path == "tests/support/mod.rs" {
            continue;
        }
        let (name, above) = match stem.as_str() {
            "mod" => (folder.file_name().unwrap().to_string_lossy().into_owned(), folder.parent().unwrap()),
            _ => (stem, folder),
        };
        let parents = [above.join("mod.rs"), above.with_extension("rs"), above.join("lib.rs"), above.join("main.rs")];
        let declared = |p: &PathBuf| std::fs::read_to_string(root.join(p)).is_ok_and(|text| declares(&text, &name));
        if !parents.iter().any(declared) {
            orphans.push(format!("{path}: no parent declares it, so it is never compiled"));
        }
    }
    assert_none(&orphans);
}

#[test]
fn no_file_names_a_path_of_the_machine_it_was_written_on() {
    let own: Vec<String> = [Some(repository()), std::env::var_os("HOME").map(PathBuf::from)]
        .into_iter()
        .flatten()
        .map(|path| path.to_string_lossy().trim_end_matches('/').to_owned())
        .filter(|path| path.len() > 1)
        .collect();
    let mut found = Vec::new();
    for path in tracked() {
        // Binary files (no UTF-8) hold no prose.
        let Ok(text) = std::fs::read_to_string(repository().join(&path)) else { continue };
        found.extend(machine_paths(&text, &own).into_iter().map(|line| format!("{}:{line}", path.display())));
    }
    assert_none(&found);
}

/// Packages below the program with the features they are built with; `edges` as `cargo tree` takes them.
fn features(edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let arguments =
        ["tree", "--offline", "--locked", "--no-dedupe", "--prefix", "none", "--format", "{p}|{f}", "--edges"];
    let run = Command::new(env!("CARGO")).args(arguments).arg(edges).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(run.stdout).unwrap().lines() {
        let (package, features) = line.trim_end_matches(" (*)").split_once('|').unwrap();
        let features = features.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned);
        all.entry(package.to_owned()).or_default().extend(features);
    }
    all
}

#[test]
fn what_the_tests_need_gives_the_program_no_feature_that_it_lacks_once_it_is_installed() {
    let (installed, tested) = (features("normal,no-proc-macro"), features("normal,dev"));
    assert!(installed.len() > 50, "{installed:?}");
    // Neither is of use to what the program asks of it: its own fakes; text of errors; classes and scripts of letters,
    // of which no expression makes use (`unicode-case` and `unicode-perl` it has).
    let known = ["autodo", "getrandom"];
    let useless = |feature: &String| {
        ["default", "unicode"].contains(&feature.as_str())
            || ["age", "bool", "gencat", "script", "segment"].iter().any(|of| *feature == format!("unicode-{of}"))
    };
    for (package, features) in installed {
        let name = package.split(' ').next().unwrap();
        let more: Vec<&String> =
            tested[&package].difference(&features).filter(|f| name != "regex-syntax" || !useless(f)).collect();
        assert!(more.is_empty() || known.contains(&name), "{package} is tested with {more:?}, and installed without");
    }
}

/// A small house for the mutations.
fn small() -> Vec<Room> {
    let text = "| room | what | may import |\n|---|---|---|\n| `domain/` | a | – |\n| `ports/` | b | `domain` |\n\
                | `adapters/` | c | `domain`, `ports` |\n| `supervisor/` | d | `domain`, `ports` |\n";
    read_table(text).unwrap()
}

#[test]
fn each_breach_is_found() {
    for (path, text, says) in [
        ("domain/a.rs", "use crate::ports::Clock;", "domain may not import ports"),
        ("domain/a.rs", "use crate::{domain::b, ports::{c, d}};", "domain may not import ports"),
        ("domain/a.rs", "use {std::fmt, crate::ports};", "domain may not import ports"),
        ("domain/a.rs", "fn f() -> crate::ports::X { todo() }", "domain may not import ports"),
        ("domain/a.rs", "fn f(x: Vec<crate::adapters::X>) {}", "domain may not import adapters"),
        ("domain/a.rs", "use autodo::adapters::X;", "domain may not import adapters"),
        ("domain/a.rs", "pub use ::autodo::adapters::X;", "domain may not import adapters"),
        ("domain/a.rs", "use crate::nowhere::X;", "no room nowhere"),
        ("domain/a.rs", "use crate as all;", "as a whole"),
        ("domain/a.rs", "use crate::*;", "as a whole"),
        ("domain/a.rs", "use crate::{self as all};", "as a whole"),
        ("domain/a.rs", "#[cfg(test)]\nmod tests { use crate::ports::X; }", "domain may not import ports"),
        ("domain/a/tests.rs", "use crate::ports::X;", "domain may not import ports"),
        ("domain/a.rs", "use super::super::ports::X;", "climbs out"),
        ("domain/mod.rs", "use super::ports::X;", "climbs out"),
        ("domain/a.rs", "mod inner { use super::super::super::ports; }", "climbs out"),
        ("domain/a.rs", "use self::super::super::ports;", "climbs out"),
        ("supervisor/a.rs", "use crate::adapters::tmux;", "supervisor may not import adapters"),
        ("supervisor/a.rs", "use std::{fs, path::Path};", "only in adapters"),
        ("supervisor/a.rs", "fn f() { std::fs::read(\"x\"); }", "only in adapters"),
        ("supervisor/a.rs", "use std::process::{Command, ExitCode};", "only in adapters"),
        ("supervisor/a.rs", "use std::process;", "only in adapters"),
        ("supervisor/a.rs", "use std::process::{self};", "only in adapters"),
        ("supervisor/a.rs", "use std::*;", "only in adapters"),
        ("supervisor/a.rs", "fn f() { ::std::env::var(\"X\"); }", "only in adapters"),
        ("supervisor/a.rs", "use tokio::process::Command;", "only in adapters"),
        ("supervisor/a.rs", "fn f() { let t = Instant::now(); }", "only in adapters"),
        ("supervisor/a.rs", "fn f() { tokio::time::Instant::now(); std::time::Instant::now(); }", "only in adapters"),
        ("supervisor/a.rs", "use std::time::Instant; fn f() { Instant::now(); }", "only in adapters"),
        ("domain/a.rs", "use tokio::time::Instant; fn f() { Instant::now(); }", "only computes"),
        ("supervisor/a.rs", "fn f() { jiff::Timestamp::now(); }", "only in adapters"),
        ("supervisor/a.rs", "#[cfg(not(test))] mod real { use std::fs; }", "only in adapters"),
        ("supervisor/a.rs", "#[cfg(test)] mod tests;\nmod real { use std::fs; }", "only in adapters"),
        ("domain/a.rs", "use tokio::sync::mpsc;", "only computes"),
        ("attic/a.rs", "", "no room attic"),
    ] {
        let found = breaches(&small(), path, text);
        assert!(!found.is_empty() && found.iter().all(|f| f.contains(says)), "{path}: {text}\n{found:?}");
    }
}

#[test]
fn what_is_allowed_is_no_breach() {
    for (path, text) in [
        ("domain/a.rs", "use super::b; use crate::domain::c; pub(crate) fn f() {} pub(in crate::domain) fn g() {}"),
        (
            "domain/a.rs",
            "// use crate::ports::X;\n/* std::fs /* nested */ std::env */ const A: &str = \"crate::ports::X\";",
        ),
        ("domain/a.rs", "const A: &str = r#\"use \"crate::ports\" std::fs::x\"#; const B: char = '\"'; use super::c;"),
        ("domain/a.rs", "fn f<'a>(x: &'a str) -> &'a str { x } const C: char = '\\''; const D: u8 = b'\"';"),
        ("domain/a.rs", "#[cfg(test)]\nmod tests { use super::*; use std::fs; fn f() { Instant::now(); } }"),
        ("domain/a/tests.rs", "use std::process::Command; use super::super::b;"),
        ("ports/a.rs", "use std::{process::ExitCode, time::{Duration, Instant}};"),
        ("adapters/a.rs", "use std::{fs, process::Command}; use tokio::process; use crate::ports::X;"),
        ("supervisor/a.rs", "use tokio::{sync::mpsc, time}; use clap::Command; fn f() { Command::new(\"x\"); }"),
        ("supervisor/a.rs", "use tokio::{sync::mpsc, time::Instant}; fn f() { Instant::now(); }"),
        ("supervisor/a.rs", "fn f() { tokio::time::Instant::now(); }"),
        ("main.rs", "use autodo::cli; fn f() { std::env::args(); }"),
        ("lib.rs", "pub mod domain;"),
    ] {
        assert_eq!(breaches(&small(), path, text), Vec::<String>::new(), "{path}: {text}");
    }
}

#[test]
fn the_reader_unfolds_groups_and_knows_where_it_is() {
    let text = "use a::{b::{self, c as d}, e::*, f};\nfn g() { h::i::<J>::k(); }\n#[cfg(test)]\nmod tests { use l::m; }\nuse n;";
    let found: Vec<(usize, String, usize, bool)> =
        paths(text).into_iter().map(|p| (p.line, p.text(), p.depth, p.in_tests)).collect();
    let plain = |line: usize, text: &str| (line, text.to_owned(), 0, false);
    let expected = [
        plain(1, "a::b::self"),
        plain(1, "a::b::c"),
        plain(1, "a::e::*"),
        plain(1, "a::f"),
        plain(2, "h::i"),
        (4, "l::m".to_owned(), 1, true),
        plain(5, "n"),
    ];
    assert_eq!(found, expected);
    let raw = "a /* x\ny */ \"b\\\"\nc\" r#\"d\"e\"# 'f' g";
    assert_eq!(blanked(raw).split_whitespace().collect::<Vec<_>>(), ["a", "g"]);
    assert_eq!(blanked(raw).lines().count(), raw.lines().count());
}

#[test]
fn a_table_that_allows_a_cycle_is_refused() {
    let head = "| room | what | may import |\n|---|---|---|\n";
    for (rows, says) in [
        ("| `a/` | x | `b` |\n| `b/` | x | – |\n", "no row above"),
        ("| `a/` | x | `a` |\n", "no row above"),
        ("| `a/`, `b/` | x | – |\n", "not one room"),
        ("| `a/` | x |\n", "not three cells"),
        ("", "no table"),
    ] {
        assert!(read_table(&format!("{head}{rows}")).unwrap_err().contains(says), "{rows}");
    }
}

#[test]
fn a_file_out_of_shape_is_found() {
    let long = |lines: usize| format!("//! x\n{}", "fn f() {}\n".repeat(lines));
    assert_eq!(shape("src/a/b.rs", "fn f() {}").len(), 1);
    assert_eq!(shape("src/a/b.rs", &long(400)).len(), 1);
    assert_eq!(shape("src/a/b.rs", &long(399)).len(), 0);
    assert_eq!(shape("src/a/b/tests.rs", &long(900)).len(), 0);
    assert_eq!(shape("src/a/mod.rs", &long(61)).len(), 1);
    assert_eq!(shape("src/a/mod.rs", &format!("//! x\n{}", "/// doc\n".repeat(100))).len(), 0);
    assert!(declares("pub mod a;\nmod b;", "b") && declares("#[x]\npub(crate) mod\n  a;", "a"));
    assert!(!declares("// mod a;\nmod ab; mod a {}", "a"));
}

#[test]
fn a_machine_path_is_found() {
    let own = ["/srv/build/tool".to_owned()];
    let home = format!("/{}/{}", "home", "somebody/x");
    for line in ["cd /srv/build/tool", "\"/srv/build/tool/src\"", home.as_str()] {
        assert_eq!(machine_paths(line, &own).len(), 1, "{line}");
    }
    for line in ["/srv/build/toolbox", "x/srv/build/tool", "~/srv/build/tool", "/home/me/x", "/usr/bin"] {
        assert_eq!(machine_paths(line, &own).len(), 0, "{line}");
    }
}
