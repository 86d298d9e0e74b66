# Sourced by the scripts beside it, which set $root: keeps the project's virtual environment in step
# with its lock files. Nothing is done, and no Python started, when it already is.

# The versions that a stamp vouches for: where the project stands and what the lock holds.
stamp_for() {
    printf '%s\n%s\n' "$root" "$(cksum <"$root/$1")"
}

# Whether the Python at $1 really runs, is new enough and can make virtual environments. A pyenv shim
# for a version that is not chosen, a Debian Python without venv, or an old one, is none of use.
is_usable() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

candidates() {
    [ -z "${DETOUR_PYTHON:-}" ] || printf '%s\n' "$DETOUR_PYTHON"
    for name in python3.13 python3.12 python3.14 python3 python; do
        printf '%s:/usr/local/bin:/opt/homebrew/bin\n' "$PATH" | tr ':' '\n' | while IFS= read -r folder; do
            [ ! -x "$folder/$name" ] || printf '%s\n' "$folder/$name"
        done
    done
    pyenv_roots | while IFS= read -r pyenv; do
        for version in 3.13 3.12 3.14 3; do
            for python in "$pyenv"/versions/"$version"*/bin/python3; do
                [ ! -x "$python" ] || printf '%s\n' "$python"
            done
        done
    done
    if command -v uv >/dev/null 2>&1; then
        uv python find --no-project '>=3.12' 2>/dev/null || :
    fi
    printf '%s\n' "$root/.venv/bin/python"
}

# A shims folder on PATH tells of a pyenv whose root nobody exported.
pyenv_roots() {
    printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}"
    printf '%s\n' "$PATH" | tr ':' '\n' | sed -n 's|/shims/*$||p'
}

find_python() {
    candidates | while IFS= read -r python; do
        if is_usable "$python"; then
            printf '%s\n' "$python"
            break
        fi
    done
}

# Make sure that .venv holds what the lock file $1 names; $2 is the name of its stamp.
ensure_environment() {
    stamp="$root/.venv/$2"
    if [ -x "$root/.venv/bin/python" ] && [ -r "$stamp" ] &&
        [ "$(cat "$stamp")" = "$(stamp_for "$1")" ]; then
        return
    fi
    python=$(find_python)
    if [ -z "$python" ]; then
        cat >&2 <<'END'
detour: no Python 3.12 or newer was found, neither on PATH, nor under pyenv's versions folder, nor by uv.
Install one, for example with one of

    uv python install 3.13
    pyenv install 3.13
    brew install python@3.13
    apt install python3 python3-venv

or name one that stands elsewhere: DETOUR_PYTHON=/path/to/python3 scripts/detour ...
END
        exit 1
    fi
    "$python" "$root/scripts/install.py" "$root" "$1" "$2" "$(stamp_for "$1")"
}

# Make sure that .venv holds what Detour runs on, and the optional packages where `scripts/extras`
# has brought them.
ensure_runtime() {
    if [ -e "$root/.venv/.detour-extras-stamp" ]; then
        ensure_environment requirements-extras.lock .detour-extras-stamp
    else
        ensure_environment requirements.lock .detour-stamp
    fi
}
