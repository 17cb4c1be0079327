//! The Gemini API: `POST /v1beta/models/<model>:streamGenerateContent?alt=sse`, and `:generateContent` in one piece.

use serde_json::{Value, json};

use crate::{
    conversation::{Conversation, Speaker, texts},
    messages::filled,
    scenario::{Fail, Step},
};

/// The last part of a path that asks for an answer; `true`: as a stream.
pub fn asks(path: &str) -> Option<bool> {
    let method = path.strip_prefix("/v1beta/models/")?.split_once(':')?.1;
    match method {
        "streamGenerateContent" => Some(true),
        "generateContent" => Some(false),
        _ => None,
    }
}

/// What a request says.
pub fn conversation(asked: &Value) -> Conversation {
    let mut talk = Conversation::default();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let declared = list(&asked["tools"]).into_iter().flat_map(|tool| list(&tool["functionDeclarations"]));
    talk.tools = declared.filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect();
    let mut was_model = false;
    for content in list(&asked["contents"]) {
        let is_model = content["role"] == "model";
        if is_model {
            talk.hear(Speaker::Model(!was_model), "");
        }
        for part in list(&content["parts"]).iter().filter(|_| !is_model) {
            let result = &part["functionResponse"]["response"];
            if let Some(text) = part["text"].as_str() {
                talk.hear(Speaker::User, text);
            } else if result.is_object() {
                for text in result.as_object().into_iter().flatten().flat_map(|(_, value)| texts(value)) {
                    talk.hear(Speaker::Tool, &text);
                }
            }
        }
        was_model = is_model;
    }
    talk
}

/// One answer, with these parts.
fn response(asked: &str, parts: &[Value], last: bool) -> Value {
    let mut candidate = json!({ "index": 0, "content": { "role": "model", "parts": parts } });
    let mut whole = json!({ "modelVersion": asked });
    if last {
        candidate["finishReason"] = json!("STOP");
        whole["usageMetadata"] = json!({ "promptTokenCount": 100, "candidatesTokenCount": 20, "totalTokenCount": 120 });
    }
    whole["candidates"] = json!([candidate]);
    whole
}

/// The call of a step, as a part.
fn call(talk: &Conversation, step: &Step) -> Option<Value> {
    let (name, input) = match (&step.run, &step.tool) {
        (Some(command), _) => {
            let input = json!({ "command": filled(command, talk), "description": "a scripted command" });
            ("run_shell_command", input)
        }
        (None, Some(tool)) => {
            let input = filled(&tool.input.to_string(), talk);
            (tool.name.as_str(), serde_json::from_str(&input).unwrap_or_else(|_| tool.input.clone()))
        }
        (None, None) => return None,
    };
    Some(json!({ "functionCall": { "name": name, "args": input, "id": format!("call_{}", talk.turn) } }))
}

/// The whole answer, for a request that wants no stream.
pub fn whole(talk: &Conversation, step: &Step) -> Value {
    let text = filled(&step.say, talk);
    let said = (!text.is_empty()).then(|| json!({ "text": text }));
    let parts: Vec<Value> = said.into_iter().chain(call(talk, step)).collect();
    response("scripted", &parts, true)
}

/// The answer as events: a word each, then the call, then the end.
pub fn answer(talk: &Conversation, step: &Step) -> Vec<String> {
    let event = |value: Value| format!("data: {value}\r\n\r\n");
    let said = filled(&step.say, talk);
    let words = said.split_inclusive(' ').map(|word| json!({ "text": word }));
    let parts = words.chain(call(talk, step)).map(|part| event(response("scripted", &[part], false)));
    let mut events: Vec<String> = parts.collect();
    events.push(event(response("scripted", &[json!({ "text": "" })], true)));
    events
}

/// An error as this API words it.
pub fn error(fail: &Fail) -> Value {
    let mut error = json!({ "code": fail.status, "message": fail.message, "status": fail.kind });
    if let Some(details) = &fail.details {
        error["details"] = details.clone();
    }
    json!({ "error": error })
}
