"""The command `seedbank`, also as `python -m seedbank`."""

from cli.start import main

if __name__ == "__main__":
    main()
