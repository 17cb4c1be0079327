//! Tests of the risk rules: tables of paths, and of what happens to files.

use super::{
    paths::{PATH_RULES, is_test},
    *,
};

fn changed(path: &str) -> DiffEntry {
    DiffEntry { added: 1, deleted: 1, ..DiffEntry::new(path, ChangeKind::Modified) }
}

/// Names of the path rules that fire on `path`.
fn names(path: &str) -> Vec<&'static str> {
    PATH_RULES.iter().filter(|r| r.fires_on(path)).map(|r| r.name).collect()
}

fn tier(entries: &[DiffEntry]) -> Tier {
    crate::domain::risk::effective(&risks(entries))
}

/// Paths, and the names of the rules that must fire on them.
const PATHS: &[(&str, &[&str])] = &[
    ("src/main.rs", &[]),
    ("README.md", &[]),
    ("docs/guide/ci.md", &[]),
    ("src/author.rs", &[]),
    ("src/tokenizer.rs", &[]),
    ("src/keyboard.rs", &[]),
    ("assets/monkey.png", &[]),
    (".gitignore", &[]),
    (".autodo/config.toml", &["autodo"]),
    ("sub/.AUTODO/tickets/a.md", &["autodo"]),
    ("CLAUDE.md", &["agent_instructions"]),
    ("packages/a/Agents.md", &["agent_instructions"]),
    (".claude/settings.json", &["agent_instructions"]),
    (".codex/config.toml", &["agent_instructions"]),
    (".cursor/rules/x.mdc", &["agent_instructions"]),
    (".mcp.json", &["agent_instructions"]),
    (".env", &["secrets"]),
    ("app/.env.production", &["secrets"]),
    ("app/.env.example", &[]),
    ("certs/Server.PEM", &["secrets"]),
    ("deploy_key/id_rsa.pub", &["secrets"]),
    ("home/id_ed25519", &["secrets"]),
    ("src/id_map.rs", &[]),
    ("config/credentials.yml", &["secrets"]),
    (".github/workflows/ci.yml", &["ci"]),
    ("Jenkinsfile", &["ci"]),
    (".gitlab-ci.yml", &["ci"]),
    (".github/CODEOWNERS", &["ownership"]),
    (".husky/pre-commit", &["git_hooks"]),
    (".pre-commit-config.yaml", &["git_hooks"]),
    (".gitmodules", &["git_modules"]),
    ("lib/.gitattributes", &["git_attributes"]),
    ("db/migrations/0001_users.py", &["migrations"]),
    ("prisma/schema.prisma", &["migrations"]),
    ("src/auth/mod.rs", &["auth"]),
    ("src/AuthService.java", &["auth"]),
    ("src/user_login.go", &["auth"]),
    ("web/passwordReset.ts", &["auth"]),
    ("Dockerfile", &["deployment"]),
    ("services/api/Dockerfile.prod", &["deployment"]),
    ("infra/main.tf", &["deployment"]),
    ("k8s/app.yaml", &["deployment"]),
    ("helm/values.yaml", &["deployment"]),
    ("src/billing/tax.rs", &["money"]),
    (".npmrc", &["package_sources"]),
    (".cargo/config.toml", &["package_sources"]),
    ("Cargo.toml", &["manifests"]),
    ("crates/a/Cargo.toml", &["manifests"]),
    ("requirements-dev.txt", &["manifests"]),
    ("package.json", &["manifests"]),
    ("Cargo.lock", &["lock_files"]),
    ("web/yarn.lock", &["lock_files"]),
    ("build.rs", &["build_scripts"]),
    ("Makefile", &["build_scripts"]),
    ("scripts/release", &["build_scripts"]),
    (".eslintrc.json", &["code_rules"]),
    (".vscode/tasks.json", &["editor_tasks"]),
    ("vendor/x/y.go", &["vendored"]),
    ("api/v1/service.proto", &["interfaces"]),
    ("LICENSE", &["licences"]),
    ("LICENCE-MIT", &["licences"]),
];

#[test]
fn paths_fire_their_rule_nested_and_in_any_case() {
    for (path, expected) in PATHS {
        assert_eq!(names(path), *expected, "{path}");
    }
}

#[test]
fn every_path_rule_has_a_name_of_its_own_and_a_path_that_fires_it() {
    let all: std::collections::BTreeSet<_> = PATH_RULES.iter().map(|r| r.name).collect();
    assert_eq!(all.len(), PATH_RULES.len());
    let shown = PATHS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    assert_eq!(all, shown);
    assert!(PATH_RULES.iter().all(|r| r.tier == Tier::Medium || r.tier == Tier::High));
}

#[test]
fn an_ordinary_change_is_no_risk() {
    assert_eq!(risks(&[changed("src/main.rs"), changed("README.md")]), []);
    assert_eq!(risks(&[]), []);
}

#[test]
fn a_rule_gives_one_source_that_names_five_paths_and_counts_the_rest() {
    let entries: Vec<_> = (1..=7).map(|n| changed(&format!(".github/workflows/{n}.yml"))).collect();
    let found = risks(&entries);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].tier, Tier::High);
    assert_eq!(found[0].source, RiskOrigin::Diff);
    let list = (1..=5).map(|n| format!(".github/workflows/{n}.yml")).collect::<Vec<_>>().join(", ");
    assert_eq!(found[0].why, format!("continuous integration: {list} and 2 more"));
}

