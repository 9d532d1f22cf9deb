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

sanitizers() {
    # Debug for the assertions, -O1 for the speed.
    configure "$ROOT/build-asan" -DRDBMEM_SANITIZE=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g"
    build "$ROOT/build-asan"
    UBSAN_OPTIONS=print_stacktrace=1 ctest --test-dir "$ROOT/build-asan" --output-on-failure -j "$JOBS" \
        -L 'unit|hostile'
}

fuzz() {
    "$ROOT/scripts/fuzz.sh" "$FUZZ_SECONDS"
}

format() {
    (cd "$ROOT" && c_files | xargs clang-format --dry-run -Werror)
}

tidy() {
    local log status=0
    [[ -f $ROOT/build/compile_commands.json ]] || configure "$ROOT/build" -DCMAKE_BUILD_TYPE=Release
    log=$(mktemp)
    timeout "$TIDY_SECONDS" run-clang-tidy -quiet -j "$JOBS" -p "$ROOT/build" >"$log" 2>/dev/null || status=$?
    # Without the colours, which this version cannot be told to leave out.
    sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -E '(warning|error):' | sort -u || true
    rm -f "$log"
    ((status != 124)) || echo "clang-tidy did not finish within $TIDY_SECONDS s (TIDY_SECONDS)"
    return "$status"
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
