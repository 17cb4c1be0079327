//! Effects that prove a claim: a look at the worktree, and the checks, run by autodo itself.

use super::{World, launching::Job};
use crate::{
    domain::{
        check::{CheckResult, CommandEnd},
        event::Event,
    },
    ports::launches::LaunchSpec,
};

/// Looks at the work since the base, without taking a lock in the worktree.
pub async fn inspect(world: &World, job: &Job) -> Vec<Event> {
    let row = &job.row;
    let Some(base) = row.base_commit.clone() else {
        return vec![Event::InspectFailed { why: format!("the base of {} is not known", row.id) }];
    };
    (world.point)("inspect.before");
    match world.worktrees.inspect(row.repo.clone(), row.worktree.clone(), row.id.clone(), base).await {
        Ok(seen) => {
            if let Err(error) = world.files.keep_changes(&job.run, &seen.files) {
                tracing::warn!(ticket = %row.id, %error, "the list of changed files was not kept");
            }
            (world.point)("inspect.after");
            vec![Event::Inspected { work: seen.work }]
        }
        Err(why) => vec![Event::InspectFailed { why }],
    }
}

/// Runs one check under the wrapper, or adopts it where it runs already.
pub async fn run_check(world: &World, job: &Job, round: u32, index: u32) -> Vec<Event> {
    let frozen = job.frozen();
    let Some(command) = usize::try_from(index).ok().and_then(|i| frozen.commands().nth(i)) else {
        return vec![];
    };
    let places = world.files.places();
    let folder = places.check(&job.run, round, index);
    let log = folder.join("log");
    let spec = LaunchSpec {
        version: 1,
        run: job.run.to_string(),
        argv: vec!["/bin/sh".into(), "-c".into(), command.to_owned()],
        cwd: job.row.worktree.clone(),
        env: [
            ("AUTODO_TICKET", job.row.id.as_str()),
            ("CI", "true"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("GIT_EDITOR", "true"),
            ("PAGER", "cat"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect(),
        unset: vec!["TMUX_PANE".into(), "AUTODO_KEY".into(), "AUTODO_OUTBOX".into()],
        require: vec![],
        output: Some(log.clone()),
        limit_s: frozen.limits.check_s,
        wake: None,
    };
    (world.point)("run_check.before");
    let (end, took_ms) = match world.launches.run(folder, spec).await {
        Ok((end, took_ms)) => (end, took_ms),
        Err(error) => (CommandEnd::Unknown { why: error.to_string() }, 0),
    };
    (world.point)("run_check.after");
    let relative = log.strip_prefix(places.ticket(&job.row.id)).unwrap_or(&log);
    let log = relative.to_string_lossy().into_owned();
    vec![Event::Checked { result: CheckResult { command: command.to_owned(), end, took_ms, log } }]
}
