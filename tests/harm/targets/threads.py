# Threads of every kind and number, deep stacks, and code that switches stacks.


def sleepers(n, stack_bytes=0):
    """n threads asleep beside the one that computes."""
    gate, started = threading.Event(), []
    while stack_bytes:
        try:
            threading.stack_size(stack_bytes)
            break
        except ValueError:  # some ask for more
            stack_bytes += 4096
    try:
        for _ in range(n):
            started.append(threading.Thread(target=gate.wait))
            started[-1].start()
    except RuntimeError:
        gate.set()
        cannot("no more than %d threads here" % len(started))
    return compute, lambda: (gate.set(), [thread.join() for thread in started])


def churn():
    """Threads come and go all the time."""
    found = []

    def turn():
        threads = [threading.Thread(target=found.append, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        expect(sorted(found) == list(range(20)), "threads found %r" % found)
        del found[:]
    return turn, None


def recursion():
    sys.setrecursionlimit(6000)
    threading.stack_size(64 << 20)

    def down(n):
        return digest(5) if n == 0 else down(n - 1)
    five = digest(5)

    def deep():
        expect(down(4800) == five, "a digest differs, 4,800 calls deep")

    def turn():
        thread = threading.Thread(target=deep)
        thread.start()
        thread.join()
    return turn, None


def generators():
    def numbers(n):
        if n:
            yield n
            yield from numbers(n - 1)

    def turn():
        several = [numbers(200) for _ in range(20)]
        total = sum(sum(row) for row in zip(*several))
        expect(total == 20 * 200 * 201 // 2, "generators found %d" % total)
    return turn, None


def greenlets():
    try:
        import greenlet
    except ImportError:
        cannot("no greenlet for this interpreter")

    def run(n):
        for _ in range(20):
            n = back.switch(n + 1)
        return n
    back = greenlet.getcurrent()

    def turn():
        several, values = [greenlet.greenlet(run) for _ in range(10)], [0] * 10
        for _ in range(21):
            values = [one.switch(value) for one, value in zip(several, values)]
        expect(values == [20] * 10 and all(one.dead for one in several), "greenlets: %r" % values)
    return turn, None


def locks():
    """Threads that hand one token round by locks, and nothing may be lost."""
    n, rounds = 6, [0]
    gates = [threading.Semaphore(0) for _ in range(n)]
    over = []

    def pass_on(i):
        while True:
            gates[i].acquire()
            if i == n - 1:
                rounds[0] += 1
            gates[(i + 1) % n].release()
            if over:
                return
    threads = [threading.Thread(target=pass_on, args=(i,)) for i in range(n)]
    for thread in threads:
        thread.start()
    gates[0].release()

    def turn():
        before, deadline = rounds[0], time.monotonic() + 30
        while rounds[0] < before + 5 and time.monotonic() < deadline:
            time.sleep(0.001)
        expect(rounds[0] >= before + 5, "the token is lost")

    def end():
        over.append(True)
        for thread in threads:
            thread.join(20)
    return turn, end


kind, argument = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
turn, end = {"sleepers": lambda: sleepers(argument),
             "small": lambda: sleepers(argument, 32768), "churn": churn,
             "recursion": recursion, "generators": generators, "greenlets": greenlets,
             "locks": locks}[kind]()
ready()
turns = work(turn)
if end:
    end()
    _at_first["threads"] = 1
finish(turns)
