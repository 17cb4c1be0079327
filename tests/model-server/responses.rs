//! The OpenAI Responses API: `POST /v1/responses`, streamed.

use serde_json::{Value, json};

use crate::{
    conversation::{Conversation, Speaker, texts},
    messages::filled,
    scenario::Step,
    stream::event,
};

/// What a request says. Of an answer's items (words, a call) only the first begins a further answer.
pub fn conversation(asked: &Value) -> Conversation {
    let mut talk = Conversation::default();
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    talk.tools = list(asked.get("tools")).iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect();
    let mut was_model = false;
    for item in list(asked.get("input")) {
        let kind = item["type"].as_str().unwrap_or("message");
        let is_model = matches!(kind, "function_call" | "custom_tool_call" | "local_shell_call" | "reasoning")
            || (kind == "message" && item["role"] == "assistant");
        if is_model {
            talk.hear(Speaker::Model(!was_model), "");
        } else if kind.ends_with("_output") {
            for text in texts(&json!([item])) {
                talk.hear(Speaker::Tool, &text);
            }
        } else if item["role"] == "user" {
            for text in texts(&item["content"]) {
                talk.hear(Speaker::User, &text);
            }
        }
        was_model = is_model;
    }
    talk
}

/// The agent's shell tool, whatever this version calls it, for `command`.
fn shell_call(talk: &Conversation, command: &str) -> (String, Value) {
    let has = |name: &str| talk.tools.iter().any(|tool| tool == name);
    if has("exec_command") {
        ("exec_command".to_owned(), json!({ "cmd": command }))
    } else if has("shell_command") {
        ("shell_command".to_owned(), json!({ "command": command }))
    } else {
        ("shell".to_owned(), json!({ "command": ["bash", "-lc", command] }))
    }
}

/// The answer as events.
pub fn answer(talk: &Conversation, step: &Step) -> Vec<String> {
    let id = format!("resp_scripted_{}", talk.turn);
    let mut events = vec![event("response.created", &json!({ "type": "response.created", "response": { "id": id } }))];
    let mut items = Vec::new();
    let said = filled(&step.say, talk);
    if !said.is_empty() {
        let message = |text: &str, status: &str| {
            let content = if text.is_empty() {
                json!([])
            } else {
                json!([{ "type": "output_text", "text": text, "annotations": [] }])
            };
            json!({ "type": "message", "id": format!("msg_{}", talk.turn), "role": "assistant", "status": status, "content": content })
        };
        events.push(added(items.len(), &message("", "in_progress")));
        for word in said.split_inclusive(' ') {
            let delta = json!({
                "type": "response.output_text.delta", "item_id": format!("msg_{}", talk.turn),
                "output_index": items.len(), "content_index": 0, "delta": word,
            });
            events.push(event("response.output_text.delta", &delta));
        }
        items.push(message(&said, "completed"));
        events.push(done(items.len() - 1, &items[items.len() - 1]));
    }
    let call = match (&step.run, &step.tool) {
        (Some(command), _) => Some(shell_call(talk, &filled(command, talk))),
        (None, Some(tool)) => Some((tool.name.clone(), tool.input.clone())),
        (None, None) => None,
    };
    if let Some((name, input)) = call {
        let item = json!({
            "type": "function_call", "id": format!("fc_{}", talk.turn), "call_id": format!("call_scripted_{}", talk.turn),
            "name": name, "arguments": input.to_string(), "status": "completed",
        });
        events.push(added(items.len(), &item));
        events.push(done(items.len(), &item));
        items.push(item);
    }
    let usage = json!({
        "input_tokens": 100, "input_tokens_details": { "cached_tokens": 0 }, "output_tokens": 20,
        "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": 120,
    });
    let response = json!({ "id": id, "status": "completed", "output": items, "usage": usage });
    events.push(event("response.completed", &json!({ "type": "response.completed", "response": response })));
    events
}

fn added(index: usize, item: &Value) -> String {
    event(
        "response.output_item.added",
        &json!({ "type": "response.output_item.added", "output_index": index, "item": item }),
    )
}

fn done(index: usize, item: &Value) -> String {
    event(
        "response.output_item.done",
        &json!({ "type": "response.output_item.done", "output_index": index, "item": item }),
    )
}
