//! How a person is told what needs them: each channel against a server that checks the request, the badge, `TODO.md`.

use std::{os::unix::fs::PermissionsExt, path::Path};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::terminal::Terminal;
use crate::support::{desk::Desk, listener::Listener, world::World};

/// Settings of the user, under `[notify]`.
fn settings(world: &World, toml: &str) {
    std::fs::create_dir_all(world.home()).unwrap();
    std::fs::write(world.home().join("config.toml"), format!("[notify]\n{toml}")).unwrap();
}

fn executable(path: &Path, script: &str) {
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// A secret in a file of its own; returns its path.
fn secret(world: &World, text: &str) -> String {
    let path = world.root().join("secret");
    std::fs::write(&path, format!("{text}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Puts a program before all others on the PATH that notes its arguments and then is the real one.
fn noted(world: &mut World, program: &str) -> std::path::PathBuf {
    let path = std::env::var("PATH").unwrap();
    let real = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file()).unwrap();
    let (bin, log) = (world.root().join("bin"), world.root().join("arguments"));
    std::fs::create_dir_all(&bin).unwrap();
    let script = format!("#!/bin/sh\necho \"$@\" >> {}\nexec {} \"$@\"\n", log.display(), real.display());
    executable(&bin.join(program), &script);
    world.set("PATH", format!("{}:{path}", bin.display()));
    log
}

const TITLE: &str = "autodo: this is a test";

#[test]
fn ntfy_gets_the_topic_the_text_and_the_token_in_a_header() {
    let mut world = World::new();
    let server = Listener::new();
    let log = noted(&mut world, "curl");
    let token = secret(&world, "tk_hunter2hunter2");
    settings(
        &world,
        &format!(
            "channels = [\"ntfy\"]\n[notify.ntfy]\nurl = \"{}/my-topic\"\ntoken_file = \"{token}\"\n",
            server.url()
        ),
    );
    let run = world.autodo(&["notify", "test"]).ok();
    assert_eq!(run.stdout, "ntfy: sent\n");
    let [asked] = &server.asked()[..] else { panic!("{:?}", server.asked()) };
    assert_eq!(asked.line, "POST /");
    assert_eq!(asked.headers["authorization"], "Bearer tk_hunter2hunter2");
    assert_eq!(asked.headers["content-type"], "application/json");
    assert!(asked.headers["user-agent"].starts_with("autodo/"));
    let expected = json!({
        "topic": "my-topic", "title": TITLE, "message": "ntfy works. What needs you will come this way.",
        "priority": 4, "tags": ["warning"],
    });
    assert_eq!(asked.json(), expected);
    assert_eq!(std::fs::read_to_string(log).unwrap(), "-q --config -\n", "neither address nor secret is an argument");
}

#[test]
fn slack_and_discord_get_their_text_at_the_address_that_is_the_secret() {
    let mut world = World::new();
    let server = Listener::new();
    let url = secret(&world, &format!("{}/hook/hunter2", server.url()));
    world.set("MY_HOOK", format!("{}/hook/of/discord", server.url()));
    settings(
        &world,
        &format!("channels = [\"slack\", \"discord\"]\nslack.url_file = \"{url}\"\ndiscord.url_env = \"MY_HOOK\"\n"),
    );
    world.autodo(&["notify", "test"]).ok();
    let asked = server.asked();
    assert_eq!((asked[0].line.as_str(), asked[1].line.as_str()), ("POST /hook/hunter2", "POST /hook/of/discord"));
    let text = |name: &str| format!("{TITLE}\n{name} works. What needs you will come this way.");
    assert_eq!(asked[0].json(), json!({ "text": text("slack") }));
    let expected = json!({ "content": text("discord"), "allowed_mentions": { "parse": [] } });
    assert_eq!(asked[1].json(), expected);
}

#[test]
fn telegram_and_pushover_get_chat_and_user_with_their_tokens() {
    let world = World::new();
    let server = Listener::new();
    let token = secret(&world, "123:hunter2");
    let url = server.url();
    settings(
        &world,
        &format!(
            "channels = [\"telegram\", \"pushover\"]\n[notify.telegram]\nurl = \"{url}\"\nchat = \"-100\"\n\
             token_file = \"{token}\"\n[notify.pushover]\nurl = \"{url}/1/messages.json\"\nuser = \"u1\"\n\
             token_file = \"{token}\"\n"
        ),
    );
    world.autodo(&["notify", "test"]).ok();
    let asked = server.asked();
    assert_eq!(asked[0].line, "POST /bot123:hunter2/sendMessage");
    let telegram = asked[0].json();
    assert_eq!((&telegram["chat_id"], &telegram["disable_notification"]), (&json!("-100"), &json!(false)));
    assert!(telegram["text"].as_str().unwrap().starts_with(TITLE), "{telegram}");
    assert_eq!(asked[1].line, "POST /1/messages.json");
    let expected = json!({
        "token": "123:hunter2", "user": "u1", "title": TITLE, "priority": 1,
        "message": "pushover works. What needs you will come this way.",
    });
    assert_eq!(asked[1].json(), expected);
}

#[test]
fn any_command_gets_json_and_fields_and_programs_get_what_they_take() {
    let mut world = World::new();
    let out = world.root().join("out");
    let bin = world.root().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for name in ["apprise", "notify-send"] {
        let script = format!("#!/bin/sh\n{{ echo {name}; printf '<%s>\\n' \"$@\"; cat; }} >> {}\n", out.display());
        executable(&bin.join(name), &script);
    }
    world.set("PATH", format!("{}:{}", bin.display(), std::env::var("PATH").unwrap()));
    let line = format!("{{ cat; echo \"$NOTICE_KIND $NOTICE_TITLE\"; }} > {}", world.root().join("json").display());
    settings(
        &world,
        &format!(
            "channels = [\"command\", \"apprise\", \"desktop\"]\ncommand = '{line}'\napprise.config = \"/x/a.yml\"\n"
        ),
    );
    world.autodo(&["notify", "test"]).ok();
    let text = std::fs::read_to_string(world.root().join("json")).unwrap();
    let (first, rest) = text.split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let value: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&value["version"], &value["title"], &value["severity"]), (&json!(1), &json!(TITLE), &json!("urgent")));
    assert_eq!(value["notices"][0]["kind"], "test");
    assert_eq!(rest, format!("test {TITLE}\n"));
    let told = std::fs::read_to_string(out).unwrap();
    let apprise = format!("apprise\n<--config>\n</x/a.yml>\n<--input-format>\n<text>\n{TITLE}\napprise works.");
    assert!(told.starts_with(&apprise), "{told}");
    assert!(told.contains("notify-send\n<--app-name=autodo>\n<--urgency>\n<critical>\n<-->\n<autodo: this"), "{told}");
}

#[test]
fn a_channel_that_fails_says_why_without_its_secret_and_in_time() {
    let world = World::new();
    let server = Listener::new();
    let token = secret(&world, "123:hunter2hunter2");
    let telegram =
        |url: &str| format!("telegram.url = \"{url}\"\ntelegram.chat = \"1\"\ntelegram.token_file = \"{token}\"\n");
    settings(&world, &format!("channels = [\"telegram\"]\n{}", telegram(&server.url())));
    server.says(401);
    let run = world.autodo(&["notify", "test"]).code(1);
    assert!(run.stderr.contains("telegram: the server said 401"), "{}", run.stderr);
    settings(&world, &format!("channels = [\"telegram\"]\n{}", telegram("http://127.0.0.1:1")));
    let run = world.autodo(&["notify", "test"]).code(1);
    assert!(!run.both().contains("hunter2"), "{}", run.both());
    settings(&world, "channels = [\"command\"]\ncommand = \"sleep 600\"\nlimit = \"1s\"\n");
    let run = world.autodo(&["notify", "test"]).code(1);
    assert!(run.stderr.contains("did not end within 1 s"), "{}", run.stderr);
}

#[test]
fn wrong_settings_are_refused_and_doctor_looks_at_what_a_channel_needs() {
    let world = super::lean(&["sh", "git", "tmux"]);
    for (toml, says) in [
        ("channels = [\"pigeon\"]\n", "there is no channel \"pigeon\""),
        ("channels = [\"ntfy\"]\n", "needs notify.ntfy.url"),
        ("channels = [\"slack\"]\n", "needs notify.slack.url_file or url_env"),
        ("from = \"all\"\n", "is no severity"),
        ("quiet = \"night\"\n", "are no times of day"),
    ] {
        settings(&world, toml);
        let run = world.autodo(&["notify", "test"]).code(2);
        assert!(run.stderr.contains(says), "{toml}: {}", run.stderr);
    }
    let check = |name: &str| {
        let said = world.autodo(&["doctor", "--json"]).json();
        said["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).cloned().unwrap_or_default()
    };
    settings(&world, "channels = [\"ntfy\"]\nntfy.url = \"http://x/y\"\nntfy.token_env = \"NO_SUCH\"\n");
    assert_eq!(
        (&check("notify:ntfy")["status"], &check("notify:ntfy")["fix"]),
        (&json!("fail"), &json!("install curl"))
    );
    super::install(&world, "curl", "exit 0");
    assert_eq!(check("notify:ntfy")["detail"], "the variable NO_SUCH is not set");
    settings(&world, "channels = [\"ntfy\"]\nntfy.url = \"http://x/y\"\n");
    assert_eq!(check("notify:ntfy")["status"], "ok");
    settings(&world, "channels = [\"pigeon\"]\n");
    assert_eq!(check("notify")["status"], "fail");
}

/// A desk whose messages go to `server`.
fn desk(server: &Listener, more: &str) -> Desk {
    let desk = Desk::new();
    settings(&desk.world, &format!("channels = [\"ntfy\"]\nntfy.url = \"{}/t\"\n{more}", server.url()));
    desk
}

fn titles(server: &Listener) -> Vec<String> {
    server.asked().iter().map(|asked| asked.json()["title"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_dispatch_tells_once_what_blocks_and_a_failure_is_made_good_at_the_next_start() {
    let server = Listener::new();
    let desk = desk(&server, "");
    desk.asking("T-1", "");
    desk.ticket("T-2", "", "echo b > b.txt");
    server.says(503);
    desk.autodo(&["dispatch"]).code(8);
    assert_eq!(titles(&server), ["BLOCKED: Ticket T-1 ⚠️"], "a result to review is not urgent");
    let body = server.asked()[0].json()["message"].as_str().unwrap().to_owned();
    assert!(body.starts_with("T-1 of proj\n") && body.contains("Which colour?"), "{body}");
    assert!(body.ends_with("autodo answer T-1 \"…\""), "{body}");
    server.says(200);
    // The pause after a failure is ten seconds; the file says until when.
    let file = desk.world.home().join("notify.json");
    let mut kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    kept["waiting"]["ntfy"]["not_before"].take();
    std::fs::write(&file, kept.to_string()).unwrap();
    desk.autodo(&["dispatch"]).code(8);
    assert_eq!(titles(&server).len(), 2, "{:?}", titles(&server));
    desk.autodo(&["dispatch"]).code(8);
    desk.autodo(&["notify", "flush"]).ok();
    assert_eq!(titles(&server).len(), 2, "told once");
}

#[test]
fn what_is_answered_before_it_could_be_told_is_not_told() {
    let server = Listener::new();
    let desk = desk(&server, "");
    desk.asking("T-1", "");
    server.says(503);
    desk.autodo(&["dispatch"]).code(8);
    desk.autodo(&["cancel", "T-1"]).ok();
    server.says(200);
    desk.autodo(&["tick"]).ok();
    desk.autodo(&["notify", "flush"]).ok();
    assert_eq!(server.asked().len(), 1, "{:?}", titles(&server));
}

#[test]
fn quiet_hours_end_in_a_digest_and_the_page_of_a_dispatch_can_be_sent() {
    let server = Listener::new();
    // From an hour ago until in two hours, as the world's clock has it.
    let time = |hours: i64| (Timestamp::now() + SignedDuration::from_hours(hours)).strftime("%H:%M").to_string();
    let quiet = format!("quiet = \"{}-{}\"\n", time(-1), time(2));
    let desk = desk(&server, &format!("from = \"review\"\nsummary = true\n{quiet}"));
    for id in ["T-1", "T-2"] {
        desk.ticket(id, "", "true");
    }
    desk.autodo(&["dispatch"]).ok();
    assert!(server.asked().is_empty(), "{:?}", titles(&server));
    let text = std::fs::read_to_string(desk.world.home().join("config.toml")).unwrap();
    std::fs::write(desk.world.home().join("config.toml"), text.replace("quiet =", "# quiet =")).unwrap();
    desk.autodo(&["notify", "flush"]).ok();
    assert_eq!(titles(&server), ["autodo: 2 to review, 1 dispatch ended"]);
    let message = server.asked()[0].json()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("T-1: REVIEW: Ticket T-1 ✅") && message.contains("2 to review"), "{message}");
}

#[test]
fn todo_md_gets_what_needs_a_person_and_is_ticked_when_it_is_approved() {
    let desk = Desk::new();
    desk.repo.settings("version = 1\nprofile = \"script\"\nchecks = []\n[notify]\ntodo = true\n");
    let mine = "# Mine\r\n\r\n- [ ] buy milk\r\n";
    desk.repo.commit(&[("TODO.md", mine)], "todo");
    desk.asking("T-1", "");
    desk.ticket("T-2", "", "echo b > b.txt");
    desk.autodo(&["dispatch"]).code(8);
    let text = std::fs::read_to_string(desk.repo.path.join("TODO.md")).unwrap();
    assert!(text.starts_with(&format!("{mine}\r\n## Autonomous Review Queue\r\n\r\n")), "{text}");
    assert!(text.contains("- [ ] REVIEW: Ticket T-2 ✅ <!-- autodo:T-2 -->\r\n"), "{text}");
    assert!(text.contains("- [ ] [BLOCKED] Ticket T-1 ⚠️ block 1 failed"), "{text}");
    assert!(text.contains("Which colour?"), "{text}");
    desk.autodo(&["approve", "T-2"]).ok();
    desk.autodo(&["cancel", "T-1"]).ok();
    let text = std::fs::read_to_string(desk.repo.path.join("TODO.md")).unwrap();
    let line = "- [x] REVIEW: Ticket T-2 ✅ <!-- autodo:T-2 -->\r\n";
    assert_eq!(text, format!("{mine}\r\n## Autonomous Review Queue\r\n\r\n{line}"));
}

#[test]
fn without_the_setting_no_file_of_the_checkout_is_touched() {
    let desk = Desk::new();
    desk.ticket("T-1", "", "true");
    desk.autodo(&["dispatch"]).ok();
    assert!(!desk.repo.path.join("TODO.md").exists());
    assert_eq!(desk.repo.git(&["status", "--porcelain"]).trim(), "?? .autodo/");
}

#[test]
fn the_badge_is_on_autodos_server_and_runs_nothing_that_stands_in_a_title() {
    let desk = Desk::new();
    let trap = desk.world.root().join("trap");
    let title = format!("#(touch {}) #[fg=red] x", trap.display());
    desk.repo.ticket(
        "T-1",
        &format!("title: {}", serde_json::to_string(&title).unwrap()),
        "## Run\n\n```sh\ncat answer || { echo 'Which?'; exit 1; }\n```\n",
    );
    desk.autodo(&["dispatch"]).code(8);
    let option = |name: &str| desk.world.tmux(&["show-options", "-gv", name]).ok().stdout.trim_end().to_owned();
    assert_eq!(option("@autodo_badge"), format!("BLOCKED: {title} ⚠️"));
    assert_eq!((option("@autodo_blocked"), option("@autodo_review")), ("1".to_owned(), "0".to_owned()));
    let shown = desk.world.tmux(&["display-message", "-p", "-t", "ad-T-1", "#{@autodo_badge}"]).ok().stdout;
    assert!(shown.contains("#(touch"), "{shown}");
    // In the status line, for whoever attaches.
    let me = Terminal::new(&desk);
    me.types("unset TMUX TMUX_PANE; autodo attach T-1; echo left with $?");
    me.until_shows("me:0", " BLOCKED: #(touch /tmp");
    me.key("me:0", "F12");
    me.until_shows("me:0", "left with 0");
    assert!(!trap.exists());
}

#[test]
fn at_a_terminal_the_title_says_it_and_the_bell_rings() {
    let desk = Desk::new();
    desk.asking("T-1", "");
    let terminal = Terminal::new(&desk);
    terminal.tmux(&["set", "-g", "monitor-bell", "on"]).ok();
    let file = desk.world.root().join("written");
    terminal.tmux(&["pipe-pane", "-t", "me:0", &format!("cat > {}", file.display())]).ok();
    terminal.types("autodo dispatch");
    terminal.until_shows("me:0", "1 blocked");
    crate::support::wait_for(
        "the title to come back",
        || std::fs::read(&file).is_ok_and(|all| String::from_utf8_lossy(&all).contains("\u{1b}[23;2t")).then_some(()),
        || terminal.screen("me:0"),
    );
    let written = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
    assert!(written.contains("\u{1b}[22;2t\u{1b}]2;BLOCKED: Ticket T-1 ⚠️\u{7}\u{7}"), "{written:?}");
}
