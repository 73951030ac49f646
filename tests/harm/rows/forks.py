"""The target makes children while heaptop comes and goes."""
from row import EACH, Row, works

GROUP = "The target makes children"


def forks(how):
    return works("forks.py", how, is_steady=False)


ROWS = [
    Row("fork", "12", "os.fork all the time; children collect and start threads", forks("fork"),
        short=EACH(3)),
    Row("fork-thread", "12", "os.fork in a thread", forks("fork_in_a_thread")),
    Row("subprocess", "12", "subprocess.run all the time", forks("subprocess")),
    Row("posix-spawn", "12", "os.posix_spawn all the time", forks("spawn")),
    Row("pool", "12", "a multiprocessing pool whose children import modules", forks("pool")),
    Row("vfork-slow", "12", "children made by vfork that take their time", forks("slow_vfork")),
    Row("daemon", "12", "a child that forks again and closes all descriptors", forks("daemon")),
    Row("fork-exec", "12", "os.fork and os.execv of Python itself", forks("exec")),
]
