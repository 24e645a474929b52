"""Which channels of WeCom the settings ask for: the app, 微信客服."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channels.wecom.api import Api
from bot.channels.wecom.app import AppChannel
from bot.channels.wecom.crypto import Crypto
from bot.channels.wecom.kf import NOTICE, KfChannel
from bot.channels.wecom.push import Pusher

if TYPE_CHECKING:
    from pydantic import SecretStr

    from bot.channels.channel import Channel
    from bot.channels.service import Service


def wecom_channels(service: Service) -> list[Channel]:
    """The app and 微信客服, as far as they are set; they share one Api where they share a secret."""
    apis: dict[str, Api] = {}
    kf = _kf(service, apis)
    made = (_app(service, apis, kf), kf)
    return [channel for channel in made if channel is not None]


def _app(service: Service, apis: dict[str, Api], kf: KfChannel | None) -> Channel | None:
    """An app that may call the API of 微信客服 gets the notices for it as well."""
    settings = service.settings
    crypto = _crypto(settings.wecom_token, settings.wecom_aes_key, settings.wecom_corp_id)
    if crypto is None:
        return None
    elsewhere = {} if kf is None else {NOTICE: kf.notice}
    if settings.wecom_secret is None or settings.wecom_agent_id is None:
        return AppChannel(service, crypto, elsewhere=elsewhere)
    api = _api(service, settings.wecom_secret, apis)
    return AppChannel(service, crypto, api, Pusher(api, settings.wecom_agent_id), elsewhere)


def _kf(service: Service, apis: dict[str, Api]) -> KfChannel | None:
    settings = service.settings
    crypto = _crypto(settings.wecom_kf_token, settings.wecom_kf_aes_key, settings.wecom_corp_id)
    if crypto is None or settings.wecom_kf_secret is None:
        return None
    accounts = [part.strip() for part in (settings.wecom_kf_open_kfid or "").split(",") if part.strip()]
    return KfChannel(service, crypto, _api(service, settings.wecom_kf_secret, apis), accounts)


def _crypto(token: SecretStr | None, aes_key: SecretStr | None, corp_id: str | None) -> Crypto | None:
    if token is None or aes_key is None or corp_id is None:
        return None
    return Crypto(token.get_secret_value(), aes_key.get_secret_value(), corp_id)


def _api(service: Service, secret: SecretStr, apis: dict[str, Api]) -> Api:
    key, settings = secret.get_secret_value(), service.settings
    if key not in apis:
        apis[key] = Api(
            settings.wecom_api_base, settings.wecom_corp_id or "", key, service.alerts, service.metrics.happened
        )
    return apis[key]
