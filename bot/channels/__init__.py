"""Ways in: console, web, Telegram, WeCom. Each turns its own messages into `Message` and shows what comes back."""
