"""Signature and encryption: an independent implementation's vectors, random texts, every flipped bit."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom.crypto import Crypto, DecryptionError, SignatureError
from tests.conftest import ROOT
from tests.emulators.wecom import AES_KEY, CORP, TOKEN

VECTORS: list[dict[str, Any]] = json.loads((ROOT / "tests/data/wecom_vectors.json").read_text("utf-8"))["vectors"]
assert len(VECTORS) == 12


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["name"]))
def test_vector_both_ways(vector: dict[str, Any]) -> None:
    crypto = Crypto(vector["token"], vector["aes_key"], vector["receiveid"])
    assert crypto.encrypt(vector["plaintext"], bytes.fromhex(vector["random16_hex"])) == vector["encrypt"]
    assert crypto.decrypt(vector["encrypt"]) == vector["plaintext"]
    assert crypto.sign(vector["timestamp"], vector["nonce"], vector["encrypt"]) == vector["signature"]
    crypto.check(vector["signature"], vector["timestamp"], vector["nonce"], vector["encrypt"])


def test_the_published_sample() -> None:
    """The worked example of the platform's documentation."""
    crypto = Crypto("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
    echo = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    crypto.check("5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780", echo)
    assert crypto.decrypt(echo) == "1616140317555161061"


@given(st.text(st.characters(codec="utf-8"), max_size=600), st.text("ab01", max_size=20))
def test_any_text_comes_back(text: str, receive_id: str) -> None:
    crypto = Crypto(TOKEN, AES_KEY, receive_id)
    sealed = crypto.encrypt(text)
    assert crypto.decrypt(sealed) == text
    assert sealed != crypto.encrypt(text)
    crypto.check(crypto.sign("1", "n", sealed), "1", "n", sealed)


def test_every_flipped_bit_is_refused() -> None:
    crypto = Crypto(TOKEN, AES_KEY, CORP)
    fields = {
        "timestamp": "1700000000",
        "nonce": "nonce0001",
        "encrypted": crypto.encrypt("老小区装电梯要跑几个部门？"),
    }
    signed = {"signature": crypto.sign(**fields), **fields}
    crypto.check(**signed)
    flipped = 0
    for name, value in signed.items():
        raw = value.encode()
        for bit in range(len(raw) * 8):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(SignatureError):
                crypto.check(**{**signed, name: changed.decode("latin-1")})
            flipped += 1
    assert flipped == sum(len(value) for value in signed.values()) * 8 > 1000


def test_flipped_bits_of_a_well_signed_cipher_text_never_change_its_address() -> None:
    """The signature binds no key: even with one that fits, only what decrypts to our receive-id is read."""
    crypto = Crypto(TOKEN, AES_KEY, CORP)
    sealed = base64.b64decode(crypto.encrypt("x" * 40))
    refused = 0
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            crypto.decrypt(base64.b64encode(changed).decode())
        except DecryptionError:
            refused += 1
    assert refused > len(sealed) * 4


def sealed_raw(plain: bytes) -> str:
    """Encrypted as it is, whatever its padding."""
    key = base64.b64decode(AES_KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"r" * 16,
        b"r" * 16 + b"\0\0\0\x02hi" + CORP.encode() + b"\0" * 24,
        b"r" * 16 + b"\0\0\0\x02hi" + CORP.encode() + b"\x18" * 23 + b"\x17",
        b"r" * 16 + b"\0\0\0\x02hi" + CORP.encode() + b"\x21" * 24,
        b"r" * 16 + b"\xff\xff\xff\xffhi" + CORP.encode() + b"\x18" * 24,
        b"r" * 16 + b"\0\0\0\x03hi" + CORP.encode() + b"\x18" * 24,
        b"r" * 16 + b"\0\0\0\x02\xff\xfe" + CORP.encode() + b"\x18" * 24,
        b"\x20" * 32,
    ],
    ids=["empty", "no padding", "zeros", "odd padding", "33", "too long", "one off", "not UTF-8", "all padding"],
)
def test_what_decrypts_to_nonsense_is_refused(plain: bytes) -> None:
    with pytest.raises(DecryptionError):
        Crypto(TOKEN, AES_KEY, CORP).decrypt(sealed_raw(plain))


@pytest.mark.parametrize("text", ["", "=", "AAAA", "A" * 44, "中文", "\ud800", "AAA A", "a" * 100_001])
def test_what_is_no_cipher_text_is_refused(text: str) -> None:
    with pytest.raises(DecryptionError):
        Crypto(TOKEN, AES_KEY, CORP).decrypt(text)


@pytest.mark.parametrize("receive_id", ["", "ww0123456789abcdeg", CORP + "x", CORP[:-1]])
def test_a_message_for_another_corporation_is_refused(receive_id: str) -> None:
    sealed = Crypto(TOKEN, AES_KEY, receive_id).encrypt("hi")
    with pytest.raises(DecryptionError):
        Crypto(TOKEN, AES_KEY, CORP).decrypt(sealed)


@pytest.mark.parametrize("key", ["", "a" * 42, "a" * 44, "!" * 43, "中" * 43])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Crypto(TOKEN, key, CORP)


def test_the_signature_is_that_of_the_protocol() -> None:
    joined = "".join(sorted([TOKEN, "2", "n", "e"]))
    assert Crypto(TOKEN, AES_KEY, CORP).sign("2", "n", "e") == hashlib.sha1(joined.encode()).hexdigest()
