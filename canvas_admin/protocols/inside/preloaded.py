"""What protocols may import: loaded before the walls go up, because nothing is after."""

import importlib
import time
import zoneinfo
from pathlib import Path

import arrow
import canvas_workflow_kit

# facts 7.1: "imports … allowed", and what these load at first use.
MODULES = """
    abc array base64 binascii bisect calendar cmath collections collections.abc colorsys
    concurrent contextlib copy copyreg csv dataclasses datetime decimal difflib enum
    fractions functools gettext graphlib hashlib heapq hmac html html.entities html.parser
    http http.client http.cookiejar http.cookies inspect io itertools json json.decoder
    json.encoder keyword linecache locale logging math numbers operator pickletools pprint
    queue quopri random re reprlib secrets statistics string stringprep struct textwrap
    threading time timeit token tokenize traceback types typing unicodedata urllib
    urllib.error urllib.parse urllib.request urllib.response uuid warnings weakref
    xml.etree.ElementTree zlib zoneinfo
    email email.mime.multipart email.mime.text email.parser email.policy email.utils
    encodings.ascii encodings.cp1252 encodings.idna encodings.latin_1 encodings.punycode
    encodings.utf_16 encodings.utf_8 encodings.utf_8_sig encodings.unicode_escape
    arrow arrow.locales cached_property dateutil dateutil.easter dateutil.parser
    dateutil.relativedelta dateutil.rrule dateutil.tz dateutil.utils memoization
    charset_normalizer idna idna.uts46data requests requests.adapters requests.auth
    requests.exceptions requests.sessions urllib3 urllib3.util.retry _strptime
""".split()
# Programs and tests of the kit, and what is not finished there.
LEFT_OUT = {
    "tests",
    "stubs",
    "future",
    "canvas_cli",
    "generate_cqms_stubs",
    "mock_data",
}
_kept: list[object] = []


def load() -> list[str]:
    """Import it all; returns the names of what could not be imported."""
    missing = [name for name in [*MODULES, *_of_the_kit()] if not _loaded(name)]
    zones = sorted(zoneinfo.available_timezones())
    _kept.extend(zoneinfo.ZoneInfo(name) for name in zones)
    time.strptime("2026-01-01", "%Y-%m-%d")
    arrow.utcnow().to("US/Pacific").humanize()
    return missing


def _loaded(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _of_the_kit() -> list[str]:
    """Its modules by file: one of its folders is no package, so that walking finds less."""
    top = Path(canvas_workflow_kit.__file__).parent
    found = []
    for file in sorted(top.rglob("*.py")):
        parts = file.relative_to(top).with_suffix("").parts
        if not LEFT_OUT.intersection(parts):
            name = ".".join(part for part in parts if part != "__init__")
            found.append(f"canvas_workflow_kit.{name}".rstrip("."))
    return found
