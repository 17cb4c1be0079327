//! Tests of tmux.
