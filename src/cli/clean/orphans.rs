//! `autodo clean --orphans`: what is autodo's and nobody's any more, listed, and taken away on a word.

use serde_json::{Value, json};

use crate::{
    app::{
        App, AppError, Exit,
        api::{ApiReply, ApiRequest},
        orphans::{self, Found, Gone, Orphan, Orphans},
    },
    cli::{
        context::{Context, meet},
        find::rows,
        json::{document, is_on},
        ui,
    },
};

/// What became of one.
enum Became {
    /// Nothing: it was only listed, it is to be left, or it could not be taken away.
    Nothing,
    /// It is gone.
    Gone(Gone),
}

/// Lists orphans; with `acts` takes away those that are surely autodo's.
///
/// # Errors
/// The queue cannot be read.
pub async fn run(context: &Context, app: &App, acts: bool, is_dry: bool) -> Result<Exit, AppError> {
    // Ignored: outside a project, those of the queue are looked at.
    let here = context.project(app).await.ok();
    let places = orphans::places(&app.git, &app.home, &rows(app)?, here.as_ref()).await;
    let all = orphans::find(&app.home, &app.git, &app.tmux, &places, async || rows(app)).await?;
    let mut exits = vec![Exit::Ok];
    for unseen in &all.unseen {
        exits.push(Exit::Error);
        let why = format!("cannot look for a {} that is left over: {}", unseen.kind, unseen.why);
        ui::error(&AppError::new(why).hint("autodo doctor looks at what is the matter"));
    }
    let mut done = Vec::new();
    for found in &all.found {
        say(found, acts);
        let became = match acts && found.left.is_none() {
            true => take(app, found).await.unwrap_or_else(|error| {
                exits.push(error.exit);
                ui::error(&error);
                Became::Nothing
            }),
            false => Became::Nothing,
        };
        done.push(value(found, &became));
    }
    if is_on() {
        let unseen: Vec<Value> = all.unseen.iter().map(|u| json!({ "kind": u.kind, "why": u.why })).collect();
        document(&json!({ "version": 1, "orphans": done, "unseen": unseen }));
    }
    conclude(&all, acts, is_dry);
    Ok(Exit::first_of(exits))
}

fn conclude(all: &Orphans, acts: bool, is_dry: bool) {
    if all.found.is_empty() && all.unseen.is_empty() {
        ui::say("nothing is left over");
    } else if !acts && !is_dry && all.found.iter().any(|found| found.left.is_none()) {
        ui::say_hint("nothing was changed: the same with --yes takes it away");
    }
}

fn say(found: &Found, acts: bool) {
    if is_on() {
        return;
    }
    let what = ui::plain(&found.what);
    match &found.left {
        Some(left) => {
            ui::out(format!("left: {what}"));
            ui::out(format!("  {}: {}", ui::plain(&left.why), ui::plain(&left.by_hand)));
        }
        None => ui::out(format!("{}: {what}", if acts { "remove" } else { "would remove" })),
    }
}

async fn take(app: &App, found: &Found) -> Result<Became, AppError> {
    let met = meet(app, vec![ApiRequest::Discard { orphan: found.orphan.clone() }]).await?;
    let gone = match met.replies.into_iter().next() {
        Some(ApiReply::Discarded { gone: Some(gone) }) => gone,
        Some(ApiReply::Refused { why, hint } | ApiReply::Failed { why, hint }) => {
            return Err(AppError::new(why).hint(hint));
        }
        Some(ApiReply::Discarded { gone: None } | ApiReply::Done { .. } | ApiReply::Accepted { .. }) | None => {
            ui::say("it is gone already, or a ticket's again");
            return Ok(Became::Nothing);
        }
    };
    if let Some(name) = gone.rescue.as_ref().filter(|_| !is_on()) {
        ui::out(format!("  its work is kept in {name}"));
        let short = name.trim_start_matches("refs/autodo/rescue/");
        ui::say_hint(&format!("autodo rescue restore {short} brings it back"));
    }
    gone.left.iter().for_each(ui::say);
    Ok(Became::Gone(gone))
}

/// One orphan for programs.
fn value(found: &Found, became: &Became) -> Value {
    let (removed, rescue) = match became {
        Became::Nothing => (false, None),
        Became::Gone(gone) => (true, gone.rescue.as_deref()),
    };
    let (mut session, mut path, mut pids) = (None, None, None);
    match &found.orphan {
        Orphan::Session { session: name, .. } => session = Some(name),
        Orphan::Processes { launch, pids: of } => {
            path = Some(launch);
            pids = Some(of);
        }
        Orphan::Worktree { path: at, .. } | Orphan::Folder { path: at } => path = Some(at),
    }
    json!({
        "kind": found.orphan.kind(),
        "ticket": found.ticket,
        "what": found.what,
        "session": session,
        "path": path,
        "pids": pids,
        "left": found.left.as_ref().map(|left| &left.why),
        "by_hand": found.left.as_ref().map(|left| &left.by_hand),
        "removed": removed,
        "rescue": rescue,
    })
}
