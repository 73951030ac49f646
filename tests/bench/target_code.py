"""What the measured targets run: the heap, and a probe that feels pauses."""

HEAP = '''
import threading

class Entry:
    def __init__(self, number):
        self.number = number + 100000
        self.name = "entry %d" % number

kept = [Entry(number) for number in range(N_ENTRIES)]
gc.collect()
'''

# A thread that does nothing but look at the clock: the longest time between two
# looks is the longest time for which no Python code ran.
PROBE = '''
class Probe(threading.Thread):
    daemon = True

    def run(self):
        clock = time.perf_counter_ns
        self.longest_ns, self.loops, self.ends = 0, 0, False
        last = clock()
        while not self.ends:
            now = clock()
            gap = now - last
            if gap > self.longest_ns:
                self.longest_ns = gap
            last = now
            self.loops += 1

def probe_start():
    global probe
    probe = Probe()
    probe.start()

def probe_stop():
    probe.ends = True
    probe.join()
    return probe.longest_ns

def measured(function):
    """(wall, CPU of this thread) of a call, in seconds."""
    wall, cpu = time.perf_counter(), time.thread_time()
    function()
    return time.perf_counter() - wall, time.thread_time() - cpu

def count_by_gc():
    import collections
    return collections.Counter(type(thing) for thing in gc.get_objects())
'''


def setup(n_entries):
    return HEAP.replace("N_ENTRIES", str(n_entries)) + PROBE
