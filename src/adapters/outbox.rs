//! Report files in a worktree.
