#!/usr/bin/env bash
# Everything that must hold before a commit, on a fresh Debian 12 too: installs what is missing, then
#
#   release      build, every test
#   sanitizers   build with AddressSanitizer and UndefinedBehaviorSanitizer, unit and hostile tests
#   fuzz         some seconds for each target
#   format       clang-format
#   tidy         clang-tidy
#
# All stages run even when one fails. The last thing printed is ctest's summary of the release build.
#
#     scripts/test.sh [STAGE...]
set -euo pipefail
source "$(dirname "$0")/common.sh"

FUZZ_SECONDS=${FUZZ_SECONDS:-5} # for each target
TIDY_SECONDS=${TIDY_SECONDS:-420}
summary=$ROOT/build/ctest.log

release() {
    configure "$ROOT/build" -DCMAKE_BUILD_TYPE=Release
    build "$ROOT/build"
    ctest --test-dir "$ROOT/build" --output-on-failure -j "$JOBS" | tee "$summary"
}

# configure_sanitized DIRECTORY: Debug for the assertions, -O1 for the speed.
configure_sanitized() {
    configure "$1" -DRDBMEM_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g"
}

sanitizers() {
    configure_sanitized "$ROOT/build-asan"
    build "$ROOT/build-asan"
    UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir "$ROOT/build-asan" --output-on-failure -j "$JOBS" \
        -L 'unit|hostile'
}

fuzz() {
    "$ROOT/scripts/fuzz.sh" "$FUZZ_SECONDS"
}

format() {
    local wrong
    cd "$ROOT"
    wrong=$(c_files | xargs clang-format --dry-run 2>&1 | sed -n 's/^\([^:]*\):.*-Wclang-format-violations.*/\1/p' | sort -u)
    [[ -z $wrong ]] || {
        printf 'not as .clang-format has it (clang-format -i FILE):\n%s\n' "$wrong"
        return 1
    }
}

tidy() {
    # The sanitized build's commands: clang understands all of its options, and its assertions tell the analyser what
    # cannot be.
    configure_sanitized "$ROOT/build-asan"
    "$ROOT/scripts/tidy.py" "$ROOT/build-asan" --jobs="$JOBS" --seconds="$TIDY_SECONDS"
}

results=()
failed=0

# run_stage NAME: in a subshell with its own `set -e`, which a condition would switch off.
run_stage() {
    local name=$1 began=$SECONDS status
    printf '\n== %s\n' "$name"
    set +e
    (
        set -e
        "$name"
    )
    status=$?
    set -e
    results+=("$(printf '%-12s %-6s %4d s' "$name" "$( ((status)) && echo FAILED || echo ok)" $((SECONDS - began)))")
    ((status == 0)) || failed=1
}

stages=("$@")
((${#stages[@]})) || stages=(release sanitizers fuzz format tidy)
for stage in "${stages[@]}"; do
    [[ " release sanitizers fuzz format tidy " == *" $stage "* ]] || die "unknown stage $stage"
done

"$ROOT/scripts/setup.sh" test
rm -f "$summary"
for stage in "${stages[@]}"; do
    run_stage "$stage"
done

printf '\n== stages\n'
printf '%s\n' "${results[@]}"
if [[ -f $summary ]]; then
    printf '\n== ctest\n'
    sed -n '/tests passed/,$p' "$summary"
fi
exit "$failed"
