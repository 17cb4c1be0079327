# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with scripts/screens
# Scenes of Gemini CLI. Sourced by scripts/screens.

# gemini ARGUMENTS...: with a key chosen, and the folder p trusted.
gemini() {
    mkdir -p "$home/.gemini"
    [ -f "$home/.gemini/settings.json" ] || cat >"$home/.gemini/settings.json" <<'JSON'
{"security":{"auth":{"selectedType":"gemini-api-key"}},"privacy":{"usageStatisticsEnabled":false},
 "general":{"maxAttempts":2,"enableAutoUpdate":false,"enableAutoUpdateNotification":false},"model":{"name":"gemini-2.5-pro"}}
JSON
    [ -f "$home/.gemini/trustedFolders.json" ] || echo "{\"$world/p\":\"TRUST_FOLDER\"}" >"$home/.gemini/trustedFolders.json"
    more=(GEMINI_API_KEY=dummy GOOGLE_GEMINI_BASE_URL="$url" COLORTERM=truecolor ${more[@]+"${more[@]}"})
    launch gemini "$@"
}

# is_titled BEGIN: waits for a title that begins so.
is_titled() { titled "^$1" "${2:-60}" && sleep 1; }

gemini_box() {
    gemini
    sees 'Type your message' 90
    sleep 1
    take ready ready
    paste "$(task nothing) Write it down as well."
    take ready ready typed
    keys C-c
    sleep 1
    paste "$(printf 'Task: look at this\n\nfn main() {\n    println!("%s");\n}\n\nand that is all of it, for now' hello)"
    take ready ready pasted
    keys C-c
    sleep 1
    paste "$(printf 'Task: %.0s' $(seq 400))"
    take ready ready pasted-long
}

gemini_modes() {
    gemini --approval-mode auto_edit
    sees 'Type your message' 90
    sleep 1
    take ready ready auto-edit
    keys C-d
    sleep 0.5
    take ready ready leaving
    ends
    gemini --approval-mode yolo
    sees 'Type your message' 90
    sleep 1
    take ready ready yolo
}

gemini_trust() {
    folder=$world/new
    gemini --prompt-interactive "$(task nothing)"
    sees "Don't trust" 90
    sleep 1
    take question trust
}

gemini_login() {
    mkdir -p "$world/gfresh/.gemini"
    home=$world/gfresh
    echo '{"general":{"maxAttempts":2,"enableAutoUpdate":false}}' >"$home/.gemini/settings.json"
    gemini
    sees 'Get started' 90
    sleep 1
    take logged_out login
}

gemini_thinking() {
    printf '[[step]]\nwait_s = 40\nsay = "Done."\n' | model gthinking
    gemini --prompt-interactive "$(task gthinking)"
    sees 'esc to cancel' 90
    sleep 2
    take busy busy_title
    paste 'Task: look at the tests too'
    take busy busy_title thinking-typed
    keys Enter
    sleep 1
    take busy busy_title queued
    keys Escape
    # What was queued is sent all the same.
    sees 'A title' 60
    is_titled '◇'
    take ready ready interrupted-queued
}

gemini_tool() {
    printf '[[step]]\nsay = "I run the tests."\nrun = "for n in 1 2 3; do echo test $n ok; done; sleep 40"\n' | model gtool
    gemini --approval-mode yolo --prompt-interactive "$(task gtool)"
    sees 'test 3 ok' 90
    sleep 1
    take busy busy_title
}

gemini_streaming() {
    { printf '[[step]]\npace_ms = 60\nsay = """\n' && for n in $(seq 30); do
        printf '%s. A thing that was found while the module was read, and what follows from it.\n' "$n"
    done && printf '"""\n'; } | model gstreaming
    gemini --prompt-interactive "$(task gstreaming)"
    sees '3\. A thing' 90
    take busy busy_title
}

gemini_finished() {
    model gfinished <<'T'
[[step]]
say = "I look around."
run = "git status --short; head -3 README.md"
[[step]]
say = "All of it is done:\n\n- the notes are written\n- nothing else was touched\n\n```sh\ncargo test\n```\n\nAUTODO-DONE-0000abcd"
T
    gemini --approval-mode yolo --prompt-interactive "$(task gfinished)"
    sees 'AUTODO-DONE-0000abcd' 90
    is_titled '◇'
    take ready ready
}

# An answer that speaks of screens.
gemini_finished_quotes() {
    model gquotes <<'T'
[[step]]
say = "It showed:\n\n```\n✕ [API Error: broken]\n\n⠹ Thinking... (esc to cancel, 2s)\n```\n\nand\n\n```\n│ ● 1. Allow once   │\n╰────────────────╯\n```\n\nThat is all."
T
    gemini --prompt-interactive "$(task gquotes)"
    sees 'That is all' 90
    is_titled '◇'
    take ready ready
}

