//! The table of path rules. A pattern is matched against the lower-case path from the repository's root.

use crate::domain::{glob, risk::Tier};

/// One rule over paths.
pub(super) struct PathRule {
    /// Short name, for tests and documents.
    #[cfg_attr(not(test), expect(dead_code, reason = "names the row; tests address it by this"))]
    pub name: &'static str,
    /// The tier it asks for.
    pub tier: Tier,
    /// Why, for people; the paths follow after a colon.
    pub why: &'static str,
    /// What fires it.
    matcher: Matcher,
}

/// How a rule looks at a path.
enum Matcher {
    /// Any of the globs, and none of those after.
    Globs(&'static [&'static str], &'static [&'static str]),
    /// Any of these words in the path, where words end at punctuation and before a capital: `AuthService.java` holds
    /// `auth`, `author.rs` does not.
    Words(&'static [&'static str]),
}

impl PathRule {
    /// True if the rule says something about `path`.
    pub(super) fn fires_on(&self, path: &str) -> bool {
        match self.matcher {
            Matcher::Globs(wanted, spared) => {
                let path = path.to_lowercase();
                any(wanted, &path) && !any(spared, &path)
            }
            Matcher::Words(wanted) => words(path).iter().any(|w| wanted.contains(&w.as_str())),
        }
    }
}

/// True for lock files of package managers: their size says nothing about the work of a review.
pub(super) fn is_lock_file(path: &str) -> bool {
    any(LOCK_FILES, &path.to_lowercase())
}

/// True for files that hold tests, by the conventions of the common languages.
pub(super) fn is_test(path: &str) -> bool {
    any(TESTS, &path.to_lowercase())
}

fn any(globs: &[&str], path: &str) -> bool {
    globs.iter().any(|g| glob::matches(g, path))
}

fn words(path: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_small = false;
    for c in path.chars() {
        let ends = !c.is_alphanumeric() || (c.is_uppercase() && before_is_small);
        if ends {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before_is_small = c.is_lowercase() || c.is_numeric();
    }
    words
}

const LOCK_FILES: &[&str] = &[
    "**/cargo.lock",
    "**/package-lock.json",
    "**/npm-shrinkwrap.json",
    "**/yarn.lock",
    "**/pnpm-lock.yaml",
    "**/bun.lock",
    "**/bun.lockb",
    "**/deno.lock",
    "**/go.sum",
    "**/poetry.lock",
    "**/uv.lock",
    "**/pdm.lock",
    "**/pipfile.lock",
    "**/gemfile.lock",
    "**/composer.lock",
    "**/mix.lock",
    "**/flake.lock",
    "**/podfile.lock",
    "**/pubspec.lock",
    "**/packages.lock.json",
    "**/package.resolved",
    "**/gradle.lockfile",
    "**/conan.lock",
];

const TESTS: &[&str] = &[
    "**/test/**",
    "**/tests/**",
    "**/__tests__/**",
    "**/spec/**",
    "**/specs/**",
    "**/e2e/**",
    "**/test_*",
    "**/*_test.*",
    "**/*_tests.*",
    "**/*.test.*",
    "**/*.spec.*",
    "**/*_spec.*",
    "**/tests.rs",
    "**/test.*",
    "**/*test.java",
    "**/*tests.cs",
    "**/*test.kt",
    "**/*tests.swift",
    "**/*test.php",
    "**/*.snap",
    "**/conftest.py",
];

const fn globs(
    name: &'static str,
    tier: Tier,
    why: &'static str,
    wanted: &'static [&'static str],
    spared: &'static [&'static str],
) -> PathRule {
    PathRule { name, tier, why, matcher: Matcher::Globs(wanted, spared) }
}

const fn word(name: &'static str, tier: Tier, why: &'static str, wanted: &'static [&'static str]) -> PathRule {
    PathRule { name, tier, why, matcher: Matcher::Words(wanted) }
}

