//! The lines of a list.

use super::*;
use crate::domain::samples;

fn glance(project: &str, id: &str, status: &str) -> Glance {
    let mut glance = Glance::from(&samples::row(id));
    glance.project = project.to_owned();
    glance.repo = format!("/users/me/src/{project}");
    glance.status = status.to_owned();
    glance
}

fn lines(shown: &[Glance], columns: Option<usize>, rows: Option<usize>) -> Vec<String> {
    let all: Glances = shown.iter().map(|glance| (glance.id.clone(), glance.clone())).collect();
    let table = Table { shown, all: &all, user: Some("/users/me"), is_short: false };
    let lines = table.lines(samples::time(1_700_000_000), Fit { columns, rows });
    lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
}

#[test]
fn several_projects_stand_under_their_names_each_in_its_own_order() {
    let shown = [
        glance("shop", "B-1", "queued"),
        glance("app", "C-2", "running"),
        glance("shop", "A-1", "blocked"),
        glance("app", "A-2", "queued"),
    ];
    let seen = lines(&shown, Some(60), None);
    insta::assert_snapshot!(seen.join("\n"), @r"
    app  ~/src/app  1 running, 1 queued
    C-2   running            -  0L 0M 0H    title of C-2
    A-2   queued             -  0L 0M 0H    title of A-2

    shop  ~/src/shop  1 blocked, 1 queued
    B-1   queued             -  0L 0M 0H    title of B-1
    A-1   blocked            -  0L 0M 0H    title of A-1
    ");
    // For programs: the same order, and nothing but tickets.
    let piped: Vec<String> = lines(&shown, None, None).iter().map(|line| line[..3].to_owned()).collect();
    assert_eq!(piped, ["C-2", "A-2", "B-1", "A-1"]);
}

#[test]
fn one_project_needs_no_heading() {
    let shown = [glance("shop", "B-1", "queued"), glance("shop", "A-1", "blocked")];
    assert_eq!(lines(&shown, Some(80), None), lines(&shown, None, None));
    assert_eq!(lines(&shown, Some(80), None).len(), 2);
}

#[test]
fn projects_of_one_name_in_two_places_are_two() {
    let mut shown = [glance("shop", "A-1", "queued"), glance("shop", "A-2", "queued")];
    shown[1].repo = "/users/meadow/shop".to_owned();
    let seen = lines(&shown, Some(60), None);
    assert_eq!(seen[0], "shop  ~/src/shop  1 queued");
    assert_eq!(seen[3], "shop  /users/meadow/shop  1 queued");
}

#[test]
fn where_there_is_no_room_what_needs_a_person_stays() {
    let mut shown: Vec<Glance> = (0..30).map(|n| glance("shop", &format!("Q-{n}"), "queued")).collect();
    shown.push(glance("shop", "L-1", "landed"));
    shown.push(glance("shop", "R-1", "running"));
    shown.push(glance("shop", "B-1", "blocked"));
    let seen = lines(&shown, Some(80), Some(5));
    assert_eq!(seen.len(), 5);
    let ids: Vec<&str> = seen.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, ["Q-0", "Q-1", "R-1", "B-1", "…"]);
    assert_eq!(seen[4], "… 29 more: 28 queued, 1 landed");
    assert_eq!(lines(&shown, Some(80), Some(33)).len(), 33);
}

#[test]
fn no_size_of_a_terminal_gets_more_or_longer_lines_than_it_has() {
    let statuses = STATUSES.iter().enumerate();
    let mut shown: Vec<Glance> =
        statuses.map(|(n, s)| glance(["app", "shop", "x"][n % 3], &format!("T-{n}"), s)).collect();
    shown[4].title = "😀".repeat(60);
    shown[5].title = samples::NASTY.to_owned();
    for rows in 1..=20 {
        for columns in [1, 2, 10, 39, 80] {
            let seen = lines(&shown, Some(columns), Some(rows));
            assert!(seen.len() <= rows, "{rows}: {seen:?}");
            assert!(seen.iter().all(|line| ui::columns_of(line) <= columns), "{columns}: {seen:?}");
        }
    }
}

#[test]
fn only_the_word_of_the_status_has_its_colour() {
    let shown = [glance("shop", "failed", "failed")];
    let all = Glances::new();
    let table = Table { shown: &shown, all: &all, user: None, is_short: false };
    let line = table.lines(samples::time(0), Fit { columns: Some(80), rows: None }).remove(0);
    let style = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    assert!(line.starts_with(&format!("failed  {style}failed{style:#}  ")), "{line:?}");
}
