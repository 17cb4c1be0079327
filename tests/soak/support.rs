//! Of the support code of the tests what the soak needs: a world of its own, and the invariants.

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
