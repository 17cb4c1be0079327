//! A machine under load: loops that only burn time, and writes to the disk.

use std::{path::Path, time::Duration};

use crate::support::program::{Background, Program};

/// Busy processes. Each is ended, with what it started, by its id when this is dropped.
pub struct Load {
    _all: Vec<Background>,
}

impl Load {
    /// Two loops for each core, and one that writes 32 MB to `folder` again and again, each time to the disk.
    pub fn on(folder: &Path) -> Self {
        let env = || std::env::vars_os().filter(|(name, _)| name == "PATH").collect::<Vec<_>>();
        let sh =
            |script: &str| Program::new("sh".as_ref(), &["-c", script], folder, env()).limit(Duration::MAX).spawn();
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let mut all: Vec<_> = (0..2 * cores).map(|_| sh("while :; do :; done")).collect();
        all.push(sh("while dd if=/dev/zero of=written bs=1M count=32 conv=fsync 2>/dev/null; do :; done"));
        Self { _all: all }
    }
}
