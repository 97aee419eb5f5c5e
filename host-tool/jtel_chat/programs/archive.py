"""Makes the archive from which the tool runs compiled, for the Python that runs this."""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import zipfile
from io import BytesIO

from . import itself


def archived(text: bytes, place: str) -> bytes:
    """Makes the archive of a tool's text: its modules as sources and compiled, the texts that it brings, and itself.

    place: where it will be, which tracebacks name.
    """
    bundle: dict[str, dict[str, str]] = {}
    exec(compile(text, "jtel-chatctl", "exec"), {"__name__": "bundle", "offer": bundle.update})  # noqa: S102 – our own
    files = {itself.TEXT: text, itself.DIGEST: hashlib.sha256(text).hexdigest().encode()}
    for path, source in bundle["modules"].items():
        files[path] = source.encode()
        files[f"{path}c"] = _compiled(f"{place}/{path}", source)
    for path, content in bundle["texts"].items():
        files[f"{itself.TEXTS}/{path}"] = content.encode()
    data = BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for path in sorted(files):
            # What a call reads is stored as it is: to inflate it, every call would have to import zlib.
            read = path.endswith(".pyc") or path == itself.DIGEST
            how = zipfile.ZIP_STORED if read else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(path), files[path], how)
    return data.getvalue()


def _compiled(place: str, source: str) -> bytes:
    """Compiles a module as py_compile does, to be used without a look at its source (PEP 552, unchecked)."""
    code = compile(source, place, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8) + marshal.dumps(code)
