#!/usr/bin/env python3
"""Ask a real server and rdbmem the same question, and compare.

A redis-server 7.0 (Debian's: system jemalloc, 16-byte quantum) is filled with every type and encoding by random
commands, saved, and started again from its dump, because what a live server holds differs from what it would load.
Then MEMORY USAGE of every key must equal rdbmem's, and INFO's used_memory must be near the predicted one.

    differential.py [--rdbmem=PATH] [--seed=N] [--keys=N] [--keep=DIR]

Exit status: 0 all equal, 1 differences, 77 no server here that could be asked.
"""

import argparse
import base64
import collections
import csv
import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
FAR_FUTURE_MS = 2208988800000  # 2040-01-01
DATABASES = (0, 1, 5, 15)
PIPELINE = 500  # commands on their way at a time
RANDOM_TOLERANCE = 0.005  # of a sum of keys whose memory depends on the server's dice
TOTAL_TOLERANCE = 0.005  # of used_memory
TOTAL_FROM = 20 << 20  # below this much data constants would decide
TARGET = ("--target=redis:7.0", "--allocator=jemalloc-q16")
HASH_PACK_ENTRIES = 512  # hash-max-listpack-entries, and set-max-intset-entries is the same
SHOWN = 20

TYPE_IN_CSV = {b"string": "string", b"list": "list", b"set": "set", b"zset": "sortedset", b"hash": "hash",
               b"stream": "stream"}
COUNT_COMMAND = {b"list": b"LLEN", b"set": b"SCARD", b"zset": b"ZCARD", b"hash": b"HLEN", b"stream": b"XLEN"}


# ---------------------------------------------------------------- the server


class Error(Exception):
    """A server's error reply."""


