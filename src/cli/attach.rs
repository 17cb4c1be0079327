//! `autodo attach`: the live pane of a ticket.

use clap::Args;

use super::{
    context::{Context, person_only},
    find, ui,
};
use crate::{
    adapters::{env, process},
    app::{AppError, Exit},
    domain::row::Status,
    supervisor::launching::PANE,
};

/// `attach`.
#[derive(Args)]
pub struct AttachArgs {
    /// The ticket.
    #[arg(value_name = "ID")]
    id: String,
}

/// Attaches this terminal to the ticket's session, until the person leaves it.
///
/// # Errors
/// The ticket has no session, or there is no terminal.
pub async fn run(context: &Context, args: &AttachArgs) -> Result<Exit, AppError> {
    person_only("attach")?;
    let app = context.app()?;
    let row = find::row(&app, &args.id)?;
    let Some(pane) = &row.pane else {
        let hint = match &row.status {
            Status::Queued { .. } => "autodo dispatch starts it".to_owned(),
            _ if row.conversation.is_some() => format!("autodo resume {} opens its conversation again", row.id),
            _ => format!("autodo logs {0} shows its last screen; autodo retry {0} has it worked on again", row.id),
        };
        return Err(AppError::new(format!("{} has no session: it is {}", row.id, row.status.word())).hint(hint));
    };
    if !ui::is_terminal() {
        return Err(AppError::usage("attach needs a terminal").hint(format!(
            "autodo logs {} prints the screen; or: {}",
            row.id,
            app.tmux.attach_plain(&row.id, pane)
        )));
    }
    let inside = env::var("TMUX").map(|v| v.to_string_lossy().into_owned()).filter(|v| !v.is_empty());
    let argv = app.tmux.attach_argv(&row.id, pane, inside.as_deref());
    ui::say("F12 leaves the session; the agent goes on");
    let code = process::run_attached(&argv, inside.is_some()).map_err(|e| {
        AppError::new(format!("cannot run {}: {e}", argv.join(" "))).hint("autodo doctor looks at tmux")
    })?;
    if let Err(error) = app.tmux.resize_back(&row.id, pane, PANE).await {
        tracing::debug!(%error, "the pane was not resized back");
    }
    Ok(if code == 0 { Exit::Ok } else { Exit::Error })
}
