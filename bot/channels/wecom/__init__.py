"""WeCom (企业微信): the app callback, 微信客服 and the AI bot."""
