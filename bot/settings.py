"""Every setting, once: environment variables (or a `.env` file) with the prefix `REFORMBOT_`."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path  # noqa: TC003 - pydantic reads it
from typing import Any

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.errors import SettingsError

PREFIX = "REFORMBOT_"
DEFAULT_DATABASE = "sqlite+aiosqlite:///data/reformbot.db"
DRIVERS = ("sqlite+aiosqlite", "postgresql+asyncpg")

_PLANNED = (
    *("TELEGRAM_TOKEN", "TELEGRAM_API_BASE", "TELEGRAM_WEBHOOK_URL", "TELEGRAM_WEBHOOK_SECRET"),
    *("WECOM_CORP_ID", "WECOM_AGENT_ID", "WECOM_SECRET", "WECOM_TOKEN", "WECOM_AES_KEY", "WECOM_API_BASE"),
    *("WECOM_KF_TOKEN", "WECOM_KF_AES_KEY", "WECOM_KF_SECRET", "WECOM_KF_OPEN_KFID"),
    *("WECOM_BOT_ID", "WECOM_BOT_SECRET", "WECOM_BOT_WS_URL", "ALERT_WEBHOOK_URL", "ADMIN_PASSWORD_HASH"),
)
"""Names that later versions will read."""


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
    host: str = Field(default="127.0.0.1", min_length=1, description="address that the web server listens on")
    port: int = Field(default=8080, ge=1, le=65535, description="port that the web server listens on")
    trusted_proxy: str = Field(
        default="",
        description="reverse proxies, by address, separated by commas, whose `X-Forwarded-For` is believed; none",
    )
    retention_days: int = Field(default=180, ge=1, le=3650, description="days after which logged questions are deleted")
    rate_limit_user: int = Field(default=15, ge=0, description="questions a minute from one user; 0 lifts the limit")
    rate_limit_address: int = Field(
        default=60, ge=0, description="questions a minute from one web address; 0 lifts the limit"
    )

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


def load_settings(**given: object) -> Settings:
    """Read the settings; values given (not None) go before the environment.

    Raises SettingsError with one line a problem, naming the variable but never its value.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError([_line(item) for item in error.errors()]) from None
    except UnicodeDecodeError:
        raise SettingsError(["文件 .env 不是 UTF-8 编码，请另存为 UTF-8"]) from None
    except OSError as error:
        raise SettingsError([f"文件 .env 读不了：{error.strerror or error}"]) from None


def strangers() -> list[str]:
    """A line for each variable of ours by its prefix, in the environment or `.env`, that no setting reads."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    read = DotEnvSettingsSource(Settings).env_vars
    names = {name.upper() for name, value in {**read, **os.environ}.items() if value}
    return [_stranger(name) for name in sorted(names) if name.startswith(PREFIX) and name not in known]


def _stranger(name: str) -> str:
    if name.removeprefix(PREFIX) in _PLANNED:
        return f"提醒：设置 {name} 这一版还不支持，没有生效"
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
