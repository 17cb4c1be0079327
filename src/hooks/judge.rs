//! Judges a permission by the policy that was written for the launch, and by the project's live rules.

use std::path::{Path, PathBuf};

use crate::{
    adapters::{
        env,
        fs::{self, Kind},
    },
    domain::{observed::Observed, permission::Asked},
    format::{hook, permissions::LaunchPolicy},
};

/// The request with what the rules say to it. Anything that cannot be read leaves it to a person, and is on record.
pub(super) fn judged(asked: Asked, given: &[u8]) -> Asked {
    let Some(path) = env::var("AUTODO_POLICY") else { return asked };
    let fallback = asked.clone();
    judge(asked, given, Path::new(&path))
        .unwrap_or_else(|why| Asked { rule: Some(format!("no rule was read: {why}")), ..fallback })
}

fn judge(mut asked: Asked, given: &[u8], path: &Path) -> Result<Asked, String> {
    let Some(call) = hook::call(given) else { return Ok(asked) };
    let policy = LaunchPolicy::parse(&fs::read_to_string(path).map_err(|why| why.to_string())?)?;
    asked.subject = policy.subject(&call.tool, &call.input, call.folder.as_deref(), &resolve);
    let live = match fs::look_text(&policy.live) {
        Observed::Present(text) => Some(text),
        Observed::Absent => None,
        Observed::Unknown(why) => return Err(why),
    };
    let rules = policy.rules(live.as_deref()).map_err(|why| format!("{}: {why}", policy.live.display()))?;
    // What the rules look at is the whole input, even where the record of it is cut.
    let whole = Asked { input: call.input.to_string(), ..asked.clone() }.decided(&rules);
    Ok(Asked { verdict: whole.verdict, rule: whole.rule, ..asked })
}

/// `path` without links. `None`: it ends in a link that leads nowhere yet, so that nobody can tell what it will be.
fn resolve(path: &Path) -> Option<PathBuf> {
    let real = fs::resolved(path);
    match fs::look_kind(&real) {
        Observed::Present(Kind::File | Kind::Folder | Kind::Other) | Observed::Absent => Some(real),
        Observed::Present(Kind::Link) | Observed::Unknown(_) => None,
    }
}
