"""Every setting, once: environment variables (or a `.env` file) with the prefix `REFORMBOT_`."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from argon2 import extract_parameters
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "REFORMBOT_"
DEFAULT_DATABASE = "sqlite+aiosqlite:///data/reformbot.db"
_SPOOL = Path("data/reformbot")
DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")

GROUPS: dict[str, tuple[str, ...]] = {
    "telegram_webhook_url": ("telegram_token", "telegram_webhook_secret"),
    "telegram_webhook_secret": ("telegram_webhook_url",),
    "wecom_token": ("wecom_aes_key", "wecom_corp_id"),
    "wecom_aes_key": ("wecom_token",),
    "wecom_agent_id": ("wecom_token",),
    "wecom_secret": ("wecom_agent_id",),
    "wecom_kf_token": ("wecom_kf_aes_key", "wecom_kf_secret", "wecom_corp_id"),
    "wecom_kf_aes_key": ("wecom_kf_token",),
    "wecom_kf_secret": ("wecom_kf_token",),
    "wecom_kf_open_kfid": ("wecom_kf_token",),
    "wecom_bot_id": ("wecom_bot_secret",),
    "wecom_bot_secret": ("wecom_bot_id",),
    "alert_digest": ("alert_webhook_url",),
}
"""A setting → the others that it is of no use without."""

_AES_KEY = r"^[A-Za-z0-9]{43}$"
_WEEKLY = r"(mon|tue|wed|thu|fri|sat|sun) ([01][0-9]|2[0-3]):[0-5][0-9]"
_ROOT = r"^https?://[^\s]+$"


def database(url: str) -> URL:
    """The address of a database that the log can live in; ValueError, without the address, for any other."""
    try:
        target = make_url(url)
    except (ArgumentError, ValueError):
        raise ValueError(f"数据库地址写得不对，要像 {DEFAULT_DATABASE}") from None
    if target.drivername not in DRIVERS:
        raise ValueError(f"不支持的数据库：请用 {DRIVERS[0]}:///文件 或 {DRIVERS[1]}://…")
    return target


class Settings(BaseSettings):
    """What an operator may set. All of it is optional; an empty variable is not set."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    knowledge: Path | None = Field(
        default=None, description="knowledge folder; default: the checkout's, else the packaged one"
    )
    database_url: str = Field(default=DEFAULT_DATABASE, description="query log; `sqlite+aiosqlite:///FILE`")
    spool: Path | None = Field(
        default=None, description="file for questions that the database does not take; default: beside the database"
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="address that the web server listens on")
    port: int = Field(default=8080, ge=1, le=65535, description="port that the web server listens on")
    trusted_proxy: str = Field(
        default="",
        description="reverse proxies, by address, separated by commas, whose `X-Forwarded-For` is believed; none",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="journal on standard error: `text` or `json`, an object a line"
    )
    retention_days: int = Field(default=180, ge=1, le=3650, description="days after which logged questions are deleted")
    rate_limit_user: int = Field(default=15, ge=0, description="questions a minute from one user; 0 lifts the limit")
    rate_limit_address: int = Field(
        default=60, ge=0, description="questions a minute from one web address; 0 lifts the limit"
    )

    telegram_token: SecretStr | None = Field(default=None, description="token of the Telegram bot, from @BotFather")
    telegram_api_base: str = Field(
        default="https://api.telegram.org", pattern=_ROOT, description="root URL of the Bot API server, without `/bot`"
    )
    telegram_webhook_url: str | None = Field(
        default=None,
        pattern=r"^https?://.+/telegram/webhook$",
        description="public URL of `/telegram/webhook`; without it the bot polls",
    )
    telegram_webhook_secret: SecretStr | None = Field(
        default=None, description="what Telegram sends along with each webhook call, 1 to 256 of `A-Z a-z 0-9 _ -`"
    )
    telegram_admins: str = Field(default="", description="Telegram user ids of admins, separated by commas")
    wecom_corp_id: str | None = Field(default=None, description="WeCom: the company's id (`ww…`)")
    wecom_agent_id: int | None = Field(default=None, ge=1, description="WeCom app: AgentId")
    wecom_secret: SecretStr | None = Field(default=None, description="WeCom app: Secret; needed to push messages")
    wecom_token: SecretStr | None = Field(default=None, description="WeCom app: Token of its callback")
    wecom_aes_key: SecretStr | None = Field(default=None, description="WeCom app: EncodingAESKey of its callback")
    wecom_api_base: str = Field(
        default="https://qyapi.weixin.qq.com", pattern=_ROOT, description="root URL of the WeCom API"
    )
    wecom_kf_token: SecretStr | None = Field(default=None, description="微信客服: Token of its callback")
    wecom_kf_aes_key: SecretStr | None = Field(default=None, description="微信客服: EncodingAESKey of its callback")
    wecom_kf_secret: SecretStr | None = Field(
        default=None, description="微信客服: Secret of the app that may call its API"
    )
    wecom_kf_open_kfid: str | None = Field(
        default=None, description="微信客服: answer only these accounts (`wk…`, separated by commas); default: all"
    )
    wecom_bot_id: str | None = Field(default=None, description="WeCom AI bot: BotID of its long connection")
    wecom_bot_secret: SecretStr | None = Field(default=None, description="WeCom AI bot: Secret of its long connection")
    wecom_bot_ws_url: str = Field(
        default="wss://openws.work.weixin.qq.com", pattern=r"^wss?://[^\s]+$", description="WeCom AI bot: gateway"
    )
    alert_webhook_url: SecretStr | None = Field(
        default=None, description="WeCom group robot that operators' alerts go to; its URL is a secret"
    )
    alert_digest: str | None = Field(
        default=None, description="when the group robot gets the weekly digest, such as `mon 09:00` (Chinese time)"
    )
    admin_password_hash: SecretStr | None = Field(
        default=None, description="argon2 hash of the dashboard's password, from `reformbot password`"
    )
    public_url: str = Field(
        default="", pattern=r"^(https?://[^\s]+)?$", description="address that people reach the web chat at"
    )

    def spool_file(self) -> Path:
        """Where questions wait while the database is away."""
        name = database(self.database_url).database or ":memory:"
        beside = Path(name) if self.database_url.startswith("sqlite") and name != ":memory:" else _SPOOL
        return self.spool or beside.with_suffix(".spool")

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        database(value)
        return value

    @field_validator("trusted_proxy")
    @classmethod
    def _addresses(cls, value: str) -> str:
        found = [part.strip() for part in value.split(",") if part.strip()]
        try:
            for part in found:
                ipaddress.ip_network(part)
        except ValueError:
            raise ValueError("要写反向代理的 IP 地址，几个地址用半角逗号分开") from None
        return ",".join(found)

    @field_validator("telegram_admins")
    @classmethod
    def _ids(cls, value: str) -> str:
        found = [part.strip() for part in value.split(",") if part.strip()]
        if not all(part.isascii() and part.isdecimal() for part in found):
            raise ValueError("要写 Telegram 用户的数字编号，几个编号用半角逗号分开")
        return ",".join(found)

    @field_validator("wecom_aes_key", "wecom_kf_aes_key")
    @classmethod
    def _aes_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(_AES_KEY, value.get_secret_value()):
            raise ValueError("EncodingAESKey 要是 43 个字母和数字")
        return value

    @field_validator("alert_digest")
    @classmethod
    def _weekly(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(_WEEKLY, value.lower()):
            raise ValueError("要写星期和时刻，像 mon 09:00（北京时间）")
        return value and value.lower()

    @field_validator("admin_password_hash")
    @classmethod
    def _hash(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            if value is not None:
                extract_parameters(value.get_secret_value())
        except ValueError:
            raise ValueError("要写密码的 argon2 哈希，用 reformbot password 生成") from None
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _webhook_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
            raise ValueError("只能用 1 到 256 个字母、数字、_ 和 -")
        return value


def load_settings(**given: object) -> Settings:
    """Read the settings; values given (not None) go before the environment.

    Raises SettingsError with one line a problem, naming the variable but never its value.
    """
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError([_line(item) for item in error.errors()]) from None
    except UnicodeDecodeError:
        raise SettingsError(["文件 .env 不是 UTF-8 编码，请另存为 UTF-8"]) from None
    except OSError as error:
        raise SettingsError([f"文件 .env 读不了：{error.strerror or error}"]) from None
    if half_set := list(_half_set(settings)):
        raise SettingsError(half_set)
    return settings


def _half_set(settings: Settings) -> Iterator[str]:
    """A line for each setting that is of no use because another one is missing."""
    for name, needed in GROUPS.items():
        missing = [PREFIX + other.upper() for other in needed if getattr(settings, other) is None]
        if getattr(settings, name) is not None and missing:
            yield f"设了 {PREFIX}{name.upper()}，还要设 {'、'.join(missing)}"


def strangers() -> list[str]:
    """A line for each variable of ours by its prefix, in the environment or `.env`, that no setting reads."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    read = DotEnvSettingsSource(Settings).env_vars
    names = {name.upper() for name, value in {**read, **os.environ}.items() if value}
    return [_stranger(name) for name in sorted(names) if name.startswith(PREFIX) and name not in known]


def _stranger(name: str) -> str:
    return f"提醒：不认识设置 {name}，没有生效；请核对名字"


def _line(item: Any) -> str:
    name, kind = PREFIX + "".join(str(step).upper() for step in item["loc"][:1]), item["type"]
    if kind in {"int_parsing", "int_type"}:
        return f"设置 {name} 要是一个整数"
    if kind in {"greater_than_equal", "less_than_equal"}:
        return f"设置 {name} 超出范围：{item['msg'].removeprefix('Input should be ')}"
    if kind == "string_too_short":
        return f"设置 {name} 不能是空的"
    if kind == "value_error":
        return f"设置 {name} 不对：{item['ctx']['error']}"
    return f"设置 {name} 不对：{item['msg']}"
