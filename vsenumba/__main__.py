"""``python -m vsenumba`` is the command line."""

from vsenumba.cli import main

if __name__ == "__main__":
    main()
