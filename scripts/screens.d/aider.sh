# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with scripts/screens
# Scenes of aider. Sourced by scripts/screens.

# aider ARGUMENTS...: as the profile starts it, ready for a prompt.
aider() {
    mkdir -p "$folder/.autodo/run" "$world/aider"
    echo 'A ticket.' >"$folder/.autodo/run/prompt.md"
    more=(ANTHROPIC_API_BASE="$url" ANTHROPIC_API_KEY="$key" HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1
        ${more[@]+"${more[@]}"})
    launch aider --model anthropic/claude-3-5-sonnet-20241022 --map-tokens 0 --read .autodo/run/prompt.md \
        --chat-history-file "$world/aider/chat.md" --input-history-file "$world/aider/input" --no-gitignore \
        --no-detect-urls --no-check-update --no-show-release-notes --no-show-model-warnings --no-analytics "$@"
    sees '^>\s*$' 180
    sleep 1
}

# gives TEXT: a prompt, once it stands there.
gives() {
    paste "$1"
    keys Enter
}

# A file of each width: the three work in one folder.
edit_of() {
    printf '[[step]]\nsay = """\nI write it down.\n\n%s\n```\n<<<<<<< SEARCH\n%s=======\n%s\n>>>>>>> REPLACE\n```\n"""\n' "$2" "$3" "$4" | model "$1"
}

aider_box() {
    aider
    take ready ready
    paste "$(task nothing) Write it down as well."
    take ready ready typed
    keys C-c
    sleep 1
    paste "$(printf 'Task: look at this\nfn main() {\n    println!("%s");\n}\nand that is all of it, for now' hello)"
    take ready ready typed-lines
}

aider_thinking() {
    printf '[[step]]\nwait_s = 40\nsay = "Done."\n' | model athinking
    aider
    gives "$(task athinking)"
    sees 'Waiting for' 60
    sleep 1
    take busy busy
    keys C-c
    sees 'C again to exit' 60
    sleep 1
    take question interrupted
}

aider_finished() {
    printf '[[step]]\nsay = "All of it is done:\\n\\n- the notes are written\\n- nothing else was touched\\n\\nAUTODO-DONE-0000abcd"\n' | model afinished
    aider
    gives "$(task afinished)"
    sees '^AUTODO-DONE-0000abcd' 60
    sleep 2
    take ready ready
}

aider_edit() {
    edit_of aedit notes.md '' 'a note'
    aider
    gives "$(task aedit)"
    sees 'Create new file' 60
    sleep 1
    take dialog edit
}

aider_edit_outside() {
    edit_of aoutside ../outside.md '' 'a note'
    aider
    gives "$(task aoutside)"
    sees 'Create new file' 60
    sleep 1
    take question other_dialog
}

aider_edit_known() {
    edit_of aknown README.md 'line 7
' 'line seven'
    aider
    gives "$(task aknown)"
    sees 'Allow edits|Add file|\(Y\)es' 60
    sleep 1
    take dialog edit
}

aider_permission() {
    printf '[[step]]\nsay = "I run the tests."\nrun = "cargo test --quiet"\n' | model acommand
    aider
    gives "$(task acommand)"
    sees 'Run shell command' 60
    sleep 1
    take permission permission
    keys n Enter
    sleep 2
    take ready ready denied
}

aider_permission_lines() {
    printf '[[step]]\nsay = "I run the tests."\nrun = "cargo build\\ncargo test --quiet"\n' | model acommands
    aider
    gives "$(task acommands)"
    sees 'Run shell command' 60
    sleep 1
    take permission permission
}

aider_output() {
    printf '[[step]]\nrun = "git log --oneline"\n' | model aoutput
    aider
    gives "$(task aoutput)"
    sees 'Run shell command' 60
    keys y Enter
    sees 'command output to the chat' 60
    sleep 1
    take dialog output
}

aider_error_400() {
    fails a400 400 invalid_request_error 'messages.3 is wrong in this request'
    aider
    gives "$(task a400)"
    sees 'is wrong' 60
    sleep 3
    take error error
}

aider_error_401() {
    fails a401 401 authentication_error 'invalid x-api-key'
    aider
    gives "$(task a401)"
    sees 'not able to authenticate|AuthenticationError' 60
    sleep 3
    take logged_out logged_out
}

aider_retrying() {
    fails a529 529 overloaded_error 'Overloaded'
    aider
    gives "$(task a529)"
    sees 'Retrying in 4' 90
    sleep 1
    take busy busy
}
