# One thread that waits in epoll nearly all the time: 50 tasks with timers and a pair of
# streams. With the argument "uvloop" the loop is another one.
import asyncio

if sys.argv[1:] == ["uvloop"]:
    try:
        import uvloop
        uvloop.install()
    except ImportError:
        cannot("no uvloop for this interpreter")


async def sleeper(n):
    began = time.monotonic()
    await asyncio.sleep(0.02 + n / 2000)
    # The loop's clock is as coarse as its timers.
    expect(time.monotonic() - began >= 0.018 + n / 2000, "a task woke early")
    return n * n


async def echo(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    over.set()


async def main():
    global over
    over = asyncio.Event()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    turns = 0
    ready()
    while not is_over():
        found = await asyncio.gather(*[sleeper(n) for n in range(50)])
        expect(found == [n * n for n in range(50)], "tasks found %r" % found)
        writer.write(b"hello %d\n" % turns)
        expect(await reader.readline() == b"HELLO %d\n" % turns, "the streams lost a line")
        turns += 1
    _at_first.update(_signals())
    writer.close()
    await over.wait()
    server.close()
    finish(turns)


asyncio.run(main())
