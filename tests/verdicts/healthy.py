"""Programs with which nothing is wrong: they must be accused of nothing at any time."""
import collections
import threading

import parts
from parts import MB
from rows import healthy


class Work:
    """What a server does: for each step some work whose result is dropped."""

    def step(self, seconds):
        import json
        text = json.dumps([{"id": i, "name": "n%d" % i} for i in range(2000)])
        json.loads(text)

    def bytes(self):
        return 0


class BoundedCache(Work):
    def __init__(self, most=3000, rate=100):
        self.kept, self.most, self.rate, self.count = collections.OrderedDict(), most, rate, 0

    def step(self, seconds):
        while self.count < seconds * self.rate:
            self.count += 1
            self.kept[self.count] = b"%06000d" % self.count
            if len(self.kept) > self.most:
                self.kept.popitem(last=False)


class ShortThreads(Work):
    def step(self, seconds):
        threads = [threading.Thread(target=lambda: sum(range(1000))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class CollectedCycles(Work):
    """Cycles that the collector takes in its own time."""

    def step(self, seconds):
        for i in range(4000):
            pair = [i]
            pair.append(pair)


class OneLoad(Work):
    """A data set is read once, in the middle, and stays."""

    def __init__(self):
        self.kept = None

    def step(self, seconds):
        if seconds > 30 and not self.kept:
            self.kept = ["%0100d" % i for i in range(300000)]


@healthy("an idle program")
def idle():
    return [parts.Level(lambda: 0)]


@healthy("JSON is made and read, and dropped")
def work():
    return [Work()]


@healthy("a bounded cache, full from the beginning, renews its entries")
def bounded_cache():
    cache = BoundedCache()
    cache.count = -cache.most
    cache.step(0)
    return [cache]


@healthy("a bounded cache fills up in 20 s")
def cache_fills():
    return [BoundedCache(4000, 200)]


@healthy("imports and 24 MB of data in the first 14 s, then work")
def start():
    return [parts.WarmUp(), Work()]


@healthy("a data set of 48 MB is read once after 30 s")
def one_load():
    return [OneLoad()]


@healthy("cycles come and are collected")
def collected_cycles():
    return [CollectedCycles()]


@healthy("threads come and go")
def short_threads():
    return [ShortThreads()]


class Batches(Work):
    """Read objects pile up and are dropped: the troughs are not equal."""
    ROUND_S = 12

    def __init__(self):
        import json
        self.kept, self.round, self.loads = [], 0, json.loads
        self.text = json.dumps([{"id": i, "name": "name %d" % i, "tags": ["a%d" % i, "b"]}
                                for i in range(30000)])

    def step(self, seconds):
        if int(seconds / self.ROUND_S) != self.round:
            self.round, self.kept = int(seconds / self.ROUND_S), []
        while len(self.kept) < seconds % self.ROUND_S * 0.7:
            self.kept.append(self.loads(self.text))


@healthy("100 MB of objects are read from JSON and dropped every 12 s")
def batches():
    return [Batches()]


@healthy("a thousand tasks a second come and end")
def short_tasks():
    import asyncio
    loop = asyncio.new_event_loop()

    async def one():
        text = "%01000d" % 1
        await asyncio.sleep(0.05)
        return text

    async def all_of_them():
        await asyncio.gather(*[one() for _ in range(250)])

    class Tasks(Work):
        def step(self, seconds):
            loop.run_until_complete(all_of_them())
    return [Tasks()]


@healthy("batches of small objects, 30 to 130 MB, at times that vary")
def uneven_batches():
    import random
    chance = random.Random(5)

    class Uneven(parts.SmallSawTooth):
        def step(self, seconds):
            if seconds >= self.ends:
                self.most, self.period = chance.uniform(30, 130) * MB, chance.uniform(4, 9)
                self.began, self.ends, self.kept = seconds, seconds + self.period, []
            wanted = self.most * (seconds - self.began) / self.period
            while len(self.kept) * 160 < wanted:
                self.kept.append("%0100d" % len(self.kept))
        ends = 0
    return [Uneven(), Work()]


@healthy("10 MB of scratch every 3 s")
def little_scratch():
    return [parts.SawTooth(10 * MB, 3), Work()]


@healthy("a log keeps the last 20,000 lines")
def bounded_log():
    class Log(Work):
        kept = collections.deque(maxlen=20000)

        def step(self, seconds):
            self.kept.extend("%020.3f line %d" % (seconds, i) for i in range(500))
    return [Log()]
