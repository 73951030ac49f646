#!/usr/bin/env python3
"""Writes the KEYS section of heaptop.1 from tui/commands.def.

    doc/keys.py            prints the section
    doc/keys.py --write    puts it into doc/heaptop.1
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BEGIN, END = '.\\" Begin of what doc/keys.py wrote.\n', '.\\" End of what doc/keys.py wrote.\n'
COMMAND = re.compile(
    r'COMMAND\(\s*(\w+),\s*"([^"]*)",\s*"((?:\\.|[^"\\])*)",\s*'
    r'(NULL|"(?:\\.|[^"\\])*"),\s*([\w| ]+),\s*"((?:\\.|[^"\\])*)"\s*\)')


def commands():
    """(id, name, [keys], flags, help) of each command."""
    with open(os.path.join(HERE, "..", "tui", "commands.def"), encoding="utf-8") as file:
        text = file.read()
    for ident, name, keys, _bar, flags, words in COMMAND.findall(text):
        unescaped = keys.replace("\\\\", "\\").replace('\\"', '"')
        yield ident, name, unescaped.split(), flags, words.replace('\\"', '"')


def escaped(word):
    for plain, safe in (("\\", "\\e"), ("'", "\\(aq"), ("-", "\\-"), ("^", "\\(ha")):
        word = word.replace(plain, safe)
    return "\\&" + word


def keys_section():
    lines = [".Bl -tag -width BackTab -compact\n"]
    for _ident, _name, keys, _flags, words in commands():
        lines.append(".It Ic %s\n" % " ".join(escaped(key) for key in keys))
        sentence = words[0].upper() + words[1:] + ("" if words.endswith(".") else ".")
        lines.append(sentence.replace("\\", "\\e") + "\n")
    lines.append(".El\n")
    return "".join(lines)


def manual_path():
    return os.path.join(HERE, "heaptop.1")


def main():
    if sys.argv[1:] != ["--write"]:
        sys.stdout.write(keys_section())
        return
    with open(manual_path(), encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    with open(manual_path(), "w", encoding="utf-8") as file:
        file.write(before + BEGIN + keys_section() + END + after)


if __name__ == "__main__":
    main()
