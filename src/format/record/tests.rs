//! Lines as Claude Code 2.1.197 and codex-cli 0.169.0 write them, shortened.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::domain::screen::Marker;

fn key() -> RunKey {
    RunKey::from_bits(0x7f3a_0001)
}

fn when(pairs: &[(&str, &str)]) -> When {
    When(pairs.iter().map(|(at, text)| ((*at).to_owned(), (*text).to_owned())).collect())
}

fn event(kind: &str) -> When {
    when(&[("/type", "event_msg"), ("/payload/type", kind)])
}

/// As the profile `codex` has it.
fn codex() -> Format {
    Format {
        head: Some(Head {
            when: when(&[("/type", "session_meta"), ("/payload/source", "cli")]),
            conversation: "/payload/id".into(),
            folder: "/payload/cwd".into(),
        }),
        prompt: Some(Prompt {
            when: when(&[("/payload/type", "item_completed"), ("/payload/item/type", "UserMessage")]),
            text: "/payload/item/content".into(),
        }),
        turn_end: Some(TurnEnd {
            when: event("task_complete"),
            text: "/payload/last_agent_message".into(),
            turn: Some("/payload/turn_id".into()),
            error: Some("/payload/error/codex_error_info".into()),
            error_text: Some("/payload/error/message".into()),
            error_words: BTreeMap::from([("usage_limit_exceeded".into(), "rate_limit".into())]),
        }),
        tokens: Some(TokensAt {
            when: event("token_count"),
            message: None,
            input: "/payload/info/total_token_usage/input_tokens".into(),
            input_holds_cache: true,
            cache_read: Some("/payload/info/total_token_usage/cached_input_tokens".into()),
            cache_write: None,
            output: "/payload/info/total_token_usage/output_tokens".into(),
        }),
        quota: None,
    }
}

fn claude() -> Format {
    let tokens = TokensAt {
        when: when(&[("/type", "assistant")]),
        message: Some("/message/id".into()),
        input: "/message/usage/input_tokens".into(),
        input_holds_cache: false,
        cache_read: Some("/message/usage/cache_read_input_tokens".into()),
        cache_write: Some("/message/usage/cache_creation_input_tokens".into()),
        output: "/message/usage/output_tokens".into(),
    };
    Format { tokens: Some(tokens), ..Format::default() }
}

fn mark() -> Mark {
    Mark { path: PathBuf::from("/r"), offset: 0, own: Tokens::default(), total: None, recent: vec![] }
}

fn read(format: &Format, line: &str) -> Option<Fact> {
    format.read(line.as_bytes(), &key())
}

#[test]
fn the_head_says_whose_the_record_is() {
    let head = |source: &str, id: &str| {
        let line = format!(
            r#"{{"type":"session_meta","payload":{{"id":"{id}","cwd":"/w/T-1","source":"{source}","originator":"x"}}}}"#
        );
        read(&codex(), &line)
    };
    let fact = Fact::Head { conversation: "01a1-ff".into(), folder: "/w/T-1".into() };
    assert_eq!(head("cli", "01a1-ff"), Some(fact));
    assert_eq!(head("exec", "01a1-ff"), None, "not the agent in the pane");
    for id in ["", "--last", "a b", "x;y"] {
        assert_eq!(head("cli", id), None, "{id:?} would be an argument");
    }
}

#[test]
fn a_prompt_is_known_by_the_delivery_that_it_names() {
    let prompt = |text: &str| {
        let line = r#"{"type":"event_msg","payload":{"type":"item_completed","turn_id":"t","item":{"type":"UserMessage","content":[{"type":"image"},{"type":"text","text":"TEXT"}]}}}"#;
        read(&codex(), &line.replace("TEXT", text))
    };
    assert_eq!(prompt("Task [autodo 1.0]: read"), Some(Fact::Hook(Hook::Submitted { delivery: Some("1.0".into()) })));
    assert_eq!(prompt("green, please"), None);
}

