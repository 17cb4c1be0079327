//! A library between a program and the system: a clock that a test sets, and locks that do not work.

use std::{path::PathBuf, process::Command};

use super::world::World;

/// Builds it into the world, with the C compiler that autodo's own build needs as well; returns its path for
/// `LD_PRELOAD`.
pub fn build(world: &World) -> PathBuf {
    let library = world.root().join("shim.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/shim.c");
    let mut cc = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    let output = cc.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}

/// Sets the world's clock so many seconds off, from now on.
pub fn set_clock(world: &World, seconds: i64) {
    let (path, aside) = (world.root().join("clock"), world.root().join("clock.new"));
    std::fs::write(&aside, seconds.to_string()).unwrap();
    std::fs::rename(aside, path).unwrap();
}
