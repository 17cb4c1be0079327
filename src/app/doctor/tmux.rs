//! tmux itself.

use super::{Check, run::Scene};
use crate::{domain::observed::Observed, format::tmux::OLDEST};

/// The version that autodo was tried with from end to end.
const TRIED: &str = "3.3a";
const NAME: &str = "tmux";

pub(super) async fn check(scene: &Scene) -> Check {
    let (major, minor) = OLDEST;
    let newer = format!("install tmux {major}.{minor} or newer");
    match scene.tmux.version().await {
        Observed::Absent => Check::fail(NAME, "there is no tmux on the PATH", newer),
        Observed::Unknown(why) => Check::fail(NAME, why, "run tmux -V, and mend what it says"),
        Observed::Present(version) if !version.is_usable() => {
            Check::fail(NAME, format!("tmux {} is too old", version.text), newer)
        }
        Observed::Present(version) if version.text != TRIED => Check::warn(
            NAME,
            format!("tmux {}; autodo was tried with {TRIED} only", version.text),
            "nothing has to be done; if a pane behaves oddly, say so with this version",
        ),
        Observed::Present(version) => Check::ok(NAME, format!("tmux {}", version.text)),
    }
}
