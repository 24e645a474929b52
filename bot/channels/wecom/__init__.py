"""WeCom (企业微信): the self-built app, 微信客服 and the AI bot."""
