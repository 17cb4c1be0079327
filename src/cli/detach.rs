//! `dispatch --detach`: the supervisor goes on in the background, in a session of its own, with a log.

use std::{path::Path, time::Duration};

use tokio::time::Instant;

use super::{context::Context, dispatch::DispatchArgs, ui};
use crate::{
    adapters::{fs, process},
    app::{App, AppError, Exit, hold},
    domain::observed::Observed,
};

/// How long a supervisor may take until it answers.
const START_WAIT: Duration = Duration::from_secs(10);

/// Starts the supervisor in the background, sees that it answers, and says where its log is.
///
/// # Errors
/// It could not be started, or ended at once with an error.
pub async fn detach(app: &App, context: &Context, args: &DispatchArgs) -> Result<Exit, AppError> {
    let mut argv: Vec<std::ffi::OsString> = vec!["--home".into(), app.home.root().into()];
    if let Ok(folder) = context.folder() {
        argv.extend(["-C".into(), folder.into()]);
    }
    argv.extend(["dispatch".into(), "--no-intake".into()]);
    let options = [
        ("--parallel", args.parallel.map(|n| n.to_string())),
        ("--stagger", args.stagger.clone()),
        ("--until", args.until.clone()),
        ("--hard-stop", args.hard_stop.clone()),
        ("--max", args.max.map(|n| n.to_string())),
        ("--budget", args.budget.map(crate::format::money::exact)),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            argv.extend([name.into(), value.into()]);
        }
    }
    let log = app.home.log();
    let before = said(&log).len();
    let pid = process::spawn_detached(&argv, &log).map_err(|e| {
        AppError::new(format!("cannot start the supervisor in the background: {e}"))
            .hint("autodo doctor looks at the home")
    })?;
    let end = Instant::now() + START_WAIT;
    while Instant::now() < end && !hold::supervisor_runs(app).await {
        let alive = i32::try_from(pid).map_or(Observed::Absent, process::table::start_time);
        if alive == Observed::Absent {
            return over(&log, before);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    ui::did(None, "detached", format!("the supervisor runs in the background as process {pid}"));
    ui::say(format!("its log: {}", log.display()));
    ui::say_hint("autodo list shows how it goes; autodo drain lets it end");
    Ok(Exit::Ok)
}

fn said(log: &Path) -> String {
    fs::look_text(log).present().unwrap_or_default()
}

/// It has ended before it answered: there was nothing to do, or something is wrong.
fn over(log: &Path, before: usize) -> Result<Exit, AppError> {
    let all = said(log);
    let said = all.get(before..).unwrap_or(&all);
    if let Some(error) = said.lines().find_map(|line| line.strip_prefix("error: ")) {
        return Err(
            AppError::new(format!("the supervisor ended at once: {error}")).hint(format!("its log: {}", log.display()))
        );
    }
    ui::say("the supervisor has ended already: there was nothing left to do");
    ui::say(format!("its log: {}", log.display()));
    Ok(Exit::Ok)
}
