//! The script agent as a terminal program: keys, pastes, sizes, signals, floods.

use std::fs;

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{LINE, marker, ready};
use crate::support::{
    agents::{Bench, SCRIPT_AGENT},
    wait_for,
};

#[test]
fn sigterm_ends_the_block_and_puts_the_terminal_back() {
    let bench = Bench::new();
    bench.prompt(&["echo $PPID $$ > ../ids.new; mv ../ids.new ../ids; sleep 300"]);
    let shell = "\"$0\" script-agent; echo \"code $?\"; stty -a; exec sleep 300";
    let pane = bench.start(&["sh", "-c", shell, SCRIPT_AGENT[0]], &[]);
    pane.wait_status(" script · ready");
    pane.submit(LINE);
    let ids = wait_for("the block", || fs::read_to_string(bench.path("ids")).ok(), || pane.story());
    let ids: Vec<Pid> = ids.split_whitespace().map(|id| Pid::from_raw(id.parse().unwrap())).collect();
    kill(ids[0], Signal::SIGTERM).unwrap();
    pane.wait_text("code 143");
    pane.wait_text(" icanon");
    assert!(!pane.screen().contains("-echo "), "{}", pane.screen());
    assert_eq!(kill(ids[1], None), Err(Errno::ESRCH));
    let again = ready(&bench);
    again.submit(LINE);
    again.wait_status(" script · waiting for an answer");
    assert!(bench.said()[0].starts_with("blocked: block 1 was begun, and"), "{:?}", bench.said());
}

#[test]
fn keys_edit_the_box_and_two_ways_lead_out() {
    let bench = Bench::new();
    let pane = ready(&bench);
    pane.type_text("aé漢x");
    pane.keys(&["BSpace", "Left", "F5"]);
    wait_for("the text", || (pane.box_text() == "> aé漢").then_some(()), || pane.story());
    pane.keys(&["C-d", "C-c"]);
    wait_for("an empty box", || (pane.box_text() == ">").then_some(()), || pane.story());
    pane.keys(&["C-d"]);
    assert_eq!(pane.wait_end(), "exit 0");
    let other = ready(&bench);
    other.submit("/exit");
    assert_eq!(other.wait_end(), "exit 0");
}

#[test]
fn a_paste_of_100_kb_arrives_once_and_enter_inside_it_is_text() {
    let bench = Bench::new();
    bench.prompt(&["true"]);
    let pane = ready(&bench);
    let mut text = "0123456789 abcdef $(x) `y`; #{pane_id}\r".repeat(2700);
    text.push_str(LINE);
    assert!(text.len() > 100_000);
    pane.paste(text.as_bytes());
    wait_for("the box", || pane.box_text().ends_with("\n  … (+2698 lines)").then_some(()), || pane.story());
    pane.keys(&["Enter"]);
    pane.wait_text(&marker("DONE"));
    assert_eq!(bench.said().len(), 2);
}

#[test]
fn other_widths_leave_one_box() {
    let bench = Bench::new();
    let pane = ready(&bench);
    pane.paste("a line that is long enough to be wrapped when the window is narrow".as_bytes());
    wait_for("the text", || pane.box_text().contains("narrow").then_some(()), || pane.story());
    for (columns, rows) in [(40, 40), (100, 20), (20, 40), (3, 10), (120, 40)] {
        pane.resize(columns, rows);
        let rule = "─".repeat(usize::from(columns.min(100)));
        let drawn = || (pane.screen().matches(&rule).count() >= 2 && pane.status().starts_with(" s")).then_some(());
        wait_for(&format!("a box of {columns} columns"), drawn, || pane.story());
    }
    wait_for("one box", || (pane.screen().matches("script · ready").count() == 1).then_some(()), || pane.story());
    assert!(pane.box_text().starts_with("> a line that is long"), "{}", pane.screen());
}

#[test]
fn without_its_environment_it_says_so() {
    let bench = Bench::new();
    let pane = bench.start(SCRIPT_AGENT, &[("AUTODO_STATE", "")]);
    pane.wait_status(" script · failed: AUTODO_STATE is not set");
}

#[test]
fn a_flood_of_output_neither_loses_the_box_nor_the_end() {
    let bench = Bench::new();
    bench.prompt(&["i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo \"line $i of the flood\"; done; sleep 3 &"]);
    let pane = ready(&bench);
    pane.submit(LINE);
    pane.wait_text(&marker("DONE"));
    pane.wait_status(" script · ready");
    assert!(pane.screen().contains("  │ line 20000 of the flood\n"), "{}", pane.screen());
}
