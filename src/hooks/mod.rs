//! `autodo hook`: what an agent's own hooks call. It puts what happened into the outbox of the ticket and returns.
//!
//! Whatever goes wrong, the agent goes on: the exit code is always 0, since a hook that fails is shown to the agent. A
//! supervisor that is dead costs nothing: the file waits for the next one.
//!
//! One event is answered: a permission that a rule allows or denies (`judge`). Nothing else is ever printed, and nothing
//! where anything is unclear: then the agent's own dialog asks a person.

mod judge;
mod life;
pub mod statusline;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use crate::{
    adapters::{env, outbox, stdin, wake},
    domain::{
        id::{RunId, RunKey},
        report::{Hook, REPORT_VERSION, Report, Said},
    },
    format::hook,
};

/// Takes what is on standard input; `event` is the word in the hook's command. Outside of a session of autodo it does
/// nothing.
pub fn main(event: &str) {
    let done = if life::is_told(event) { stdin::drain().map_err(|why| why.to_string()) } else { take() };
    // Ignored: see above. The screen and the reports say the same, only later.
    done.ok();
}

fn take() -> Result<(), String> {
    let variable = |name: &str| {
        env::var(name).map(|value| value.to_string_lossy().into_owned()).ok_or_else(|| format!("{name} is not set"))
    };
    let run = variable("AUTODO_RUN")?;
    RunId::parse(&run).ok_or("AUTODO_RUN is no run")?;
    let key = RunKey::of_text(&variable("AUTODO_KEY")?);
    let outbox = PathBuf::from(variable("AUTODO_OUTBOX")?);
    let given = stdin::read_at_most(hook::MAX_HOOK_BYTES).map_err(|why| why.to_string())?;
    let Some(hook) = hook::parse(&given, &key)? else { return Ok(()) };
    let hook = match hook {
        Hook::Active if !life::tell() => return Ok(()),
        Hook::Asks(asked) => Hook::Asks(judge::judged(asked, &given)),
        other => other,
    };
    let answer = match &hook {
        Hook::Asks(asked) => hook::answer(asked),
        _ => None,
    };
    let report = Report { version: REPORT_VERSION, id: outbox::new_report_id(), run, key, said: Said::Hook(hook) };
    outbox::write_report(&outbox, &report).map_err(|why| why.to_string())?;
    if let Some(socket) = env::var("AUTODO_WAKE") {
        wake::wake(Path::new(&socket));
    }
    // Only what is on record is answered.
    if let Some(answer) = answer {
        std::io::stdout().write_all(answer.as_bytes()).map_err(|why| why.to_string())?;
    }
    Ok(())
}
