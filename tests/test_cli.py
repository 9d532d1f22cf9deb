"""The command line: options, exit statuses, where output goes, what happens when a run is stopped."""
import json
import os
import pty
import resource
import signal
import subprocess
import time
import unittest

from clitest import RDBMEM, CliTest
import rdbfile as r

SMALL = r.dump(r.select(0), r.resize(2, 1), r.string(b"a", b"hello"), r.expire((r.CTIME + 60) * 1000) + r.string(b"b", b"12"))


class Options(CliTest):
    def setUp(self):
        super().setUp()
        self.write("d.rdb", SMALL)

    def test_help(self):
        out, err = self.run_rdbmem("--help")
        self.assertEqual(err, b"")
        lines = out.decode("ascii").split("\n")
        self.assertTrue(lines[0].startswith("Usage: rdbmem"))
        self.assertTrue(all(len(line) <= 100 and line == line.rstrip() for line in lines))
        for option in ("--target", "--allocator", "--config", "--redis-conf", "--load-as", "--now", "--top", "--big",
                       "--on-error", "--format", "--output", "--escape", "--color", "--progress", "--quiet", "--version"):
            self.assertIn(option, out.decode())
        self.assertEqual(self.run_rdbmem("-h")[0], out)
        self.assertEqual(self.run_rdbmem("--version", "--help")[0], out)

    def test_version(self):
        out, err = self.run_rdbmem("--version")
        self.assertRegex(out.decode(), r"^rdbmem \d+\.\d+\.\d+\n$")
        self.assertEqual(err, b"")

    def test_wrong_use(self):
        for args, says in (
            ([], b"no dump"),
            (["--"], b"no dump"),
            (["--nonsense", "d.rdb"], b"unknown option '--nonsense'"),
            (["-z", "d.rdb"], b"unknown option '-z'"),
            (["--form=csv", "d.rdb"], b"unknown option"),
            (["--format"], b"--format needs a value"),
            (["--format=", "d.rdb"], b"--format"),
            (["--format=xml", "d.rdb"], b"--format: 'xml'"),
            (["--format=csv:", "d.rdb"], b"--format"),
            (["--escape=utf16", "d.rdb"], b"--escape"),
            (["--quiet=yes", "d.rdb"], b"takes no value"),
            (["--top=-1", "d.rdb"], b"--top"),
            (["--top=10x", "d.rdb"], b"--top"),
            (["--top=", "d.rdb"], b"--top"),
            (["--big=bytes", "d.rdb"], b"--big"),
            (["--big=bytes=1M,", "d.rdb"], b"--big"),
            (["--big=elements=1M", "d.rdb"], b"--big"),
            (["--big=bytes=99999999999999999999", "d.rdb"], b"--big"),
            (["--big=bytes=99999999999T", "d.rdb"], b"--big"),
            (["--load-as=slave", "d.rdb"], b"--load-as"),
            (["--now=yesterday", "d.rdb"], b"--now"),
            (["--on-error=ignore", "d.rdb"], b"--on-error"),
            (["--color=sometimes", "d.rdb"], b"--color"),
            (["--allocator=mimalloc", "d.rdb"], b"--allocator"),
            (["--target=mysql:8", "d.rdb"], b"mysql:8"),
            (["--config=maxmemory", "d.rdb"], b"NAME=VALUE"),
            (["--config=save=1", "d.rdb"], b"'save'"),
            (["--config=maxmemory=lots", "d.rdb"], b"'lots'"),
            (["--config=hash-max-listpack-entries=-1", "d.rdb"], b"hash-max-listpack-entries"),
            (["--redis-conf=missing.conf", "d.rdb"], b"missing.conf"),
            (["--format=csv", "--format=json", "d.rdb"], b"same place"),
            (["--format=csv:x", "--format=json:x", "d.rdb"], b"same place"),
            (["--format=csv:x", "-o", "y", "d.rdb"], b"--output"),
            (["--output=", "d.rdb"], b"--output"),
            (["--output=d.rdb", "d.rdb"], b"overwrite"),
            (["--output=./d.rdb", "d.rdb"], b"overwrite"),
            (["d.rdb", "d.rdb"], b"'d.rdb' is given twice"),
            (["d.rdb", "./d.rdb"], b"given twice"),
            (["-", "-"], b"once"),
            (["\x1b[31m", "--bad\x1b[0m"], b"\\x1b"),
        ):
            with self.subTest(args=args):
                self.fails(*args, status=2, says=says)
        self.assertEqual(self.read("d.rdb"), SMALL)
        self.assertEqual(sorted(os.listdir(self.dir)), ["d.rdb"])

    def test_forms_of_an_option(self):
        want = self.run_rdbmem("--format=csv", "d.rdb")[0]
        for args in (["--format", "csv", "d.rdb"], ["-f", "csv", "d.rdb"], ["-fcsv", "d.rdb"], ["-qfcsv", "d.rdb"],
                     ["d.rdb", "-fcsv"], ["-fcsv", "--", "d.rdb"], ["-ftext", "d.rdb", "-o", "/dev/null", "-fcsv:-"]):
            with self.subTest(args=args):
                self.assertEqual(self.run_rdbmem(*args)[0], want)

    def test_double_dash(self):
        self.write("--help", SMALL)
        out, _ = self.run_rdbmem("-f", "json", "--", "--help")
        self.assertEqual(json.loads(out)["file"]["path"], "--help")

    def test_last_one_counts(self):
        out, _ = self.run_rdbmem("--top=5", "--top=1", "-fjson", "d.rdb")
        self.assertEqual(len(json.loads(out)["top_keys_by_bytes"]), 1)

    def test_big_limits(self):
        out, _ = self.run_rdbmem("--big=bytes=2K,element=1MiB", "--big=elements=7", "-fjson", "d.rdb")
        self.assertEqual(json.loads(out)["big_keys"]["thresholds"], {"bytes": 2048, "elements": 7, "element": 1 << 20})
        out, _ = self.run_rdbmem("-fjson", "d.rdb")
        self.assertEqual(json.loads(out)["big_keys"]["thresholds"],
                         {"bytes": 1 << 20, "elements": 10000, "element": 256 << 10})

    def test_now(self):
        out, _ = self.run_rdbmem("--now=%d" % (r.CTIME + 61), "-fjson", "d.rdb")
        self.assertEqual(json.loads(out)["target"]["now_ms"], (r.CTIME + 61) * 1000)
        self.assertEqual(json.loads(out)["load_as"]["master"]["keys"], 1)
        out, _ = self.run_rdbmem("-fjson", "d.rdb")
        self.assertEqual(json.loads(out)["load_as"]["master"]["keys"], 2)

    def test_config_goes_before_redis_conf(self):
        """A hash of 3 fields is a table when 2 are the most for a listpack."""
        self.write("h.rdb", r.dump(r.select(0), r.plain_hash(b"h", [(b"1", b"x"), (b"2", b"x"), (b"3", b"x")])))
        self.write("redis.conf", b"hash-max-ziplist-entries 2\n")

        def encoding(*args):
            return json.loads(self.run_rdbmem("-fjson", "h.rdb", *args)[0])["encodings"][0]["encoding"]
        self.assertEqual(encoding(), "listpack")
        self.assertEqual(encoding("--redis-conf=redis.conf"), "hashtable")
        self.assertEqual(encoding("--config=hash-max-listpack-entries=3", "--redis-conf=redis.conf"), "listpack")
        self.assertEqual(encoding("--config", "hash-max-listpack-entries=2"), "hashtable")

    def test_bad_redis_conf(self):
        self.write("redis.conf", b"# fine\nsave 900 1\nhash-max-ziplist-entries many\n")
        self.fails("--redis-conf=redis.conf", "d.rdb", status=2, says=b"redis.conf:3: bad value 'many'")


