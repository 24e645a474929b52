"""Draws `deploy/telegram.svg`: a conversation as Telegram shows it, from the bot's own words and buttons.

`python -m tests.telegram.picture` draws it anew.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser

from bot.answer import answer
from bot.channels.telegram.render import keyboard, messages
from bot.desk import Desk
from bot.knowledge.book import load_or_raise
from bot.model import Turn
from tests.conftest import KNOWLEDGE, ROOT

FILE = ROOT / "deploy" / "telegram.svg"
TODAY = dt.date(2026, 11, 20)
TOKEN = "0123456789abcdef"
SAID = ("跑外卖摔了谁赔", "村里")
WIDTH, SIZE, LEAD, PAD = 460, 14, 20, 12
BUBBLE = 380
STYLES = {"b": ' font-weight="bold"', "i": ' fill="#5b6b7a" font-style="italic"'}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bubble with its style."""

    text: str
    style: str = ""


class _Lines(HTMLParser):
    """The lines of a message, each in one style, as the bot makes them."""

    def __init__(self) -> None:
        super().__init__()
        self.style = ""
        self.lines: list[Line] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.style = STYLES.get(tag, self.style)

    def handle_endtag(self, tag: str) -> None:
        self.style = ""

    def handle_data(self, data: str) -> None:
        for text in data.split("\n"):
            if text:
                self.lines += [Line(part, self.style) for part in wrap(text, BUBBLE - 2 * PAD)]


def width(text: str) -> float:
    """Pixels, about: Chinese characters and emoji are as wide as high, the others a little more than half."""
    return sum(SIZE if ord(char) > 0x2E80 else 0.56 * SIZE for char in text)


def wrap(text: str, room: float) -> list[str]:
    """The text in lines of so many pixels; a closing mark never begins a line, and no number is broken."""
    lines = [""]
    for char in text:
        in_number = char.isdigit() and lines[-1][-1:].isdigit()
        if width(lines[-1] + char) > room and not in_number and char not in "，。；：、）”》？！":
            lines.append("")
        lines[-1] += char
    return lines


class Picture:
    """Bubbles from top to bottom."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = 16.0

    def say(self, text: str) -> None:
        """What the citizen wrote."""
        wide = width(text) + 2 * PAD
        self._box(WIDTH - 16 - wide, wide, [Line(text)], "#d9f5c5")

    def reply(self, part: dict[str, object]) -> None:
        """What the bot answers."""
        lines = _Lines()
        lines.feed(str(part["html"]))
        self._box(16, BUBBLE, lines.lines, "#ffffff")
        rows = part.get("keyboard")
        for row in rows if isinstance(rows, list) else []:
            self._row([label for label, _ in row])
        self.y += 8

    def _box(self, x: float, wide: float, lines: list[Line], colour: str) -> None:
        high = len(lines) * LEAD + PAD
        self.parts.append(
            f'<rect x="{x:.0f}" y="{self.y:.0f}" width="{wide:.0f}" height="{high}" rx="12" fill="{colour}"/>'
        )
        for at, line in enumerate(lines):
            y = self.y + (at + 1) * LEAD
            self.parts.append(f'<text x="{x + PAD:.0f}" y="{y:.0f}"{line.style}>{escape(line.text)}</text>')
        self.y += high + 8

    def _row(self, labels: list[str]) -> None:
        wide = (BUBBLE - 6 * (len(labels) - 1)) / len(labels)
        for at, label in enumerate(labels):
            x = 16 + at * (wide + 6)
            shown = label if width(label) < wide - 8 else wrap(label, wide - 26)[0] + "…"
            self.parts.append(
                f'<rect x="{x:.0f}" y="{self.y:.0f}" width="{wide:.0f}" height="30" rx="8" fill="#7393ab"/>'
            )
            middle = f'x="{x + wide / 2:.0f}" y="{self.y + 20:.0f}" text-anchor="middle" fill="#ffffff"'
            self.parts.append(f"<text {middle}>{escape(shown)}</text>")
        self.y += 36

    def svg(self) -> str:
        """The whole picture."""
        high = round(self.y + 8)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high}" width="{WIDTH}" height="{high}" '
            f'font-family="PingFang SC, Microsoft YaHei, Noto Sans CJK SC, sans-serif" font-size="{SIZE}">'
        )
        back = f'<rect width="{WIDTH}" height="{high}" fill="#a9c2d4"/>'
        return (
            "\n".join([head, "<title>与甬改问答在 Telegram 上的一段对话</title>", back, *self.parts, "</svg>"]) + "\n"
        )


def draw(desk: Desk) -> str:
    """The conversation as SVG."""
    picture, turns = Picture(), list[Turn]()
    for text in SAID:
        picture.say(text)
        reply = answer(text, desk, turns, TODAY)
        turns.append(reply.turn)
        for part in messages(reply, keyboard(reply, TOKEN)):
            picture.reply(part)
    return picture.svg()


if __name__ == "__main__":
    FILE.write_text(draw(Desk(load_or_raise(KNOWLEDGE))), encoding="utf-8")
