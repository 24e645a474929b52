"""The Telegram channel against the emulator."""
