//! Notices as messages: a title, a body, JSON for programs, and the requests that services take.

use serde_json::{Value, json};

use super::harmless::{plain, plain_lines};
use crate::domain::{
    channel::Channel,
    notice::{Kind, Notice, Severity, cut},
};

/// Longest title, in characters: what Pushover takes.
const TITLE: usize = 250;

/// Notices that a digest lists.
const LISTED: usize = 20;

/// What is sent: one notice, or several as a digest. Its texts are harmless for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub title: String,
    /// Lines.
    pub body: String,
    /// The severest of what is in it.
    pub severity: Severity,
    /// What is in it; never empty.
    pub notices: Vec<Notice>,
}

/// The kinds as a digest counts them: one, and several.
const COUNTED: [(Kind, &str, &str); 5] = [
    (Kind::Blocked, "blocked", "blocked"),
    (Kind::Failed, "failed", "failed"),
    (Kind::Parked, "parked", "parked"),
    (Kind::Review, "to review", "to review"),
    (Kind::Summary, "dispatch ended", "dispatches ended"),
];

impl Message {
    /// The message of some notices, which are not none.
    #[must_use]
    pub fn of(notices: Vec<Notice>) -> Self {
        let severity = notices.iter().map(|notice| notice.kind.severity()).max().unwrap_or(Severity::Review);
        let (title, body) = match notices.as_slice() {
            [one] => (plain(&one.headline()), single(one)),
            several => digest(several),
        };
        Self { title: cut(&title, TITLE), body, severity, notices }
    }

    /// As programs read it.
    #[must_use]
    pub fn json(&self) -> Value {
        let notice = |notice: &Notice| {
            json!({
                "id": notice.id,
                "kind": notice.kind.word(),
                "ticket": notice.ticket,
                "title": notice.title,
                "project": notice.project,
                "text": notice.text,
                "command": notice.command,
                "at": notice.at,
            })
        };
        json!({
            "version": 1,
            "title": self.title,
            "body": self.body,
            "severity": self.severity.word(),
            "notices": self.notices.iter().map(notice).collect::<Vec<_>>(),
        })
    }

    /// The fields that a command finds in its environment.
    #[must_use]
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let first = self.notices.first();
        let one = first.filter(|_| self.notices.len() == 1);
        let of = |field: fn(&Notice) -> String| one.map(field).unwrap_or_default();
        vec![
            ("NOTICE_TITLE", self.title.clone()),
            ("NOTICE_BODY", self.body.clone()),
            ("NOTICE_SEVERITY", self.severity.word().to_owned()),
            ("NOTICE_COUNT", self.notices.len().to_string()),
            ("NOTICE_KIND", one.map_or("digest", |notice| notice.kind.word()).to_owned()),
            ("NOTICE_TICKET", of(|notice| notice.ticket.as_ref().map(ToString::to_string).unwrap_or_default())),
            ("NOTICE_PROJECT", of(|notice| plain(&notice.project))),
            ("NOTICE_COMMAND", of(|notice| plain(&notice.command))),
        ]
    }

    /// Title and body in one text of at most so many characters.
    fn whole(&self, most: usize) -> String {
        cut(&format!("{}\n{}", self.title, self.body), most)
    }
}

