//! Tests of single effects of the supervisor, on real tmux and real processes.

mod closing;
