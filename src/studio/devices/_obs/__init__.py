"""OBS over its WebSocket: the connection, the driver, and an OBS of our own."""
