"""Just enough of C for the lints: files, text without comments and strings, functions."""
import os
import re

SOURCE = os.environ.get("SOURCE_DIR") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

PRODUCT = ("include", "src", "tui", "plugins")


def files(folders=PRODUCT, endings=(".c", ".h", ".def", ".S")):
    """Paths below the source tree, relative, sorted."""
    found = []
    for folder in folders:
        for place, inner, names in os.walk(os.path.join(SOURCE, folder)):
            inner[:] = [name for name in inner if not name.startswith(".")]
            found += [os.path.relpath(os.path.join(place, name), SOURCE)
                      for name in names if name.endswith(tuple(endings))]
    return sorted(found)


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


_TOKEN = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def code_only(text):
    """Comments and the insides of strings become blanks; lines stay where they are."""
    def replace(match):
        token = match.group(0)
        if token.startswith(("/*", "//")):
            return _blank(token)
        return token[0] + _blank(token[1:-1]) + token[-1]
    return _TOKEN.sub(replace, text)


def comments_of(text):
    """(line, comment) of each comment."""
    for match in _TOKEN.finditer(text):
        if match.group(0).startswith(("/*", "//")):
            yield text.count("\n", 0, match.start()) + 1, match.group(0)


def functions(text):
    """(name, first line, number of lines) of each function body at file level.

    A body is a brace at depth 0 that follows a closing parenthesis (attributes
    in between allowed); its lines run from the line with the name to the one
    with the closing brace. Preprocessor lines do not count as code.
    """
    lines = code_only(text).split("\n")
    in_directive = False
    for number, line in enumerate(lines):
        is_directive = in_directive or line.lstrip().startswith("#")
        in_directive = is_directive and line.rstrip().endswith("\\")
        if is_directive:
            lines[number] = ""
    code = "\n".join(lines)
    depth, start, head = 0, 0, 0
    for at, character in enumerate(code):
        if character == "{":
            if depth == 0:
                start, before = at, code[head:at]
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if depth == 0:
                name = _function_name(before)
                if name:
                    first = code.count("\n", 0, head + before.index(name)) + 1
                    last = code.count("\n", 0, at) + 1
                    yield name, first, last - first + 1
                head = at + 1
        elif character == ";" and depth == 0:
            head = at + 1


def _function_name(before):
    text = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", before, flags=re.DOTALL).rstrip()
    if not text.endswith(")") or "=" in re.sub(r"\(.*\)", "", text, flags=re.DOTALL):
        return None
    name = re.search(r"([A-Za-z_]\w*)\s*\(", text)
    return name.group(1) if name else None
