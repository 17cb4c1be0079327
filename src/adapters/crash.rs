//! Points at which a test may kill this process. In a build without the feature `test-fakes` they are nothing.

/// Variables of a test that are for this process alone: no agent, check or wrapper inherits them.
pub const VARIABLES: &[&str] = &["AUTODO_CRASH_AT", "AUTODO_CRASH_LOG"];

/// A place named `name` has been reached. With `test-fakes`: appended to the file in `AUTODO_CRASH_LOG`; and where
/// `AUTODO_CRASH_AT` is `name#n`, this process kills itself at the `n`th time (from 1).
#[cfg(feature = "test-fakes")]
pub fn point(name: &str) {
    use std::{collections::HashMap, io::Write, sync::Mutex};
    static SEEN: Mutex<Option<HashMap<String, u32>>> = Mutex::new(None);
    let nth = {
        let mut seen = SEEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = seen.get_or_insert_default().entry(name.to_owned()).or_insert(0);
        *count += 1;
        *count
    };
    if let Ok(path) = std::env::var("AUTODO_CRASH_LOG")
        && let Ok(mut log) = std::fs::OpenOptions::new().append(true).create(true).open(path)
    {
        // Ignored: a test that misses its log fails by itself.
        writeln!(log, "{name}#{nth}").ok();
    }
    if std::env::var("AUTODO_CRASH_AT").is_ok_and(|at| at == format!("{name}#{nth}")) {
        // Ignored: there is nothing to do about a signal to oneself that fails.
        nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL).ok();
        std::thread::sleep(std::time::Duration::from_secs(5));
    }
}

/// A place named `name` has been reached: nothing happens in a build for users.
#[cfg(not(feature = "test-fakes"))]
pub fn point(_name: &str) {}
