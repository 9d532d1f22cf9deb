"""The completions of bash, zsh and fish, asked of these shells: every option, words, files."""
import os
import pty
import re
import select
import shlex
import subprocess
import tempfile
import time
import unittest

from clitest import CliTest

SHARE = os.environ.get("SHARE", os.path.abspath("build/share"))
BASH = os.path.join(SHARE, "bash-completion/completions/rdbmem")
ZSH = os.path.join(SHARE, "zsh/site-functions/_rdbmem")
FISH = os.path.join(SHARE, "fish/vendor_completions.d/rdbmem.fish")
ZSH_DUMP = tempfile.TemporaryDirectory(prefix="rdbmem-test-")  # what compinit found is the same in all tests
WORDBREAKS = " \t\n\"'><=;|&(:"

BASH_SCRIPT = r"""
. /usr/share/bash-completion/bash_completion
. "$1"
complete -p rdbmem >/dev/null || exit 1
while IFS= read -r COMP_LINE && mapfile -t -n "$COMP_LINE" COMP_WORDS && IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE} COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
    _rdbmem rdbmem "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>>errors
    printf '%s\n' "${COMPREPLY[@]}" ==
done
"""

# Each candidate goes to the file before zsh does with it what it wants. Nothing is run between the lines that are asked
# for: the terminal would swallow keys while zsh does not edit.
ZSH_SETUP = r"""
PROMPT= RPROMPT= ; unsetopt auto_list auto_menu menu_complete beep; setopt no_list_ambiguous
autoload -Uz compinit; fpath=(DIR $fpath); compinit -u -d DUMP
compadd() {
  if [[ " ${@[1,(i)(-|--)]} " == *\ -[a-zA-Z12]#[OAD]\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits; builtin compadd -A hits "$@"; print -rl -- $hits >>CANDIDATES; builtin compadd "$@"
}
next() { print '==' >>CANDIDATES; zle kill-whole-line }; zle -N next; bindkey '^T' next
quit() { print >end }; zle -N quit; bindkey '^Y' quit
zle-line-init() { print >ready }; zle -N zle-line-init
"""


def readline_words(line):
    """A command line as readline takes it apart."""
    words, word = [], ""
    for c in line:
        if c in " \t":
            if word:
                words.append(word)
            word = ""
        elif c in WORDBREAKS:
            if word and word[-1] not in WORDBREAKS:
                words.append(word)
                word = ""
            word += c
        else:
            if word and word[-1] in WORDBREAKS:
                words.append(word)
                word = ""
            word += c
    if word and word[-1] in WORDBREAKS and line[-1] in WORDBREAKS[3:]:
        words.append(word)
        word = ""
    return words + [word]


def blocks(text):
    return [[line for line in block.split("\n") if line] for block in text.split("==\n")[:-1]]


def by_bash(path, cwd, lines):
    asked = ""
    for line in lines:
        words = readline_words(line)
        asked += "%d\n%s\n%s\n" % (len(words), "\n".join(words), line)
    done = subprocess.run(["bash", "--norc", "-c", BASH_SCRIPT, "bash", path], input=asked, stdout=subprocess.PIPE,
                          cwd=cwd, universal_newlines=True, timeout=60, check=True)
    return [{c.rstrip() for c in block} for block in blocks(done.stdout)]


def by_fish(path, cwd, lines):
    script = "source $argv[1]\nfor line in $argv[2..]\ncomplete -C $line\necho ==\nend\n"
    with open(os.path.join(cwd, "ask.fish"), "w", encoding="utf-8") as f:
        f.write(script)
    environment = dict(os.environ, HOME=cwd, XDG_CONFIG_HOME=cwd, XDG_DATA_HOME=cwd, LC_ALL="C.UTF-8")
    done = subprocess.run(["fish", "--no-config", "ask.fish", path, *lines], stdout=subprocess.PIPE, cwd=cwd,
                          env=environment, universal_newlines=True, timeout=120, check=True)
    return [{c.split("\t")[0] for c in block} for block in blocks(done.stdout)]


