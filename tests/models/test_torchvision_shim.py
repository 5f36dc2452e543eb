"""Packages that need torchvision import beside the torch that is here."""

import subprocess
import sys


def test_torchvision_and_what_needs_it_import() -> None:
    """In a process of its own: an import that failed once would be remembered in this one."""
    script = (
        "from models.torchvision_shim import import_torchvision\n"
        "import_torchvision(); import_torchvision()\n"
        "import timm, torchgeo.datasets\n"
        "print(timm.create_model('resnet18').num_classes)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "1000"
