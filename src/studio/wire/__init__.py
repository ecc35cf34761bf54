"""The words of other people's machines: tables, encode, decode. No socket, no thread, no device.

`wire.obs` is what OBS is asked to hold, `wire.osc` the messages of sound desks, `wire.midi` those of pads, surfaces and
other gear (`wire.mackie` and `wire.timecode` are written in them), `wire.cea608` the captions inside a picture's own
data.
"""
