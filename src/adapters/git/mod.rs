//! Git: its own program for every change, git2 for reads.
