"""cmake --install puts the program, its manual page and the completions where a system looks for them."""
import os
import subprocess
import unittest

from clitest import CliTest, RDBMEM

BUILD = os.environ.get("BUILD_DIR", os.path.abspath("build"))
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = {
    "bin/rdbmem": 0o755,
    "share/man/man1/rdbmem.1": 0o644,
    "share/bash-completion/completions/rdbmem": 0o644,
    "share/zsh/site-functions/_rdbmem": 0o644,
    "share/fish/vendor_completions.d/rdbmem.fish": 0o644,
    "share/doc/rdbmem/LICENSE": 0o644,
}


class Install(CliTest):
    def setUp(self):
        super().setUp()
        self.prefix = self.path("usr")
        for component in ("program", "plain"):
            subprocess.run(["cmake", "--install", BUILD, "--prefix", self.prefix, "--component", component],
                           stdout=subprocess.DEVNULL, check=True, timeout=60)

    def ask(self, *argv, **environment):
        done = subprocess.run(argv, stdout=subprocess.PIPE, universal_newlines=True, timeout=60, check=True, cwd=self.dir,
                              env=dict(os.environ, HOME=self.dir, LC_ALL="C.UTF-8", **environment))
        return done.stdout.strip()

    def test_files(self):
        found = {}
        for directory, _, names in os.walk(self.prefix):
            for name in names:
                path = os.path.join(directory, name)
                found[os.path.relpath(path, self.prefix)] = os.stat(path).st_mode & 0o7777
        self.assertEqual(found, FILES)

    def test_program(self):
        dump = os.path.join(ROOT, "testdata/redis-7.2-mix.rdb")
        program = os.path.join(self.prefix, "bin/rdbmem")
        self.assertEqual(self.ask(program, "-q", "-fjson", dump), self.ask(RDBMEM, "-q", "-fjson", dump))

    def test_man_finds_it(self):
        page = os.path.join(self.prefix, "share/man/man1/rdbmem.1")
        self.assertEqual(self.ask("man", "-M", os.path.join(self.prefix, "share/man"), "-w", "rdbmem"), page)

    def test_bash_finds_it(self):
        said = self.ask("bash", "--norc", "-c", ". /usr/share/bash-completion/bash_completion; _completion_loader rdbmem;"
                        "complete -p rdbmem", XDG_DATA_DIRS=os.path.join(self.prefix, "share"))
        self.assertEqual(said, "complete -F _rdbmem rdbmem")

    def test_zsh_finds_it(self):
        said = self.ask("zsh", "-f", "-c", "fpath=(%s/share/zsh/site-functions $fpath); autoload -Uz compinit;"
                        "compinit -u -D; print $_comps[rdbmem]" % self.prefix)
        self.assertEqual(said, "_rdbmem")

    def test_fish_finds_it(self):
        said = self.ask("fish", "-c", "complete -C 'rdbmem --slot'", XDG_DATA_DIRS=os.path.join(self.prefix, "share"),
                        XDG_CONFIG_HOME=self.dir, XDG_DATA_HOME=self.dir,
                        PATH=os.path.join(self.prefix, "bin") + ":" + os.environ["PATH"])
        self.assertEqual({line.split("\t")[0] for line in said.splitlines()}, {"--slot", "--slots"})


if __name__ == "__main__":
    unittest.main()
