//! The page for the morning: `summary` in all its forms, and the page that each dispatch leaves.

use std::path::PathBuf;

use crate::support::desk::Desk;

fn pages(desk: &Desk, kind: &str) -> Vec<PathBuf> {
    let Ok(listed) = std::fs::read_dir(desk.world.home().join("summaries")) else { return vec![] };
    let mut all: Vec<PathBuf> = listed.map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|e| e == kind));
    all.sort();
    all
}

/// One through, one that asks with markup in its question, one that fails at once.
fn night() -> Desk {
    let desk = Desk::new();
    desk.ticket("T-1", "", "echo a > a.txt");
    desk.ticket("T-2", "", "cat answer || { echo '<b>Which</b> colour?'; exit 1; }");
    desk.ticket("T-3", "after: [T-2]", "true");
    desk
}

#[test]
fn a_dispatch_that_ends_leaves_its_page_and_names_it() {
    let desk = night();
    let run = desk.autodo(&["dispatch"]).code(8);
    let [page] = &pages(&desk, "md")[..] else { panic!("{:?}", pages(&desk, "md")) };
    assert!(run.stderr.contains(&format!("the page of it: {}", page.display())), "{}", run.stderr);
    let text = std::fs::read_to_string(page).unwrap();
    assert!(text.contains("**1 to review, 1 blocked, 1 not started**"), "{text}");
    assert!(text.contains("\n  <b>Which</b> colour?\n"), "in its block, as it was asked: {text}");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(page).unwrap().permissions().mode() & 0o777, 0o600);
    // Nothing has changed since: nothing is written.
    desk.autodo(&["dispatch"]).code(8);
    assert_eq!(pages(&desk, "md").len(), 1);
}

#[test]
fn the_page_of_a_dispatch_can_be_made_again_as_things_stand() {
    let desk = night();
    desk.autodo(&["dispatch"]).code(8);
    desk.autodo(&["approve", "T-1"]).ok();
    desk.autodo(&["add", "Another", "--id", "A-1", "--profile", "generic"]).ok();
    let page = desk.autodo(&["summary", "--batch", "last", "--json"]).ok().json();
    assert_eq!((&page["counts"]["reviewed"], &page["counts"]["blocked"]), (&1.into(), &1.into()));
    assert_eq!(page["counts"]["queued"], 1, "only what the dispatch was about: {page}");
    let id = page["batch"].as_str().unwrap();
    assert!(desk.autodo(&["summary", "--batch", id]).ok().stdout.contains("T-3"));
    assert!(desk.autodo(&["summary", "--batch", "1999"]).code(2).stderr.contains("there is no dispatch"));
    assert!(desk.autodo(&["summary", "--batch", "../x"]).code(2).stderr.contains("there is no dispatch"));
}

#[test]
fn what_is_finished_and_put_away_is_on_the_page_of_its_time() {
    let desk = night();
    desk.autodo(&["dispatch", "T-1"]).ok();
    desk.autodo(&["cancel", "T-1"]).ok();
    desk.autodo(&["clean", "T-1", "--rescue"]).ok();
    assert_eq!(desk.autodo(&["summary", "--json"]).ok().json()["counts"]["cancelled"], 0);
    let page = desk.autodo(&["summary", "--since", "1h", "--json"]).ok().json();
    assert_eq!((&page["counts"]["cancelled"], &page["groups"]["cancelled"][0]["id"]), (&1.into(), &"T-1".into()));
    assert_eq!(desk.autodo(&["summary", "--since", "0s", "--json"]).ok().json()["counts"]["cancelled"], 0);
    assert!(desk.autodo(&["summary", "--since", "yesterday"]).code(2).stderr.contains("--since 12h"));
}

#[test]
fn the_page_is_written_as_it_is_asked_for() {
    let desk = night();
    desk.autodo(&["dispatch"]).code(8);
    let html = desk.autodo(&["summary", "--format", "html"]).ok().stdout;
    assert!(html.starts_with("<!DOCTYPE html>") && html.contains("&lt;b&gt;Which&lt;/b&gt; colour?"), "{html}");
    assert!(!html.contains("<b>") && !html.contains("<script"), "{html}");
    let md = desk.autodo(&["summary", "--format", "md"]).ok().stdout;
    assert!(md.contains("## Blocked\n\n- **T-2**"), "{md}");
    let json = desk.autodo(&["summary", "--format", "json"]).ok().json();
    assert_eq!(json["groups"]["queued"][0]["waits_for"], "T-2");
}

#[test]
fn a_failed_ticket_shows_its_last_screen_and_what_was_survived() {
    let desk = Desk::new();
    let path = |name: &str| desk.world.root().join(name).display().to_string();
    // The agent of the profile ends with an error of its own as soon as its program is gone.
    desk.repo.settings("version = 1\nprofile = \"dies\"\nchecks = []\n[limits]\ncrashes = 2\nbackoff = \"0s\"\n");
    super::user_profile(&desk.world, "dies", &super::profile_text("dies", &path("dies")));
    let script =
        "#!/bin/sh\n[ \"$1\" = --version ] && exit 0\nprintf 'the \\033[31mlast words\\n'; sleep 0.3; exit 9\n";
    std::fs::write(path("dies"), script).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path("dies"), std::fs::Permissions::from_mode(0o755)).unwrap();
    desk.repo.ticket("T-1", "title: Dies", "Do it.\n");
    desk.autodo(&["dispatch"]).code(5);
    let page = desk.autodo(&["summary"]).ok().stdout;
    assert!(page.contains("the last words") && !page.contains('\u{1b}'), "{page}");
    assert!(page.contains("1 retry, 2 crashes"), "{page}");
}
