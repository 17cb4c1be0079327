//! `tick`: a dispatch in small steps, for cron; and `drain`, which lets a supervisor end.

use std::time::Duration;

use clap::Args;
use jiff::{SignedDuration, Timestamp};

use super::{
    context::{Context, meet},
    dispatch::{least, parallel, run},
    ui,
};
use crate::{
    app::{
        AppError, Exit,
        api::ApiRequest,
        dispatch::{Ended, Goal, Job},
        hold, intake,
    },
    config::Flag,
    domain::row::Status,
};

/// So long after an agent was found logged out the next ticket tries whether it still is: a tick remembers nothing.
const LOGIN_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// `tick`.
#[derive(Args)]
pub struct TickArgs {
    /// Longest time to stay.
    #[arg(long = "for", value_name = "TIME", default_value = "50s")]
    pub longest: String,
    /// How many tickets at once.
    #[arg(long, value_name = "N")]
    pub parallel: Option<u32>,
}

/// `drain`.
#[derive(Args)]
pub struct DrainArgs {
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// `tick`.
///
/// # Errors
/// The books cannot be read or written.
pub async fn tick(context: &Context, args: &TickArgs) -> Result<Exit, AppError> {
    super::json::lines();
    let app = context.app()?;
    let longest = crate::format::time::parse_duration(&args.longest)
        .map_err(|e| AppError::usage(format!("--for {:?}: {e}", args.longest)).hint("for example --for 50s"))?;
    if hold::supervisor_runs(&app).await {
        ui::say("a supervisor runs: there is nothing for a tick to do");
        return Ok(Exit::Ok);
    }
    let flag = args.parallel.map(|n| Flag { flag: "--parallel".into(), name: "parallel".into(), text: n.to_string() });
    let settings = match context.project_with(&app, flag.iter().cloned().collect()).await {
        Ok(project) => project.settings,
        Err(_) => intake::settings(&app, None, flag.into_iter().collect())?,
    };
    let job = Job {
        until: Goal::Quiet { at_most: Duration::from_secs(longest) },
        parallel: parallel(&settings),
        stagger_s: settings.stagger.value.0,
        only: None,
        budget: None,
        max: None,
        keep_blocked: settings.keep_blocked.value,
        hard_stop: None,
        least: least(&settings),
        measured: settings.admission_measured.value,
        unattended: true,
        logins_since: app.world.clock.now().checked_sub(LOGIN_AGAIN).unwrap_or(Timestamp::MIN),
    };
    let lock = match app.lock(Duration::from_secs(3)) {
        Ok(lock) => lock,
        Err(error) if error.exit == Exit::Locked => {
            ui::say("another command is at work: this tick leaves it alone");
            return Ok(Exit::Ok);
        }
        Err(error) => return Err(error),
    };
    match run(&app, job, super::json::is_on(), None, &lock).await {
        Err(error) => Err(error),
        Ok((ended, exit)) => {
            let rows = super::find::rows(&app)?;
            let running = rows.iter().filter(|row| matches!(row.status, Status::Running(_))).count();
            if running > 0 {
                ui::say(format!(
                    "{running} ticket(s) go on by themselves; what only their screens show is seen at the next tick"
                ));
            }
            Ok(if ended == Ended::Interrupted { Exit::Interrupted } else { exit })
        }
    }
}

/// `drain`.
///
/// # Errors
/// No supervisor runs.
pub async fn drain(context: &Context, args: &DrainArgs) -> Result<Exit, AppError> {
    super::context::person_only("drain")?;
    let app = context.app()?;
    if !hold::supervisor_runs(&app).await {
        ui::say("no supervisor runs: nothing is being started");
        return Ok(Exit::Ok);
    }
    if args.dry_run {
        ui::did(None, "would drain", "would let the supervisor start nothing more");
        return Ok(Exit::Ok);
    }
    for reply in &meet(&app, vec![ApiRequest::Drain]).await?.replies {
        super::context::accepted(reply)?;
    }
    ui::did(None, "drained", "the supervisor starts nothing more, and ends when what runs has ended");
    Ok(Exit::Ok)
}
