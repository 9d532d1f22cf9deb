"""CSV, JSON and text with names that want to break them."""
import base64
import csv
import io
import json
import random
import re
import unicodedata
import unittest

from clitest import CliTest
import rdbfile as r

HOSTILE = [
    b"plain", b"", b" ", b" lead and trail ", b"comma,comma", b'quote"quote', b'"', b'""', b"'", b"new\nline", b"cr\rlf\r\n",
    b"\r", b"\n", b"tab\t", b"nul\x00nul", b"\x00", b"\x1b[31mred\x1b[0m", b"\x07\x08\x7f", b"back\\slash\\x41", b"\\xFF",
    b"\xff\xfe", b"latin-1 caf\xe9", "é".encode(), "中文键".encode(), "👩‍👩‍👧".encode(), b"cut \xe4\xb8", b"\xed\xa0\x80 surrogate",
    b"\xf4\x90\x80\x80 too far", b"\xc0\xaf overlong", b"\xe0\x80\xaf", "\u202egnirts\u2066".encode(), "\u0085\u2028\u2029".encode(),
    "e\u0301".encode(), b"=1+1", b"@SUM(A1)", b"x" * 5000, b"," * 5000, b'"' * 70000, b"\xff" * 70000, "中".encode() * 30000,
    b"user:1 db2", b"{json}", b"</script>", b"%s%n",
]

COLUMNS = ("database,type,key,size_in_bytes,encoding,num_elements,len_largest_element,expiry,memory_usage,payload_bytes,"
           "overhead_bytes,rounding_bytes,stderr_bytes,serialized_bytes,offset,idle_seconds,lfu_freq,slot,flags,freed_bytes,stranded_bytes").split(",")


def utf8_escape(name):
    """What redis-rdb-tools makes of a name with --escape utf8."""
    return "".join("\\x%02X" % (ord(c) - 0xdc00) if 0xdc80 <= ord(c) <= 0xdcff else c
                   for c in name.decode("utf-8", "surrogateescape")).encode()


def print_escape(name):
    return b"".join(b"%c" % c if 0x20 <= c <= 0x7e else b"\\x%02X" % c for c in name)


def read_csv(data):
    """Rows with the bytes of each field: Latin-1 maps them one to one."""
    csv.field_size_limit(1 << 30)
    rows = list(csv.reader(io.StringIO(data.decode("latin-1"), newline=""), strict=True))
    return rows[0], [dict(zip(rows[0], row)) for row in rows[1:] if len(row) == len(rows[0]) or 1 / 0]


