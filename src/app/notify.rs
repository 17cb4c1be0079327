//! Notifications, put together: what a user's settings ask for, the task beside a supervisor, and the few things that
//! commands do themselves.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{error::AppError, intake, open::App, summary::Page};
use crate::{
    adapters::notify::Post,
    config::{Settings, Sourced},
    domain::{
        channel::{Channel, NAMES, Secret},
        id::TicketId,
        notice::{Kind, Notice, Quiet, Severity},
        schedule::Rows,
        todo::Item,
    },
    ports::notifier::Notifier,
    supervisor::notices::{self, Needs, Postman, Reporter, WantsTodo, Wishes},
};

/// Longest that the end of a dispatch or a command waits for what is being sent.
pub const GRACE: Duration = Duration::from_secs(15);

/// Reads what a user's settings ask for. `home`: where relative paths begin.
///
/// # Errors
/// A channel is not known, or lacks what it needs.
pub fn wishes(settings: &Settings, home: &Path) -> Result<Wishes, AppError> {
    let mut channels: Vec<Channel> = Vec::new();
    for name in &settings.notify_channels.value {
        let channel = channel(settings, name, home)?;
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }
    let from = match settings.notify_from.value.as_str() {
        "urgent" => Severity::Urgent,
        "review" => Severity::Review,
        other => {
            return Err(AppError::usage(format!(
                "notify.from = {other:?} ({}) is no severity",
                settings.notify_from.origin
            ))
            .hint("it is \"urgent\" or \"review\""));
        }
    };
    let quiet = match &settings.notify_quiet.value {
        None => None,
        Some(text) => Some(Quiet::parse(text).ok_or_else(|| {
            AppError::usage(format!("notify.quiet = {text:?} ({}) are no times of day", settings.notify_quiet.origin))
                .hint("for example notify.quiet = \"22:00-07:00\"")
        })?),
    };
    Ok(Wishes { channels, from, quiet, badge: settings.notify_badge.value })
}

/// The channel `name` as set.
fn channel(settings: &Settings, name: &str, home: &Path) -> Result<Channel, AppError> {
    let lacks = |setting: &str| {
        AppError::usage(format!("the channel {name} needs {setting}, which is not set"))
            .hint(format!("set it in {}", home.join("config.toml").display()))
    };
    let text = |set: &Sourced<Option<String>>, setting: &str| set.value.clone().ok_or_else(|| lacks(setting));
    let secret = |variable: &Sourced<Option<String>>, file: &Sourced<Option<PathBuf>>| {
        let of_file = || file.value.as_ref().map(|path| Secret::File(home.join(path)));
        variable.value.clone().map(Secret::Variable).or_else(of_file)
    };
    let s = settings;
    Ok(match name {
        "command" => Channel::Command { line: text(&s.notify_command, "notify.command")? },
        "ntfy" => Channel::Ntfy {
            url: text(&s.notify_ntfy_url, "notify.ntfy.url")?,
            token: secret(&s.notify_ntfy_token_env, &s.notify_ntfy_token_file),
        },
        "slack" => Channel::Slack {
            url: secret(&s.notify_slack_url_env, &s.notify_slack_url_file)
                .ok_or_else(|| lacks("notify.slack.url_file or url_env"))?,
        },
        "discord" => Channel::Discord {
            url: secret(&s.notify_discord_url_env, &s.notify_discord_url_file)
                .ok_or_else(|| lacks("notify.discord.url_file or url_env"))?,
        },
        "telegram" => Channel::Telegram {
            url: s.notify_telegram_url.value.clone(),
            chat: text(&s.notify_telegram_chat, "notify.telegram.chat")?,
            token: secret(&s.notify_telegram_token_env, &s.notify_telegram_token_file)
                .ok_or_else(|| lacks("notify.telegram.token_file or token_env"))?,
        },
        "pushover" => Channel::Pushover {
            url: s.notify_pushover_url.value.clone(),
            user: text(&s.notify_pushover_user, "notify.pushover.user")?,
            token: secret(&s.notify_pushover_token_env, &s.notify_pushover_token_file)
                .ok_or_else(|| lacks("notify.pushover.token_file or token_env"))?,
        },
        "apprise" => Channel::Apprise {
            config: home.join(s.notify_apprise_config.value.clone().ok_or_else(|| lacks("notify.apprise.config"))?),
        },
        "desktop" => Channel::Desktop,
        other => {
            return Err(AppError::usage(format!("notify.channels: there is no channel {other:?}"))
                .hint(format!("there are {}", NAMES.join(", "))));
        }
    })
}

/// The channel that a person names, as set, whether it stands among `notify.channels` or not.
///
/// # Errors
/// See [`wishes`].
pub fn named(app: &App, name: &str) -> Result<Channel, AppError> {
    channel(&intake::settings(app, None, vec![])?, name, app.home.root())
}