class Terminal:
    """A program that has a terminal, in a directory of its own."""

    def __init__(self, argv, cwd):
        self.name, self.cwd, self.said = argv[0], cwd, b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.environ.update(TERM="dumb", HOME=cwd, ZDOTDIR=cwd, LC_ALL="C.UTF-8")
            os.execvp(argv[0], argv)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)
        os.waitpid(self.pid, 0)

    def type(self, text, until, seconds=60):
        """Until the file of that name is there."""
        deadline, rest = time.monotonic() + seconds, text.encode()
        while not os.path.exists(os.path.join(self.cwd, until)):
            if time.monotonic() > deadline:
                raise AssertionError("%s makes no %s:\n%s" % (self.name, until, self.said.decode(errors="replace")))
            readable, writable, _ = select.select([self.fd], [self.fd] if rest else [], [], 0.05)
            if readable:
                self.said += os.read(self.fd, 65536)
            elif writable:
                rest = rest[os.write(self.fd, rest[:200]):]


def by_zsh(path, cwd, lines):
    out = os.path.join(cwd, "candidates")
    with open(os.path.join(cwd, "setup.zsh"), "w", encoding="utf-8") as f:
        f.write(ZSH_SETUP.replace("DIR", shlex.quote(os.path.dirname(path))).replace("CANDIDATES", shlex.quote(out))
                .replace("DUMP", shlex.quote(os.path.join(ZSH_DUMP.name, "zcompdump"))))
    with Terminal(["zsh", "-f", "-i"], cwd) as terminal:
        terminal.type(". ./setup.zsh\n", "ready")
        terminal.type("".join(line + "\t\x14" for line in lines) + "\x19", "end")
    with open(out, encoding="utf-8") as f:
        found = [set(block) for block in blocks(f.read())]
    for name in ("candidates", "ready", "end"):
        os.remove(os.path.join(cwd, name))
    return found


