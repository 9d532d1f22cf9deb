"""Every JSON document is as report/rdbmem.schema.json says, by a validator that knows nothing of rdbmem."""
import copy
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import unittest

try:
    import jsonschema
except ImportError:  # Debian's package is for Debian's interpreter; another python3 may stand before it on PATH
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("test_schema.py: no python3-jsonschema, skipped")
    sys.exit(77)

from clitest import CliTest, RDBMEM
from test_modules import bloom, buf, uint, value
import rdbfile as r

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTDATA = os.environ.get("TESTDATA", os.path.join(ROOT, "testdata"))
SCHEMA = os.path.join(ROOT, "report/rdbmem.schema.json")

with open(SCHEMA, encoding="utf-8") as f:
    schema = json.load(f)


def leaves(error):
    """The errors behind an error: of several ways to be valid those that got furthest."""
    if not error.context:
        return [error]
    deep = [e for e in error.context if not (e.validator == "type" and e.validator_value == "null")]
    return [leaf for e in deep for leaf in leaves(e)] or [error]


def lines_of(error):
    path = "/".join(str(p) for p in error.absolute_path)
    if error.validator == "additionalProperties":
        return ["%s%s%s: is not in report/rdbmem.schema.json" % (path, path and "/", m) for m in error.instance
                if m not in error.schema.get("properties", {})]
    return ["%s: %s" % (path or "the document", error.message[:200])]


def problems(document, part=None):
    """One line each: where, and what is wrong there."""
    want = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": "#/$defs/" + part} if part else schema
    errors = jsonschema.Draft202012Validator(want).iter_errors(document)
    return [line for error in errors for leaf in leaves(error) for line in lines_of(leaf)]


def schemas(node, name=""):
    """All objects of the schema that are schemas themselves, with the way to them."""
    if isinstance(node, dict):
        yield name, node
        for key, value in node.items():
            if key in ("properties", "$defs"):
                for n, v in value.items():
                    yield from schemas(v, name + "/" + n)
            elif key in ("items", "if", "then", "else", "additionalProperties", "propertyNames"):
                yield from schemas(value, name)
            elif key == "anyOf":
                for v in value:
                    yield from schemas(v, name)


def objects(node):
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from objects(value)


def resolved(node):
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def valid_by(node, value):
    return jsonschema.Draft202012Validator({"$defs": schema["$defs"], **node}).is_valid(value)


def states(node):
    """What a value may be that is more than one thing: null or not, one word of several, true or false."""
    if "$ref" in node:
        return states(resolved(node)) if "enum" not in resolved(node) else {"value"}
    if "enum" in node:
        return {str(word) for word in node["enum"]}
    if "anyOf" in node:
        return set().union(*(states(n) for n in node["anyOf"]))
    if node.get("type") == "boolean":
        return {"True", "False"}
    kinds = node.get("type", "value")
    return {"None" if kind == "null" else "value" for kind in ([kinds] if isinstance(kinds, str) else kinds)}


def state(node, value):
    """The one of states() that the value is in."""
    return str(value) if str(value) in states(node) else "value"


def declared():
    """Every property by the place that declares it, with each state that it may be in, and every word."""
    for place, node in schemas(schema):
        for name, value in node.get("properties", {}).items():
            yield from ("%s/%s = %s" % (place, name, s) for s in states(value))
        if "enum" in node.get("items", {}):
            yield from ("%s[] = %s" % (place, word) for word in node["items"]["enum"])
    for name, node in schema["$defs"].items():
        yield from ("/%s = %s" % (name, word) for word in node.get("enum", ()))


def trace(node, value, place, found):
    """The places of the schema that a valid document fills, spelt as declared() does."""
    if "$ref" in node:
        name = node["$ref"].rsplit("/", 1)[1]
        if "enum" in resolved(node):
            found.add("/%s = %s" % (name, value))
        return trace(resolved(node), value, "/" + name, found)
    for n in node.get("anyOf", ()):
        if valid_by(n, value):
            trace(n, value, place, found)
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in node.get("properties", {}):
                found.add("%s/%s = %s" % (place, name, state(node["properties"][name], inner)))
                trace(node["properties"][name], inner, place + "/" + name, found)
            elif isinstance(node.get("additionalProperties"), dict):
                trace(node["additionalProperties"], inner, place, found)
    elif isinstance(value, list) and "items" in node:
        for inner in value:
            if "enum" in node["items"]:
                found.add("%s[] = %s" % (place, inner))
            trace(node["items"], inner, place, found)
    return None