/// All path rules, in the order in which equal tiers are listed.
#[rustfmt::skip]
pub(super) const PATH_RULES: &[PathRule] = &[
    globs("autodo", Tier::High, "autodo's own settings and tickets", &[".autodo/**", "**/.autodo/**"], &[]),
    globs("agent_instructions", Tier::High, "instructions or settings of coding agents", &[
        "**/claude.md", "**/claude.local.md", "**/agents.md", "**/agents.override.md", "**/gemini.md",
        "**/.claude/**", "**/.codex/**", "**/.cursor/**", "**/.gemini/**", "**/.cursorrules", "**/.cursorignore",
        "**/.mcp.json", "**/.windsurfrules", "**/.clinerules", "**/.clinerules/**", "**/.aider*", "**/.goosehints",
        "**/.github/copilot-instructions.md", "**/.github/instructions/**",
    ], &[]),
    globs("secrets", Tier::High, "files that may hold secrets", &[
        "**/.env", "**/.env.*", "**/*.env", "**/.envrc", "**/*.pem", "**/*.key", "**/*.p12", "**/*.pfx", "**/*.jks",
        "**/*.keystore", "**/*.kdbx", "**/*.asc", "**/*.gpg", "**/id_rsa*", "**/id_dsa*", "**/id_ecdsa*",
        "**/id_ed25519*", "**/credentials", "**/credentials.*", "**/*-credentials.*", "**/*_credentials.*",
        "**/secrets/**", "**/secrets.*", "**/secret.*", "**/*-secret.*", "**/*-secrets.*", "**/.netrc",
        "**/.htpasswd", "**/.pgpass", "**/.aws/**", "**/.ssh/**", "**/.gnupg/**", "**/service-account*.json",
        "**/.git-credentials", "**/.dockercfg", "**/kubeconfig*",
    ], &["**/.env.example", "**/.env.sample", "**/.env.template", "**/.env.dist"]),
    globs("ci", Tier::High, "continuous integration", &[
        ".github/workflows/**", ".github/actions/**", "**/action.yml", "**/action.yaml", "**/.gitlab-ci.yml",
        ".gitlab/ci/**", ".circleci/**", "**/jenkinsfile*", "**/azure-pipelines*.yml", ".azure/**", ".travis.yml",
        ".buildkite/**", ".drone.yml", ".woodpecker.yml", ".woodpecker/**", "bitbucket-pipelines.yml",
        "appveyor.yml", ".appveyor.yml", ".forgejo/workflows/**", ".gitea/workflows/**", ".ci/**", "ci/**",
        "**/cloudbuild.yaml", "**/buildspec.yml", ".semaphore/**", ".teamcity/**",
    ], &[]),
    globs("ownership", Tier::High, "who must review what", &["**/codeowners", "**/owners", ".github/settings.yml"], &[]),
    globs("git_hooks", Tier::High, "git hooks", &[
        "**/.husky/**", "**/.githooks/**", "**/git-hooks/**", "**/githooks/**", "**/lefthook*.yml",
        "**/.lefthook/**", "**/.pre-commit-config.yaml", "**/.overcommit.yml",
    ], &[]),
    globs("git_modules", Tier::High, "where submodules come from", &["**/.gitmodules"], &[]),
    globs("git_attributes", Tier::Medium, "git filters and merge rules", &["**/.gitattributes", "**/.lfsconfig"], &[]),
    globs("migrations", Tier::High, "database migrations or schema", &[
        "**/migrations/**", "**/migration/**", "**/migrate/**", "**/alembic/**", "**/flyway/**", "**/liquibase/**",
        "**/schema.sql", "**/schema.rb", "**/structure.sql", "**/*.prisma", "**/schema.graphql.sql", "**/*.sql",
    ], &[]),
    word("auth", Tier::High, "authentication, permissions or cryptography", &[
        "auth", "oauth", "oauth2", "oidc", "saml", "sso", "jwt", "mfa", "totp", "authn", "authz", "authentication",
        "authenticate", "authenticator", "authorization", "authorisation", "authorize", "authorizer", "login",
        "signin", "logout", "password", "passwords", "passwd", "permission", "permissions", "acl", "rbac", "security",
        "crypto", "cryptography", "encryption", "encrypt", "decrypt", "csrf", "cors", "sudo", "sandbox",
    ]),
    globs("deployment", Tier::High, "deployment or infrastructure", &[
        "**/dockerfile*", "**/*.dockerfile", "**/containerfile*", "**/docker-compose*", "**/compose.yml",
        "**/compose.yaml", "**/*.tf", "**/*.tfvars", "**/*.hcl", "**/terraform/**", "**/pulumi*", "**/k8s/**",
        "**/kubernetes/**", "**/kustomization.yaml", "**/helm/**", "**/charts/**", "**/chart.yaml", "**/deploy/**",
        "**/deployment/**", "**/deployments/**", "**/infra/**", "**/ansible/**", "**/playbook*.yml", "**/procfile",
        "**/fly.toml", "**/vercel.json", "**/netlify.toml", "**/wrangler.toml", "**/serverless.yml", "**/app.yaml",
        "**/nginx*.conf", "**/*.service", "**/skaffold.yaml", "**/render.yaml", "**/railway.json",
    ], &[]),
    word("money", Tier::High, "money", &["billing", "payment", "payments", "invoice", "invoices", "payout", "payouts"]),
    globs("package_sources", Tier::High, "where packages come from", &[
        "**/.npmrc", "**/.yarnrc", "**/.yarnrc.yml", "**/.pypirc", "**/pip.conf", "**/.cargo/config",
        "**/.cargo/config.toml", "**/nuget.config", "**/bunfig.toml", "**/.bundle/config", "**/settings.xml",
    ], &[]),
    globs("manifests", Tier::Medium, "dependencies or package settings", &[
        "**/cargo.toml", "**/package.json", "**/pnpm-workspace.yaml", "**/deno.json", "**/deno.jsonc", "**/go.mod",
        "**/go.work", "**/pyproject.toml", "**/requirements*.txt", "**/requirements/*.txt", "**/setup.py",
        "**/setup.cfg", "**/pipfile", "**/environment.yml", "**/gemfile", "**/*.gemspec", "**/composer.json",
        "**/pom.xml", "**/build.gradle*", "**/settings.gradle*", "**/libs.versions.toml", "**/*.csproj",
        "**/*.fsproj", "**/directory.packages.props", "**/mix.exs", "**/pubspec.yaml", "**/podfile",
        "**/package.swift", "**/flake.nix", "**/*.cabal", "**/build.sbt", "**/conanfile.*", "**/vcpkg.json",
        "**/rust-toolchain*", "**/.tool-versions", "**/.nvmrc", "**/.python-version", "**/module.bazel",
    ], &[]),
    globs("lock_files", Tier::Medium, "lock files", LOCK_FILES, &[]),
    globs("build_scripts", Tier::Medium, "build and maintenance scripts", &[
        "**/build.rs", "**/makefile", "**/gnumakefile", "**/*.mk", "**/justfile", "**/.justfile", "**/taskfile.y*ml",
        "**/cmakelists.txt", "**/*.cmake", "**/configure", "**/configure.ac", "**/meson.build", "**/build.bazel",
        "**/workspace.bazel", "**/build.zig", "**/rakefile", "**/gulpfile.*", "**/gruntfile.*", "**/webpack.*",
        "**/vite.config.*", "**/rollup.config.*", "**/esbuild.*", "**/babel.config.*", "**/noxfile.py", "**/tox.ini",
        "**/scripts/**", "**/script/**", "**/bin/*.sh", "**/tools/*.sh", "*.sh", "**/mise.toml", "**/.mise.toml",
    ], &[]),
    globs("code_rules", Tier::Medium, "settings of linters, type checkers and test runners", &[
        "**/clippy.toml", "**/.clippy.toml", "**/deny.toml", "**/.eslintrc*", "**/eslint.config.*", "**/tsconfig*.json",
        "**/biome.json*", "**/mypy.ini", "**/ruff.toml", "**/.ruff.toml", "**/.flake8", "**/.pylintrc",
        "**/.golangci.y*ml", "**/.rubocop*.yml", "**/phpstan.neon*", "**/pytest.ini", "**/jest.config.*",
        "**/vitest.config.*", "**/.coveragerc", "**/codecov.yml", "**/.codecov.yml", "**/nextest.toml",
    ], &[]),
    globs("editor_tasks", Tier::Medium, "files that editors run when the project is opened", &[
        "**/.vscode/**", "**/.idea/**", "**/.devcontainer/**", "**/*.code-workspace", "**/.zed/**",
    ], &[]),
    globs("vendored", Tier::Medium, "code of others", &[
        "**/vendor/**", "**/vendored/**", "**/third_party/**", "**/third-party/**", "**/node_modules/**",
    ], &[]),
    globs("interfaces", Tier::Medium, "interfaces that other programs use", &[
        "**/*.proto", "**/openapi*.*", "**/swagger*.*", "**/*.graphql", "**/*.graphqls", "**/*.avsc", "**/*.thrift",
        "**/*.wit",
    ], &[]),
    globs("licences", Tier::Medium, "licences", &[
        "**/license*", "**/licence*", "**/copying*", "**/notice", "**/notice.*", "**/licenses/**",
    ], &[]),
];
