# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with scripts/screens
# Further scenes of Codex, captured after the patterns were frozen once. Sourced by scripts/screens.

codex_more_plan_list() {
    model cplan <<'T'
[[step]]
say = "In three steps."
tool = { name = "update_plan", input = { plan = [{ step = "Read the parser", status = "completed" }, { step = "Keep its result", status = "in_progress" }, { step = "Test it", status = "pending" }] } }
[[step]]
wait_s = 20
say = "Done."
T
    codex -- "$(task cplan)"
    sees 'In three steps'
    sleep 3
    take busy busy_title
}

codex_more_background() {
    model cbackground <<'T'
[[step]]
tool = { name = "exec_command", input = { cmd = "sleep 60", yield_time_ms = 1000 } }
[[step]]
say = "The server is up; I will look at it later."
T
    codex -- "$(task cbackground)"
    sees 'look at it later' 60
    titled '^(?![⠁-⣿])'
    sleep 1
    take ready ready
}

codex_more_patch() {
    model cpatch <<'T'
[[step]]
say = "It says the wrong number."
[step.tool]
name = "exec_command"
input = { cmd = "apply_patch <<'EOF'\n*** Begin Patch\n*** Update File: README.md\n@@\n line 6\n-line 7\n+line seven\n line 8\n*** End Patch\nEOF" }
T
    codex -s read-only -a on-request -- "$(task cpatch)"
    sees '1\. Yes'
    sleep 1
    take permission permission
}

codex_more_approval() {
    { printf "[[step]]\n[step.tool]\nname = \"exec_command\"\n[step.tool.input]\nsandbox_permissions = \"require_escalated\"\njustification = \"May I set up what the tests need?\"\ncmd = '''\n" &&
        for n in $(seq 24); do printf 'echo "step %s" >> log.txt && touch file-%s\n' "$n" "$n"; done && printf "'''\n"; } | model clong
    codex -a on-request -- "$(task clong)"
    sees '1\. Yes'
    sleep 1
    take permission permission
    keys Down
    sleep 1
    take permission permission approval-second
}

codex_more_questions() {
    model cquestions <<'T'
[[step]]
[step.tool]
name = "request_user_input"
[[step.tool.input.questions]]
id = "cache"
header = "Cache"
question = "Which cache should the parser use, given that its results are shared between threads and seldom change?"
options = [{ label = "OnceCell", description = "filled once, on first use" }, { label = "LRU", description = "bounded, with a size to choose" }]
[[step.tool.input.questions]]
id = "tests"
header = "Tests"
question = "What should be tested?"
options = [{ label = "Hits", description = "the second call is fast" }, { label = "Threads", description = "two at once" }]
T
    codex
    sees 'scripted-model .*· /tmp'
    sleep 1
    keys BTab
    sleep 1
    paste "$(task cquestions)"
    keys Enter
    sees 'Question 1'
    sleep 1
    take question question
    keys 1
    sleep 1
    take question question questions-second
}

codex_more_lists() {
    codex
    sees 'scripted-model .*· /tmp'
    sleep 1
    local name
    for name in permissions review; do
        paste "/$name"
        keys Enter
        sleep 2
        take question other_dialog "dialog-$name"
        keys Escape
        sleep 1
    done
    keys /
    sleep 1
    take unknown - slash-menu
    keys BSpace
    sleep 1
    keys C-t
    sleep 1
    take unknown - transcript
}

codex_more_update() {
    mkdir -p "$world/old/.codex"
    settings_of_codex "$url" >"$world/old/.codex/config.toml"
    printf '{"latest_version":"9.9.9","last_checked_at":"%s"}\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >"$world/old/.codex/version.json"
    home=$world/old
    codex
    sees 'Update|scripted-model .*· /tmp'
    sleep 1
    take question update
}

codex_more_mcp() {
    codex -c mcp_servers.slow.command='"sleep"' -c mcp_servers.slow.args='["30"]' -- "$(task nothing)"
    sees 'MCP' 20
    sleep 1
    take busy busy_title
}

codex_more_finished_long() {
    { printf '[[step]]\nsay = """\n' && for n in $(seq 60); do printf '%s. A thing that was found, and what follows from it.\n' "$n"; done && printf 'AUTODO-DONE-0000abcd\n"""\n'; } | model clonganswer
    codex -- "$(task clonganswer)"
    sees 'Worked for'
    titled '^(?![⠁-⣿])'
    sleep 1
    take ready ready
}

# An answer that speaks of screens.
codex_more_finished_quotes() {
    model cquotes <<'T'
[[step]]
say = "Working (3s • esc to interrupt) is what it showed.\n\n```\n■ You've hit your usage limit.\n```\n\nand\n\n```\n  Would you like to run the following command?\n\n› 1. Yes, proceed (y)\n\n  Press enter to confirm or esc to cancel\n```"
T
    codex -- "$(task cquotes)"
    sees 'Worked for'
    titled '^(?![⠁-⣿])'
    sleep 1
    take ready ready
}

codex_more_second_turn() {
    printf '[[step]]\nsay = "One is done."\n[[step]]\nwait_s = 20\nsay = "Two."\n' | model csecond
    codex -- "$(task csecond)"
    sees 'One is done'
    titled '^(?![⠁-⣿])'
    sleep 1
    paste 'Task: now the second part'
    keys Enter
    sees 'Working \('
    sleep 1
    take busy busy_title
    keys t h e n
    take busy busy_title second-turn-typed
    keys Escape
    sees 'Conversation interrupted'
    sleep 1
    take question interrupted interrupted-typed
}

codex_more_after_error() {
    fails e400c 400 invalid_request_error 'a field is missing'
    codex -- "$(task e400c)"
    sees '^■'
    titled '^(?![⠁-⣿])'
    sleep 1
    paste 'Task: go on'
    take error error error-typed
}

codex_more_deep() {
    folder=$world/p/crates/a-crate-with-a-long-name/src/and/folders/that/go/down/further/than/eighty/columns/reach
    mkdir -p "$folder"
    codex
    sees 'scripted-model'
    sleep 2
    take ready ready
    paste 'Task: go on'
    take ready ready deep-typed
}
