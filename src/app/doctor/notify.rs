//! The channels by which a person is told: that they are set as they must be, and that their programs and secrets are
//! there. Nothing is sent: `autodo notify test` does that.

use super::{Check, run::Scene};
use crate::{
    adapters::{notify::secret, process::find_program},
    app::{intake, notify},
    domain::observed::Observed,
};

/// Nothing where no channel is set.
pub(super) fn checks(scene: &Scene) -> Vec<Check> {
    let home = scene.home.root();
    // Wrong settings are told elsewhere.
    let Ok(settings) = intake::settings_at(home, None, vec![]) else { return vec![] };
    let wishes = match notify::wishes(&settings, home) {
        Ok(wishes) => wishes,
        Err(error) => return vec![Check::fail("notify", error.message, error.hint)],
    };
    let of = |channel: &crate::domain::channel::Channel| {
        let name = format!("notify:{}", channel.name());
        let program = channel.program();
        if let Observed::Absent = find_program(program) {
            return Check::fail(&name, format!("there is no {program} on the PATH"), format!("install {program}"));
        }
        match channel.secret().map(secret) {
            Some(Err(why)) => Check::fail(&name, why, "set it where autodo is started, in cron too, or use a file"),
            Some(Ok(_)) | None => Check::ok(&name, format!("{program} is there; autodo notify test tries it out")),
        }
    };
    wishes.channels.iter().map(of).collect()
}
