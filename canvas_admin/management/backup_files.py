"""A backup's one file: a compressed tar of the database, the stored files, the audit head.

At its end stands a manifest: what each part's digest is, how many rows each table has,
and which versions it was made with. No key and no password is in it.
"""

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

FORMAT = 1
MANIFEST = "manifest.json"
HEAD = "audit-head.json"
MEDIA = "media"
CHUNK = 1 << 20


class BackupDamaged(Exception):
    """A file that is no backup, or not what its manifest says; the message says which."""


class _Hashed(io.RawIOBase):
    """Reads a file and knows the digest of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.digest.update(data)
        return data


def pack(target: Path, folder: Path, media: Path, facts: dict[str, Any]) -> None:
    """Write the files of a folder, and stored files, into a new file for its owner alone.

    `facts` go into the manifest. The file has its name only when it is complete.
    """
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as tar:
                digests = {
                    name: _add(tar, name, path) for name, path in _parts(folder, media)
                }
                manifest = {"backup": FORMAT, **facts, "files": digests}
                text = json.dumps(manifest, indent=1).encode()
                info = tarfile.TarInfo(MANIFEST)
                info.size = len(text)
                tar.addfile(info, io.BytesIO(text))
            out.flush()
            os.fsync(out.fileno())
        unfinished.rename(target)
    finally:
        unfinished.unlink(missing_ok=True)


def unpack(source: Path, folder: Path) -> dict[str, Any]:
    """Put a backup's parts into an empty folder; its manifest, which they agree with.

    Raises BackupDamaged.
    """
    try:
        with tarfile.open(source, "r:gz") as tar:
            found = {
                member.name: _extract(tar, member, folder / _inside(member))
                for member in tar
            }
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise BackupDamaged(f"{source} cannot be read to its end: {error}.") from error
    if found.pop(MANIFEST, None) is None:
        raise BackupDamaged(f"{source} is no backup, or it ends too early.")
    manifest = _manifest(folder / MANIFEST)
    for name in sorted(found.keys() | manifest["files"].keys()):
        if found.get(name) != manifest["files"].get(name):
            raise BackupDamaged(f"{name} is not what the backup's manifest says.")
    return manifest


def _parts(folder: Path, media: Path) -> Iterator[tuple[str, Path]]:
    """Everything that goes in, by its name there; of the stored files no links."""
    for path in sorted(folder.iterdir()):
        yield path.name, path
    for place, _folders, names in os.walk(media):
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                inside = path.relative_to(media).as_posix()
                yield f"{MEDIA}/{inside}", path


def _add(tar: tarfile.TarFile, name: str, path: Path) -> str:
    info = tarfile.TarInfo(name)
    with path.open("rb") as file:
        info.size = os.fstat(file.fileno()).st_size
        hashed = _Hashed(file)
        tar.addfile(info, hashed)
    return hashed.digest.hexdigest()


def _inside(member: tarfile.TarInfo) -> PurePosixPath:
    """A member's name, if it is a plain file that stays within the folder."""
    path = PurePosixPath(member.name)
    stays = not path.is_absolute() and ".." not in path.parts and path.parts
    if (
        not member.isreg()
        or not stays
        or (len(path.parts) > 1) != (path.parts[0] == MEDIA)
    ):
        raise BackupDamaged(f"“{member.name}” has no place in a backup.")
    return path


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as out:
        hashed = _Hashed(tar.extractfile(member))
        while data := hashed.read(CHUNK):
            out.write(data)
    return hashed.digest.hexdigest()


def _manifest(path: Path) -> dict[str, Any]:
    shape = {
        "backup": int,
        "files": dict,
        "rows": dict,
        "migrations": list,
        "vendor": str,
        "made": str,
        "version": str,
    }
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BackupDamaged("The backup's manifest cannot be read.") from error
    if not isinstance(found, dict) or found.get("backup") != FORMAT:
        raise BackupDamaged("The backup is of a kind that this version does not know.")
    if wrong := [n for n, kind in shape.items() if not isinstance(found.get(n), kind)]:
        raise BackupDamaged(f"The backup's manifest lacks {', '.join(wrong)}.")
    return found
