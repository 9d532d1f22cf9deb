"""Audits, filters, groups, explain and hidden names on dumps built by hand; the shell of docs/audit.md is run too."""
import csv
import io
import json
import os
import re
import stat
import subprocess
import unittest

from clitest import RDBMEM, CliTest
import rdbfile as r

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOW_MS = r.CTIME * 1000


def big_string(key, n=2 << 20):
    return r.string(key, b"x" * n)


def big_hash(key, n=600):
    return r.plain_hash(key, [(b"field%06d" % i, b"value%06d" % i) for i in range(n)])


class AuditTest(CliTest):
    def dump(self, *records, **kw):
        self.write("d.rdb", r.dump(r.select(0), *records, **kw))

    def report(self, *args, status=0):
        out, err = self.run_rdbmem("-fjson", *args, "d.rdb", status=status)
        return json.loads(out), err.decode()

    def lines(self, *args, status):
        _, err = self.run_rdbmem(*args, "-o", "/dev/null", "d.rdb", status=status)
        return err.decode().splitlines()


class Rules(AuditTest):
    def setUp(self):
        super().setUp()
        self.dump(r.string(b"small", b"v"), big_string(b"page:1"), big_string(b"page:2", 3 << 20), big_hash(b"h"),
                  r.expire(NOW_MS - 1000) + big_string(b"gone", 4 << 20),
                  r.expire(NOW_MS + 60000) + r.string(b"cache:a", b"v"), r.string(b"cache:b", b"vv" * 40))

    def test_big_key(self):
        lines = self.lines("--fail-on=big-key", status=3)
        self.assertEqual(len(lines), 2, lines)
        self.assertTrue(lines[0].startswith('rdbmem: big-key: "page:2" db0 is a string of 3.'), lines)
        self.assertIn('"page:1"', lines[1])
        self.assertIn("split into chunks", lines[0])

    def test_nothing_broken(self):
        self.assertEqual(self.lines("--fail-on=big-key", "--big=bytes=10M,element=10M", status=0), [])
        self.assertEqual(self.lines("--fail-on=used-memory>1G", "--fail-on=no-ttl:nothing:*", status=0), [])

    def test_expired_only_when_asked(self):
        report, err = self.report("--fail-on=big-key", "--fail-on-expired", status=3)
        self.assertIn('"gone"', err)
        self.assertEqual(report["audit"]["big_keys"], {"allowed": 0, "expired": 0, "failing": 3})
        report, _ = self.report("--fail-on=big-key", status=3)
        self.assertEqual(report["audit"]["big_keys"], {"allowed": 0, "expired": 1, "failing": 2})
        self.assertIn("expired", [k for k in report["big_keys"]["keys"] if k["key"] == "gone"][0]["flags"])

    def test_limit_of_one_type(self):
        lines = self.lines("--big=bytes=1G,element=1G", "--big", "hash.elements=500", "--fail-on=big-key", status=3)
        self.assertEqual(len(lines), 1)
        self.assertIn('"h" db0 is a hash', lines[0])
        self.assertIn("limit 500 elements", lines[0])
        report, _ = self.report("--big=bytes=1G,element=1G", "--big=hash.elements=500")
        self.assertEqual(report["big_keys"]["thresholds_by_type"],
                         {"hash": {"bytes": 1 << 30, "elements": 500, "element": 1 << 30}})
        self.assertEqual(len(report["big_keys"]["advice"]), len(report["big_keys"]["keys"]))

    #: bytes, elements, bytes of an element; of strings where they have limits of their own
    PRESETS = {"default": ((1 << 20, 10000, 256 << 10), None), "10k": ((10 << 10, 5000, None), None), "100k": ((100 << 10, 10000, None), None),
               "1m": ((1 << 20, 10000, None), None), "strict": ((50 << 20, 5000, None), (10 << 10, None, None)),
               "general": ((100 << 20, 10000, None), (5 << 20, None, None))}

    def test_presets(self):
        with open(os.path.join(ROOT, "docs/audit.md"), encoding="utf-8") as f:
            documented = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", f.read(), re.M))
        self.assertLessEqual(set(self.PRESETS), set(documented))
        for name, (limits, strings) in self.PRESETS.items():
            with self.subTest(preset=name):
                big = self.report("--big-preset=" + name)[0]["big_keys"]
                self.assertEqual(tuple(big["thresholds"].values()), limits)
                self.assertEqual({t: tuple(v.values()) for t, v in big["thresholds_by_type"].items()}, {"string": strings} if strings else {})
                for limit in (*limits, *(strings or ())):
                    if limit:
                        words = {"%d %s" % (limit >> shift, unit) for shift, unit in ((10, "KiB"), (20, "MiB")) if limit >> shift} | {"{:,} elements".format(limit)}
                        self.assertTrue(any(w in documented[name] for w in words), (limit, documented[name]))
        self.assertEqual(self.report("--big-preset=default")[0]["big_keys"], self.report()[0]["big_keys"])
        ordered = self.report("--big=bytes=7", "--big-preset=10k", "--big=elements=9")[0]["big_keys"]["thresholds"]
        self.assertEqual(ordered, {"bytes": 10240, "elements": 9, "element": None})
        self.fails("--big-preset=mine", "d.rdb", status=2, says=b"--big-preset")

    def test_other_rules(self):
        for rule, says in (("used-memory>2M", "used_memory of d.rdb will be "),
                           ("prefix:page:*>4M", "2 keys take 6."),
                           ("no-ttl:cache:*", '1 keys of '),
                           ("no-ttl:*", '5 keys of '),
                           ("fragmentation>0.5", "allocator_frag_ratio of d.rdb will be ")):
            with self.subTest(rule=rule):
                lines = self.lines("--fail-on=" + rule, status=3)
                self.assertEqual(len(lines), 1, lines)
                self.assertTrue(lines[0].startswith("rdbmem: %s: " % rule), lines)
                self.assertIn(says, lines[0])
        for rule in ("used-memory>1G", "prefix:page:*>1G", "no-ttl:small:*", "fragmentation>50"):
            with self.subTest(rule=rule):
                self.assertEqual(self.lines("--fail-on=" + rule, status=0), [])

    def test_what_cannot_be_judged_does_not_pass(self):
        lines = self.lines("--fail-on=fragmentation>50", "--no-forecast", status=3)
        self.assertIn("cannot be judged", lines[0])

    def test_unreadable_rules(self):
        for rule in ("big", "used-memory>", "prefix:a", "fragmentation>high", "keys>5"):
            with self.subTest(rule=rule):
                self.fails("--fail-on=" + rule, "d.rdb", status=2, says=b"--fail-on")

    def test_json(self):
        report, _ = self.report("--fail-on=big-key", "--fail-on=used-memory>1G", status=3)
        self.assertEqual(report["audit"]["rules"], [{"rule": "big-key", "broken": True},
                                                    {"rule": "used-memory>1G", "broken": False}])
        self.assertEqual([v["rule"] for v in report["audit"]["violations"]], ["big-key"] * 2)

    def test_many_big_keys_are_summed_up(self):
        self.dump(*(r.string(b"k%03d" % i, b"x" * 100) for i in range(150)))
        lines = self.lines("--big=bytes=100", "--fail-on=big-key", "--top=3", status=3)
        self.assertEqual(len(lines), 101)
        self.assertEqual(lines[-1], "rdbmem: big-key: ... and 50 more big keys")
        out, _ = self.run_rdbmem("-fcsv", "--big=bytes=100", "--only-big", "d.rdb")
        self.assertEqual(len(out.splitlines()), 151)

    def test_only_big(self):
        out, _ = self.run_rdbmem("-fcsv", "--only-big", "d.rdb")
        self.assertEqual([row["key"] for row in csv.DictReader(io.StringIO(out.decode()))], ["page:1", "page:2", "gone"])

    def test_damage_goes_before(self):
        with open(self.path("d.rdb"), "rb") as f:
            data = f.read()
        self.write("d.rdb", data[:-20])
        self.lines("--fail-on=big-key", status=1)


