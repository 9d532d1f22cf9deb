"""--rebuild: what the slab model says against the real jemalloc of this machine."""
import json
import os
import subprocess
import unittest

from clitest import CliTest
import rdbfile as r

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TESTDATA = os.environ.get("TESTDATA", os.path.join(ROOT, "testdata"))
RDBGEN = os.environ.get("RDBGEN")
MIX = os.path.join(TESTDATA, "redis-7.2-mix.rdb")
BOUND = 0.01
SLACK = 64 << 10  # bytes of slabs that tables held while they grew: the model does not follow a block to its slab
HOUR = 3600 * 1000


def expiring(n):
    """Keys of some sizes; each hour of two days some expire."""
    return [r.expire(r.CTIME * 1000 + (1 + i % 48) * HOUR) + r.string(b"k:%d" % i, b"v" * (i * 7919 % 1500))
            for i in range(n)]


class Rebuild(CliTest):
    @classmethod
    def setUpClass(cls):
        scratch = cls("run_rdbmem")
        scratch.setUp()
        scratch.write("d.rdb", r.dump(r.select(0), r.string(b"a", b"b")))
        done = subprocess.run([os.path.abspath(os.environ.get("RDBMEM", "build/rdbmem")), "--rebuild", "d.rdb"],
                              cwd=scratch.dir, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        scratch.doCleanups()
        if done.returncode == 2:
            raise unittest.SkipTest("no jemalloc to compare with: %s" % done.stderr.decode().strip())

    def rebuild(self, *args, path="d.rdb", data=None):
        out, _ = self.run_rdbmem("-q", "-fjson", "--rebuild", *args, "-" if data is not None else path, data=data)
        return json.loads(out)

    def assertAgrees(self, report, bound=BOUND):
        steps = report["rebuild"]["steps"]
        self.assertGreater(steps[0]["allocated"], 0)
        for s in steps:
            self.assertLessEqual(abs(s["allocated"] - s["model_allocated"]), bound * s["model_allocated"], s)
            self.assertLessEqual(abs(s["active"] - s["model_active"]), max(bound * s["model_active"], SLACK), s)
            if s["model_active"]:
                self.assertAlmostEqual(s["difference"], s["active"] / s["model_active"] - 1, places=5)
            self.assertGreaterEqual(s["resident"], s["active"])
        return steps

    def test_mix(self):
        for target in ("redis:2.8", "redis:7.2", "redis:8.8", "valkey:8.1", "valkey:9.1"):
            report = self.rebuild("--target=" + target, path=MIX)
            with self.subTest(target=target):
                self.assertAgrees(report)
                self.assertRegex(report["rebuild"]["allocator_version"], r"^5\.\d+\.\d+$")
                self.assertEqual(report["rebuild"]["keys"], report["totals"]["keys"])
                self.assertTrue(report["rebuild"]["complete"])

    def test_same_whatever_the_allocator(self):
        """The comparison is with the library's model, of requests that hardly depend on the target's allocator."""
        for allocator in ("jemalloc", "jemalloc-q16", "libc", "tcmalloc", "prefix"):
            with self.subTest(allocator=allocator):
                self.assertAgrees(self.rebuild("--allocator=" + allocator, path=MIX))

    def test_q16_is_what_the_target_would_have(self):
        report = self.rebuild("--allocator=jemalloc-q16", path=MIX)
        whole = report["ledger"]["keys"] + report["ledger"]["keyspace"] + report["ledger"]["functions"]
        self.assertLess(abs(report["rebuild"]["steps"][0]["allocated"] / whole - 1), 0.002)

    def test_horizons(self):
        self.write("d.rdb", r.dump(r.select(0), *expiring(20000)))
        report = self.rebuild("--horizon=12h", "--horizon=24h", "--horizon=47h", "--horizon=all")
        steps = self.assertAgrees(report)
        self.assertEqual([s["horizon_seconds"] for s in steps], [0, 12 * 3600, 24 * 3600, 47 * 3600, None])
        active = [s["active"] for s in steps]
        self.assertEqual(active, sorted(active, reverse=True))
        self.assertLess(active[-1], active[0] / 4)

    def test_random_deletion_is_near_its_expectation(self):
        self.write("d.rdb", r.dump(r.select(0), *(r.string(b"k:%d" % i, b"v" * 700) for i in range(20000))))
        report = self.rebuild("--then-delete=80%", "--then-delete=30%", "--horizon=1h")
        steps = report["rebuild"]["steps"]
        self.assertEqual([s["deleted_percent"] for s in steps], [0, 0, 30, 80])
        self.assertAgrees(report, 0.03)
        self.assertLess(steps[3]["active"], steps[2]["active"])

    def test_bins(self):
        self.write("d.rdb", r.dump(r.select(0), *expiring(3000)))
        rebuild = self.rebuild("--horizon=24h")["rebuild"]
        self.assertGreater(len(rebuild["bins"]), 10)
        for b in rebuild["bins"]:
            self.assertEqual(len(b["regions"]), len(rebuild["steps"]))
            self.assertEqual(b["regions"], b["model_regions"], b)
            for have, model in zip(b["slabs"], b["model_slabs"]):
                self.assertLessEqual(abs(have - model), 1, b)

    def test_pipe(self):
        data = r.dump(r.select(0), *expiring(3000))
        self.write("d.rdb", data)
        whole, piped = self.rebuild(), self.rebuild(data=data)
        self.assertEqual(piped["rebuild"], whole["rebuild"])

    def test_sample(self):
        self.write("d.rdb", r.dump(r.select(0), *expiring(20000)))
        whole, part = self.rebuild(), self.rebuild("--rebuild-sample=1/8")
        self.assertAgrees(part)
        self.assertEqual(part["rebuild"]["sample_one_in"], 8)
        self.assertAlmostEqual(part["rebuild"]["keys"], 20000 / 8, delta=300)
        without_tables = whole["rebuild"]["steps"][0]["allocated"] - whole["ledger"]["keyspace"]
        self.assertLess(abs(part["rebuild"]["steps"][0]["allocated"] / without_tables - 1), 0.15)

    def test_limit_known_before(self):
        data = r.dump(r.select(0), *expiring(3000))
        self.write("d.rdb", data)
        self.fails("--rebuild", "--rebuild-limit=1M", "d.rdb", status=2, says=b"--rebuild needs ")
        self.assertEqual(os.listdir(self.dir), ["d.rdb"])
        _, err = self.run_rdbmem("--rebuild", "--rebuild-limit=1G", "-o", "out.txt", "d.rdb")
        self.assertIn(b"--rebuild takes about", err)

    def test_limit_reached_midway(self):
        data = r.dump(r.select(0), *expiring(3000))
        report = self.rebuild("--rebuild-limit=1M", data=data)
        self.assertAgrees(report)
        self.assertFalse(report["rebuild"]["complete"])
        self.assertLess(report["rebuild"]["keys"], 3000)
        self.assertLessEqual(report["rebuild"]["steps"][0]["allocated"], 1 << 20)
        self.assertTrue(any("reached its limit" in n for n in report["notes"]), report["notes"])
        self.assertEqual(report["totals"]["keys"], 3000)

    def test_several_dumps(self):
        self.write("a.rdb", r.dump(r.select(0), *expiring(300)))
        self.write("b.rdb", r.dump(r.select(0), *expiring(600)))
        out, _ = self.run_rdbmem("-q", "-fjson", "--rebuild", "a.rdb", "b.rdb")
        files = json.loads(out)["files"]
        self.assertEqual([f["rebuild"]["keys"] for f in files], [300, 600])
        for f in files:
            self.assertAgrees(f)
        out, _ = self.run_rdbmem("-q", "--rebuild", "a.rdb", "b.rdb")
        self.assertIn(b"Rebuilt: a.rdb", out)

    def test_text_and_nothing_unasked(self):
        out, err = self.run_rdbmem("--rebuild", MIX)
        self.assertIn("Rebuilt", out.decode())
        self.assertRegex(out.decode(), r"after load .* [+-]0\.0\d %")
        self.assertIn(b"takes about", err)
        out, err = self.run_rdbmem(MIX)
        self.assertNotIn("Rebuilt", out.decode())
        self.assertEqual(err, b"")
        self.assertNotIn("rebuild", json.loads(self.run_rdbmem("-fjson", MIX)[0]))

    def test_wrong_use(self):
        self.write("d.rdb", r.dump())
        for args, says in ((["--rebuild-limit=0"], b"--rebuild-limit"), (["--rebuild-sample=16"], b"--rebuild-sample"),
                           (["--rebuild-sample=1/0"], b"--rebuild-sample"),
                           (["--rebuild-sample=1/20000"], b"--rebuild-sample")):
            self.fails(*args, "d.rdb", status=2, says=says)

    @unittest.skipUnless(RDBGEN, "no rdbgen")
    def test_generated(self):
        for mix in ("small", "mixed"):
            subprocess.run([RDBGEN, "--mix=" + mix, "--keys=4000", "--seed=7", "-o", self.path("g.rdb")], check=True)
            with self.subTest(mix=mix):
                self.assertAgrees(self.rebuild(path="g.rdb"))


if __name__ == "__main__":
    unittest.main()
