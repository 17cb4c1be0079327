//! From a request to its answer: which step, whether it fails this time, and in which API's words.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tiny_http::{Header, Request, Response, StatusCode};

use crate::{
    conversation::Conversation,
    gemini, messages, responses,
    scenario::{self, Fail, Step},
    stream::Paced,
};

/// What is remembered between requests.
pub struct Answers {
    folder: PathBuf,
    /// How often each answer of each ticket was asked for.
    tries: Mutex<BTreeMap<(String, usize), u32>>,
}

/// Which API a request is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Api {
    Messages,
    Responses,
    /// `true`: the answer is wanted as a stream.
    Gemini(bool),
}

impl Answers {
    /// With the scenarios in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, tries: Mutex::default() }
    }

    /// Answers one request. Whoever hangs up meanwhile gets nothing.
    pub fn meet(&self, mut request: Request) {
        let path = request.url().split('?').next().unwrap_or_default().to_owned();
        let api = match path.as_str() {
            "/v1/messages" => Api::Messages,
            "/v1/responses" => Api::Responses,
            other if gemini::asks(other).is_some() => Api::Gemini(gemini::asks(other) == Some(true)),
            _ => {
                // A greeting of the base address, a list of models, a look for updates.
                request.respond(Response::from_string("{}")).ok();
                return;
            }
        };
        let mut body = String::new();
        let parsed = request.as_reader().read_to_string(&mut body).map_err(|why| why.to_string());
        let asked: Value = match parsed.and_then(|_| serde_json::from_str(&body).map_err(|why| why.to_string())) {
            Ok(asked) => asked,
            Err(why) => return refuse(request, 400, "invalid_request_error", &why),
        };
        let talk = match api {
            Api::Messages => messages::conversation(&asked),
            Api::Responses => responses::conversation(&asked),
            Api::Gemini(_) => gemini::conversation(&asked),
        };
        let ticket = talk.ticket.clone().filter(|_| !talk.tools.is_empty() || talk.edits_by_words);
        let tried = self.count(ticket.as_deref().unwrap_or("-"), talk.turn);
        self.log(&path, &talk, ticket.as_deref(), tried);
        let step = match ticket.as_deref().map(|ticket| scenario::read(&self.folder, ticket)) {
            Some(Ok(scenario)) => scenario.step.get(talk.turn).cloned().unwrap_or_else(nothing_more),
            Some(Err(why)) => return refuse(request, 400, "invalid_request_error", &why),
            None => Step { say: "A title".to_owned(), ..Step::default() },
        };
        if step.wait_s > 0.0 {
            std::thread::sleep(Duration::from_secs_f64(step.wait_s));
        }
        if let Some(gate) = &step.gate {
            while !self.folder.join(gate).exists() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let fails = |fail: &&Fail| {
            (fail.times == 0 || tried <= fail.times) && (fail.until == 0 || since_1970().as_secs() < fail.until)
        };
        if let Some(fail) = step.fail.as_ref().filter(fails) {
            return failed(request, api, fail);
        }
        let pieces = match api {
            Api::Messages => messages::answer(&asked, &talk, &step),
            Api::Responses => responses::answer(&talk, &step),
            Api::Gemini(_) => gemini::answer(&talk, &step),
        };
        let is_stream = match api {
            Api::Gemini(stream) => stream,
            _ => asked.get("stream").and_then(Value::as_bool).unwrap_or(api == Api::Responses),
        };
        if !is_stream {
            let whole = match api {
                Api::Gemini(_) => gemini::whole(&talk, &step),
                _ => messages::whole(&asked, &talk, &step),
            };
            request.respond(json_response(200, &whole, std::iter::empty())).ok();
            return;
        }
        let cut = step.cut_after.filter(|_| tried == 1);
        let paced = Paced::new(pieces, Duration::from_millis(step.pace_ms), cut);
        let headers = header("content-type", "text/event-stream").into_iter().collect();
        // Ignored: the agent hung up, as it does when it is interrupted.
        request.respond(Response::new(StatusCode(200), headers, paced, None, None)).ok();
    }

    fn count(&self, ticket: &str, turn: usize) -> u32 {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let count = tries.entry((ticket.to_owned(), turn)).or_default();
        *count += 1;
        *count
    }

    fn log(&self, path: &str, talk: &Conversation, ticket: Option<&str>, tried: u32) {
        let line = json!({
            "at_ms": u64::try_from(since_1970().as_millis()).unwrap_or_default(),
            "path": path, "ticket": ticket, "turn": talk.turn, "try": tried, "prompt": talk.prompt,
            "heard": talk.heard,
        });
        let file = std::fs::OpenOptions::new().create(true).append(true).open(self.folder.join("requests.jsonl"));
        if let Err(why) = file.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())) {
            eprintln!("model-server: cannot log a request: {why}");
        }
    }
}

fn nothing_more() -> Step {
    Step { say: "There is nothing more to do.".to_owned(), ..Step::default() }
}

/// The time, since 1970.
pub fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A header; none where a scenario's name or value is not one.
fn header(name: &str, value: &str) -> Option<Header> {
    Header::from_bytes(name, value).ok()
}

fn json_response(status: u16, body: &Value, more: impl Iterator<Item = Header>) -> Response<Cursor<String>> {
    let headers = header("content-type", "application/json").into_iter().chain(more).collect();
    Response::new(StatusCode(status), headers, Cursor::new(body.to_string()), None, None)
}

fn refuse(request: Request, status: u16, kind: &str, message: &str) {
    let body = json!({ "type": "error", "error": { "type": kind, "message": message } });
    // Ignored, here and below: the agent hung up.
    request.respond(json_response(status, &body, std::iter::empty())).ok();
}

fn failed(request: Request, api: Api, fail: &Fail) {
    let reset = i64::try_from(since_1970().as_secs()).unwrap_or_default() + fail.reset_s;
    let filled = |text: &str| text.replace("{reset}", &reset.to_string());
    let mut error = json!({ "type": fail.kind, "message": filled(&fail.message) });
    for (name, value) in &fail.fields {
        let value = filled(value);
        error[name] = value.parse::<i64>().map_or(Value::String(value), Value::from);
    }
    let body = match api {
        Api::Gemini(_) => gemini::error(fail),
        _ => json!({ "type": "error", "error": error }),
    };
    let more = fail.headers.iter().filter_map(|(name, value)| header(name, &filled(value)));
    request.respond(json_response(fail.status, &body, more)).ok();
}
