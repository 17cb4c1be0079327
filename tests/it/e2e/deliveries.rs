//! Texts on their way into panes: many at once, nasty ones, and with a person at the same keyboard.

use std::time::Duration;

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject},
    program::Background,
    wait_for,
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

/// What a pane receives of one delivery: the text as one bracketed paste, and Enter.
fn typed(text: &str) -> String {
    format!("\u{1b}[200~{text}\u{1b}[201~\r")
}

fn received(p: &FakeProject<'_>, id: &str) -> String {
    String::from_utf8(p.bytes(id)).unwrap()
}

/// Waits until the first bytes have reached the agents of a ticket.
fn wait_bytes(p: &FakeProject<'_>, id: &str) {
    wait_for("a first byte", || (!p.bytes(id).is_empty()).then_some(()), || p.world.story());
}

#[test]
fn twenty_deliveries_at_once_into_twenty_panes_arrive_once_each() {
    let world = World::new();
    let ids: Vec<String> = (1..=20).map(|n| format!("T-{n:02}")).collect();
    let mut p = FakeProject::new(&world).scenario(&[BEGIN, "expect-prompt\n", COMMIT, DONE].concat());
    for id in &ids {
        p = p.ticket(id, "");
    }
    let p = p.set_up();
    let dispatch = p.command(&["dispatch", "--parallel", "20"]).spawn();
    let is_working = |id: &String| p.world.file("queue.toml").contains(&format!("id = \"{id}\""));
    assert!(wait_for("the queue", || ids.iter().all(is_working).then_some(true), || world.story()));
    let at_work = || p.world.file("queue.toml").lines().filter(|line| *line == "phase = \"working\"").count();
    // One by one: on a busy machine the twenty together take longer than a test waits for one thing.
    for count in 1..=ids.len() {
        wait_for(&format!("{count} agents at work"), || (at_work() >= count).then_some(()), || world.story());
    }
    let sends: Vec<Background> =
        ids.iter().map(|id| p.command(&["send", id, &format!("for {id} alone;")]).spawn()).collect();
    for send in sends {
        send.wait(PATIENCE).code(0);
    }
    dispatch.wait(PATIENCE * 3).code(0);
    for id in &ids {
        let prompts = p.prompts(id);
        assert_eq!(prompts.len(), 2, "{id}: {prompts:#?}");
        assert!(prompts[0].contains(id.as_str()) && prompts[0].contains("[autodo 1.1]"), "{id}: {prompts:#?}");
        assert_eq!(prompts[1], format!("for {id} alone;"));
        assert_eq!(received(&p, id), typed(&prompts[0]) + &typed(&prompts[1]));
        assert_eq!(p.status(id), "needs_review null true");
    }
}

#[test]
fn nasty_texts_arrive_as_the_table_says_once_each() {
    let long = "words and more of them, ".repeat(4_300);
    assert!(long.len() > 100 * 1024);
    let lines: String = (1..=300).map(|n| format!("line {n}\n")).collect();
    // What is sent, and what arrives.
    let texts: [(&str, &str); 16] = [
        ("trailing;", "trailing;"),
        ("\\;", "\\;"),
        ("Enter", "Enter"),
        ("-n -t %0 -- x", "-n -t %0 -- x"),
        (&long, &long),
        (&lines, lines.trim_end_matches('\n')),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("'s' \"d\" `b` \\ \\n it's", "'s' \"d\" `b` \\ \\n it's"),
        ("$(touch x) ${HOME} $HOME ~root !x", "$(touch x) ${HOME} $HOME ~root !x"),
        ("#{pane_id} #(touch x) #[fg=red] #S %1 {a}", "#{pane_id} #(touch x) #[fg=red] #S %1 {a}"),
        ("é 漢字 🦀 👩‍👩‍👧 ❤️ 🇳🇱 ﷽ e\u{301}", "é 漢字 🦀 👩‍👩‍👧 ❤️ 🇳🇱 ﷽ e\u{301}"),
        ("a\tb\n\tc", "a    b\n    c"),
        ("before\u{1b}[201~\rrm -rf ~\u{1b}[200~after\u{4}\u{3}", "before\nrm -rf ~after"),
        ("!touch x", "Task: !touch x"),
        ("/clear", "Task: /clear"),
        ("ends in a \\", "ends in a \\ "),
    ];
    let world = World::new();
    let p = FakeProject::new(&world).scenario(&[BEGIN, "loop\nexpect-prompt\nend\n"].concat()).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    let first = p.prompts("T-1");
    assert_eq!(first.len(), 1);
    let mut expected = typed(&first[0]);
    for (number, (text, arrives)) in texts.iter().enumerate() {
        p.command(&["send", "T-1", "-"]).stdin(*text).run().code(0);
        p.wait_prompts("T-1", number + 2);
        p.wait_status("T-1", "running working");
        assert_eq!(p.prompts("T-1")[number + 1], *arrives);
        expected += &typed(arrives);
        assert!(received(&p, "T-1") == expected, "after {:?}…", &text[..text.len().min(30)]);
    }
    // As an argument, too.
    p.autodo(&["send", "T-1", "-t;"]).code(0);
    p.wait_prompts("T-1", texts.len() + 2);
    p.autodo(&["stop", "T-1"]).code(0);
    dispatch.wait(PATIENCE).code(8);
    assert!(received(&p, "T-1") == expected + &typed("-t;"));
}

