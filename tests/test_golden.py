#!/usr/bin/env python3
"""Compares rdbmem with what real servers allocated for every key (testdata/*/).

A cell is a type and an encoding. Where nothing is left to chance every key must be equal to the byte; a hash table whose
growth the hash seed decides may differ in 3 % of a cell's keys and one more. Cells with chance inside (skiplist levels,
shared buckets) must agree in sum within 0.5 %, small ones within 2.5 %. used_memory must be within 0.5 %.
"""
import base64
import collections
import csv
import gzip
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

RDBMEM = os.environ.get("RDBMEM", "build/rdbmem")
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "testdata")
GROWING = ("redis-2.8",)  # keyspace tables grow inside some keys' figures, which the trace could not attribute


def chance(server, kind, encoding):
    version = tuple(int(x) for x in server.split("-")[1].split("."))
    valkey = server.startswith("valkey")
    if encoding == "skiplist":
        return True
    if encoding != "hashtable":
        return False
    return version >= (8, 1) if valkey else version >= (8, 2) or (kind == "set" and version >= (7, 2))


def truth(path):
    rows = {}
    with gzip.open(os.path.join(path, "keys.tsv.gz"), "rt", encoding="ascii") as f:
        names = f.readline().rstrip("\n").split("\t")
        for line in f:
            r = dict(zip(names, line.rstrip("\n").split("\t")))
            rows[(int(r["db"]), urllib.parse.unquote_to_bytes(r["key"]))] = r
    return rows


def run(meta, dump, *options):
    command = [RDBMEM, "--target=" + meta["target"], "--allocator=" + meta["allocator"], *options]
    for name, value in sorted(meta["config"].items()):
        command += ["--config", "%s=%s" % (name, value)]
    out = subprocess.run(command + [dump], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    if out.returncode != 0:
        sys.exit("%s: exit %d: %s" % (" ".join(command), out.returncode, out.stderr.decode()))
    return out.stdout.decode("ascii")


def table_event(difference):
    arrays = [8 << k for k in range(2, 24)]
    return difference in arrays or -difference in arrays or abs(difference) in (24, 48, 64, 80)


def compare(path, meta, dump):
    bad = []
    want = truth(path)
    cells = collections.defaultdict(collections.Counter)
    seen = set()
    for row in csv.DictReader(run(meta, dump, "--format=csv", "--escape=base64").splitlines()):
        key = (int(row["database"]), base64.b64decode(row["key"]))
        t = want.get(key)
        if t is None:
            bad.append("%r is not among the server's keys" % (key,))
            continue
        seen.add(key)
        cell = cells[(t["type"], t["encoding"])]
        expected, got = int(t["load_delta"]) - int(t["table_delta"] or 0), int(row["size_in_bytes"])
        cell["keys"] += 1
        cell["elements"] += int(t["elements"] or 0)
        cell["want"] += expected
        cell["got"] += got
        off = expected != got
        cell["off"] += off and not (meta["server"] in GROWING and table_event(expected - got))
        if row["encoding"] != t["encoding"] and t["type"] != "vectorset":
            bad.append("%r: encoding %s, server %s" % (key, row["encoding"], t["encoding"]))
        if t["type"] != "string" and row["num_elements"] != t["elements"]:
            bad.append("%r: %s elements, server %s" % (key, row["num_elements"], t["elements"]))
        if t["memory_usage"] and row["memory_usage"] and not chance(meta["server"], t["type"], t["encoding"]):
            cell["usage"] += 1
            cell["usage_off"] += row["memory_usage"] != t["memory_usage"]
    if len(seen) != len(want):
        bad.append("%d keys of the server are missing" % (len(want) - len(seen)))
    libc = meta["allocator"] == "libc"
    for (kind, encoding), c in sorted(cells.items()):
        name = "%s/%s of %d keys" % (kind, encoding, c["keys"])
        if chance(meta["server"], kind, encoding):
            bound = 0.005 if c["elements"] >= 200 else 0.025
            if abs(c["got"] - c["want"]) > bound * c["want"]:
                bad.append("%s: %d bytes in sum, server %d" % (name, c["got"], c["want"]))
            continue
        allowed = 0.03 * c["keys"] + 1 if encoding == "hashtable" else 0
        allowed += 0.02 * c["keys"] + 2 if libc else 0  # what the history of glibc's heap left
        if c["off"] > allowed:
            bad.append("%s: %d differ" % (name, c["off"]))
        if c["usage_off"] > allowed:
            bad.append("%s: MEMORY USAGE of %d differs" % (name, c["usage_off"]))
    report = json.loads(run(meta, dump, "--format=json"))
    used, real = report["ledger"]["used_memory"], meta["after_load_used_memory"]
    if abs(used - real) > 0.005 * real:
        bad.append("used_memory %d, server %d" % (used, real))
    return len(want), bad


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name in sorted(os.listdir(DATA)):
            path = os.path.join(DATA, name)
            if not os.path.exists(os.path.join(path, "server.json")):
                continue
            meta = json.load(open(os.path.join(path, "server.json")))
            dump = os.path.join(DATA, "redis-7.2-mix.rdb")
            packed = os.path.join(path, "dump.rdb.xz")
            if os.path.exists(packed):
                dump = os.path.join(scratch, name)
                with lzma.open(packed) as src, open(dump, "wb") as dst:
                    shutil.copyfileobj(src, dst)
            keys, bad = compare(path, meta, dump)
            print("%-20s %6d keys %s" % (name, keys, "ok" if not bad else "%d findings" % len(bad)))
            for line in bad[:10]:
                print("   ", line)
            failed += bool(bad)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
