"""Buttons: choices, related entries, pages, verdicts, following; also after a restart and when the book has changed."""

from __future__ import annotations

import copy
import dataclasses

import pytest

from bot.channels.telegram import buttons, menus, words
from bot.channels.telegram.buttons import ENTRY, pack, resolve, short, unpack
from bot.desk import Desk
from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import Bot, Start

ANNA = 1001


async def toast(telegram: Emulator, press: str) -> str:
    await telegram.until(lambda: press in telegram.callbacks)
    return str(telegram.callbacks[press].get("text", ""))


async def test_a_choice_is_made_by_a_button(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "村里")
    (offer,) = await telegram.replies(ANNA, 1)
    label = next(iter(offer.buttons))
    assert await toast(telegram, telegram.press(offer, offer.buttons[label])) == ""
    reply = (await telegram.replies(ANNA, 2))[1]
    assert label in reply.text.replace(" ", "") or label in reply.text
    telegram.press(offer, offer.data("都不是"))
    declined = (await telegram.replies(ANNA, 3))[2]
    assert declined.text == bot.app.desk.book.texts["not_these_reply"].replace("12345", " 12345").replace("  ", " ")
    newest = (await bot.app.querylog.recent(1))[0].row
    assert (newest.text, newest.status) == ("都不是", "none")


async def test_a_verdict_is_stored_with_its_row(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "僵尸车谁来拖")
    (reply,) = await telegram.replies(ANNA, 1)

    async def verdict() -> str | None:
        return (await bot.app.querylog.recent(1))[0].verdict

    assert await toast(telegram, telegram.press(reply, reply.data("👍"))) == words.THANKS
    assert await verdict() == "up"
    await telegram.until(lambda: "✅ 👍 有用" in reply.buttons)
    assert await toast(telegram, telegram.press(reply, reply.data("👎"))) == words.SORRY
    assert await verdict() == "down"
    await telegram.until(lambda: words.REASONS[0] in reply.buttons)
    assert await toast(telegram, telegram.press(reply, reply.data(words.REASONS[2]))) == words.THANKS
    await telegram.until(lambda: words.REASONS[0] not in reply.buttons)
    assert await toast(telegram, telegram.press(reply, reply.data("👎"))) == words.WITHDRAWN
    assert await verdict() is None
    await telegram.until(lambda: "✅ 👎 没帮上" not in reply.buttons)


async def test_a_long_list_has_pages(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "镇海有哪些改革")
    (reply,) = await telegram.replies(ANNA, 1)
    seen = set(reply.buttons) - {"◀", "▶"}
    for page in range(2, 9):
        telegram.press(reply, reply.data("▶"))
        await telegram.until(lambda page=page: any(label.startswith(f"{page}/") for label in reply.buttons))
        assert "👍 有用" in reply.buttons
        seen |= set(reply.buttons)
    assert "▶" not in reply.buttons
    assert sum(buttons.unpack(data)[0] == ENTRY for data in reply.buttons.values()) >= 1
    assert len(seen) >= 40


async def test_buttons_outlive_a_restart(telegram: Emulator, start: Start) -> None:
    async with start():
        telegram.say(ANNA, "镇海有哪些改革")
        (reply,) = await telegram.replies(ANNA, 1)
    async with start() as again:
        assert await toast(telegram, telegram.press(reply, reply.data("👍"))) == words.THANKS
        assert (await again.app.querylog.recent(1))[0].verdict == "up"
        telegram.press(reply, reply.data("▶"))
        await telegram.until(lambda: any(label.startswith("2/") for label in reply.buttons))
        telegram.press(reply, next(data for data in reply.buttons.values() if data.startswith("e:")))
        assert len(await telegram.replies(ANNA, 2)) == 2


