//! Test support: tmux.
