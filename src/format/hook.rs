//! What an agent's program hands to its hooks, to [`Hook`]: JSON in the shape that Claude Code 2.1.197 and codex-cli
//! 0.169.0 share. Any bytes give a result or a reason, never a panic.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::domain::{
    id::RunKey,
    permission::{Asked, Verdict},
    report::Hook,
    screen::Marker,
};

/// Largest input that is looked at, in bytes.
pub const MAX_HOOK_BYTES: u64 = 4 * 1024 * 1024;

/// What Claude Code 2.1.197 notifies of while it waits for a person; an empty text: it does not say.
const WAITS: [&str; 4] = ["", "idle_prompt", "permission_prompt", "elicitation_dialog"];

/// Longest text that is kept, in characters.
const MAX_TEXT: usize = 4_000;

/// Reads what a hook was given; `None`: an event that means nothing to autodo. `key` is that of the run, by which a
/// marker in the agent's last message is known.
///
/// # Errors
/// It is no JSON object with a `hook_event_name`.
pub fn parse(bytes: &[u8], key: &RunKey) -> Result<Option<Hook>, String> {
    let given: Value = serde_json::from_slice(bytes).map_err(|why| format!("it is not JSON: {why}"))?;
    let name = given["hook_event_name"].as_str().ok_or("it has no hook_event_name")?;
    let text = |name: &str| cut(given[name].as_str().unwrap_or_default());
    let last = || given["last_assistant_message"].as_str().unwrap_or_default();
    Ok(Some(match name {
        "SessionStart" => Hook::Started,
        "UserPromptSubmit" => {
            Hook::Submitted { delivery: delivery(given["prompt"].as_str().unwrap_or_default()).map(str::to_owned) }
        }
        "PermissionRequest" => {
            let (tool, input) = (text("tool_name"), cut(&given["tool_input"].to_string()));
            Hook::Asks(Asked { tool, input, ..Asked::default() })
        }
        "PreToolUse" | "PostToolUse" | "SubagentStop" => Hook::Active,
        // That it waits for a person is no sign of life.
        "Notification" if !WAITS.contains(&given["notification_type"].as_str().unwrap_or_default()) => Hook::Active,
        "Stop" => Hook::Stopped {
            background: given["background_tasks"]
                .as_array()
                .map_or(0, |tasks| u32::try_from(tasks.len()).unwrap_or(u32::MAX)),
            marker: marker(last(), key),
            text: cut(last()),
            turn: given["turn_id"].as_str().map(cut),
        },
        "StopFailure" => {
            let said = [last(), given["error_details"].as_str().unwrap_or_default()];
            let said = said.into_iter().find(|said| !said.is_empty()).unwrap_or("no details were given");
            Hook::Failed { error: text("error"), text: cut(said) }
        }
        "SessionEnd" => Hook::Ended { reason: text("reason") },
        _ => return Ok(None),
    }))
}

/// What a hook was asked to judge.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The tool.
    pub tool: String,
    /// Its whole input.
    pub input: Value,
    /// The agent's present folder; `None`: it does not say.
    pub folder: Option<PathBuf>,
}

/// Reads the call that a `PermissionRequest` is about; `None`: it is no such event.
#[must_use]
pub fn call(bytes: &[u8]) -> Option<Call> {
    let mut given: Value = serde_json::from_slice(bytes).ok()?;
    if given["hook_event_name"] != "PermissionRequest" {
        return None;
    }
    let tool = given["tool_name"].as_str()?.to_owned();
    let folder = given["cwd"].as_str().map(PathBuf::from);
    Some(Call { tool, input: given["tool_input"].take(), folder })
}

/// What the hook prints to answer the dialog; `None`: nothing, and the dialog asks a person.
#[must_use]
pub fn answer(asked: &Asked) -> Option<String> {
    let rule = asked.rule.as_deref().unwrap_or_default();
    let decision = match asked.verdict {
        Verdict::Ask => return None,
        Verdict::Allow => json!({ "behavior": "allow" }),
        Verdict::Deny => json!({ "behavior": "deny", "message": format!(
            "Not allowed in this project (rule: {rule}). Go on without it; if the work cannot be done without it, \
             report blocked as your prompt says."
        )}),
    };
    Some(json!({ "hookSpecificOutput": { "hookEventName": "PermissionRequest", "decision": decision } }).to_string())
}