class Allow(AuditTest):
    def setUp(self):
        super().setUp()
        self.dump(big_string(b"feed:one"), big_string(b"feed two"))

    def test_list(self):
        now = "--now=1800000000"    # 2027-01-15 08:00 UTC
        for text, status, said in (
                ("# nothing\n\n", 3, 2),
                ("feed:*\n", 3, 1),
                ("feed*\n", 0, 0),
                ("feed:*  # why\n\"feed two\" max=3M until=2027-01-15\n", 0, 0),
                ("feed*  max=1M\n", 3, 2),
                ("feed:*\n\"feed two\" until=2027-01-14\n", 3, 2)):
            with self.subTest(text=text):
                self.write("allow.txt", text.encode())
                lines = self.lines("--fail-on=big-key", "--allow=allow.txt", now, status=status)
                self.assertEqual(len(lines), said, lines)
        self.assertIn("rdbmem: allow.txt:2: this exception ended on 2027-01-14", lines)
        report, _ = self.report("--fail-on=big-key", "--allow=allow.txt", now, status=3)
        self.assertEqual(report["audit"]["allow"], [
            {"glob": "feed:*", "line": 1, "until": None, "expired": False, "keys": 1},
            {"glob": "feed two", "line": 2, "until": "2027-01-14", "expired": True, "keys": 1}])
        self.assertEqual(report["audit"]["big_keys"]["allowed"], 1)
        flags = {k["key"]: k["flags"] for k in report["big_keys"]["keys"]}
        self.assertIn("allowed", flags["feed:one"])
        self.assertNotIn("allowed", flags["feed two"])

    def test_bad_list(self):
        for text in (b"feed max=many\n", b"x\nfeed until=2027-13-01\n", b"feed until=soon\n", b"feed why not\n", b"\"open\n"):
            with self.subTest(text=text):
                self.write("allow.txt", text)
                self.fails("--allow=allow.txt", "d.rdb", status=2, says=b"allow.txt:%d: " % text.count(b"\n"))
        self.fails("--allow=missing.txt", "d.rdb", status=2, says=b"missing.txt")


