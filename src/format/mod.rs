//! Text to domain and back: pure, and every parser can be fuzzed.

pub mod accepted;
pub mod archive_index;
pub mod crontab;
pub mod frontmatter;
pub mod glances;
pub mod harmless;
pub mod hook;
pub mod journal;
pub mod markdown;
pub mod message;
pub mod money;
pub mod permissions;
pub mod problem;
pub mod queue;
pub mod record;
pub mod redact;
pub mod report;
pub mod review;
pub mod spent;
pub mod ticket;
pub mod time;
pub mod tmux;
pub mod todo;
pub mod unit;
pub mod window;
pub mod yaml;
