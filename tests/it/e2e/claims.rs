//! What is concluded from what an agent claims, and from what it leaves.

use crate::support::{
    fakes::{COMMIT, DONE, FakeProject},
    world::World,
};

#[test]
fn a_commit_and_a_report_make_verified_work() {
    let world = World::new();
    let p = FakeProject::new(&world).checks(&["test -f work.txt"]).dispatched(0);
    let row = p.row("T-1");
    assert_eq!(p.status("T-1"), "needs_review null true", "{row}");
    assert_eq!((&row["checks_status"], &row["run"]), (&"green".into(), &1.into()), "{row}");
    assert_eq!(p.prompts("T-1").len(), 1);
    assert!(row["session"].is_null() && p.pane("T-1").is_none(), "its session is closed");
    assert_eq!(p.review("T-1")["summary"], "all is done");
    assert!(p.review_md("T-1").contains("all is done"));
    assert_eq!(p.git("T-1", &["log", "--format=%s", "main.."]), "work");
}
