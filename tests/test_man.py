"""rdbmem(1): no complaint of groff and mandoc, and every option, format and preset of --help is in it."""
import os
import re
import subprocess
import unittest

from clitest import CliTest

SHARE = os.environ.get("SHARE", os.path.abspath("build/share"))
PAGE = os.path.join(SHARE, "man/man1/rdbmem.1")


def run(*argv, **environment):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60,
                          env=dict(os.environ, LC_ALL="C.UTF-8", **environment), check=False)
    return done.returncode, done.stdout, done.stderr


def rendered(page):
    """As a terminal shows it, without overstrikes and with whole words."""
    status, out, err = run("mandoc", "-T", "utf8", "-O", "width=160", page)
    assert status == 0, err
    return re.sub(".\b", "", out)


class Man(CliTest):
    def test_groff(self):
        # As lintian calls it, and with all of groff's warnings.
        self.assertEqual(run("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", PAGE, MANWIDTH="80")[::2], (0, ""))
        self.assertEqual(run("groff", "-ww", "-mandoc", "-Tutf8", "-Z", PAGE)[::2], (0, ""))

    def test_mandoc(self):
        self.assertEqual(run("mandoc", "-T", "lint", "-W", "warning", PAGE), (0, "", ""))

    def absent(self, page):
        """The options of --help that have no paragraph."""
        text = rendered(page)
        out = self.run_rdbmem("--help")[0].decode()
        options = re.findall(r"^ {2}(?:-(\w),|   ) --([\w-]+)(\S*)", out, re.M)
        self.assertGreater(len(options), 40)
        tags = ["%s--%s%s" % ("-%s, " % letter if letter else "", name, arg) for letter, name, arg in options]
        return {tag for tag in tags if not re.search(r"^ +%s( |$)" % re.escape(tag), text, re.M)}

    def test_options(self):
        self.assertEqual(self.absent(PAGE), set())

    def test_a_missing_option_is_noticed(self):
        with open(PAGE, encoding="utf-8") as f:
            text = f.read().replace("\\fB\\-\\-slots\\fR", "\\fB\\-\\-slotless\\fR")
        self.assertEqual(self.absent(self.write("rdbmem.1", text.encode())), {"--slots"})

    def test_lists(self):
        text = rendered(PAGE)
        words = re.findall(r"^ {8}(\S+) ", self.run_rdbmem("--help")[0].decode(), re.M)
        self.assertGreater(len(words), 10)
        for word in words:
            self.assertRegex(text, r"(?m)^ +%s( |$)" % re.escape(word))

    def test_status_and_version(self):
        text = rendered(PAGE)
        for status in range(4):
            self.assertRegex(text, r"(?m)^ +%d {3}" % status)
        version = self.run_rdbmem("--version")[0].decode().strip()
        self.assertIn(version, text.splitlines()[-1])
        self.assertNotIn("@", text)

    def test_name_for_apropos(self):
        self.assertRegex(rendered(PAGE), r"(?m)^ +rdbmem [-–] memory report")


if __name__ == "__main__":
    unittest.main()