#[test]
fn the_end_of_a_turn_has_its_last_words_its_turn_and_its_error() {
    let end = |rest: &str| {
        let line = format!(r#"{{"type":"event_msg","payload":{{"type":"task_complete","turn_id":"t-1",{rest}}}}}"#);
        match read(&codex(), &line) {
            Some(Fact::Hook(hook)) => hook,
            other => panic!("{rest}: {other:?}"),
        }
    };
    let stopped =
        |marker, text: &str| Hook::Stopped { background: 0, marker, text: text.into(), turn: Some("t-1".into()) };
    let done = "Done.\n\nAUTODO-DONE-7f3a0001";
    assert_eq!(end(&format!("\"last_agent_message\":{done:?}")), stopped(Some(Marker::Done), done));
    assert_eq!(end("\"last_agent_message\":null"), stopped(None, ""));
    assert_eq!(end("\"last_agent_message\":\"x\",\"error\":null"), stopped(None, "x"));
    let failed = |error: &str, text: &str| Hook::Failed { error: error.into(), text: text.into() };
    let limited =
        r#""last_agent_message":null,"error":{"message":"no more","codex_error_info":"usage_limit_exceeded"}"#;
    assert_eq!(end(limited), failed("rate_limit", "no more"));
    let http = r#""error":{"message":"401","codex_error_info":{"http_connection_failed":{"http_status_code":401}}}"#;
    assert_eq!(end(http), failed("http_connection_failed", "401"));
    assert_eq!(end(r#""error":{"message":"m"}"#), failed("error", "m"));
    assert_eq!(end(r#""error":{"codex_error_info":{}}"#), failed("error", "no details were given"));
}

#[test]
fn running_totals_count_from_where_they_were() {
    let tokens = |input: u64, cached: u64, output: u64| {
        let line = format!(
            r#"{{"type":"event_msg","payload":{{"type":"token_count","info":{{"total_token_usage":{{"input_tokens":{input},"cached_input_tokens":{cached},"output_tokens":{output}}}}}}}}}"#
        );
        read(&codex(), &line)
    };
    let mut mark = mark();
    for (fact, own) in [(tokens(100, 0, 20), 120), (tokens(300, 150, 40), 340), (tokens(300, 150, 40), 340)] {
        let Some(Fact::Tokens { message, tokens }) = fact else { panic!("{fact:?}") };
        count(&mut mark, message, tokens);
        assert_eq!(mark.own.total(), own);
    }
    assert_eq!(mark.own, Tokens { input: 150, cache_read: 150, cache_write: 0, output: 40 });
    let none = r#"{"type":"event_msg","payload":{"type":"token_count","info":null,"rate_limits":{}}}"#;
    assert_eq!(read(&codex(), none), None);
}

#[test]
fn a_message_that_is_told_block_by_block_counts_once() {
    let block = |id: &str, output: u64| {
        let line = format!(
            r#"{{"type":"assistant","message":{{"id":"{id}","usage":{{"input_tokens":1,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":{output}}}}}}}"#
        );
        match read(&claude(), &line) {
            Some(Fact::Tokens { message, tokens }) => (message, tokens),
            other => panic!("{other:?}"),
        }
    };
    let mut mark = mark();
    // The first blocks of a message may have been written before all of it was there.
    for (id, output) in [("a", 1), ("a", 10), ("b", 5), ("a", 10), ("b", 5), ("c", 1), ("d", 1), ("e", 1)] {
        let (message, tokens) = block(id, output);
        count(&mut mark, message, tokens);
    }
    assert_eq!(mark.own, Tokens { input: 5, cache_read: 15, cache_write: 10, output: 18 });
    assert_eq!(mark.recent.len(), RECENT);
}

#[test]
fn a_line_that_is_not_whole_yet_stays_for_the_next_time() {
    let mut mark = mark();
    assert_eq!(lines(&mut mark, b"one\ntwo\nth"), [(4, &b"one"[..]), (8, &b"two"[..])]);
    assert_eq!(mark.offset, 8);
    assert!(lines(&mut mark, b"th").is_empty());
    assert_eq!(lines(&mut mark, b"three\n\n"), [(14, &b"three"[..]), (15, &b""[..])]);
    lines(&mut mark, &vec![b'x'; MAX_LINE_BYTES]);
    assert_eq!(mark.offset, 15 + MAX_LINE_BYTES as u64, "it is passed over");
}

proptest! {
    #[test]
    fn any_bytes_give_a_result(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(codex().read(&bytes, &key()));
        let mut mark = mark();
        let read: usize = lines(&mut mark, &bytes).iter().map(|(_, line)| line.len() + 1).sum();
        prop_assert_eq!(mark.offset, read as u64);
    }

    #[test]
    fn any_line_of_the_right_kind_gives_a_result(rest in "[\\[\\]{}\":,a-z0-9-]{0,60}", kind in 0..4_usize) {
        let kind = ["session_meta", "task_complete", "token_count", "item_completed"][kind];
        let line = format!("{{\"type\":\"event_msg\",\"payload\":{{\"type\":\"{kind}\",{rest}}}}}");
        drop(read(&codex(), &line));
        drop(read(&claude(), &line));
    }

    #[test]
    fn totals_never_lead_to_less(steps in proptest::collection::vec((any::<Option<u8>>(), any::<u64>()), 0..30)) {
        let (mut mark, mut before) = (mark(), 0);
        for (id, output) in steps {
            count(&mut mark, id.map(|id| id.to_string()), Tokens { output, ..Tokens::default() });
            prop_assert!(mark.own.total() >= before);
            before = mark.own.total();
        }
    }
}
