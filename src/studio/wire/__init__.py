"""The words of other people's machines: tables, encode, decode. No socket, no thread, no device.

`wire.obs` is what OBS is asked to hold, `wire.osc` the messages of sound desks, `wire.midi` those of pads,
`wire.cea608` the captions inside a picture's own data.
"""
