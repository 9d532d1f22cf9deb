# shellcheck shell=bash
# Sourced by the other scripts.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
JOBS=${JOBS:-$(nproc)}

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# configure DIRECTORY [cmake option...]: Ninja for new directories; one that exists keeps its generator.
configure() {
    local dir=$1 generator=()
    shift
    if [[ ! -f $dir/CMakeCache.txt ]] && command -v ninja >/dev/null; then
        generator=(-G Ninja)
    fi
    cmake -S "$ROOT" -B "$dir" "${generator[@]}" "$@" >"$dir.log" 2>&1 || {
        cat "$dir.log" >&2
        die "cmake failed for $dir"
    }
    rm -f "$dir.log"
}

# build DIRECTORY [target...]: quiet unless it fails.
build() {
    local dir=$1 log target targets=()
    shift
    for target in "$@"; do
        targets+=(--target "$target")
    done
    log=$(mktemp)
    if ! cmake --build "$dir" -j "$JOBS" "${targets[@]}" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "the build in $dir failed"
    fi
    rm -f "$log"
}

# The C files that are ours, one a line.
c_files() {
    (cd "$ROOT" && find . -name '*.[ch]' -not -path './build*' -not -path './.*' | sed 's,^\./,,' | sort)
}
