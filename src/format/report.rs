//! Report files of the outbox.
