//! `autodo hook`: what the agents' own hooks call. It never disturbs them.

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject},
    wait_for,
    world::World,
};

const STOP: &str =
    r#"{"hook_event_name":"Stop","last_assistant_message":"I think I am through.","background_tasks":[]}"#;

/// The agent's program says that it took the ticket's prompt, before anything is done for it.
const TAKEN: &str = "run printf '{\"hook_event_name\":\"UserPromptSubmit\",\"prompt\":\"Task [autodo 1.1]: x\"}' | \
                     \"$AUTODO_BIN\" hook UserPromptSubmit\n";

#[test]
fn outside_of_a_session_and_for_garbage_it_is_silent_and_succeeds() {
    let world = World::new();
    let outbox = world.root().join("outbox");
    let hook = |input: &str| {
        world
            .command(&["hook", "Stop"])
            .env("AUTODO_RUN", "T-1/1")
            .env("AUTODO_KEY", "0000abcd")
            .env("AUTODO_OUTBOX", &outbox)
            .stdin(input)
            .run()
            .code(0)
    };
    assert!(world.autodo(&["hook", "--help"]).code(0).stdout.contains("standard input"));
    let outside = world.command(&["hook", "Stop"]).stdin(STOP).run().code(0);
    assert_eq!((outside.stdout, outside.stderr), (String::new(), String::new()));
    for input in ["", "{", "[]", "null", r#"{"hook_event_name":7}"#, r#"{"hook_event_name":"PreCompact"}"#] {
        let said = hook(input);
        assert_eq!((said.stdout, said.stderr), (String::new(), String::new()), "{input}");
    }
    assert!(!outbox.exists(), "nothing was said");
    hook(STOP);
    assert_eq!(std::fs::read_dir(&outbox).unwrap().count(), 1);
}

#[test]
fn a_turn_that_ends_without_a_word_is_asked_about_at_once() {
    let world = World::new();
    let input = world.root().join("stop.json");
    std::fs::write(&input, STOP).unwrap();
    let stop = format!("run \"$AUTODO_BIN\" hook Stop < {}\n", input.display());
    let script = ["ready\nexpect-prompt\n", TAKEN, COMMIT, &stop, "ready\nprompts:\n", DONE].concat();
    // Long enough that nobody would wait for it.
    let p = FakeProject::new(&world).limit("stall = \"600s\"").scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(p.prompts("T-1").len(), 2, "{:?}", p.prompts("T-1"));
    assert!(p.prompts("T-1")[1].contains("nothing was heard of you"));
    assert!(p.events("T-1").iter().any(|line| line["kind"] == "hook"));
}

#[test]
fn a_marker_in_the_last_message_is_a_claim_without_a_screen() {
    let world = World::new();
    let claim = "run printf '{\"hook_event_name\":\"Stop\",\"last_assistant_message\":\"AUTODO-DONE-%s\"}' \
                 \"$AUTODO_KEY\" | \"$AUTODO_BIN\" hook Stop\n";
    let script = ["ready\nexpect-prompt\n", TAKEN, COMMIT, claim, "hang\n"].concat();
    let p = FakeProject::new(&world).scenario(&script).dispatched(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
}

/// What a tool's call is told with; it is larger than a pipe.
fn call() -> String {
    let content = "x".repeat(200_000);
    format!(r#"{{"hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{{"content":"{content}"}}}}"#)
}

#[test]
fn calls_of_tools_are_told_once_a_minute_and_never_answered() {
    let world = World::new();
    let (outbox, launch) = (world.root().join("outbox"), world.root().join("launch"));
    let hook = |event: &str, input: &str| {
        let said = world
            .command(&["hook", event])
            .env("AUTODO_RUN", "T-1/1")
            .env("AUTODO_KEY", "0000abcd")
            .env("AUTODO_OUTBOX", &outbox)
            .env("AUTODO_LAUNCH", &launch)
            .env("AUTODO_POLICY", world.root().join("none"))
            .stdin(input)
            .run()
            .code(0);
        assert_eq!((said.stdout, said.stderr), (String::new(), String::new()), "{event}");
    };
    let told = || std::fs::read_dir(&outbox).map_or(0, Iterator::count);
    hook("PreToolUse", &call());
    assert_eq!(told(), 0, "where no stamp can be left nothing is told, or all would be");
    std::fs::create_dir(&launch).unwrap();
    for event in ["PreToolUse", "PostToolUse", "SubagentStop"] {
        hook(event, &call().replace("PreToolUse", event));
        hook(event, &call());
    }
    hook("Stop", &call());
    assert_eq!(told(), 1, "whatever word the command has");
    let stamp = std::fs::File::options().write(true).open(launch.join("alive")).unwrap();
    let set = |age| stamp.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(age)).unwrap();
    set(50);
    hook("PostToolUse", &call());
    assert_eq!(told(), 1);
    set(61);
    hook("Notification", r#"{"hook_event_name":"Notification","notification_type":"idle_prompt"}"#);
    assert_eq!(told(), 1, "that it waits is no sign of life");
    hook("PostToolUse", &call());
    hook("PostToolUse", &call());
    assert_eq!(told(), 2);
    hook("Stop", STOP);
    assert_eq!(told(), 3, "nothing else is held back");
}

#[test]
fn a_call_of_a_tool_reaches_the_books_as_a_sign_of_life() {
    let world = World::new();
    let pre = "run printf '{\"hook_event_name\":\"PreToolUse\",\"tool_name\":\"Bash\"}' | \
               \"$AUTODO_BIN\" hook PreToolUse\n";
    let p = FakeProject::new(&world);
    let gate = p.gate("gate");
    let script = ["ready\nexpect-prompt\n", TAKEN, pre, &format!("wait-file {gate}\n"), COMMIT, DONE].concat();
    let p = p.scenario(&script).set_up();
    let dispatch = p.start(&[]);
    let active = || {
        let told = p.events("T-1").into_iter().filter(|line| line["report"]["hook"] == "active").count();
        (told == 1).then_some(())
    };
    wait_for("the sign of life", active, || world.story());
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
}
