"""The target is a service."""
import service
import suite
import watched
from row import Row, debian, programs, python_modules, works

GROUP = "Services and test suites"


def has_uwsgi():
    return programs("uwsgi")() or python_modules("django")()


ROWS = [
    Row("asyncio", "20", "asyncio, one thread that waits in epoll, 50 tasks",
        works("asyncio_service.py", is_steady=False), weight=2),
    Row("uvloop", "19", "uvloop", works("asyncio_service.py", "uvloop", is_steady=False),
        on=debian, needs=python_modules("uvloop")),
    Row("gunicorn", "20", "gunicorn with Django under load, master and workers",
        watched.under_load(service.gunicorn), on=debian,
        needs=python_modules("gunicorn", "django"), weight=25, short=10, batch=100),
    Row("uwsgi", "20", "uwsgi, which embeds Python, under load",
        watched.under_load(lambda port: service.uwsgi(port, "--enable-threads")), on=debian,
        needs=has_uwsgi, weight=3),
    Row("uwsgi-no-threads", "20", "uwsgi whose GIL is never free: only waited for",
        watched.under_load(service.uwsgi, can_leave=False), on=debian, needs=has_uwsgi, weight=0.2,
        short=0),
    Row("pytest", "20", "pytest with processes of its own (-n 2)", watched.pytest, on=debian,
        needs=python_modules("pytest", "xdist")),
]
ROWS += [Row("cpython-" + name, "12 to 20", "CPython's own test_" + name, suite.runs(name),
             on=suite.with_tests, weight=0.1,
             short=int(name in ("gc", "fork1"))) for name in suite.NAMES]
