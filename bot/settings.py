"""Every setting, once: environment variables (or a `.env` file) with the prefix `REFORMBOT_`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads it

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsError

PREFIX = "REFORMBOT_"
DEFAULT_DATABASE = "sqlite+aiosqlite:///data/reformbot.db"


class Settings(BaseSettings):
    """What an operator may set. All of it is optional."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    knowledge: Path | None = Field(
        default=None, description="knowledge folder; default: the checkout's, else the packaged one"
    )
    database_url: str = Field(default=DEFAULT_DATABASE, description="query log; `sqlite+aiosqlite:///FILE`")
    host: str = Field(default="127.0.0.1", description="address that the web server listens on")
    port: int = Field(default=8080, ge=1, le=65535, description="port that the web server listens on")
    retention_days: int = Field(default=180, ge=1, le=3650, description="days after which logged questions are deleted")
    rate_limit_user: int = Field(default=15, ge=0, description="questions a minute from one user; 0 lifts the limit")
    rate_limit_address: int = Field(
        default=60, ge=0, description="questions a minute from one web address; 0 lifts the limit"
    )


def load_settings(**given: object) -> Settings:
    """Read the settings; values given (not None) go before the environment.

    Raises SettingsError with one line a problem, naming the variable but never its value.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        raise SettingsError([_line(item["loc"], item["type"], item["msg"]) for item in error.errors()]) from None


def _line(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    name = PREFIX + str(loc[0]).upper() if loc else PREFIX
    if kind in {"int_parsing", "int_type"}:
        return f"设置 {name} 要是一个整数"
    if kind in {"greater_than_equal", "less_than_equal"}:
        return f"设置 {name} 超出范围：{message.removeprefix('Input should be ')}"
    return f"设置 {name} 不对：{message}"
