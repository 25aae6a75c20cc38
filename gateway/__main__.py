"""``python -m gateway`` is the command ``at-gateway``."""

from gateway.cli.main import main

if __name__ == "__main__":
    main()
