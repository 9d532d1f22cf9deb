#!/usr/bin/env bash
# Measures rdbmem against the floor (bench/walk: find the records, sum the CRC64, nothing else) and against
# redis-check-rdb, on the same files, in turn, and prints medians, of the ratios those of each turn: one thread, without
# the forecast, as CSV; with as many threads as there are processors; and once with a SQLite database of all keys.
#
#     scripts/bench.sh [--quick] [--runs=N] [MIX...]       default mixes: small mixed
#
# The inputs stay in $RDBMEM_BENCH_DIR (default: rdbmem-bench in the temporary directory) until bench/ changes.
set -euo pipefail
source "$(dirname "$0")/common.sh"

runs=5
quick=
mixes=()
for argument in "$@"; do
    case $argument in
    --quick) quick=1 ;;
    --runs=*) runs=${argument#*=} ;;
    --help | -h)
        sed -n '2,8s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    -*) die "unknown option $argument" ;;
    *) mixes+=("$argument") ;;
    esac
done
[[ $runs =~ ^[1-9][0-9]*$ ]] || die "--runs takes a number"
((${#mixes[@]})) || mixes=(small mixed)

build_dir=${BUILD:-$ROOT/build}
scratch=${RDBMEM_BENCH_DIR:-${TMPDIR:-/tmp}/rdbmem-bench}
figures=$(mktemp -d)
trap 'rm -rf "$figures"' EXIT

prepare() {
    configure "$build_dir" -DCMAKE_BUILD_TYPE=Release
    build "$build_dir" rdbgen walk run
    [[ -f $ROOT/report/main.c ]] || die "there is no report/main.c to build rdbmem from"
    build "$build_dir" rdbmem
    mkdir -p "$scratch"
}

# What the generator would be asked for: a file of the full size, or a tenth of the keys.
generator_options() {
    local mix=$1 keys
    printf -- '--mix=%s' "$mix"
    if [[ $quick ]]; then
        keys=$("$build_dir/bench/rdbgen" --help | sed -n "s/^  $mix .*(--keys=\([0-9]*\))/\1/p")
        printf -- ' --keys=%d' $(((keys + 9) / 10))
    fi
}

# generate MIX FILE: unless the file was made by this generator with these options.
generate() {
    local mix=$1 file=$2 options stamp
    options=$(generator_options "$mix")
    stamp="$options $(cat "$ROOT"/bench/{rdbgen,mixes,gen,pack,emit}.c "$ROOT"/bench/*.h | cksum)"
    [[ -f $file && -f $file.stamp && $(cat "$file.stamp") == "$stamp" ]] && return
    rm -f "$file.stamp"
    # shellcheck disable=SC2086
    "$build_dir/bench/rdbgen" $options -o "$file" || die "rdbgen cannot make $file"
    echo "$stamp" >"$file.stamp"
}

# once NAME COMMAND...: appends one line of figures to NAME's file.
once() {
    local name=$1
    shift
    "$build_dir/bench/run" "$@" 3>>"$figures/$name"
    [[ $(tail -n 1 "$figures/$name" | cut -d' ' -f5) == 0 ]] || die "$name failed: $*"
}

# Their ratio is near 1, so they take turns in going first, where the caches are as redis-check-rdb left them.
with_and_without_forecast() {
    local first=$1 file=$2 turn
    for turn in 0 1; do
        if ((turn == first)); then
            once rdbmem "$build_dir/rdbmem" --threads=1 --format=json "$file"
        else
            once no-forecast "$build_dir/rdbmem" --threads=1 --format=json --no-forecast "$file"
        fi
    done
}

middle() {
    sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

# median NAME COLUMN
median() {
    cut -d' ' -f"$2" "$figures/$1" | middle
}

# ratio NAME OTHER WHAT: seconds, or cpu seconds, of the one to those of the other, round by round: what else the machine does
# changes from one round to the next, and within one takes from both.
ratio() {
    paste -d' ' "$figures/$1" "$figures/$2" | awk -v cpu="$([[ $3 == cpu ]] && echo 1 || echo 0)" \
        '{print cpu ? ($2 + $3) / ($7 + $8) : $1 / $6}' | middle
}

row() {
    local name=$1 bytes=$2 keys=$3 floor=$4
    [[ -f $figures/$name ]] || return 0
    awk -v name="$name" -v bytes="$bytes" -v keys="$keys" -v floor="$floor" -v s="$(median "$name" 1)" \
        -v cpu_user="$(median "$name" 2)" -v cpu_system="$(median "$name" 3)" -v rss="$(median "$name" 4)" 'BEGIN {
        printf "  %-16s %8.3f s %8.2f s cpu %7.2f GB/s %10.3f M keys/s %9.1f MiB peak %7.2f x walk\n",
            name, s, cpu_user + cpu_system, bytes / s / 1e9, keys / s / 1e6, rss / 1024, s / floor }'
}

measure() {
    local mix=$1 file=$scratch/$1${quick:+-quick}.rdb keys bytes i
    generate "$mix" "$file"
    rm -f "$figures"/*
    read -r _ keys bytes < <("$build_dir/bench/walk" "$file") || die "walk cannot read $file" # also warms the page cache
    for ((i = 0; i < runs; i++)); do
        with_and_without_forecast $((i % 2)) "$file"
        once csv "$build_dir/rdbmem" --threads=1 --format=csv "$file"
        once threads "$build_dir/rdbmem" --format=json "$file"
        once csv-threads "$build_dir/rdbmem" --format=csv "$file"
        once walk "$build_dir/bench/walk" "$file"
        if command -v redis-check-rdb >/dev/null; then
            once redis-check-rdb redis-check-rdb "$file"
        fi
    done
    once rdbmem-sqlite "$build_dir/rdbmem" --format=sqlite -o "$scratch/keys.db" "$file" # one run: it writes as much as it reads
    rm "$scratch/keys.db"
    printf '%s: %d keys, %.3f GB, median of %d\n' "${file##*/}" "$keys" "$(awk "BEGIN {print $bytes / 1e9}")" "$runs"
    for i in rdbmem no-forecast csv threads csv-threads rdbmem-sqlite walk redis-check-rdb; do
        row "$i" "$bytes" "$keys" "$(median walk 1)"
    done
    awk -v rest="$(ratio no-forecast rdbmem cpu)" \
        'BEGIN {printf "  the slab model and its forecast take %.1f %% of the processor time\n", 100 * (1 - rest)}'
    printf '  %d threads are %.2f times as fast as one, as CSV %.2f times\n' "$(nproc)" "$(ratio rdbmem threads seconds)" \
        "$(ratio csv csv-threads seconds)"
    if [[ -f $figures/redis-check-rdb ]]; then
        printf '  rdbmem is %.2f times as fast as redis-check-rdb\n' "$(ratio redis-check-rdb rdbmem seconds)"
    fi
}

# Other work takes wall time from all three, though in turn: then the column "cpu" is the one to compare.
warn_if_busy() {
    awk -v processors="$(nproc)" '$1 > processors / 2 {
        printf "note: load %s on %d processors before the first run; compare the cpu column\n", $1, processors }' /proc/loadavg
}

prepare
warn_if_busy
for mix in "${mixes[@]}"; do
    measure "$mix"
done
