# Computes a known result in one thread, or in as many as the argument says.


def several(n):
    threads = [threading.Thread(target=compute) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


N = int(sys.argv[1]) if len(sys.argv) > 1 else 1
ready()
finish(work(several, N) if N > 1 else work(compute))