fn single(notice: &Notice) -> String {
    let place = match (&notice.ticket, notice.project.as_str()) {
        (Some(ticket), "") => ticket.to_string(),
        (Some(ticket), project) => format!("{ticket} of {}", plain(project)),
        (None, _) => String::new(),
    };
    let parts = [place, plain_lines(&notice.text), plain(&notice.command)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn digest(notices: &[Notice]) -> (String, String) {
    let count = |kind: Kind| notices.iter().filter(|notice| notice.kind == kind).count();
    let counts: Vec<String> = COUNTED
        .iter()
        .map(|(kind, one, many)| (count(*kind), one, many))
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }))
        .collect();
    let mut sorted: Vec<&Notice> = notices.iter().collect();
    sorted.sort_by_key(|notice| (std::cmp::Reverse(notice.kind.severity()), notice.at));
    let line = |notice: &&Notice| {
        let id = notice.ticket.as_ref().map(|ticket| format!("{ticket}: ")).unwrap_or_default();
        let first = plain(notice.text.lines().next().unwrap_or_default());
        let more = if first.is_empty() { String::new() } else { format!(" ({})", cut(&first, 100)) };
        format!("{id}{}{more}", plain(&notice.headline()))
    };
    let mut lines: Vec<String> = sorted.iter().take(LISTED).map(line).collect();
    if sorted.len() > LISTED {
        lines.push(format!("and {} more", sorted.len() - LISTED));
    }
    lines.push("autodo summary".to_owned());
    (format!("autodo: {}", counts.join(", ")), lines.join("\n"))
}

/// A request to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where to; may hold a secret.
    pub url: String,
    /// Names and values; may hold secrets.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: String,
}

/// The request that tells `channel` the message; `secret` is the one that it needs. `None`: the channel takes none.
#[must_use]
pub fn request(channel: &Channel, message: &Message, secret: Option<&str>) -> Option<Request> {
    let secret = secret.unwrap_or_default();
    let urgent = message.severity == Severity::Urgent;
    let mut headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
    let (url, body) = match channel {
        Channel::Ntfy { url, token } => {
            if token.is_some() {
                headers.push(("Authorization".to_owned(), format!("Bearer {secret}")));
            }
            // As JSON it goes to the server itself, with the topic in it: a header could not hold every title.
            let (server, topic) = url.trim_end_matches('/').rsplit_once('/').unwrap_or((url, ""));
            let (priority, tag) = if urgent { (4, "warning") } else { (3, "white_check_mark") };
            let body = json!({
                "topic": topic, "title": message.title, "message": cut(&message.body, 3_000),
                "priority": priority, "tags": [tag],
            });
            (format!("{server}/"), body)
        }
        Channel::Slack { .. } => {
            // Source: docs.slack.dev/messaging/formatting-message-text: these three are all that is escaped.
            let text = message.whole(3_000).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            (secret.to_owned(), json!({ "text": text }))
        }
        Channel::Discord { .. } => {
            // 2,000 characters are the limit; nobody is pinged by what stands in a text.
            (secret.to_owned(), json!({ "content": message.whole(1_900), "allowed_mentions": { "parse": [] } }))
        }
        Channel::Telegram { url, chat, .. } => {
            let url = format!("{}/bot{secret}/sendMessage", url.trim_end_matches('/'));
            let body = json!({
                "chat_id": chat, "text": message.whole(4_000), "disable_notification": !urgent,
                "link_preview_options": { "is_disabled": true },
            });
            (url, body)
        }
        Channel::Pushover { url, user, .. } => {
            let body = json!({
                "token": secret, "user": user, "title": message.title, "message": cut(&message.body, 1_000),
                "priority": i32::from(urgent),
            });
            (url.clone(), body)
        }
        Channel::Command { .. } | Channel::Apprise { .. } | Channel::Desktop => return None,
    };
    Some(Request { url, headers, body: body.to_string() })
}

/// A request as the configuration that curl reads from its standard input: so neither address nor secret stands in an
/// argument list. Source: curl(1) of 7.88, "--config".
#[must_use]
pub fn curl_config(request: &Request, limit_s: u64) -> String {
    let mut lines = vec![
        "silent".to_owned(),
        "show-error".to_owned(),
        "globoff".to_owned(),
        format!("max-time = {limit_s}"),
        "proto = \"=http,https\"".to_owned(),
        "request = \"POST\"".to_owned(),
        format!("user-agent = \"autodo/{}\"", env!("CARGO_PKG_VERSION")),
        "write-out = \"\\n%{http_code}\"".to_owned(),
        format!("url = {}", quoted(&request.url)),
        format!("data-raw = {}", quoted(&request.body)),
    ];
    lines.extend(
        request.headers.iter().map(|(name, value)| format!("header = {}", quoted(&format!("{name}: {value}")))),
    );
    lines.join("\n") + "\n"
}

