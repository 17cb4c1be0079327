//! The scripted fake agent of the tests.

fn main() {}
