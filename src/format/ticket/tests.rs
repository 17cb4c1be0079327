//! Tests of Markdown tickets.

use proptest::prelude::*;

use super::*;
use crate::domain::id::TicketId;

const SAMPLE: &str = "---
id: T-12
title: Cache the parsed config
priority: 2
after: [T-10, t.x]
profile: claude              # default: the project's
labels: [perf, 007, 1.10]
accept: [\"cargo test -p config\", \"! grep -rn 'parse_config' src/main.rs\"]
limit: 2h30m
unattended: false
---
Body in Markdown.
";

fn id(text: &str) -> TicketId {
    TicketId::parse(text).unwrap()
}

fn problems(text: &str) -> Vec<(usize, usize, String)> {
    let found = parse_ticket("t/x.md", "x", text).unwrap_err();
    found.into_iter().map(|p| (p.line, p.column, p.message)).collect()
}

#[test]
fn every_key_of_a_ticket_is_read() {
    let ticket = parse_ticket("T-12.md", "other", SAMPLE).unwrap();
    assert_eq!(
        ticket,
        Ticket {
            id: id("T-12"),
            title: "Cache the parsed config".to_owned(),
            body: "Body in Markdown.\n".to_owned(),
            priority: 2,
            after: vec![id("T-10"), id("t.x")],
            profile: Some("claude".to_owned()),
            labels: vec!["perf".to_owned(), "007".to_owned(), "1.10".to_owned()],
            accept: vec!["cargo test -p config".to_owned(), "! grep -rn 'parse_config' src/main.rs".to_owned()],
            limit_s: Some(9000),
            budget: None,
            unattended: false,
        }
    );
    assert_eq!(parse_ticket("x", "x", &SAMPLE.replace('\n', "\r\n")).unwrap().after, ticket.after);
    assert_eq!(parse_ticket("x", "x", &format!("\u{feff}{SAMPLE}")).unwrap(), ticket);
}

#[test]
fn what_a_ticket_does_not_say_has_a_default() {
    for text in ["Body", "---\n---\nBody", "---\n# nothing\n---\nBody"] {
        let ticket = parse_ticket("fix it.md", "fix it", text).unwrap();
        assert_eq!((ticket.id.as_str(), ticket.title.as_str(), ticket.priority), ("fix-it", "fix it", 3));
        assert_eq!((ticket.body.as_str(), ticket.limit_s, ticket.unattended), ("Body", None, true));
    }
    let headed = parse_ticket("a.md", "a", "```\n# no\n```\n#\n# The  title ##\n# second\n").unwrap();
    assert_eq!(headed.title, "The  title");
    assert_eq!(parse_ticket("", "", "").unwrap().title, "untitled");
    assert_eq!(parse_ticket("a", "x\ny\u{1b}", "").unwrap().title, "x y");
}

#[test]
fn nasty_titles_are_just_titles() {
    let long = "ü".repeat(300);
    for title in [
        "a; rm -rf ~",
        "$(x)",
        "🦀 #{pane_id}",
        &long,
        "..",
        "-rf",
        "#(id)",
        "%0",
        "a\\b",
        "\"q\"",
        "it's: x",
        "yes",
        "007",
        "2026-02-19",
        "null-ish",
    ] {
        let quoted = serde_json::to_string(title).unwrap();
        let ticket = parse_ticket("a", "a", &format!("---\ntitle: {quoted}\n---\n")).unwrap();
        assert_eq!(ticket.title, title);
    }
    assert_eq!(parse_ticket("a", "a", "---\ntitle: 1.10\nid: 12\n---\n").unwrap().title, "1.10");
}

#[test]
fn all_mistakes_of_a_file_are_found_in_one_go() {
    let text = "---
id: a/b
title: \"\"
priorty: 2
priority: 10
after: T-1
labels: [ok, [no]]
accept: [\"\", {a: b}]
limit: soon
unattended: sometimes
priority: 2
profile: ../x
---
";
    let found = problems(text);
    let places: Vec<(usize, usize)> = found.iter().map(|p| (p.0, p.1)).collect();
    assert_eq!(
        places,
        [(2, 5), (3, 8), (4, 1), (5, 11), (6, 8), (7, 14), (8, 10), (8, 14), (9, 8), (10, 13), (11, 1), (12, 10)],
        "{found:#?}"
    );
}

#[test]
fn each_mistake_is_named() {
    for (keys, at, needle) in [
        ("priority: high", (2, 11), "`priority` must be a number from 1 to 9, not text"),
        ("priority: 0", (2, 11), "from 1 to 9, not 0"),
        ("priority: 2.5", (2, 11), "not 2.5"),
        ("priority:", (2, 0), "not nothing"),
        ("title: [a]", (2, 8), "`title` must be text, not a list"),
        ("title:", (2, 0), "the title is empty"),
        ("title: \"a\\nb\"", (2, 8), "line end"),
        ("title: \"a\\x1bb\"", (2, 8), "control character"),
        ("id: HEAD", (2, 5), "reserved"),
        ("id: x.lock", (2, 5), "branch name"),
        ("after: [T-1, t-1]", (2, 14), "names t-1 twice"),
        ("after: [a b]", (2, 9), "may hold only"),
        ("limit: 2 hours", (2, 8), "not a duration"),
        ("limit: -5", (2, 8), "not a duration"),
        ("a: 1\na: 2", (2, 1), "unknown key `a`"),
        ("- a", (2, 1), "not a list"),
        ("just text", (2, 1), "not text"),
        ("title: [a", (0, 0), ""),
        ("title: a: b", (0, 0), ""),
    ] {
        let found = problems(&format!("---\n{keys}\n---\nbody\n"));
        let (line, column, message) = &found[0];
        assert!(message.contains(needle), "{keys:?} {found:?}");
        if at.0 > 0 {
            assert_eq!(*line, at.0, "{keys:?} {found:?}");
        }
        if at.1 > 0 {
            assert_eq!(*column, at.1, "{keys:?} {found:?}");
        }
    }
    assert_eq!(problems("---\ntitle: a\n")[0].0, 1);
}

#[test]
fn a_problem_shows_its_line_and_helps() {
    let found = parse_ticket("backlog/T-1.md", "T-1", "---\ntitle: x\npriorty: 2\n---\n").unwrap_err();
    insta::assert_snapshot!(found[0].snippet, @r"
    error: unknown key `priorty`
     --> backlog/T-1.md:3:1
      |
    3 | priorty: 2
      | ^^^^^^^
      |
      = help: did you mean `priority`?
    ");
    for (key, near) in [("depends_on", "after"), ("Title", "title"), ("lable", "labels"), ("prio", "the keys are")] {
        let found = parse_ticket("x", "x", &format!("---\n{key}: 1\n---\n")).unwrap_err();
        assert!(found[0].hint.contains(near), "{found:?}");
    }
}

#[test]
fn criteria_are_the_boxes_below_acceptance() {
    let body = "- [ ] no\n## acceptance\ntext\n- [ ] one\n  goes on\n- [x] two `x`\n\n  not two\n* [X] three\n- four\n- [ ]\n```\n- [ ] no\n```\n### deeper\n  - [ ] five\n## Else\n- [ ] no\n";
    assert_eq!(acceptance(body), ["one goes on", "two `x`", "three", "five"]);
    assert_eq!(acceptance("nothing"), Vec::<String>::new());
}

#[test]
fn blocks_to_run_are_the_sh_fences_below_run() {
    let body = "```sh\nno\n```\n## Run\n```sh\r\necho a\r\n\r\n```\n~~~~ sh title=x\n```sh\nx\n```\n~~~~\n```text\nshown\n```\n<!--\n```sh\nhidden\n```\n-->\n   ```sh\n     b\n   ```\n```sh\n```\n# End\n```bash\n```\n";
    let blocks = run_blocks(body).unwrap();
    let code: Vec<&str> = blocks.iter().map(|b| b.code.as_str()).collect();
    assert_eq!(code, ["echo a\n\n", "```sh\nx\n```\n", "  b\n", ""]);
    assert_eq!(blocks.iter().map(|b| (b.index, b.line)).collect::<Vec<_>>(), [(0, 5), (1, 9), (2, 22), (3, 25)]);
    assert_eq!(run_blocks("prose"), Ok(Vec::new()));
}

#[test]
fn a_block_that_would_not_run_is_a_problem() {
    for (body, line, needle) in [
        ("## Run\n```bash\nx\n```\n", 2, "not in `bash`"),
        ("## Run\n\n```\nx\n```\n", 3, "does not say"),
        ("## Run\n```SH\nx\n```\n", 2, "`SH` is not `sh`"),
        ("## Run\n```sh\nx\n", 2, "never closed"),
        ("## Run\n```sh\nx\n## Next\n``\n", 2, "never closed"),
        ("## Run\n    ```sh\n    x\n    ```\n", 2, "would not run"),
        ("## Run\n- ```sh\n  x\n  ```\n", 2, "would not run"),
        ("## Run\n> ```sh\n", 2, "would not run"),
    ] {
        let found = run_blocks(body).unwrap_err();
        assert_eq!(found[0].line, line, "{body:?} {found:?}");
        assert!(found[0].message.contains(needle), "{body:?} {found:?}");
    }
    let found = run_blocks_of("a.md", "---\ntitle: x\n---\n## Run\n```bash\n```\n```\n```\n").unwrap_err();
    assert_eq!(found.iter().map(|p| p.line).collect::<Vec<_>>(), [5, 7]);
    assert!(found[0].snippet.contains("a.md:5:1") && found[0].snippet.contains("```bash"), "{}", found[0].snippet);
}

proptest! {
    #[test]
    fn any_text_is_a_ticket_or_problems(text in any::<String>(), keys in "(---\n)?((id|title|after|limit|x): [-\\[\\]{}:,&*#!|>'\" a-c0-9]{0,12}\n){0,5}(---\n)?[`#a\n -]{0,30}") {
        for text in [text, keys] {
            match parse_ticket("f", "s", &text) {
                Ok(ticket) => {
                    prop_assert!(!ticket.title.is_empty() && !ticket.title.chars().any(is_unprintable));
                    let _ = (acceptance(&ticket.body), run_blocks(&ticket.body), run_blocks_of("f", &text));
                }
                Err(found) => prop_assert!(!found.is_empty() && found.iter().all(|p| !p.message.is_empty())),
            }
        }
    }
}
