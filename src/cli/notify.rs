//! `autodo notify`: tries out the ways in which a person is told, and sends what still waits.

use std::time::Duration;

use clap::{Args, Subcommand, builder::PossibleValuesParser};

use super::{context::Context, ui};
use crate::{
    app::{AppError, Exit, hold, notify},
    domain::channel::NAMES,
};

/// How long a flush waits for another command's lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// `notify`.
#[derive(Args)]
pub struct NotifyArgs {
    #[command(subcommand)]
    verb: NotifyVerb,
}

#[derive(Subcommand)]
enum NotifyVerb {
    /// Send a word by every channel that is set, or by one, to try it out.
    Test(TestArgs),
    /// Send now what still waits, such as what came in quiet hours: for cron.
    Flush,
}

#[derive(Args)]
struct TestArgs {
    /// Only this one.
    #[arg(value_name = "CHANNEL", value_parser = PossibleValuesParser::new(NAMES))]
    channel: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// Runs it.
///
/// # Errors
/// A setting is wrong, or something was not sent.
pub async fn run(context: &Context, args: &NotifyArgs) -> Result<Exit, AppError> {
    match &args.verb {
        NotifyVerb::Test(args) => test(context, args).await,
        NotifyVerb::Flush => flush(context).await,
    }
}

async fn test(context: &Context, args: &TestArgs) -> Result<Exit, AppError> {
    let app = context.app()?;
    let (settings, wishes) = notify::set(&app)?;
    let channels = match &args.channel {
        Some(name) => vec![notify::named(&app, name)?],
        None => wishes.channels,
    };
    if channels.is_empty() {
        ui::say("no channel is set: nobody is told anything but on the screen");
        ui::say_hint(
            "for example notify.channels = [\"ntfy\"] in config.toml of AUTODO_HOME: docs/guide/notifications.md",
        );
        return Ok(Exit::Ok);
    }
    let mut exit = Exit::Ok;
    for channel in channels {
        let name = channel.name();
        if args.dry_run {
            ui::did(None, "would send", format!("would send a word by {name}"));
            continue;
        }
        match notify::try_out(&app, &settings, &channel).await {
            Ok(()) => ui::did(None, "sent", format!("{name}: sent")),
            Err(error) => {
                ui::error(&error);
                exit = Exit::Error;
            }
        }
    }
    Ok(exit)
}

async fn flush(context: &Context) -> Result<Exit, AppError> {
    let app = context.app()?;
    if hold::supervisor_runs(&app).await {
        ui::say("a supervisor runs: it sends what waits");
        return Ok(Exit::Ok);
    }
    let _lock = app.lock(LOCK_WAIT)?;
    notify::flush(&app).await?;
    ui::did(None, "flushed", "nothing waits any more, but for quiet hours");
    Ok(Exit::Ok)
}
