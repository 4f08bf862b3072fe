"""The second wall, around the whole sandbox: another account, and no files.

Where the system offers them: a process of root becomes an account without a name, and
Landlock closes all files, TCP, and what lies outside the sandbox to signals and abstract
sockets. The first wall, the list of system calls, is put around each run by itself.
"""

import ctypes
import os
import struct

from .system_calls import LIBRARY, NO_NEW_PRIVS

NOBODY = 65_534
# linux/landlock.h, whose numbers are those of every machine
CREATE_RULESET, RESTRICT_SELF, ASK_VERSION = 444, 446, 1
# Rights over files by version: the first thirteen, refer, truncate, ioctl of devices.
FILES = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
TCP, TCP_SINCE = 0b11, 4
SCOPES, SCOPES_SINCE = 0b11, 6


def another_account() -> str:
    """Leave root for nobody. Returns the wall's name, or "" where this is not root.

    Raises OSError where root cannot be left.
    """
    if os.geteuid():
        return ""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    return "account"


def no_files() -> str:
    """Landlock without any rule. Returns the wall's name, or "" where there is none."""
    version = LIBRARY.syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    if version < 1:
        return ""
    rights = (1 << FILES[min(version, max(FILES))]) - 1
    handled = struct.pack(
        "QQQ",
        rights,
        TCP if version >= TCP_SINCE else 0,
        SCOPES if version >= SCOPES_SINCE else 0,
    )
    # An older kernel knows a shorter structure, and refuses a longer one.
    size = 24 if version >= SCOPES_SINCE else 16 if version >= TCP_SINCE else 8
    rules = LIBRARY.syscall(CREATE_RULESET, ctypes.c_char_p(handled), size, 0)
    if rules < 0:
        return ""
    LIBRARY.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
    done = LIBRARY.syscall(RESTRICT_SELF, rules, 0)
    os.close(rules)
    return "" if done else f"landlock {version}"
