#!/usr/bin/env bash
# Fuzzes every target tests/fuzz_*.c, one after another, with AddressSanitizer and UndefinedBehaviorSanitizer.
#
#     scripts/fuzz.sh [SECONDS-PER-TARGET]      default: 600
#
# The corpus grows in build-fuzz/corpus/TARGET and is minimised at the end. An input that fails is left in
# build-fuzz/TARGET-crash-*: reduce it, fix the cause, and add it to testdata/.
set -euo pipefail
source "$(dirname "$0")/common.sh"

seconds=${1:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "usage: fuzz.sh [SECONDS-PER-TARGET]"
dir=$ROOT/build-fuzz
"$ROOT/scripts/setup.sh" test

# Debug for the assertions, -O1 for the speed.
configure "$dir" -DRDBMEM_FUZZ=ON -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O1 -g" -DCMAKE_C_COMPILER=clang
build "$dir"
rm -rf "$dir/seeds"
"$ROOT/scripts/corpus.sh" "$dir/bench/rdbgen" "$dir/seeds"

common_options=(-rss_limit_mb=1024 -timeout=20 -max_len=131072 -print_final_stats=1 -verbosity=0)
shopt -s nullglob
failed=()

# fuzz TARGET
fuzz() {
    local name=$1 corpus=$dir/corpus/$1 log=$dir/$1.log
    mkdir -p "$corpus"
    if ! "$dir/tests/$name" "${common_options[@]}" -max_total_time="$seconds" -artifact_prefix="$dir/$name-" \
        "$corpus" "$dir/seeds" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        failed+=("$name")
        return
    fi
    printf '  %-24s %12s runs, %5s inputs added\n' "$name" \
        "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(sed -n 's/^stat::new_units_added: *//p' "$log")"
}

# minimise TARGET: keeps of corpus and seeds what is needed for the same coverage.
minimise() {
    local name=$1 corpus=$dir/corpus/$1 small=$dir/corpus/$1.small
    rm -rf "$small"
    mkdir -p "$small"
    "$dir/tests/$name" -merge=1 -rss_limit_mb=1024 -max_len=131072 "$small" "$corpus" "$dir/seeds" >>"$dir/$name.log" 2>&1
    rm -rf "$corpus"
    mv "$small" "$corpus"
}

# What this script's children have used, build included. Not through a pipe: `times` in a subshell would speak of that
# one's children.
report_cpu() {
    times >"$dir/times"
    awk -v n="${#targets[@]}" 'NR == 2 {
        split($0, t, /[ms ]+/)
        printf "%d targets, %.1f CPU minutes, the build included\n", n, t[1] + t[2] / 60 + t[3] + t[4] / 60 }' "$dir/times"
}

targets=()
for source in "$ROOT"/tests/fuzz_*.c; do
    name=$(basename "$source" .c)
    [[ $name == fuzz_main ]] || targets+=("$name")
done
((${#targets[@]})) || die "there are no fuzz targets"

for name in "${targets[@]}"; do
    fuzz "$name"
done
for name in "${targets[@]}"; do
    # A short run adds little, and the whole corpus would have to be read again.
    ((seconds < 60)) || minimise "$name"
done
report_cpu
((${#failed[@]} == 0)) || die "failed: ${failed[*]} (see build-fuzz/*.log)"
