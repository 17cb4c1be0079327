//! Backlogs as people keep them: checklists, lists, standard input, commands.

use insta::assert_snapshot;

use crate::support::desk::Desk;

const LIST: &str = "# Plan\n\n- [ ] Write the menu\n      ## Run\n\n      ```sh\n      echo soup > menu\n      ```\n- [x] Buy \
                    flour {#T-1}\n- [ ] Open {#T-9 priority=1 after=T-1,Write-the-menu .shop}\n  ## Run\n\n  ```sh\n  \
                    echo open > door\n  ```\n";

fn todo(desk: &Desk) -> String {
    std::fs::read_to_string(desk.repo.path.join("TODO.md")).unwrap()
}

#[test]
fn a_checklist_is_worked_through_and_ticked_off_and_the_rest_of_it_is_untouched() {
    let desk = Desk::new();
    desk.repo.commit(&[("TODO.md", LIST)], "plan");
    assert_snapshot!(desk.tell(&["import", "TODO.md"]), @r"
    Write-the-menu: queued
    T-9: queued
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    desk.autodo(&["dispatch", "TODO.md"]).ok();
    assert_eq!(desk.row("T-9")["verified"], true);
    desk.autodo(&["approve", "Write-the-menu"]).ok();
    let ticked = LIST.replace("- [ ] Write", "- [x] Write");
    assert_eq!(todo(&desk), ticked);
    desk.autodo(&["approve", "--dry-run", "T-9"]).ok();
    assert_eq!(todo(&desk), ticked);
    // A title that changes meanwhile loses no box: the id is fixed.
    let renamed = ticked.replace("Open {", "Open the shop {");
    desk.repo.write("TODO.md", &renamed);
    // From another folder, too.
    desk.world.command(&["approve", "T-9"]).in_dir(desk.world.root()).run().ok();
    assert_eq!(todo(&desk), renamed.replace("- [ ] Open", "- [x] Open"));
    assert_snapshot!(desk.tell(&["dispatch", "TODO.md"]), @"
    --- stderr
    nothing to do
    --- exit 0
    ");
}

#[test]
fn the_same_checklist_again_takes_what_is_new_and_what_was_edited() {
    let desk = Desk::new();
    desk.repo.write("TODO.md", "- [ ] Buy flour\n- [ ] Sell bread\n");
    desk.repo.write(".autodo/config.toml", "version = 1\nprofile = \"generic\"\nchecks = []\n");
    desk.autodo(&["import", "TODO.md"]).ok();
    desk.repo.write("TODO.md", "- [ ] Sell more bread\n- [ ] Buy flour\n  of wheat\n- [ ] Sell bread\n");
    assert_snapshot!(desk.tell(&["import", "--dry-run", "TODO.md"]), @"
    would queue: Sell-more-bread  Sell more bread
    would update: Buy-flour  Buy flour
    --- stderr
    Sell-bread: open already (queued)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["import", "TODO.md"]), @"
    Sell-more-bread: queued
    Buy-flour: updated, it was edited
    --- stderr
    Sell-bread: open already (queued)
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    assert!(desk.world.file("Buy-flour/ticket.md").contains("of wheat"));
}

#[test]
fn lists_are_read_from_files_from_standard_input_and_from_a_command() {
    let desk = Desk::new();
    desk.repo.write(".autodo/config.toml", "version = 1\nprofile = \"generic\"\nchecks = []\n");
    desk.repo.write("queue.yaml", "- title: Fix it\n  labels: [ui]\n- {id: T-3, title: Log it, after: [Fix-it]}\n");
    assert_snapshot!(desk.tell(&["import", "--dry-run", "queue.yaml"]), @"
    would queue: Fix-it  Fix it
    would queue: T-3  Log it  (after Fix-it)
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["import", "--dry-run", "--label", "ui", "queue.yaml"]), @"
    would queue: Fix-it  Fix it
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["import", "--dry-run", "--only", "t-3", "queue.yaml"]), @"
    --- stderr
    queue.yaml:3: T-3 depends on Fix-it, which is unknown
      hint: correct `after:`, or dispatch that ticket too
    error: 1 thing(s) are wrong with these tickets: nothing was queued
    hint: mend them, or take the good ones with --keep-going
    --- exit 2
    ");
    assert_snapshot!(desk.tell(&["import", "--dry-run", "--only", "T-4", "queue.yaml"]), @"
    --- stderr
    error: --only T-4: no ticket of this backlog has that id
    hint: autodo dispatch --dry-run shows them all
    --- exit 2
    ");
    let piped = |text: &str| {
        let run = desk.command(&["import", "--backlog", "-", "--dry-run"]).stdin(text).run();
        desk.redacted(&run)
    };
    assert_snapshot!(piped("{\"title\": \"one\"}\n{\"title\": \"two\", \"priority\": 1}\n"), @"
    would queue: one  one
    would queue: two  two
    --- exit 0
    ");
    assert_snapshot!(piped("- [ ] a\n- [ ] b\n"), @"
    would queue: a  a
    would queue: b  b
    --- exit 0
    ");
    assert_snapshot!(piped("{\"title\": \"one\"\n"), @r#"
    --- stderr
    error: it is not JSON: EOF while parsing an object
     --> standard input:1:15
      |
    1 | {"title": "one"
      |               ^
      |
      = help: each line is one ticket: {"title": "…", "body": "…"}
    error: 1 thing(s) are wrong with these tickets: nothing was queued
    hint: mend them, or take the good ones with --keep-going
    --- exit 2
    "#);
    desk.repo.write("issues.sh", "echo '{\"id\": \"GH-7\", \"title\": \"Broken link\", \"body\": \"On page 2.\"}'\n");
    assert_snapshot!(desk.tell(&["import", "--backlog", "cmd:sh issues.sh"]), @"
    GH-7: queued
    --- stderr
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    assert!(desk.world.file("GH-7/ticket.md").contains("On page 2."));
    assert_snapshot!(desk.tell(&["import", "--backlog", "cmd:sh issues.sh"]), @"
    --- stderr
    GH-7: open already (queued)
    hint: no supervisor runs: autodo dispatch starts what is queued
    --- exit 0
    ");
    assert_snapshot!(desk.tell(&["import", "--backlog", "cmd:echo gone >&2; exit 3"]), @r#"
    --- stderr
    error: the backlog of `echo gone >&2; exit 3` cannot be read: exit status: 3
    gone
    hint: it must print one ticket a line, as JSON: {"title": "…", "body": "…"}
    --- exit 2
    "#);
}
