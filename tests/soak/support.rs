//! Of the support code of the tests what the soak needs: a world of its own, and the invariants.

#[path = "../support/chance.rs"]
pub mod chance;
#[path = "../support/files.rs"]
pub mod files;
#[path = "../support/invariants.rs"]
pub mod invariants;
#[path = "../support/program.rs"]
pub mod program;
#[path = "../support/repo.rs"]
pub mod repo;
#[path = "../support/world.rs"]
pub mod world;

/// What the tests of these modules, which clippy builds here as well, wait with.
#[cfg(test)]
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>, story: impl FnOnce() -> String) -> T {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(std::time::Instant::now() < end, "waited in vain for {what}\n{}", story());
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}
