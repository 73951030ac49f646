"""Runs in the target, behind tests/lib/target.py's first lines: what a program says of itself.

    truth()  -> {"kinds": {kind: [count, size]}}

Counted are the collector's objects and all that they lead to, by gc.get_referents() and, where
a type's tp_traverse leaves something out, by what _left_out() names; and then those that only
C holds, or nobody: of the blocks that the program took from the object allocator and did not
give back (allocated.c), those that begin an object. Nothing here knows heaptop. It runs after
heaptop has looked, so what it takes itself disturbs nothing.
"""
import bisect
import ctypes
import struct
import types


def _word(address):
    return ctypes.c_size_t.from_address(address).value


def _object_at(address):
    return ctypes.cast(address, ctypes.py_object).value


def _words_of_code(code):
    return [_word(id(code) + at) for at in range(0, type(code).__basicsize__ - 8, 8)]


_readv = ctypes.CDLL(None).process_vm_readv


class _Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("bytes", ctypes.c_size_t)]


def _words_at(address, count):
    """The kernel is asked, so that any number may be asked about; None: nothing is there."""
    found = (ctypes.c_size_t * count)()
    here = _Vector(ctypes.addressof(found), 8 * count)
    there = _Vector(address, 8 * count)
    done = _readv(os.getpid(), ctypes.byref(here), ctypes.c_ulong(1), ctypes.byref(there),
                  ctypes.c_ulong(1), ctypes.c_ulong(0))
    return found[:] if done == 8 * count else None


def _is_type_at(address, cls):
    return _words_at(address + 8, 1) == [id(cls)]


def _sample_code(tag):
    names = {}
    exec("def outer(a, b):\n  c = a\n  def inner_%s(d, e): return b + c + d + e\n"
         "  return inner_%s" % (tag, tag), names)
    return names["outer"](1, 2).__code__


def _find_code_words():
    """(where local names and their kinds are, where what was asked for is kept) of a code object.

    CPython 3.11 keeps one tuple of all local names, and makes co_varnames and co_code of it
    when they are asked for; no attribute gives the tuple itself (Include/cpython/code.h). They
    are found in a code object that has just been made."""
    names_at = kept_at = None
    code = _sample_code("first")
    before = _words_of_code(code)
    wanted = code.co_varnames + code.co_cellvars + code.co_freevars
    code.co_code
    for index, (old, new) in enumerate(zip(before, _words_of_code(code))):
        if old == 0 and new and index > 2:
            kept_at = index * 8
        if index > 2 and _is_type_at(new, tuple) and names_at is None \
                and _object_at(new) == wanted and new != id(code.co_names):
            names_at = index * 8
    return names_at, kept_at


def _find_slots_word():
    """Where a class has the tuple of its __slots__: behind name and qualified name."""
    cls = type("Sample", (), {"__slots__": ("b", "a")})
    name, qualname = id(cls.__name__), id(cls.__qualname__)
    for at in range(0, type.__basicsize__ - 24, 8):
        if _word(id(cls) + at) == name and _word(id(cls) + at + 8) == qualname:
            return at + 16
    return None


_NAMES_AT, _KEPT_AT = _find_code_words() if sys.version_info >= (3, 11) else (None, None)
_SLOTS_AT = _find_slots_word()
_CODE = [name for name in ("co_consts", "co_names", "co_filename", "co_name", "co_qualname",
                           "co_linetable", "co_exceptiontable")
         if hasattr(_sample_code.__code__, name)]
if sys.version_info < (3, 11):
    _CODE += ["co_code", "co_varnames", "co_freevars", "co_cellvars"]
if sys.version_info < (3, 10):
    _CODE += ["co_lnotab"]


def _of_code(code):
    yield from (getattr(code, name) for name in _CODE)
    if _NAMES_AT:
        yield _object_at(_word(id(code) + _NAMES_AT))
        yield _object_at(_word(id(code) + _NAMES_AT + 8))
    kept = _word(id(code) + _KEPT_AT) if _KEPT_AT else 0
    if kept and sys.version_info < (3, 12):
        yield _object_at(kept)
    elif kept:  # struct _PyCoCached, four pointers
        yield from (_object_at(_word(kept + at)) for at in range(0, 32, 8) if _word(kept + at))


