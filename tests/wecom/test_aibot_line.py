"""The AI bot's line to its gateway: what it reads, and that it comes back after any end but a kick."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom.aibot import frames
from bot.channels.wecom.aibot.connection import Connection, LostError, NotAcceptedError, SilentError, Timing, dial
from bot.channels.wecom.aibot.line import Line, State
from bot.errors import ChannelRefusedError
from tests.emulators.aibot import BOT_ID, SECRET, Gateway
from tests.waiting import until

QUICK = Timing(heartbeat=0.05, ack=0.2, first_wait=0.02, longest_wait=0.05, refused_wait=0.05, alarm=0.1)


class Noted:
    """Alerts, as far as the line uses them."""

    def __init__(self) -> None:
        self.on: set[str] = set()
        self.said: list[str] = []

    def start(self, key: str, text: str) -> None:
        if key not in self.on:
            self.said.append(text)
        self.on.add(key)

    def end(self, key: str) -> None:
        self.on.discard(key)


class Held:
    """A line that is running, with all it heard."""

    def __init__(self, gateway: Gateway, secret: str, timing: Timing) -> None:
        self.alerts = Noted()
        self.heard: list[frames.Frame] = []
        self.line = Line(gateway.url, (BOT_ID, secret), self._receive, self.alerts, timing)  # type: ignore[arg-type]

    def _receive(self, _: Connection, frame: frames.Frame) -> None:
        self.heard.append(frame)


@asynccontextmanager
async def held(gateway: Gateway, secret: str = SECRET, timing: Timing = QUICK) -> AsyncIterator[Held]:
    found = Held(gateway, secret, timing)
    running = asyncio.create_task(found.line.run())
    try:
        yield found
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.mark.parametrize("ending", ["close 1000", "close 1001", "close 1011", "abort", "vanish", "mute"])
async def test_it_comes_back_after_any_end(ending: str) -> None:
    async with Gateway() as gateway, held(gateway) as found:
        await gateway.ready()
        word, _, code = ending.partition(" ")
        if word == "close":
            await gateway.close(int(code))
        elif word == "abort":
            gateway.abort()
        elif word == "vanish":
            await gateway.vanish()
            await until(lambda: found.alerts.on == {"wecom-aibot"})
            await gateway.listen()
        else:
            gateway.mute_pings = True
            await until(lambda: gateway.subscriptions >= 2)
            gateway.mute_pings = False
        await gateway.ready(2)
        await gateway.say("老小区装电梯")
        await until(lambda: found.heard)
        assert found.heard[0].body.words == "老小区装电梯"
        assert found.line.state is State.CONNECTED
        assert found.alerts.on == set()
        assert gateway.violations == []


async def test_two_unanswered_pings_end_a_connection_and_one_does_not() -> None:
    async with Gateway() as gateway, held(gateway) as found:
        await gateway.ready()
        pings = lambda: sum(frame["cmd"] == "ping" for frame in gateway.frames)  # noqa: E731
        gateway.mute_pings = True
        before = pings()
        await gateway.until(lambda: pings() > before)
        gateway.mute_pings = False
        await gateway.until(lambda: pings() >= before + 4)
        assert (gateway.subscriptions, found.line.state) == (1, State.CONNECTED)


async def test_kicked_it_stays_away_and_says_so() -> None:
    async with Gateway() as gateway, held(gateway) as found:
        await gateway.ready()
        async with dial(gateway.url, QUICK) as other:
            await other.send(frames.build(frames.SUBSCRIBE, "x", {"bot_id": BOT_ID, "secret": SECRET}))
            await until(lambda: found.line.state is State.KICKED)
            assert json.loads(await other.recv())["errcode"] == 0
            await asyncio.sleep(5 * QUICK.longest_wait)
            assert gateway.attempts == 2
        assert "wecom-aibot-kicked" in found.alerts.on
        with pytest.raises(LostError):
            await found.line.connected(0.01)


async def test_refused_at_the_start_it_says_so_in_one_line() -> None:
    async with Gateway() as gateway:
        line = Held(gateway, "wrong-secret", QUICK).line
        with pytest.raises(ChannelRefusedError) as refused:
            await asyncio.wait_for(line.run(), 15)
    said = str(refused.value)
    assert "853000" in said
    assert "wrong-secret" not in said
    assert "\n" not in said


async def test_refused_later_it_raises_the_alarm_once_and_asks_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Gateway() as gateway, held(gateway) as found:
        await gateway.ready()
        gateway.secret = "another"
        gateway.abort()
        await until(lambda: gateway.attempts >= 4)
        assert found.line.state is State.REFUSED
        assert [text for text in found.alerts.said if "853000" in text] == found.alerts.said
        assert len(found.alerts.said) == 1
        gateway.secret = SECRET
        await gateway.ready(2)
        await until(lambda: found.line.state is State.CONNECTED)
        assert found.alerts.on == set()
    ours = [record.getMessage() for record in caplog.records if record.name == "reformbot"]
    assert ours
    assert not any(SECRET in line for line in (*ours, *found.alerts.said))


async def test_the_wait_for_the_refused_is_long() -> None:
    slow = Timing(ack=0.2, first_wait=0.01, longest_wait=0.01, refused_wait=60)
    async with Gateway() as gateway, held(gateway, timing=slow) as found:
        await gateway.ready()
        gateway.secret = "another"
        gateway.abort()
        await until(lambda: found.line.state is State.REFUSED)
        await asyncio.sleep(0.2)
        assert gateway.attempts == 2


async def test_the_next_frame_of_a_callback_waits_for_the_acknowledgement() -> None:
    async with Gateway(ack_delay=0.02) as gateway, held(gateway) as found:
        await gateway.ready()
        await gateway.say("一")
        await until(lambda: found.heard)
        connection, req_id = found.line.connection, found.heard[0].headers.req_id
        assert connection is not None
        bodies = [frames.stream("s", f"第 {number} 版", "f") for number in range(4)]
        await asyncio.gather(*(connection.request(frames.RESPOND, body, req_id) for body in bodies))
        (bubble,) = await gateway.heard(1)
        assert bubble.text == "第 3 版"
        assert gateway.violations == []
        with pytest.raises(NotAcceptedError) as refused:
            await connection.request(frames.RESPOND, bodies[0], "made-up")
        assert refused.value.code == 846605
        gateway.mute_acks = True
        with pytest.raises(SilentError):
            await connection.request(frames.RESPOND, bodies[0], req_id)
        gateway.abort()
        with pytest.raises(LostError):
            await connection.request(frames.RESPOND, bodies[0], req_id)


async def test_no_pings_of_the_protocol() -> None:
    async with Gateway() as gateway, dial(gateway.url, Timing()) as socket:
        assert socket.ping_interval is None


def body_of(**fields: Any) -> frames.Body:
    frame = frames.parse(json.dumps({"cmd": "aibot_msg_callback", "headers": {"req_id": "r"}, "body": fields}))
    assert frame is not None
    return frame.body


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("@甬改问答 老小区装电梯", "老小区装电梯"),
        ("@甬改问答\u2005老小区装电梯", "老小区装电梯"),
        ("老小区装电梯 @甬改问答", "老小区装电梯"),
        ("  @甲 @乙 老小区装电梯", "老小区装电梯"),
        ("@甬改问答", ""),
        ("发到 a@example.com 可以吗", "发到 a@example.com 可以吗"),
    ],
)
def test_the_mention_goes(said: str, words: str) -> None:
    body = body_of(chattype="group", chatid="c", text={"content": said})
    assert (body.words, body.chat) == (words, "group:c")


def test_in_a_single_chat_nothing_is_stripped() -> None:
    body = body_of(chattype="single", text={"content": "@一二三 是什么"}, **{"from": {"userid": "u"}})
    assert (body.words, body.chat) == ("@一二三 是什么", "single:u")


def test_words_of_every_kind_of_message() -> None:
    assert body_of(msgtype="voice", voice={"content": "装电梯"}).words == "装电梯"
    pieces = [{"msgtype": "text", "text": {"content": "装"}}, {"msgtype": "image", "image": {"url": "x"}}]
    assert body_of(msgtype="mixed", mixed={"msg_item": [*pieces, pieces[0]]}).words == "装\n装"
    assert body_of(msgtype="image", image={"url": "x"}).words == ""
    assert body_of(msgtype="text", text=None, chatid=None, event="odd").words == ""


@given(st.binary() | st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_data_can_break_the_reader(data: str | bytes) -> None:
    frame = frames.parse(data)
    assert frame is None or isinstance(frame.body.words, str)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(sorted(frames.Body.model_fields)), inner),
    max_leaves=12,
)


@given(anything, anything)
def test_no_odd_frame_can_break_the_reader(headers: Any, body: Any) -> None:
    frame = frames.parse(json.dumps({"cmd": "x", "headers": headers, "body": body}))
    assert frame is None or isinstance(frame.body.words, str)
