//! The documents: every link leads somewhere, every page is in the summary, the generated reference is up to date.
//!
//! `UPDATE_REFERENCE=1 cargo test --test it docs` writes the generated pages anew.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use autodo::format::tmux::{OLDEST, TESTED};

use crate::support::{
    files::{files_below, repository, tracked},
    world::World,
};

/// Pages made by the program, with what makes them.
fn generated() -> Vec<(&'static str, String)> {
    vec![
        ("docs/reference/cli.md", autodo::cli::reference::page()),
        ("docs/reference/config.md", autodo::config::reference::page()),
        ("docs/reference/exit-codes.md", autodo::app::Exit::page()),
    ]
}

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|e| panic!("cannot read {path}: {e}"))
}

/// The text without fenced blocks and code spans: what is in them is no link and no heading.
fn prose(markdown: &str) -> String {
    let mut fenced = false;
    let mut all = String::new();
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            all.extend(line.split('`').enumerate().map(|(n, part)| if n % 2 == 0 { part } else { "x" }));
        }
        all.push('\n');
    }
    all
}

/// Targets of the inline links of a page.
fn links(markdown: &str) -> Vec<String> {
    let text = prose(markdown);
    let ends = text.match_indices("](").map(|(at, mark)| &text[at + mark.len()..]);
    ends.filter_map(|rest| rest.split([')', '\n']).next()).map(|t| t.trim().to_owned()).collect()
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(markdown: &str) -> BTreeSet<String> {
    let outside_fences = {
        let mut fenced = false;
        markdown.lines().filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
    };
    let headings = outside_fences.filter(|line| line.starts_with('#'));
    let anchor = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>()
    };
    headings.map(anchor).collect()
}

/// What is wrong with one link of the page at `from` (relative to the repository).
fn broken(from: &Path, link: &str) -> Option<String> {
    if ["http://", "https://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = match file {
        "" => repository().join(from),
        file => repository().join(from.parent().unwrap()).join(file),
    };
    if !target.exists() {
        return Some(format!("{}: {link}: there is no such file", from.display()));
    }
    let anchor = anchor?;
    let text = std::fs::read_to_string(&target).unwrap_or_default();
    (!anchors(&text).contains(anchor)).then(|| format!("{}: {link}: there is no such heading", from.display()))
}

fn markdown_files() -> Vec<PathBuf> {
    tracked().into_iter().filter(|p| p.extension().is_some_and(|e| e == "md")).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in markdown_files() {
        let text = std::fs::read_to_string(repository().join(&page)).unwrap();
        for link in links(&text) {
            seen += 1;
            wrong.extend(broken(&page, &link));
        }
    }
    assert!(seen > 20, "found only {seen} links");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_is_in_the_summary() {
    let listed: BTreeSet<PathBuf> = links(&read("docs/SUMMARY.md")).iter().map(PathBuf::from).collect();
    let docs = repository().join("docs");
    let pages = files_below(&docs).into_iter().filter(|p| p.extension().is_some_and(|e| e == "md"));
    let pages = pages.map(|p| p.strip_prefix(&docs).unwrap().to_owned());
    let expected: BTreeSet<PathBuf> =
        pages.filter(|p| !p.starts_with("examples") && p != Path::new("SUMMARY.md")).collect();
    assert_eq!(listed, expected);
}

#[test]
fn the_readme_names_the_two_commands_and_they_are_there() {
    use std::os::unix::fs::PermissionsExt;
    for script in ["scripts/quickstart", "scripts/test"] {
        assert!(read("README.md").contains(script), "{script}");
        let mode = std::fs::metadata(repository().join(script)).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script} can be run by everybody");
    }
    let ci: Vec<String> = read(".ci/run").lines().filter(|l| !l.starts_with('#')).map(str::to_owned).collect();
    assert!(ci.iter().filter(|l| !l.starts_with("set ")).all(|l| l.contains("scripts/test")), "{ci:?}");
}

#[test]
fn manifest_changelog_and_program_name_the_same_version() {
    let version = env!("CARGO_PKG_VERSION");
    let changelog = read("CHANGELOG.md");
    let heading = changelog.lines().find_map(|line| line.strip_prefix("## [")).and_then(|rest| rest.split(']').next());
    assert_eq!(heading, Some(version), "the first heading of CHANGELOG.md");
    let said = World::new().autodo(&["--version"]).ok().stdout;
    assert_eq!(said, format!("autodo {version}\n"));
}

