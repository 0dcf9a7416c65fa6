"""What Schemathesis sends beside what it makes up: real files as binary bodies, and ids of things that exist.

SOTTO_TEST_THINGS names a folder with `ids.json` (a list of ids by the beginning of a path) and the folder `files`.
"""

import itertools
import json
import os
import pathlib
import re

import schemathesis
from hypothesis import strategies as st

THINGS = pathlib.Path(os.environ["SOTTO_TEST_THINGS"])
IDS = json.loads((THINGS / "ids.json").read_text())
OWN_TOKEN = os.environ["SOTTO_TOKEN"].split("_")[1]
NUMBERS = itertools.count()
FILES = [path.read_bytes() for path in sorted((THINGS / "files").iterdir())]


def damaged(file: bytes, place: int, kind: str) -> bytes:
    """The file cut, lengthened, or with one flipped bit."""
    place %= len(file)
    if kind == "cut":
        return file[:place]
    if kind == "longer":
        return file + file[:1]
    return file[:place] + bytes([file[place] ^ 1]) + file[place + 1 :]


whole = st.sampled_from(FILES)
broken = st.builds(damaged, whole, st.integers(0, 10_000_000), st.sampled_from(["cut", "longer", "flipped"]))
schemathesis.openapi.media_type("application/octet-stream", st.one_of(whole, broken, st.binary(max_size=4096)))


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every second id that has the right form becomes one of a thing that exists, except where that would end it."""
    if context.operation.method == "delete":
        return path_parameters
    known = next((ids for start, ids in IDS.items() if context.operation.path.startswith(start + "/{id}")), [])
    made = path_parameters.get("id") if path_parameters else None
    if known and isinstance(made, str) and len(made) == len(known[0]) and made[-1] in "02468ace":
        path_parameters["id"] = known[int(made[-2], 16) % len(known)] if made[-2] in "0123456789abcdef" else known[0]
    return path_parameters


@schemathesis.hook
def map_body(context, body):
    """Half of the bodies that name a base model name the one that exists."""
    if context.operation.method == "post" and isinstance(body, dict):
        for start, name, form, known in (
            ("/v1/base-models", "path", "[a-z].*", "tiny.gguf"),
            ("/v1/fine-tuning-sessions", "base_model", "[0-9a-f]{64}", IDS["/v1/base-models"][0]),
        ):
            if context.operation.path == start and re.fullmatch(form, str(body.get(name))) and len(body) % 2:
                body[name] = known
    return body


@schemathesis.hook
def before_call(context, case, kwargs):
    """Requests have idempotency keys of their own, since another request with the same one is refused; the run's token stays."""
    for name, value in (case.headers or {}).items():
        if name.lower() == "idempotency-key" and re.fullmatch("[!-~]{1,200}", str(value)):
            case.headers[name] = f"key-{next(NUMBERS)}"
    if case.method != "GET" and (case.path_parameters or {}).get("id") == OWN_TOKEN:
        case.path_parameters["id"] = "0" * len(OWN_TOKEN)
