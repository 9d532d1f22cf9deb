#!/usr/bin/env python3
"""Slabs predicted beside those of a real server's jemalloc, bin by bin and step by step.

    slab_agreement.py --churn DIR [--rdbmem build/rdbmem] [--write docs/fragmentation.md]

DIR holds src.rdb.xz and, for each server, churn.json and malloc-stats-N.txt (jemalloc's own statistics after the load,
after each horizon and after the random deletion). The tables are written between the markers of the given page.
"""
import argparse
import json
import lzma
import os
import re
import subprocess
import sys
import tempfile

BEGIN, END = "<!-- slabs:begin -->", "<!-- slabs:end -->"
FROM, HORIZONS, DELETE = 2208988800, (6, 12, 24, 48), 50


def real_bins(path):
    """size -> (regions, slabs) of the merged arenas, the first table of the file."""
    bins, inside = {}, False
    for line in open(path, encoding="ascii", errors="replace"):
        if line.startswith("bins:"):
            if bins:
                break
            inside = True
            continue
        if inside:
            numbers = re.findall(r"[\d.]+", line)
            if line.startswith("large:"):
                break
            if len(numbers) >= 13 and not line.strip().startswith("---"):
                bins[int(numbers[0])] = (int(numbers[10]), int(numbers[11]))
    return bins


def predicted(rdbmem, server, dump):
    command = [rdbmem, "--format=json", "--target=" + server.replace("-", ":", 1), "--forecast-from=%d" % FROM]
    command += ["--horizon=%dh" % h for h in HORIZONS] + ["--then-delete=%d%%" % DELETE, dump]
    report = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return {c["size"]: c for c in report["size_classes"]}


def table(rdbmem, server, path, dump):
    truth = [real_bins(os.path.join(path, "malloc-stats-%d.txt" % i)) for i in range(len(HORIZONS) + 2)]
    model = predicted(rdbmem, server, dump)
    steps = ["after load"] + ["%d h" % h for h in HORIZONS] + ["half deleted"]
    out = ["### %s" % server, "", "| class | " + " | ".join(steps) + " |", "|---:|" + "---:|" * len(steps)]
    sums = [[0, 0] for _ in steps]
    for size in sorted(set(model) | set(truth[0])):
        cells = []
        for i in range(len(steps)):
            got = model[size]["slabs"][i] if size in model else 0
            want = truth[i].get(size, (0, 0))[1]
            pages = model[size]["slab_bytes"] if size in model else 0
            sums[i][0] += got * pages
            sums[i][1] += want * pages
            cells.append("%d / %d" % (got, want))
        if max(t.get(size, (0, 0))[1] for t in truth) >= 8:
            out.append("| %d | %s |" % (size, " | ".join(cells)))
    out.append("| slab MB | %s |" % " | ".join("%.2f / %.2f" % (a / 1e6, b / 1e6) for a, b in sums))
    return out + [""]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--churn", required=True)
    p.add_argument("--rdbmem", default="build/rdbmem")
    p.add_argument("--write")
    args = p.parse_args()
    lines = []
    with tempfile.TemporaryDirectory() as scratch:
        dump = os.path.join(scratch, "src.rdb")
        with lzma.open(os.path.join(args.churn, "src.rdb.xz")) as src, open(dump, "wb") as dst:
            dst.write(src.read())
        for server in sorted(os.listdir(args.churn)):
            path = os.path.join(args.churn, server)
            if os.path.exists(os.path.join(path, "churn.json")):
                lines += table(args.rdbmem, server, path, dump)
    text = "\n".join(lines)
    if not args.write:
        print(text)
        return 0
    page = open(args.write, encoding="utf-8").read()
    head, rest = page.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    open(args.write, "w", encoding="utf-8").write(head + BEGIN + "\n" + text + END + tail)
    return 0


if __name__ == "__main__":
    sys.exit(main())
