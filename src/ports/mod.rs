//! Small traits: what the supervisor needs of the world. Implementations live in `adapters`; tests have fakes.

pub mod clock;
pub mod files;
pub mod launches;
pub mod notifier;
pub mod outbox;
pub mod records;
pub mod store;
pub mod terminal;
pub mod worktrees;

use std::{future::Future, pin::Pin};

/// A boxed future, so that ports can be used as trait objects.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
