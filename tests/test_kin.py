"""Strings that are counted many at once (analyzer/kin.c) against the same told one by one, which a rule of an audit makes
them be: the reports must agree in all but the rule. Expiries also against what is counted here. And the rows of formats that
have one a key, which are copied from those of keys that are alike (report/rows.h), against the same put together one by
one, which --slots makes them be."""
import json
import random
import re
import struct
import unittest

from clitest import CliTest
from test_formats import print_escape, read_csv, utf8_escape
import rdbfile as r

NOW = r.CTIME * 1000
RULE = "--fail-on=prefix:no such prefix>1T"
SPANS = [3600, 86400, 604800, 2592000, 31536000]


def value(rnd):
    kind = rnd.randrange(11)
    if kind == 0:
        return b"\xc0" + struct.pack("<b", rnd.randrange(-128, 128))
    if kind == 1:
        return b"\xc1" + struct.pack("<h", rnd.randrange(-32768, 32768))
    if kind == 2:
        return b"\xc2" + struct.pack("<i", rnd.randrange(-2 ** 31, 2 ** 31))
    if kind == 3:
        return r.text(b"%d" % rnd.randrange(-2 ** 63, 2 ** 63))
    if kind == 4:
        return r.text(b"%d" % rnd.randrange(12000))
    if kind == 5:
        return r.text(bytes(rnd.randrange(256) for _ in range(rnd.randrange(30))))
    if kind == 6:
        return r.text(b"v" * rnd.choice([63, 64, 65, 300, 16383, 16384]))
    if kind == 7:  # lzf: "a" and 29 more of it
        return b"\xc3" + r.length(5) + r.length(30) + b"\x00a\xe0\x14\x00"
    return r.text(b"v" * rnd.randrange(40, 50))


def name(rnd, i):
    return [
        lambda: b"user:%06d:name" % i,
        lambda: b"user:%d:email" % i,
        lambda: b"session:%d" % (i % 100 + 100 * i),
        lambda: b"v%d:key%d" % (rnd.randrange(3), i),
        lambda: b"%d" % i,
        lambda: bytes(rnd.randrange(256) for _ in range(rnd.randrange(40))) + b"%d" % i,
        lambda: b"a" * rnd.randrange(100) + b":%d" % i,
        lambda: b"%x%016x" % (i, rnd.getrandbits(64)),
        lambda: b"part:%d:" % i * rnd.randrange(1, 9),
    ][rnd.randrange(9)]()


def expiry(rnd):
    edge = rnd.choice(SPANS) * 1000 + rnd.choice([-1000, -1, 0, 1, 999, 1000, 1001])
    return NOW + rnd.choice([-5000, -1, 0, 1, edge, edge, rnd.randrange(10 ** 11), rnd.randrange(4 * 10 ** 6)])


def records(rnd, n, databases=1, rare=0.02):
    yield r.select(0)
    for i in range(n):
        if databases > 1 and rnd.random() < 0.05:
            yield r.select(rnd.randrange(databases))
            if rnd.random() < 0.5:
                yield r.resize(rnd.randrange(5000), rnd.randrange(50))
        if rnd.random() < rare:
            yield r.plain_list(b"list:%d" % i, [b"a", b"b"])
        if rnd.random() < 0.4:
            yield r.expire(expiry(rnd))
        elif rnd.random() < rare:
            yield rnd.choice([r.expire(-7), r.expire(2 ** 63 - 1), b"\xfd" + struct.pack("<i", r.CTIME + 100)])
        if rnd.random() < rare:
            yield rnd.choice([r.idle(rnd.randrange(10 ** 6)), r.freq(rnd.randrange(256))])
        yield b"\x00" + r.text(name(rnd, i)) + value(rnd)


def without_rules(report):
    if isinstance(report, list):
        return [without_rules(part) for part in report]
    if not isinstance(report, dict):
        return report
    return {key: without_rules(part) for key, part in report.items() if key != "rules"}


