# Collects all the time, in two threads, with garbage that has finalizers.


class Node:
    alive = 0

    def __init__(self):
        Node.alive += 1
        self.own = self

    def __del__(self):
        Node.alive -= 1


def turn():
    for _ in range(500):
        Node()
    gc.collect()


def beside():
    while not over:
        gc.collect()


over = []
kept = [[n] for n in range(20000)]
thread = threading.Thread(target=beside)
thread.start()
ready()
turns = work(turn)
over.append(True)
thread.join()
gc.collect()
expect(Node.alive == 0, "%d objects were not collected" % Node.alive)
_at_first["threads"] = 1
finish(turns)
