"""What can be given: append-only files and directories, directories of dumps, several dumps and their sums."""
import csv
import gzip
import io
import json
import os
import shutil
import unittest

from clitest import CliTest
import rdbfile as r

COMMANDS = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\nz\r\n$1\r\n1\r\n"
KEYS = (r.select(0), r.resize(2, 0), r.string(b"a", b"hello"), r.string(b"b", b"x" * 300))
DUMP = r.dump(*KEYS)
PREAMBLE = r.dump(*KEYS, extra=r.aux(b"aof-preamble", b"1"))


class InputTest(CliTest):
    def json(self, *args, status=0):
        out, err = self.run_rdbmem("-fjson", *args, status=status)
        self.err = err.decode()
        return json.loads(out)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        return super().write(name, data)


class Aof(InputTest):
    def test_preamble(self):
        self.write("appendonly.aof", PREAMBLE + COMMANDS)
        report = self.json("appendonly.aof")
        self.assertEqual(report["file"]["trailing_bytes"], len(COMMANDS))
        self.assertEqual(report["file"]["aof_bytes_not_analysed"], len(COMMANDS))
        self.assertIs(report["file"]["aof_preamble"], True)
        self.assertIs(report["complete"], True)
        self.assertEqual(report["totals"]["keys"], 2)
        self.assertEqual(self.err, "rdbmem: appendonly.aof: %d bytes of AOF commands follow and were not analysed\n" % len(COMMANDS))
        out, err = self.run_rdbmem("-q", "appendonly.aof")
        self.assertEqual(err, b"")
        self.assertIn(b"%d B of AOF commands follow and were not analysed" % len(COMMANDS), out)

    def test_preamble_without_commands(self):
        self.write("appendonly.aof", PREAMBLE)
        self.assertEqual(self.json("appendonly.aof")["file"]["aof_bytes_not_analysed"], 0)
        self.assertEqual(self.err, "")

    def test_other_bytes_behind_a_dump(self):
        self.write("d.rdb", DUMP + b"0123456789abcdef0123456789abcdef01234567")
        report = self.json("d.rdb")
        self.assertEqual((report["file"]["trailing_bytes"], report["file"]["aof_bytes_not_analysed"]), (40, 0))
        self.assertEqual(self.err, "")
        self.assertIn(b"40 B behind the end of the dump", self.run_rdbmem("d.rdb")[0])

    def test_commands_alone(self):
        self.write("appendonly.aof", COMMANDS)
        _, err = self.run_rdbmem("appendonly.aof", status=1)
        self.assertIn(b"append-only file without rdb preamble", err)

    def directory(self, manifest, base="appendonly.aof.2.base.rdb", data=DUMP):
        self.write("aof/appendonly.aof.manifest", manifest)
        self.write("aof/" + base, data)
        self.write("aof/appendonly.aof.2.incr.aof", COMMANDS)
        self.write("aof/appendonly.aof.3.incr.aof", COMMANDS * 2)
        self.write("aof/appendonly.aof.1.incr.aof", COMMANDS * 5)

    MANIFEST = (b"file appendonly.aof.2.base.rdb seq 2 type b\n"
                b"file appendonly.aof.1.incr.aof seq 1 type h\n"
                b"file appendonly.aof.2.incr.aof seq 2 type i\n"
                b"file appendonly.aof.3.incr.aof seq 3 type i\n")

    def check_directory(self, *args, path="aof/appendonly.aof.2.base.rdb", tail=0):
        report = self.json(*(args or ("aof",)))
        self.assertEqual(report["file"]["path"], path)
        self.assertEqual(report["totals"]["keys"], 2)
        self.assertEqual(report["file"]["aof_increments"], 2)
        self.assertEqual(report["file"]["aof_bytes_not_analysed"], 3 * len(COMMANDS) + tail)
        self.assertEqual(self.err.count("\n"), 1)
        self.assertIn("%d bytes of AOF commands follow" % (3 * len(COMMANDS) + tail), self.err)

    def test_directory(self):
        self.directory(self.MANIFEST)
        self.check_directory()
        self.check_directory("aof/")
        self.check_directory("./aof", path="./aof/appendonly.aof.2.base.rdb")
        self.check_directory("aof/appendonly.aof.manifest")
        self.check_directory(self.path("aof"), path=self.path("aof/appendonly.aof.2.base.rdb"))
        text = self.run_rdbmem("-q", "aof")[0].decode()
        self.assertIn("of AOF commands follow in its increments and were not analysed", text)
        self.assertTrue(text.startswith("Dump of redis"))
        self.assertEqual(self.run_rdbmem("-q", "-fcsv", "aof")[0].splitlines()[0].count(b",file"), 0)

    def test_data_directory_that_holds_it(self):
        self.directory(self.MANIFEST)
        os.rename(self.path("aof"), self.path("appendonlydir"))
        os.mkdir(self.path("data"))
        os.rename(self.path("appendonlydir"), self.path("data/appendonlydir"))
        self.check_directory("data", path="data/appendonlydir/appendonly.aof.2.base.rdb")
        self.write("data/dump.rdb", DUMP)
        self.assertEqual([f["file"]["path"] for f in self.json("data")["files"]], ["data/dump.rdb"])

    def test_manifests_that_servers_write(self):
        for manifest in (
            self.MANIFEST.replace(b"\n", b"\r\n"),
            self.MANIFEST[:-1],
            b"# comment\n#\n" + self.MANIFEST,
            self.MANIFEST.replace(b"seq 3 type i", b"seq 3 type i startoffset 17 endoffset 99"),
            self.MANIFEST.replace(b"file appendonly.aof.2.base.rdb seq 2 type b", b"type b  seq 2\tfile appendonly.aof.2.base.rdb"),
            self.MANIFEST.replace(b"appendonly.aof.2.base.rdb", b'"appendonly.aof.2.base.rdb"'),
            self.MANIFEST.replace(b"appendonly.aof.2.base.rdb", b'"append\\x6fnly.aof.2.b\\ase.rdb"').replace(b"\\a", b"\\x61"),
            self.MANIFEST.replace(b"appendonly.aof.2.base.rdb", b"'appendonly.aof.2.base.rdb'"),
        ):
            with self.subTest(manifest=manifest):
                self.directory(manifest)
                self.check_directory()

    def test_quoted_names(self):
        for name, quoted in (("two words.rdb", b'"two words.rdb"'), ("it's.rdb", b"'it\\'s.rdb'"), ('q"\\.rdb', b'"q\\"\\\\.rdb"'),
                             ("é\n.rdb", b'"\\xc3\\xA9\\n.rdb"'), ("ta\tb.rdb", b'"ta\\tb.rdb"')):
            with self.subTest(name=name):
                self.directory(self.MANIFEST.replace(b"appendonly.aof.2.base.rdb", quoted), base=name)
                self.check_directory(path="aof/" + name)
                shutil.rmtree(self.path("aof"))

    def test_base_with_commands_behind(self):
        self.directory(self.MANIFEST.replace(b"2.base.rdb", b"2.base.aof"), base="appendonly.aof.2.base.aof", data=PREAMBLE + COMMANDS)
        self.check_directory(path="aof/appendonly.aof.2.base.aof", tail=len(COMMANDS))

    def test_base_of_commands(self):
        self.directory(self.MANIFEST.replace(b"2.base.rdb", b"2.base.aof"), base="appendonly.aof.2.base.aof", data=COMMANDS)
        _, err = self.run_rdbmem("aof", status=1)
        self.assertIn(b"appendonly.aof.2.base.aof: byte 0: not an rdb file", err)

    def test_files_that_are_gone(self):
        self.directory(self.MANIFEST)
        os.remove(self.path("aof/appendonly.aof.3.incr.aof"))
        report = self.json("aof", status=1)
        self.assertEqual(report["file"]["aof_bytes_not_analysed"], len(COMMANDS))
        self.assertIn("1 increments that the manifest names are not there", self.err)
        os.remove(self.path("aof/appendonly.aof.2.base.rdb"))
        self.fails("aof", status=1, says=b"appendonly.aof.2.base.rdb: cannot open")

    def test_bad_manifests(self):
        for manifest, says in (
            (b"", b"names no file"),
            (b"# nothing\n", b"names no file"),
            (b"file a.rdb seq 1\n", b"line 1 of the manifest: expected 'file"),
            (b"file a.rdb seq 1 type\n", b"line 1 of the manifest: expected 'file"),
            (b"#\nfile a.rdb seq 1 type x\n", b"line 2 of the manifest: a type that is not"),
            (b"file a.rdb seq 1 type bi\n", b"a type that is not"),
            (b"file a.rdb seq one type b\n", b"a seq that is no number"),
            (b"file ../a.rdb seq 1 type b\n", b"with a directory in it"),
            (b"file .. seq 1 type b\n", b"with a directory in it"),
            (b'file "a.rdb seq 1 type b\n', b"quotes that do not close"),
            (b'file "a"b seq 1 type b\n', b"quotes that do not close"),
            (b'file "a\\x00b" seq 1 type b\n', b"quotes that do not close"),
            (b"file a.rdb seq 1 type b\nfile b.rdb seq 2 type b\n", b"line 2 of the manifest: a second base"),
            (b"file " + b"a" * 2000 + b" seq 1 type b\n", b"more than 1024 bytes"),
            (b"file appendonly.aof.2.incr.aof seq 1 type i\n", b"names no base file, so there is no dump; %d bytes" % len(COMMANDS)),
        ):
            with self.subTest(manifest=manifest[:60]):
                self.directory(manifest)
                self.fails("aof", status=1, says=says)


