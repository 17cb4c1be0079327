//! tmux itself.

use super::{Check, run::Scene};
use crate::{
    domain::observed::Observed,
    format::tmux::{OLDEST, TESTED},
};

const NAME: &str = "tmux";

pub(super) async fn check(scene: &Scene) -> Check {
    let (major, minor) = OLDEST;
    let newer = format!("install tmux {major}.{minor} or newer");
    match scene.tmux.version().await {
        Observed::Absent => Check::fail(NAME, "there is no tmux on the PATH", newer),
        Observed::Unknown(why) => Check::fail(NAME, why, "run tmux -V, and mend what it says"),
        Observed::Present(version) if !version.is_usable() => {
            let detail = format!("tmux {} is too old: autodo needs {major}.{minor} or newer", version.text);
            Check::fail(NAME, detail, newer)
        }
        Observed::Present(version) if !version.is_tested() => Check::warn(
            NAME,
            format!("tmux {} is untested with autodo; tested: {}", version.text, TESTED.join(", ")),
            "nothing has to be done; if a pane behaves oddly, install a tested one, or report it with this version",
        ),
        Observed::Present(version) => Check::ok(NAME, format!("tmux {}", version.text)),
    }
}