class Filters(AuditTest):
    def setUp(self):
        super().setUp()
        self.dump(r.string(b"user:1:name", b"v" * 50), r.string(b"user:2:name", b"v" * 50), big_hash(b"user:3:log"),
                  r.expire(NOW_MS + 3600000) + r.string(b"cache:x", b"v"), r.select(1), r.string(b"user:1:name", b"v"))

    def test_only_the_ledger_is_about_all(self):
        whole, _ = self.report()
        part, _ = self.report("--key=user:*", "--db=0")
        self.assertEqual(part["ledger"], whole["ledger"])
        self.assertEqual(part["load_as"], whole["load_as"])
        self.assertEqual(part["totals"]["keys"], 3)
        self.assertEqual(part["filter"]["matched_keys"], 3)
        self.assertEqual(part["filter"]["total_keys"], 5)
        self.assertEqual(part["filter"]["total_bytes"], whole["totals"]["size_in_bytes"])
        self.assertEqual(part["filter"]["matched_bytes"], part["totals"]["size_in_bytes"])
        self.assertEqual(part["filter"]["conditions"], [{"option": "key", "value": "user:*"}, {"option": "db", "value": "0"}])
        self.assertEqual(part["groups"]["prefixes"][0]["keys"], 3)
        self.assertEqual(sum(row["keys"] for row in part["distributions"]["size"]), 3)
        self.assertFalse(whole["filter"]["active"])

    def test_streamed_formats(self):
        out, _ = self.run_rdbmem("-fcsv", "--type=hash", "d.rdb")
        self.assertEqual([row["key"] for row in csv.DictReader(io.StringIO(out.decode()))], ["user:3:log"])
        out, _ = self.run_rdbmem("-fcsv", "--ttl=..2h", "d.rdb")
        self.assertEqual([row["key"] for row in csv.DictReader(io.StringIO(out.decode()))], ["cache:x"])

    def test_slot(self):
        slots = {row["key"]: row["slot"] for row in csv.DictReader(
            io.StringIO(self.run_rdbmem("-fcsv", "--slots", "d.rdb")[0].decode()))}
        out, _ = self.run_rdbmem("-fcsv", "--slot=%s" % slots["cache:x"], "d.rdb")
        self.assertEqual([row["key"] for row in csv.DictReader(io.StringIO(out.decode()))], ["cache:x"])

    def test_bad(self):
        for arg in ("--db=x", "--type=strings", "--encoding=zip", "--regex=(", "--min-bytes=many", "--ttl=soon",
                    "--slot=16384", "--sample=5", "--group=x", "--group=x=(", "--separator=ab", "--depth=0"):
            with self.subTest(arg=arg):
                self.fails(arg, "d.rdb", status=2, says=arg.split("=")[0].encode())

    def test_sample(self):
        self.dump(*(r.string(b"user:%d" % i, b"v" * (i % 100 + 50)) for i in range(20000)))
        whole, _ = self.report("--no-forecast")
        part, _ = self.report("--sample=1/10")
        self.assertEqual(part["filter"]["sample_one_of"], 10)
        self.assertTrue(any("sample" in note for note in part["notes"]))
        for path in (("totals", "keys"), ("totals", "size_in_bytes"), ("ledger", "used_memory"), ("filter", "total_keys")):
            real, said = whole[path[0]][path[1]], part[path[0]][path[1]]
            self.assertLess(abs(said - real) / real, 0.1, path)
        self.assertEqual(part["ledger"]["keyspace"], whole["ledger"]["keyspace"])
        self.assertEqual(part["groups"]["prefixes"][0]["keys"], part["totals"]["keys"])


