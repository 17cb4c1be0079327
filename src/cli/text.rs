//! `answer` and `send`: a person's text for an agent.

use clap::Args;

use super::{
    ask::{ask, past, rehearse},
    context::{Context, accepted, meet, person_only},
    find, ui,
};
use crate::{
    adapters::{env, stdin},
    app::{AppError, Exit},
    domain::{
        event::Request,
        row::Status,
        run::{Blocked, Phase},
    },
};

/// `answer` and `send`.
#[derive(Args)]
pub struct TextArgs {
    /// The ticket.
    #[arg(value_name = "ID")]
    id: String,
    /// The text; `-` reads it from standard input.
    #[arg(allow_hyphen_values = true)]
    text: String,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// `answer`.
///
/// # Errors
/// The ticket is not there or does not ask.
pub async fn answer(context: &Context, args: &TextArgs) -> Result<Exit, AppError> {
    person_only("answer")?;
    text(context, args, Request::Answer { text: String::new() }).await
}

/// `send`.
///
/// # Errors
/// The ticket is not there or its agent takes no text.
pub async fn send(context: &Context, args: &TextArgs) -> Result<Exit, AppError> {
    person_only("send")?;
    text(context, args, Request::Send { bytes: 0 }).await
}

async fn text(context: &Context, args: &TextArgs, request: Request) -> Result<Exit, AppError> {
    let app = context.app()?;
    let row = find::row(&app, &args.id)?;
    let text = if args.text == "-" {
        stdin::read_all().map_err(|e| {
            AppError::new(format!("cannot read standard input: {e}"))
                .hint("give it a text in UTF-8, from a pipe or a file: autodo answer ID - < FILE")
        })?
    } else {
        args.text.clone()
    };
    if args.dry_run {
        let (request, word) = match request {
            Request::Answer { .. } => (Request::Answer { text }, "answer"),
            other => (other, "send to"),
        };
        return Ok(rehearse(&app, &[row], &request, word));
    }
    let done = past(&request);
    let request = ask(&row.id, &env::user_name(), request, Some(text));
    let met = meet(&app, vec![request]).await?;
    for reply in &met.replies {
        accepted(reply)?;
    }
    if met.by_supervisor {
        ui::did(Some(&row.id), done, format!("{}: {done}; the supervisor delivers it", row.id));
        return Ok(Exit::Ok);
    }
    let now = find::row(&app, row.id.as_str())?;
    let exit = match &now.status {
        Status::Running(run) if matches!(run.phase, Phase::Pasting { .. } | Phase::Submitting { .. }) => {
            ui::did(Some(&row.id), done, format!("{}: {done}; it is still on its way", row.id));
            Exit::Ok
        }
        Status::Running(run) if run.unsent.is_some() => {
            let why = run.unsent.as_deref().unwrap_or_default();
            ui::say(format!("{}: not delivered yet, the work goes on: {}", row.id, ui::plain(why)));
            Exit::Error
        }
        Status::Running(_) => {
            ui::did(Some(&row.id), done, format!("{}: {done}, and the agent has it", row.id));
            Exit::Ok
        }
        Status::Queued { .. } => {
            ui::did(Some(&row.id), done, format!("{}: {done}; it goes on when it is started again", row.id));
            Exit::Ok
        }
        Status::Blocked(blocked) if blocked.pressed.is_none() && !blocked.note.is_empty() => {
            let what = format!("{}: {}", row.id, ui::plain(&blocked.note));
            return Err(AppError::new(what).hint(format!("look at it: autodo show {0}, autodo attach {0}", row.id)));
        }
        Status::Blocked(blocked)
            if blocked.pressed.is_some() || matches!(&row.status, Status::Blocked(was) if takes_a_key(was)) =>
        {
            ui::did(
                Some(&row.id),
                done,
                format!("{}: the key was typed; it is blocked ({}) until its screen is seen", row.id, blocked.reason),
            );
            Exit::Ok
        }
        Status::Blocked(blocked) => {
            let question = ui::plain_lines(&blocked.question);
            ui::say(format!("{}: not delivered; it is blocked ({}): {question}", row.id, blocked.reason));
            Exit::PersonNeeded
        }
        _ => {
            ui::did(Some(&row.id), done, format!("{}: {done}; it is {} now", row.id, now.status.word()));
            Exit::Ok
        }
    };
    if matches!(now.status, Status::Running(_) | Status::Queued { .. } | Status::Blocked(_)) {
        ui::notice("nobody is watching: no supervisor runs");
        ui::say_hint("autodo dispatch goes on with it; autodo tick looks once");
    }
    Ok(exit)
}

/// A live dialog or permission takes one key, and stays until its screen is looked at again.
fn takes_a_key(blocked: &Blocked) -> bool {
    blocked.live && matches!(blocked.reason.as_str(), "permission" | "dialog")
}
