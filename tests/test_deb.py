"""scripts/package.sh makes a .deb that lintian accepts, and that dpkg installs and takes away again."""
import os
import re
import subprocess
import time
import unittest

from clitest import CliTest, RDBMEM

BUILD = os.environ.get("BUILD_DIR", os.path.abspath("build"))
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DUMP = os.path.join(ROOT, "testdata/redis-7.2-mix.rdb")
FILES = {
    "./usr/bin/rdbmem",
    "./usr/share/bash-completion/completions/rdbmem",
    "./usr/share/doc/rdbmem/changelog.gz",
    "./usr/share/doc/rdbmem/copyright",
    "./usr/share/fish/vendor_completions.d/rdbmem.fish",
    "./usr/share/man/man1/rdbmem.1.gz",
    "./usr/share/zsh/vendor-completions/_rdbmem",
}
# lintian's hints about the machine it runs on
ALLOWED = re.compile(r"running with root privileges is not recommended")


def run(*argv, status=0):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, timeout=300,
                          env=dict(os.environ, LC_ALL="C.UTF-8", DEBIAN_FRONTEND="noninteractive"), check=False)
    assert done.returncode == status, (argv, done.returncode, done.stdout)
    return done.stdout


def installed():
    done = subprocess.run(["dpkg-query", "-W", "-f=${db:Status-Status}", "rdbmem"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return done.stdout == b"installed"


def dpkg(*args):
    """Waits for another dpkg to end."""
    for left in range(30, -1, -1):
        try:
            return run("dpkg", *args)
        except AssertionError as e:
            if "lock" not in str(e) or left == 0:
                raise
            time.sleep(2)


class Deb(CliTest):
    @classmethod
    def setUpClass(cls):
        cls.deb = run(os.path.join(ROOT, "scripts/package.sh"), BUILD).strip()
        cls.version = run(RDBMEM, "--version").split()[1]

    def field(self, name):
        return run("dpkg-deb", "-f", self.deb, name).strip()

    def test_lintian(self):
        said = run("lintian", "--fail-on", "error,warning", self.deb)
        self.assertEqual([line for line in said.splitlines() if not ALLOWED.search(line)], [])

    def test_files(self):
        found = set()
        for line in run("dpkg-deb", "-c", self.deb).splitlines():
            mode, owner, _, _, _, name = line.split()
            self.assertEqual(owner, "root/root")
            if mode[0] == "-":
                self.assertEqual(mode, "-rwxr-xr-x" if name.startswith("./usr/bin/") else "-rw-r--r--", name)
                found.add(name)
        self.assertEqual(found, FILES)

    def test_fields(self):
        self.assertEqual(self.field("Version"), self.version)
        self.assertEqual(self.field("Recommends"), "libjemalloc2")
        self.assertEqual(self.field("Section"), "database")
        self.assertGreater(len(self.field("Description").splitlines()), 3)
        libraries = {d.split()[0] for d in self.field("Depends").split(", ")}
        needed = set(re.findall(r"\[lib([a-z0-9]+?)(?:-8)?\.so", run("readelf", "-d", RDBMEM))) - {"m"}
        self.assertEqual(len(libraries), len(needed), (libraries, needed))

    def test_contents(self):
        run("dpkg-deb", "-x", self.deb, self.dir)
        share = self.path("usr/share")
        self.assertEqual(run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z",
                             share + "/man/man1/rdbmem.1.gz").count("warning"), 0)
        changelog = run("zcat", share + "/doc/rdbmem/changelog.gz")
        self.assertTrue(changelog.startswith("rdbmem (%s) " % self.version))
        self.assertEqual(run("dpkg-parsechangelog", "-l", self.write("changelog", changelog.encode()), "-S", "Version").strip(),
                         self.version)
        with open(ROOT + "/LICENSE", encoding="utf-8") as f:
            permission = f.read().split()[-20:]
        with open(share + "/doc/rdbmem/copyright", encoding="utf-8") as f:
            self.assertEqual(f.read().split()[-20:], permission)
        self.assertNotIn(".symtab", run("readelf", "-S", self.path("usr/bin/rdbmem")))

    @unittest.skipUnless(os.geteuid() == 0, "only root can install a package")
    @unittest.skipIf(installed(), "a package rdbmem is installed here: it stays as it is")
    def test_installed_and_removed(self):
        self.addCleanup(subprocess.run, ["dpkg", "--purge", "--force-all", "rdbmem"], stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL, check=False)
        dpkg("-i", "--path-include=/usr/share/*", self.deb)  # also where an image leaves such files out
        self.assertTrue(installed())
        want = self.run_rdbmem("-q", "-fjson", DUMP)[0].decode()
        self.assertEqual(run("/usr/bin/rdbmem", "-q", "-fjson", DUMP), want)
        self.assertEqual(run("man", "-w", "rdbmem").strip(), "/usr/share/man/man1/rdbmem.1.gz")
        self.assertEqual(run("dpkg", "--verify", "rdbmem"), "")
        dpkg("-r", "rdbmem")
        self.assertFalse(installed())
        for name in FILES:
            self.assertFalse(os.path.exists(name[1:]), name)


if __name__ == "__main__":
    unittest.main()
