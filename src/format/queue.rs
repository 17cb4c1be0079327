//! queue.toml and archive files.