def word(i):
    """A name that is no number: such would be taken for an identifier."""
    return b"w" + bytes(ord("a") + int(d) for d in str(i))


def root_of(document):
    return {"$ref": "#/$defs/" + ("fleet_report" if "files" in document else "explanation" if "allocations" in document else "report")}


class Schema(CliTest):
    def test_is_a_schema(self):
        self.assertEqual(schema["$schema"], "https://json-schema.org/draft/2020-12/schema")
        jsonschema.Draft202012Validator.check_schema(schema)

    def test_version(self):
        with open(os.path.join(ROOT, "report/report.h")) as f:
            version = re.search(r"REPORT_SCHEMA_VERSION = (\d+)", f.read()).group(1)
        self.assertIn("/%s/" % version, schema["$id"])
        for part in ("report", "fleet_report"):
            self.assertEqual(schema["$defs"][part]["properties"]["schema_version"], {"const": int(version)})

    def test_is_closed(self):
        n = 0
        for name, s in schemas(schema):
            if "properties" in s:
                n += 1
                self.assertIs(s.get("additionalProperties"), False, name)
                self.assertEqual(set(s["required"]) - set(s["properties"]), set(), name)
            elif s.get("type") == "object" and name:
                self.assertIsInstance(s.get("additionalProperties"), dict, name)
                self.assertIn("propertyNames", s, name)
        self.assertGreater(n, 20)

    def test_references(self):
        names = {s["$ref"] for _, s in schemas(schema) if "$ref" in s}
        self.assertEqual(names, {"#/$defs/" + n for n in schema["$defs"]})

    def test_dump_forms_agree(self):
        """One dump, one of several, and their sum have the same members, but for the first ones, for what is told of all
        dumps together, and for what a server that loads one of them will do. That these do not occur there is shown by
        Documents: what occurs is what is declared."""
        report, part, combined = (schema["$defs"][n] for n in ("report", "part", "combined"))
        together = {"names_hashed", "filter", "groups", "groups_custom", "distributions", "slots", "audit"}
        server = {"allocator_after_load", "forecast_from_ms", "forecast_server_exact", "reload_gives_back", "forecast", "size_classes", "eviction",
                  "rebuild"}
        own = {"schema_version", "generator", "file", "dumps", "nodes"}
        for other, lacks in ((part, together), (combined, server)):
            self.assertEqual({n: s for n, s in report["properties"].items() if n not in own | lacks},
                             {n: s for n, s in other["properties"].items() if n not in own})
            self.assertEqual({n: s for n, s in report["dependentRequired"].items() if n not in lacks}, other["dependentRequired"])