class Input(CliTest):
    def test_unreadable(self):
        err = self.fails("missing.rdb", status=1, says=b"missing.rdb: cannot open: ")
        self.assertEqual(err.count(b"No such file"), 1, err)
        os.mkdir(self.path("sub"))
        self.fails("sub", status=1, says=b"sub")
        self.fails("-o", "out.txt", "missing.rdb", status=1, says=b"missing.rdb")
        self.assertEqual(os.listdir(self.dir), ["sub"])

    def test_standard_input(self):
        self.write("d.rdb", SMALL)
        want = json.loads(self.run_rdbmem("-fjson", "d.rdb")[0])
        got = json.loads(self.run_rdbmem("-fjson", "-", data=SMALL)[0])
        self.assertEqual(got["ledger"], want["ledger"])
        self.assertEqual(got["file"]["path"], "-")
        self.assertIn(b"standard input", self.run_rdbmem("-", data=SMALL)[0])

    def test_every_truncation_is_reported(self):
        for cut in range(len(SMALL)):
            with self.subTest(cut=cut):
                self.write("cut.rdb", SMALL[:cut])
                out, err = self.run_rdbmem("-fjson", "cut.rdb", status=1)
                report = json.loads(out)
                self.assertIs(report["complete"], False)
                self.assertLessEqual(report["error"]["offset"], cut)
                self.assertEqual(err.count(b"\n"), 1, err)
                self.assertIn(b"cut.rdb: byte %d: " % report["error"]["offset"], err)

    def test_what_was_read_is_reported(self):
        at = SMALL.index(b"\xfc")
        self.write("cut.rdb", SMALL[:at + 3])
        out, _ = self.run_rdbmem("-fcsv", "cut.rdb", status=1)
        self.assertEqual(len(out.splitlines()), 2)
        out, _ = self.run_rdbmem("cut.rdb", status=1)
        self.assertIn(b"INCOMPLETE", out)
        out, _ = self.run_rdbmem("-fjson", "-o", "r.json", "cut.rdb", status=1)
        self.assertEqual(json.loads(self.read("r.json"))["totals"]["keys"], 1)

    def test_wrong_checksum(self):
        self.write("crc.rdb", SMALL[:-8] + b"12345678")
        out, err = self.run_rdbmem("-fjson", "crc.rdb", status=1)
        report = json.loads(out)
        self.assertEqual(report["file"]["checksum"]["state"], "wrong")
        self.assertEqual(report["totals"]["keys"], 2)
        self.assertIn(b"checksum", err)

    def test_not_a_dump(self):
        self.write("x.rdb", b"\x7fELF\x1b[31m" * 10)
        out, err = self.run_rdbmem("x.rdb", status=1)
        self.assertNotIn(b"\x1b", out + err)
        self.assertIn(b"INCOMPLETE", out)
        self.assertEqual(err.count(b"\n"), 1)

    def test_hostile_key_in_message(self):
        self.write("x.rdb", r.dump(r.select(0), r.string(b"\x1b[31mevil\n\xff", b"v"), b"\x00" + r.text(b"\x1b]0;x\x07") + b"\x7f"))
        _, err = self.run_rdbmem("x.rdb", status=1)
        self.assertEqual(err.count(b"\n"), 1)
        self.assertTrue(all(32 <= c < 127 or c == 10 for c in err), err)