#[test]
fn the_highest_tier_comes_first() {
    let found = risks(&[changed("Cargo.toml"), changed(".env"), changed("Makefile")]);
    let tiers: Vec<_> = found.iter().map(|s| s.tier).collect();
    assert_eq!(tiers, [Tier::High, Tier::Medium, Tier::Medium]);
}

#[test]
fn a_file_that_is_moved_away_from_a_rule_still_fires_it() {
    let moved = DiffEntry {
        old_path: Some(".github/workflows/ci.yml".into()),
        ..DiffEntry::new("old/ci.yml", ChangeKind::Renamed)
    };
    assert_eq!(tier(&[moved]), Tier::High);
}

#[test]
fn deleting_a_little_is_medium_and_a_lot_is_high() {
    let gone = |path: &str, lines| DiffEntry { deleted: lines, ..DiffEntry::new(path, ChangeKind::Deleted) };
    assert_eq!(tier(&[gone("src/a.rs", 300)]), Tier::Medium);
    assert_eq!(tier(&[gone("src/a.rs", 301)]), Tier::High);
    let many = |n: u32| (0..n).map(|i| gone(&format!("src/{i}.rs"), 1)).collect::<Vec<_>>();
    assert_eq!(tier(&many(5)), Tier::Medium);
    assert_eq!(tier(&many(6)), Tier::High);
    assert!(risks(&many(1))[0].why.contains("1 with 1 lines"), "{:?}", risks(&many(1)));
}

#[test]
fn tests_are_known_by_name_and_folder() {
    for test in [
        "tests/it/main.rs",
        "src/foo/tests.rs",
        "a/test_x.py",
        "a/x_test.go",
        "web/x.test.tsx",
        "web/X.spec.ts",
        "__tests__/a.js",
        "src/FooTest.java",
        "spec/a.rb",
    ] {
        assert!(is_test(test), "{test}");
    }
    for other in ["src/attest.rs", "src/latest.js", "src/contest/a.rs", "src/main.rs"] {
        assert!(!is_test(other), "{other}");
    }
}

#[test]
fn a_test_that_goes_away_or_shrinks_is_high() {
    let gone = DiffEntry::new("tests/a.rs", ChangeKind::Deleted);
    assert_eq!(tier(&[gone]), Tier::High);
    let hidden = DiffEntry { old_path: Some("tests/a.rs".into()), ..DiffEntry::new("old/a.rs", ChangeKind::Renamed) };
    assert_eq!(tier(&[hidden]), Tier::High);
    let edited = |added, deleted| DiffEntry { added, deleted, ..DiffEntry::new("tests/a.rs", ChangeKind::Modified) };
    assert_eq!(tier(&[edited(10, 13)]), Tier::High);
    assert_eq!(tier(&[edited(10, 12)]), Tier::Low);
    assert_eq!(tier(&[edited(50, 3)]), Tier::Low);
}

#[test]
fn modes_links_binaries_and_sizes_are_seen() {
    let base = || DiffEntry::new("a/b", ChangeKind::Added);
    let link = |t: &str| DiffEntry { symlink: Some(t.into()), ..base() };
    assert_eq!(tier(&[DiffEntry { executable_set: true, ..base() }]), Tier::Medium);
    assert_eq!(tier(&[DiffEntry { binary: true, ..base() }]), Tier::Medium);
    assert_eq!(tier(&[DiffEntry { submodule: true, ..base() }]), Tier::Medium);
    assert_eq!(tier(&[DiffEntry { bytes: 1024 * 1024 + 1, ..base() }]), Tier::Medium);
    assert_eq!(tier(&[DiffEntry { bytes: 1024 * 1024, ..base() }]), Tier::Low);
    for (target, expected) in [
        ("c", Tier::Medium),
        ("../c", Tier::Medium),
        ("../../c", Tier::High),
        ("x/../../../c", Tier::High),
        ("/etc/passwd", Tier::High),
        ("C:/x", Tier::High),
    ] {
        assert_eq!(tier(&[link(target)]), expected, "{target}");
    }
}

#[test]
fn a_large_diff_is_medium_and_lock_files_do_not_make_it_large() {
    let of = |path: &str, added| DiffEntry { added, ..DiffEntry::new(path, ChangeKind::Modified) };
    assert_eq!(tier(&[of("src/a.rs", 800)]), Tier::Low);
    assert_eq!(tier(&[of("src/a.rs", 801)]), Tier::Medium);
    assert!(!risks(&[of("Cargo.lock", 9000)]).iter().any(|s| s.why.contains("large diff")));
}

#[test]
fn notes_say_what_happened() {
    let base = DiffEntry::new("a", ChangeKind::Modified);
    let table = [
        (DiffEntry { added: 10, deleted: 3, ..base.clone() }, "+10 −3"),
        (DiffEntry { kind: ChangeKind::Added, added: 4, ..base.clone() }, "added, +4"),
        (DiffEntry { kind: ChangeKind::Deleted, deleted: 4, ..base.clone() }, "deleted, −4"),
        (DiffEntry { kind: ChangeKind::Renamed, old_path: Some("b".into()), ..base.clone() }, "renamed from b"),
        (DiffEntry { executable_set: true, ..base.clone() }, "executable bit set"),
        (DiffEntry { kind: ChangeKind::Added, symlink: Some("x".into()), ..base.clone() }, "added, symlink to x"),
        (DiffEntry { binary: true, ..base.clone() }, "binary"),
        (base, "mode or type changed"),
    ];
    for (entry, expected) in table {
        assert_eq!(entry.note(), expected);
    }
}
