//! The program `autodo`.

fn main() {}
