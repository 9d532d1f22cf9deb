"""The SQLite report: the same keys and figures as CSV and JSON, the queries of docs/queries.md, whole files or none."""
import base64
import json
import os
import resource
import signal
import sqlite3
import subprocess
import unittest

from clitest import CliTest, RDBMEM
from queries import ROOT, queries
from test_formats import COLUMNS, HOSTILE, read_csv
import rdbfile as r

DUMP = os.path.join(os.environ.get("TESTDATA", os.path.join(ROOT, "testdata")), "redis-7.2-mix.rdb")


class Sqlite(CliTest):
    def open(self, *args, status=0, name="out.db"):
        self.run_rdbmem("--format=sqlite:" + name, *args, status=status)
        db = sqlite3.connect("file:%s?mode=ro" % self.path(name), uri=True)
        self.addCleanup(db.close)
        self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        return db

    def meta(self, db):
        return dict(db.execute("SELECT name, value FROM meta"))

    def test_keys_are_those_of_csv(self):
        args = ("--slots", "--big=bytes=1K", DUMP)
        rows = read_csv(self.run_rdbmem("-fcsv", "--escape=raw", *args)[0])[1]
        db = self.open(*args)
        found = db.execute("SELECT %s FROM keys ORDER BY rowid" % ", ".join(COLUMNS)).fetchall()
        self.assertGreater(len(found), 10000)
        self.assertEqual([[str(v) if v is not None else "" for v in row] for row in found], [[row[c] for c in COLUMNS] for row in rows])
        self.assertEqual({t for (t,) in db.execute("SELECT DISTINCT typeof(size_in_bytes) || typeof(expiry) FROM keys")}, {"integertext", "integernull"})
        self.assertEqual([d[1] for d in db.execute("PRAGMA table_info(keys)")], COLUMNS + ["key_bytes", "file"])

    def test_names(self):
        names = HOSTILE + [b"\x80" * 5000, b"\x00", b"a\x00b"]
        self.write("d.rdb", r.dump(r.select(0), *(r.string(n, b"v") for n in names)))
        db = self.open("d.rdb")
        exact = [blob if blob is not None else text.encode() for text, blob in db.execute("SELECT key, key_bytes FROM keys ORDER BY rowid")]
        self.assertEqual(exact, names)
        self.assertEqual(db.execute("SELECT key FROM keys WHERE key_bytes = x'610062'").fetchall(), [("a\\x00b",)])
        for (text, blob) in db.execute("SELECT key, key_bytes FROM keys WHERE key_bytes IS NOT NULL"):
            self.assertNotIn("\x00", text)

    def test_names_that_fill_what_rows_wait_in(self):
        """Rows go in by batches: a batch that its names fill, a name longer than all that room, and what is left at the end."""
        names = [b"%d:" % i + b"n" * (i * 977 % 3000) for i in range(200)]
        names[60:60] = [b"L" * (1 << 16), b"M" * ((1 << 16) + 1), b"\xff" * 70000]
        self.write("d.rdb", r.dump(r.select(0), *(r.string(n, b"v") for n in names)))
        for only, expected in ((b"*", names), (b"[LM]*", names[60:62]), (b"nothing", [])):
            db = self.open("--key=" + only.decode(), "d.rdb")
            found = db.execute("SELECT coalesce(key_bytes, CAST(key AS BLOB)), offset FROM keys ORDER BY rowid").fetchall()
            self.assertEqual([n for n, _ in found], expected)
            self.assertEqual([o for _, o in found], sorted(o for _, o in found))

    def test_figures(self):
        args = ("--group=users=^user", "--then-delete=50%", DUMP)
        db = self.open(*args)
        j = json.loads(self.run_rdbmem("-fjson", *args)[0])
        meta = self.meta(db)
        for name in ("keys", "keyspace", "functions", "used_memory_startup", "client", "used_memory", "used_memory_dataset", "used_memory_stderr"):
            self.assertEqual(meta[name], j["ledger"][name], name)
        self.assertEqual((meta["complete"], meta["target"], meta["schema_version"]), (1, j["target"]["name"], j["schema_version"]))
        self.assertEqual(db.execute("PRAGMA user_version").fetchone(), (j["schema_version"],))
        sums = list(j["encodings"][0])
        self.assertEqual(db.execute("SELECT %s FROM types" % ", ".join(sums)).fetchall(), [tuple(e[s] for s in sums) for e in j["encodings"]])
        sums = list(j["databases"][0])[:13]
        self.assertEqual(db.execute("SELECT %s FROM databases" % ", ".join(sums)).fetchall(), [tuple(d[s] for s in sums) for d in j["databases"]])
        self.assertEqual(db.execute("SELECT horizon_seconds, deleted_percent, keys, used_memory, used_memory_rss, band FROM forecast ORDER BY step").fetchall(),
                         [tuple(f[n] for n in ("horizon_seconds", "deleted_percent", "keys", "used_memory", "used_memory_rss", "band")) for f in j["forecast"]])
        classes = [(step, c["size"], c["regions"][step], c["slabs"][step]) for c in j["size_classes"] for step in range(len(j["forecast"]))]
        self.assertEqual(db.execute("SELECT step, size, regions, slabs FROM size_classes ORDER BY rowid").fetchall(), classes)
        self.assertEqual(db.execute("SELECT name, keys, size_in_bytes FROM groups WHERE kind = 'prefix' ORDER BY rowid").fetchall(),
                         [(p["prefix"], p["keys"], p["size_in_bytes"]) for p in j["groups"]["prefixes"]])
        self.assertEqual(db.execute("SELECT name, keys FROM groups WHERE kind = 'group'").fetchall(), [(g["group"], g["keys"]) for g in j["groups_custom"]])
        self.assertEqual(db.execute("SELECT sum(size_in_bytes), count(*) FROM keys").fetchone(), (j["totals"]["size_in_bytes"], j["totals"]["keys"]))

    def test_indexes(self):
        db = self.open(DUMP)
        plan = " ".join(row[3] for row in db.execute("EXPLAIN QUERY PLAN SELECT * FROM keys WHERE key = 'big:blob'"))
        self.assertIn("USING INDEX keys_by_name", plan)
        plan = " ".join(row[3] for row in db.execute("EXPLAIN QUERY PLAN SELECT * FROM keys ORDER BY size_in_bytes DESC LIMIT 1"))
        self.assertIn("USING INDEX keys_by_size", plan)

    def test_several_and_damaged(self):
        self.write("a.rdb", r.dump(r.select(0), r.string(b"a", b"v")))
        self.write("b.rdb", r.dump(r.select(1), r.string(b"b", b"v"), r.string(b"c", b"v" * 5000))[:-3000])
        db = self.open("a.rdb", "b.rdb", status=1)
        self.assertEqual(db.execute("SELECT key, path, complete FROM keys JOIN files USING (file) ORDER BY key").fetchall(),
                         [("a", "a.rdb", 1), ("b", "b.rdb", 0)])
        self.assertEqual(self.meta(db)["complete"], 0)

    def test_documented_queries(self):
        db = self.open("--group=users=^user:", DUMP)
        found = queries("sqlite")
        self.assertGreater(len(found), 8)
        for q in found:
            with self.subTest(query=q):
                self.assertNotEqual(db.execute(q).fetchall(), [])
        parts = dict((n, v) for n, v, _ in db.execute(found[0]))
        self.assertEqual(sum(v for n, v in parts.items() if n != "used_memory"), parts["used_memory"])

    def test_needs_a_file(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v")))
        self.fails("-fsqlite", "d.rdb", status=2, says=b"it needs a file")
        self.fails("--format=sqlite:-", "d.rdb", status=2, says=b"it needs a file")
        self.fails("-fsqlite", "-o", "/dev/null", "d.rdb", status=1, says=b"regular file")
        self.fails("-fsqlite", "-o", "no/such/place.db", "d.rdb", status=1, says=b"No such file")
        self.run_rdbmem("-o", "by-name.db", "d.rdb")
        self.assertTrue(self.read("by-name.db").startswith(b"SQLite format 3\0"))

    def left(self):
        return sorted(os.listdir(self.dir))

    def test_old_report_stays_until_the_new_is_whole(self):
        self.write("out.db", b"old")
        limit = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
        done = subprocess.run([RDBMEM, "-q", "-fsqlite", "-o", "out.db", DUMP], cwd=self.dir, stderr=subprocess.PIPE, preexec_fn=limit)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"out.db: cannot be written: ", done.stderr)
        self.assertEqual(self.read("out.db"), b"old")
        self.assertEqual(self.left(), ["out.db"])
        self.open(DUMP)
        self.assertEqual(self.left(), ["out.db"])

    def test_nothing_is_left_of_a_run_that_fails(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"v")))
        self.fails("-fsqlite", "-o", "out.db", "--target=nosuch:1", "d.rdb", status=2, says=b"target")
        self.assertEqual(self.left(), ["d.rdb"])


if __name__ == "__main__":
    unittest.main()
