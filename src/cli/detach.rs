//! `dispatch --detach`: the supervisor goes on in the background, in a session of its own, with a log.

use super::{context::Context, dispatch::DispatchArgs, ui};
use crate::{
    adapters::process,
    app::{App, AppError, Exit},
};

/// Starts the supervisor in the background and says where its log is.
///
/// # Errors
/// It could not be started.
pub fn detach(app: &App, context: &Context, args: &DispatchArgs) -> Result<Exit, AppError> {
    let mut argv: Vec<std::ffi::OsString> = vec!["--home".into(), app.home.root().into()];
    if let Ok(folder) = context.folder() {
        argv.extend(["-C".into(), folder.into()]);
    }
    argv.extend(["dispatch".into(), "--no-intake".into()]);
    let options = [
        ("--parallel", args.parallel.map(|n| n.to_string())),
        ("--stagger", args.stagger.clone()),
        ("--until", args.until.clone()),
        ("--max", args.max.map(|n| n.to_string())),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            argv.extend([name.into(), value.into()]);
        }
    }
    let log = app.home.log();
    let pid = process::spawn_detached(&argv, &log).map_err(|e| {
        AppError::new(format!("cannot start the supervisor in the background: {e}"))
            .hint("autodo doctor looks at the home")
    })?;
    ui::out(format!("the supervisor runs in the background as process {pid}"));
    ui::say(format!("its log: {}", log.display()));
    ui::say_hint("autodo list shows how it goes; autodo drain lets it end");
    Ok(Exit::Ok)
}
