"""A Django service in one file, for gunicorn: `gunicorn djapp:application`.

/leak keeps a Session for ever, /cycle makes two Nodes of garbage that only the
collector can free, /count says what is held, /work answers a small page.
"""
import gc
import json
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(DEBUG=False, SECRET_KEY="for a test", ROOT_URLCONF=__name__,
                   ALLOWED_HOSTS=["*"], MIDDLEWARE=[])


class Session:
    def __init__(self, number):
        self.number = number
        self.token = "token-%d" % number


class Node:
    def __init__(self):
        self.other = None


SESSIONS = []


def leak(request):
    SESSIONS.append(Session(len(SESSIONS)))
    return HttpResponse("kept")


def cycle(request):
    first, second = Node(), Node()
    first.other, second.other = second, first
    return HttpResponse("dropped")


def count(request):
    return HttpResponse(json.dumps({"pid": os.getpid(), "sessions": len(SESSIONS),
                                    "callbacks": len(gc.callbacks)}))


def work(request):
    return HttpResponse("".join("<p>%d</p>" % n for n in range(50)))


urlpatterns = [path("leak", leak), path("cycle", cycle), path("count", count),
               path("work", work)]
gc.disable()
application = get_wsgi_application()
