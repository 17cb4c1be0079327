//! The books on disk.
