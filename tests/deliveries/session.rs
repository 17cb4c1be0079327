//! One live session that is given one text after the other: what the books say of each, and what its model got.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{stage::Stage, texts::Text};

/// Longest time for one delivery, and for a session to be ready for the next.
const PATIENCE: Duration = Duration::from_secs(180);

/// What became of one text.
pub struct Delivered {
    /// The text.
    pub text: Text,
    /// `answer` or `send`.
    pub verb: &'static str,
    /// The books say that the agent has it.
    pub submitted: bool,
    /// What a person was told instead.
    pub told: Option<String>,
    /// Seconds from the commit that calls for the paste to the one that says it was submitted.
    pub seconds: Option<f64>,
    /// How often its model got it.
    pub arrived: usize,
}

/// Where a session is.
enum Now {
    /// It is at work, or begins.
    Busy,
    /// It looked idle.
    Idle(Instant),
    /// A text is on its way: since when, and how many lines its `events.jsonl` had before.
    Delivering(Instant, usize),
    /// All is delivered, or it goes no further.
    Over,
}

/// A session, and the texts for it.
pub struct Session {
    /// Its ticket.
    pub id: String,
    left: Vec<Text>,
    now: Now,
    since: Instant,
    /// What was delivered, in order.
    pub done: Vec<Delivered>,
}

impl Session {
    /// The session of ticket `id`, for `texts` in their order.
    pub fn new(id: &str, mut texts: Vec<Text>) -> Self {
        texts.reverse();
        Self { id: id.to_owned(), left: texts, now: Now::Busy, since: Instant::now(), done: vec![] }
    }

    /// True once nothing more is to be done with it.
    pub fn is_over(&self) -> bool {
        matches!(self.now, Now::Over)
    }

    /// One step, as far as the session has got. `row` is its row of the list, `title` its pane's.
    pub fn go_on(&mut self, stage: &Stage, row: &Value, title: &str) {
        let reason = row["reason"].as_str().unwrap_or_default();
        match self.now {
            Now::Over => return,
            Now::Delivering(since, before) => {
                let lines = self.lines(stage);
                let end = lines.iter().skip(before).find(|line| is_end(line)).cloned();
                let Some(end) = end else {
                    if since.elapsed() > PATIENCE {
                        self.record(&lines[before..], None);
                        self.give_up(&format!("nothing after {PATIENCE:?}"));
                    }
                    return;
                };
                self.record(&lines[before..], Some(&end));
                if !is_good(&end) {
                    return self.give_up(&end.to_string());
                }
                self.turn(Now::Busy);
                if self.left.is_empty() {
                    self.turn(Now::Over);
                }
            }
            // A spinner in the title: both agents show one for as long as they work.
            Now::Busy | Now::Idle(_) => {
                let is_busy = title.starts_with(|first| ('\u{2801}'..='\u{28ff}').contains(&first));
                let takes = row["status"] == "blocked" && reason == "question"
                    || row["status"] == "running" && reason == "working" && !self.done.is_empty();
                match self.now {
                    Now::Idle(seen) if takes && !is_busy => {
                        if seen.elapsed() > Duration::from_millis(300) {
                            self.deliver(stage, if row["status"] == "blocked" { "answer" } else { "send" });
                        }
                    }
                    _ if takes && !is_busy && !self.is_early(stage) => self.now = Now::Idle(Instant::now()),
                    _ => self.now = Now::Busy,
                }
                if self.since.elapsed() > PATIENCE {
                    self.give_up(&format!("it was not ready for the next one: {row}, title {title:?}"));
                }
            }
        }
    }

    /// True until the model was asked for the last text that was delivered.
    fn is_early(&self, stage: &Stage) -> bool {
        let Some(last) = self.done.last() else { return false };
        !stage.model.requests(&self.id).iter().any(|asked| last.text.is(&asked["prompt"]))
    }

