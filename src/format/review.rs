//! review.md: what a person reads and approves.