class Shell:
    """The tests; a shell is a subclass with its script and the function that asks it."""
    script = ask = None

    def setUp(self):
        super().setUp()
        text = self.run_rdbmem("--help")[0].decode()
        self.options = re.findall(r"^ {2}(?:-(\w),|   ) --([\w-]+)(\S*)", text, re.M)
        self.assertGreater(len(self.options), 40)
        self.listed = dict(re.findall(r"^ +(?:-\w, )?--(format|big-preset)=.*\n((?:(?! +--| {10}).*\n| {26}.*\n)+)", text, re.M))
        for name in ("dump.rdb", "dumb.txt"):
            self.write(name, b"")
        os.mkdir(self.path("sub"))
        self.write("sub/keys.csv", b"")

    def candidates(self, *lines, script=None):
        found = type(self).ask(script or self.script, self.dir, list(lines))
        self.assertEqual(len(found), len(lines))
        return [{c.replace("\\", "") for c in some} for some in found]  # > is quoted for the shell

    def missing(self, script=None):
        found = {c.rstrip("=") for c in self.candidates("rdbmem --", script=script)[0]}
        names = {"--" + name for _, name, _ in self.options}
        self.assertEqual(found - names, set() if script is None else {"--slotless"})
        return names - found

    def test_every_option(self):
        self.assertEqual(self.missing(), set())

    def test_a_missing_option_is_noticed(self):
        with open(self.script, encoding="utf-8") as f:
            text = f.read()
        os.mkdir(self.path("other"))
        script = os.path.join(self.dir, "other", os.path.basename(self.script))
        with open(script, "w", encoding="utf-8") as f:
            f.write(re.sub(r"\bslots\b(?!\])", "slotless", text))
        self.assertEqual(self.missing(script), {"--slots"})

    def test_letters(self):
        letters = {"-" + letter for letter, _, _ in self.options if letter}
        self.assertGreater(len(letters), 3)
        self.assertLessEqual(letters, self.candidates("rdbmem -")[0])

    def said_by_error(self, option):
        """The words that the option's own complaint names."""
        err = self.run_rdbmem("--%s=no such word" % option, "d", status=2)[1].decode()
        return set(re.findall(r"[\w-]+", re.search(r"is not (.*); try", err)[1])) - {"or"}

    def test_words(self):
        options = ["load-as", "on-error", "escape", "allocator", "color", "progress"]
        for option, found in zip(options, self.candidates(*("rdbmem --%s=" % o for o in options))):
            found = {c.split("=")[-1] for c in found}
            self.assertLessEqual(self.said_by_error(option), found, option)
            self.assertGreater(len(found), 1)

    def test_lists_of_help(self):
        for option in ("format", "big-preset"):
            words = set(re.findall(r"^ {8}(\S+)", self.listed[option], re.M))
            self.assertGreater(len(words), 5)
            self.assertEqual(self.candidates("rdbmem --%s " % option)[0], words)

    def test_targets(self):
        found = self.candidates("rdbmem --target redis:7.", "rdbmem --target=valkey:9", "rdbmem --target va")
        self.assertEqual({c.split(":")[-1] for c in found[0]}, {"7.0", "7.2", "7.4"})
        self.assertEqual({c.split(":")[-1] for c in found[1]}, {"9.0", "9.1"})
        self.assertLessEqual({"valkey:8.0"}, found[2])

    def test_values_that_go_on(self):
        found = self.candidates("rdbmem --config hash-max-listpack-e", "rdbmem --fail-on used", "rdbmem --fail-on pre")
        self.assertEqual(found[0], {"hash-max-listpack-entries="})
        self.assertEqual(found[1], {"used-memory>"})
        self.assertEqual(found[2], {"prefix:"})

    def test_files(self):
        lines = ["rdbmem du", "rdbmem -q --top 3 du", "rdbmem -o du", "rdbmem --redis-conf du", "rdbmem --allow du"]
        for line, found in zip(lines, self.candidates(*lines)):
            self.assertEqual(found, {"dump.rdb", "dumb.txt"}, line)

    def test_file_of_format(self):
        for line in ("rdbmem -f csv:du", "rdbmem --format=json:du"):
            found = {c.split(":")[-1] for c in self.candidates(line)[0]}
            self.assertEqual(found, {"dump.rdb", "dumb.txt"}, line)

    def test_nothing_to_offer(self):
        self.assertEqual(self.candidates("rdbmem --top ", "rdbmem --key ", "rdbmem --rebuild-limit="), [set()] * 3)


class Bash(Shell, CliTest):
    script, ask = BASH, staticmethod(by_bash)

    def test_typed(self):
        """A real command line: what stands in it after the key Tab."""
        line = self.path("line")
        setup = ("PS1= ; . /usr/share/bash-completion/bash_completion; . %s\n" % shlex.quote(BASH) +
                 "rdbmem() { printf '%%s\\n' \"$*\" >>%s; }\n" % shlex.quote(line))
        typed = ("rdbmem --targ\tvalkey:9.\t1", "rdbmem --redis-c\tdump\t", "rdbmem --config hash-max-listpack-e\t5",
                 "rdbmem -f cs\t-o x dump\t", "rdbmem --format=ndj\tdump\t", "rdbmem -f csv:dump\t dump.rdb",
                 "rdbmem --fail-on used\t10G")
        with Terminal(["bash", "--norc", "--noprofile", "-i"], self.dir) as terminal:
            terminal.type(setup + "".join(t + "\n" for t in typed) + "echo >end\n", "end")
        with open(line, encoding="utf-8") as f:
            self.assertEqual([text.strip() for text in f], [
                "--target=valkey:9.1", "--redis-conf=dump.rdb", "--config hash-max-listpack-entries=5",
                "-f csv -o x dump.rdb", "--format=ndjson dump.rdb", "-f csv:dump.rdb dump.rdb",
                "--fail-on used-memory>10G"], terminal.said)


class Zsh(Shell, CliTest):
    script, ask = ZSH, staticmethod(by_zsh)


class Fish(Shell, CliTest):
    script, ask = FISH, staticmethod(by_fish)


if __name__ == "__main__":
    unittest.main()
