//! The scripted model of the contract tests: a server on loopback that speaks the Anthropic Messages API and the OpenAI
//! Responses API as far as the real agents need them, and answers from a scenario. It knows nothing and calls nobody.
//!
//! `model-server FOLDER` listens on a free port of 127.0.0.1, writes `FOLDER/port` once it does, and serves until it is
//! ended. A request that belongs to the ticket `T` (its prompt names it) is answered from `FOLDER/T.toml`, described in
//! `scenario.rs`; one of no ticket, such as for a title, with a short text. `FOLDER/requests.jsonl` gets one object per
//! request: `{"at_ms", "path", "ticket", "turn", "try", "prompt", "heard"}`: the newest words of the user, and of all that
//! the user said in this conversation the bytes and the CRC-32.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    reason = "a program of its own, for tests only"
)]

mod answer;
mod conversation;
mod gemini;
mod messages;
mod responses;
mod scenario;
mod stream;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use answer::Answers;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("model-server: no folder was given");
        return ExitCode::from(2);
    };
    match serve(folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("model-server: {why}");
            ExitCode::FAILURE
        }
    }
}

fn serve(folder: PathBuf) -> Result<(), String> {
    let port = std::env::var("MODEL_PORT").ok().and_then(|text| text.parse().ok()).unwrap_or(0_u16);
    let server = tiny_http::Server::http(("127.0.0.1", port)).map_err(|why| format!("cannot listen: {why}"))?;
    let port = server.server_addr().to_ip().map(|at| at.port()).ok_or("it listens on no port")?;
    let aside = folder.join(".port");
    std::fs::write(&aside, port.to_string())
        .and_then(|()| std::fs::rename(&aside, folder.join("port")))
        .map_err(|why| format!("cannot write the port: {why}"))?;
    let answers = Arc::new(Answers::new(folder));
    for request in server.incoming_requests() {
        let answers = answers.clone();
        // An answer may take long, and agents ask at the same time.
        std::thread::spawn(move || answers.meet(request));
    }
    Ok(())
}
