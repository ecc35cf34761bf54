"""`python -m studio.archive`: scheduler and workers of one run, with their plan as a line of JSON on standard input."""

from studio.archive._host import main

if __name__ == "__main__":
    main()
