# shellcheck shell=bash
# Shared by scripts/quickstart and scripts/test: installs what is missing. Sourced, never run.
#
# What must be there already: Rust (cargo) and git. What is installed where it is missing: tmux, a C compiler (for the
# vendored libgit2). Verified on Debian 12; the branches for other systems are written for them but unverified.

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# clear_autodo_variables: settings of the caller's shell must not reach what is started here.
clear_autodo_variables() {
    local name
    for name in $(compgen -e | grep '^AUTODO_' || true); do unset "$name"; done
}

# as_root COMMAND...: runs it as root, through sudo where need be; never asks for a password without a terminal.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@" </dev/null
    elif ! command -v sudo >/dev/null; then
        fail "cannot install packages: not root, and there is no sudo. Run as root: $*"
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@" </dev/null
    fi
}

# quietly COMMAND...: shows its output only if it fails.
quietly() {
    local output
    output=$("$@" 2>&1) || {
        say "$output"
        return 1
    }
}

# install_packages NAME...: by the system's package manager; fails where there is none.
install_packages() {
    say "installing: $*"
    if command -v apt-get >/dev/null; then
        quietly as_root apt-get update -qq || say "warning: apt-get update failed; trying with the package lists as they are"
        quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" ||
            fail "apt-get could not install: $*"
    elif command -v dnf >/dev/null; then
        as_root dnf install -y -q "$@" >&2 || fail "dnf could not install: $*"
    elif command -v pacman >/dev/null; then
        as_root pacman -Sy --noconfirm --needed "$@" >&2 || fail "pacman could not install: $*"
    elif command -v brew >/dev/null; then
        brew install "$@" </dev/null >&2 || fail "brew could not install: $*"
    else
        fail "no package manager found (apt-get, dnf, pacman, brew): install by hand: $*"
    fi
}

# debian_archive FOLDER: where this machine's apt gets this system's release from; its lists go into FOLDER. Debian only.
debian_archive() {
    local codename uri
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
    mkdir -p "$1/partial"
    uri=$(apt-get -o Dir::State::lists="$1" -o APT::Sandbox::User=root update --print-uris |
        sed -n "s|^'\(.*\)/dists/$codename/[^/']*Release'.*|\1|p" | head -n 1)
    [ -n "$uri" ] || fail "apt has no source for $codename, so it is not known where Debian's releases are"
    printf '%s\n' "$uri"
}

# set_up: leaves the machine ready to build and test, or fails and says what is missing.
set_up() {
    # A fresh rustup puts cargo where a shell that is already open does not look.
    if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
        export PATH
    fi
    command -v cargo >/dev/null || fail "cargo was not found: install Rust from https://rustup.rs, then run this again"
    command -v git >/dev/null || fail "git was not found: install it, then run this again"

    local missing=()
    command -v tmux >/dev/null || missing+=(tmux)
    if ! command -v cc >/dev/null; then
        case "$(uname -s)" in
        Darwin) fail "no C compiler: run xcode-select --install, then run this again" ;;
        *) missing+=(gcc) ;;
        esac
        # Debian's gcc only recommends the headers that it cannot do without.
        if command -v apt-get >/dev/null; then missing+=(libc6-dev); fi
    fi
    if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
    command -v tmux >/dev/null || fail "tmux is still missing"
    command -v cc >/dev/null || fail "a C compiler (cc) is still missing"
}
