"""Say in words where networks run: `python -m models.device`.

A process of its own, because importing torch takes seconds that a page must not wait for.
"""

from core.settings import load_settings
from models.train import describe_device, pick_device


def main() -> None:
    """Print the device of the settings in force."""
    print(describe_device(pick_device(load_settings().device)))


if __name__ == "__main__":
    main()