pub(super) fn cut(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

/// The delivery that a prompt names: `[autodo 1.3]`.
pub(super) fn delivery(prompt: &str) -> Option<&str> {
    let (_, rest) = prompt.split_once("[autodo ")?;
    let (id, _) = rest.split_once(']')?;
    id.bytes().all(|b| b.is_ascii_digit() || b == b'.').then_some(id)
}

/// The last marker of this run that stands alone on a line.
pub(super) fn marker(text: &str, key: &RunKey) -> Option<Marker> {
    let of = |line: &str| match line.trim().strip_suffix(key.as_str()) {
        Some("AUTODO-DONE-") => Some(Marker::Done),
        Some("AUTODO-BLOCKED-") => Some(Marker::Blocked),
        _ => None,
    };
    text.lines().rev().find_map(of)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> RunKey {
        RunKey::from_bits(0x7f3a_0001)
    }

    fn read(json: &str) -> Hook {
        parse(json.as_bytes(), &key()).unwrap().unwrap()
    }

    #[test]
    fn each_event_is_read() {
        let stop = |marker, background| Hook::Stopped { background, marker, text: "x".into(), turn: None };
        let named = |name: &str, rest: &str| read(&format!("{{\"hook_event_name\":\"{name}\"{rest}}}"));
        assert_eq!(named("SessionStart", ",\"source\":\"startup\""), Hook::Started);
        let prompt = ",\"prompt\":\"Task [autodo 2.13]: read the file\"";
        assert_eq!(named("UserPromptSubmit", prompt), Hook::Submitted { delivery: Some("2.13".into()) });
        assert_eq!(named("UserPromptSubmit", ",\"prompt\":\"[autodo x]\""), Hook::Submitted { delivery: None });
        let asks = ",\"tool_name\":\"Bash\",\"tool_input\":{\"command\":\"rm -rf /\"}";
        let input = "{\"command\":\"rm -rf /\"}".to_owned();
        let expected = Asked { tool: "Bash".into(), input, ..Asked::default() };
        assert_eq!(named("PermissionRequest", asks), Hook::Asks(expected));
        let last = ",\"last_assistant_message\":\"x\"";
        assert_eq!(named("Stop", last), stop(None, 0));
        assert_eq!(named("Stop", &format!("{last},\"background_tasks\":[{{}},{{}}]")), stop(None, 2));
        let failed = named("StopFailure", ",\"error\":\"server_error\",\"error_details\":\"529\"");
        assert_eq!(failed, Hook::Failed { error: "server_error".into(), text: "529".into() });
        assert_eq!(named("SessionEnd", ",\"reason\":\"other\""), Hook::Ended { reason: "other".into() });
        for name in ["PreToolUse", "PostToolUse", "SubagentStop"] {
            assert_eq!(named(name, ",\"tool_name\":\"Bash\""), Hook::Active);
        }
        assert_eq!(named("Notification", ",\"notification_type\":\"auth_success\""), Hook::Active);
        for waits in ["", ",\"notification_type\":\"idle_prompt\"", ",\"notification_type\":\"permission_prompt\""] {
            let given = format!("{{\"hook_event_name\":\"Notification\"{waits}}}");
            assert_eq!(parse(given.as_bytes(), &key()), Ok(None), "{waits}");
        }
        assert_eq!(parse(b"{\"hook_event_name\":\"PreCompact\"}", &key()), Ok(None));
    }

    #[test]
    fn a_marker_counts_only_alone_on_its_line_and_with_the_runs_own_key() {
        let table = [
            ("done\n\nAUTODO-DONE-7f3a0001", Some(Marker::Done)),
            ("  AUTODO-BLOCKED-7f3a0001  \nso it is", Some(Marker::Blocked)),
            ("AUTODO-DONE-7f3a0001\nno, AUTODO-BLOCKED-7f3a0001\nAUTODO-BLOCKED-7f3a0001", Some(Marker::Blocked)),
            ("I would print AUTODO-DONE-7f3a0001", None),
            ("`AUTODO-DONE-7f3a0001`", None),
            ("AUTODO-DONE-7f3a0002", None),
            ("AUTODO-DONE-", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(marker(text, &key()), expected, "{text:?}");
        }
    }

    #[test]
    fn a_verdict_is_printed_as_the_agents_read_it() {
        let asked = |verdict| Asked { verdict, rule: Some("deny Bash rm *".into()), ..Asked::default() };
        assert_eq!(answer(&asked(Verdict::Ask)), None);
        let allow = r#"{"hookSpecificOutput":{"hookEventName":"PermissionRequest","decision":{"behavior":"allow"}}}"#;
        assert_eq!(answer(&asked(Verdict::Allow)).as_deref(), Some(allow));
        let deny: Value = serde_json::from_str(&answer(&asked(Verdict::Deny)).unwrap()).unwrap();
        let decision = &deny["hookSpecificOutput"]["decision"];
        assert_eq!(decision["behavior"], "deny");
        assert!(decision["message"].as_str().unwrap().contains("rule: deny Bash rm *"), "{decision}");
    }

    #[test]
    fn the_whole_call_is_read() {
        let given =
            r#"{"hook_event_name":"PermissionRequest","tool_name":"Bash","tool_input":{"command":"ls"},"cwd":"/w"}"#;
        let expected = Call { tool: "Bash".into(), input: json!({"command": "ls"}), folder: Some("/w".into()) };
        assert_eq!(call(given.as_bytes()), Some(expected));
        assert_eq!(call(b"{\"hook_event_name\":\"Stop\"}"), None);
    }

    proptest! {
        #[test]
        fn any_bytes_give_a_result(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop((parse(&bytes, &key()), call(&bytes)));
        }
    }
}