class Directory(InputTest):
    def test_what_is_taken(self):
        self.write("dir/b.rdb", DUMP)
        self.write("dir/a.rdb", DUMP)
        self.write("dir/node.rdb.gz", gzip.compress(DUMP))
        self.write("dir/backup-2024", DUMP)
        self.write("dir/appendonly.aof", PREAMBLE + COMMANDS)
        self.write("dir/.hidden.rdb", DUMP)
        self.write("dir/temp-1234.rdb", DUMP[:40])
        self.write("dir/redis.conf", b"save 900 1\n")
        self.write("dir/empty", b"")
        self.write("dir/other.gz", gzip.compress(b"text" * 100))
        self.write("dir/sub/c.rdb", DUMP)
        os.symlink("b.rdb", self.path("dir/latest.rdb"))
        os.mkfifo(self.path("dir/pipe.rdb"))
        report = self.json("dir")
        self.assertEqual([f["file"]["path"] for f in report["files"]],
                         ["dir/a.rdb", "dir/appendonly.aof", "dir/b.rdb", "dir/backup-2024", "dir/node.rdb.gz"])
        self.assertEqual(report["combined"]["totals"]["keys"], 10)
        self.assertEqual(report["combined"]["dumps"]["aof_bytes_not_analysed"], len(COMMANDS))

    def test_one_dump_is_still_a_directory(self):
        self.write("dir/a.rdb", DUMP)
        self.assertEqual(len(self.json("dir")["files"]), 1)
        self.assertTrue(self.run_rdbmem("-fcsv", "dir")[0].splitlines()[0].endswith(b",file"))
        self.assertIn(b"1 dump together", self.run_rdbmem("dir")[0])

    def test_no_dump(self):
        os.mkdir(self.path("dir"))
        self.fails("dir", status=1, says=b"dir: no dump in this directory")
        self.write("dir/notes.txt", b"nothing")
        self.fails("dir", status=1, says=b"dir: no dump in this directory")

    def test_damaged_one_is_not_passed_over(self):
        self.write("dir/a.rdb", DUMP)
        self.write("dir/b.rdb", b"")
        self.write("dir/c.rdb", DUMP[:-20])
        report = self.json("dir", status=1)
        self.assertEqual([f["complete"] for f in report["files"]], [True, False, False])
        self.assertEqual([f["error"] and f["error"]["kind"] for f in report["files"]], [None, "not an rdb file", "truncated"])
        self.assertIs(report["combined"]["complete"], False)
        self.assertEqual(report["combined"]["dumps"], dict(report["combined"]["dumps"], given=3, complete=1))
        self.assertEqual(self.err.count("\n"), 2)

    def test_directory_and_a_file_in_it(self):
        self.write("dir/a.rdb", DUMP)
        self.write("dir/b.rdb", DUMP)
        for args in (["dir", "dir/a.rdb"], ["dir/a.rdb", "dir"]):
            self.assertEqual(sorted(f["file"]["path"] for f in self.json(*args)["files"]), ["dir/a.rdb", "dir/b.rdb"])

    def test_report_over_a_dump_in_it(self):
        self.write("dir/a.rdb", DUMP)
        self.fails("-o", "dir/a.rdb", "dir", status=2, says=b"overwrite")
        self.assertEqual(self.read("dir/a.rdb"), DUMP)


