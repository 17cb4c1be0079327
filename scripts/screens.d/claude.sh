# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with scripts/screens
# Scenes of Claude Code. Sourced by scripts/screens.

claude_default() { claude --permission-mode default && sees 'for shortcuts' && sleep 1 && take ready ready; }

claude_accept() {
    claude --permission-mode acceptEdits
    sees 'accept edits on'
    sleep 1
    take ready ready
    paste "$(task nothing) Write it down as well."
    take ready ready typed
    keys Escape Escape
    sleep 1
    paste "$(printf 'Task: look at this\n\nfn main() {\n    println!("%s");\n}\n\nand that is all of it, for now' hello)"
    take ready ready pasted
    keys Escape Escape
    sleep 1
    keys T a s k C-j o n e C-j t w o
    take ready ready typed-lines
}

claude_plan_mode() { claude --permission-mode plan && sees 'plan mode on' && sleep 1 && take ready ready; }

claude_thinking() {
    model thinking <<'T'
[[step]]
wait_s = 25
say = "Done."
T
    claude --permission-mode acceptEdits -- "$(task thinking)"
    sees '^[·✢✳✶✻✽*] \S.*…'
    sleep 2
    take busy busy
    paste 'Task: look at the tests too'
    take busy busy thinking-typed
    keys Enter
    sees '❯ Task: look at the tests too'
    take busy busy queued
    keys Escape
    sleep 0.5
    keys Escape
    sees 'Interrupted'
    sleep 1
    take question interrupted
}

claude_tool() {
    model tool <<'T'
[[step]]
say = "I run the tests."
run = "python3 -c 'import time; print(1); time.sleep(30)'"
T
    claude --allowedTools Bash -- "$(task tool)"
    sees 'Running|esc to interrupt'
    sleep 3
    take busy busy
    keys Escape
    sees 'Interrupted'
    sleep 1
    take question interrupted interrupted-tool
}

claude_streaming() {
    { printf '[[step]]\npace_ms = 60\nsay = """\n' && for n in $(seq 30); do
        printf '%s. A thing that was found while the module was read, and what follows from it.\n' "$n"
    done && printf '"""\n'; } | model streaming
    claude -- "$(task streaming)"
    sees '3\. A thing'
    take busy busy_footer
}

claude_retrying() {
    model retrying <<'T'
[[step]]
fail = { status = 500, kind = "api_error", message = "Internal server error" }
T
    claude -- "$(task retrying)"
    sees 'Retrying in'
    take busy retrying
}