class Output(CliTest):
    def setUp(self):
        super().setUp()
        self.write("d.rdb", SMALL)

    def test_two_runs_are_equal(self):
        for fmt in ("json", "csv"):
            self.assertEqual(self.run_rdbmem("-f", fmt, "d.rdb")[0], self.run_rdbmem("-f", fmt, "d.rdb")[0])
        now = "--now=%d" % (r.CTIME + 10)
        self.assertEqual(self.run_rdbmem(now, "d.rdb")[0], self.run_rdbmem(now, "d.rdb")[0])

    def test_locale_does_not_matter(self):
        for fmt in ("json", "csv", "text"):
            args = ("--now=%d" % (r.CTIME + 10), "-f", fmt, "d.rdb")
            self.assertEqual(self.run_rdbmem(*args)[0], self.run_rdbmem(*args, env={"LC_ALL": "de_DE.UTF-8"})[0])

    def test_several_formats_in_one_pass(self):
        out, _ = self.run_rdbmem("--format=json:a.json", "--format=csv:b.csv", "--format=text", "d.rdb")
        self.assertIn(b"Memory after loading", out)
        self.assertEqual(self.read("a.json"), self.run_rdbmem("-fjson", "d.rdb")[0])
        self.assertEqual(self.read("b.csv"), self.run_rdbmem("-fcsv", "d.rdb")[0])
        self.assertEqual(sorted(os.listdir(self.dir)), ["a.json", "b.csv", "d.rdb"])

    def test_format_by_the_name_of_the_file(self):
        self.run_rdbmem("-o", "x.csv", "d.rdb")
        self.assertTrue(self.read("x.csv").startswith(b"database,"))
        self.run_rdbmem("-o", "x.json", "d.rdb")
        self.assertEqual(json.loads(self.read("x.json"))["schema_version"], 1)
        self.run_rdbmem("-o", "x.dat", "d.rdb")
        self.assertIn(b"Memory after loading", self.read("x.dat"))

    def test_file_is_replaced_whole(self):
        self.write("r.json", b"old")
        os.chmod(self.path("r.json"), 0o640)
        os.symlink("r.json", self.path("link"))
        before = os.stat(self.path("r.json")).st_ino
        self.run_rdbmem("-fjson", "-o", "link", "d.rdb")
        self.assertTrue(os.path.islink(self.path("link")))
        after = os.stat(self.path("r.json"))
        self.assertNotEqual(after.st_ino, before)
        self.assertEqual(after.st_mode & 0o777, 0o640)
        json.loads(self.read("r.json"))

    def test_new_file_obeys_the_umask(self):
        old = os.umask(0o027)
        try:
            self.run_rdbmem("-o", "new.txt", "d.rdb")
        finally:
            os.umask(old)
        self.assertEqual(os.stat(self.path("new.txt")).st_mode & 0o777, 0o640)

    def test_wrong_use_leaves_the_old_file(self):
        self.write("r.json", b"old")
        self.fails("-fjson", "-o", "r.json", "--target=mysql:8", "d.rdb", status=2, says=b"mysql:8")
        self.assertEqual(self.read("r.json"), b"old")
        self.assertEqual(sorted(os.listdir(self.dir)), ["d.rdb", "r.json"])

    def test_unwritable(self):
        self.fails("-o", "no/such/dir/x.txt", "d.rdb", status=1, says=b"no/such/dir/x.txt")
        self.fails("-o", ".", "d.rdb", status=1, says=b"directory")

    def test_full_disk(self):
        self.fails("-fcsv", "-o", "/dev/full", "d.rdb", status=1, says=b"/dev/full")
        with open("/dev/full", "wb") as full:
            done = subprocess.run([RDBMEM, self.path("d.rdb")], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output", done.stderr)

    def test_no_color_unless_asked(self):
        self.assertNotIn(b"\x1b", self.run_rdbmem("d.rdb")[0])
        self.assertIn(b"\x1b[1m", self.run_rdbmem("--color=always", "d.rdb")[0])
        self.assertIn(b"\x1b[1m", self.run_rdbmem("--color", "d.rdb")[0])

    def on_terminal(self, *args, **env):
        main, side = pty.openpty()
        environment = dict(os.environ, TERM="xterm", COLUMNS="80", **env)
        done = subprocess.run([RDBMEM, *args, self.path("d.rdb")], stdout=side, stdin=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, env=environment, timeout=60)
        os.close(side)
        out = b""
        try:
            while part := os.read(main, 65536):
                out += part
        except OSError:
            pass
        os.close(main)
        self.assertEqual(done.returncode, 0)
        return out

    def test_terminal(self):
        env = {k: "" for k in ("NO_COLOR",)}
        self.assertIn(b"\x1b[1m", self.on_terminal("--top=1", **env))
        self.assertNotIn(b"\x1b", self.on_terminal("--top=1", NO_COLOR="1"))
        self.assertNotIn(b"\x1b", self.on_terminal("--top=1", "--color=never", **env))

    def test_csv_on_a_terminal_is_tame(self):
        self.write("d.rdb", r.dump(r.select(0), r.string(b"\x1b[31m", b"v")))
        self.assertNotIn(b"\x1b", self.on_terminal("-fcsv"))
        self.assertIn(b"\x1b", self.on_terminal("-fcsv", "--escape=raw"))


class Stopped(CliTest):
    def fifo_run(self, *args):
        """A run whose dump comes through a pipe that we keep open."""
        child = subprocess.Popen([RDBMEM, *args, "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 cwd=self.dir)
        self.addCleanup(child.kill)
        child.stdin.write(r.dump(r.select(0))[:-9])
        return child

    def endless(self, child, seconds):
        """Feeds keys until the child goes or time is up."""
        keys = b"".join(r.string(b"key:%06d" % i, b"x" * 100) for i in range(1000))
        end = time.time() + seconds
        try:
            while time.time() < end and child.poll() is None:
                child.stdin.write(keys)
            return True
        except (BrokenPipeError, OSError):
            return False

    def test_interrupt_gives_a_partial_report(self):
        for sig in (signal.SIGINT, signal.SIGTERM):
            child = self.fifo_run("-fjson")
            self.endless(child, 0.3)
            child.send_signal(sig)
            self.endless(child, 5)
            out, err = child.communicate(timeout=30)
            report = json.loads(out)
            self.assertIs(report["complete"], False)
            self.assertGreater(report["totals"]["keys"], 0)
            self.assertEqual(report["error"]["kind"], "interrupted")
            self.assertEqual(child.returncode, -sig)
            self.assertIn(b"interrupted", err)

    def test_old_report_stays_until_the_new_is_whole(self):
        """While a run writes, when it is killed, and when it cannot write on."""
        self.write("keys.csv", b"old")
        child = self.fifo_run("-fcsv", "-o", "keys.csv")
        self.endless(child, 0.5)
        new = [n for n in os.listdir(self.dir) if n != "keys.csv"]
        self.assertEqual(len(new), 1)
        self.assertGreater(os.path.getsize(self.path(new[0])), 0)
        self.assertEqual(self.read("keys.csv"), b"old")
        child.kill()
        child.communicate()
        self.assertEqual(self.read("keys.csv"), b"old")
        os.unlink(self.path(new[0]))
        self.write("d.rdb", r.dump(r.select(0), *(r.string(b"key:%06d" % i, b"x") for i in range(50000))))
        limit = lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
        done = subprocess.run([RDBMEM, "-q", "-fcsv", "-o", "keys.csv", "d.rdb"], cwd=self.dir, stderr=subprocess.PIPE, preexec_fn=limit)
        self.assertEqual((done.returncode, done.stderr), (1, b"rdbmem: keys.csv: cannot be written: File too large\n"))
        self.assertEqual(self.read("keys.csv"), b"old")
        self.assertEqual(sorted(os.listdir(self.dir)), ["d.rdb", "keys.csv"])

    def test_second_interrupt_leaves_nothing(self):
        child = self.fifo_run("-fjson", "-o", "x.json")
        self.endless(child, 0.2)
        time.sleep(0.3)             # it waits for input now and cannot look at the wish
        for _ in range(50):
            child.send_signal(signal.SIGINT)
            time.sleep(0.05)
            if child.poll() is not None:
                break
        self.assertEqual(child.wait(timeout=10), -signal.SIGINT)
        child.communicate()
        self.assertIn(os.listdir(self.dir), ([], ["x.json"]))

    def test_closed_pipe_is_quiet(self):
        self.write("d.rdb", r.dump(r.select(0), *(r.string(b"key:%06d" % i, b"x") for i in range(50000))))
        child = subprocess.Popen([RDBMEM, "-fcsv", "d.rdb"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.dir)
        child.stdout.readline()
        child.stdout.close()
        self.assertEqual(child.wait(timeout=30), -signal.SIGPIPE)
        self.assertEqual(child.stderr.read(), b"")
        child.stderr.close()


if __name__ == "__main__":
    unittest.main()
