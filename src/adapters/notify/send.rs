//! One message by one channel, the badge, and the file of what is still to be told.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    program::{self, Said},
    terminal::Terminal,
    todo,
};
use crate::{
    adapters::{
        env,
        fs::{self, Sync},
        home::Home,
        tmux::Tmux,
    },
    domain::{
        channel::{Channel, Secret},
        mailbox::{self, Mailbox},
        notice::{Notice, Severity, cut},
        observed::Observed,
        todo::Item,
    },
    format::{
        harmless::{html, plain},
        message::{self, Message},
        redact::{Redactor, SECRET},
    },
    ports::{
        Work,
        notifier::{Badge, NotTold, Notifier},
    },
};

/// Longest secret, in bytes.
const LONGEST_SECRET: u64 = 16 * 1024;
/// Longest reason for a failure, in characters.
const REASON: usize = 300;
/// Time beyond a channel's own limit after which its program is ended.
const GRACE: Duration = Duration::from_secs(2);

/// Tells a person.
pub struct Post {
    home: Home,
    tmux: Arc<Tmux>,
    limit: Duration,
    terminal: Option<Terminal>,
}

/// The secret that lies there.
///
/// # Errors
/// It cannot be read, or there is nothing: in words.
pub fn secret(of: &Secret) -> Result<String, String> {
    let text = match of {
        Secret::Variable(name) => env::var(name)
            .ok_or_else(|| format!("the variable {name} is not set"))?
            .into_string()
            .map_err(|_| format!("the variable {name} is not UTF-8"))?,
        Secret::File(path) => {
            let bytes = fs::look_tail(path, LONGEST_SECRET);
            match bytes {
                Observed::Present((0, bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
                Observed::Present(_) => return Err(format!("{} is too long for a secret", path.display())),
                Observed::Absent => return Err(format!("{} is not there", path.display())),
                Observed::Unknown(why) => return Err(why),
            }
        }
    };
    let first = text.lines().next().unwrap_or_default().trim().to_owned();
    if first.is_empty() { Err(format!("{of} holds nothing")) } else { Ok(first) }
}

/// A reason in one line, without the secret and whatever else looks like one.
fn reason(text: &str, secret: Option<&str>) -> String {
    let text = match secret.filter(|secret| !secret.is_empty()) {
        Some(secret) => text.replace(secret, SECRET),
        None => text.to_owned(),
    };
    let line = plain(text.trim()).split_whitespace().collect::<Vec<_>>().join(" ");
    // Where nothing can be taken out, nothing is told.
    let safe = Redactor::new([]).map_or_else(|_| "it failed".to_owned(), |redactor| redactor.text(&line));
    cut(&safe, REASON)
}

impl Post {
    /// For a home and its tmux; `limit`: the longest time for one message; `on_terminal`: the badge is also shown on the
    /// terminal of this process, if it has one.
    #[must_use]
    pub fn new(home: Home, tmux: Arc<Tmux>, limit: Duration, on_terminal: bool) -> Self {
        Self { home, tmux, limit, terminal: on_terminal.then(Terminal::new) }
    }

    fn file(&self) -> PathBuf {
        self.home.notices()
    }

    async fn by(&self, channel: &Channel, message: &Message) -> Result<(), NotTold> {
        let failed = |why: String, for_good: bool| NotTold { channel: channel.name(), why, for_good };
        let secret = channel.secret().map(secret).transpose().map_err(|why| failed(why, false))?;
        let secret = secret.as_deref();
        if let Some(request) = message::request(channel, message, secret) {
            let config = message::curl_config(&request, self.limit.as_secs().max(1));
            // `-q` first: nothing of the user's ~/.curlrc.
            let said = program::run(&["curl", "-q", "--config", "-"], &[], &config, self.limit + GRACE).await;
            return answered(&said.map_err(|why| failed(why, false))?)
                .map_err(|(why, for_good)| failed(reason(&why, secret), for_good));
        }
        let json = message.json().to_string() + "\n";
        let said = match channel {
            Channel::Command { line } => program::run(&["sh", "-c", line], &message.fields(), &json, self.limit).await,
            Channel::Apprise { config } => {
                // All in the body: what stands in an argument list, every user of the machine can read.
                let config = config.to_string_lossy();
                let body = format!("{}\n{}\n", message.title, message.body);
                program::run(&["apprise", "--config", &config, "--input-format", "text"], &[], &body, self.limit).await
            }
            _ => {
                let urgency = if message.severity == Severity::Urgent { "critical" } else { "normal" };
                let body = html(&message.body);
                let argv = ["notify-send", "--app-name=autodo", "--urgency", urgency, "--", &message.title, &body];
                program::run(&argv, &[], "", self.limit).await
            }
        }
        .map_err(|why| failed(reason(&why, None), false))?;
        match said.is_ok {
            true => Ok(()),
            false => {
                let words = if said.err.trim().is_empty() { &said.out } else { &said.err };
                Err(failed(reason(&format!("{} failed: {words}", channel.program()), None), false))
            }
        }
    }
}

/// What curl came to: its own failure, or the status of the answer. With the reason comes whether it is one for good.
fn answered(said: &Said) -> Result<(), (String, bool)> {
    if !said.is_ok {
        return Err((said.err.clone(), false));
    }
    let (body, status) = said.out.rsplit_once('\n').unwrap_or(("", &said.out));
    match status.trim().parse::<u16>() {
        Ok(200..=299) => Ok(()),
        // Too slow, too early, too many: the same request may do later. Other refusals stay.
        Ok(status @ (408 | 425 | 429)) => Err((format!("the server said {status}: {body}"), false)),
        Ok(status @ 400..=499) => Err((format!("the server said {status}: {body}"), true)),
        Ok(status) => Err((format!("the server said {status}: {body}"), false)),
        Err(_) => Err(("curl did not tell what the server said".to_owned(), false)),
    }
}

impl Notifier for Post {
    fn send<'a>(&'a self, channel: &'a Channel, notices: Vec<Notice>) -> Work<'a, Result<(), NotTold>> {
        Box::pin(async move { self.by(channel, &Message::of(notices)).await })
    }

    fn badge<'a>(&'a self, badge: &'a Badge) -> Work<'a, ()> {
        Box::pin(async move {
            if let Some(terminal) = &self.terminal {
                terminal.show(badge);
            }
            let text = cut(&plain(&badge.text), 200);
            let values = [
                ("@autodo_badge", text),
                ("@autodo_review", badge.review.to_string()),
                ("@autodo_blocked", badge.blocked.to_string()),
            ];
            if let Err(error) = self.tmux.set_options(&values).await {
                tracing::debug!(%error, "the badge is not shown on the tmux server");
            }
        })
    }

    fn todo(&self, repo: &Path, items: &[Item]) -> Result<(), String> {
        todo::bring_up_to_date(&repo.join("TODO.md"), items).map_err(|error| error.to_string())
    }

    fn load(&self) -> Result<Option<Mailbox>, String> {
        match fs::look_text(&self.file()) {
            Observed::Absent => Ok(None),
            Observed::Unknown(why) => Err(why),
            Observed::Present(text) => {
                let wrong = |why: String| format!("{}: {why}", self.file().display());
                let mailbox: Mailbox = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
                match mailbox.version {
                    mailbox::VERSION => Ok(Some(mailbox)),
                    newer => Err(wrong(format!("it is of another version ({newer})"))),
                }
            }
        }
    }

    fn store(&self, mailbox: &Mailbox) -> Result<(), String> {
        let text = serde_json::to_string(mailbox).map_err(|e| e.to_string())? + "\n";
        fs::write_atomic(&self.file(), text.as_bytes(), fs::PRIVATE, Sync::None).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_trying_again_is_of_use() {
        let said = |out: &str| answered(&Said { is_ok: true, out: out.to_owned(), err: String::new() });
        assert_eq!(said("{\"ok\":true}\n200"), Ok(()));
        assert_eq!(said("\n204"), Ok(()));
        for (out, for_good) in [("no such token\n401", true), ("slow down\n429", false), ("\n503", false), ("", false)]
        {
            assert_eq!(said(out).unwrap_err().1, for_good, "{out}");
        }
    }

    #[test]
    fn a_reason_holds_no_secret_wherever_it_stands_in_it() {
        let told = reason("cannot reach http://x/bot12:abcdef/send\u{1b}[0m\nfor 12:abcdef", Some("12:abcdef"));
        assert!(!told.contains("abcdef") && !told.contains(['\n', '\u{1b}']), "{told}");
        assert!(!reason("Authorization: Bearer hunter2hunter2", None).contains("hunter2"));
        assert_eq!(reason(&"x".repeat(999), None).chars().count(), REASON);
    }

    #[test]
    fn a_secret_is_the_first_line_of_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        let at = || secret(&Secret::File(path.clone()));
        assert!(at().unwrap_err().contains("not there"));
        std::fs::write(&path, " abc \nsecond\n").unwrap();
        assert_eq!(at().unwrap(), "abc");
        std::fs::write(&path, "\n").unwrap();
        assert!(at().unwrap_err().contains("holds nothing"));
        std::fs::write(&path, "x".repeat(20_000)).unwrap();
        assert!(at().unwrap_err().contains("too long"));
    }
}
