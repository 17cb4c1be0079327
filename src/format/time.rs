//! Times and durations as people and files write them.
