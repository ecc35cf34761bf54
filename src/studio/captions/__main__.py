"""`python -m studio.captions`: the recogniser's process, with a `CaptionsPlan` on its standard input."""

import sys

from studio.captions._process import main

if __name__ == "__main__":
    sys.exit(main())
