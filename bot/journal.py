"""The journal on standard error: lines for people, or JSON objects for machines. Neither holds what a citizen wrote."""

from __future__ import annotations

import logging
import sys
from typing import Literal

from pythonjsonlogger.json import JsonFormatter

Format = Literal["text", "json"]

_FIELDS = ["asctime", "levelname", "name", "message"]
_NAMES = {"asctime": "time", "levelname": "level", "name": "logger"}
_LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(form: Format) -> None:
    """Send everything from INFO of ours, and from WARNING of the libraries, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(_FIELDS, rename_fields=_NAMES, json_ensure_ascii=False)
        if form == "json"
        else logging.Formatter(_LINE)
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("reformbot").setLevel(logging.INFO)
