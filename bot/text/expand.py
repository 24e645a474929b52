"""Templates of the clerks: `(甲|乙)` is any one of, `[丙]` may be there or not.

They expand to a finite set; clerks write no regular expressions.
"""

from __future__ import annotations

import re

MAX_EXPANSIONS = 200
_SPECIAL = "()[]|"
_MARK = re.compile(r"[()\[\]|]")


class TemplateError(ValueError):
    """A template is not well formed; the message tells where, in Chinese. `column` counts from 0."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def sequence(self, closing: str) -> list[str]:
        done = [""]
        while self.at < len(self.text) and self.text[self.at] not in closing:
            char = self.text[self.at]
            if char == "(":
                parts = self.group(")")
            elif char == "[":
                parts = ["", *self.group("]")]
            elif char in _SPECIAL:
                raise TemplateError(f"多了一个“{char}”", self.at)
            else:
                parts = [char]
                self.at += 1
            if len(done) * len(parts) > MAX_EXPANSIONS:
                raise TemplateError(f"这一句会展开成 {MAX_EXPANSIONS} 句以上，请拆成几句", self.at - 1)
            done = [left + right for left in done for right in parts]
        return done

    def group(self, end: str) -> list[str]:
        start = self.at
        self.at += 1
        parts: list[str] = []
        while True:
            parts += self.sequence("|" + end)
            if self.at >= len(self.text):
                raise TemplateError(f"“{self.text[start]}”没有配对的“{end}”", start)
            self.at += 1
            if self.text[self.at - 1] == end:
                return parts


def expand(template: str) -> tuple[str, ...]:
    """Every wording of a template, in order, without repeats.

    Raises TemplateError for brackets that do not pair or more than `MAX_EXPANSIONS` wordings.
    """
    if not _MARK.search(template):
        return (template,) if template.strip() else ()
    if template.count("(") + template.count("[") > 20:
        raise TemplateError("括号太多（最多 20 对），请拆成几句", 0)
    wordings = _Reader(template).sequence("")
    return tuple(dict.fromkeys(wording for wording in wordings if wording.strip()))
