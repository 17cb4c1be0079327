# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with scripts/screens
# Scenes of opencode. Sourced by scripts/screens.

# opencode ARGUMENTS...: with a provider that is the scripted model, and `allowed`, allow or ask, for all it does.
opencode() {
    mkdir -p "$home/.config/opencode"
    cat >"$home/.config/opencode/opencode.json" <<JSON
{"autoupdate":false,"share":"disabled","permission":"${allowed:-allow}","model":"scripted/one","small_model":"scripted/one",
 "provider":{"scripted":{"npm":"@ai-sdk/anthropic","name":"Scripted","options":{"baseURL":"$url/v1","apiKey":"dummy"},
  "models":{"one":{"name":"One","limit":{"context":200000,"output":8000}}}}}}
JSON
    more=(OPENCODE_DISABLE_MODELS_FETCH=1 OPENCODE_DISABLE_AUTOUPDATE=1 OPENCODE_DISABLE_LSP_DOWNLOAD=1
        OPENCODE_DISABLE_MOUSE=1 ${more[@]+"${more[@]}"})
    launch opencode "$@"
}

# is_idle: waits until nothing is at work any more.
is_idle() {
    local width
    for width in ${widths//,/ }; do
        for _ in $(seq 400); do
            tmux -S "$sock" capture-pane -p -t "=s$width:" | grep -v '^$' | tail -2 | grep -q interrupt || break
            sleep 0.1
        done
    done
    sleep 1
}

opencode_box() {
    opencode
    sees 'Build · One' 240
    sleep 2
    take ready ready first
    paste "$(task nothing)"
    take ready ready first-typed
    keys Enter
    sees 'nothing more to do' 60
    is_idle
    take ready ready
    paste "$(task nothing) Write it down as well."
    take ready ready typed
    keys C-c
    sleep 1
    paste "$(printf 'Task: look at this\n\nfn main() {\n    println!("%s");\n}\n\nand that is all of it, for now' hello)"
    take ready ready pasted
}

opencode_thinking() {
    printf '[[step]]\nwait_s = 60\nsay = "Done."\n' | model othinking
    opencode --prompt "$(task othinking)"
    sees 'esc interrupt' 120
    sleep 2
    take busy busy
    paste 'Task: look at the tests too'
    take busy busy thinking-typed
    keys Enter
    sleep 1
    take busy busy queued
    keys Escape
    sleep 1
    take busy busy leaving
    keys Escape
    is_idle
    # What was queued stands there and is not worked on.
    take ready ready interrupted-queued
}

opencode_interrupted() {
    printf '[[step]]\nwait_s = 60\nsay = "Done."\n' | model ointerrupted
    opencode --prompt "$(task ointerrupted)"
    sees 'esc interrupt' 120
    sleep 2
    keys Escape Escape
    is_idle
    take question interrupted
}

opencode_tool() {
    printf '[[step]]\nsay = "I run the tests."\nrun = "for n in 1 2 3; do echo test $n ok; done; sleep 60"\n' | model otool
    opencode --prompt "$(task otool)"
    sees 'test 3 ok' 120
    sleep 1
    take busy busy
}

opencode_streaming() {
    { printf '[[step]]\npace_ms = 60\nsay = """\n' && for n in $(seq 30); do
        printf '%s. A thing that was found while the module was read, and what follows from it.\n' "$n"
    done && printf '"""\n'; } | model ostreaming
    opencode --prompt "$(task ostreaming)"
    sees '3\. A thing' 120
    take busy busy
}

opencode_finished() {
    model ofinished <<'T'
[[step]]
say = "I look around."
run = "git status --short; head -3 README.md"
[[step]]
say = "All of it is done:\n\n- the notes are written\n- nothing else was touched\n\n```sh\ncargo test\n```\n\nAUTODO-DONE-0000abcd"
T
    opencode --prompt "$(task ofinished)"
    sees 'AUTODO-DONE-0000abcd' 120
    is_idle
    take ready ready
}

# An answer that speaks of screens.
opencode_finished_quotes() {
    model oquotes <<'T'
[[step]]
say = "It showed:\n\n```\n  ┃  △ Permission required\n  ┃   Allow once   Allow always   Reject\n```\n\nand esc interrupt.\n\nThat is all."
T
    opencode --prompt "$(task oquotes)"
    sees 'That is all' 120
    is_idle
    take ready ready
}

opencode_finished_long() {
    { printf '[[step]]\nsay = """\n' && for n in $(seq 60); do printf '%s. A thing that was found, and what follows from it.\n' "$n"; done && printf '\nAUTODO-DONE-0000abcd\n"""\n'; } | model olonganswer
    opencode --prompt "$(task olonganswer)"
    sees 'AUTODO-DONE-0000abcd' 120
    is_idle
    take ready ready
}

opencode_permission_command() {
    model ocommand <<'T'
[[step]]
say = "I install what is missing."
run = "npm install left-pad && rm -rf node_modules"
T
    allowed=ask
    opencode --prompt "$(task ocommand)"
    sees 'Allow once' 120
    sleep 1
    take permission permission
    keys Escape
    is_idle
    take question broken_off denied
}

opencode_permission_write() {
    model owrite <<'T'
[[step]]
tool = { name = "write", input = { filePath = "/tmp/autodo-screens/p/src/lib.rs", content = "//! A library.\n\npub fn one() -> u32 {\n    1\n}\n" } }
T
    allowed=ask
    opencode --prompt "$(task owrite)"
    sees 'Allow once' 120
    sleep 1
    take permission permission
}

opencode_permission_edit() {
    model oedit <<'T'
[[step]]
tool = { name = "edit", input = { filePath = "/tmp/autodo-screens/p/README.md", oldString = "line 7\n", newString = "line seven\n" } }
T
    allowed=ask
    opencode --prompt "$(task oedit)"
    sees 'Allow once' 120
    sleep 1
    take permission permission
}

opencode_permission_outside() {
    printf '[[step]]\ntool = { name = "read", input = { filePath = "/etc/hostname" } }\n' | model ooutside
    allowed=ask
    opencode --prompt "$(task ooutside)"
    sees 'Allow once' 120
    sleep 1
    take permission permission
}

opencode_question() {
    model oquestion <<'T'
[[step]]
say = "One thing is not clear."
[step.tool]
name = "question"
[[step.tool.input.questions]]
question = "Which cache should the parser use?"
header = "Cache"
options = [{ label = "OnceCell", description = "filled once, on first use" }, { label = "LRU", description = "bounded, with a size to choose" }]
T
    opencode --prompt "$(task oquestion)"
    sees 'esc dismiss' 120
    sleep 1
    take question question
}

# ends_in_error NAME PATTERN
ends_in_error() {
    opencode --prompt "$(task "$1")"
    sees "$2" 120
    is_idle
    take error error
}

opencode_error_400() { fails o400 400 invalid_request_error 'messages.3 is wrong in this request' && ends_in_error o400 'messages.3 is wrong'; }
opencode_error_401() { fails o401 401 authentication_error 'invalid x-api-key' && ends_in_error o401 'invalid x-api-key'; }
opencode_error_403() { fails o403 403 permission_error 'Your account may not use this' && ends_in_error o403 'may not use this'; }

opencode_retrying() {
    fails o529 529 overloaded_error 'Overloaded'
    opencode --prompt "$(task o529)"
    sees 'retrying|attempt' 120
    take busy busy
}

opencode_retrying_500() {
    fails o500 500 api_error 'Internal server error'
    opencode --prompt "$(task o500)"
    sees 'retrying|attempt' 120
    take busy busy
}