class Groups(AuditTest):
    def prefixes(self, *args):
        report, _ = self.report(*args)
        return {(p["prefix"], p["other"]): p for p in report["groups"]["prefixes"]}, report

    def test_prefixes(self):
        self.dump(*(r.string(b"user:%d:%s" % (i, what), b"v") for i in range(100) for what in (b"name", b"mail")),
                  r.expire(NOW_MS + 1000) + r.plain_set(b"tags", [b"a"]))
        rows, report = self.prefixes()
        self.assertEqual(rows["user:*:name", False]["keys"], 100)
        self.assertEqual(rows["user:", False]["keys"], 200)
        self.assertEqual(rows["", False]["keys"], 201)
        self.assertEqual(rows["", False]["size_in_bytes"], report["totals"]["size_in_bytes"])
        self.assertEqual(rows["tags", False]["expiring_keys"], 1)
        self.assertEqual(list(rows["tags", False]["types"]), ["set"])
        rows, _ = self.prefixes("--depth=1")
        self.assertNotIn(("user:*:", False), rows)
        rows, _ = self.prefixes("--groups=1")
        self.assertEqual(rows["", True]["keys"], 1)
        report, _ = self.report("--groups=0")
        self.assertIsNone(report["groups"])

    def test_own_groups(self):
        self.dump(r.string(b"user:1", b"v"), r.string(b"cart:1", b"v"), r.string(b"x", b"v"))
        report, _ = self.report("--group=users=^user:", "--group", "all:digits=[0-9]")
        self.assertEqual([(g["group"], g["keys"]) for g in report["groups_custom"]],
                         [("users", 1), ("all:digits", 1), ("unclassified", 1)])

    def test_slots(self):
        self.dump(*(r.string(b"{t}%d" % i, b"v") for i in range(50)), r.string(b"other", b"v"))
        report, _ = self.report("--slots")
        slots = report["slots"]
        self.assertEqual((slots["used"], slots["keys"], slots["tagged_keys"]), (2, 51, 50))
        self.assertEqual(slots["heaviest"][0]["keys"], 50)
        self.assertEqual(slots["hash_tags"][0]["tag"], "t")
        self.assertGreater(slots["skew"], 1.9)
        self.assertIsNone(self.report()[0]["slots"])
        self.assertIsNotNone(self.report("--config=cluster-enabled=yes")[0]["slots"])

    def test_thresholds(self):
        self.dump(*(big_hash(b"h%d" % i, 600) for i in range(3)), big_hash(b"far", 2000))
        rows = {t["setting"]: t for t in self.report("--config=hash-max-listpack-entries=512")[0]["distributions"]["thresholds"]}
        above = rows["hash-max-listpack-entries"]["above"]
        self.assertEqual(above["keys"], 3)
        now, _ = self.report("--key=h?")
        then, _ = self.report("--key=h?", "--config=hash-max-listpack-entries=1024")
        saved = now["totals"]["size_in_bytes"] - then["totals"]["size_in_bytes"]
        self.assertLess(abs(above["estimated_saving_bytes"] - saved) / saved, 0.1)

    def test_several_dumps_are_one(self):
        self.write("a.rdb", r.dump(r.select(0), r.string(b"user:1", b"v")))
        self.write("b.rdb", r.dump(r.select(0), r.string(b"user:2", b"v"), r.string(b"x", b"v")))
        out, _ = self.run_rdbmem("-fjson", "a.rdb", "b.rdb")
        report = json.loads(out)
        found = report.get("combined", report)
        self.assertEqual(found["groups"]["prefixes"][0]["keys"], 3)


