"""People of every channel, who ask until they are acknowledged, and what each of them is shown."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from tests.chaos.bank import answered
from tests.emulators.aibot import Gateway
from tests.emulators.telegram import Call, Fault, Telegram
from tests.emulators.wecom import Callbacks, message
from tests.emulators.wecom_kf import KF_AES_KEY, KF_TOKEN, KfApi

FAILURES = 0.10
_PATIENT = 4
Question = tuple[int, int]
"""Who asked, and which question of the bank."""
Taken = Callable[[str, str], Awaitable[bool]]
"""Whether the log holds a message of a channel, as far as one can see just now."""


@dataclass
class Tally:
    """What became of the questions of one channel. `acknowledged` and `tried` count by question and person."""

    acknowledged: Counter[Question] = field(default_factory=Counter)
    tried: Counter[Question] = field(default_factory=Counter)
    shown: defaultdict[Question, list[float]] = field(default_factory=lambda: defaultdict(list))
    lost: Counter[Question] = field(default_factory=Counter)
    """Replies that were taken, but the word of it never came back."""
    longest: float = 0.0
    """Seconds that an answer took, of the tries that got one."""


class Crowd(Protocol):
    """The people of one channel. `ask` returns when the question is acknowledged, not when it is answered."""

    channel: str

    async def ask(self, user: int, place: int) -> None: ...

    def tally(self) -> Tally: ...

    async def close(self) -> None: ...


class WebCrowd:
    """Asks `/api/ask` again and again until there is an answer, which is its reply."""

    channel = "web"

    def __init__(self, url: str, bank: list[str], name: str = "citizen") -> None:
        self._bank, self._name, self._tally = bank, name, Tally()
        self._client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=30)
        self.rows: dict[int, int] = {}

    async def ask(self, user: int, place: int) -> None:
        """One question."""
        body = {"text": self._bank[place], "session": f"{self._name}-{user}"}
        while True:
            self._tally.tried[user, place] += 1
            begun = time.monotonic()
            with contextlib.suppress(httpx.HTTPError):
                response = await self._client.post("/api/ask", json=body)
                if response.status_code == 200:
                    break
            await asyncio.sleep(0.2)
        self._tally.longest = max(self._tally.longest, time.monotonic() - begun)
        self._note(response.json(), (user, place))

    def _note(self, payload: dict[str, object], question: Question) -> None:
        """The answer must be to this question, under a row of its own."""
        assert answered(str(payload["text"])) == [question[1]], payload
        self._tally.acknowledged[question] += 1
        self._tally.shown[question].append(time.monotonic())
        if isinstance(row := payload["id"], int):
            assert row not in self.rows
            self.rows[row] = question[1]

    def tally(self) -> Tally:
        """So far."""
        return self._tally

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


class TelegramCrowd:
    """Writes to the bot; Telegram keeps an update until it is taken, so that all are acknowledged in the end."""

    channel = "telegram"
    first = 1000

    def __init__(self, telegram: Telegram, bank: list[str], seed: int) -> None:
        self._telegram, self._bank, self._dice = telegram, bank, random.Random(seed)
        self._asked: Counter[Question] = Counter()
        telegram.fault = self._fault

    def _fault(self, call: Call) -> Fault | None:
        """One call in ten fails: before anything is done, or with a message that is taken and not acknowledged."""
        if self._dice.random() >= FAILURES:
            return None
        lost = ["lost"] if call.method == "sendMessage" else []
        kind = self._dice.choice(["status", "status", "flood", "close", "hang", *lost])
        return Fault(kind, self._dice.choice([500, 502, 503]), 0.5 if kind == "hang" else 1.0)

    async def ask(self, user: int, place: int) -> None:
        """One question."""
        self._asked[user, place] += 1
        self._telegram.say(self.first + user, self._bank[place])

    def tally(self) -> Tally:
        """So far."""
        made = Tally(Counter(self._asked), Counter(self._asked))
        for sent in self._telegram.sent:
            for place in answered(sent.text):
                made.shown[sent.chat - self.first, place].append(sent.at)
        for call in self._telegram.calls:
            if call.outcome == "lost":
                for place in answered(call.params["text"]):
                    made.lost[int(call.params["chat_id"]) - self.first, place] += 1
        return made

    async def close(self) -> None:
        """Nothing to do."""


class MemberCrowd:
    """Members who ask the app; the platform gives up after three tries, a member does not."""

    channel = "wecom"
    name = "member-"

    def __init__(self, url: str, wecom: KfApi, bank: list[str]) -> None:
        self._url, self._wecom, self._bank, self._tally = f"{url}/wecom/callback", wecom, bank, Tally()
        self._numbers = itertools.count(1)
        self._passive: list[tuple[Question, float]] = []

    async def ask(self, user: int, place: int) -> None:
        """One question; the reply comes with the response or is pushed."""
        callbacks = Callbacks(self._url)
        question = message(f"{self.name}{user}", self._bank[place], next(self._numbers))
        self._tally.tried[user, place] += 1
        while True:
            outcome = await callbacks.push(question)
            if outcome.statuses[-1] == 200:
                break
            await asyncio.sleep(0.2)
        await callbacks.close()
        self._tally.acknowledged[user, place] += 1
        if outcome.text:
            assert answered(outcome.text) == [place]
            self._passive.append(((user, place), time.monotonic()))

    def tally(self) -> Tally:
        """So far."""
        made = Tally(self._tally.acknowledged, self._tally.tried)
        for question, at in self._passive:
            made.shown[question].append(at)
        for item in self._wecom.sent:
            for place in answered(item.text):
                made.shown[int(item.user.removeprefix(self.name)), place].append(item.at)
        return made

    def cards(self) -> Counter[int]:
        """Cards by member: each reply brings one."""
        cards = (item.user for item in self._wecom.sent if item.kind == "template_card")
        return Counter(int(user.removeprefix(self.name)) for user in cards)

    async def close(self) -> None:
        """Nothing to do."""


class CitizenCrowd:
    """Citizens at 微信客服: what they write stays with the platform until it is fetched; a notice may find nobody."""

    channel = "wecom-kf"
    name = "wm-citizen-"

    def __init__(self, url: str, wecom: KfApi, bank: list[str]) -> None:
        self._callbacks = Callbacks(f"{url}/wecom/kf", KF_TOKEN, KF_AES_KEY)
        self._wecom, self._bank, self._asked = wecom, bank, Counter[Question]()

    async def ask(self, user: int, place: int) -> None:
        """One question; who waits for four answers asks no more, as there are five for each message at most."""
        while self._waiting(user) >= _PATIENT:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.1)
        self._asked[user, place] += 1
        self._wecom.says(f"{self.name}{user}", self._bank[place])
        await self._callbacks.push(self._wecom.notice(), tries=1)

    def _waiting(self, user: int) -> int:
        asked = sum(count for (who, _), count in self._asked.items() if who == user)
        return asked - len(self._wecom.texts(f"{self.name}{user}"))

    def tally(self) -> Tally:
        """So far."""
        made = Tally(Counter(self._asked), Counter(self._asked))
        for item in self._wecom.shown:
            for place in answered(item.text):
                made.shown[int(item.user.removeprefix(self.name)), place].append(item.at)
        return made

    async def close(self) -> None:
        """Hang up."""
        await self._callbacks.close()


class ChatCrowd:
    """People who chat with the AI bot. Its gateway repeats nothing: who is not answered looks into the log whether
    the question was taken, and if not asks again.
    """

    channel = "wecom-aibot"
    name = "user"

    def __init__(self, gateway: Gateway, bank: list[str], taken: Taken) -> None:
        self._gateway, self._bank, self._taken, self._tally = gateway, bank, taken, Tally()
        self._numbers = itertools.count(1)
        self.messages: dict[str, Question] = {}

    async def ask(self, user: int, place: int) -> None:
        """One question, until it is answered."""
        before = len(self._shown((user, place)))
        while True:
            await self._gateway.until(lambda: self._gateway.connected, 120)
            name = f"m{next(self._numbers)}"
            self._tally.tried[user, place] += 1
            self.messages[name] = user, place
            if await self._gateway.said(self._bank[place], f"{self.name}{user}", name):
                while not await self._heard((user, place), before) and await self._taken(self.channel, name):
                    pass
                if len(self._shown((user, place))) > before:
                    break
            await asyncio.sleep(0.2)
        self._tally.acknowledged[user, place] += 1

    async def _heard(self, question: Question, before: int, seconds: float = 2.0) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self._shown(question)) <= before:  # noqa: ASYNC110 - what is waited for has no event
                    await asyncio.sleep(0.02)
        return len(self._shown(question)) > before

    def _shown(self, question: Question) -> list[float]:
        chat = self._gateway.chats.get(f"single:{self.name}{question[0]}", [])
        return [bubble.at for bubble in chat if question[1] in answered(bubble.text)]

    def tally(self) -> Tally:
        """So far. The log says which of the messages were taken."""
        made = Tally(self._tally.acknowledged, self._tally.tried)
        for question in self._tally.tried:
            made.shown[question] = self._shown(question)
        for chat, text in self._gateway.lost:
            for place in answered(text):
                made.lost[int(chat.removeprefix(f"single:{self.name}")), place] += 1
        return made

    async def close(self) -> None:
        """Nothing to do."""


def faults(seed: int) -> Iterator[str]:
    """Every tenth reply to the gateway goes wrong."""
    dice = random.Random(seed)
    while True:
        yield dice.choice(("busy", "close", "lost")) if dice.random() < FAILURES else ""
