//! Test support: process.
