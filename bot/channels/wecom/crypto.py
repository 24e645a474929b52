"""How WeCom signs and encrypts its callbacks: SHA-1 over sorted strings, AES-256-CBC, PKCS#7 to 32 bytes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

_KEY = 32
_IV = 16
_BLOCK_BITS = 32 * 8
_RANDOM = 16
_LENGTH = struct.Struct(">I")


class SignatureError(Exception):
    """The message is not signed with our token."""


class DecryptionError(Exception):
    """The message is signed but cannot be read: padding, length or receive-id are wrong."""


class Crypto:
    """Signs, checks, encrypts and decrypts for one callback. `aes_key` is the console's EncodingAESKey, 43 characters.

    Raises ValueError for a key that is none.
    """

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        key = base64.b64decode(aes_key + "=", validate=True)
        if len(key) != _KEY:
            raise ValueError("an EncodingAESKey is 43 characters long")
        self._token = token
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:_IV]))
        self._receive_id = receive_id.encode()

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """The signature, 40 lower-case hex digits."""
        parts = sorted((self._token, timestamp, nonce, encrypted))
        return hashlib.sha1("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    def check(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> None:
        """Raise SignatureError unless the signature is right; takes the same time either way."""
        expected = self.sign(timestamp, nonce, encrypted)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogatepass")):
            raise SignatureError

    def encrypt(self, text: str, random: bytes | None = None) -> str:
        """Base64 of the encrypted text; `random` are the 16 bytes in front of it."""
        content = text.encode()
        plain = (random or os.urandom(_RANDOM)) + _LENGTH.pack(len(content)) + content + self._receive_id
        padder, encryptor = PKCS7(_BLOCK_BITS).padder(), self._cipher.encryptor()
        padded = padder.update(plain) + padder.finalize()
        return base64.b64encode(encryptor.update(padded) + encryptor.finalize()).decode()

    def decrypt(self, encrypted: str) -> str:
        """The text of a message whose signature has been checked; raises DecryptionError."""
        try:
            sealed = base64.b64decode(encrypted, validate=True)
            decryptor, unpadder = self._cipher.decryptor(), PKCS7(_BLOCK_BITS).unpadder()
            padded = decryptor.update(sealed) + decryptor.finalize()
            plain = unpadder.update(padded) + unpadder.finalize()
            (length,) = _LENGTH.unpack_from(plain, _RANDOM)
            start = _RANDOM + _LENGTH.size
            content, receive_id = plain[start : start + length], plain[start + length :]
            if len(content) != length or not hmac.compare_digest(receive_id, self._receive_id):
                raise DecryptionError
            return content.decode()
        except (binascii.Error, ValueError, struct.error):
            raise DecryptionError from None
