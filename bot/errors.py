"""The error tree.

ReformbotError
├── SettingsError     a setting is wrong, or a group of settings half set (exit 2)
├── KnowledgeError    the knowledge folder cannot be used; carries its problems (exit 1)
├── QuestionSetError  a question file for `eval` cannot be read (exit 2)
├── ExchangeError     a file cannot be imported or exported (exit 1); in `bot.exchange.rows`
├── ChannelRefusedError  a platform does not accept a channel's credentials (exit 2)
└── StoreError        the query log cannot be opened or written
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Problem


class ReformbotError(Exception):
    """Base of every error that this program raises on purpose."""


class SettingsError(ReformbotError):
    """A setting is wrong; one clear line a problem in `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class KnowledgeError(ReformbotError):
    """The knowledge has errors; `problems` is sorted by file and position."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class QuestionSetError(ReformbotError):
    """A question set is not in the format that `eval` reads."""


class ChannelRefusedError(ReformbotError):
    """A platform does not accept the credentials of a channel; the text names the setting, never its value."""


class StoreError(ReformbotError):
    """The query log cannot be opened or written."""
