"""The programs that are counted. Each is Python text for tests/lib/target.py; it stands still
when it has ended. PROGRAMS has {name: Program}."""
import collections

Program = collections.namedtuple("Program", "name words text is_server")
PROGRAMS = {}


def program(name, words, text, is_server=False):
    """A server says "ready" itself, and answers at the port that is its third argument."""
    PROGRAMS[name] = Program(name, words, text, is_server)


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

program("threads", "32 threads with objects of their own, waiting", '''
import threading
class Job:
    def __init__(self, i): self.number, self.name = i, "job %d" % i
class Large(bytes): __slots__ = ()
barrier, end, taken = threading.Barrier(33), threading.Event(), []
def work(n):
    mine = [Job(i) for i in range(1000)]
    large = [bytes(600 + i * 7) for i in range(200)] + [Large(2000 + i) for i in range(100)]
    texts = {"key %d %d" % (n, i): [i, (i, n)] for i in range(500)}
    numbers = list(range(n * 100000, n * 100000 + 1000))
    taken.append([bytes(700 + i) for i in range(100)])
    local = threading.local()
    local.numbers = numbers
    barrier.wait()
    end.wait()
threads = [threading.Thread(target=work, args=(n,), daemon=True) for n in range(32)]
for one in threads: one.start()
barrier.wait()
del taken[::2]
time.sleep(0.2)
''')

program("asyncio", "20,000 tasks that wait", '''
import asyncio, contextvars
number = contextvars.ContextVar("number")
class Message:
    def __init__(self, i): self.number, self.text = i, "message %d" % i
async def inner(future, i):
    number.set(i)
    message = Message(i)
    return await future, message
async def outer(future, i):
    held = [i, str(i)]
    return await inner(future, i), held
async def produce():
    for i in range(2000):
        yield i
async def listen(reader, writer):
    await reader.read()
async def main():
    global futures, tasks, queue, agen, streams, timers
    futures = [loop.create_future() for i in range(2000)]
    tasks = [loop.create_task(outer(futures[i % 2000], i)) for i in range(20000)]
    queue = asyncio.Queue()
    for i in range(3000): queue.put_nowait(Message(i))
    agen = [produce() for i in range(1500)]
    for one in agen[:1200]: await one.__anext__()
    timers = [loop.call_later(3600 + i, print, i) for i in range(2000)]
    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    streams = [await asyncio.open_connection("127.0.0.1", port) for i in range(50)]
    await asyncio.sleep(0.2)
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
''')

program("numpy", "arrays of numpy, tables of pandas", '''
import numpy, pandas
class Grid(numpy.ndarray): pass
arrays = [numpy.arange(i % 300, dtype="f8") for i in range(3000)]
grids = [numpy.zeros((i % 7 + 1, i % 11)).view(Grid).copy() for i in range(2000)]
views = [one[::2] for one in arrays[:1500]]
objects = [numpy.array(["text %d" % i, [i], i + 0.5], dtype=object) for i in range(2000)]
large = [numpy.ones(100000 + i) for i in range(20)]
scalars = [numpy.float32(i / 3) for i in range(3000)] + [numpy.int64(i) for i in range(3000)]
moments = [numpy.datetime64("2026-01-01") + i for i in range(1500)]
frame = pandas.DataFrame({"number": range(50000), "name": ["name %d" % i for i in range(50000)],
                          "value": numpy.linspace(0, 1, 50000)})
parts = [part for _, part in frame.groupby(frame.number % 400)]
stamps = [pandas.Timestamp("2026-01-01") + pandas.Timedelta(hours=i) for i in range(2000)]
index = pandas.MultiIndex.from_product([range(50), ["a", "b"], range(20)])
sums = frame.groupby(frame.number % 1000).agg({"value": ["sum", "mean"]})
words = frame.name.str.upper()
''')

