# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with scripts/screens
# Further scenes of Claude Code, captured after the patterns were frozen once. Sourced by scripts/screens.

claude_more_plan() {
    model planned <<'T'
[[step]]
tool = { name = "Write", input = { file_path = "{plan}", content = "# Plan\n\n1. Read the parser\n2. Keep its result\n3. Test it\n" } }
[[step]]
say = "Here is what I would do."
tool = { name = "ExitPlanMode", input = { plan = "# Plan\n\n1. Read the parser\n2. Keep its result\n3. Test it" } }
T
    claude --permission-mode plan -- "$(task planned)"
    sees 'is ready to execute|Exit plan mode'
    sleep 1
    take permission plan
}

claude_more_agent() {
    printf '[[step]]\nwait_s = 20\nsay = "Found."\n' | model sub
    model agent <<'T'
[[step]]
tool = { name = "Agent", input = { description = "Look for the parser", prompt = "SCENARIO sub", subagent_type = "general-purpose" } }
[[step]]
say = "It is found."
T
    claude -- "$(task agent)"
    sees 'esc to interrupt'
    sleep 4
    take busy busy
}

claude_more_todo() {
    model todo <<'T'
[[step]]
[step.tool]
name = "TodoWrite"
[step.tool.input]
todos = [{ content = "Read the parser", status = "completed", activeForm = "Reading the parser" }, { content = "Keep its result", status = "in_progress", activeForm = "Keeping its result" }, { content = "Test it", status = "pending", activeForm = "Testing it" }]
[[step]]
wait_s = 20
say = "Done."
T
    claude -- "$(task todo)"
    sees 'esc to interrupt'
    sleep 4
    take busy busy
}

claude_more_compact() {
    printf '[[step]]\nsay = "%s is done."\n' one two three | model compact
    claude -- "$(task compact)"
    local part
    for part in two three; do
        sleep 4
        titled '^✳'
        paste "Task: part $part"
        keys Enter
        sees "$part is done"
    done
    titled '^✳'
    paste /compact
    keys Enter
    sees 'Compacted'
    titled '^✳'
    sleep 1
    take ready ready
}

claude_more_questions() {
    model questions <<'T'
[[step]]
say = "Two things are not clear."
[step.tool]
name = "AskUserQuestion"
[[step.tool.input.questions]]
question = "Which cache should the parser use, given that its results are shared between threads and seldom change?"
header = "Cache"
multiSelect = false
options = [{ label = "OnceCell", description = "filled once, on first use" }, { label = "LRU", description = "bounded, with a size to choose" }]
[[step.tool.input.questions]]
question = "What should be tested?"
header = "Tests"
multiSelect = true
options = [{ label = "Hits", description = "the second call is fast" }, { label = "Threads", description = "two at once" }]
T
    claude -- "$(task questions)"
    sees 'Enter to select'
    sleep 1
    take question question
    keys 1
    sleep 1
    take question question questions-second
}

claude_more_read() {
    printf '[[step]]\ntool = { name = "Read", input = { file_path = "/etc/hosts" } }\n' | model read
    claude -- "$(task read)"
    sees '❯ 1\. Yes'
    sleep 1
    take permission permission
    keys Down
    sleep 1
    take permission permission read-second
}

claude_more_long_command() {
    { printf "[[step]]\nrun = '''\n" && for n in $(seq 24); do printf 'echo "step %s" >> log.txt && touch file-%s\n' "$n" "$n"; done && printf "'''\n"; } | model longcommand
    claude -- "$(task longcommand)"
    sees '❯ 1\. Yes'
    sleep 1
    take permission permission
}

claude_more_overlays() {
    claude
    sees '^❯'
    sleep 2
    keys /
    sleep 1
    take unknown - slash-menu
    keys Escape Escape
    sleep 1
    keys C-o
    sleep 1
    take unknown - transcript
}

claude_more_lists() {
    claude
    sees '^❯'
    sleep 2
    local name
    for name in model config permissions; do
        paste "/$name"
        keys Enter
        sleep 2
        take question other_dialog "dialog-$name"
        keys Escape Escape
        sleep 1
    done
}

claude_more_login() {
    claude
    sees '^❯'
    sleep 2
    paste /login
    keys Enter
    sees 'Select login method'
    sleep 1
    take logged_out login
}

claude_more_status_line() {
    claude --settings '{"statusLine":{"type":"command","command":"echo T-12 at 4%; echo second row"}}'
    sees 'second row'
    sleep 1
    take ready ready
}

claude_more_modes() {
    claude --permission-mode dontAsk
    sees '^❯'
    sleep 2
    take ready ready mode-dont-ask
    ends
    more=()
    claude --permission-mode auto
    sees '^❯'
    sleep 2
    take ready ready mode-auto
}

claude_more_finished_long() {
    { printf '[[step]]\nsay = """\n' && for n in $(seq 60); do printf '%s. A thing that was found, and what follows from it.\n' "$n"; done && printf 'AUTODO-DONE-0000abcd\n"""\n'; } | model longanswer
    claude -- "$(task longanswer)"
    sees '^✻ '
    titled '^✳'
    sleep 1
    take ready ready
}

# An answer that speaks of screens.
claude_more_finished_quotes() {
    model quotes <<'T'
[[step]]
say = "The screen showed this:\n\n```\n✻ Pondering… (3s · esc to interrupt)\n```\n\nand then\n\n```\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel\n```\n\n* Working… (esc to interrupt)\n\nYou've hit your limit is what it says at night.\n\nAPI Error: 500 is what it says by day."
T
    claude -- "$(task quotes)"
    sees '^✻ \S+ for'
    titled '^✳'
    sleep 1
    take ready ready
}

claude_more_second_turn() {
    printf '[[step]]\nsay = "One is done."\n[[step]]\nwait_s = 20\nsay = "Two."\n' | model second
    claude --permission-mode acceptEdits -- "$(task second)"
    sees 'One is done'
    titled '^✳'
    sleep 1
    paste 'Task: now the second part'
    keys Enter
    titled '^[⠁-⣿]'
    sleep 2
    take busy busy
    keys Escape
    titled '^✳'
    sleep 1
    keys t h e n
    # Interrupted before its first word, it takes the prompt back into the box.
    take ready ready taken-back
}

claude_more_after_error() {
    fails e400b 400 invalid_request_error 'a field is missing'
    claude -- "$(task e400b)"
    sees 'API Error: 400'
    titled '^✳'
    paste 'Task: go on'
    sleep 1
    take error error error-typed
}
