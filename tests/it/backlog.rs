//! Tests of backlog.
