//! Git: its own program for every change, libgit2 for reads.
//!
//! Nothing here forces anything: no `--force`, no `branch -D`, no `reset --hard`, no `clean`. What a ticket owns is
//! known by three names, all functions of its id: the branch `autodo/<id>`, the worktree at its path, and the reference
//! `refs/autodo/base/<id>`, which keeps the commit that the work started from.

mod builds;
mod command;
mod discover;
mod exclude;
mod handle;
mod include;
mod inspect;
mod leftovers;
mod lfs;
mod list;
mod owner;
mod place;
mod pool;
mod port;
mod prepare;
mod probe;
mod read;
mod register;
mod remove;
mod rescue;
mod stack;
mod strays;
mod submodules;
mod trial;
mod unmake;

pub use builds::Builds;
pub use command::{GitError, Limits};
pub use discover::{OLDEST, Repo};
pub use handle::Git;
pub use probe::hook_asks;
pub use remove::{Removal, Removed};
pub use rescue::{Rescue, Restored};
pub use strays::{Stray, Unknown};
pub use trial::Tried;
