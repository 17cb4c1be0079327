//! `autodo hook statusline`: what Claude Code calls as its status line command, after each turn. It keeps what the launch
//! cost so far in the launch's folder, and prints nothing: the row of the status line stays empty.
//!
//! Whatever goes wrong, it ends well and says nothing, as the other hooks do.

use std::path::PathBuf;

use crate::{
    adapters::{env, fs, stdin},
    domain::observed::Observed,
    format::spent::{MAX_STATUS_BYTES, Spent, of_status},
    ports::records::SPENT_FILE,
};

/// Takes what is on standard input. Outside of a session of autodo it does nothing.
pub fn main() {
    // Ignored: see above. What a launch cost is then not known to the last cent, or not at all.
    take().ok();
}

fn take() -> Result<(), String> {
    let folder = PathBuf::from(env::var("AUTODO_LAUNCH").ok_or("AUTODO_LAUNCH is not set")?);
    let given = stdin::read_at_most(MAX_STATUS_BYTES).map_err(|why| why.to_string())?;
    let Some(now) = of_status(&given) else { return Ok(()) };
    let file = folder.join(SPENT_FILE);
    let before = match fs::look(&file) {
        Observed::Present(bytes) => Spent::parse(&bytes),
        Observed::Absent => None,
        Observed::Unknown(why) => return Err(why),
    };
    let spent = Spent::with(before, now);
    if Some(spent) == before {
        return Ok(());
    }
    fs::write_atomic(&file, spent.render().as_bytes(), fs::PRIVATE, fs::Sync::None).map_err(|why| why.to_string())
}
