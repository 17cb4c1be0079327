# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with scripts/screens
# Scenes of Codex. Sourced by scripts/screens.

codex_box() {
    codex
    sees 'scripted-model .*· /tmp'
    sleep 1
    take ready ready
    paste "$(task nothing) Write it down as well."
    take ready ready typed
    keys C-c
    sleep 1
    paste "$(printf 'Task: look at this\n\nfn main() {\n    println!("%s");\n}\n\nand that is all of it, for now' hello)"
    take ready ready typed-lines
    keys C-c
    sleep 1
    paste "$(printf 'Task: %.0s' $(seq 400))"
    take ready ready pasted
}

codex_trust() { folder=$world/new && codex -- "$(task nothing)" && sees 'Trust this folder' && sleep 1 && take question trust; }

codex_login() { mkdir -p "$world/fresh/.codex" && home=$world/fresh && codex && sees 'Sign in with ChatGPT' && sleep 1 && take logged_out login; }

codex_thinking() {
    printf '[[step]]\nwait_s = 25\nsay = "Done."\n' | model thinking
    codex -- "$(task thinking)"
    sees 'Working \('
    sleep 2
    take busy busy_title
    keys Escape
    sees 'Conversation interrupted'
    sleep 1
    take question interrupted
}

codex_tool() {
    printf '[[step]]\nsay = "I run the tests."\nrun = "sleep 30"\n' | model ctool
    codex -- "$(task ctool)"
    sees 'Working \('
    sleep 3
    take busy busy_title
    paste 'Task: look at the tests too'
    keys Enter
    sleep 1
    take busy busy_title queued
}

codex_streaming() {
    { printf '[[step]]\npace_ms = 60\nsay = """\n' && for n in $(seq 30); do
        printf '%s. A thing that was found while the module was read, and what follows from it.\n' "$n"
    done && printf '"""\n'; } | model streaming
    codex -- "$(task streaming)"
    sees '3\. A thing'
    take busy busy_title
}

codex_finished() {
    model cfinished <<'T'
[[step]]
say = "I look around."
run = "git status --short; cat README.md"
[[step]]
say = "All of it is done:\n\n- the notes are written\n- nothing else was touched\n\n```sh\ncargo test\n```\n\nAUTODO-DONE-0000abcd"
T
    codex -- "$(task cfinished)"
    sees 'AUTODO-DONE-0000abcd'
    titled '^(?![⠁-⣿])'
    sleep 1
    take ready ready
}

codex_approval() {
    model capproval <<'T'
[[step]]
say = "I fetch what is missing."
tool = { name = "exec_command", input = { cmd = "npm install left-pad", sandbox_permissions = "require_escalated", justification = "May I fetch the package from its registry?" } }
T
    codex -a on-request -- "$(task capproval)"
    sees 'Would you like to run'
    sleep 1
    take permission permission
    keys n
    sleep 2
    take question interrupted denied
}

codex_question() {
    model cquestion <<'T'
[[step]]
say = "One thing is not clear."
[step.tool]
name = "request_user_input"
[[step.tool.input.questions]]
id = "cache"
header = "Cache"
question = "Which cache should the parser use?"
options = [{ label = "OnceCell", description = "filled once, on first use" }, { label = "LRU", description = "bounded, with a size to choose" }]
T
    codex
    sees 'scripted-model .*· /tmp'
    sleep 1
    keys BTab
    sleep 1
    take ready ready plan-mode
    paste "$(task cquestion)"
    keys Enter
    sees 'Question \d'
    sleep 1
    take question question
}

# stops_with NAME STATE RULE: one try again, then the end.
stops_with() {
    codex -c model_providers.scripted.request_max_retries=1 -c model_providers.scripted.stream_max_retries=1 -- "$(task "$1")"
    sees '^■' 90
    titled '^(?![⠁-⣿])'
    sleep 1
    take "$2" "$3"
}

codex_error_400() { fails e400 400 invalid_request_error 'Unsupported parameter' && stops_with e400 error error; }
codex_error_401() { fails e401 401 authentication_error 'Incorrect API key provided' && stops_with e401 logged_out logged_out; }
codex_error_429() { fails e429 429 rate_limit_error 'Rate limit reached' && stops_with e429 overloaded overloaded; }
codex_error_500() { fails e500 500 api_error 'Internal server error' && stops_with e500 overloaded overloaded; }
codex_error_529() { fails e529 529 overloaded_error 'Overloaded' && stops_with e529 overloaded overloaded; }
codex_error_billing() {
    fails cbilling 429 insufficient_quota 'You exceeded your current quota, please check your plan and billing details.'
    stops_with cbilling error error
}
codex_error_full() {
    model cfull <<'T'
[[step]]
[step.fail]
status = 400
kind = "invalid_request_error"
message = "Your input exceeds the context window of this model."
fields = { code = "context_length_exceeded" }
T
    stops_with cfull error error
}

codex_retrying() {
    fails cretry 500 api_error 'Internal server error'
    codex -- "$(task cretry)"
    sees 'Reconnecting' 60
    take busy busy_title
}

codex_refused() {
    codex -c model_providers.scripted.base_url='"http://127.0.0.1:9/v1"' -- "$(task refused)"
    sees 'waiting for network|Reconnecting' 60
    sleep 1
    take busy busy_title
}

codex_limit() {
    model climit <<'T'
[[step]]
[step.fail]
status = 429
kind = "usage_limit_reached"
message = "The usage limit has been reached"
reset_s = 7200
fields = { resets_at = "{reset}", plan_type = "plus" }
T
    stops_with climit limited limited
}

codex_hooks() {
    mkdir -p "$world/hooked/.codex"
    settings_of_codex "$url" >"$world/hooked/.codex/config.toml"
    echo '{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"true"}]}]}}' >"$world/hooked/.codex/hooks.json"
    home=$world/hooked
    codex -- "$(task nothing)"
    sees 'Hooks need review'
    sleep 1
    take question hooks
}

codex_dialogs() {
    codex
    sees 'scripted-model .*· /tmp'
    sleep 1
    paste /model
    keys Enter
    sleep 2
    take question other_dialog model
    keys Escape
    sleep 1
    paste /status
    keys Enter
    sees 'Session:'
    sleep 1
    take ready ready status
}
