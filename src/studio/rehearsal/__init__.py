"""A pretend hall: twins that speak the real bytes on local sockets, and a talk to put on the air."""
