"""``python -m overcast`` is the command line."""

from overcast.cli import main

if __name__ == "__main__":
    main()