program("scipy", "Fortran's functions, and what numpy keeps of arrays that others look at", '''
import numpy, scipy.interpolate, scipy.linalg, scipy.optimize, scipy.sparse, scipy.spatial, scipy.stats
tables = [scipy.sparse.csr_matrix(numpy.eye(i % 20 + 1)) for i in range(1500)]
trees = [scipy.spatial.cKDTree(numpy.random.rand(i % 50 + 2, 2)) for i in range(1200)]
lines = [scipy.interpolate.CubicSpline(range(5), [i, 1, 2, 3, 4]) for i in range(1100)]
least = [scipy.optimize.minimize_scalar(lambda x: (x - i) ** 2) for i in range(300)]
kinds = [numpy.dtype([("a%d" % i, "f8"), ("b", "U%d" % (i + 1))]) for i in range(1200)]
pairs = [numpy.broadcast(numpy.zeros((1, 3)), numpy.zeros((i % 4 + 1, 1))) for i in range(1200)]
views = [memoryview(numpy.zeros((i % 5 + 1, 3))) for i in range(1200)]
''')

program("keys", "functions that cffi made, for cryptography", '''
from cryptography.fernet import Fernet
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
made = [ed25519.Ed25519PrivateKey.generate() for i in range(1500)]
curves = [ec.generate_private_key(ec.SECP256R1()) for i in range(100)]
ended = [hashes.Hash(hashes.SHA256()) for i in range(1500)]
open_ = [Cipher(algorithms.AES(b"k" * 16), modes.CTR(b"i" * 16)).encryptor() for i in range(1500)]
fernets = [Fernet(Fernet.generate_key()) for i in range(1200)]
''')

DJANGO = '''
from django.conf import settings
settings.configure(
    DEBUG=False, SECRET_KEY="for a test", ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache",
                        "OPTIONS": {"MAX_ENTRIES": 100000}}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField", USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    SESSION_ENGINE="django.contrib.sessions.backends.cache", MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware"])
import django
django.setup()
from django.core.cache import cache
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.template import Template, Context
from django.urls import path
import threading
PAGE = Template("<ul>{% for one in rows %}<li>{{ one.username|title }} {{ forloop.counter }}</li>{% endfor %}</ul>")
class Visit:
    def __init__(self, request):
        self.path, self.agent = request.path, request.META.get("HTTP_USER_AGENT")
visits, leaked = [], []
def users(request):
    from django.contrib.auth.models import User
    n = len(visits)
    visits.append(Visit(request))
    User.objects.create(username="user %d" % n, email="u%d@example.org" % n)
    rows = list(User.objects.order_by("-id")[:20])
    if n % 3 == 0: leaked.append(rows[0])
    cache.set("page %d" % n, {"rows": [one.username for one in rows], "n": n}, 3600)
    request.session["n"] = n
    return HttpResponse(PAGE.render(Context({"rows": rows})))
def count(request):
    return JsonResponse({"visits": len(visits), "body": len(request.body)})
urlpatterns = [path("users", users), path("count", count)]
from gunicorn.app.base import BaseApplication
def begin(worker):
    call_command("migrate", verbosity=0)
    _say(["ready", os.getpid()])
    threading.Thread(target=_serve, daemon=True).start()
class Application(BaseApplication):
    def load_config(self):
        self.cfg.set("bind", "127.0.0.1:" + sys.argv[3])
        self.cfg.set("workers", 1)
        self.cfg.set("timeout", 1000)
        self.cfg.set("loglevel", "critical")
        self.cfg.set("post_worker_init", begin)
    def load(self):
        return get_wsgi_application()
Application().run()
'''
program("django", "a worker of gunicorn that answered 3,000 requests", DJANGO, is_server=True)