class Explain(AuditTest):
    def setUp(self):
        super().setUp()
        self.dump(r.string(b"a", b"hello" * 20), big_hash(b"h", 600),
                  r.zset(b"z", [(b"member%04d" % i, float(i)) for i in range(150)]), r.select(1), r.string(b"a", b"other"))

    def test_sums(self):
        keys = {(row["database"], row["key"]): row for row in csv.DictReader(
            io.StringIO(self.run_rdbmem("-fcsv", "d.rdb")[0].decode()))}
        for db, name in (("0", "a"), ("0", "h"), ("0", "z"), ("1", "a")):
            with self.subTest(name=name, db=db):
                out, _ = self.run_rdbmem("--explain", name, "-fjson", "--db=" + db, "d.rdb")
                x = json.loads(out)
                self.assertEqual(x["key"]["size_in_bytes"], int(keys[db, name]["size_in_bytes"]))
                rows = sum(b["count"] * b["usable_bytes"] for b in x["allocations"])
                self.assertEqual(rows, x["usable_bytes"])
                self.assertEqual(rows + x["expected_by_chance_bytes"], x["key"]["size_in_bytes"])
                self.assertTrue(all(b["waste_bytes"] == b["usable_bytes"] - b["requested_bytes"] for b in x["allocations"]))

    def test_singly_and_together(self):
        x = json.loads(self.run_rdbmem("--explain=h", "-fjson", "d.rdb")[0])
        entries = [b for b in x["allocations"] if b["what"] == "element entry"]
        self.assertEqual([b["count"] for b in entries], [600])
        x = json.loads(self.run_rdbmem("--explain=z", "-fjson", "--config=zset-max-listpack-entries=10", "d.rdb")[0])
        self.assertEqual([b["count"] for b in x["allocations"] if b["what"] == "element entry"], [1] * 150)

    def test_text_and_errors(self):
        out, _ = self.run_rdbmem("--explain=a", "d.rdb")
        self.assertIn(b'Key "a"', out)
        self.assertIn(b"handed out", out)
        self.fails("--explain=nobody", "d.rdb", status=1, says=b"there is no key 'nobody'")
        self.fails("--explain=a", "-fcsv", "d.rdb", status=2, says=b"--explain")