class Documents(CliTest):
    maxDiff = None
    seen = set()

    def valid(self, *args, status=0, data=None):
        document = json.loads(self.run_rdbmem("-fjson", *args, status=status, data=data)[0])
        found = problems(document)
        if found:
            self.fail("%d members:\n%s" % (len(found), "\n".join(found[:20])))
        trace(root_of(document), document, "", self.seen)
        return document

    def unpack(self):
        names = []
        for server in sorted(os.listdir(TESTDATA)):
            packed = os.path.join(TESTDATA, server, "dump.rdb.xz")
            if os.path.exists(packed):
                with lzma.open(packed) as f:
                    self.write(server + ".rdb", f.read())
                names.append(server + ".rdb")
        self.assertGreater(len(names), 4)
        return names

    def test_real_dumps(self):
        names = self.unpack()
        for name in names:
            with self.subTest(name=name):
                self.valid(name)
        for args in OPTIONS:
            with self.subTest(args=args):
                self.valid("--groups=30", *args, names[-1])
        self.valid(*names)
        self.valid("--group=users=^user", "--top=3", *names[:2])
        self.write("allow", b"big:* until=2020-01-01\nleader* max=1g\n")
        self.valid("--fail-on=used-memory>1K", "--fail-on=big-key", "--allow=allow", names[-1], status=3)
        self.valid("--explain=leaderboard:weekly:0", names[0])
        self.every_member_occurs()

    def every_member_occurs(self):
        """What the schema declares and no document has should not be in it: every property, null where it may be null and
        not null, true and false, and every word of those that are listed. There are no exceptions."""
        names = sorted(n for n in vars(Documents) if n.startswith("has_"))
        self.assertGreater(len(names), 8)
        for name in names:
            with self.subTest(documents=name):
                getattr(self, name)()
        wanted = set(declared())
        self.assertGreater(len(wanted), 500)
        self.assertEqual(self.seen - wanted, set())
        self.assertEqual(sorted(wanted - self.seen), [])

    def has_damage(self):
        self.write("damaged.rdb", r.dump(r.select(0), r.resize(1, 0), r.string(b"\xffa", b"v"), b"\x00" + r.text(b"\xffcut") + b"\x10")[:-9])
        self.valid("--group=a=.", "damaged.rdb", status=1)
        self.write("wrong.rdb", r.dump(r.select(0))[:-8] + b"\x01" * 8)
        self.valid("wrong.rdb", status=1)
        self.valid("--groups=0", "--hash-names=x", "--slots", "--key=*", "damaged.rdb", "wrong.rdb", status=1)
        intset = b"\x0b" + r.text(b"bad") + r.text(b"\x02\0\0\0\x09\0\0\0ab")  # nine numbers, of which there is one
        self.write("value.rdb", r.dump(r.select(0), r.string(b"a", b"v"), intset, r.string(b"b", b"v")))
        self.valid("value.rdb", status=1)

    def has_interrupted(self):
        child = subprocess.Popen([RDBMEM, "-q", "-fjson", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        keys = b"".join(r.string(b"key:%06d" % i, b"x" * 100) for i in range(1000))
        child.stdin.write(r.dump(r.select(0))[:-9] + keys * 20)
        child.stdin.flush()
        child.send_signal(signal.SIGINT)
        document = json.loads(child.communicate(keys * 200)[0])
        self.assertEqual(document["error"]["kind"], "interrupted")
        self.assertEqual(problems(document), [])
        trace(root_of(document), document, "", self.seen)

    def has_versions(self):
        self.write("old.rdb", r.dump(r.select(0), version=4)[:-8])
        self.valid("old.rdb")
        self.write("off.rdb", r.dump(r.select(0))[:-8] + bytes(8))
        self.valid("off.rdb")
        self.write("new.rdb", r.dump(r.select(0), version=99))
        self.valid("new.rdb")
        self.write("aof.rdb", r.dump(r.select(0), extra=r.aux(b"aof-preamble", b"1")) + b"*1\r\n$4\r\nPING\r\n")
        self.valid("aof.rdb")
        self.valid("aof.rdb", "new.rdb")
        self.valid("--allocator=libc", "aof.rdb", "new.rdb")

    def has_types(self):
        """Those that no server in testdata/ has."""
        self.write("redis.rdb", r.dump(r.select(0), b"\x1c" + r.text(b"array") + r.length(1) + r.length(0) + r.length(9) + r.length(3) + b"\xc0\x01",
                                       b"\x1d" + r.text(b"gcra") + r.length(7), version=14))
        self.write("keydb.rdb", r.dump(r.select(0), b"\x40" + r.text(b"cron") + r.text(b"x") + bytes(16) + r.length(0) + r.length(0), version=9))
        self.write("dragonfly.rdb", r.dump(r.select(0), b"\x1e" + r.text(b"json") + r.text(b'{"a":1}'), version=9, extra=r.aux(b"df-ver", b"1.20.0")))
        node = [buf(b"element"), buf(bytes(12)), uint(5), uint(1), uint(0), uint(0), uint(32), uint(1)]
        self.write("vectors.rdb", r.dump(r.select(0), value(b"v", b"vectorset", 0, uint(3), uint(1), uint(16 << 8), uint(0), *node), version=12))
        for name in ("redis", "keydb", "dragonfly", "vectors"):
            self.valid(name + ".rdb")

    def has_modules(self):
        self.write("module.rdb", r.dump(r.select(0), b"\x07" + r.text(b"m") + b"\x81" + bytes(8) + b"\x05\x01x\x00", bloom(b"bf", (1 << 10, 10))))
        self.valid("module.rdb")
        self.write("modules.rdb", r.dump(r.select(0), *(value(b"k%d" % i, b"mod-%05d" % i, 0, uint(1)) for i in range(70))))
        self.valid("modules.rdb")

    def has_eviction(self):
        self.write("prefix.rdb", r.dump(r.select(0), *(r.string(b"{\xff}:%d" % i, b"v") for i in range(100))))
        self.valid("--slots", "--config=maxmemory=1", "--config=maxmemory-policy=allkeys-random", "prefix.rdb")
        self.write("many.rdb", r.dump(r.select(0), *(r.string(b"%s:v" % word(i), b"v") for i in range(1500))))
        self.valid("--config=maxmemory=1", "--config=maxmemory-policy=allkeys-random", "many.rdb")
        self.write("idle.rdb", r.dump(r.select(0), *(r.idle(i) + r.string(b"idle:%d" % i, b"v") for i in range(100))))
        self.write("freq.rdb", r.dump(r.select(0), *(r.freq(i) + r.string(b"freq:%d" % i, b"v") for i in range(100))))
        self.valid("--config=maxmemory=1", "--config=maxmemory-policy=allkeys-lru", "idle.rdb")
        self.valid("--config=maxmemory=1", "--config=maxmemory-policy=allkeys-lfu", "freq.rdb")
        self.valid("--config=maxmemory=1", "--config=maxmemory-policy=allkeys-lfu", "freq.rdb", "idle.rdb")

    def has_forecast(self):
        """Nearly all keys expire, the others keep the slabs."""
        keys = (b"" if i % 40 == 0 else r.expire(r.CTIME * 1000 + 60000) for i in range(60000))
        self.write("sparse.rdb", r.dump(r.select(0), *(e + r.string(b"\xff%d:" % i, b"v" * 200) for i, e in enumerate(keys))))
        self.valid("--config=active-defrag-ignore-bytes=1", "--config=active-defrag-threshold-lower=1", "sparse.rdb")
        self.valid("--rebuild", "--no-forecast", "sparse.rdb", "many.rdb")
        with open(self.path("sparse.rdb"), "rb") as f:
            self.valid("--rebuild", "--rebuild-limit=1M", "-", data=f.read())

    def has_tags(self):
        self.write("tags.rdb", r.dump(r.select(0), *(r.string(b"a{%s}" % word(i), b"v" * (i % 100)) for i in range(3000))))
        self.valid("--slots", "--top=3", "tags.rdb")
        self.valid("--slots", "--groups=0", "tags.rdb", "many.rdb")

    def has_rules(self):
        self.write("big.rdb", r.dump(r.select(0), r.string(b"known", b"v" * 20000), r.string(b"big", b"v" * 20000)))
        self.write("known", b"known max=1g\n")
        self.valid("--big-preset=strict", "--allow=known", "--fail-on=big-key", "--fail-on=used-memory>1T", "big.rdb", status=3)
        self.write("long.rdb", r.dump(r.select(0), r.string(b"n" * (9 << 20), b"v")))
        self.valid("--groups=0", "long.rdb")

    def test_damaged(self):
        whole = r.dump(r.select(0), r.resize(2, 1), r.expire(1 << 41) + r.string(b"a", b"v" * 100), r.select(3), r.string(b"\xff", b"w" * 50),
                       extra=r.aux(b"used-mem", b"123"))
        for cut in (0, 1, 5, 9, 20, 60, 110, 150, 200, len(whole) - 70, len(whole) - 20, len(whole) - 9, len(whole) - 1):
            with self.subTest(cut=cut):
                self.write("d.rdb", whole[:cut])
                self.valid("d.rdb", status=1)
        self.write("d.rdb", whole + b"behind")
        self.valid("d.rdb")
        self.write("d.rdb", whole[:-8] + b"\x01" * 8)
        self.valid("d.rdb", status=1)
        self.write("e.rdb", whole[:30])
        self.write("f.rdb", b"nothing of the kind")
        self.write("g.rdb", whole)
        self.valid("d.rdb", "e.rdb", "f.rdb", "g.rdb", "gone.rdb", status=1)

    def test_odd_heads(self):
        for data in (r.dump(), r.dump(r.select(0)), r.dump(ctime=0), r.dump(ctime=1 << 60), r.dump(ver=b"\xff\x00\""), r.dump(version=999),
                     r.dump(version=80, magic=b"VALKEY"[:5]), r.dump(extra=r.aux(b"used-mem", b"18446744073709551615") + r.aux(b"\xff\n", b"\xfe" * 500)),
                     r.dump(r.select(0), r.expire(-5) + r.string(b"", b""), r.expire((1 << 63) - 1) + r.string(b"b", b""), r.expire(-1 << 62) + r.string(b"c", b""))):
            self.write("d.rdb", data)
            with self.subTest(data=data[:80]):
                out = self.run_any("-fjson", "d.rdb")
                if out:
                    self.assertEqual(problems(json.loads(out)), [])

    def run_any(self, *args):
        for status in (0, 1):
            try:
                return self.run_rdbmem(*args, status=status)[0]
            except AssertionError:
                continue
        self.fail("%r: neither 0 nor 1" % (args,))

    def test_ndjson(self):
        self.write("d.rdb", r.dump(r.select(0), r.expire(1) + r.string(b"\xff", b"v"), r.plain_hash(b"h", [(b"f", b"v" * 999)])))
        self.write("e.rdb", r.dump(r.select(9), r.string(b"e", b"v")))
        for args in (("d.rdb",), ("--slots", "d.rdb", "e.rdb")):
            for line in self.run_rdbmem("-fndjson", *args)[0].splitlines():
                self.assertEqual(problems(json.loads(line), "key"), [])

    def test_mistakes_are_found(self):
        """A member too many anywhere, one too few, one of another kind: with its path."""
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v"), r.zset(b"z", [(b"m", 1)]), extra=r.aux(b"used-mem", b"9")))
        document = self.valid("--group=a=a", "d.rdb")
        for i, _ in enumerate(objects(document)):
            more = copy.deepcopy(document)
            spoiled = list(objects(more))[i]
            spoiled["No such member"] = 1
            self.assertNotEqual(problems(more), [], spoiled)
        for name in ("schema_version", "generator", "complete", "error", "file", "ledger", "totals", "forecast", "groups_custom", "notes"):
            self.assertNotEqual(problems({n: v for n, v in document.items() if n != name}), [], name)
        for spoil, says in ((lambda d: d["ledger"].update(keys=-1), "ledger/keys"), (lambda d: d["forecast"][1].update(new=1), "forecast/1/new: is not in"),
                            (lambda d: d["groups"]["prefixes"][0].pop("depth"), "groups/prefixes/0"), (lambda d: d.update(schema_version=2), "schema_version"),
                            (lambda d: d["types"][0].update(type="zset"), "types/0/type"), (lambda d: d.update(files=[]), "the document")):
            spoiled = copy.deepcopy(document)
            spoil(spoiled)
            self.assertIn(says, "\n".join(problems(spoiled)))


OPTIONS = [
    ["--top=0"], ["--top=200", "--slots", "--big=bytes=100,elements=3,element=10"], ["--no-forecast"], ["--horizon=1h", "--then-delete=50%"],
    ["--then-delete=100%"], ["--load-as=master", "--now=4000000000"], ["--load-as=replica"], ["--allocator=libc"], ["--allocator=tcmalloc"],
    ["--allocator=prefix"], ["--target=redis:2.8"], ["--target=redis:4.0"], ["--target=valkey:9.1"], ["--groups=0"], ["--groups=5", "--depth=1"],
    ["--separator=/"], ["--group=users=^user", "--group=b=b"], ["--forecast-from=1"], ["--hash-names=x", "--top=3"], ["--type=hash", "--min-bytes=200", "--key=*", "--sample=1/2"],
    ["--big=hash.elements=10,string.bytes=100"], ["--big-preset=10k"], ["--config=maxmemory=100mb"],
    ["--config=maxmemory=1mb", "--config=maxmemory-policy=allkeys-lfu"], ["--config=maxmemory=1", "--config=maxmemory-policy=volatile-ttl"],
    ["--rebuild", "--then-delete=50%"], ["--rebuild-sample=1/2", "--no-forecast"],
]

if __name__ == "__main__":
    unittest.main()
