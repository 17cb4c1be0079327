//! Launches: the wrapper, and what is alive.