_MANAGED_DICT, _INLINE_VALUES, _HEAP_TYPE = 1 << 4, 1 << 2, 1 << 9


def _of_instance(one):
    """3.13's PyObject_VisitManagedDict() leaves the dict out when it is over inline values
    (Objects/dictobject.c); it is three words before the object (pycore_object.h)."""
    address = _word(id(one) - 3 * 8)
    if address:
        yield _object_at(address)


def _of_type(cls):
    """The collector visits a class that a class statement made, no other; and no class leads
    to those below it."""
    yield from type.__subclasses__(cls)
    if cls.__flags__ & _HEAP_TYPE:
        yield from (type.__dict__[name].__get__(cls) for name in ("__name__", "__qualname__"))
        if _SLOTS_AT and _word(id(cls) + _SLOTS_AT):
            yield _object_at(_word(id(cls) + _SLOTS_AT))
    else:
        yield from (cls.__mro__, cls.__bases__)
        yield from gc.get_referents(type.__dict__["__dict__"].__get__(cls))


def _of_range(one):
    yield from (one.start, one.stop, one.step)


def _of_datetime(one):
    yield one.tzinfo


def _of_pickler(one):
    yield from (kept for _, kept in one.memo.copy().values())


def _of_unpickler(one):
    """And the bytes that it has read: of a Py_buffer, buf and obj."""
    yield from one.memo.copy().values()
    words = [_word(id(one) + at) for at in range(48, 96, 8)]
    yield from (_object_at(obj) for buf, obj in zip(words, words[1:]) if obj and buf == obj + 32)


def _by_attributes(*names):
    return lambda one: [getattr(one, name) for name in names]


def _by_words(*offsets):
    """Fields that no attribute gives; the struct is where the type is implemented."""
    return lambda one: [_object_at(_word(id(one) + at)) for at in offsets
                        if _word(id(one) + at)]


def _of_array(one):
    """numpy's arrays are not the collector's: the owner of their data, and their objects."""
    yield one.dtype
    if one.base is not None:
        yield one.base
    elif one.dtype.hasobject and one.dtype.names is None:
        yield from one.flat


_OF_TYPES = [  # first of a minor version, last, module, type, what it leaves out
    (8, 15, "numpy", "ndarray", _of_array),
    (8, 15, "numpy", "broadcast", lambda one: one.iters),
    (8, 15, "numpy", "flatiter", _by_attributes("base")),
    (8, 15, "datetime", "datetime", _of_datetime), (8, 15, "datetime", "time", _of_datetime),
    (8, 15, "_pickle", "Pickler", _of_pickler), (8, 15, "_pickle", "Unpickler", _of_unpickler),
    (8, 15, "io", "BytesIO", _by_words(16)),  # bytesio.c: buf
    (8, 15, "_struct", "Struct", _by_words(40)),  # _struct.c: s_format
    (8, 10, "re", "Pattern", _by_words(32, 40, 48)),  # sre.h: groupindex, indexgroup, pattern
    (8, 10, "re", "Match", _by_attributes("re", "string")),
    (8, 9, "sqlite3", "Row", _by_words(16, 24)),  # row.h: data, description
    (15, 15, "builtins", "bytearray", _by_words(56)),  # bytearrayobject.h: ob_bytes_object
]


def _left_out():
    """{type: what tp_traverse does not tell of its objects}; those of a subclass, too."""
    found = {dict: dict.keys, types.CodeType: _of_code, type: _of_type, range: _of_range}
    for first, last, module, name, ask in _OF_TYPES:
        if module in sys.modules and first <= sys.version_info[1] <= last:
            found[getattr(sys.modules[module], name)] = ask
    if "_symtable" in sys.modules:
        entry = type(sys.modules["_symtable"].symtable("", "", "exec"))
        found[entry] = _by_attributes("id", "name", "symbols", "varnames", "children")
    return found


def _is_dict_hidden(cls):
    wanted = _MANAGED_DICT | _INLINE_VALUES
    return sys.version_info >= (3, 13) and cls.__flags__ & wanted == wanted