#[test]
fn of_texts_sent_by_several_people_at_once_each_arrives_once_or_is_refused() {
    let world = World::new();
    let p = FakeProject::new(&world).scenario(&[BEGIN, "loop\nexpect-prompt\nend\n"].concat()).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    let mut taken: Vec<String> = Vec::new();
    for round in 0..3 {
        let texts: Vec<String> = (0..6).map(|n| format!("text {n} of round {round}")).collect();
        let sends: Vec<Background> = texts.iter().map(|text| p.command(&["send", "T-1", text]).spawn()).collect();
        for (text, send) in texts.into_iter().zip(sends) {
            if send.wait(PATIENCE).code == 0 {
                taken.push(text);
            }
        }
        assert!(!taken.is_empty());
        p.wait_prompts("T-1", 1 + taken.len());
        p.wait_status("T-1", "running working");
    }
    p.autodo(&["stop", "T-1"]).code(0);
    dispatch.wait(PATIENCE).code(8);
    let (mut arrived, mut taken) = (p.prompts("T-1").split_off(1), taken);
    arrived.sort();
    taken.sort();
    assert_eq!(arrived, taken);
}

#[test]
fn a_text_sent_to_a_busy_agent_waits_for_its_box() {
    let world = World::new();
    let p = FakeProject::new(&world);
    let gate = p.gate("gate");
    let script = format!("{BEGIN}wait-file {gate}\nready\nexpect-prompt\n{COMMIT}{DONE}");
    let p = p.waits_while_busy().limit("delivery = \"20s\"").scenario(&script).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    let before = p.bytes("T-1");
    p.autodo(&["send", "T-1", "when you can"]).code(0);
    p.wait_status("T-1", "running pasting");
    // Long enough for several looks at the busy agent.
    let looks = std::time::Instant::now() + Duration::from_millis(600);
    wait_for("some looks", || (std::time::Instant::now() > looks).then_some(()), String::new);
    assert_eq!(p.bytes("T-1"), before);
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
    assert_eq!(p.prompts("T-1")[1..], ["when you can"]);
    assert_eq!(p.status("T-1"), "needs_review null true");
}

#[test]
fn copy_mode_before_and_after_a_paste_loses_nothing() {
    let world = World::new();
    let p = FakeProject::new(&world);
    let gate = p.gate("gate");
    let p = p.scenario(&format!("paste-delay 1500\nwait-file {gate}\n{BEGIN}{COMMIT}{DONE}")).set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running booting");
    let pane = wait_for("the pane", || p.pane("T-1"), || world.story());
    world.tmux(&["copy-mode", "-t", &pane]).ok();
    p.open("gate");
    wait_bytes(&p, "T-1");
    world.tmux(&["copy-mode", "-t", &pane]).ok();
    dispatch.wait(PATIENCE).code(0);
    assert_eq!(p.status("T-1"), "needs_review null true");
    assert_eq!(received(&p, "T-1"), typed(&p.prompts("T-1")[0]));
}