class Kin(CliTest):
    def report(self, *args, status=0):
        return without_rules(json.loads(self.run_rdbmem("--format=json", "--now=%d" % r.CTIME, *args, status=status)[0]))

    def agree(self, data, *args, status=0):
        self.write("d.rdb", data)
        at_once, told = (self.report(*args, *more, "d.rdb", status=status) for more in ([], [RULE]))
        for part in told:
            with self.subTest(args=args, part=part):
                self.assertEqual(at_once[part], told[part])
        return at_once

    def test_strings_of_all_forms(self):
        for seed, version in enumerate([6, 9, 10, 11, 12]):
            data = r.dump(*records(random.Random(seed), 4000), version=version)
            self.agree(data)
            self.agree(data, "--load-as=master", "--top=0")
            self.agree(data, "--no-forecast", "--groups=0", "--top=200")

    def test_options(self):
        data = r.dump(*records(random.Random(11), 6000))
        for args in (["--target=redis:3.2"], ["--target=redis:2.8"], ["--target=redis:8.4"], ["--target=valkey:9.0"],
                     ["--allocator=libc"], ["--config=cluster-enabled=yes"], ["--slots"], ["--depth=1"],
                     ["--separator=-"], ["--horizon=1h", "--horizon=17m", "--horizon=2d", "--then-delete=30%"],
                     ["--config=maxmemory=1mb", "--config=maxmemory-policy=allkeys-lru"]):
            self.agree(data, *args)

    def test_long_runs(self):
        """Nothing but strings of few forms, thousands at a time: few and many prefixes, sizes and steps of the forecast."""
        for seed, (prefixes, sizes) in enumerate([(3, 6), (1, 25), (40, 2), (6, 6)]):
            rnd = random.Random(seed)
            forms = [(b"%c%c:" % (97 + p // 26, 97 + p % 26), rnd.choice([8, 20])) for p in range(prefixes)]
            lengths = [rnd.randrange(50) for _ in range(sizes)] if sizes < 20 else range(10, 1000, 990 // sizes)
            parts = []
            for i in range(12000):
                prefix, digits = rnd.choice(forms)
                parts.append(r.expire(expiry(rnd)) if rnd.random() < 0.3 and i % 4000 > 2000 else b"")
                parts.append(r.string(prefix + b"%0*d" % (digits, i), b"v" * rnd.choice(lengths)))
                if rnd.random() < 0.001:
                    parts.append(r.plain_list(b"list:%d" % i, [b"a" * rnd.randrange(40)] * rnd.randrange(1, 60)))
            data = r.dump(*parts)
            self.agree(data)
            self.agree(data, "--target=redis:8.4", "--horizon=2d")
            self.agree(data, *("--horizon=%dh" % hours for hours in range(1, 25)), "--then-delete=30%")

    def test_largest_of_equal_size(self):
        """Names decide who comes into the list, also where one begins with the other."""
        names = [b"key:%s" % (b"x" * (i % 6) + b"%d" % (i // 6 % 10)) for i in range(300)] + [b"key:" + b"x" * i for i in range(8)]
        random.Random(6).shuffle(names)
        for top in (1, 3, 40):
            self.agree(r.dump(*(r.string(key, b"v" * 40) for key in names * 3)), "--top=%d" % top)

    def test_databases(self):
        self.agree(r.dump(*records(random.Random(2), 6000, databases=20)))
        self.agree(r.dump(*(part for i in range(3000) for part in (r.select(i % 3), r.string(b"k:%d" % i, b"v" * 30)))))

    def test_prefixes_that_are_merged(self):
        rnd = random.Random(3)
        keys = (r.string(b"p%s:q%c:%d" % (bytes(rnd.choice(b"abcdefgh") for _ in range(5)), rnd.choice(b"xyz"), i), b"v" * 40)
                + b"".join(r.string(b"user:%06d:name" % i, b"v" * (20 + i % 9)) for _ in range(2)) for i in range(30000))
        report = self.agree(r.dump(*keys))
        self.assertGreater(report["groups"]["merged_while_reading"], 0)

    def test_several_dumps(self):
        """What has been counted of the first dump is told before the second begins."""
        for i in range(2):
            self.write("%d.rdb" % i, r.dump(*records(random.Random(i), 3000)))
        at_once, told = (without_rules(json.loads(self.run_rdbmem("--format=json", *more, "0.rdb", "1.rdb")[0]))
                         for more in ([], [RULE]))
        self.assertEqual(at_once, told)

    def test_damage(self):
        """The last key, the place and the figures are the same wherever the dump ends or breaks."""
        rnd = random.Random(4)
        parts = [r.string(b"user:%06d:name" % i, b"v" * (40 + i % 3)) for i in range(200)]
        for at in range(20, 180, 20):
            self.agree(r.dump(*parts[:at], b"\x99", *parts[at:]), status=1)
        whole = r.dump(*records(rnd, 400))
        for _ in range(60):
            at = rnd.randrange(100, len(whole))
            self.agree(whole[:at], status=1)
            self.write("d.rdb", whole[:at] + bytes([rnd.randrange(256)]) + whole[at + 1:])
            both = [self.run_any("--format=json", *more, "d.rdb") for more in ([], [RULE])]
            self.assertEqual(*both)

    def run_any(self, *args):
        for status in (0, 1):
            try:
                out = json.loads(self.run_rdbmem(*args, status=status)[0])
            except AssertionError:
                continue
            return status, without_rules(out)
        raise AssertionError(args)

    def test_expiries_are_counted_where_they_belong(self):
        rnd = random.Random(5)
        left = [expiry(rnd) - NOW for _ in range(5000)]
        keys = [part for i, ms in enumerate(left) for part in (r.expire(NOW + ms), r.string(b"k:%d" % i, b"v" * 30))]
        report = self.agree(r.dump(*keys, *(r.string(b"n:%d" % i, b"v" * 30) for i in range(700))))
        rows = [sum(ms < 0 for ms in left)]
        rows += [sum(low < ms // 1000 <= high for ms in left if ms >= 0)
                 for low, high in zip([-1] + SPANS, SPANS + [10 ** 12])]
        self.assertEqual([row["keys"] for row in report["expiries"]], rows + [700])
        steps = [step for step in report["forecast"] if step["deleted_percent"] == 0 and step["horizon_seconds"] is not None]
        self.assertGreater(len(steps), 4)
        for step in steps:
            gone = sum(ms <= step["horizon_seconds"] * 1000 for ms in left) if step["horizon_seconds"] > 0 else 0
            self.assertEqual(step["keys"], 5700 - gone, step)


class Rows(CliTest):
    FORMATS = (["--format=csv"], ["--format=csv", "--escape=base64"], ["--format=csv", "--escape=raw"], ["--format=csv", "--escape=print"],
               ["--format=ndjson"])

    def rows(self, *args, status=0):
        return self.run_rdbmem("--now=%d" % r.CTIME, *args, status=status)[0]

    def agree(self, *args, formats=FORMATS, status=0):
        """All bytes but those of the slot."""
        for form in formats:
            with self.subTest(form=form, args=args):
                at_once, one_by_one = (self.rows(*form, *more, *args, status=status) for more in ([], ["--slots"]))
                if "ndjson" in form[0]:
                    one_by_one, slots = re.subn(rb'"slot":[0-9]+,', b'"slot":null,', one_by_one)
                    keys = at_once.count(b"\n")
                else:
                    one_by_one, slots = re.subn(rb",[0-9]+(,[a-z_ ]*,[0-9]*,[0-9]*(,\"[^\"\n]*\")?)$", rb",\1", one_by_one, flags=re.M)
                    keys = len(self.rows("--format=ndjson", *args, status=status).splitlines())
                self.assertEqual(slots, keys)
                self.assertTrue(at_once == one_by_one, self.difference(at_once, one_by_one))
        return at_once

    @staticmethod
    def difference(a, b):
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        return "byte %d of %d and %d: %r, %r" % (at, len(a), len(b), a[max(at - 90, 0):at + 60], b[max(at - 90, 0):at + 60])

    def test_strings_of_all_forms(self):
        for seed, version in enumerate([6, 9, 11]):
            self.write("d.rdb", r.dump(*records(random.Random(seed), 4000), version=version))
            self.agree("d.rdb")
        for args in (["--load-as=master"], ["--top=0", "--no-forecast", "--groups=0"], ["--target=redis:2.8"],
                     ["--target=valkey:9.0"], ["--hash-names=secret"], ["--min-bytes=100"], ["--big=bytes=120"],
                     ["--threads=3", "--stretch=2000"]):
            self.agree(*args, "d.rdb", formats=self.FORMATS[:1] + self.FORMATS[-1:])

    def test_databases(self):
        """Of keys that are alike in all else."""
        self.write("d.rdb", r.dump(*records(random.Random(2), 4000, databases=20)))
        self.agree("d.rdb")
        self.write("d.rdb", r.dump(*(part for i in range(2000) for part in (r.select(i % 300), r.string(b"k:%d" % (i % 10), b"v" * 30)))))
        out = self.agree("d.rdb")
        self.assertEqual([json.loads(line)["database"] for line in out.splitlines()], [i % 300 for i in range(2000)])

    def test_several_dumps(self):
        """Of which the second one's keys cost something else."""
        for i, version in enumerate([b"3.2.0", b"7.2.0"]):
            self.write("%d.rdb" % i, r.dump(*records(random.Random(7), 3000), ver=version))
        self.agree("0.rdb", "1.rdb")
        long = "x" * 200 + ".rdb" # its name is more than a kept row has room for
        self.write(long, r.dump(*records(random.Random(7), 3000)))
        self.agree("0.rdb", long)

    def test_days(self):
        """Those of one place in the list of days, the first ones, the last ones."""
        rnd = random.Random(8)
        days = [0, 1, 63, 64, 65, 20000, 20064, 20128, 2932896, 2932897, 106751991167]
        moments = [rnd.choice(days) * 86400000 + rnd.choice([0, 1, 999, 1000, 43200000, 86399999, rnd.randrange(86400000)]) for _ in range(3000)]
        moments += [2 ** 63 - 1, -1, -2, -86400000, -2 ** 63]
        rnd.shuffle(moments)
        self.write("d.rdb", r.dump(*(r.expire(ms) + r.string(b"k:%04d" % i, b"v" * 30) for i, ms in enumerate(moments) if ms < 2 ** 63)))
        self.agree("--now=0", "d.rdb")

    def test_names_that_need_escapes(self):
        """Among kin that need none, at each place of the name, and too long for the quick way."""
        rnd = random.Random(9)
        names = []
        for i in range(6000):
            name = bytearray(b"user:%06d:name" % i + b"x" * rnd.randrange(0, 40))
            if rnd.random() < 0.3:
                name[rnd.randrange(len(name))] = rnd.choice(b'\x00\x1f ,"\\\x7e\x7f\x80\xc3\xff')
            names.append(bytes(name))
        names += [b"n" * rnd.choice([4095, 4096, 4097]) for _ in range(40)] + [b""] * 3
        rnd.shuffle(names)
        self.write("d.rdb", r.dump(*(r.string(name, b"v" * (20 + len(name) % 3)) for name in names)))
        self.agree("d.rdb")
        for escape, text in (("raw", bytes), ("print", print_escape), ("utf8", utf8_escape)):
            rows = read_csv(self.rows("--format=csv", "--escape=" + escape, "d.rdb"))[1]
            self.assertEqual([row["key"].encode("latin-1") for row in rows], [text(name) for name in names])

    def test_more_kinds_than_are_kept(self):
        rnd = random.Random(10)
        keys = [r.string(b"k" * rnd.randrange(1, 60) + b":%03d" % i, b"v" * rnd.randrange(400)) for i in range(20000)]
        self.write("d.rdb", r.dump(*keys))
        self.agree("d.rdb", formats=self.FORMATS[:1] + self.FORMATS[-1:])

    def test_length_of_the_record(self):
        """The same string, packed or not, as bytes or as an integer."""
        one = [r.string(b"key:%d" % i, b"a" * 30) for i in range(10)]
        two = [b"\x00" + r.text(b"key:%d" % i) + b"\xc3" + r.length(5) + r.length(30) + b"\x00a\xe0\x14\x00" for i in range(10)]
        three = [b"\x00" + r.text(b"num:%d" % i) + value for i in range(10) for value in (r.text(b"12"), b"\xc0\x0c", b"\xc2\x0c\x00\x00\x00")]
        self.write("d.rdb", r.dump(*(part for _ in range(30) for pair in zip(one, two) for part in pair), *(three * 30)))
        out = self.agree("d.rdb")
        lengths = {json.loads(line)["serialized_bytes"] for line in out.splitlines()}
        self.assertEqual(len(lengths), 2 + 3, lengths)


if __name__ == "__main__":
    unittest.main()
