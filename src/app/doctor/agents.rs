//! The agents: for each profile, whether its programs are there, and what they are.

use std::time::Duration;

use super::{Check, Health, run::Scene, setup};
use crate::{
    adapters::{
        env,
        process::{ask, find_program},
    },
    agent::profile::{Profile, Program},
    app::init::FALLBACK,
    domain::observed::Observed,
};

/// Longest that a program may take to say its version.
const VERSION_WAIT: Duration = Duration::from_secs(10);

/// One check for each profile that can be launched, and one for each file of a profile that is wrong.
pub(super) async fn checks(scene: &Scene) -> Vec<Check> {
    let root = scene.project.as_ref().map(|project| project.repo.root.as_path());
    let wanted = scene.project.as_ref().map_or(FALLBACK, |project| project.settings.profile.value.as_str());
    let (library, problems) = scene.profiles.library(root);
    let fix = "autodo profile check FILE shows the place; mend it, or move the file away";
    let mut checks: Vec<Check> = problems.into_iter().map(|why| Check::fail("profile", why, fix)).collect();
    let names = library.names();
    if !names.iter().any(|(name, _)| *name == wanted) {
        let detail = format!("the project's profile is {wanted}, and there is none of that name");
        checks.push(Check::fail(&name_of(wanted), detail, "autodo profile list shows what there is"));
    }
    for (name, origin) in names {
        let profile = match library.get(name) {
            Ok(profile) => profile,
            Err(error) => {
                checks.push(Check::fail(&name_of(name), error.to_string(), fix));
                continue;
            }
        };
        if profile.launch.argv.is_empty() {
            continue;
        }
        let wanted = Wanted { by_project: name == wanted, by_somebody: !origin.starts_with("built-in ") };
        let found = agent(&profile, wanted).await;
        let is_there = found.status != Health::Fail;
        checks.push(found);
        if wanted.by_project && is_there {
            checks.extend(setup::login(&profile).await);
            checks.extend(setup::trust(scene, &profile));
        }
    }
    checks
}

/// Who asks for a profile.
#[derive(Clone, Copy)]
struct Wanted {
    /// It is the project's.
    by_project: bool,
    /// A person wrote its file.
    by_somebody: bool,
}

fn name_of(profile: &str) -> String {
    format!("agent:{profile}")
}

async fn agent(profile: &Profile, wanted: Wanted) -> Check {
    let name = name_of(&profile.name);
    let mut said = Vec::new();
    let mut otherwise = None;
    for program in &profile.programs {
        let path = match find_program(&program.name) {
            Observed::Present(path) => path,
            Observed::Absent => return missing(&name, &program.name, wanted),
            Observed::Unknown(why) => return Check::warn(&name, why, "set PATH where autodo is started"),
        };
        match version(program).await {
            Ok(Some(version)) => {
                let (words, is_other) = checked(program, &version);
                said.push(format!("{} {version}{words}, {}", program.name, path.display()));
                otherwise = otherwise.or((is_other && !program.otherwise.is_empty()).then_some(&program.otherwise));
            }
            Ok(None) => said.push(path.display().to_string()),
            Err(why) => {
                return Check::warn(&name, why, format!("run {} by hand, and mend what it says", program.name));
            }
        }
    }
    if let Some(detail) = unset(profile) {
        return Check::warn(&name, detail, "set it where autodo is started; tickets are parked without it");
    }
    let said = if said.is_empty() { "needs no program of its own".to_owned() } else { said.join("; ") };
    if wanted.by_project && !profile.unverified.is_empty() {
        let detail = format!("{said}; not verified with the real agent: {}", profile.unverified.join(", "));
        return Check::warn(&name, detail, "look at the first tickets that meet one of these: autodo attach ID");
    }
    match otherwise {
        Some(otherwise) => Check::warn(&name, said, otherwise),
        None => Check::ok(&name, said),
    }
}

/// The variables that the profile requires and that are not set, in words; `None`: all are.
fn unset(profile: &Profile) -> Option<String> {
    let unset: Vec<&str> =
        profile.launch.require.iter().filter(|variable| env::var(variable).is_none()).map(String::as_str).collect();
    let said = format!("{} is not set here, and the profile requires it", unset.join(" and "));
    (!unset.is_empty()).then_some(said)
}

/// What an agent lacks to be started at all; `None`: nothing that could be seen.
pub(super) fn lack(profile: &Profile) -> Option<Check> {
    let name = name_of(&profile.name);
    let is_absent = |program: &&Program| find_program(&program.name) == Observed::Absent;
    if let Some(program) = profile.programs.iter().find(is_absent) {
        let detail = format!("there is no {} on the PATH", program.name);
        return Some(Check::fail(
            &name,
            detail,
            format!("install {}, or set PATH where autodo is started", program.name),
        ));
    }
    unset(profile).map(|detail| Check::fail(&name, detail, "set it where autodo is started"))
}

/// How `version` stands to the one that the profile was checked against: words, and whether it is another one.
fn checked(program: &Program, version: &str) -> (String, bool) {
    let parts = version.split(|c: char| c.is_whitespace() || "(),".contains(c));
    match program.checked.as_str() {
        "" => (String::new(), false),
        known if parts.clone().any(|part| part == known) => (String::new(), false),
        known => (format!(" (the profile was checked against {known})"), true),
    }
}

fn missing(name: &str, program: &str, wanted: Wanted) -> Check {
    let detail = format!("there is no {program} on the PATH");
    let fix = format!("install {program}, or set PATH where autodo is started");
    match wanted {
        Wanted { by_project: true, .. } => {
            Check::fail(name, format!("{detail}, and this is the project's profile"), fix)
        }
        Wanted { by_somebody: true, .. } => Check::warn(name, detail, fix),
        // Nobody has to have every agent that autodo knows.
        Wanted { by_project: false, by_somebody: false } => {
            Check::ok(name, format!("{detail}: only tickets that ask for it need it"))
        }
    }
}

/// What the program says of its version, in one line; `None`: it cannot be asked.
async fn version(program: &Program) -> Result<Option<String>, String> {
    if program.version_argv.is_empty() {
        return Ok(None);
    }
    let said = ask(&program.version_argv, VERSION_WAIT).await?;
    let line = said.text.lines().next().unwrap_or_default();
    let line: String = line.chars().filter(|c| !c.is_control()).take(80).collect();
    if said.is_ok { Ok(Some(line)) } else { Err(format!("{} failed: {line}", program.version_argv.join(" "))) }
}
