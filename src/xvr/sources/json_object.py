"""The JSON object that a dataset keeps its description in."""

import json
from pathlib import Path
from typing import Any

from xvr.errors import UserError


def read_json_object(path: Path, expected: str) -> dict[str, Any]:
    """The content of a file.

    Args:
        path: of the file.
        expected: what the folder should be, for the message when the file is not there.

    Raises:
        UserError: there is no such file, or it holds no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path} does not exist; is this {expected}?") from error
    except ValueError as error:
        raise UserError(f"{path}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a JSON object, found {type(content).__name__}")
    return content
