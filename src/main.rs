//! The program `autodo`: fast paths that need no runtime, then the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next().as_deref().and_then(|a| a.to_str()), arguments.next()) {
        // The launch wrapper and the script agent are programs of their own that live in the same file.
        (Some("launch"), Some(folder)) => exit(autodo::adapters::process::wrapper::main(std::path::Path::new(&folder))),
        (Some("hook"), Some(event)) if event == "statusline" => {
            autodo::hooks::statusline::main();
            ExitCode::SUCCESS
        }
        (Some("hook"), event) if event.as_ref().is_none_or(|event| !event.as_encoded_bytes().starts_with(b"-")) => {
            autodo::hooks::main(event.as_ref().and_then(|event| event.to_str()).unwrap_or_default());
            ExitCode::SUCCESS
        }
        (Some("script-agent"), None) => exit(autodo::script::main()),
        _ if autodo::cli::completions::complete::answer().is_some() => ExitCode::SUCCESS,
        _ => autodo::cli::main(),
    }
}

fn exit(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