class Several(InputTest):
    def setUp(self):
        super().setUp()
        self.write("n1/dump.rdb", r.dump(
            r.select(0), r.resize(3, 1), r.string(b"a", b"x" * 100), r.expire((r.CTIME + 60) * 1000) + r.string(b"b", b"12"),
            r.plain_hash(b"h", [(b"f%d" % i, b"v" * 80) for i in range(40)]), r.select(2), r.string(b"two", b"2"),
            extra=r.aux(b"used-mem", b"1000")))
        self.write("n2/dump.rdb", r.dump(
            r.select(0), r.string(b"a", b"x" * 100), r.plain_set(b"s", [b"m%d" % i for i in range(200)]), r.string(b"same", b"y" * 5000),
            ctime=r.CTIME + 9, extra=r.aux(b"used-mem", b"2000")))
        self.write("n3/dump.rdb", r.dump(r.select(2), r.zset(b"z", [(b"m%d" % i, i) for i in range(300)]), r.string(b"same", b"y" * 5000),
                                         version=12, ver=b"8.4.0"))
        self.names = ["n1/dump.rdb", "n2/dump.rdb", "n3/dump.rdb"]

    def sums(self, whole, parts, path=""):
        """Every number that is a sum: the combined one is that of the files'."""
        for name, value in whole.items():
            if isinstance(value, dict) and all(name in p for p in parts):
                self.sums(value, [p[name] for p in parts], path + name + ".")
            elif isinstance(value, int) and not isinstance(value, bool) and all(name in p for p in parts):
                have = [p[name] for p in parts]
                if name in ("largest_key_bytes", "now_ms"):
                    self.assertEqual(value, max(have), path + name)
                elif name == "used_memory_stderr":
                    self.assertAlmostEqual(value, sum(x * x for x in have) ** 0.5, delta=3)
                elif not path.startswith("big_keys.thresholds"):
                    self.assertEqual(value, sum(have), path + name)

    def by(self, rows, *names):
        return {tuple(row[n] for n in names): row for row in rows}

    def test_sums(self):
        report = self.json(*self.names)
        whole, parts = report["combined"], report["files"]
        self.assertEqual([p["file"]["path"] for p in parts], self.names)
        self.sums(whole, parts)
        self.assertEqual(whole["totals"]["keys"], 9)
        for table, key in (("types", ("type",)), ("encodings", ("type", "encoding")), ("databases", ("database",)), ("expiries", ("name",))):
            mine = self.by(whole[table], *key)
            theirs = [self.by(p[table], *key) for p in parts]
            self.assertEqual(set(mine), set().union(*theirs), table)
            for k, row in mine.items():
                have = [t[k] for t in theirs if k in t]
                for name in ("keys", "size_in_bytes", "num_elements", "serialized_bytes", "expiring_keys", "main_table_bytes"):
                    if name in row:
                        self.assertEqual(row[name], sum(t[name] for t in have), (table, k, name))
        ledger = whole["ledger"]
        self.assertEqual(ledger["used_memory"], sum(n["used_memory"] for n in whole["nodes"]))
        self.assertEqual([n["used_memory"] for n in whole["nodes"]], [p["ledger"]["used_memory"] for p in parts])
        self.assertEqual(ledger["used_memory"], ledger["keys"] + ledger["keyspace"] + ledger["functions"] +
                         ledger["used_memory_startup"] + ledger["client"])

    def test_each_file_is_as_alone(self):
        report = self.json(*self.names)
        for name, part in zip(self.names, report["files"]):
            alone = self.json(name)
            self.assertLess({"ledger", "totals", "types", "encodings", "databases", "top_keys_by_bytes", "notes"}, set(part))
            self.assertEqual(part, {member: alone[member] for member in part})

    def test_hints(self):
        """A sum of hints is one only when every dump has them."""
        dbs = self.by(self.json(*self.names)["combined"]["databases"], "database")
        self.assertIsNone(dbs[(0,)]["hint_keys"])
        self.write("n4/dump.rdb", r.dump(r.select(0), r.resize(4, 3)))
        dbs = self.by(self.json("n1/dump.rdb", "n4/dump.rdb")["combined"]["databases"], "database")
        self.assertEqual((dbs[(0,)]["hint_keys"], dbs[(0,)]["hint_expires"]), (7, 4))

    def test_tops_are_merged(self):
        for n in (1, 3, 100):
            report = self.json("--top=%d" % n, *self.names)
            keys = [dict(k, file=p["file"]["path"]) for p in report["files"] for k in p["top_keys_by_bytes"]]
            keys.sort(key=lambda k: (-k["size_in_bytes"], k["file"], k["database"], k["key"]))
            self.assertEqual(report["combined"]["top_keys_by_bytes"], keys[:n])
            self.assertEqual(len(report["combined"]["top_keys_by_elements"]), min(n, 3))
        text = self.run_rdbmem(*self.names)[0].decode()
        self.assertRegex(text, r"memory +type +encoding .* file +key")
        self.assertRegex(text, r'n2/dump.rdb +"same"')
        self.assertRegex(text, r'n3/dump.rdb +"same"')

    def test_different_servers(self):
        report = self.json(*self.names)
        self.assertEqual(report["combined"]["target"]["name"], "several targets")
        self.assertEqual(report["combined"]["target"]["family"], "redis")
        same = self.json("--target=redis:7.2", *self.names)["combined"]["target"]
        self.assertEqual((same["name"], same["chosen_by"]), ("redis 7.2", "--target"))
        self.assertEqual(report["combined"]["target"]["now_from"], "each dump's own time")

    def test_csv(self):
        out, _ = self.run_rdbmem("-fcsv", *self.names)
        rows = list(csv.DictReader(io.StringIO(out.decode())))
        self.assertEqual(list(rows[0])[-1], "file")
        self.assertEqual([row["file"] for row in rows], ["n1/dump.rdb"] * 4 + ["n2/dump.rdb"] * 3 + ["n3/dump.rdb"] * 2)
        alone = [line for name in self.names for line in self.run_rdbmem("-fcsv", name)[0].splitlines()[1:]]
        self.assertEqual([line.rsplit(b",", 1)[0] for line in out.splitlines()[1:]], alone)
        report = self.json(*self.names)
        self.assertEqual(sum(int(row["size_in_bytes"]) for row in rows), report["combined"]["totals"]["size_in_bytes"])

    def test_hostile_paths(self):
        names = ['we"ird,\n.rdb', "é \x1b[31m.rdb", "x" * 200 + ".rdb", "y" * 200 + ".rdb"]
        for name in names:
            self.write(name, DUMP)
        rows = list(csv.DictReader(io.StringIO(self.run_rdbmem("-fcsv", *names)[0].decode(), newline="")))
        self.assertEqual([rows[i]["file"] for i in range(0, 8, 2)], names)
        self.assertEqual([f["file"]["path"] for f in self.json(*names)["files"]], names)
        text = self.run_rdbmem(*names, env={"COLUMNS": "80"})[0].decode()
        self.assertNotIn("\x1b", text)
        self.assertTrue(all(len(line) <= 80 for line in text.split("\n")))

    def test_one_bad_file_does_not_stop_the_others(self):
        self.write("bad.rdb", b"REDIS0011\xfe\x00\x00\x01a")
        report = self.json("missing.rdb", "bad.rdb", *self.names, status=1)
        self.assertEqual([f["complete"] for f in report["files"]], [False, False, True, True, True])
        self.assertEqual(report["files"][0]["error"]["kind"], "input/output error")
        self.assertEqual(report["combined"]["totals"]["keys"], 9)
        self.assertIs(report["combined"]["complete"], False)
        self.assertEqual(self.err.count("\n"), 2)
        text, _ = self.run_rdbmem("missing.rdb", "bad.rdb", *self.names, status=1)
        self.assertIn(b"NOT READ: missing.rdb: ", text)
        self.assertIn(b"INCOMPLETE: bad.rdb: truncated", text)

    def test_none_can_be_opened(self):
        out, err = self.run_rdbmem("-o", "out.txt", "missing.rdb", "gone.rdb", status=1)
        self.assertEqual((out, err.count(b"\n")), (b"", 2))
        self.assertFalse(os.path.exists(self.path("out.txt")))

    def test_wrong_use_is_said_once(self):
        self.fails("--target=mysql:8", *self.names, status=2, says=b"mysql:8")

    def test_standard_input_among_them(self):
        data = self.read("n1/dump.rdb")
        out, _ = self.run_rdbmem("-fjson", "n2/dump.rdb", "-", data=data)
        self.assertEqual(json.loads(out)["combined"]["totals"]["keys"], 7)
        self.assertIn(b"standard input", self.run_rdbmem("n2/dump.rdb", "-", data=data)[0])

    def test_notes_are_said_once(self):
        for name in ("o1.rdb", "o2.rdb"):
            self.write(name, r.dump(r.select(0), version=11, ver=b"7.3.0"))
        notes = self.json("o1.rdb", "o2.rdb")["combined"]["notes"]
        self.assertEqual(len(notes), 1)
        self.assertTrue(notes[0].startswith("all dumps: "), notes)
        notes = self.json("o1.rdb", "o2.rdb", "n1/dump.rdb")["combined"]["notes"]
        self.assertTrue(notes[0].startswith("o1.rdb and 1 more: "), notes)
        notes = self.json("o1.rdb", "n1/dump.rdb")["combined"]["notes"]
        self.assertTrue(notes[0].startswith("o1.rdb: "), notes)

    def test_many(self):
        for i in range(300):
            self.write("many/%03d.rdb" % i, r.dump(r.select(i % 20), r.string(b"k%d" % i, b"v" * i)))
        report = self.json("many")
        self.assertEqual(report["combined"]["totals"]["keys"], 300)
        self.assertEqual(len(report["combined"]["databases"]), 20)
        best = max(p["top_keys_by_bytes"][0]["size_in_bytes"] for p in report["files"])
        self.assertEqual(report["combined"]["top_keys_by_bytes"][0]["size_in_bytes"], best)


if __name__ == "__main__":
    unittest.main()
