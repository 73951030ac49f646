# Has callbacks of its own at each collection, which come and go behind the agent's: every one
# must be called once at the start and once at the end.
called = []
kept = [[n] for n in range(100000)]  # a collection takes long enough to be met


def first(phase, info):
    called.append(("first", phase))


def second(phase, info):
    called.append(("second", phase))


EXPECTED = [(name, phase) for phase in ("start", "stop") for name in ("first", "second")]


def turn():
    gc.callbacks.extend((first, second))
    del called[:]
    gc.collect()
    expect(called == EXPECTED, "callbacks were called as %r" % called)
    gc.callbacks.remove(first)
    gc.callbacks.remove(second)
    for _ in range(20):
        compute()


gc.disable()
ready()
finish(work(turn))