def _asks_of(cls, left_out):
    asks = [ask for base, ask in left_out.items() if issubclass(cls, base)]
    return asks + [_of_instance] if _is_dict_hidden(cls) else asks


_codes = {}  # sizes of ours before they run: 3.8 - 3.10 give caches to what runs often
_sizes = {}  # of those of which a reference more would change it


def _more(some, left_out, asks_of):
    buffers = sys.modules["io"].BytesIO
    # Not isinstance(): to ask for __class__ makes something in thread-local and lazy objects.
    _sizes.update((id(one), sys.getsizeof(one)) for one in some if issubclass(type(one), buffers))
    found = gc.get_referents(*some)
    for one in some:
        cls = type(one)
        asks = asks_of.get(cls)
        if asks is None:
            asks = asks_of[cls] = _asks_of(cls, left_out)
        for ask in asks:
            found.extend(ask(one))
    return found


def _closure(front, skip):
    """{address: object} of these and all they lead to, without those at the addresses."""
    left_out, asks_of, seen = _left_out(), {}, {}
    seen.update((address, one) for address, one in zip(map(id, front), front)
                if address not in skip)
    skip |= {id(front), id(seen), id(left_out), id(asks_of)}
    while front:
        new = {}
        skip |= {id(new), id(front)}
        for at in range(0, len(front), 20000):
            found = _more(front[at:at + 20000], left_out, asks_of)
            new.update((address, one) for address, one in zip(map(id, found), found)
                       if address not in seen and address not in skip)
        seen.update(new)
        front = list(new.values())
    return seen


def _frames():
    """What runs is not on the collector's lists: the frames of all threads, up to who asked.
    From 3.11 on a frame is no object until somebody asks for one."""
    asked = sys._getframe(2)
    found = []
    for frame in sys._current_frames().values():
        while frame:
            found.append(frame)
            if frame is asked:
                found = []
            frame = frame.f_back
    return found


def _our_own(frames):
    """Addresses of what asking made: the question's code, and frames where they are made."""
    code = sys._getframe(2).f_code
    ours = {id(frames), id(code)}
    ours.update(id(one) for one in _of_code(code) if isinstance(one, (bytes, tuple)))
    if sys.version_info >= (3, 11):
        ours.update(map(id, frames))
    return ours


_GC, _BEFORE = 1 << 14, 3 << 3  # Py_TPFLAGS_HAVE_GC, _Py_TPFLAGS_PREHEADER


def _words_before(cls):
    """How far behind the begin of its block an object is (pycore_object.h)."""
    is_led = sys.version_info >= (3, 11) and cls.__flags__ & _BEFORE
    return (16 if cls.__flags__ & _GC else 0) + (16 if is_led else 0)


def _is_counted(references):
    """A block that was given back has a link there, an object that ended 0. From 3.14 on the
    flags are above (Include/refcount.h)."""
    return references & 0xffffffff and (references >> 32) & 0xffff == 0 \
        and (references >> 32 == 0 or sys.version_info >= (3, 14))


def _has_subinterpreters():
    return any(len(sys.modules[name].list_all()) > 1
               for name in ("_interpreters", "_xxsubinterpreters") if name in sys.modules)


def _is_in_image(number):
    """What is not position-independent lies so low that its addresses pass for counts."""
    return any(start <= number < end for start, end in image)


def _begin_of(words, befores, is_any):
    """How far behind the begin of a block, of which these are the first words, an object of one
    of these types, {address: _words_before()}, is; None: no object. What the collector
    tracks it has listed, but (is_any) for what another interpreter's does."""
    for at in (0, 2, 4):
        if befores.get(words[at + 1]) == at * 8 and _is_counted(words[at]):
            if not at or not words[at - 2]:  # _gc_next
                return at * 8
            return at * 8 if is_any and not _is_in_image(words[at]) else None
    return None


