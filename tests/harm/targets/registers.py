# All that a thread has and that lies nowhere else is in use nearly all of the time: general
# and vector registers, the carry flag, the rounding modes, the red zone, errno.
import subprocess
import tempfile

GENERAL = ["rax", "rbx", "rbp", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"]
KEPT = ["rbx", "rbp", "r12", "r13", "r14", "r15"]  # the caller's
RED_ZONE = 16  # words below the stack pointer
ROUND_UP_SSE, ROUND_UP_X87 = 0x5f80, 0x0b7f
TURNS = 3000000


def vectors():
    """(how many, their bytes, letter, the instruction that moves one)"""
    with open("/proc/cpuinfo") as file:
        flags = next((line.split() for line in file if line.startswith("flags")), [])
    if "avx512f" in flags:
        return 32, 64, "z", "vmovdqu64"
    return (16, 32, "y", "vmovdqu") if "avx" in flags else (16, 16, "x", "movdqu")


def assembly(count, each, letter, move):
    """keep(turns, in, out): loads everything from `in`, counts down, stores it to `out`."""
    at = count * each
    masks = range(1, 8) if letter == "z" else ()
    lines = [".globl keep", ".type keep, @function", "keep:", ".cfi_startproc"]
    for name in KEPT:
        lines += ["push %%%s" % name, ".cfi_adjust_cfa_offset 8", ".cfi_rel_offset %s, 0" % name]
    lines += ["%s %d(%%rsi), %%%smm%d" % (move, n * each, letter, n) for n in range(count)]
    lines += ["kmovw %d(%%rsi), %%k%d" % (n * each, n) for n in masks]
    for n in range(RED_ZONE):
        lines += ["mov %d(%%rsi), %%rax" % (at + 8 * n), "mov %%rax, -%d(%%rsp)" % (8 * n + 8)]
    words = at + 8 * RED_ZONE
    lines += ["ldmxcsr %d(%%rsi)" % words, "fldcw %d(%%rsi)" % (words + 8), "mov %rdi, %rcx"]
    general = words + 16
    lines += ["mov %d(%%rsi), %%%s" % (general + 8 * n, name) for n, name in enumerate(GENERAL)]
    lines += ["stc", "1: dec %rcx", "jnz 1b", "setc %d(%%rdx)" % (words + 12)]
    lines += ["mov %%%s, %d(%%rdx)" % (name, general + 8 * n) for n, name in enumerate(GENERAL)]
    for n in range(RED_ZONE):
        lines += ["mov -%d(%%rsp), %%rax" % (8 * n + 8), "mov %%rax, %d(%%rdx)" % (at + 8 * n)]
    lines += ["%s %%%smm%d, %d(%%rdx)" % (move, letter, n, n * each) for n in range(count)]
    lines += ["kmovw %%k%d, %%eax\ncmpw %d(%%rsi), %%ax\nje 2f\nmovl $0, (%%rdx)\n2:"
              % (n, n * each) for n in masks]
    lines += ["stmxcsr %d(%%rdx)" % words, "fnstcw %d(%%rdx)" % (words + 8),
              "movl $0x1f80, -8(%rsp)", "ldmxcsr -8(%rsp)", "fninit"]
    lines += [] if letter == "x" else ["vzeroupper"]
    for name in reversed(KEPT):
        lines += ["pop %%%s" % name, ".cfi_adjust_cfa_offset -8", ".cfi_restore %s" % name]
    return "\n".join(lines + ["ret", ".cfi_endproc", '.section .note.GNU-stack,"",@progbits', ""])


def library(text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "registers.so")
        try:
            done = subprocess.run(["cc", "-shared", "-x", "assembler", "-", "-o", path],
                                  input=text.encode(), stderr=subprocess.PIPE)
        except OSError:
            cannot("no assembler here")
        if done.returncode:
            cannot("no assembler for this: %s" % done.stderr.decode()[:200])
        return ctypes.CDLL(path, use_errno=True)


if os.uname().machine != "x86_64":
    cannot("the registers are those of x86-64")
count, each, letter, move = vectors()
keep = library(assembly(count, each, letter, move)).keep
words = count * each + 8 * RED_ZONE
size = words + 16 + 8 * len(GENERAL)
given = bytearray(hashlib.sha512(b"registers").digest() * 64)[:size]
given[words:words + 16] = (ROUND_UP_SSE.to_bytes(8, "little") + ROUND_UP_X87.to_bytes(2, "little")
                           + bytes([0, 0, 1, 0, 0, 0]))
source = (ctypes.c_char * size).from_buffer(given)
target = ctypes.create_string_buffer(size)


def turn():
    ctypes.memset(target, 0, size)
    ctypes.set_errno(4242)
    keep(ctypes.c_long(TURNS), source, target)
    expect(ctypes.get_errno() == 4242, "errno is %d" % ctypes.get_errno())
    places = [n for n in range(size) if target.raw[n] != given[n]]
    expect(not places, "changed at %r of %d bytes of vectors, %d of red zone, modes, and %s"
           % (places[:20], count * each, 8 * RED_ZONE, GENERAL))


turn()  # what the registers are must be seen right without heaptop
if _wrong:
    cannot("the check itself does not work here: %s" % _wrong[0])
ready()
finish(work(turn))