class Client:
    """RESP over a socket: a batch of commands out, as many replies back."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb", 1 << 20)

    def close(self):
        self.file.close()
        self.socket.close()

    @staticmethod
    def encode(command):
        parts = [b"*%d\r\n" % len(command)]
        for argument in command:
            if not isinstance(argument, bytes):
                argument = str(argument).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(argument), argument))
        return b"".join(parts)

    def read_reply(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            size = int(rest)
            return None if size < 0 else self.file.read(size + 2)[:-2]
        if kind == b"*":
            return [self.read_reply() for _ in range(int(rest))]
        raise ConnectionError(f"not RESP: {line!r}")

    def batch(self, commands):
        """The replies to many commands; errors among them are raised."""
        replies = []
        for i in range(0, len(commands), PIPELINE):
            piece = commands[i:i + PIPELINE]
            self.socket.sendall(b"".join(map(self.encode, piece)))
            replies += [self.read_reply() for _ in piece]
        for command, reply in zip(commands, replies):
            if isinstance(reply, Error):
                raise Error(f"{command[0]!r} {command[1:2]!r}: {reply}")
        return replies

    def call(self, *command):
        return self.batch([command])[0]


class Server:
    """redis-server in a directory of its own, reachable by a socket file only."""

    def __init__(self, directory):
        self.directory = directory
        self.socket_path = os.path.join(directory, "redis.sock")
        self.process = None

    def start(self):
        log = open(os.path.join(self.directory, "redis.log"), "ab")
        options = ["--port", "0", "--unixsocket", self.socket_path, "--dir", self.directory, "--dbfilename",
                   "dump.rdb", "--save", "", "--appendonly", "no", "--databases", "16", "--daemonize", "no"]
        self.process = subprocess.Popen(["redis-server", *options], stdout=log, stderr=log, cwd=self.directory)
        log.close()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"redis-server ended at once, see {self.directory}/redis.log")
            if self.is_ready():
                return
            time.sleep(0.02)
        raise RuntimeError("redis-server does not answer")

    def is_ready(self):
        try:
            client = Client(self.socket_path)
        except OSError:
            return False
        try:
            return client.call("PING") == b"PONG"
        except (Error, OSError):  # LOADING
            return False
        finally:
            client.close()

    def connect(self):
        return Client(self.socket_path)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)


def server_version():
    """(7, 0) or None."""
    try:
        text = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.search(r"v=(\d+)\.(\d+)\..*malloc=(\S+)", text)
    if not found or not found[3].startswith("jemalloc"):
        return None
    return int(found[1]), int(found[2])


# ---------------------------------------------------------------- random data


class Filler:
    """Commands that make keys. Lengths gather around the edges where an encoding or a size class changes."""

    EDGES = (0, 1, 2, 7, 8, 15, 16, 22, 31, 32, 43, 44, 45, 46, 62, 63, 64, 65, 127, 128, 253, 255, 256, 257, 511, 512,
             1023, 1024, 2047, 4095, 4096)

    def __init__(self, rng):
        self.rng = rng
        self.kinds = [(kind, weight) for kind, weight in ((
            self.string_int, 6), (self.string_short, 8), (self.string_edge, 8), (self.string_long, 4),
            (self.string_edited, 4), (self.string_like_number, 4), (self.hyperloglog, 1), (self.bitmap, 1),
            (self.hash_small, 10), (self.hash_many, 1), (self.hash_long_value, 3), (self.hash_edited, 3),
            (self.list_small, 8), (self.list_many, 2), (self.list_large_elements, 1), (self.list_edited, 2),
            (self.set_int, 6), (self.set_int_many, 1), (self.set_text, 6), (self.set_text_many, 1),
            (self.set_of_both, 2), (self.zset_small, 8), (self.zset_many, 1), (self.zset_long_member, 2),
            (self.zset_scores, 4), (self.geo, 1), (self.stream_small, 5), (self.stream_many, 1),
            (self.stream_groups, 4), (self.stream_trimmed, 2), (self.stream_empty, 1))]

    # -- pieces

    def size(self, most):
        """Mostly small, sometimes at an edge."""
        if self.rng.random() < 0.3:
            return min(most, max(0, self.rng.choice(self.EDGES) + self.rng.randint(-1, 1)))
        return int(most * self.rng.random()**4)

    def text(self, most):
        """Bytes: random, or such that they compress."""
        n = self.size(most)
        if self.rng.random() < 0.5:
            return self.rng.randbytes(n)
        return (b"%d the quick brown fox " % self.rng.randint(0, 99) * (n // 16 + 1))[:n]

    def integer(self):
        bits = self.rng.choice((3, 7, 8, 12, 13, 15, 16, 23, 24, 31, 32, 62, 63))
        return self.rng.randint(-(1 << bits), (1 << bits) - 1)

    def element(self, most=64):
        return b"%d" % self.integer() if self.rng.random() < 0.3 else self.text(most)

    def count(self, lo, hi):
        return lo + int((hi - lo) * self.rng.random()**2)

    def elements(self, n, most=64):
        return [self.element(most) for _ in range(n)]

    def numbered(self, n, most=48):
        """n different ones, none of which is a number."""
        return [b"e%x:" % i + self.text(most) for i in range(n)]

    @staticmethod
    def in_pieces(name, key, arguments, step=2):
        """One command per some hundred arguments: step of them belong together."""
        width = 400 // step * step
        return [(name, key, *arguments[i:i + width]) for i in range(0, len(arguments), width)]

    # -- strings

    def string_int(self, key):
        return [("SET", key, self.integer())]

    def string_short(self, key):
        return [("SET", key, self.text(44))]

    def string_edge(self, key):
        return [("SET", key, self.rng.randbytes(max(0, self.rng.choice(self.EDGES) + self.rng.randint(-1, 1))))]

    def string_long(self, key):
        return [("SET", key, self.text(self.rng.choice((5000, 20000, 70000))))]

    def string_edited(self, key):
        return [("SET", key, self.text(100)), ("APPEND", key, self.text(200)), ("SETRANGE", key, self.size(300), b"x")]

    def string_like_number(self, key):
        texts = (b"007", b"+1", b"-0", b" 1", b"1 ", b"1.5", b"9223372036854775807", b"9223372036854775808",
                 b"-9223372036854775808", b"-9223372036854775809", b"00000000000000000001", b"inf", b"1e5", b"10000",
                 b"9999", b"2147483648", b"-2147483649", b"99999999999")
        return [("SET", key, self.rng.choice(texts))]

    def hyperloglog(self, key):
        return self.in_pieces("PFADD", key, self.numbered(self.count(1, 3000)))

    def bitmap(self, key):
        return [("SETBIT", key, self.rng.randint(0, 60000), 1)]

    # -- hashes

    def hash_small(self, key):
        fields = self.numbered(self.count(1, 120), 20)
        return self.in_pieces("HSET", key, [x for f in fields for x in (f, self.element())])

    def hash_many(self, key):
        fields = self.numbered(self.count(513, 3000))
        return self.in_pieces("HSET", key, [x for f in fields for x in (f, self.element(80))])

    def hash_long_value(self, key):
        pairs = [x for f in self.numbered(self.count(0, 200), 20) for x in (f, self.element())]
        return self.in_pieces("HSET", key, pairs + [b"long", b"x" * self.rng.randint(65, 300)])

    def hash_edited(self, key):
        fields = self.numbered(self.count(2, 700), 10)
        gone = self.rng.sample(fields[1:], self.rng.randint(1, len(fields) - 1))
        return self.in_pieces("HSET", key, [x for f in fields for x in (f, self.element())]) + self.in_pieces(
            "HDEL", key, gone)

    # -- lists

    def list_small(self, key):
        return self.in_pieces(self.rng.choice(("RPUSH", "LPUSH")), key, self.elements(self.count(1, 60)))

    def list_many(self, key):
        return self.in_pieces("RPUSH", key, self.elements(self.count(300, 3000), 100))

    def list_large_elements(self, key):
        return self.in_pieces("RPUSH", key, self.elements(self.count(1, 12), 20000))

    def list_edited(self, key):
        n = self.count(10, 1000)
        return self.in_pieces("RPUSH", key, self.elements(n)) + [("LTRIM", key, 1, -2), ("LSET", key, 0, self.text(300)),
                                                                 ("LINSERT", key, "BEFORE", b"no such", b"x")]

    # -- sets

    def set_int(self, key):
        bits = self.rng.choice((6, 15, 31, 62))
        return self.in_pieces("SADD", key, [self.rng.randint(-(1 << bits), 1 << bits) for _ in range(self.count(1, 500))])

    def set_int_many(self, key):
        return self.in_pieces("SADD", key, self.rng.sample(range(10**9), self.count(513, 3000)))

    def set_text(self, key):
        return self.in_pieces("SADD", key, self.numbered(self.count(1, 200)))

    def set_text_many(self, key):
        return self.in_pieces("SADD", key, self.numbered(self.count(513, 4000)))

    def set_of_both(self, key):
        return self.in_pieces("SADD", key, list(range(self.count(1, 300))) + self.numbered(self.count(1, 300)))

    # -- sorted sets

    def scored(self, members, score):
        return [x for m in members for x in (score(), m)]

    def zset_small(self, key):
        return self.in_pieces("ZADD", key, self.scored(self.elements(self.count(1, 100)), self.integer))

    def zset_many(self, key):
        return self.in_pieces("ZADD", key, self.scored(self.numbered(self.count(129, 3000)), self.rng.random))

    def zset_long_member(self, key):
        members = self.numbered(self.count(0, 100), 20) + [b"x" * self.rng.randint(65, 300)]
        return self.in_pieces("ZADD", key, self.scored(members, self.integer))

    def zset_scores(self, key):
        scores = ("inf", "-inf", "0", "-0.0", "3.14", "1e20", "1e300", "-1.5", "0.1", "4611686018427387904", "1e-7",
                  "9007199254740993", "123456789.125")
        return self.in_pieces("ZADD", key, self.scored(self.numbered(self.count(1, 60), 20),
                                                       lambda: self.rng.choice(scores)))

    def geo(self, key):
        places = [x for m in self.numbered(self.count(1, 100), 10)
                  for x in (round(self.rng.uniform(-180, 180), 6), round(self.rng.uniform(-85, 85), 6), m)]
        return self.in_pieces("GEOADD", key, places, 3)

    # -- streams

    def stream_entries(self, key, n):
        fields = self.numbered(self.count(1, 6), 10)
        ms, commands = self.rng.randint(1, 10**12), []
        for _ in range(n):
            ms += self.rng.choice((0, 0, 1, 1000, 10**6))
            names = fields if self.rng.random() < 0.8 else self.numbered(self.count(1, 8), 20)
            commands.append(("XADD", key, b"%d-*" % ms, *[x for f in names for x in (f, self.element())]))
        return commands

    def stream_small(self, key):
        return self.stream_entries(key, self.count(1, 50))

    def stream_many(self, key):
        return self.stream_entries(key, self.count(200, 1500))

    def stream_trimmed(self, key):
        n = self.count(10, 400)
        return self.stream_entries(key, n) + [("XTRIM", key, "MAXLEN", n // 2)]

    def stream_empty(self, key):
        return [("XGROUP", "CREATE", key, b"group", "$", "MKSTREAM")]

    def stream_groups(self, key):
        commands = self.stream_entries(key, self.count(1, 300))
        for group in self.numbered(self.count(1, 4), 20):
            commands.append(("XGROUP", "CREATE", key, group, "0"))
            for consumer in self.numbered(self.count(1, 4), 20):
                commands.append(("XREADGROUP", "GROUP", group, consumer, "COUNT", self.count(1, 100), "STREAMS", key,
                                 ">"))
            commands.append(("XGROUP", "CREATECONSUMER", key, group, b"idle"))
        return commands

    # -- keys

    def name(self, number):
        odd = (b"", b" ", b"\x00", b",", b'"', b"\n", b"a\r\nb", b"\xff\xfe", b"';--", b"\xf0\x9f\x92\xa9", b"12345",
               b"-1", b"k" * 44, b"k" * 45, b"k" * 300)
        if number < len(odd):
            return odd[number]
        tail = b":" + self.rng.randbytes(self.size(40)) if self.rng.random() < 0.3 else b""
        return b"%s:%07d" % (self.rng.choice((b"user", b"session", b"cache:page", b"q")), number) + tail

    def key(self, number):
        """Name and commands of one key."""
        name = self.name(number)
        make = self.rng.choices([k for k, _ in self.kinds], [w for _, w in self.kinds])[0]
        commands = make(name)
        if self.rng.random() < 0.2:
            commands.append(("PEXPIREAT", name, FAR_FUTURE_MS + self.rng.randint(0, 10**10)))
        return commands


def fill(client, rng, keys):
    filler = Filler(rng)
    for position, database in enumerate(DATABASES):
        client.call("SELECT", database)
        share = keys // 2 if position == 0 else keys // (2 * (len(DATABASES) - 1))
        waiting = []
        for number in range(share):
            waiting += filler.key(number)
            if len(waiting) > 5000:
                client.batch(waiting)
                waiting = []
        client.batch(waiting)


# ---------------------------------------------------------------- both answers

Key = collections.namedtuple("Key", "type encoding elements has_ttl memory_usage dice", defaults=(False,))


def all_keys(client):
    cursor, keys = b"0", set()
    while True:
        cursor, found = client.call("SCAN", cursor, "COUNT", 1000)
        keys.update(found)
        if cursor == b"0":
            return sorted(keys)


def is_integer(text):
    return re.fullmatch(rb"0|-?[1-9]\d{0,18}", text) is not None


def depends_on_dice(client, name, encoding, kind, count):
    """Skiplist levels are random. So is how far the rehash of a table got that changed its encoding while loading: a
    hash with a long value, and a set that began as an intset because some members are integers."""
    if encoding == b"skiplist":
        return True
    if encoding != b"hashtable" or count > HASH_PACK_ENTRIES:
        return False
    return kind == b"hash" or any(map(is_integer, client.call("SMEMBERS", name)))


def ask_server(client):
    """{(database, key): Key} by the server."""
    answers = {}
    for database in DATABASES:
        client.call("SELECT", database)
        names = all_keys(client)
        types = client.batch([("TYPE", n) for n in names])
        encodings = client.batch([("OBJECT", "ENCODING", n) for n in names])
        counts = client.batch([(COUNT_COMMAND.get(t, b"EXISTS"), n) for n, t in zip(names, types)])
        ttls = client.batch([("PEXPIRETIME", n) for n in names])
        usages = client.batch([("MEMORY", "USAGE", n, "SAMPLES", 0) for n in names])
        for name, kind, encoding, count, ttl, usage in zip(names, types, encodings, counts, ttls, usages):
            dice = depends_on_dice(client, name, encoding, kind, count)
            answers[database, name] = Key(TYPE_IN_CSV[kind], encoding.decode(), count, ttl >= 0, usage, dice)
    return answers


def run_rdbmem(rdbmem, dump, *options):
    command = [rdbmem, *options, *TARGET, dump]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr.decode(errors='replace')}")
    return done.stdout.decode()


def ask_rdbmem(rdbmem, dump):
    """{(database, key): Key} by rdbmem."""
    answers = {}
    for row in csv.DictReader(run_rdbmem(rdbmem, dump, "--format=csv", "--escape=base64").splitlines()):
        where = int(row["database"]), base64.b64decode(row["key"], validate=True)
        if where in answers:
            raise RuntimeError(f"rdbmem lists {where} twice")
        answers[where] = Key(row["type"], row["encoding"], int(row["num_elements"]), row["expiry"] != "",
                             int(row["memory_usage"]))
    return answers


def find_first(tree, name):
    """The first value of that name, in the order of the document."""
    if isinstance(tree, dict):
        if name in tree:
            return tree[name]
        tree = list(tree.values())
    if isinstance(tree, list):
        for item in tree:
            found = find_first(item, name)
            if found is not None:
                return found
    return None


# ---------------------------------------------------------------- comparison


def differences(server, rdbmem):
    """(where, what) of everything that had to be equal and is not."""
    for where in sorted(server.keys() | rdbmem.keys()):
        ours, theirs = rdbmem.get(where), server.get(where)
        if ours is None or theirs is None:
            yield where, "only the server has it" if ours is None else "only rdbmem has it"
            continue
        for field in ("type", "encoding", "has_ttl"):
            if getattr(ours, field) != getattr(theirs, field):
                yield where, f"{field}: rdbmem {getattr(ours, field)}, server {getattr(theirs, field)}"
        if theirs.type != "string" and ours.elements != theirs.elements:
            yield where, f"elements: rdbmem {ours.elements}, server {theirs.elements}"
        off = ours.memory_usage - theirs.memory_usage
        if not theirs.dice and off != 0:
            yield where, (f"{theirs.type}/{theirs.encoding} of {theirs.elements}: rdbmem {ours.memory_usage}, "
                          f"server {theirs.memory_usage} ({off:+d})")


def random_cells(server, rdbmem):
    """{type/encoding: [keys, rdbmem's sum, server's sum]} of the keys that can only be compared in sum."""
    cells = collections.defaultdict(lambda: [0, 0, 0])
    for where, theirs in server.items():
        if theirs.dice and where in rdbmem:
            cell = cells[f"{theirs.type}/{theirs.encoding}"]
            cell[0] += 1
            cell[1] += rdbmem[where].memory_usage
            cell[2] += theirs.memory_usage
    return cells


def compare_keys(server, rdbmem):
    failed = 0
    for where, what in differences(server, rdbmem):
        failed += 1
        if failed <= SHOWN:
            print(f"db{where[0]} {where[1]!r}: {what}")
    if failed > SHOWN:
        print(f"... and {failed - SHOWN} more")
    exact = sum(not k.dice for k in server.values())
    print(f"{exact} keys compared to the byte, {failed} differences")
    for cell, (keys, ours, theirs) in sorted(random_cells(server, rdbmem).items()):
        off = ours / theirs - 1
        verdict = "ok" if abs(off) <= RANDOM_TOLERANCE else "TOO FAR OFF"
        failed += verdict != "ok"
        print(f"{cell}: {keys} keys in sum: rdbmem {ours}, server {theirs} ({off:+.3%}) {verdict}")
    return failed == 0


def compare_total(info, report):
    fields = dict(line.split(":", 1) for line in info.decode().split("\r\n") if ":" in line)
    measured = int(fields["used_memory"])
    predicted = find_first(report, "used_memory")
    if predicted is None:
        print("rdbmem's JSON has no used_memory")
        return False
    off = predicted / measured - 1
    small = measured - int(fields["used_memory_startup"]) < TOTAL_FROM
    verdict = "too little data to judge" if small else "ok" if abs(off) <= TOTAL_TOLERANCE else "TOO FAR OFF"
    print(f"used_memory: rdbmem {predicted}, server {measured} ({off:+.3%}) {verdict}")
    return small or verdict == "ok"


def run(arguments, directory):
    server = Server(directory)
    dump = os.path.join(directory, "dump.rdb")
    try:
        server.start()
        client = server.connect()
        fill(client, random.Random(arguments.seed), arguments.keys)
        client.call("SAVE")
        client.close()
        server.stop()
        server.start()
        client = server.connect()
        info = client.call("INFO", "memory")  # first: the questions below leave traces in it
        answers = ask_server(client)
        client.close()
    finally:
        server.stop()
    same_keys = compare_keys(answers, ask_rdbmem(arguments.rdbmem, dump))
    same_total = compare_total(info, json.loads(run_rdbmem(arguments.rdbmem, dump, "--format=json")))
    return same_keys and same_total


def parse_arguments():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir)
    parser = argparse.ArgumentParser(description="compare rdbmem with a real redis-server 7.0")
    parser.add_argument("--rdbmem", default=os.environ.get("RDBMEM", os.path.join(root, "build", "rdbmem")))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keys", type=int, default=20000)
    parser.add_argument("--keep", metavar="DIR", help="work in this new directory and leave the dump there")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    version = server_version()
    if version != (7, 0):
        print(f"skipped: needs redis-server 7.0 with jemalloc, found {version}")
        return SKIPPED
    if not os.access(arguments.rdbmem, os.X_OK):
        print(f"no rdbmem at {arguments.rdbmem}: build it, or give --rdbmem=PATH", file=sys.stderr)
        return 1
    print(f"seed {arguments.seed}, {arguments.keys} keys", flush=True)
    directory = arguments.keep or tempfile.mkdtemp(prefix="rdbmem-differential-")
    if arguments.keep:
        os.makedirs(directory)
    try:
        return 0 if run(arguments, os.path.abspath(directory)) else 1
    finally:
        if not arguments.keep:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
