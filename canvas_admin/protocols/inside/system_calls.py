"""The list of system calls that a run may make, as a seccomp filter.

Everything else is refused: EPERM for what is not on the list, and the end of the process
for a call by the rules of another architecture. Linux on x86_64 and aarch64.
"""

import ctypes
import errno
import platform
import struct

# linux/prctl.h, linux/seccomp.h
NO_NEW_PRIVS, SET_SECCOMP, MODE_FILTER = 38, 22, 2
KILL, REFUSE, ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
# linux/filter.h: load a word, jump if equal, jump if greater or equal, jump if a bit is set
LOAD, EQUAL, AT_LEAST, HAS_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# struct seccomp_data: the call's number, its architecture, its third argument
NUMBER, ARCHITECTURE, THIRD_ARGUMENT = 0, 4, 32
EXECUTABLE = 4
X32 = 0x40000000

# By machine: the architecture as the kernel names it, and the numbers of the calls.
X86_64 = (
    0xC000003E,
    {
        "read": 0,
        "write": 1,
        "close": 3,
        "poll": 7,
        "lseek": 8,
        "mmap": 9,
        "mprotect": 10,
        "munmap": 11,
        "brk": 12,
        "rt_sigaction": 13,
        "rt_sigprocmask": 14,
        "rt_sigreturn": 15,
        "select": 23,
        "sched_yield": 24,
        "mremap": 25,
        "madvise": 28,
        "nanosleep": 35,
        "getpid": 39,
        "exit": 60,
        "gettimeofday": 96,
        "getrusage": 98,
        "times": 100,
        "getuid": 102,
        "getgid": 104,
        "geteuid": 107,
        "getegid": 108,
        "getppid": 110,
        "sigaltstack": 131,
        "gettid": 186,
        "time": 201,
        "futex": 202,
        "restart_syscall": 219,
        "clock_gettime": 228,
        "clock_getres": 229,
        "clock_nanosleep": 230,
        "exit_group": 231,
        "pselect6": 270,
        "ppoll": 271,
        "set_robust_list": 273,
        "getrandom": 318,
        "rseq": 334,
        "clone3": 435,
    },
)
AARCH64 = (
    0xC00000B7,
    {
        "close": 57,
        "lseek": 62,
        "read": 63,
        "write": 64,
        "pselect6": 72,
        "ppoll": 73,
        "exit": 93,
        "exit_group": 94,
        "futex": 98,
        "set_robust_list": 99,
        "nanosleep": 101,
        "clock_gettime": 113,
        "clock_getres": 114,
        "clock_nanosleep": 115,
        "sched_yield": 124,
        "restart_syscall": 128,
        "sigaltstack": 132,
        "rt_sigaction": 134,
        "rt_sigprocmask": 135,
        "rt_sigreturn": 139,
        "times": 153,
        "getrusage": 165,
        "gettimeofday": 169,
        "getpid": 172,
        "getppid": 173,
        "getuid": 174,
        "geteuid": 175,
        "getgid": 176,
        "getegid": 177,
        "gettid": 178,
        "brk": 214,
        "munmap": 215,
        "mremap": 216,
        "mmap": 222,
        "mprotect": 226,
        "madvise": 233,
        "getrandom": 278,
        "rseq": 293,
        "clone3": 435,
    },
)
MACHINES = {"x86_64": X86_64, "aarch64": AARCH64}
# With memory that is not executable alone.
OF_MEMORY = ("mmap", "mprotect")
# Answered as on a kernel without it, so that the C library tries what is refused.
UNKNOWN = "clone3"


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def assembled() -> Program:
    """The filter for this machine. Raises OSError on one that is not known."""
    try:
        architecture, numbers = MACHINES[platform.machine()]
    except KeyError as error:
        raise OSError(f"{platform.machine()} is not a machine of the list.") from error
    steps = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if architecture == X86_64[0]:
        steps += [(AT_LEAST, 0, 1, X32), (RETURN, 0, 0, KILL)]
    for name, number in numbers.items():
        if name in OF_MEMORY:
            steps += [
                (EQUAL, 0, 4, number),
                (LOAD, 0, 0, THIRD_ARGUMENT),
                (HAS_BIT, 0, 1, EXECUTABLE),
                (RETURN, 0, 0, REFUSE | errno.EPERM),
                (RETURN, 0, 0, ALLOW),
            ]
        else:
            answer = REFUSE | errno.ENOSYS if name == UNKNOWN else ALLOW
            steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, answer)]
    steps.append((RETURN, 0, 0, REFUSE | errno.EPERM))
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    return Program(len(steps), code)


def allow_only(program: Program) -> None:
    """From here on nothing but the list, for good. Raises OSError where that fails."""
    _control(NO_NEW_PRIVS, 1, 0)
    _control(SET_SECCOMP, MODE_FILTER, ctypes.addressof(program))


def _control(option: int, second: int, third: int) -> None:
    words = [ctypes.c_ulong(word) for word in (second, third, 0, 0)]
    if LIBRARY.prctl(option, *words):
        raise OSError(ctypes.get_errno(), f"prctl({option}) was refused.")


LIBRARY = ctypes.CDLL(None, use_errno=True)
