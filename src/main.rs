//! The program `autodo`.

use std::{path::Path, process::ExitCode};

use autodo::adapters::process::wrapper;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if let (Some(verb), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next())
        && verb == wrapper::VERB
    {
        // The launch wrapper: before any runtime or thread starts, since it forks.
        return ExitCode::from(u8::try_from(wrapper::main(Path::new(&folder))).unwrap_or(u8::MAX));
    }
    ExitCode::SUCCESS
}
