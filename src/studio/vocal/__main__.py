"""`python -m studio.vocal`: the recorder's process, with a `RecorderPlan` on its standard input."""

import sys

from studio.vocal._process import main

if __name__ == "__main__":
    sys.exit(main())