gemini_finished_long() {
    { printf '[[step]]\nsay = """\n' && for n in $(seq 60); do printf '%s. A thing that was found, and what follows from it.\n' "$n"; done && printf 'AUTODO-DONE-0000abcd\n"""\n'; } | model glonganswer
    gemini --prompt-interactive "$(task glonganswer)"
    sees 'AUTODO-DONE-0000abcd' 90
    is_titled '◇'
    take ready ready
}

gemini_permission_command() {
    model gcommand <<'T'
[[step]]
say = "I install what is missing."
run = "npm install left-pad && rm -rf node_modules"
T
    gemini --prompt-interactive "$(task gcommand)"
    sees '1\. Allow once' 90
    sleep 1
    take permission permission
    keys Escape
    sees 'Request cancelled'
    sleep 1
    take question interrupted denied
}

gemini_permission_long_command() {
    model glongcommand <<'T'
[[step]]
run = "cd src && for file in $(git ls-files '*.rs'); do sed -i 's/parse_config/parse_settings/g' \"$file\" && cargo check --quiet --message-format short || echo \"$file is broken\"; done"
T
    gemini --prompt-interactive "$(task glongcommand)"
    sees '1\. Allow once' 90
    sleep 1
    take permission permission
}

gemini_permission_write() {
    model gwrite <<'T'
[[step]]
tool = { name = "write_file", input = { file_path = "/tmp/autodo-screens/p/src/lib.rs", content = "//! A library.\n\npub fn one() -> u32 {\n    1\n}\n" } }
T
    gemini --prompt-interactive "$(task gwrite)"
    sees '1\. Allow once' 90
    sleep 1
    take permission permission
}

gemini_permission_edit() {
    model gedit <<'T'
[[step]]
say = "It says the wrong number."
tool = { name = "replace", input = { file_path = "/tmp/autodo-screens/p/README.md", instruction = "line 7 becomes line seven", old_string = "line 7\n", new_string = "line seven\n" } }
T
    gemini --prompt-interactive "$(task gedit)"
    sees '1\. Allow once' 90
    sleep 1
    take permission permission
}

gemini_permission_fetch() {
    model gfetch <<'T'
[[step]]
say = "I look it up."
tool = { name = "web_fetch", input = { prompt = "read http://127.0.0.1:9/manual and say which options there are" } }
T
    gemini --prompt-interactive "$(task gfetch)"
    sees '1\. Allow once' 90
    sleep 1
    take permission permission
}

gemini_question() {
    model gquestion <<'T'
[[step]]
say = "One thing is not clear."
[step.tool]
name = "ask_user"
[[step.tool.input.questions]]
question = "Which cache should the parser use?"
header = "Cache"
type = "choice"
options = [{ label = "OnceCell", description = "filled once, on first use" }, { label = "LRU", description = "bounded, with a size to choose" }]
T
    gemini --prompt-interactive "$(task gquestion)"
    sees 'Enter to select' 90
    sleep 1
    take question question
}

gemini_question_text() {
    model gquestiontext <<'T'
[[step]]
[step.tool]
name = "ask_user"
[[step.tool.input.questions]]
question = "What is the new name?"
header = "Name"
type = "text"
[[step.tool.input.questions]]
question = "Shall the old one stay?"
header = "Old"
type = "yesno"
T
    gemini --prompt-interactive "$(task gquestiontext)"
    sees 'What is the new name' 90
    sleep 1
    take question question
}

# stops_at_the_prompt NAME STATE RULE: until it is back at its prompt.
stops_at_the_prompt() {
    gemini --prompt-interactive "$(task "$1")"
    sees '^✕ ' 200
    is_titled '◇'
    take "$2" "$3"
}

gemini_error_400() { fails g400 400 INVALID_ARGUMENT 'Request contains an invalid argument.' && stops_at_the_prompt g400 error error; }
gemini_error_401() { fails g401 401 UNAUTHENTICATED 'Request had invalid authentication credentials.' && stops_at_the_prompt g401 logged_out logged_out; }
gemini_error_key() { fails gkey 400 INVALID_ARGUMENT 'API key not valid. Please pass a valid API key.' && stops_at_the_prompt gkey logged_out logged_out; }
gemini_error_403() { fails g403 403 PERMISSION_DENIED 'The caller does not have permission' && stops_at_the_prompt g403 error error; }
gemini_error_full() { fails gfull 400 INVALID_ARGUMENT 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).' && stops_at_the_prompt gfull error error; }

gemini_limit() {
    model glimit <<'T'
[[step]]
[step.fail]
status = 429
kind = "RESOURCE_EXHAUSTED"
message = "You exceeded your current quota, please check your plan and billing details. Please retry in 7200s."
[[step.fail.details]]
"@type" = "type.googleapis.com/google.rpc.QuotaFailure"
violations = [{ quotaMetric = "generativelanguage.googleapis.com/generate_content_free_tier_requests", quotaId = "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }]
[[step.fail.details]]
"@type" = "type.googleapis.com/google.rpc.RetryInfo"
retryDelay = "7200s"
T
    gemini --prompt-interactive "$(task glimit)"
    sees 'limit reached|quota|✕' 90
    sleep 2
    take limited limit
}
