//! A short soak: see `tests/soak`. A long one is `scripts/soak`.

use std::{path::Path, process::Command};

fn soak(arguments: &[&str]) {
    let output = Command::new(Path::new(env!("CARGO_BIN_EXE_soak"))).args(arguments).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    eprintln!("{said}");
    assert!(output.status.success(), "a soak of {arguments:?} found something; see above");
    assert!(said.contains(" faults in "), "{said}");
}

#[test]
fn a_backlog_of_all_kinds_under_random_faults_comes_to_its_right_end() {
    soak(&["--minutes", "0.35", "--seed", "1", "--tickets", "20"]);
}
