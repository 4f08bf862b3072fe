"""How much one run may use: processor, memory, files, processes, open descriptors."""

import resource

PROCESSOR_SECONDS = 5
MEMORY = 512 * 2**20
DESCRIPTORS = 64
STACK = 8 * 2**20

LIMITS = {
    # Beyond the first the run is told by SIGXCPU, beyond the second it is ended.
    resource.RLIMIT_CPU: (PROCESSOR_SECONDS, PROCESSOR_SECONDS + 1),
    resource.RLIMIT_AS: (MEMORY, MEMORY),
    resource.RLIMIT_FSIZE: (0, 0),
    resource.RLIMIT_NOFILE: (DESCRIPTORS, DESCRIPTORS),
    resource.RLIMIT_NPROC: (0, 0),
    resource.RLIMIT_CORE: (0, 0),
    resource.RLIMIT_MEMLOCK: (0, 0),
    resource.RLIMIT_MSGQUEUE: (0, 0),
    resource.RLIMIT_STACK: (STACK, STACK),
}


def put_on() -> None:
    """For this process, for good."""
    for what, limit in LIMITS.items():
        resource.setrlimit(what, limit)
