"""Where the programme goes: recordings, HLS, destinations, the instant output; nothing here can hold the air."""
