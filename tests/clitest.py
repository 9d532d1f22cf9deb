"""Running rdbmem in a scratch directory, and unittest's verdict as an exit status."""
import os
import subprocess
import tempfile
import unittest

RDBMEM = os.path.abspath(os.environ.get("RDBMEM", "build/rdbmem"))
RDBGEN = os.environ.get("RDBGEN", "build/bench/rdbgen")


class CliTest(unittest.TestCase):
    def setUp(self):
        self._scratch = tempfile.TemporaryDirectory(prefix="rdbmem-test-")
        self.addCleanup(self._scratch.cleanup)
        self.dir = self._scratch.name

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    @staticmethod
    def difference(a, b):
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        return "byte %d of %d and %d: %r, %r" % (at, len(a), len(b), a[max(at - 60, 0):at + 60], b[max(at - 60, 0):at + 60])

    def run_rdbmem(self, *args, status=0, data=None, env=None):
        """Standard output and standard error; the exit status must be as said."""
        environment = dict(os.environ, **{"LC_ALL": "C", "TERM": "xterm", **(env or {})})
        if "COLUMNS" not in (env or {}):
            environment.pop("COLUMNS", None)
        done = subprocess.run([RDBMEM, *args], input=data, stdin=None if data is not None else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.dir, env=environment, timeout=60)
        self.assertEqual(done.returncode, status, (args, done.stderr))
        return done.stdout, done.stderr

    def fails(self, *args, status, says, data=None):
        """One line on standard error that contains says, nothing on standard output."""
        out, err = self.run_rdbmem(*args, status=status, data=data)
        self.assertEqual(out, b"")
        self.assertEqual(err.count(b"\n"), 1, err)
        self.assertTrue(err.startswith(b"rdbmem: "), err)
        self.assertIn(says, err)
        if status == 2:
            self.assertIn(b"try --help", err)
        return err


class CrewTest(CliTest):
    """Reports that several threads make, which are those of one."""
    CREWS = () # threads, and bytes for each at a time

    def one(self, *args, data=None):
        done = subprocess.run([RDBMEM, *args], cwd=self.dir, input=data, stdin=None if data is not None else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, env=dict(os.environ, LC_ALL="C"))
        return done.returncode, done.stdout, done.stderr

    def same(self, *args, crews=None, data=None):
        """Exit status, standard output and standard error, after they have been seen to be those of each crew."""
        args = ("--now=1790000000", *args)
        expected = self.one("--threads=1", *args, data=data)
        for threads, stretch in crews or self.CREWS:
            found = self.one("--threads=%d" % threads, "--stretch=%d" % stretch, *args, data=data)
            self.assertEqual(found[0::2], expected[0::2], (threads, stretch, args))
            self.assertTrue(found[1] == expected[1], (threads, stretch, args, self.difference(expected[1], found[1])))
        return expected

    def generated(self, name, *options):
        """What the generator makes of the options, in a file of this name."""
        subprocess.run([RDBGEN, *options, "-o", self.path(name)], check=True)
        return self.read(name)
