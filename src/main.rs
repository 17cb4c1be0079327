//! The program `autodo`: fast paths that need no runtime.

use std::{path::Path, process::ExitCode};

use autodo::adapters::process::wrapper;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let verb = arguments.next();
    if verb.as_ref().is_some_and(|verb| verb == "script-agent") {
        return u8::try_from(autodo::script::main()).map_or(ExitCode::FAILURE, ExitCode::from);
    }
    if let (Some(verb), Some(folder), None) = (verb, arguments.next(), arguments.next())
        && verb == wrapper::VERB
    {
        // The launch wrapper: before any runtime or thread starts, since it forks.
        return ExitCode::from(u8::try_from(wrapper::main(Path::new(&folder))).unwrap_or(u8::MAX));
    }
    ExitCode::SUCCESS
}
