//! The end of a night: at the hard stop no agent lives, nothing is lost, and the next dispatch goes on.

use crate::support::{
    PATIENCE,
    fakes::{COMMIT, DONE, FakeProject},
    world::World,
};

const BEGIN: &str = "ready\nexpect-prompt\n";

/// Sessions of tickets on autodo's own server.
fn sessions(world: &World) -> Vec<String> {
    let list = world.tmux(&["ls", "-F", "#{session_name}"]).stdout;
    list.lines().filter(|name| name.starts_with("ad-")).map(str::to_owned).collect()
}

#[test]
fn at_the_hard_stop_every_agent_is_ended_and_the_next_dispatch_goes_on_with_its_conversation() {
    let world = World::new();
    let resumed = ["ready\nexpect-prompt\n", COMMIT, DONE].concat();
    let p = FakeProject::new(&world).resumable(&resumed).setting("parallel = 1").ticket("T-1", "").ticket("T-2", "");
    let p = p.scenario_of("T-1", 1, &[BEGIN, "busy 600\n"].concat()).set_up();
    let run = p.dispatch(&["--until", "2s", "--hard-stop", "6s"]).code(0);
    assert_eq!(p.status("T-1"), "parked hard_stop null", "{}", run.both());
    assert!(p.row("T-1")["parked_until"].is_string());
    assert_eq!(p.status("T-2"), "queued null null", "nothing is started after --until");
    assert_eq!(sessions(&world), Vec::<String>::new());
    // The other one may go first or not: both are done now.
    p.dispatch(&[]).code(0);
    assert_eq!(
        (p.status("T-1").as_str(), p.status("T-2").as_str()),
        ("needs_review null true", "needs_review null true")
    );
    assert_eq!(p.row("T-1")["run"], 1, "it is the same run, which went on");
}

#[test]
fn a_blocked_ticket_keeps_its_question_through_the_hard_stop_where_its_conversation_can_go_on() {
    let asks = [BEGIN, "report blocked --question 'Which colour?'\nready\nexpect-prompt\n"].concat();
    let dispatch = |p: &FakeProject<'_>| {
        let dispatch = p.start(&["--hard-stop", "7s"]);
        p.wait_status("T-1", "blocked question");
        dispatch.wait(PATIENCE).code(8)
    };
    let busy = [BEGIN, "busy 600\n"].concat();
    for is_resumable in [true, false] {
        let world = World::new();
        let p = FakeProject::new(&world).ticket("T-1", "").ticket("T-2", "");
        let p = if is_resumable { p.resumable(&[BEGIN, COMMIT, DONE].concat()) } else { p };
        let p = p.scenario_of("T-1", 1, &asks).scenario_of("T-2", 1, &busy).set_up();
        dispatch(&p);
        assert_eq!(sessions(&world), Vec::<String>::new(), "resumable: {is_resumable}");
        let shown = p.autodo(&["show", "T-1"]).ok().both();
        assert!(shown.contains("Which colour?"), "{shown}");
        if is_resumable {
            assert_eq!(p.status("T-1"), "blocked question null");
        } else {
            assert_eq!(p.status("T-1"), "parked hard_stop null");
            assert!(p.row("T-1")["parked_until"].is_null(), "a person is needed");
        }
    }
}

#[test]
fn a_hard_stop_before_the_last_start_is_refused() {
    let world = World::new();
    let p = FakeProject::new(&world).set_up();
    let run = p.dispatch(&["--until", "2h", "--hard-stop", "1h"]).code(2);
    assert!(run.stderr.contains("--hard-stop 1h comes before --until 2h"), "{}", run.both());
    p.dispatch(&["--hard-stop", "soon"]).code(2);
}
