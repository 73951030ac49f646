"""The programs that are counted. Each is Python text for tests/lib/target.py; it stands still
when it has ended. PROGRAMS has {name: Program}."""
import collections

Program = collections.namedtuple("Program", "name words text needs arguments")
PROGRAMS = {}


def program(name, words, text, needs=(), arguments=()):
    PROGRAMS[name] = Program(name, words, text, needs, arguments)


# The experiment of fragmentation: many small objects, most let go, the survivors pin arenas.
program("frag", "2.4 million small objects made, 1 of 100 kept", '''
class S:
    def __init__(self, i):
        self.number = i
        self.text = "text %d" % i
kept = [S(i) for i in range(600000)]
others = [(i, float(i)) for i in range(600000)]
kept[:] = kept[::100]
others[:] = others[::100]
''')

# realloc leaves in malloc's chunks what was larger than pymalloc takes when it was made.
program("shrunk", "objects that were made large and then became small", '''
class Buffer(list): pass
pipe = os.pipe()
def read(i):
    os.write(pipe[1], b"message number %d of many" % i)
    return os.read(pipe[0], 4096)
messages = [read(i) for i in range(20000)]
texts = [("\\u0434" * 400).encode()[:2 * (i % 200) + 2].ljust(900, b"!").decode() for i in range(2000)]
decoded = [("\\u0434" * (i % 180 + 120) + "z").encode().decode() for i in range(20000)]
lists = [Buffer([None] * 200) for i in range(20000)]
for one in lists: del one[5:]
tuples = [tuple(i for i in range(70 + n % 9) if n % 3 or i < 40) for n in range(5000)]
floats = [i / 3 for i in range(5000)]
del floats[:200]
''')

program("million", "a million instances", '''
class Point:
    def __init__(self, i):
        self.x = i
        self.y = i + 0.5
class Slotted:
    __slots__ = ("x", "y")
kept = [Point(i) for i in range(1000000)]
slotted = [Slotted() for i in range(100000)]
''')

program("brief", "some of all, for the test of every day", '''
class S:
    def __init__(self, i):
        self.number = i
        self.text = "text %d" % i
kept = [S(i) for i in range(20000)]
kept[:] = kept[::9]
pipe = os.pipe()
def read(i):
    os.write(pipe[1], b"message number %d of many" % i)
    return os.read(pipe[0], 4096)
messages = [read(i) for i in range(2000)]
floats = [i / 3 for i in range(5000)]
del floats[:300]
large = [bytes(600 + i) for i in range(2000)]
dicts = [{i: i, "a": [i]} for i in range(2000)]
''')