async def test_a_press_on_what_is_gone_gets_a_word(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "僵尸车谁来拖")
    (reply,) = await telegram.replies(ANNA, 1)
    stale = {
        pack(ENTRY, "no-such-entry"): words.GONE,
        pack(buttons.UP, "no-such-token-12"): words.TOO_OLD,
        pack(buttons.DOWN, "no-such-token-12"): words.TOO_OLD,
        pack(buttons.REASON, "no-such-token-12", 0): words.TOO_OLD,
        pack(buttons.REASON, "no-such-token-12", 99): words.STALE,
        pack(buttons.FOLLOW, "no-such-token-12"): words.STALE,
        pack(buttons.MORE, "no-such-token-12", 0): words.STALE,
        pack(buttons.THEME, "no-such-theme", 0): words.STALE,
        pack(buttons.HOME, "no-such-region"): words.STALE,
        pack(buttons.EXAMPLE, 99): words.STALE,
        pack(buttons.EXAMPLE, "x"): words.STALE,
        "from:another:program": words.STALE,
        "e": words.STALE,
    }
    for data, expected in stale.items():
        assert await toast(telegram, telegram.press(reply, data)) == expected, data
    assert await bot.app.querylog.count() == 1
    assert len(telegram.of(ANNA)) == 1


async def test_a_press_under_a_message_that_telegram_hides(telegram: Emulator, bot: Bot) -> None:
    hidden = {"chat": {"id": ANNA, "type": "private"}, "message_id": 1, "date": 0}
    telegram.press_as(ANNA, pack(buttons.TOPICS), hidden)
    telegram.press_as(ANNA, pack(ENTRY, "nb-mobile-micro-court"), hidden)
    telegram.press_as(ANNA, pack(ENTRY, "nb-mobile-micro-court"), None)
    replies = await telegram.replies(ANNA, 2)
    assert all("移动微法院" in reply.text for reply in replies)
    assert words.STALE in {call.get("text") for call in telegram.callbacks.values()}


async def test_browsing_by_theme_and_region(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "/topics")
    (menu,) = await telegram.replies(ANNA, 1)
    path = [words.BY_REGION, "镇海区", "▶", words.BACK, words.BACK, words.BY_THEME, "科技与人才"]
    for label in path:
        before = menu.html, menu.markup
        telegram.press(menu, menu.data(label))
        await telegram.until(lambda before=before: (menu.html, menu.markup) != before)
    assert menu.text.startswith("科技与人才")
    telegram.press(menu, next(data for data in menu.buttons.values() if data.startswith("e:")))
    assert len(await telegram.replies(ANNA, 2)) == 2
    assert await bot.app.querylog.count() == 2


def test_every_button_of_the_menus_fits(desk: Desk) -> None:
    rows = [*menus.top()[1], *menus.homes("镇海区", desk)]
    for kind, registry in ((buttons.THEME, desk.book.themes), (buttons.REGION, desk.book.regions.values())):
        rows += menus.headings(kind, desk)[1]
        for item in registry:
            for page in range(30):
                menu = menus.entries(kind, item.id, page, desk)
                rows += menu[1] if menu else []
    assert len(rows) > 200
    assert max(len(data.encode()) for row in rows for _, data in row) <= buttons.MAX_BYTES


@pytest.mark.parametrize("name", ["a" * 40, "a" * 41, "a" * 60, "很" * 60])
def test_long_ids_are_hashed_and_found_again(name: str) -> None:
    data = pack(ENTRY, name)
    assert len(data.encode()) <= buttons.MAX_BYTES or len(name) == 40
    kind, (value,) = unpack(data)
    assert kind == ENTRY
    assert resolve(value, ["other", name]) == name
    assert resolve(value, ["other"]) is None
    assert short(short(name)) == short(name)


def test_data_that_cannot_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        pack(ENTRY, "很" * 40)


async def test_a_changed_catalogue_is_told_at_the_button(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "村里")
    (offer,) = await telegram.replies(ANNA, 1)
    label, data = next(iter(offer.buttons.items()))
    identifier = unpack(data)[1][0]
    book = bot.app.desk.book
    changed = copy.copy(bot.app.desk)
    changed.book = dataclasses.replace(book, entries={k: v for k, v in book.entries.items() if k != identifier})
    bot.app.desk = changed
    assert await toast(telegram, telegram.press(offer, offer.buttons[label])) == words.GONE