/// The user's own settings, and what they ask for.
///
/// # Errors
/// A setting is wrong.
pub fn set(app: &App) -> Result<(Settings, Wishes), AppError> {
    let settings = intake::settings(app, None, vec![])?;
    let wishes = wishes(&settings, app.home.root())?;
    Ok((settings, wishes))
}

/// Who tells, with the time limit of the settings. `on_terminal`: the badge also goes to the terminal of this process.
#[must_use]
pub fn post(app: &App, settings: &Settings, on_terminal: bool) -> Post {
    let limit = Duration::from_secs(settings.notify_limit.value.0);
    Post::new(app.home.clone(), app.tmux.clone(), limit, on_terminal)
}

fn needs(app: &App, settings: &Settings, wishes: Wishes, on_terminal: bool) -> Needs {
    let home = app.home.root().to_owned();
    let todo: WantsTodo = Arc::new(move |repo: &Path| wants_todo(&home, repo));
    Needs { wishes, notifier: Arc::new(post(app, settings, on_terminal)), clock: app.world.clock.clone(), todo }
}

fn wants_todo(home: &Path, repo: &Path) -> bool {
    match intake::settings_at(home, Some(repo), vec![]) {
        Ok(settings) => settings.notify_todo.value,
        Err(error) => {
            tracing::warn!(repo = %repo.display(), %error, "whether TODO.md is kept is not known");
            false
        }
    }
}

/// Begins to tell, beside a supervisor.
///
/// # Errors
/// A setting is wrong.
pub fn begin(app: &App, rows: &Rows) -> Result<(Postman, Reporter), AppError> {
    let (settings, wishes) = set(app)?;
    let needs = needs(app, &settings, wishes, true);
    Ok(Postman::begin(needs, rows))
}

/// Sends what still waits.
///
/// # Errors
/// A setting is wrong, or something still waits.
pub async fn flush(app: &App) -> Result<(), AppError> {
    tell(app, None).await
}

async fn tell(app: &App, notice: Option<&Notice>) -> Result<(), AppError> {
    let (settings, wishes) = set(app)?;
    notices::tell(needs(app, &settings, wishes, false), notice, GRACE).await.map_err(|why| {
        AppError::new(format!("not everything was sent: {}", why.join("; ")))
            .hint("it is tried again at the next dispatch or tick, and by autodo notify flush; autodo doctor looks at the channels")
    })
}

/// Sends the page of a dispatch in short, where that is wished.
///
/// # Errors
/// A setting is wrong, or it was not sent yet.
pub async fn page(app: &App, page: &Page, path: &Path) -> Result<(), AppError> {
    let (settings, wishes) = set(app)?;
    if !settings.notify_summary.value || wishes.channels.is_empty() {
        return Ok(());
    }
    let id = page.batch.clone().unwrap_or_default();
    let mut text = vec![page.totals.words()];
    text.extend(page.next.iter().cloned());
    text.push(path.display().to_string());
    let notice = Notice {
        id: format!("summary {id}"),
        kind: Kind::Summary,
        ticket: None,
        title: format!("autodo: {}", page.counts()),
        project: String::new(),
        text: text.join("\n"),
        command: "autodo summary --batch last".to_owned(),
        at: page.made,
    };
    tell(app, Some(&notice)).await
}

/// Sends a word by one channel, to try it out.
///
/// # Errors
/// It was not sent: why, without secrets.
pub async fn try_out(app: &App, settings: &Settings, channel: &Channel) -> Result<(), AppError> {
    let notice = Notice {
        id: "test".to_owned(),
        kind: Kind::Test,
        ticket: None,
        title: "autodo: this is a test".to_owned(),
        project: String::new(),
        text: format!("{} works. What needs you will come this way.", channel.name()),
        command: String::new(),
        at: app.world.clock.now(),
    };
    post(app, settings, false).send(channel, vec![notice]).await.map_err(|error| {
        AppError::new(error.to_string())
            .hint("mend its settings under [notify]: autodo config shows where they come from")
    })
}

/// After a command without a supervisor: enters in the projects' lists how these tickets stand now.
pub fn enter_todo(app: &App, rows: &Rows, tickets: &[TicketId]) {
    for row in tickets.iter().filter_map(|id| rows.get(id)) {
        if !wants_todo(app.home.root(), &row.repo) {
            continue;
        }
        let post = Post::new(app.home.clone(), app.tmux.clone(), GRACE, false);
        if let Err(why) = post.todo(&row.repo, &[Item::of(row)]) {
            tracing::warn!(%why, "TODO.md is not up to date");
        }
    }
}
