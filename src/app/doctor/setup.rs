//! What a person does once before the project's agent can work alone: log in, and trust the folder.

use std::{path::Path, time::Duration};

use super::{Check, Health, run::Scene, worktrees};
use crate::{
    adapters::{env, fs, process::ask},
    agent::profile::Profile,
    domain::observed::Observed,
};

/// Longest that a program may take to say whether somebody is logged in.
const LOGIN_WAIT: Duration = Duration::from_secs(15);

/// `None`: the profile does not say how it is asked.
pub(super) async fn login(profile: &Profile) -> Option<Check> {
    let (seen, check) = look_login(profile).await?;
    Some(if seen == Observed::Present(()) { check } else { Check { status: Health::Warn, ..check } })
}

/// Whether somebody is logged in, and that as a check. `None`: the profile does not say how it is asked.
pub(super) async fn look_login(profile: &Profile) -> Option<(Observed<()>, Check)> {
    let login = profile.login.as_ref()?;
    let name = format!("login:{}", profile.name);
    let asked = login.argv.join(" ");
    Some(match ask(&login.argv, LOGIN_WAIT).await {
        Ok(said) if said.is_ok => (Observed::Present(()), Check::ok(&name, format!("{asked}: logged in"))),
        Ok(said) => {
            let detail = format!("{asked}: not logged in ({})", short(&said.text));
            (Observed::Absent, Check::fail(&name, detail, &login.fix))
        }
        Err(why) => {
            let detail = format!("whether somebody is logged in is not known: {why}");
            (Observed::Unknown(why), Check::warn(&name, detail, &login.fix))
        }
    })
}

/// What a program said, in one line.
fn short(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

/// `None`: there is no project here, or the profile does not say where it stands.
pub(super) fn trust(scene: &Scene, profile: &Profile) -> Option<Check> {
    let check = look_trust(scene, profile)?;
    Some(if check.status == Health::Ok { check } else { Check { status: Health::Warn, ..check } })
}

/// As [`trust`], and a folder that is known not to be trusted is a failure.
pub(super) fn look_trust(scene: &Scene, profile: &Profile) -> Option<Check> {
    let trust = profile.trust.as_ref()?;
    let project = scene.project.as_ref()?;
    let name = format!("trust:{}", profile.name);
    let repo = &project.repo.main_root;
    let shown = repo.display();
    let fix = trust.fix(&repo.to_string_lossy());
    let unknown = |why: String| Check::warn(&name, format!("whether {shown} is trusted is not known: {why}"), &fix);
    let Some(file) = trust.file(&variable) else { return Some(unknown("there is no home".to_owned())) };
    let text = match fs::look_text(Path::new(&file)) {
        Observed::Present(text) => text,
        Observed::Absent => {
            return Some(Check::fail(&name, format!("{shown} is not trusted: there is no {file}"), fix));
        }
        Observed::Unknown(why) => return Some(unknown(why)),
    };
    Some(match trust.is_given(&file, &text, repo, &worktrees::folder(project)) {
        Ok(true) => Check::ok(&name, format!("{shown} is trusted, as {file} says")),
        Ok(false) => Check::fail(&name, format!("{shown} is not trusted, as {file} says"), fix),
        Err(why) => unknown(format!("{file}: {why}")),
    })
}

/// What a profile's places may name; an empty variable is none.
fn variable(name: &str) -> Option<String> {
    let value = match name.strip_prefix('$') {
        Some(name) => env::var(name)?.to_string_lossy().into_owned(),
        None => env::home()?.to_string_lossy().into_owned(),
    };
    (!value.is_empty()).then_some(value)
}
