//! A short soak: see `tests/soak`. A long one is `scripts/soak`.

use std::{path::Path, process::Command};

/// The figures of the reckoning: kind and number.
fn figures(said: &str) -> Vec<(&str, usize)> {
    let reckoning = said.split_once("a person: ").map_or("", |(_, rest)| rest);
    let lines = reckoning.lines().filter_map(|line| line.trim_start().split_once("  "));
    lines.filter_map(|(number, kind)| Some((kind, number.parse().ok()?))).collect()
}

fn soak(arguments: &[&str]) {
    let output = Command::new(Path::new(env!("CARGO_BIN_EXE_soak"))).args(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    eprintln!("{said}");
    assert!(said.contains(" faults in "), "{said}");
    let figures = figures(&said);
    assert!(figures.len() > 8, "{figures:?}");
    let found: Vec<_> = figures.iter().filter(|(_, number)| *number > 0).collect();
    assert!(found.is_empty() && output.status.success(), "a soak of {arguments:?} found {found:?}");
}

#[test]
fn a_backlog_of_all_kinds_under_random_faults_comes_to_its_right_end() {
    soak(&["--minutes", "0.35", "--seed", "1", "--tickets", "20"]);
}