STDLIB = '''
import importlib, warnings
warnings.simplefilter("ignore")
LEFT = {"antigravity", "this", "idlelib", "turtle", "turtledemo", "test", "lib2to3", "__main__", "tkinter",
        "msilib", "winreg", "winsound", "msvcrt", "nt", "_winapi", "ossaudiodev", "pydoc_data"}
names = getattr(sys, "stdlib_module_names", None) or sorted(
    name.split(".")[0] for name in os.listdir(os.path.dirname(os.__file__)) if name.endswith(".py"))
imported = []
for name in sorted(names):
    if name.startswith("_") or name in LEFT: continue
    try: imported.append(importlib.import_module(name))
    except Exception: pass
import array, ast, asyncio, bisect, bz2, calendar, cmath, collections, configparser, contextlib, copy, csv
import ctypes, dataclasses, datetime, decimal, difflib, dis, email.message, email.parser, enum, fractions
import functools, hashlib, heapq, hmac, html.parser, http.client, http.cookies, inspect, io, ipaddress
import itertools, json, locale, logging, lzma, math, mmap, operator, pathlib, pickle, queue, random, re
import sched, selectors, shelve, socket, sqlite3, ssl, statistics, string, struct, subprocess, symtable
import tarfile, tempfile, textwrap, threading, tokenize, types, typing, unittest, urllib.parse, uuid, weakref
import xml.dom.minidom, xml.etree.ElementTree, xml.sax, zipfile, zlib, contextvars, concurrent.futures, argparse
folder = tempfile.mkdtemp()
kept = {}
@dataclasses.dataclass
class Item:
    name: str
    price: float
    tags: list
kept["json"] = json.loads(json.dumps([{"id": i, "name": "n%d" % i, "values": [i, i / 7, None, True]} for i in range(5000)]))
kept["items"] = [Item("item %d" % i, i / 3, [i]) for i in range(2000)]
kept["pickled"] = [pickle.dumps(one) for one in kept["items"][:1500]]
kept["unpickled"] = [pickle.loads(one) for one in kept["pickled"]]
kept["picklers"] = [pickle.Pickler(io.BytesIO()) for i in range(1200)]
for one in kept["picklers"]: one.dump({"a": [1, 2, (3, "x")], "b": "text"})
kept["unpicklers"] = [pickle.Unpickler(io.BytesIO(kept["pickled"][i])) for i in range(1200)]
for one in kept["unpicklers"]: one.load()
kept["csv"] = list(csv.DictReader(io.StringIO("a,b,c\\n" + "\\n".join("%d,x%d,%f" % (i, i, i) for i in range(3000)))))
kept["tree"] = xml.etree.ElementTree.fromstring("<a>" + "".join("<b n='%d'>t%d<c/></b>" % (i, i) for i in range(3000)) + "</a>")
kept["dom"] = xml.dom.minidom.parseString("<a>" + "".join("<b n='%d'>t</b>" % i for i in range(500)) + "</a>")
kept["patterns"] = [re.compile("a%d(b|c)+(?P<name>[x-z]{%d})" % (i, i % 9 + 1)) for i in range(1500)]
kept["matches"] = [one.match("a%dbc" % i + "x" * (i % 9 + 1)) for i, one in enumerate(kept["patterns"])]
kept["decimals"] = [decimal.Decimal(i) / 7 for i in range(3000)]
kept["contexts"] = [decimal.Context(prec=i + 1) for i in range(1200)]
kept["fractions"] = [fractions.Fraction(i, 7) for i in range(2000)]
kept["times"] = [datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(minutes=i) for i in range(2000)]
kept["dates"] = [datetime.date.fromordinal(700000 + i) for i in range(2000)]
kept["hashes"] = [hashlib.sha256(b"%d" % i) for i in range(1500)]
kept["macs"] = [hmac.new(b"k", b"%d" % i, "sha1") for i in range(1100)]
kept["compressors"] = [zlib.compressobj() for i in range(50)]
kept["bz2"] = [bz2.BZ2Decompressor() for i in range(1100)]
kept["lzma"] = [lzma.LZMADecompressor() for i in range(1100)]
kept["paths"] = [pathlib.PurePosixPath("/a/b%d/c" % i) for i in range(2000)]
for one in kept["paths"]: str(one), one.name, hash(one)
kept["addresses"] = [ipaddress.ip_address(i + (10 << 24)) for i in range(2000)]
kept["uuids"] = [uuid.UUID(int=i) for i in range(2000)]
kept["urls"] = [urllib.parse.urlsplit("http://host%d/path?q=%d" % (i, i)) for i in range(2000)]
kept["messages"] = [email.parser.Parser().parsestr("From: a@b\\nTo: c%d@d\\n\\nbody" % i) for i in range(1100)]
kept["loggers"] = [logging.getLogger("a.b%d" % i) for i in range(1100)]
kept["records"] = [logging.LogRecord("n", 10, "p", i, "m", (), None) for i in range(1500)]
kept["ast"] = [ast.parse("def f%d(a, b=1): return [x for x in a if x > b]" % i) for i in range(300)]
kept["code"] = [compile("def f%d(a, b=1):\\n def g(c): return a + c\\n return g" % i, "f", "exec") for i in range(800)]
kept["symtables"] = [symtable.symtable("def f(a): return a", "f", "exec") for i in range(100)]
kept["instructions"] = [one for code in kept["code"][:100] for one in dis.get_instructions(code)]
kept["signatures"] = [inspect.signature(one) for one in (json.dumps, csv.DictReader, sorted) for i in range(500)]
kept["tokens"] = list(tokenize.generate_tokens(io.StringIO("a = b + 1\\n" * 500).readline))
kept["enums"] = enum.Enum("Large", ["m%d" % i for i in range(1100)])
kept["partials"] = [functools.partial(print, i, end=i) for i in range(2000)]
kept["caches"] = [functools.lru_cache(None)(lambda x: x) for i in range(1100)]
for one in kept["caches"]: one(1), one(2)
kept["bounded"] = functools.lru_cache(maxsize=1500)(lambda x: x)
for i in range(1600): kept["bounded"](i)
kept["getters"] = [operator.itemgetter(i, i + 1) for i in range(1100)] + [operator.attrgetter("a.b%d" % i) for i in range(1100)] + [operator.methodcaller("m%d" % i, i) for i in range(1100)]
kept["iterators"] = [make(range(i)) for i in range(1100) for make in (iter, reversed, itertools.cycle, itertools.count().__class__ and itertools.accumulate, enumerate)]
kept["maps"] = [map(str, [i]) for i in range(1100)] + [filter(None, [i]) for i in range(1100)] + [zip([i], [i]) for i in range(1100)]
kept["tees"] = [one for i in range(600) for one in itertools.tee([i, i + 1])]
for one in kept["tees"]: next(one)
kept["groupby"] = [itertools.groupby([i, i]) for i in range(1100)] + [itertools.chain([i], [i]) for i in range(1100)] + [itertools.islice([i], 1) for i in range(1100)]
kept["queues"] = [queue.Queue() for i in range(1100)] + [queue.SimpleQueue() for i in range(1100)]
for one in kept["queues"]: one.put(1)
kept["locks"] = [make() for i in range(1100) for make in (threading.Lock, threading.RLock, threading.Event)]
kept["weak"] = [weakref.WeakValueDictionary() for i in range(300)] + [weakref.WeakSet() for i in range(300)]
kept["proxies"] = [types.MappingProxyType({i: i}) for i in range(1100)] + [types.SimpleNamespace(a=i) for i in range(1100)]
kept["ordered"] = [collections.OrderedDict(a=i, b=2) for i in range(1100)] + [collections.Counter("abc%d" % i) for i in range(1100)] + [collections.ChainMap({}, {i: i}) for i in range(1100)]
kept["deques"] = [collections.deque(range(i % 90)) for i in range(1100)]
kept["arrays"] = [array.array("d", range(i % 40)) for i in range(1100)]
kept["bytearrays"] = [bytearray(b"x" * (i % 400)) for i in range(1100)]
kept["views"] = [memoryview(one) for one in kept["bytearrays"]]
kept["structs"] = [struct.Struct("%di4s" % (i % 30 + 1)) for i in range(1100)]
kept["random"] = [random.Random(i) for i in range(50)]
kept["contexts2"] = [contextvars.copy_context() for i in range(1100)]
kept["variables"] = [contextvars.ContextVar("v%d" % i, default=i) for i in range(1100)]
kept["texts"] = [io.StringIO("t%d" % i) for i in range(1100)]
kept["wrappers"] = [io.TextIOWrapper(io.BytesIO(b"a\\nb\\n")) for i in range(1100)]
for one in kept["wrappers"]: one.readline()
kept["files"] = [open(os.devnull, "rb") for i in range(300)]
kept["sockets"] = [one for i in range(100) for one in socket.socketpair()]
kept["database"] = sqlite3.connect(":memory:")
kept["database"].execute("create table t (a, b)")
kept["database"].executemany("insert into t values (?, ?)", [(i, "text %d" % i) for i in range(5000)])
kept["rows"] = kept["database"].execute("select * from t").fetchall()
kept["database"].row_factory = sqlite3.Row
kept["rows2"] = kept["database"].execute("select * from t limit 2000").fetchall()
kept["cursors"] = [kept["database"].cursor() for i in range(1100)]
kept["ssl"] = [ssl.create_default_context() for i in range(2)]
class Point(ctypes.Structure): _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double)]
kept["points"] = [Point(i, i) for i in range(1100)] + [ctypes.create_string_buffer(i) for i in range(1100)] + [ctypes.pointer(ctypes.c_int(i)) for i in range(1100)]
kept["exceptions"] = []
for i in range(1500):
    try: {}["missing %d" % i]
    except KeyError as error: kept["exceptions"].append(error)
    try: open("/no/such/file%d" % i)
    except OSError as error: kept["exceptions"].append(error)
kept["generic"] = [typing.List[type("T%d" % i, (), {})] for i in range(300)]
kept["classes"] = [collections.namedtuple("N%d" % i, "a b c") for i in range(150)]
kept["ranges"] = [range(i, i + 5, 1) for i in range(1100)] + [slice(i, None) for i in range(1100)]
kept["complex"] = [complex(i, 1) for i in range(1100)]
kept["sets"] = [{i, i + 1} for i in range(1100)] + [frozenset((i,)) for i in range(1100)]
kept["bound"] = [one.append for one in ([] for i in range(1100))] + [kept["items"][i].__eq__ for i in range(1100)]
kept["parsers"] = [argparse.ArgumentParser(prog="p%d" % i) for i in range(100)]
kept["config"] = configparser.ConfigParser()
kept["config"].read_string("\\n".join("[s%d]\\na = %d" % (i, i) for i in range(500)))
with zipfile.ZipFile(folder + "/a.zip", "w") as file:
    for i in range(300): file.writestr("f%d" % i, "x" * i)
kept["zip"] = zipfile.ZipFile(folder + "/a.zip").infolist()
kept["diff"] = list(difflib.ndiff(["a%d" % i for i in range(50)], ["a%d" % (i * 2) for i in range(50)]))
kept["cookies"] = [http.cookies.SimpleCookie("a=%d; b=2" % i) for i in range(300)]
kept["stats"] = statistics.mean(range(1000))
kept["mmap"] = mmap.mmap(-1, 100000)
kept["suite"] = [unittest.FunctionTestCase(lambda: None) for i in range(1100)]
'''
program("stdlib", "most of the standard library, imported and used", STDLIB)


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
import datetime, pickle, io
class Moment(datetime.datetime): pass
moments = [Moment(2026, 1, 1) for i in range(1500)]
picklers = [pickle.Pickler(io.BytesIO()) for i in range(1200)]
for one in picklers: one.dump({"a": [1]})
unpicklers = [pickle.Unpickler(io.BytesIO(pickle.dumps([i, "a"]))) for i in range(1200)]
for one in unpicklers: one.load()
import functools
@functools.lru_cache(maxsize=1500)
def doubled(x): return x + x
for i in range(1600): doubled(i)
''')
