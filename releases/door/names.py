"""Names and paths inside a release, by a whitelist: letters of ASCII, digits, `_`, `-` and `.`.

So no name climbs out of its folder, looks like another one, is another one where case does not count, or means a
device.
"""

import re
from collections.abc import Iterable

from releases.door.bounds import LINE_CHARACTERS, NAME_CHARACTERS, PATH_CHARACTERS, PATH_PARTS
from releases.door.refusal import refused
from releases.door.text import is_one_line

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?<!\.)")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}")
_NAME_IS = (
    f"a name has 1 to {NAME_CHARACTERS} letters (a to z), digits, '_', '-' and '.', the last two not at its start, "
    "'.' not at its end, and is no device's"
)
_PATH_IS = f"a path has 1 to {PATH_PARTS} such names and at most {PATH_CHARACTERS} characters, and no '..'"


def is_name(text: str) -> bool:
    """Whether a text may name a dataset, a config or a file."""
    return len(text) <= NAME_CHARACTERS and bool(_NAME.fullmatch(text)) and not _DEVICE.fullmatch(text)


def is_path(text: str) -> bool:
    """Whether a text may be the path of a file inside a version's folder."""
    parts = text.split("/")
    return len(text) <= PATH_CHARACTERS and len(parts) <= PATH_PARTS and all(map(is_name, parts))


def require_name(where: object, field: str, value: str) -> None:
    """Raise RefusedRelease if `value` is no name."""
    if not is_name(value):
        raise refused(where, field, _NAME_IS, value)


def require_path(where: object, field: str, value: str) -> None:
    """Raise RefusedRelease if `value` is no path inside a release."""
    if not is_path(value):
        raise refused(where, field, f"{_PATH_IS}; {_NAME_IS}", value)


def require_line(where: object, field: str, value: str, *, most: int = LINE_CHARACTERS) -> None:
    """Raise RefusedRelease if `value` is longer than a line may be, or has a character that does not print."""
    if len(value) > most or not is_one_line(value):
        raise refused(where, field, f"it has at most {most} characters, all of which print", value)


def require_digest(where: object, field: str, value: str) -> None:
    """Raise RefusedRelease if `value` is no SHA-256."""
    if not _DIGEST.fullmatch(value):
        raise refused(where, field, "a SHA-256 has 64 digits from 0 to f", value)


def require_language(where: object, field: str, value: str) -> None:
    """Raise RefusedRelease if `value` is no code of a language."""
    if not _LANGUAGE.fullmatch(value):
        raise refused(where, field, "a language is a code such as en or pt-BR", value)


def require_apart(where: object, field: str, paths: Iterable[str]) -> None:
    """Raise RefusedRelease if two paths are one where case does not count, or one is a folder of another."""
    files: dict[str, str] = {}
    for path in paths:
        if path.lower() in files:
            raise refused(where, field, f"every file is listed once, and {files[path.lower()]!r} is it", path)
        files[path.lower()] = path
    for folded, path in files.items():
        parts = folded.split("/")
        for n in range(1, len(parts)):
            if (folder := "/".join(parts[:n])) in files:
                raise refused(where, field, f"{files[folder]!r} is listed as a file, and files have none below", path)
