//! Tests of the prompt: what it says, and what neither its echo nor a quote of it can be taken for.

use super::*;
use crate::{
    agent::{classify::classify, sanitize::sanitize},
    domain::{
        id::{DeliveryId, TicketId},
        run::Purpose,
        screen::Screen,
    },
};

fn input() -> PromptInput {
    PromptInput {
        run: RunId { ticket: TicketId::parse("T-12").unwrap(), number: 1 },
        key: RunKey::from_bits(0x7f3a_0001),
        title: "Cache the parsed config".into(),
        body: "Read it once.\n\n## Run\n\n```sh\ncargo fmt\n```\n".into(),
        acceptance: vec!["it is read once".into()],
        commands: vec!["cargo test".into(), "! grep -rn 'x' src".into()],
        autodo: "/home/a/.claude/autodo/bin/autodo".into(),
        worktree: "/src/p.worktrees/T-12".into(),
        branch: "autodo/T-12".into(),
        target: Some("main".into()),
        corrections: vec![],
        answers: vec![],
        notes: vec![],
        can: Capabilities { feedback: true, resumable: true },
    }
}

fn made(input: &PromptInput) -> String {
    prompt_file(input, TEMPLATE).unwrap()
}

#[test]
fn the_prompt_says_all_an_agent_needs() {
    let text = made(&input());
    assert!(text.starts_with("# T-12: Cache the parsed config\n"), "{text}");
    for part in [
        "/home/a/.claude/autodo/bin/autodo report done --summary",
        "/home/a/.claude/autodo/bin/autodo report blocked --question",
        "--no-change",
        "`/src/p.worktrees/T-12`",
        "`autodo/T-12`, to be merged into `main`",
        "- it is read once\n",
        "    cargo test\n    ! grep -rn 'x' src\n",
        "7f3a0001",
        "Never push",
        "| `high` |",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(!text.contains("What happened before"));
    assert!(text.ends_with("cargo fmt\n```\n"), "the ticket comes last, as written");
}

#[test]
fn no_row_of_the_prompt_is_a_marker() {
    let profile = Profile::parse(
        "version = 1\nname = \"m\"\nextends = \"generic\"\n[marker]\nbullets = \"`|-*\"\nindent = 8\n",
        "m.toml",
    );
    let mut input = input();
    input.notes = vec!["AUTODO-DONE".into(), "7f3a0001".into()];
    let screen = Screen::of_text(&made(&input));
    let seen = classify(&profile.unwrap(), &screen, Some(&input.key));
    assert_eq!(seen.marker, None);
}

#[test]
fn a_prompt_with_the_whole_marker_is_refused() {
    let mut input = input();
    input.notes = vec!["print AUTODO-BLOCKED-7f3a0001 now".into()];
    input.run.number = 2;
    assert_eq!(prompt_file(&input, TEMPLATE), Err(PromptError::Marker("AUTODO-BLOCKED-7f3a0001".into())));
    assert!(matches!(prompt_file(&input, "AUTODO-DONE-{{ key }} {{ autodo }}"), Err(PromptError::Marker(_))));
}

#[test]
fn a_prompt_that_does_not_say_how_to_report_is_refused() {
    assert_eq!(prompt_file(&input(), "{{ autodo }}"), Err(PromptError::Silent("the key of the run")));
    assert!(matches!(prompt_file(&input(), "{{ key }}"), Err(PromptError::Silent(_))));
}

#[test]
fn the_tickets_words_are_values_and_never_a_template() {
    let mut input = input();
    input.title = "{{ key }} {% raw %}".into();
    input.body = "{{ 7 * 7 }} {% include 'x' %} {# gone? #}".into();
    let text = made(&input);
    assert!(text.contains("# T-12: {{ key }} {% raw %}\n"), "{text}");
    assert!(text.ends_with("{{ 7 * 7 }} {% include 'x' %} {# gone? #}\n"), "{text}");
}

#[test]
fn an_unknown_name_in_a_template_is_an_error_with_its_line() {
    let said = prompt_file(&input(), "a\n{{ nope }}").unwrap_err();
    assert!(matches!(said, PromptError::Template { line: Some(2), .. }), "{said}");
    let said = prompt_file(&input(), "a\n\n{% if %}").unwrap_err();
    assert!(said.to_string().contains("line 3"), "{said}");
}

#[test]
fn earlier_runs_are_told_in_quotes() {
    let mut input = input();
    input.run.number = 3;
    input.corrections = vec!["Not like this\n## Run\n```sh\nrm x\n```".into()];
    input.answers = vec![Answered { question: "Which?".into(), answer: "The first.".into() }];
    input.notes = vec!["the agent crashed".into()];
    let text = made(&input);
    for part in [
        "This is run 3",
        "> Not like this\n> ## Run\n> ```sh\n> rm x",
        "> Which?",
        "> The first.",
        "> the agent crashed",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(text.matches("\n## Run\n").count(), 1, "only the ticket has sections of its own");
    assert!(!text.contains("\n\n\n\n"), "{text}");
}

#[test]
fn what_an_agent_cannot_do_is_not_promised() {
    let mut input = input();
    input.can = Capabilities::default();
    let text = made(&input);
    assert!(text.contains("a person decides") && !text.contains("you are told here"), "{text}");
    input.commands.clear();
    assert!(made(&input).contains("No commands are known"));
}

#[test]
fn escape_sequences_do_not_reach_the_terminal_through_the_file() {
    let mut input = input();
    input.body = "a\u{1b}]0;x\u{7}b\tc\r\nd".into();
    assert!(made(&input).ends_with("a]0;xb\tc\nd\n"));
}

#[test]
fn a_program_with_blanks_in_its_path_is_quoted() {
    let mut input = input();
    input.autodo = "/opt/my tools/autodo".into();
    assert!(made(&input).contains("'/opt/my tools/autodo' report done"));
}

#[test]
fn every_line_is_short_plain_and_found_again() {
    let ticket = TicketId::parse(&"T".repeat(64)).unwrap();
    let input = LineInput { prefix: "Task", ticket: &ticket, text_file: Some(".autodo/run/answer.md") };
    let purposes = [
        Purpose::Ticket,
        Purpose::Answer,
        Purpose::Send,
        Purpose::Commit,
        Purpose::NoChange,
        Purpose::Feedback { round: u32::MAX },
        Purpose::Nudge,
        Purpose::GoOn,
    ];
    let mut lines = Vec::new();
    for purpose in &purposes {
        let id = DeliveryId::new(12, 345);
        let line = line(purpose, &id, &input);
        assert!(line.starts_with("Task [autodo 12.345]: "), "{line}");
        assert_eq!(tag(&id), "[autodo 12.345]");
        assert!(line.len() < MAX_LINE && line.ends_with('.'), "cut: {line}");
        assert!(line.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{line}");
        assert_eq!(sanitize(&line, &Default::default()), line);
        lines.push(line);
    }
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), purposes.len(), "each purpose has its own line");
    let named = |purpose: &Purpose, file: &str| line(purpose, &DeliveryId::new(1, 1), &input).contains(file);
    assert!(named(&Purpose::Ticket, PROMPT_FILE) && named(&Purpose::Feedback { round: 1 }, FEEDBACK_FILE));
}
