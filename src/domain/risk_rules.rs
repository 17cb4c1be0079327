//! What a diff says about risk.