    fn deliver(&mut self, stage: &Stage, verb: &'static str) {
        let Some(text) = self.left.pop() else { return self.turn(Now::Over) };
        let before = self.lines(stage).len();
        let given = text.given.clone();
        self.done.push(Delivered { text, verb, submitted: false, told: None, seconds: None, arrived: 0 });
        let said = stage.world.command(&[verb, &self.id, "-"]).in_dir(&stage.repo).stdin(given).run();
        if said.code == 0 {
            self.turn(Now::Delivering(Instant::now(), before));
        } else {
            self.give_up(&said.both());
        }
    }

    /// Notes what the books say of the newest delivery: `lines` since it was asked for, and the one that ended it.
    fn record(&mut self, lines: &[Value], end: Option<&Value>) {
        let Some(delivered) = self.done.last_mut() else { return };
        let at = |line: &Value| autodo::format::time::parse_stamp(line["at"].as_str()?).ok();
        let begun = lines.iter().find(|line| line["reason"] == "pasting").and_then(at);
        delivered.submitted = end.is_some_and(is_good);
        if let (Some(begun), Some(ended)) = (begun, end.and_then(at)) {
            delivered.seconds = Some(ended.duration_since(begun).as_secs_f64());
        }
    }

    fn give_up(&mut self, why: &str) {
        if let Some(delivered) = self.done.last_mut() {
            delivered.told = Some(why.to_owned());
        }
        eprintln!("{}: {why}", self.id);
        self.turn(Now::Over);
    }

    fn turn(&mut self, now: Now) {
        self.now = now;
        self.since = Instant::now();
    }

    fn lines(&self, stage: &Stage) -> Vec<Value> {
        let text = stage.world.file(&format!("{}/events.jsonl", self.id));
        // The last one may be half written.
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Counts what its model got. Returns what came that nobody delivered.
    pub fn judge(&mut self, stage: &Stage) -> Vec<String> {
        let asked = stage.model.requests(&self.id);
        let heard = |asked: &Value| -> Vec<(u64, u64)> {
            let all = asked["heard"].as_array().into_iter().flatten();
            all.map(|one| (one[0].as_u64().unwrap_or(0), one[1].as_u64().unwrap_or(0))).collect()
        };
        let mark = |text: &str| (text.len() as u64, u64::from(crc32fast::hash(text.as_bytes())));
        let first = asked.first().map(heard).unwrap_or_default();
        let mut rest = asked.iter().map(heard).max_by_key(Vec::len).unwrap_or_default().split_off(first.len());
        let mut strange = vec![];
        for delivered in &mut self.done {
            let marks: Vec<_> = delivered.text.arrives.iter().map(|text| mark(text)).collect();
            delivered.arrived = rest.iter().filter(|heard| marks.contains(heard)).count();
            rest.retain(|heard| !marks.contains(heard));
            // The whole text, not only its sum.
            if delivered.arrived > 0 && !asked.iter().any(|one| delivered.text.is(&one["prompt"])) {
                strange.push(format!("{}: the text of {} bytes has another content", self.id, marks[0].0));
            }
        }
        for (bytes, sum) in rest {
            let which = asked.iter().find(|one| mark(one["prompt"].as_str().unwrap_or_default()) == (bytes, sum));
            let text = which.map(|one| one["prompt"].to_string()).unwrap_or_default();
            strange.push(format!("{}: {bytes} bytes that nobody delivered: {:?}", self.id, ends(&text)));
        }
        strange
    }
}

/// True for the line that says how a delivery ended.
fn is_end(line: &Value) -> bool {
    matches!(line["event"].as_str(), Some("submitted" | "unverified")) || line["to"] == "blocked"
}

/// True if that line says that the agent has the text. One that is quick may ask its next question before it was seen
/// to begin: that is proof as well.
fn is_good(line: &Value) -> bool {
    line["event"] == "submitted" || (line["event"] == "reported" && line["report"]["kind"] == "blocked")
}

/// A text's beginning and end.
pub fn ends(text: &str) -> String {
    let all: Vec<char> = text.chars().collect();
    if all.len() <= 120 {
        return text.to_owned();
    }
    format!("{} … {}", all[..60].iter().collect::<String>(), all[all.len() - 60..].iter().collect::<String>())
}
