# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with scripts/screens
# Scenes that belong to no agent. Sourced by scripts/screens.

# shown NAME PATTERN COMMAND...: what a command shows, once a row matches.
shown() {
    local name=$1 pattern=$2
    shift 2
    launch "$@"
    sees "$pattern"
    sleep 0.5
    take - - "$name"
    ends
}

# typed NAME PATTERN LINE [PROMPT]: what a shell shows after a line.
typed() {
    more=(PS1="${4:-ada@build:\\w\\\$ }" HISTFILE= PAGER=less)
    launch bash --norc --noprofile
    sleep 1
    paste "$3"
    keys Enter
    sees "$2"
    sleep 0.5
    take - - "$1"
    ends
}

none_editors() {
    local rules
    rules=$(printf '─%.0s' $(seq 60))
    printf 'one\n\n%s\n❯ Task: read the file\n%s\n  ⏵⏵ accept edits on (shift+tab to cycle)\n' "$rules" "$rules" >"$folder/screen.txt"
    printf 'one\n\n• Done.\n\n› Task: read the file\n\n  scripted-model default · ~/p\n' >"$folder/codex.txt"
    shown vim 'line 3' vim -n -u NONE -N README.md
    shown vim-of-a-screen 'Task' vim -n -u NONE -N +4 screen.txt
    shown vim-of-another-screen 'Task' vim -n -u NONE -N +5 codex.txt
    shown less-of-a-screen 'Task' less screen.txt
    shown less-of-another-screen 'Task' less codex.txt
    shown less 'line 3' less README.md
    typed cat-of-a-screen 'Task' 'cat screen.txt'
    typed cat-of-another-screen 'Task' 'cat codex.txt'
}

none_shells() {
    typed shell '^total' 'ls -l'
    typed shell-arrow '^total' 'ls -l' '❯ '
    typed shell-chevron '^total' 'ls -l' '› '
    typed shell-chevron-below '^total' 'ls -l' '\n~/p main\n› '
    typed shell-not-found 'not found' 'claude2 --version'
    typed shell-failed 'No such file' 'cat src/main.rs'
    typed shell-key 'Enter passphrase' 'read -rsp "Enter passphrase for key /home/ada/.ssh/id: "'
    typed shell-choice 'proceed' 'read -rp "Do you want to proceed? (y/n) "'
    typed python-traceback 'ZeroDivision' 'python3 -c "print(1/0)"'
    typed watch 'Every' 'watch -t -n 5 echo "Every 5 s: busy…"'
    shown python '^>>>' python3 -q
    shown top 'load average' top -p 1
    shown dialog-like 'Pick' bash -c 'printf "Pick one\n\n  1. Yes\n❯ 2. No\n\n"; read -r'
    shown progress '40%' bash -c 'printf "✻ Compiling 12 of 30 40%%"; sleep 60'
}

none_git() {
    git -C "$folder" checkout -q -b side
    printf '%s\n' ada bob >"$folder/names.txt"
    git -C "$folder" add -A
    git -C "$folder" commit -qm 'Name them'
    sed -i 's/line 7$/line seven/' "$folder/README.md"
    more=(PAGER=less GIT_PAGER='less -R')
    shown git-log 'Name them' git log -p
    shown git-diff 'line seven' git diff
    shown git-add-p 'Stage this hunk' git add -p
    shown git-rebase 'pick' git -c core.editor='vim -n -u NONE -N' rebase -i --autostash HEAD~1
    git -C "$folder" rebase --abort 2>/dev/null || true
    git -C "$folder" checkout -qf main
    git -C "$folder" branch -qD side
}

# Agents that are not there yet, or any more.
none_agents_begin() {
    local at
    for at in 0.05 0.3; do
        claude --permission-mode acceptEdits
        sleep "$at"
        take - - "claude-after-$at"
        ends
        more=()
        codex
        sleep "$at"
        take - - "codex-after-$at"
        ends
    done
}

none_agents_end() {
    claude --permission-mode acceptEdits
    sees '^❯'
    sleep 1
    keys C-d C-d
    sees 'Resume this session|Pane is dead'
    take - - claude-ended
    ends
    more=()
    codex
    sees 'scripted-model .*· /tmp'
    sleep 1
    keys C-c
    sees 'Pane is dead'
    take - - codex-ended
    ends
    shown claude-usage 'Usage|error' claude --nonsense
    shown codex-usage 'Usage|error' codex --nonsense
}
