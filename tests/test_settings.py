"""Settings: what is wrong with them is told by name, never by value."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import SettingsError
from bot.settings import Settings, load_settings

GOOD_KEY = "k" * 43


def test_empty_variables_are_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, field in Settings.model_fields.items():
        monkeypatch.setenv(f"REFORMBOT_{name.upper()}", "")
        assert getattr(load_settings(), name) == field.default
    (tmp_path / ".env").write_text("\ufeffREFORMBOT_PORT=\nREFORMBOT_HOST=\n", encoding="utf-8")
    assert load_settings().host == "127.0.0.1"
    with pytest.raises(SettingsError, match="REFORMBOT_HOST 不能是空的"):
        load_settings(host="")


@pytest.mark.parametrize(
    ("value", "kept"), [("", ""), (" 127.0.0.1 , ::1,", "127.0.0.1,::1"), ("10.0.0.0/8", "10.0.0.0/8")]
)
def test_trusted_proxies(value: str, kept: str) -> None:
    assert load_settings(trusted_proxy=value).trusted_proxy == kept


@pytest.mark.parametrize("value", ["*", "proxy", "127.0.0.1;::1"])
def test_a_proxy_without_an_address_is_refused(value: str) -> None:
    with pytest.raises(SettingsError, match="反向代理的 IP 地址"):
        load_settings(trusted_proxy=value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"telegram_webhook_url": "https://bot.example.cn/telegram/webhook"}, "还要设 REFORMBOT_TELEGRAM_TOKEN、"),
        ({"wecom_token": "t", "wecom_corp_id": "ww1"}, "设了 REFORMBOT_WECOM_TOKEN，还要设 REFORMBOT_WECOM_AES_KEY"),
        ({"wecom_secret": "s"}, "还要设 REFORMBOT_WECOM_AGENT_ID"),
        ({"wecom_kf_token": "t", "wecom_kf_aes_key": GOOD_KEY}, "REFORMBOT_WECOM_KF_SECRET、REFORMBOT_WECOM_CORP_ID"),
        ({"wecom_bot_id": "b"}, "设了 REFORMBOT_WECOM_BOT_ID，还要设 REFORMBOT_WECOM_BOT_SECRET"),
        ({"wecom_aes_key": "short-secret", "wecom_token": "t", "wecom_corp_id": "w"}, "43 个字母和数字"),
        ({"telegram_admins": "12,anna"}, "数字编号"),
        ({"telegram_token": "1:a", "telegram_api_base": "127.0.0.1"}, "设置 REFORMBOT_TELEGRAM_API_BASE 不对"),
    ],
)
def test_a_half_set_group_is_refused_with_a_line_a_problem(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(**given)
    assert any(said in line for line in caught.value.problems)
    assert "secret" not in str(caught.value)
