"""Running rdbmem in a scratch directory, and unittest's verdict as an exit status."""
import os
import subprocess
import tempfile
import unittest

RDBMEM = os.path.abspath(os.environ.get("RDBMEM", "build/rdbmem"))


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
