"""studio: streaming, live captions and subtitles for the halls of cultural centres."""

import os

# Threads of numpy's BLAS wait by spinning: looking at sound would cost a core for nothing. Must be said before numpy is
# loaded for the first time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
