//! The Anthropic Messages API: `POST /v1/messages`, streamed as documented for the version header 2023-06-01.

use serde_json::{Value, json};

use crate::{
    conversation::{Conversation, Speaker, texts},
    scenario::Step,
    stream::event,
};

/// What a request says.
pub fn conversation(asked: &Value) -> Conversation {
    let mut talk = Conversation::default();
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    talk.tools = list(asked.get("tools")).iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect();
    // Aider's; it puts examples, and answers of its own to what it shows, before the conversation.
    talk.edits_by_words = texts(&asked["system"]).iter().any(|text| text.contains("*SEARCH/REPLACE block*"));
    let mut was_model = false;
    for message in list(asked.get("messages")) {
        // The agent's own stand-in for an answer, where a conversation is resumed that ended with none.
        let made_up = texts(&message["content"]) == ["No response requested."];
        if made_up {
            continue;
        }
        let is_model = message["role"] == "assistant";
        let content = &message["content"];
        let is_its_own = |text: &String| text.starts_with("Ok") || text.contains("<<<<<<< SEARCH\nfrom flask");
        if talk.edits_by_words && is_model && (talk.ticket.is_none() || texts(content).iter().any(is_its_own)) {
            continue;
        }
        let blocks =
            if content.is_array() { list(Some(content)) } else { vec![json!({"type": "text", "text": content})] };
        if is_model {
            talk.hear(Speaker::Model(!was_model), "");
        }
        for block in blocks.iter().filter(|_| !is_model) {
            let speaker = if block["type"] == "tool_result" { Speaker::Tool } else { Speaker::User };
            for text in texts(&Value::Array(vec![block.clone()])) {
                talk.hear(speaker, &text);
            }
        }
        was_model = is_model;
    }
    talk
}

/// The blocks of an answer.
fn blocks(talk: &Conversation, step: &Step) -> Vec<Value> {
    let mut blocks = Vec::new();
    let mut said = filled(&step.say, talk);
    if let Some(command) = step.run.as_ref().filter(|_| talk.edits_by_words) {
        said += &format!("\n\n```bash\n{}\n```\n", filled(command, talk));
    }
    if !said.is_empty() {
        blocks.push(json!({ "type": "text", "text": said }));
    }
    let id = format!("toolu_scripted_{}", talk.turn);
    if talk.edits_by_words {
        return blocks;
    }
    if let Some(command) = &step.run {
        let shell = if talk.tools.iter().any(|tool| tool == "bash") { "bash" } else { "Bash" };
        let input = json!({ "command": filled(command, talk), "description": "a scripted command" });
        blocks.push(json!({ "type": "tool_use", "id": id, "name": shell, "input": input }));
    } else if let Some(tool) = &step.tool {
        let input = filled(&tool.input.to_string(), talk);
        let input: Value = serde_json::from_str(&input).unwrap_or_else(|_| tool.input.clone());
        blocks.push(json!({ "type": "tool_use", "id": id, "name": tool.name, "input": input }));
    }
    blocks
}

/// A text with what the conversation told put in.
pub fn filled(text: &str, talk: &Conversation) -> String {
    let known = [("{key}", &talk.key, ""), ("{cwd}", &talk.cwd, "."), ("{plan}", &talk.plan, "plan.md")];
    known.iter().fold(text.to_owned(), |text, (name, value, none)| text.replace(name, value.as_deref().unwrap_or(none)))
}

/// The whole answer, for a request that wants no stream.
pub fn whole(asked: &Value, talk: &Conversation, step: &Step) -> Value {
    let blocks = blocks(talk, step);
    // Agents join answers of the same id into one.
    let id = format!("msg_scripted_{}_{:x}", talk.turn, crate::answer::since_1970().as_nanos());
    let calls = blocks.iter().any(|b| b["type"] == "tool_use");
    let stop = step.stop.as_deref().unwrap_or(if calls { "tool_use" } else { "end_turn" });
    json!({
        "id": id, "type": "message", "role": "assistant", "model": asked["model"], "content": blocks,
        "stop_reason": stop, "stop_sequence": null, "usage": { "input_tokens": 100, "output_tokens": 20 },
    })
}

/// The answer as events.
pub fn answer(asked: &Value, talk: &Conversation, step: &Step) -> Vec<String> {
    let mut head = whole(asked, talk, step);
    let content = std::mem::replace(&mut head["content"], json!([]));
    let stop = std::mem::replace(&mut head["stop_reason"], Value::Null);
    head["usage"]["output_tokens"] = json!(1);
    let mut events = vec![event("message_start", &json!({ "type": "message_start", "message": head }))];
    for (index, block) in content.as_array().into_iter().flatten().enumerate() {
        let start = |block: Value| json!({ "type": "content_block_start", "index": index, "content_block": block });
        let delta = |delta: Value| {
            event("content_block_delta", &json!({ "type": "content_block_delta", "index": index, "delta": delta }))
        };
        if block["type"] == "text" {
            events.push(event("content_block_start", &start(json!({ "type": "text", "text": "" }))));
            let text = block["text"].as_str().unwrap_or_default();
            events.extend(text.split_inclusive(' ').map(|w| delta(json!({ "type": "text_delta", "text": w }))));
        } else {
            let bare = json!({ "type": "tool_use", "id": block["id"], "name": block["name"], "input": {} });
            events.push(event("content_block_start", &start(bare)));
            let input = block["input"].to_string();
            events.push(delta(json!({ "type": "input_json_delta", "partial_json": input })));
        }
        events.push(event("content_block_stop", &json!({ "type": "content_block_stop", "index": index })));
    }
    let end = json!({
        "type": "message_delta", "delta": { "stop_reason": stop, "stop_sequence": null },
        "usage": { "output_tokens": 20 },
    });
    events.push(event("message_delta", &end));
    events.push(event("message_stop", &json!({ "type": "message_stop" })));
    events
}
