//! A private world.