#[test]
fn what_a_person_types_behind_a_prompt_is_not_submitted_with_it() {
    let world = World::new();
    let p = FakeProject::new(&world).limit("delivery = \"4s\"");
    let p = p.scenario(&["paste-delay 1500\n", BEGIN, COMMIT, DONE].concat()).set_up();
    let dispatch = p.start(&[]);
    wait_bytes(&p, "T-1");
    let pane = wait_for("the pane", || p.pane("T-1"), || world.story());
    world.tmux(&["send-keys", "-t", &pane, "-l", " and half a thought"]).ok();
    dispatch.wait(PATIENCE).code(8);
    assert_eq!(p.status("T-1"), "blocked delivery_unverified null");
    assert_eq!(p.prompts("T-1"), [""; 0]);
    let bytes = received(&p, "T-1");
    assert!(bytes.ends_with(" and half a thought") && !bytes.contains('\r'), "{bytes:?}");
    assert!(p.screen("T-1").contains("and half a thought"), "it stays where it was typed");
}

#[test]
fn a_draft_in_the_box_is_left_alone_and_the_text_follows_when_it_is_gone() {
    let world = World::new();
    let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "").limit("delivery = \"2s\"");
    let gate = p.gate("gate");
    let p = p
        .scenario_of("T-1", 1, &[BEGIN, "ready\nexpect-prompt\n", COMMIT, DONE].concat())
        .scenario_of("T-2", 1, &format!("{BEGIN}{COMMIT}wait-file {gate}\n{DONE}"))
        .set_up();
    let dispatch = p.start(&[]);
    p.wait_status("T-1", "running working");
    let pane = p.pane("T-1").unwrap();
    world.tmux(&["send-keys", "-t", &pane, "-l", "half a thought"]).ok();
    wait_for("the draft", || p.screen("T-1").contains("> half a thought").then_some(()), || world.story());
    let before = received(&p, "T-1");
    p.autodo(&["send", "T-1", "the other text"]).code(0);
    let told = || p.autodo(&["show", "T-1"]).stdout.contains("not sent").then_some(());
    wait_for("the end of the delivery", told, || world.story());
    p.wait_status("T-1", "running working");
    assert_eq!(received(&p, "T-1"), before);
    assert!(p.screen("T-1").contains("> half a thought"));
    // The person empties the box.
    world.tmux(&["send-keys", "-t", &pane, "C-c"]).ok();
    p.wait_status("T-1", "needs_review null true");
    assert_eq!(p.prompts("T-1")[1..], ["the other text"]);
    assert_eq!(received(&p, "T-1"), before + "\u{3}" + &typed("the other text"));
    p.open("gate");
    dispatch.wait(PATIENCE).code(0);
}

#[test]
fn a_pane_killed_during_a_delivery_leads_to_a_run_that_is_given_its_prompt_once() {
    let world = World::new();
    let p = FakeProject::new(&world)
        .scenario_of("T-1", 1, &["paste-delay 60000\n", BEGIN].concat())
        .scenario_of("T-1", 2, &[BEGIN, COMMIT, DONE].concat())
        .set_up();
    let dispatch = p.start(&[]);
    wait_bytes(&p, "T-1");
    let pane = wait_for("the pane", || p.pane("T-1"), || world.story());
    let lost = received(&p, "T-1");
    world.tmux(&["kill-pane", "-t", &pane]).ok();
    dispatch.wait(PATIENCE * 2).code(0);
    assert_eq!((p.status("T-1").as_str(), &p.row("T-1")["run"]), ("needs_review null true", &2.into()));
    let prompts = p.prompts("T-1");
    assert_eq!(prompts.len(), 1, "{prompts:#?}");
    assert!(prompts[0].contains("[autodo 2."), "{prompts:#?}");
    assert_eq!(received(&p, "T-1"), lost + &typed(&prompts[0]));
}
