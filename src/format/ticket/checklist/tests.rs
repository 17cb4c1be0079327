//! Tests of checklists.

use proptest::prelude::*;

use super::*;

const LIST: &str = "# Things\n\nSome words.\n\n- [ ] Refactor resolve.py        <!-- soon -->\n      indented body\n\n      \
                    - [ ] a criterion\n- [x] done already {#T-1}\n* [ ] Speed it up {#T-7 .perf priority=1 \
                    after=T-1,Refactor-resolve.py profile=script limit=2h}\n- no ticket\n  nor this\n\n## Later\n1. [ ] \
                    Use {braces} in a title\nand go on here\n\n```md\n- [ ] an example\n```\n";

#[test]
fn open_boxes_at_the_margin_are_tickets() {
    let read = parse_checklist("TODO.md", LIST).unwrap();
    let told: Vec<(usize, &str, &str)> =
        read.iter().map(|l| (l.line, l.ticket.id.as_str(), l.ticket.title.as_str())).collect();
    assert_eq!(
        told,
        [
            (5, "Refactor-resolve.py", "Refactor resolve.py"),
            (10, "T-7", "Speed it up"),
            (15, "Use-braces-in-a-title", "Use {braces} in a title")
        ]
    );
    assert_eq!(read[0].ticket.body, "indented body\n\n- [ ] a criterion\n");
    let ticket = &read[1].ticket;
    assert_eq!((ticket.priority, ticket.labels.as_slice(), ticket.limit_s), (1, &["perf".to_owned()][..], Some(7200)));
    let after: Vec<&str> = ticket.after.iter().map(TicketId::as_str).collect();
    assert_eq!(after, ["Refactor-resolve.py"], "what is ticked is waited for by nobody");
    assert_eq!(ticket.profile.as_deref(), Some("script"));
    assert_eq!(read[2].ticket.body, "and go on here\n", "a line that follows at once belongs to the item");
}

#[test]
fn an_id_stays_under_moves_and_edits_and_changes_with_the_title() {
    let ids = |text: &str| -> Vec<String> {
        parse_checklist("f", text).unwrap().into_iter().map(|l| l.ticket.id.to_string()).collect()
    };
    assert_eq!(ids("- [ ] a b\n- [ ] c\n"), ["a-b", "c"]);
    assert_eq!(ids("- [ ] c\n\n  now with a body\n- [ ] a b\n"), ["c", "a-b"]);
    assert_eq!(ids("- [ ] a new {#a-b}\n- [ ] d\n"), ["a-b", "d"]);
}

#[test]
fn a_tick_changes_one_character_and_nothing_else() {
    let id = TicketId::parse("t-7").unwrap();
    let ticked = tick(LIST, &id).unwrap();
    assert_eq!(ticked, LIST.replace("* [ ] Speed", "* [x] Speed"));
    assert_eq!(tick(&ticked, &id), None);
    let windows = "\u{feff}- [ ] a\r\n- [ ] b\r\n";
    assert_eq!(tick(windows, &TicketId::parse("b").unwrap()).unwrap(), "\u{feff}- [ ] a\r\n- [x] b\r\n");
    assert_eq!(tick(LIST, &TicketId::parse("T-1").unwrap()), None, "it is ticked already");
    assert_eq!(tick(LIST, &TicketId::parse("an-example").unwrap()), None, "it stands in a fence");
}

#[test]
fn a_ticket_with_criteria_is_no_checklist() {
    assert!(is_checklist(LIST));
    assert!(!is_checklist("# T\n\nwords\n\n## Acceptance\n\n- [ ] it works\n"));
    assert!(!is_checklist("---\ntitle: a\n---\n- [ ] b\n"));
    assert!(!is_checklist("- a\n- b\n"));
    assert!(is_checklist("\u{feff}- [ ] a\n"));
}

#[test]
fn each_mistake_is_told_at_its_place() {
    let text = "- [ ]\n- [ ] a {#T 1 prio=2}\n- [ ] b {#T-2 priority=12 #T-3}\n";
    let found = parse_checklist("f", text).unwrap_err();
    let told: Vec<(usize, usize, &str)> = found.iter().map(|p| (p.line, p.column, p.message.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, 1, "the ticket has no title"),
            (2, 13, "\"1\" says nothing between braces"),
            (2, 15, "\"prio=2\" says nothing between braces"),
            (3, 24, "`priority` must be a whole number from 1 to 9, not 12"),
            (3, 27, "the key `id` occurs twice")
        ]
    );
}

#[test]
fn code_in_a_body_keeps_its_lines() {
    let text = "- [ ] a\n\n  ```sh\n  if x\n    then - [ ] y\n  ```\n\n\tafter\n- [ ] b\n";
    let read = parse_checklist("f", text).unwrap();
    assert_eq!(read[0].ticket.body, "```sh\nif x\n  then - [ ] y\n```\n\n  after\n");
    assert_eq!(read.len(), 2);
}

proptest! {
    #[test]
    fn any_text_gives_tickets_or_problems_and_a_tick_touches_one_box(
        text in any::<String>(), lump in "(- \\[[ x]\\] ?|[#{}.=<>!a `\\t-]{1,4}|\r?\n){0,30}"
    ) {
        for text in [text, lump] {
            let Ok(read) = parse_checklist("f", &text) else { continue };
            prop_assert!(read.is_empty() || is_checklist(&text) || text.contains("Acceptance") || text.starts_with("---"));
            for listed in read {
                let ticked = tick(&text, &listed.ticket.id).unwrap();
                let changed = text.bytes().zip(ticked.bytes()).filter(|(a, b)| a != b).count();
                prop_assert_eq!((text.len(), changed), (ticked.len(), 1));
            }
        }
    }
}
