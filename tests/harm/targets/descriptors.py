# A number of a descriptor is closed and taken again, over and over, by open() and by dup2():
# the lowest free one must be the program's own each time.
import re

NULL = "/dev/null"


def lowest():
    low, kept = os.open(NULL, os.O_RDONLY), os.open(NULL, os.O_WRONLY)
    inode = os.fstat(kept).st_ino

    def turn():
        for _ in range(200):
            os.close(low)
            got = os.open(NULL, os.O_RDONLY)
            if not expect(got == low, "open() gave number %d, not %d" % (got, low)):
                os.dup2(got, low)
                os.close(got)
            os.close(low)
            try:
                os.dup2(kept, low)
            except OSError as error:
                wrong("dup2: %s" % error)
                os.dup2(kept, low)
            expect(os.fstat(low).st_ino == inode, "another file is under the number")
    return turn


if tuple(int(word) for word in re.findall(r"\d+", os.uname().release)[:2]) < (5, 9):
    cannot("Linux before 5.9 has no close_range()")
turn = lowest()
ready()
finish(work(turn))