/// A value in quotes, as curl's configuration has it; control characters are left out but for those that it can name.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{channel::Secret, samples};

    fn notice(ticket: &str, kind: Kind, text: &str) -> Notice {
        Notice {
            id: ticket.to_owned(),
            kind,
            ticket: Some(samples::id(ticket)),
            title: format!("title of {ticket}"),
            project: "proj".to_owned(),
            text: text.to_owned(),
            command: format!("autodo answer {ticket} \"…\""),
            at: samples::time(1),
        }
    }

    #[test]
    fn one_notice_is_told_whole_and_harmless() {
        let message = Message::of(vec![notice("T-1", Kind::Blocked, "Which\u{1b}[31m colour?\nred or blue")]);
        assert_eq!(message.title, "BLOCKED: title of T-1 ⚠️");
        assert_eq!(message.body, "T-1 of proj\nWhich [31m colour?\nred or blue\nautodo answer T-1 \"…\"");
        assert_eq!(message.json()["notices"][0]["ticket"], "T-1");
        assert!(message.fields().contains(&("NOTICE_KIND", "blocked".to_owned())));
    }

    #[test]
    fn several_become_one_digest_with_the_urgent_ones_first() {
        let message = Message::of(vec![
            notice("T-1", Kind::Review, "risk low"),
            notice("T-2", Kind::Blocked, "Which?\nmore"),
            notice("T-3", Kind::Review, ""),
        ]);
        assert_eq!(message.title, "autodo: 1 blocked, 2 to review");
        let expected = "T-2: BLOCKED: title of T-2 ⚠️ (Which?)\nT-1: REVIEW: title of T-1 ✅ (risk low)\n\
                        T-3: REVIEW: title of T-3 ✅\nautodo summary";
        assert_eq!(message.body, expected);
        assert_eq!(message.severity, Severity::Urgent);
        assert!(message.fields().contains(&("NOTICE_KIND", "digest".to_owned())));
    }

    #[test]
    fn the_configuration_of_curl_cannot_be_left_by_a_text() {
        let request = Request {
            url: "http://x/\"\nurl = \"http://evil".to_owned(),
            headers: vec![("A".to_owned(), "b\r\nC: d".to_owned())],
            body: "a\\\"b\u{0}".to_owned(),
        };
        let config = curl_config(&request, 7);
        assert_eq!(config.lines().filter(|line| line.starts_with("url")).count(), 1, "{config}");
        assert!(config.contains("url = \"http://x/\\\"\\nurl = \\\"http://evil\"\n"), "{config}");
        assert!(config.contains("data-raw = \"a\\\\\\\"b\"\n"), "{config}");
        assert!(config.contains("header = \"A: b\\r\\nC: d\"\n") && config.contains("max-time = 7\n"), "{config}");
    }

    #[test]
    fn no_text_pings_anybody_or_is_longer_than_a_service_takes() {
        let long = "x".repeat(9_000);
        let message = Message::of(vec![notice("T-1", Kind::Failed, &format!("<!channel> @everyone & {long}"))]);
        let slack = Channel::Slack { url: Secret::Variable("X".to_owned()) };
        let sent = request(&slack, &message, Some("http://x/hook")).unwrap();
        assert_eq!(sent.url, "http://x/hook");
        assert!(sent.body.contains("&lt;!channel&gt;") && sent.body.len() < 3_500, "{}", sent.body);
        let discord = Channel::Discord { url: Secret::Variable("X".to_owned()) };
        let body: Value = serde_json::from_str(&request(&discord, &message, Some("u")).unwrap().body).unwrap();
        assert_eq!(body["allowed_mentions"]["parse"], json!([]));
        assert!(body["content"].as_str().unwrap().chars().count() <= 2_000);
        assert_eq!(request(&Channel::Desktop, &message, None), None);
    }
}