class HiddenNames(AuditTest):
    WORDS = [b"customer", b"Invoice", b"wonderful", b"zanzibar", b"quarterly"]

    def setUp(self):
        super().setUp()
        self.dump(*(r.string(b"%s:%d:%s" % (a, 1000 + i, b), b"v" * 40) for i, a in enumerate(self.WORDS) for b in self.WORDS),
                  big_string(b"{zanzibar}:customer"), big_hash(b"wonderful"), b"\x00" + r.text(b"quarterly") + b"\x7f")

    def outputs(self, *args):
        for fmt in ("text", "json", "csv", "ndjson"):
            out, err = self.run_rdbmem("-f", fmt, *args, "d.rdb", status=1)
            yield fmt, out + err

    def test_no_name_in_any_output(self):
        args = ("--hash-names=secret", "--slots", "--top=50", "--fail-on=big-key", "--fail-on=no-ttl:*zanzibar*",
                "--fail-on=prefix:*customer*>1K", "--key=*", "--not-key=nobody:customer", "--big=hash.elements=5")
        for fmt, out in self.outputs(*args):
            for word in self.WORDS:
                self.assertNotIn(word.lower(), out.lower(), fmt)
        out, err = self.run_rdbmem("--hash-names=secret", "--explain=wonderful", "d.rdb")
        self.assertNotIn(b"wonderful", out + err)

    def test_everything_else_stays(self):
        plain = json.loads(self.run_rdbmem("-fjson", "d.rdb", status=1)[0])
        hidden = json.loads(self.run_rdbmem("-fjson", "--hash-names", "d.rdb", status=1)[0])
        self.assertTrue(hidden["names_hashed"])
        for member in ("ledger", "totals", "types", "distributions", "load_as"):
            self.assertEqual(plain[member], hidden[member])

        def shape(report):
            return sorted((p["depth"], p["keys"], p["size_in_bytes"], len(p["prefix"])) for p in report["groups"]["prefixes"])
        self.assertEqual(shape(plain), shape(hidden))

    def test_numbers_in_words(self):
        """Prefixes in which digits are folded stay one prefix: the letters beside them do not depend on them."""
        names = [b"order%d" % (1000000 + 7 * i) for i in range(900)] + [b"user%d:x%d" % (i % 12, i) for i in range(600)]
        names += [b"v2shard%03dabc:%d" % (i % 40, i) for i in range(500)] + [b"abc%d:hex" % (1000 + i) for i in range(300)]
        names += [b"%08x:hash" % (i * 2654435761 % 2**32) for i in range(300)] + [b"12345z%d" % i for i in range(100)]
        self.write("n.rdb", r.dump(r.select(0), *((r.expire(r.CTIME * 1000 + 1000) if i % 2 else b"") + r.string(n, b"v" * 50) for i, n in enumerate(names))))
        args = ("-fjson", "-q", "--groups=2000")
        plain, hidden = (json.loads(self.run_rdbmem(*args, *more, "n.rdb")[0]) for more in ((), ("--hash-names=secret",)))

        def shape(report):
            return sorted((p["depth"], p["keys"], p["size_in_bytes"], len(p["prefix"])) for p in report["groups"]["prefixes"])
        self.assertEqual(shape(plain), shape(hidden))
        self.assertIn(900, [p["keys"] for p in hidden["groups"]["prefixes"]])
        pins = [sorted(p["bytes"] for p in report["forecast"][-1]["pinned_bytes_by_prefix"]) for report in (plain, hidden)]
        self.assertEqual(*pins)
        self.assertGreater(len(pins[0]), 4)

    def test_secret(self):
        one = self.run_rdbmem("-fcsv", "--hash-names=a", "d.rdb", status=1)[0]
        self.assertEqual(one, self.run_rdbmem("-fcsv", "--hash-names=a", "d.rdb", status=1)[0])
        self.assertNotEqual(one, self.run_rdbmem("-fcsv", "--hash-names=b", "d.rdb", status=1)[0])
        self.assertNotEqual(self.run_rdbmem("-fcsv", "--hash-names", "d.rdb", status=1)[0],
                            self.run_rdbmem("-fcsv", "--hash-names", "d.rdb", status=1)[0])


class Docs(AuditTest):
    """The scripts in docs/audit.md, as they stand there."""

    def scripts(self):
        with open(os.path.join(ROOT, "docs/audit.md"), encoding="utf-8") as f:
            text = f.read()
        found = dict(re.findall(r"`([\w.-]+)`:\n\n```(?:sh|text)\n(.*?)```", text, re.S))
        self.assertEqual(set(found), {"rdbmem-audit", "ci-memory-gate.sh", "allow.txt"})
        return found

    def run_script(self, name, *args):
        os.makedirs(self.path("bin"), exist_ok=True)
        if not os.path.exists(self.path("bin/rdbmem")):
            os.symlink(RDBMEM, self.path("bin/rdbmem"))
        env = dict(os.environ, PATH=self.path("bin") + ":" + os.environ["PATH"])
        return subprocess.run(["sh", self.path(name), *args], cwd=self.dir, env=env, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)

    def setUp(self):
        super().setUp()
        for name, text in self.scripts().items():
            os.chmod(self.write(name, text.encode()), stat.S_IRWXU)

    def test_cron_job(self):
        self.dump(r.string(b"a", b"v"))
        done = self.run_script("rdbmem-audit", "d.rdb", "out")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
        self.assertTrue(json.loads(self.read("out/report.json"))["complete"])
        self.dump(big_string(b"page:1"))
        done = self.run_script("rdbmem-audit", "d.rdb", "out")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"page:1", done.stdout)
        self.assertIn(b"page:1", self.read("out/big-keys.csv"))
        self.write("d.rdb", b"no dump at all")
        self.assertEqual(self.run_script("rdbmem-audit", "d.rdb", "out").returncode, 1)

    def test_ci_job(self):
        self.dump(r.expire(NOW_MS + 60000) + r.string(b"cache:a", b"v"))
        done = self.run_script("ci-memory-gate.sh", "d.rdb")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.dump(r.string(b"cache:a", b"v"))
        done = self.run_script("ci-memory-gate.sh", "d.rdb")
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"no-ttl:cache:*", done.stderr)


if __name__ == "__main__":
    unittest.main()
