"""The command line: `python -m {{ cookiecutter.package_name }} --help`."""

from . import processes
from .cli import main
from .errors import reported

if __name__ == "__main__":
    processes.begin()
    try:
        processes.end(reported(lambda: main(str(__package__))))
    except SystemExit as done:
        processes.end(int(done.code or 0))
