"""python -m PACKAGE.serving.health [PORT]: asks the server of this machine whether it is well."""

import sys
from urllib.request import urlopen


def main() -> None:
    """End with 0 when it is."""
    port = sys.argv[1] if len(sys.argv) > 1 else "8080"
    try:
        urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
    except OSError as error:
        sys.exit(f"the server does not answer: {error}")


if __name__ == "__main__":
    main()
