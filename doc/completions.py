#!/usr/bin/env python3
"""Writes the completions of bash, zsh and fish from what heaptop --help lists, which is
made from the table of options (src/args_table.c).

    doc/completions.py                    says which of doc/completions are out of date
    doc/completions.py --write [HEAPTOP]  writes them; HEAPTOP is build/heaptop
"""
import collections
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
NOTE = "# Written by doc/completions.py from heaptop --help."
OPTION = re.compile(r"^  (?:-(\w), |    )--([\w-]+)(?:(\[=| )(\S+?)\]?)?(?:\s{2,}(.*))?$")
# Words that stand for an argument in --help, and what may be typed there.
WORDS = {"FORMAT": "text json csv openmetrics", "SETS": "kinds classes all",
         "SECS|off": "auto off"}
FILES = ("FILE",)
Option = collections.namedtuple("Option", "letter name argument is_optional help")


def names_in(table, macro):
    with open(os.path.join(SOURCE, table), encoding="utf-8") as file:
        return re.findall(r"^%s\((\w+)\)" % macro, file.read(), re.MULTILINE)


def options(text):
    """The options of --help; a help text that goes on in the next line is joined."""
    found = []
    for line in text.split("\n"):
        match = OPTION.match(line)
        if match:
            letter, name, joint, argument, words = match.groups()
            found.append(Option(letter, name, argument, joint == "[=", words or ""))
        elif found and re.match(r"^ {20,}\S", line):
            found[-1] = found[-1]._replace(help=(found[-1].help + " " + line.strip()).strip())
    return found


def choices(option):
    """The words that an option takes, or []."""
    if option.name == "pane":
        return names_in("tui/panes.def", "PANE")
    if option.argument in WORDS:
        return WORDS[option.argument].split()
    if option.argument and re.fullmatch(r"[a-z]+(\|[a-z]+)+", option.argument):
        return option.argument.split("|")
    return []


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def bash(rows):
    cases = []
    for row in rows:
        if not row.argument or row.is_optional:
            continue
        names = ("-%s | " % row.letter if row.letter else "") + "--" + row.name
        if choices(row):
            cases.append("    %s)\n        COMPREPLY=($(compgen -W '%s' -- \"$word\"))\n"
                         "        return\n        ;;" % (names, " ".join(choices(row))))
        elif row.argument in FILES:
            cases.append("    %s)\n        COMPREPLY=($(compgen -f -- \"$word\"))\n"
                         "        return\n        ;;" % names)
        else:
            cases.append("    %s)\n        return\n        ;;" % names)
    words = " ".join("--" + row.name for row in rows)
    return "\n".join([
        "# shellcheck shell=bash disable=SC2207", NOTE, "_heaptop() {",
        "    local word=$2 before=$3", "    case $before in", *cases, "    esac",
        "    if [[ $word == -* ]]; then",
        "        COMPREPLY=($(compgen -W '%s' -- \"$word\"))" % words, "    else",
        "        COMPREPLY=($(compgen -W \"$(pgrep -f python)\" -- \"$word\"))", "    fi", "}",
        "complete -F _heaptop heaptop", ""])


def zsh_row(row):
    words = re.sub(r"([\[\]:\\])", r"\\\1", row.help)
    if not row.argument:
        action = ""
    elif choices(row):
        action = ":%s:(%s)" % (row.argument.replace("|", " "), " ".join(choices(row)))
    elif row.argument in FILES:
        action = ":%s:_files" % row.argument
    else:
        action = ":%s: " % re.sub(r"([\[\]:\\])", r"\\\1", row.argument)
    if row.is_optional:
        action = ":" + action
    equals = "=" if row.argument and not row.is_optional else "=-" if row.is_optional else ""
    lines = ["    %s" % quoted("--%s%s[%s]%s" % (row.name, equals, words, action))]
    if row.letter:
        lines.insert(0, "    %s" % quoted("-%s[%s]%s" % (row.letter, words, action)))
    return " \\\n".join(lines)


def zsh(rows):
    return "\n".join(["#compdef heaptop", NOTE, "_arguments -s \\",
                      " \\\n".join(zsh_row(row) for row in rows) + " \\",
                      "    '(-)--[start a program]:*:::program:_normal' \\",
                      "    '1:process:_pids'", ""])


def fish(rows):
    lines = [NOTE, "complete -c heaptop -f -a '(__fish_complete_pids)'"]
    for row in rows:
        line = "complete -c heaptop -l %s" % row.name
        if row.letter:
            line += " -s %s" % row.letter
        if row.argument and not row.is_optional:
            line += " -r" + (" -F" if row.argument in FILES else " -f")
        if choices(row):
            line += " -a " + quoted(" ".join(choices(row)))
        lines.append("%s -d %s" % (line, quoted(row.help).replace("\\''", "'\\''")
                                   if "'" not in row.help
                                   else '"%s"' % row.help.replace('"', '\\"')))
    return "\n".join(lines + [""])


def written(program):
    """{path: text} of all completions."""
    text = subprocess.run([program, "--help"], stdout=subprocess.PIPE, check=True,
                          stdin=subprocess.DEVNULL).stdout.decode()
    rows = options(text)
    return {os.path.join(HERE, "completions", name): make(rows)
            for name, make in (("heaptop", bash), ("_heaptop", zsh), ("heaptop.fish", fish))}


def main():
    is_writing = sys.argv[1:2] == ["--write"]
    program = sys.argv[-1] if len(sys.argv) > 1 + is_writing else os.path.join(
        SOURCE, "build", "heaptop")
    is_old = False
    for path, text in written(program).items():
        if is_writing:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        elif not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
            print("%s is out of date" % path)
            is_old = True
    return 1 if is_old else 0


if __name__ == "__main__":
    sys.exit(main())
