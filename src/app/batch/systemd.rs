//! Units of the user's own systemd: files in its folder, and its program to have them taken up.

use std::{path::PathBuf, time::Duration};

use super::{
    install::{Batch, Kind},
    plan::{Note, Plan, unit_of},
};
use crate::{
    adapters::{
        env,
        fs::{self, Sync},
        process::feed,
    },
    app::AppError,
    domain::observed::Observed,
};

const WAIT: Duration = Duration::from_secs(20);

/// Where the user's units lie. Source: systemd.unit(5).
fn folder() -> Result<PathBuf, AppError> {
    let config = env::var("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    config
        .or_else(|| env::home().map(|home| home.join(".config")))
        .map(|config| config.join("systemd/user"))
        .ok_or_else(|| AppError::new("cannot tell where the units of systemd are: HOME is not set").hint("set HOME"))
}

/// Runs `systemctl --user`.
async fn systemctl(words: &[&str]) -> Result<String, String> {
    let argv: Vec<&str> = ["systemctl", "--user"].iter().chain(words).copied().collect();
    let said = feed(&argv, b"", WAIT).await?;
    if said.is_ok { Ok(said.text()) } else { Err(format!("{}: {}", argv.join(" "), said.said())) }
}

fn failed(why: String) -> AppError {
    AppError::new(why).hint(
        "log in as yourself, not by su or sudo; export XDG_RUNTIME_DIR=/run/user/$(id -u) may help; or use --cron",
    )
}

/// Whether the user's systemd can be talked to.
pub(super) async fn answers() -> Result<(), String> {
    systemctl(&["show-environment"]).await.map(drop).map_err(|why| format!("systemd does not answer ({why})"))
}

fn wrong(error: &fs::FsError) -> AppError {
    AppError::new(error.to_string()).hint("mend the permissions of the folder of systemd's units")
}

/// The batches among the user's units.
pub(super) fn installed() -> Result<Vec<Batch>, AppError> {
    let folder = folder()?;
    let listed = match fs::list_dir(&folder) {
        Observed::Present(listed) => listed,
        Observed::Absent => return Ok(vec![]),
        Observed::Unknown(why) => return Err(failed(why)),
    };
    let names = listed.into_iter().filter_map(|entry| entry.name.into_string().ok());
    let ours = names.filter(|name| name.starts_with("autodo-") && name.ends_with(".timer"));
    let mut all: Vec<Batch> = ours
        .filter_map(|name| {
            let text = fs::look_text(&folder.join(&name)).present()?;
            let project = text.lines().next()?.strip_prefix("# autodo batch: ")?.to_owned();
            Some(Batch { kind: Kind::Systemd, project, note: text.lines().find_map(Note::parse), command: name })
        })
        .collect();
    all.sort_by(|a, b| a.command.cmp(&b.command));
    Ok(all)
}

/// Writes the units and has them taken up.
pub(super) async fn install(plan: &Plan) -> Result<(), AppError> {
    answers().await.map_err(failed)?;
    let folder = folder()?;
    fs::create_dir(&folder).map_err(|e| wrong(&e))?;
    for (name, text) in plan.units() {
        fs::write_atomic(&folder.join(name), text.as_bytes(), 0o644, Sync::Full).map_err(|e| wrong(&e))?;
    }
    let name = plan.unit();
    systemctl(&["daemon-reload"]).await.map_err(failed)?;
    // The service by itself is started where the user's systemd starts, after a reboot; now only the timer.
    systemctl(&["enable", &format!("{name}.service")]).await.map_err(failed)?;
    systemctl(&["enable", "--now", &format!("{name}.timer")]).await.map(drop).map_err(failed)
}

/// Removes the units; false: there were none. A night that runs goes on to its end.
pub(super) async fn remove(project: &str) -> Result<bool, AppError> {
    let folder = folder()?;
    let name = unit_of(project);
    let files = [format!("{name}.timer"), format!("{name}.service")];
    if files.iter().all(|file| fs::look_text(&folder.join(file)).is_absent()) {
        return Ok(false);
    }
    systemctl(&["disable", "--now", &files[0]]).await.map_err(failed)?;
    systemctl(&["disable", &files[1]]).await.map_err(failed)?;
    for file in &files {
        fs::remove(&folder.join(file)).map_err(|e| wrong(&e))?;
    }
    systemctl(&["daemon-reload"]).await.map_err(failed)?;
    Ok(true)
}

/// What keeps the timer from firing, as far as systemd says.
pub(super) async fn troubles(batch: &Batch) -> Vec<String> {
    let mut all = Vec::new();
    if let Err(why) = systemctl(&["is-active", &batch.command]).await {
        all.push(format!("its timer is not active, as far as can be seen: {why}"));
    }
    all.extend(lingering(&env::user_name()).await);
    all
}

/// Says what is to be done so that the user's systemd runs while the user is logged out.
pub(super) async fn lingering(user: &str) -> Option<String> {
    let argv = ["loginctl", "show-user", user, "--property=Linger", "--value"];
    let fix = format!("loginctl enable-linger {user}");
    match feed(&argv, b"", WAIT).await {
        Ok(said) if said.is_ok && said.text() == "yes" => None,
        Ok(said) if said.is_ok && said.text() == "no" => {
            Some(format!("it ends when you log out, and its agents with it, unless you type once: {fix}"))
        }
        Ok(said) => {
            Some(format!("whether it goes on when you log out is not known ({}): {fix} sees to it", said.said()))
        }
        Err(why) => Some(format!("whether it goes on when you log out is not known ({why}): {fix} sees to it")),
    }
}