#[test]
fn packages_and_pages_name_the_versions_that_doctor_knows() {
    let ((major, minor), git) = (OLDEST, autodo::adapters::git::OLDEST);
    let needs = format!("Depends: git (>= 1:{}.{}), tmux (>= {major}.{minor})\n", git.0, git.1);
    assert!(read("scripts/release").contains(&needs), "{needs}");
    let install = read("docs/guide/install.md");
    assert!(install.contains(&format!("git {}.{} or newer", git.0, git.1)), "git in docs/guide/install.md");
    assert!(install.contains(&format!("tmux {major}.{minor} or newer")), "tmux in docs/guide/install.md");
    for page in ["docs/guide/install.md", "docs/design/tmux.md"] {
        let text = read(page);
        for version in TESTED {
            assert!(text.contains(version), "{page} does not name tmux {version}");
        }
    }
}

#[test]
fn the_generated_reference_is_up_to_date() {
    for (path, text) in generated() {
        if std::env::var_os("UPDATE_REFERENCE").is_some() {
            std::fs::write(repository().join(path), &text).unwrap();
        }
        assert_eq!(read(path), text, "{path} differs from what the program says: run with UPDATE_REFERENCE=1");
    }
}

#[test]
fn a_broken_link_is_found() {
    let page = Path::new("README.md");
    assert!(broken(page, "docs/nowhere.md").is_some());
    assert!(broken(page, "docs/design/house.md#nowhere").is_some());
    assert!(broken(page, "#nowhere").is_some());
    for fine in ["docs/design/house.md", "docs/design/house.md#why-it-is-so", "https://example.invalid/x"] {
        assert_eq!(broken(page, fine), None);
    }
    let text = "[a](b.md) `[c](d.md)` [e `f`](g.md#h)\n```\n[i](j.md)\n# no heading\n```\n# A heading, two\n";
    assert_eq!(links(text), ["b.md", "g.md#h"]);
    assert_eq!(anchors(text).into_iter().collect::<Vec<_>>(), ["a-heading-two"]);
}

/// The file in which the test of that module path stands: `e2e::limits::name`, `domain::schedule::tests::name`.
fn file_of(test: &str) -> Option<PathBuf> {
    let (modules, name) = test.rsplit_once("::")?;
    let path = modules.replace("::", "/");
    let parent = path.strip_suffix("/tests").unwrap_or(&path);
    let places = ["tests/it", "src"].into_iter().flat_map(|root| {
        let of = |path: &str| [format!("{root}/{path}.rs"), format!("{root}/{path}/mod.rs")];
        [of(&path), of(parent)].concat()
    });
    let holds = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let is_it = |line: &&str| line.trim_start_matches("async ").starts_with(&format!("fn {name}("));
        let at = lines.iter().position(is_it);
        at.is_some_and(|at| lines[..at].iter().rev().take(4).any(|line| matches!(*line, "#[test]" | "#[tokio::test]")))
    };
    places.map(|place| repository().join(place)).find(holds)
}

/// The tests that a page names in code spans.
fn tests_named(page: &str) -> Vec<&str> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let spans = page.split('`').skip(1).step_by(2);
    spans.filter(|span| span.contains("::") && span.split("::").all(is_word)).collect()
}

#[test]
fn every_test_that_the_nights_are_held_by_is_there() {
    let page = read("docs/design/nights.md");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")).collect();
    let numbers: Vec<usize> = rows.iter().map(|row| row.split('|').nth(1).unwrap().trim().parse().unwrap()).collect();
    assert_eq!(numbers, (1..=25).collect::<Vec<_>>());
    for row in &rows {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert_eq!(cells.len(), 5, "{row}");
        assert!(!tests_named(cells[3]).is_empty(), "nothing holds: {row}");
    }
    let gone: Vec<&str> = tests_named(&page).into_iter().filter(|test| file_of(test).is_none()).collect();
    assert!(gone.is_empty(), "docs/design/nights.md names tests that are not there: {gone:#?}");
}

#[test]
fn a_test_that_is_not_there_is_found() {
    assert!(file_of("docs::a_test_that_is_not_there_is_found").is_some());
    assert!(file_of("domain::schedule::tests::nobody_starves_within_a_priority").is_some());
    for gone in ["docs::a_test_that_was_renamed", "docs::file_of", "nowhere::every_page_is_in_the_summary", "docs"] {
        assert!(file_of(gone).is_none(), "{gone}");
    }
    assert_eq!(tests_named("`a::b_c` and `--json`, `x::<y>` or a::d; `e`"), ["a::b_c"]);
}
