# shellcheck shell=bash
# Shared by scripts/quickstart and scripts/tutorial: a scratch folder with an autodo of its own in it, and what it
# takes to show commands, to check what they did, and to leave nothing running. Sourced, never run.

# shellcheck source=scripts/setup.sh
. scripts/setup.sh

source_root=$PWD
keep=false
clean=false
scratch=

# usage_of SCRIPT: the comment at its head.
usage_of() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "$1"; }

# heading TEXT, tell TEXT: what happens next, in words. Headings are bold on a terminal.
heading() {
    if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\n\033[1m== %s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi
}
tell() { printf '%s\n' "$@"; }

# show COMMAND...: prints it as a person would type it, and runs it.
show() {
    local word typed=
    for word in "$@"; do
        case "$word" in
        *[!A-Za-z0-9._/=:-]*) typed+=" \"$word\"" ;;
        *) typed+=" $word" ;;
        esac
    done
    printf '\n$%s\n' "$typed"
    "$@"
}

# expect ID STATUS: fails unless the list says so.
expect() {
    local listed
    listed=$(autodo list)
    grep -Eq "^ *$1 +$2( |\$)" <<<"$listed" || fail "expected $1 to be $2; autodo list says otherwise:
$listed"
}

# exits_with CODE COMMAND...: shows it, and fails unless it exits with that code.
exits_with() {
    local wanted=$1 status=0
    shift
    show "$@" </dev/null || status=$?
    [ "$status" -eq "$wanted" ] || fail "$* exited with $status; expected $wanted"
}

# set_up_sample FOLDER: installs what is missing, builds autodo, and puts it on PATH with a home below FOLDER.
set_up_sample() {
    # What the reader has set for other work must not reach the sample.
    clear_autodo_variables
    unset TMUX TMUX_PANE GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE CARGO_BUILD_TARGET CARGO_TARGET_DIR
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat

    heading "Set-up"
    set_up
    tell "Rust, git, tmux and a C compiler are there."
    heading "Build"
    cargo build --locked --bin autodo
    local target
    target=$(cargo metadata --locked --no-deps --format-version 1 |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p')
    [ -x "$target/debug/autodo" ] || fail "the build left no program in $target/debug"
    program_folder="$target/debug"
    PATH="$program_folder:$PATH"
    export PATH

    scratch=$1
    export AUTODO_HOME="$scratch/home"
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# commit_all MESSAGE: everything in the folder, as one commit.
commit_all() {
    git add --all
    git commit --quiet --message "$1"
}

# new_repository: the folder, as a git repository with an identity of its own.
new_repository() {
    git init --quiet --initial-branch=main
    git config user.name "Sample"
    git config user.email "sample@example.invalid"
    git config commit.gpgsign false
}

# tmux_socket: where the server of this home listens.
tmux_socket() {
    local socket
    socket=$(autodo doctor --json 2>/dev/null | sed -n 's/.*"tmux_socket": *"\([^"]*\)".*/\1/p' | head -n 1) || socket=""
    printf '%s\n' "${socket:-$AUTODO_HOME/run/tmux.sock}"
}

# left_running: one line for each process with the scratch folder in its command line.
left_running() {
    local folder words
    if [ ! -d /proc/self ]; then
        # Ignored: no process is what we hope for.
        pgrep -fl "$scratch/" || true
        return
    fi
    for folder in /proc/[0-9]*; do
        # Ignored: a process may end while we look.
        { mapfile -d '' -t words <"$folder/cmdline"; } 2>/dev/null || continue
        case "${words[*]}" in *"$scratch/"*) printf '%s %s\n' "${folder#/proc/}" "${words[*]}" ;; esac
    done
}

# clean_up: ends the tmux server that was started, and looks that nothing is left running.
clean_up() {
    local status=$? socket left tries=0
    trap - EXIT
    cd /
    if ! $keep; then
        socket=$(tmux_socket)
        # Ignored: where nothing was started there is no server to end.
        if [ -S "$socket" ]; then tmux -S "$socket" kill-server 2>/dev/null || true; fi
        while left=$(left_running) && [ -n "$left" ] && [ "$tries" -lt 50 ]; do
            sleep 0.1
            tries=$((tries + 1))
        done
        if [ -n "$left" ]; then say "warning: still running after 5 s:
$left"; fi
    fi
    if [ "$status" -ne 0 ]; then
        say "error: ended with status $status; what was made is in $scratch"
    elif $clean && ! $keep; then
        rm -rf -- "$scratch"
    fi
    exit "$status"
}