claude_refused() {
    more=(ANTHROPIC_BASE_URL=http://127.0.0.1:9)
    claude -- "$(task refused)"
    sees 'Retrying in'
    take busy retrying refused
}

claude_permission_command() {
    model command <<'T'
[[step]]
say = "I install what is missing."
run = "npm install left-pad && rm -rf node_modules"
T
    claude -- "$(task command)"
    sees '❯ 1\. Yes'
    sleep 1
    take permission permission
    keys Escape
    sleep 1.5
    take question interrupted denied
}

claude_permission_create() {
    model create <<'T'
[[step]]
tool = { name = "Write", input = { file_path = "/tmp/autodo-screens/p/src/lib.rs", content = "//! A library.\n\npub fn one() -> u32 {\n    1\n}\n" } }
T
    claude -- "$(task create)"
    sees '❯ 1\. Yes'
    sleep 1
    take permission permission
}

claude_permission_edit() {
    model edit <<'T'
[[step]]
tool = { name = "Read", input = { file_path = "/tmp/autodo-screens/p/README.md" } }
[[step]]
say = "It says the wrong number."
tool = { name = "Edit", input = { file_path = "/tmp/autodo-screens/p/README.md", old_string = "line 7\n", new_string = "line seven\n" } }
T
    claude -- "$(task edit)"
    sees '❯ 1\. Yes'
    sleep 1
    take permission permission
}

claude_permission_fetch() {
    model fetch <<'T'
[[step]]
say = "I look it up."
tool = { name = "WebFetch", input = { url = "http://127.0.0.1:9/manual", prompt = "which options are there?" } }
T
    claude -- "$(task fetch)"
    sees '❯ 1\. Yes'
    sleep 1
    take permission permission
}

claude_question() {
    model question <<'T'
[[step]]
say = "One thing is not clear."
[step.tool]
name = "AskUserQuestion"
[[step.tool.input.questions]]
question = "Which cache should the parser use?"
header = "Cache"
multiSelect = false
options = [{ label = "OnceCell", description = "filled once, on first use" }, { label = "LRU", description = "bounded, with a size to choose" }]
T
    claude -- "$(task question)"
    sees 'Enter to select'
    sleep 1
    take question question
}

claude_plan() {
    model plan <<'T'
[[step]]
say = "Here is what I would do."
tool = { name = "ExitPlanMode", input = { plan = "# Plan\n\n1. Read the parser\n2. Keep its result\n3. Test it" } }
T
    claude --permission-mode plan -- "$(task plan)"
    sees 'is ready to execute|Exit plan mode'
    sleep 1
    take permission plan
}

claude_trust() { folder=$world/new && claude -- "$(task nothing)" && sees 'I trust this folder' && sleep 1 && take question trust; }

claude_bypass() {
    more=(IS_SANDBOX=1)
    claude --dangerously-skip-permissions
    sees 'No, exit'
    sleep 1
    take question bypass_warning
    keys 2
    sees 'bypass permissions on'
    sleep 1
    take ready ready ready-bypass
}

claude_apikey() {
    mkdir -p "$world/key"
    echo '{"hasCompletedOnboarding":true,"projects":{"'"$world"'/p":{"hasTrustDialogAccepted":true}}}' >"$world/key/.claude.json"
    home=$world/key
    claude
    sees 'Detected a custom API key'
    sleep 1
    take logged_out api_key
}

claude_no_network() { home=$world/fresh && claude && sees 'Unable to connect to Anthropic' 60 && sleep 1 && take error no_network; }

# ends_with NAME STATE RULE PATTERN: one try again, then the end.
ends_with() {
    more+=(CLAUDE_CODE_MAX_RETRIES=1)
    claude -- "$(task "$1")"
    sees "$4" 60
    sees '^❯' && titled '^✳'
    sleep 1
    take "$2" "$3"
}

# fails NAME STATUS TYPE MESSAGE: a scenario that only fails.
fails() { printf '[[step]]\nfail = { status = %s, kind = "%s", message = "%s" }\n' "$2" "$3" "$4" | model "$1"; }

claude_error_400() { fails e400 400 invalid_request_error 'messages.3: tool_use ids were found without tool_result' && ends_with e400 error error 'API Error: 400'; }
claude_error_401() { fails e401 401 authentication_error 'invalid x-api-key' && ends_with e401 logged_out logged_out 'Invalid API key'; }
claude_error_403() { fails e403 403 permission_error 'Your account may not use this' && ends_with e403 logged_out logged_out 'Please run /login'; }
claude_error_429() { fails e429 429 rate_limit_error 'This request would exceed your rate limit' && ends_with e429 overloaded overloaded 'API Error: Request rejected'; }
claude_error_500() { fails e500 500 api_error 'Internal server error' && ends_with e500 overloaded overloaded 'API Error: 500'; }
claude_error_529() { fails e529 529 overloaded_error 'Overloaded' && ends_with e529 overloaded overloaded 'API Error: (Repeated )?529'; }
claude_error_billing() { fails billing 400 invalid_request_error 'Your credit balance is too low to access the Anthropic API.' && ends_with billing error error 'Credit balance'; }
claude_error_full() { fails full 400 invalid_request_error 'prompt is too long: 250000 tokens > 200000 maximum' && ends_with full error error 'Prompt is too long'; }
claude_error_refused() { more=(ANTHROPIC_BASE_URL=http://127.0.0.1:9) && ends_with refused overloaded overloaded 'API Error: Unable to connect'; }

claude_error_refusal() {
    printf '[[step]]\nsay = "I"\nstop = "refusal"\n' | model refusal
    ends_with refusal error error 'API Error'
}

claude_limit() {
    model limit <<'T'
[[step]]
[step.fail]
status = 429
kind = "rate_limit_error"
message = "This request would exceed your account's rate limit."
reset_s = 7200
headers = { anthropic-ratelimit-unified-status = "rejected", anthropic-ratelimit-unified-reset = "{reset}", anthropic-ratelimit-unified-representative-claim = "five_hour" }
T
    more=(CLAUDE_CODE_OAUTH_TOKEN=dummy)
    claude -- "$(task limit)"
    sees 'What do you want to do'
    sleep 1
    take limited limit_options
    keys Escape
    sleep 2
    take limited limited limit-closed
}

claude_background() {
    model background <<'T'
[[step]]
tool = { name = "Bash", input = { command = "sleep 60", description = "a server", run_in_background = true } }
[[step]]
say = "The server is up; I will look at it later."
T
    claude --allowedTools Bash -- "$(task background)"
    sees 'still running'
    sleep 1
    take busy background
}

claude_finished() {
    model finished <<'T'
[[step]]
say = "I write it."
tool = { name = "Write", input = { file_path = "/tmp/autodo-screens/p/notes.md", content = "one\ntwo\n" } }
[[step]]
run = "git status --short"
[[step]]
say = "All of it is done:\n\n- the notes are written\n- nothing else was touched\n\n```sh\ncargo test\n```\n\nAUTODO-DONE-0000abcd"
T
    claude --permission-mode acceptEdits --allowedTools Bash -- "$(task finished)"
    sees 'AUTODO-DONE-0000abcd'
    sees '^✻ '
    sleep 1
    take ready ready
}

claude_theme() {
    claude
    sees '^❯'
    sleep 2
    paste /theme
    keys Enter
    sees 'Choose the text style'
    sleep 1
    take logged_out theme
}

claude_dialogs() {
    claude
    sees '^❯'
    sleep 2
    paste /cost
    keys Enter
    sees 'Esc to cancel|Total cost'
    sleep 1
    take question other_dialog cost
    keys Escape
    sleep 1
    paste /status
    keys Enter
    sees 'Session ID'
    sleep 1
    take question other_dialog status
}