def _begins(rows, befores):
    """Addresses of the objects of these types that begin a block and are still there."""
    is_any = _has_subinterpreters()
    for row in rows:
        at = _begin_of(row[2:], befores, is_any)
        if at is not None:
            now = _words_at(row[0] + at, 2)
            if now and now[1] == row[2 + at // 8 + 1] and _is_counted(now[0]):
                yield row[0] + at


def _others(rows, seen):
    """Behind a small block another one begins."""
    return [row for row in rows
            if not any(row[0] + at in seen for at in (0, 16, 32) if at < row[1])]


def _with_allocated(seen, skip):
    """Adds what the program allocated and nothing leads to, type by type as types are found."""
    rows, befores = _others(_noted(), seen), {}
    while True:
        new = {address: _words_before(one) for address, one in seen.items()
               if issubclass(type(one), type) and address not in befores}
        if not new:
            return
        befores.update(new)
        found = [address for address in _begins(rows, befores) if address not in skip]
        seen.update(_closure(list(map(_object_at, found)), skip | set(seen)))
        rows = _others(rows, seen)


def _without_image(seen, image):
    """Takes out what lies in the images of programs and libraries: no allocator gave it."""
    addresses = sorted(seen)
    for start, end in image:
        for at in range(bisect.bisect_left(addresses, start), bisect.bisect_left(addresses, end)):
            seen.pop(addresses[at], None)


def _kind(cls):
    """As repr() names a class."""
    name, module = cls.__qualname__, cls.__module__
    if not isinstance(module, str):
        return name
    return name if module == "builtins" else "%s.%s" % (module, name)


def _size(one):
    """sys.getsizeof() with the __sizeof__ that CPython wrote: one in Python says what its
    author wanted, as that of a DataFrame."""
    if id(one) in _sizes or id(one) in _codes:
        return _sizes.get(id(one)) or _codes[id(one)]
    if not _is_written_in_python(type(one)):
        return sys.getsizeof(one)
    for base in type(one).__mro__:
        written = base.__dict__.get("__sizeof__")
        if written and not isinstance(written, types.FunctionType):
            return written.__get__(one)() + sys.getsizeof(one) - one.__sizeof__()
    return 0


def _is_written_in_python(cls):
    return isinstance(getattr(cls, "__sizeof__", None), types.FunctionType)


def _noted():
    """(address, size, six words) of each block that was in use when heaptop looked."""
    with open(noted_in, "rb") as file:
        while True:
            row = file.read(64)
            if not row:
                break
            yield struct.unpack("8Q", row)
    os.unlink(noted_in)


def truth():
    was_enabled = gc.isenabled()
    gc.disable()
    frames = _frames()
    skip = _our_own(frames)
    first = gc.get_objects() + frames + list(range(-5, 257))
    skip |= {id(first), id(skip), id(_sizes)}
    seen = _closure(first, skip)
    _with_allocated(seen, skip)
    for pair in _sizes.items():
        for one in pair:
            seen.pop(id(one), None)
    _without_image(seen, image)
    by_type, kinds = {}, {}
    for one in seen.values():
        by_type.setdefault(type(one), []).append(one)
    for cls, some in by_type.items():
        row = kinds.setdefault(_kind(cls), [0, 0])
        row[0] += len(some)
        row[1] += sum(map(_size, some))
    if was_enabled:
        gc.enable()
    return {"kinds": kinds}


def prepare(image_):
    """Before heaptop looks, so that both see the same: the cache of attribute names, which
    nothing leads to, is emptied, and what counting needs is made for the first time."""
    global image
    image = image_
    sys._clear_type_cache()
    _closure([], set())
    todo = [one.__code__ for one in list(globals().values()) if isinstance(one, types.FunctionType)]
    while todo:
        code = todo.pop()
        _codes[id(code)] = sys.getsizeof(code)
        todo.extend(one for one in code.co_consts if isinstance(one, types.CodeType))


def note(path):
    """The allocated blocks go into the file. Apart from prepare(), whose question is long: when
    it comes in two pieces, the first is in a block of malloc's that is free as soon as it is
    answered, and still looks like bytes."""
    global noted_in
    noted_in = path
    if ctypes.PyDLL(None).allocated_end(path.encode()) < 0:
        raise OSError("the allocated blocks cannot be written")
