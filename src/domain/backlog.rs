//! A set of tickets: ids, dependencies, cycles.
