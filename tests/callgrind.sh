#!/usr/bin/env bash
# Counts the instructions rdbmem needs for two small generated files and compares them with bench/baseline.txt: a change
# of more than 5 % is a change of speed that somebody should know about, in either direction.
#
#     tests/callgrind.sh BUILD-DIRECTORY            0 same, 1 different, 77 cannot be compared here
#     tests/callgrind.sh BUILD-DIRECTORY --print    what bench/baseline.txt should say (scripts/baseline.sh)
#
# Counts belong to a compiler and a kind of processor; others are not compared.
set -euo pipefail

build=$1
print=${2:-}
root=$(cd "$(dirname "$0")/.." && pwd)
baseline=$root/bench/baseline.txt
tolerance=5 # per cent
mixes=(small mixed)
keys=20000

skip() {
    echo "skipped: $*"
    exit 77
}

command -v valgrind >/dev/null || skip "valgrind is not installed"
compiler=$(cat "$build/compiler.txt")
if [[ $print != --print ]]; then
    [[ -f $baseline ]] || skip "there is no baseline, see scripts/baseline.sh"
    expected_compiler=$(sed -n 's/^compiler //p' "$baseline")
    [[ $compiler == "$expected_compiler" ]] || skip "built by $compiler, the baseline by $expected_compiler"
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# instructions MIX
instructions() {
    local file=$scratch/$1.rdb log=$scratch/$1.log count
    "$build/bench/rdbgen" --mix="$1" --keys="$keys" --seed=1 -o "$file"
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$build/rdbmem" --threads=1 --format=json "$file" \
        >/dev/null 2>"$log" || {
        cat "$log" >&2
        return 1
    }
    count=$(sed -n 's/^==[0-9]*== Collected : \([0-9]*\).*/\1/p' "$log")
    [[ $count ]] && echo "$count"
}

if [[ $print == --print ]]; then
    echo "# Instructions of rdbmem --threads=1 --format=json for rdbgen --keys=$keys --seed=1, by scripts/baseline.sh"
    echo "compiler $compiler"
    for mix in "${mixes[@]}"; do
        echo "$mix $(instructions "$mix")"
    done
    exit 0
fi

failed=0
for mix in "${mixes[@]}"; do
    was=$(sed -n "s/^$mix //p" "$baseline")
    [[ $was ]] || skip "the baseline has no line for $mix"
    is=$(instructions "$mix")
    change=$(awk -v a="$is" -v b="$was" 'BEGIN {printf "%+.1f", (a / b - 1) * 100}')
    echo "$mix: $is instructions, baseline $was ($change %)"
    if awk -v c="$change" -v t="$tolerance" 'BEGIN {exit !(c > t || c < -t)}'; then
        failed=1
    fi
done
((failed)) && echo "more than $tolerance % off: if that is meant, run scripts/baseline.sh and say why in the commit"
exit "$failed"
