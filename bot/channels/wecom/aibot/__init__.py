"""The AI bot (智能机器人) over its WebSocket: frames, one connection, the line to the gateway, replies, the channel."""
