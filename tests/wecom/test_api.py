"""Calls of the server API: tokens, errcodes, alerts; nothing secret in the journal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from bot.alerts import Alerts
from bot.channels.outbox import Later, Refused
from bot.channels.wecom.api import Api
from bot.channels.wecom.errors import ApiError
from bot.channels.wecom.sending import outcome
from bot.errors import ChannelRefusedError
from bot.metrics import Metrics
from tests.emulators.wecom import AGENT, CORP, SECRET
from tests.emulators.wecom_kf import KfApi

BODY = {"touser": "member-a", "agentid": AGENT, "msgtype": "text", "text": {"content": "好"}}


@pytest.fixture
def alerts() -> Alerts:
    return Alerts()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(lambda: {"status": "ok", "knowledge": "v1"})


@pytest.fixture
async def api(base: str, alerts: Alerts, metrics: Metrics) -> AsyncIterator[Api]:
    async with Api(base, CORP, SECRET, alerts, metrics.happened) as made:
        yield made


async def test_a_call(api: Api, wecom: KfApi) -> None:
    answer = await api.call("message/send", BODY)
    assert answer["msgid"] == wecom.sent[0].msgid


async def test_tokens_are_counted(api: Api, wecom: KfApi, metrics: Metrics) -> None:
    wecom.faults.script.append(("gettoken", -1))
    await api.call("message/send", BODY)
    told = metrics.exposition().decode()
    assert 'reformbot_events_total{kind="token",outcome="refused"} 1.0' in told
    assert 'reformbot_events_total{kind="token",outcome="ok"} 1.0' in told


async def test_many_calls_at_once_fetch_one_token(api: Api, wecom: KfApi) -> None:
    await asyncio.gather(*(api.call("message/send", BODY) for _ in range(20)))
    assert wecom.fetched == 1


async def test_a_refused_token_is_renewed_once(api: Api, wecom: KfApi) -> None:
    for code in (40014, 42001):
        wecom.faults.script.append(("message/send", code))
        await api.call("message/send", BODY)
    wecom.faults.script.extend([("message/send", 42001)] * 2)
    with pytest.raises(ApiError, match="42001"):
        await api.call("message/send", BODY)
    assert wecom.calls["message/send"] == 6


async def test_a_busy_server_is_asked_four_times(api: Api, wecom: KfApi) -> None:
    wecom.faults.script.extend([("message/send", -1)] * 3)
    await api.call("message/send", BODY)
    wecom.faults.script.extend([("message/send", -1)] * 4)
    with pytest.raises(ApiError, match="-1"):
        await api.call("message/send", BODY)


@pytest.mark.parametrize(
    ("code", "said"), [(60020, "企业可信IP"), (48002, "48002"), (40001, "40001"), (95017, "95017")]
)
async def test_what_an_operator_must_mend(api: Api, wecom: KfApi, alerts: Alerts, code: int, said: str) -> None:
    wecom.faults.script.append(("message/send", code))
    with pytest.raises(ApiError, match=str(code)):
        await api.call("message/send", BODY)
    assert said in alerts.states["wecom-api"]
    await api.call("message/send", BODY)
    assert alerts.states == {}


async def test_the_address_to_be_trusted(api: Api, wecom: KfApi, alerts: Alerts) -> None:
    wecom.trusted = False
    with pytest.raises(ApiError, match="60020"):
        await api.call("message/send", BODY)
    assert alerts.states["wecom-api"].endswith("203.0.113.9")


async def test_answers_that_are_none(api: Api, wecom: KfApi, alerts: Alerts) -> None:
    wecom.faults.script.append(("message/send", "before"))
    with pytest.raises(ApiError, match="-2") as caught:
        await api.call("message/send", BODY)
    assert caught.value.__cause__ is None
    assert alerts.states == {}


async def test_nobody_listens(alerts: Alerts, metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Api("http://127.0.0.1:9", CORP, SECRET, alerts, metrics.happened) as api:
        with pytest.raises(ApiError, match="-2"):
            await api.call("message/send", BODY)
        await api.log_in("REFORMBOT_WECOM_SECRET")


async def test_it_can_be_used_again(base: str, alerts: Alerts, metrics: Metrics) -> None:
    api = Api(base, CORP, SECRET, alerts, metrics.happened)
    answers = []
    for _ in range(2):
        async with api, api:
            answers.append(await api.call("message/send", BODY))
        async with api:
            answers.append(await api.call("message/send", BODY))
    assert [answer["errcode"] for answer in answers] == [0] * 4


@pytest.mark.parametrize(("corp", "secret"), [("ww-other", SECRET), (CORP, "wrong")])
async def test_wrong_credentials(base: str, alerts: Alerts, metrics: Metrics, corp: str, secret: str) -> None:
    async with Api(base, corp, secret, alerts, metrics.happened) as api:
        with pytest.raises(ChannelRefusedError, match="REFORMBOT_WECOM_SECRET"):
            await api.log_in("REFORMBOT_WECOM_SECRET")


OUTCOMES = {
    Later: (60020, 45009, 45033, 48002, 40001, 95017),
    Refused: (81013, 95002, 95018),
    ApiError: (-1, -2, 42001),
}


@pytest.mark.parametrize(("kind", "code"), [(kind, code) for kind, codes in OUTCOMES.items() for code in codes])
def test_what_the_outbox_does(kind: type[Exception], code: int) -> None:
    assert type(outcome(ApiError(code))) is kind