def display_width(line):
    return sum(0 if unicodedata.combining(c) or c == "\u200d" else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Csv(CliTest):
    def setUp(self):
        super().setUp()
        self.write("d.rdb", r.dump(r.select(0), *(r.string(name, b"value") for name in HOSTILE)))

    def names(self, *args):
        head, rows = read_csv(self.run_rdbmem("-fcsv", *args, "d.rdb")[0])
        self.assertEqual(head, COLUMNS)
        return [row["key"].encode("latin-1") for row in rows]

    def test_escape_modes(self):
        self.assertEqual(self.names("--escape=raw"), HOSTILE)
        self.assertEqual([base64.b64decode(n, validate=True) for n in self.names("--escape=base64")], HOSTILE)
        self.assertEqual(self.names("--escape=print"), [print_escape(n) for n in HOSTILE])
        self.assertEqual(self.names("--escape=utf8"), [utf8_escape(n) for n in HOSTILE])
        self.assertEqual(self.names(), [utf8_escape(n) for n in HOSTILE])

    def test_random_names_survive(self):
        rnd = random.Random(1)
        alphabet = b'",\n\r\\x\x00\x80\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80 ab'
        names = list({bytes(rnd.choice(alphabet) for _ in range(rnd.randrange(40))) for _ in range(3000)})
        self.write("d.rdb", r.dump(r.select(0), *(r.string(n, b"v") for n in names)))
        self.assertEqual(self.names("--escape=raw"), names)
        self.assertEqual([base64.b64decode(n) for n in self.names("--escape=base64")], names)
        self.assertEqual(self.names(), [utf8_escape(n) for n in names])

    def test_rows_end_alike(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v"), r.string(b"b", b"v")))
        out, _ = self.run_rdbmem("-fcsv", "d.rdb")
        self.assertEqual(out.count(b"\n"), 3)
        self.assertNotIn(b"\r", out)
        self.assertTrue(out.endswith(b"\n"))

    def test_no_key_only_titles(self):
        self.write("d.rdb", r.dump())
        self.assertEqual(self.run_rdbmem("-fcsv", "d.rdb")[0].decode(), ",".join(COLUMNS) + "\n")


class Values(CliTest):
    def rows(self, *records, args=()):
        self.write("d.rdb", r.dump(*records))
        return read_csv(self.run_rdbmem("-fcsv", *args, "d.rdb")[0])[1]

    def test_types_and_counts(self):
        rows = self.rows(
            r.select(3), r.string(b"s", b"hello"), r.plain_list(b"l", [b"a", b"bbb"]), r.plain_set(b"S", [b"x", b"yy", b"zzzz"]),
            r.select(7), r.zset(b"z", [(b"m", 1.5), (b"longer", 2)]), r.plain_hash(b"h", [(b"f", b"value")]))
        got = [(x["database"], x["type"], x["key"], x["num_elements"], x["len_largest_element"]) for x in rows]
        self.assertEqual(got, [("3", "string", "s", "5", "5"), ("3", "list", "l", "2", "3"), ("3", "set", "S", "3", "4"),
                               ("7", "sortedset", "z", "2", "6"), ("7", "hash", "h", "1", "5")])

    def test_expiry(self):
        """As datetime.isoformat() prints a time without zone."""
        cases = [(1, "1970-01-01T00:00:00.001000"), (1000, "1970-01-01T00:00:01"), (951782399999, "2000-02-28T23:59:59.999000"),
                 (951782400000, "2000-02-29T00:00:00"), (4107542400000, "2100-03-01T00:00:00"), (253402300799999, "9999-12-31T23:59:59.999000")]
        rows = self.rows(r.select(0), *(r.expire(ms) + r.string(b"%d" % ms, b"v") for ms, _ in cases), r.string(b"never", b"v"))
        self.assertEqual([x["expiry"] for x in rows], [text for _, text in cases] + [""])

    def test_record_place_and_length(self):
        records = [r.string(b"a", b"hello"), r.expire(1 << 40) + r.string(b"b", b"x" * 100), r.plain_set(b"c", [b"1", b"zz"])]
        rows = self.rows(r.select(0), *records)
        data = self.read("d.rdb")
        for row, record in zip(rows, records):
            at = int(row["offset"])
            self.assertEqual(data[at:at + int(row["serialized_bytes"])], record)

    def test_sizes_add_up(self):
        rows = self.rows(r.select(0), *(r.string(b"k%d" % i, b"v" * i) for i in range(200)))
        report = json.loads(self.run_rdbmem("-fjson", "d.rdb")[0])
        for column in ("size_in_bytes", "payload_bytes", "rounding_bytes", "serialized_bytes"):
            self.assertEqual(sum(int(x[column]) for x in rows), report["totals"][column], column)
        for x in rows:
            self.assertEqual(int(x["overhead_bytes"]), int(x["size_in_bytes"]) - int(x["payload_bytes"]))

    def test_slots(self):
        rows = self.rows(r.select(0), r.string(b"123456789", b"v"), r.string(b"{user1000}.following", b"v"), r.string(b"{}x", b"v"))
        self.assertEqual([x["slot"] for x in rows], ["", "", ""])
        rows = self.rows(r.select(0), r.string(b"123456789", b"v"), r.string(b"a{123456789}b", b"v"), args=("--slots",))
        self.assertEqual([x["slot"] for x in rows], ["12739", "12739"])

    def test_memory_usage_only_where_the_server_has_it(self):
        self.assertRegex(self.rows(r.select(0), r.string(b"a", b"v"), args=("--target=redis:7.2",))[0]["memory_usage"], r"^\d+$")
        self.assertEqual(self.rows(r.select(0), r.string(b"a", b"v"), args=("--target=redis:3.2",))[0]["memory_usage"], "")

    def test_flags(self):
        rows = self.rows(r.select(0), r.expire(1) + r.string(b"old", b"v"), r.string(b"big", b"v" * 3000),
                         args=("--big=bytes=2K,element=2K",))
        self.assertEqual(rows[0]["flags"], "expired")
        self.assertEqual(rows[1]["flags"], "big_bytes big_element")


class Json(CliTest):
    def report(self, *records, args=(), **kw):
        self.write("d.rdb", r.dump(*records, **kw))
        out = self.run_rdbmem("-fjson", *args, "d.rdb")[0]

        def once(pairs):
            names = [n for n, _ in pairs]
            self.assertEqual(len(names), len(set(names)), names)
            return dict(pairs)
        return json.loads(out.decode("utf-8"), object_pairs_hook=once, parse_constant=lambda c: 1 / 0)

    def test_hostile_names(self):
        report = self.report(r.select(0), *(r.string(name, b"value") for name in HOSTILE), args=("--top=1000",))
        keys = report["top_keys_by_bytes"]
        self.assertEqual(len(keys), len(HOSTILE))
        got = set()
        for k in keys:
            if "key_base64" in k:
                name = base64.b64decode(k["key_base64"], validate=True)
                self.assertEqual(k["key"].encode(), utf8_escape(name))
                self.assertRaises(UnicodeDecodeError, name.decode)
            else:
                name = k["key"].encode()
            got.add(name)
        self.assertEqual(got, set(HOSTILE))

    def test_ledger_adds_up(self):
        l = self.report(r.select(0), *(r.string(b"k%d" % i, b"v" * i) for i in range(200)))["ledger"]
        self.assertEqual(l["used_memory"], l["keys"] + l["keyspace"] + l["functions"] + l["used_memory_startup"] + l["client"])

    def test_first_used_memory_is_the_prediction(self):
        """Tools walk the document and take the first member of that name."""
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v"), extra=r.aux(b"used-mem", b"1") + r.aux(b"used_memory", b"2")))
        found = []

        def walk(node):
            for name, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
                if name == "used_memory":
                    found.append(value)
                walk(value)
        report = json.loads(self.run_rdbmem("-fjson", "d.rdb")[0])
        walk(report)
        self.assertEqual(found[0], report["ledger"]["used_memory"])
        self.assertEqual(report["file"]["used_mem_claimed"], 1)

    def test_claims_are_only_claims(self):
        for claim in (b"0", b"18446744073709551615", b"-5", b"nonsense", b""):
            report = self.report(r.select(0), r.string(b"a", b"v"), extra=r.aux(b"used-mem", claim))
            self.assertIsInstance(report["file"]["used_mem_claimed"], (int, type(None)))
            self.assertIn(b"= used_memory", self.run_rdbmem("d.rdb")[0])
        self.report(r.select(0), extra=r.aux(b"used-mem", b"%d" % ((1 << 64) - 1)))
        self.assertRegex(self.run_rdbmem("d.rdb")[0].decode(), r"file's used-mem +16.00 EiB .*\+16.00 EiB against it")

    def test_tops(self):
        report = self.report(
            r.select(1), r.string(b"b", b"v" * 50), r.string(b"a", b"v" * 50), r.select(0), r.string(b"b", b"v" * 50),
            r.plain_list(b"l", [b"1"] * 30), r.string(b"x", b"v"), args=("--top=4",))
        top = [(k["database"], k["key"]) for k in report["top_keys_by_bytes"]]
        self.assertEqual(len(top), 4)
        ties = [k for k in top if k[1] in "ab"]
        self.assertEqual(ties, [(0, "b"), (1, "a"), (1, "b")])
        self.assertEqual(report["top_keys_by_elements"][0]["key"], "l")
        self.assertEqual(self.report(r.select(0), r.string(b"x", b"v"), args=("--top=0",))["top_keys_by_bytes"], [])

    def test_members(self):
        report = self.report(r.select(0), r.string(b"a", b"v"))
        self.assertEqual(list(report), [
            "schema_version", "generator", "complete", "error", "file", "target", "ledger", "unknowable", "totals", "load_as",
            "types", "encodings", "modules", "databases", "databases_folded_into_last", "structures", "top_keys_by_bytes",
            "top_keys_by_elements", "big_keys", "expiries", "allocator_after_load", "forecast_from_ms", "forecast_server_exact",
            "forecast", "size_classes", "names_hashed", "filter", "groups", "groups_custom", "distributions", "slots",
            "audit", "notes"])
        self.assertIs(report["complete"], True)
        self.assertIsNone(report["error"])
        self.assertEqual(list(report["top_keys_by_bytes"][0]), COLUMNS)
        self.assertEqual(report["file"]["saved_at"], "2023-11-14T22:13:20Z")
        self.assertEqual(report["file"]["checksum"]["state"], "switched off")

    def test_hostile_head(self):
        report = self.report(r.select(0), ver=b"7.2.6\x1b[31m\xff\"", extra=r.aux(b"na\nme", b"\x00\xff" * 300))
        self.assertTrue(report["file"]["writer_version"].startswith("7.2.6"))
        text, _ = self.run_rdbmem("d.rdb")
        self.assertNotIn(b"\x1b", text)


class Text(CliTest):
    def check(self, out, width=100):
        text = out.decode("utf-8")
        for line in text.split("\n"):
            self.assertLessEqual(display_width(line), width, line)
            self.assertEqual(line, line.rstrip(" "))
            bad = [c for c in line if unicodedata.category(c) in ("Cc", "Cs", "Cn", "Zl", "Zp") or (unicodedata.category(c) == "Cf" and c != "\u200d")]
            self.assertEqual(bad, [], line)
        return text

    def test_hostile_names_fit(self):
        big = [r.string(name, b"v" * (1 << 12)) for name in HOSTILE]
        self.write("d.rdb", r.dump(r.select(0), *big))
        for width in (80, 100, 120):
            out, _ = self.run_rdbmem("--top=1000", "--big=bytes=1", "d.rdb", env={"COLUMNS": str(width)})
            self.check(out, width)
        text = self.check(self.run_rdbmem("--top=1000", "d.rdb")[0])
        for want in ('"\\x1b[31mred\\x1b[0m"', '"new\\nline"', '"nul\\x00nul"', '"\\"\\""', '"back\\\\slash\\\\x41"', '"é"', '"中文键"',
                     '"latin-1 caf\\xe9"', '""'):
            self.assertIn(want, text)
        self.assertRegex(text, r'"x{10,}"\.\.\.')

    def test_hostile_path_and_head_fit(self):
        name = "\x1b[31m" + "long name " * 20 + "x" * 25 + "\n\t中.rdb"
        self.write(name, r.dump(r.select(0), ver=b"9" * 5000, extra=r.aux(b"valkey-ver", b"\x1b]0;\x07" * 10)))
        self.check(self.run_rdbmem(name)[0])

    def test_big_numbers_fit(self):
        dbs = [r.select(n) + r.resize((1 << 40) + n, 1 << 39) + r.string(b"k" * 500, b"v") for n in (0, 1 << 20, (1 << 32) - 1)]
        self.write("d.rdb", r.dump(*dbs, ctime=1 << 60, extra=r.aux(b"used-mem", b"%d" % (1 << 63))))
        out, _ = self.run_rdbmem("d.rdb")
        self.check(out)

    def test_head(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v")))
        out = self.run_rdbmem("--now=%d" % (r.CTIME + 3 * 86400), "d.rdb")[0].decode()
        self.assertEqual(out.split("\n")[0], "Dump of redis 7.2.6, 3 days old (2023-11-14 22:13:20 UTC): d.rdb")
        self.write("d.rdb", r.dump(r.select(0), ctime=0))
        self.assertIn("age unknown", self.run_rdbmem("d.rdb")[0].decode().split("\n")[0])

    def test_ledger(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v"), extra=r.aux(b"used-mem", b"1000000")))
        out = self.run_rdbmem("d.rdb")[0].decode()
        rows = re.findall(r"^  ([ +=]) (\w[^\d]*?) +[\d.]+ [KMG]?i?B +([\d,]+)", out, re.M)
        value = {(sign, name): int(number.replace(",", "")) for sign, name, number in rows}
        total = sum(v for (sign, name), v in value.items() if sign == "+" or name == "keys")
        self.assertEqual(total, value["=", "used_memory"])
        self.assertEqual(value[" ", "file's used-mem"], 1000000)


if __name__ == "__main__":
    unittest.main()
